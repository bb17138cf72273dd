// SPDX-License-Identifier: Apache-2.0
//! Who wants to know when a child made by Start has ended, and telling them.

use std::sync::Arc;
use std::thread;

use ipckit_order::{self as order, LibraryCode};
use parking_lot::Mutex;

use super::audience::Pid;
use crate::mutation::Mutation;
use crate::sys::process;

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
pub(super) struct ExitCallbacks(Mutex<Vec<ExitCallback>>);

impl ExitCallbacks {
    /// Has it called for every child that ends from now on; no more than once for each.
    pub(super) fn add(&self, callback: ExitCallback) {
        let mut callbacks = self.0.lock();
        if callbacks.iter().all(|known| known.key != callback.key) {
            callbacks.push(callback);
            order::hand_over(self);
        }
    }

    /// Whether it was there to be taken back.
    pub(super) fn remove(&self, key: usize) -> bool {
        let mut callbacks = self.0.lock();
        let before = callbacks.len();
        callbacks.retain(|known| known.key != key || Mutation::RemovedExitCallbacksStay.is_on());
        callbacks.len() != before
    }

    fn all(&self) -> Vec<ExitCallback> {
        self.0.lock().clone()
    }

    /// Whether it is still to be called.
    fn has(&self, key: usize) -> bool {
        self.0.lock().iter().any(|known| known.key == key)
    }
}

/// Tells these ends, in order, on a thread of its own, which a callback may keep for as long as it likes. They come back
/// where no thread can be had now.
pub(super) fn tell(callbacks: &'static ExitCallbacks, ended: Vec<Ended>) -> Result<(), Vec<Ended>> {
    if ended.is_empty() || callbacks.all().is_empty() {
        return Ok(());
    }
    let for_thread = ended.clone();
    let thread = thread::Builder::new().name("ipckit_news".into());
    let spawned = process::with_signals_blocked(|| {
        thread.spawn(move || {
            let _library = LibraryCode::begin();
            // What was done before a callback was registered has happened.
            order::take_over(callbacks);
            for Ended { pid, signal } in for_thread {
                for callback in callbacks.all().into_iter().filter(|callback| callbacks.has(callback.key)) {
                    (callback.call)(pid, signal);
                }
            }
        })
    });
    spawned.map(drop).map_err(|_| ended)
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
        tell(callbacks, vec![Ended { pid: 7, signal: 9 }, Ended { pid: 8, signal: 0 }]).unwrap();
        let told: Vec<_> = tellings.iter().take(4).collect();
        assert_eq!(told, [(1, 7, 9), (2, 7, 9), (1, 8, 0), (2, 8, 0)]);
        assert!(tellings.try_recv().is_err());
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
