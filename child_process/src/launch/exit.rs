// SPDX-License-Identifier: Apache-2.0
//! Who wants to know when a child made by Start has ended, and telling them.

use std::collections::VecDeque;
use std::sync::Arc;

use ipckit_order as order;
use ipckit_threads::lock::Mutex;
use ipckit_threads::thread;

use super::audience::Pid;
use crate::mutation::Mutation;

/// A child that has ended, and the signal that killed it, 0 for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) pid: Pid,
    pub(super) signal: i32,
}

/// Something to be called with a process id and a signal; two with the same key are the same.
#[derive(Clone)]
pub(crate) struct ExitCallback {
    pub(crate) key: usize,
    pub(crate) call: Arc<dyn Fn(i32, i32) + Send + Sync>,
}

/// The exit callbacks of a process.
#[derive(Default)]
pub(super) struct ExitCallbacks {
    callbacks: Mutex<Vec<ExitCallback>>,
    untold: Mutex<Untold>,
}

/// Ends that are still to be told.
#[derive(Default)]
struct Untold {
    ends: VecDeque<Ended>,
    /// Whether a thread tells them.
    has_thread: bool,
}

impl ExitCallbacks {
    /// Has it called for every child that ends from now on; no more than once for each.
    pub(super) fn add(&self, callback: ExitCallback) {
        let mut callbacks = self.callbacks.lock();
        if callbacks.iter().all(|known| known.key != callback.key) {
            callbacks.push(callback);
            order::hand_over(self);
        }
    }

    /// Whether it was there to be taken back.
    pub(super) fn remove(&self, key: usize) -> bool {
        let mut callbacks = self.callbacks.lock();
        let before = callbacks.len();
        callbacks.retain(|known| known.key != key || Mutation::RemovedExitCallbacksStay.is_on());
        callbacks.len() != before
    }

    /// The next end for the calling thread to tell; without one the thread's task is over.
    fn next_end(&self) -> Option<Ended> {
        let mut untold = self.untold.lock();
        let next = untold.ends.pop_front();
        untold.has_thread = next.is_some();
        next
    }

    fn tell_all(&self, Ended { pid, signal }: Ended) {
        // What was done before a callback was registered has happened.
        order::take_over(self);
        for callback in self.all().into_iter().filter(|callback| self.has(callback.key)) {
            (callback.call)(pid, signal);
        }
    }

    fn all(&self) -> Vec<ExitCallback> {
        self.callbacks.lock().clone()
    }

    /// Whether it is still to be called.
    fn has(&self, key: usize) -> bool {
        self.callbacks.lock().iter().any(|known| known.key == key)
    }
}

/// Tells these ends, after those before them and one at a time, on a thread that a callback may keep for as long as it likes. `false`
/// where no thread can be had now: they are told with those that come next, or when this is called again.
pub(super) fn tell(callbacks: &'static ExitCallbacks, ended: Vec<Ended>) -> bool {
    let mut untold = callbacks.untold.lock();
    untold.ends.extend(ended);
    if untold.has_thread || untold.ends.is_empty() {
        return true;
    }
    if callbacks.callbacks.lock().is_empty() {
        untold.ends.clear();
        return true;
    }
    if Mutation::ExitsAreToldByTheStarter.is_on() {
        drop(untold);
        while let Some(ended) = callbacks.next_end() {
            callbacks.tell_all(ended);
        }
        return true;
    }
    let started = thread::start(
        || "ipckit_news".into(),
        || {
            while let Some(ended) = callbacks.next_end() {
                callbacks.tell_all(ended);
            }
        },
    );
    untold.has_thread = started.is_ok();
    untold.has_thread
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn callback(key: usize, told: &mpsc::Sender<(usize, i32, i32)>) -> ExitCallback {
        let told = told.clone();
        ExitCallback { key, call: Arc::new(move |pid, signal| told.send((key, pid, signal)).unwrap()) }
    }

    #[test]
    fn each_callback_is_told_each_end_once() {
        let callbacks: &'static ExitCallbacks = Box::leak(Box::default());
        let (told, tellings) = mpsc::channel();
        for key in [1, 2, 1] {
            callbacks.add(callback(key, &told));
        }
        assert!(tell(callbacks, vec![Ended { pid: 7, signal: 9 }, Ended { pid: 8, signal: 0 }]));
        let told: Vec<_> = tellings.iter().take(4).collect();
        assert_eq!(told, [(1, 7, 9), (2, 7, 9), (1, 8, 0), (2, 8, 0)]);
        assert!(tellings.try_recv().is_err());
    }

    #[test]
    fn an_end_is_told_when_the_one_before_it_has_been() {
        let callbacks: &'static ExitCallbacks = Box::leak(Box::default());
        let (told, tellings) = mpsc::channel();
        let (go_on, waits) = mpsc::channel::<()>();
        let waits = Mutex::new(waits);
        callbacks.add(ExitCallback {
            key: 1,
            call: Arc::new(move |pid, _| {
                told.send((pid, "begins")).unwrap();
                waits.lock().recv().unwrap();
                told.send((pid, "returns")).unwrap();
            }),
        });
        assert!(tell(callbacks, vec![Ended { pid: 7, signal: 0 }]));
        assert_eq!(tellings.recv(), Ok((7, "begins")));
        assert!(tell(callbacks, vec![Ended { pid: 8, signal: 0 }]));
        go_on.send(()).unwrap();
        go_on.send(()).unwrap();
        let rest: Vec<_> = tellings.iter().take(3).collect();
        assert_eq!(rest, [(7, "returns"), (8, "begins"), (8, "returns")]);
        // And one after the thread has had nothing to do.
        assert!(tell(callbacks, vec![Ended { pid: 9, signal: 0 }]));
        assert_eq!(tellings.recv(), Ok((9, "begins")));
        go_on.send(()).unwrap();
        assert_eq!(tellings.recv(), Ok((9, "returns")));
    }

    #[test]
    fn one_that_was_taken_back_is_not_told() {
        let callbacks = ExitCallbacks::default();
        let (told, _tellings) = mpsc::channel();
        assert!(!callbacks.remove(1));
        callbacks.add(callback(1, &told));
        assert!(callbacks.has(1));
        assert!(callbacks.remove(1));
        assert!(!callbacks.remove(1) && callbacks.all().is_empty());
    }
}
