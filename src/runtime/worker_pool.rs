// SPDX-License-Identifier: Apache-2.0
//! What the workers of a process share: the work that is there already, and who is free for it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

use crate::sys::lock::{Condvar, Mutex};

use super::ready_peers::ReadyPeers;
use super::threads::Delivered;
use crate::host::mutation::Mutation;
use crate::object::{Peer, Proxy, Stub};
use crate::shm::layout::WORKER_BELLS;

/// The most workers beyond the first, by default.
const DEFAULT_MOST: usize = 16;

/// Work that does not lie in a peer's ring.
pub(super) enum Job {
    /// Tell the death of a proxy's stub.
    Death(Arc<Proxy>),
    /// Handle what a dead peer had sent.
    Drain(Arc<Peer>),
    /// Handle a stub's asynchronous messages.
    Stub(Arc<Stub>),
    /// Handle a request that was meant for a waiting thread which does not wait.
    Request(Delivered),
    /// Let go of something whose end may run the user's code.
    Drop(Box<dyn Send>),
    /// Run something.
    Task(Box<dyn FnOnce() + Send>),
}

/// The shared state of all workers.
pub(super) struct WorkerPool {
    jobs: Mutex<VecDeque<Job>>,
    job_count: AtomicUsize,
    /// Peers whose pending bits were taken.
    pub(super) ready: ReadyPeers,
    /// Threads of the pool; joined threads are not among them.
    pub(super) threads: AtomicUsize,
    /// How many there may be.
    pub(super) most: AtomicUsize,
    /// Numbers the pool's threads.
    pub(super) numbered: AtomicU32,
    /// Workers that sleep, or look for work.
    free: AtomicUsize,
    /// The bells that no sleeper uses.
    free_bells: AtomicU64,
    without_bell: Mutex<usize>,
    bell_freed: Condvar,
}

impl Default for WorkerPool {
    fn default() -> Self {
        Self {
            jobs: Mutex::default(),
            job_count: AtomicUsize::new(0),
            ready: ReadyPeers::default(),
            threads: AtomicUsize::new(0),
            most: AtomicUsize::new(DEFAULT_MOST + 1),
            numbered: AtomicU32::new(1),
            free: AtomicUsize::new(0),
            free_bells: AtomicU64::new(u64::MAX),
            without_bell: Mutex::new(0),
            bell_freed: Condvar::new(),
        }
    }
}

const _: () = assert!(WORKER_BELLS == 64);

impl WorkerPool {
    /// Adds a job. Somebody is to be woken for it.
    pub(super) fn push(&self, job: Job) {
        let mut jobs = self.jobs.lock();
        jobs.push_back(job);
        self.job_count.store(jobs.len(), Ordering::SeqCst);
    }

    /// The next job.
    pub(super) fn take_job(&self) -> Option<Job> {
        if !self.has_jobs() {
            return None;
        }
        let mut jobs = self.jobs.lock();
        let job = if Mutation::LastJobComesFirst.is_on() { jobs.pop_back() } else { jobs.pop_front() };
        self.job_count.store(jobs.len(), Ordering::SeqCst);
        job
    }

    #[inline]
    pub(super) fn has_jobs(&self) -> bool {
        self.job_count.load(Ordering::SeqCst) != 0
    }

    /// How many jobs nobody has taken, if any.
    pub(super) fn jobs_left(&self) -> Option<u32> {
        let count = self.job_count.load(Ordering::SeqCst);
        (count != 0).then(|| u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// A worker has nothing to do.
    pub(super) fn set_free(&self) {
        self.free.fetch_add(1, Ordering::SeqCst);
    }

    /// It has something to do.
    pub(super) fn set_busy(&self) {
        self.free.fetch_sub(1, Ordering::SeqCst);
    }

    /// Whether any worker sleeps or looks.
    #[inline]
    pub(super) fn any_free(&self) -> bool {
        self.free.load(Ordering::SeqCst) != 0
    }

    /// Counts one more thread, if there may be one more.
    pub(super) fn may_start(&self) -> bool {
        let most = self.most.load(Ordering::Relaxed) + usize::from(Mutation::PoolHasOneMore.is_on())
            - usize::from(Mutation::PoolHasOneLess.is_on());
        self.threads.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |now| (now < most).then_some(now + 1)).is_ok()
    }

    /// Whether the pool has more threads than it may have now, where that is to matter.
    pub(super) fn is_one_too_many(&self) -> bool {
        Mutation::LoweringEndsThreads.is_on() && self.threads.load(Ordering::SeqCst) > self.most.load(Ordering::Relaxed)
    }

    /// The lowest bell that no sleeper uses; `None` where all are in use.
    pub(super) fn take_bell(&self) -> Option<u16> {
        let mut free = self.free_bells.load(Ordering::Relaxed);
        while free != 0 {
            let lowest = free & free.wrapping_neg();
            match self.free_bells.compare_exchange_weak(free, free & !lowest, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Some(lowest.trailing_zeros() as u16),
                Err(now) => free = now,
            }
        }
        None
    }

    /// Gives a bell back.
    pub(super) fn return_bell(&self, bell: u16) {
        self.free_bells.fetch_or(1 << bell, Ordering::SeqCst);
        if *self.without_bell.lock() > 0 {
            self.bell_freed.notify_one();
        }
    }

    /// Waits until a bell may be free: more workers than bells sleep.
    pub(super) fn wait_for_bell(&self) {
        let mut without = self.without_bell.lock();
        *without += 1;
        if self.free_bells.load(Ordering::SeqCst) == 0 {
            self.bell_freed.wait(&mut without);
        }
        *without -= 1;
    }
}
