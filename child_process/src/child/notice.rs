// SPDX-License-Identifier: Apache-2.0
//! Tells the parent that the main procedure runs, and stays to see whether the parent does.
//!
//! Users write the main procedure as a bare wait on a condition variable. A request that came before the wait would
//! notify nobody, and the child would wait for ever. So the parent learns of the child only when its main thread has gone to sleep.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ipckit_threads::lock::{Condvar, Mutex};
use ipckit_threads::thread;

use super::report;
use crate::mutation::Mutation;
use crate::protocol::{LONGEST_PACKET, Report};
use crate::sys::channel::{Channel, Received};
use crate::sys::ipc::Reference;
use crate::sys::process;

/// The notice is held back no longer than this.
const LONGEST: Duration = Duration::from_millis(50);

/// Two looks this far apart that see the same system call see a thread asleep in it.
const BETWEEN_LOOKS: Duration = Duration::from_millis(1);

/// How soon to look again at a thread that runs.
const WHILE_RUNNING: Duration = Duration::from_micros(100);

/// The main thread's side.
pub(super) struct Notice(Arc<Progress>);

#[derive(Default)]
struct Progress {
    entered: AtomicBool,
    returned: AtomicBool,
    news: Mutex<News>,
    news_changed: Condvar,
}

#[derive(Default)]
struct News {
    /// The parent has been told of the child.
    told: bool,
    /// It has taken note, or never will.
    imported: bool,
}

impl Notice {
    /// Starts the thread that will tell the parent, while the calling thread is the main thread.
    pub(super) fn prepare(channel: Arc<Channel>, reference: Reference) -> io::Result<Self> {
        let progress = Arc::new(Progress::default());
        let for_thread = Arc::clone(&progress);
        start_thread(move || {
            for_thread.await_sleep(&MainThread::new());
            report(&channel, &Report::Entered(Box::new(reference)));
            for_thread.note(|news| news.told = true);
            follow_parent(&channel, || for_thread.note(|news| news.imported = true));
        })?;
        Ok(Self(progress))
    }

    /// To be called right before the main procedure. Does not sleep.
    pub(super) fn main_proc_entered(&self) {
        self.0.entered.store(true, Ordering::Release);
    }

    /// To be called when the main procedure has returned. Waits until the parent has been told.
    pub(super) fn main_proc_returned(&self) {
        self.0.returned.store(true, Ordering::Release);
        let mut news = self.0.news.lock();
        self.0.news_changed.wait_while(&mut news, |news| !news.told);
    }

    /// Waits until the parent has its proxy or will have none, or the deadline has passed.
    pub(super) fn await_import(&self, deadline: Instant) {
        let mut news = self.0.news.lock();
        self.0.news_changed.wait_while_until(&mut news, |news| !news.imported, deadline);
    }
}

impl Progress {
    fn note(&self, change: impl FnOnce(&mut News)) {
        change(&mut self.news.lock());
        self.news_changed.notify_all();
    }

    /// Waits until the main thread has gone to sleep in the main procedure or has returned from it, or the time is up.
    fn await_sleep(&self, main_thread: &MainThread) {
        while !self.entered.load(Ordering::Acquire) {
            sleep(WHILE_RUNNING);
        }
        let deadline = Instant::now() + LONGEST;
        let mut before = None;
        while !self.returned.load(Ordering::Acquire) && Instant::now() < deadline {
            let call = main_thread.blocking_call();
            if call.is_some() && call == before {
                return;
            }
            sleep(if call.is_some() { BETWEEN_LOOKS } else { WHILE_RUNNING });
            before = call;
        }
    }
}

/// The kernel's view of the main thread; nothing where there is no /proc.
struct MainThread(Option<File>);

impl MainThread {
    fn new() -> Self {
        Self(File::open(format!("/proc/self/task/{}/syscall", std::process::id())).ok())
    }

    /// The system call that the thread sleeps in, with its arguments and the place it was made from.
    fn blocking_call(&self) -> Option<Vec<u8>> {
        let mut line = [0; 256];
        let length = self.0.as_ref()?.read_at(&mut line, 0).ok()?;
        parse_blocking_call(&line[..length]).map(<[u8]>::to_vec)
    }
}

/// The line itself, where it is that of a thread that sleeps in a system call: others say `running`, or -1 for a thread that
/// sleeps elsewhere in the kernel.
fn parse_blocking_call(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_suffix(b"\n")?;
    let number = line.split(|&byte| byte == b' ').next()?;
    (!number.is_empty() && number.iter().all(u8::is_ascii_digit)).then_some(line)
}

/// Starts a thread that ends the process when the parent is gone. The kernel does so too, unless the process has changed
/// its user meanwhile.
pub(super) fn end_with_parent(channel: Arc<Channel>) -> io::Result<()> {
    start_thread(move || follow_parent(&channel, || {}))
}

fn start_thread(body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::start(|| "ipckit_notice".into(), body)
}

/// Ends the process when the parent is gone. What comes before that is the order that tells of the import, or nonsense to the same
/// end. Waits without poll, which a library that sets its limit of descriptors to none makes impossible.
fn follow_parent(channel: &Channel, imported: impl Fn()) {
    let mut packet = [0; LONGEST_PACKET];
    loop {
        match channel.await_packet(&mut packet) {
            Ok(Received::Nothing) => {}
            Ok(Received::Packet(_)) => imported(),
            Ok(Received::End) if Mutation::ChildrenOutliveTheirParent.is_on() => return imported(),
            Ok(Received::End) => process::kill_self(),
            // The library has closed a descriptor that it did not open.
            Err(_) => return imported(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::thread;

    #[test]
    fn only_a_thread_asleep_in_a_system_call_has_a_blocking_call() {
        let asleep = b"202 0x7f 0x80 0x0 0x0 0x0 0x0 0x7ffd 0x7f12\n";
        assert_eq!(parse_blocking_call(asleep), Some(&asleep[..asleep.len() - 1]));
        for line in
            [b"running\n".as_slice(), b"-1 0x7ffd 0x7f12\n", b"", b"\n", b"202 0x7f", b" 202 0x7f\n", b"2o2 0x0\n"]
        {
            assert_eq!(parse_blocking_call(line), None, "{line:?}");
        }
    }

    #[test]
    fn a_procedure_that_returns_is_not_waited_for() {
        let progress = Progress::default();
        progress.entered.store(true, Ordering::Release);
        progress.returned.store(true, Ordering::Release);
        progress.await_sleep(&MainThread(None));
    }

    #[test]
    fn without_proc_the_wait_is_bounded() {
        let progress = Progress::default();
        progress.entered.store(true, Ordering::Release);
        let start = Instant::now();
        progress.await_sleep(&MainThread(None));
        assert!(start.elapsed() >= LONGEST);
    }

    #[test]
    fn a_thread_that_sleeps_is_seen_asleep_in_the_same_call() {
        let (to_sleeper, orders) = mpsc::channel::<()>();
        let (to_test, ids) = mpsc::channel();
        let sleeper = thread::spawn(move || {
            to_test.send(process::thread_id()).unwrap();
            let _ = orders.recv();
        });
        let path = format!("/proc/self/task/{}/syscall", ids.recv().unwrap());
        let thread = MainThread(Some(File::open(path).unwrap()));
        let asleep = loop {
            let call = thread.blocking_call();
            thread::sleep(BETWEEN_LOOKS);
            if call.is_some() && thread.blocking_call() == call {
                break call;
            }
        };
        assert!(asleep.is_some());
        drop(to_sleeper);
        sleeper.join().unwrap();
    }
}
