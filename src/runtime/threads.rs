// SPDX-License-Identifier: Apache-2.0
//! The threads that call: each has a bell to sleep on, and a token by which those it calls can call it back.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::ops::Deref;
use std::rc::Rc;
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::sync::{Arc, Weak};

use crate::sys::lock::{Mutex, RwLock};

use super::process::Process;
use crate::host::mutation::Mutation;
use crate::object::Peer;
use crate::shm::layout::{CALLER_BELLS, RecordContent, WORKER_BELLS, bell_of_token, thread_token};
use crate::sys::fork;
use crate::sys::per_thread::{self, PerThread};

/// A request for a thread that waits, and the peer that sent it.
pub(super) type Delivered = Box<(Arc<Peer>, RecordContent)>;

/// A thread that has made a call.
pub(super) struct CallingThread {
    token: u64,
    /// How many of its calls wait, each within a handler of the one before.
    waits: AtomicU32,
    mail: AtomicU32,
    mailbox: Mutex<VecDeque<Delivered>>,
}

impl CallingThread {
    /// Names the thread to those it calls.
    pub(super) fn token(&self) -> u64 {
        self.token
    }

    /// The bell it sleeps on.
    pub(super) fn bell(&self) -> u16 {
        bell_of_token(self.token)
    }

    /// A call begins to wait.
    pub(super) fn begin_wait(&self) {
        // Only the thread itself changes it. Who delivers something has its token from the request that follows.
        self.waits.store(self.waits.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// It has ended. What came for the thread and cannot be for it any more is returned.
    pub(super) fn end_wait(&self) -> VecDeque<Delivered> {
        let waits = self.waits.load(Ordering::Relaxed) - 1;
        // In the one order of these accesses, who delivers something has seen that nobody waits, or it is seen here.
        self.waits.store(waits, Ordering::SeqCst);
        if waits == 0 && self.mail.load(Ordering::SeqCst) != 0 {
            return self.take_mail();
        }
        VecDeque::new()
    }

    fn take_mail(&self) -> VecDeque<Delivered> {
        let mut mailbox = self.mailbox.lock();
        self.mail.store(0, Ordering::SeqCst);
        std::mem::take(&mut *mailbox)
    }

    /// The next request that came for the thread.
    pub(super) fn next_mail(&self) -> Option<Delivered> {
        if self.mail.load(Ordering::Acquire) == 0 {
            return None;
        }
        let mut mailbox = self.mailbox.lock();
        let next = mailbox.pop_front();
        self.mail.store(mailbox.len() as u32, Ordering::SeqCst);
        next
    }

    /// Puts a request into the mailbox. What is in it while no call waits is returned: it would lie there.
    fn deliver(&self, request: Delivered) -> VecDeque<Delivered> {
        let mut mailbox = self.mailbox.lock();
        mailbox.push_back(request);
        self.mail.store(mailbox.len() as u32, Ordering::SeqCst);
        drop(mailbox);
        if self.waits.load(Ordering::SeqCst) == 0 { self.take_mail() } else { VecDeque::new() }
    }
}

/// The calling threads of this process.
#[derive(Default)]
pub(super) struct Threads {
    by_token: RwLock<HashMap<u64, Weak<CallingThread>>>,
    next_bell: AtomicU16,
}

impl Threads {
    fn add(&self) -> Arc<CallingThread> {
        let bell = self.next_bell.fetch_add(1, Ordering::Relaxed) % CALLER_BELLS as u16 + WORKER_BELLS as u16;
        let unguessable = crate::sys::process::random().map_or(0, u64::from_ne_bytes);
        let thread = Arc::new(CallingThread {
            token: thread_token(unguessable, bell),
            waits: AtomicU32::new(0),
            mail: AtomicU32::new(0),
            mailbox: Mutex::default(),
        });
        self.by_token.write().insert(thread.token, Arc::downgrade(&thread));
        thread
    }

    /// Delivers a request to the waiting thread that it names. Gives back what no thread waits for.
    pub(super) fn deliver(&self, process: &Process, request: Delivered) -> VecDeque<Delivered> {
        let waits = |thread: &Arc<CallingThread>| thread.waits.load(Ordering::SeqCst) > 0;
        let any = || self.by_token.read().values().filter_map(Weak::upgrade).find(waits);
        let named = || self.by_token.read().get(&request.1.target).and_then(Weak::upgrade);
        let Some(thread) = (if Mutation::AnyWaitingThreadIsTheRightOne.is_on() { any() } else { named() }) else {
            return [request].into();
        };
        let left = thread.deliver(request);
        process.own.doorbells.ring(thread.bell());
        left
    }
}

impl Drop for CallingThread {
    /// With the thread, or with the one use of it in a thread that is ending.
    fn drop(&mut self) {
        if let Some(process) = Process::started() {
            process.threads.by_token.write().remove(&self.token);
        }
    }
}

/// What a thread keeps of its entry.
pub(super) struct Registered {
    thread: Arc<CallingThread>,
    generation: u32,
}

impl Deref for Registered {
    type Target = CallingThread;

    fn deref(&self) -> &CallingThread {
        &self.thread
    }
}

thread_local! {
    static REGISTERED: PerThread<RefCell<Option<Rc<Registered>>>> = const { PerThread::new(RefCell::new(None)) };
}

/// The calling thread's entry, made if need be. In a thread that is ending it is made for this one use.
pub(super) fn this_thread(process: &'static Process) -> Rc<Registered> {
    let generation = fork::generation();
    let add = || Rc::new(Registered { thread: process.threads.add(), generation });
    let registered = per_thread::with(&REGISTERED, |registered| {
        let mut registered = registered.borrow_mut();
        match &*registered {
            Some(known) if known.generation == generation => Rc::clone(known),
            _ => Rc::clone(registered.insert(add())),
        }
    });
    registered.unwrap_or_else(add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_with_its_last_use() {
        let process = Process::current().expect("the runtime");
        let thread = process.threads.add();
        let token = thread.token();
        assert!(process.threads.by_token.read().contains_key(&token));
        drop(thread);
        assert!(!process.threads.by_token.read().contains_key(&token));
    }
}
