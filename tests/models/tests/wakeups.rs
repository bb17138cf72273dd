// SPDX-License-Identifier: Apache-2.0
//! `src/shm/wakeups.rs` and `src/shm/doorbell.rs`: nobody sleeps on while there is something for them. A wake-up that is lost leaves a
//! thread asleep for ever here, as no sleep ends by itself, and fails as a deadlock.
//!
//! What a thread does between these steps is a copy, shortened, of `src/runtime/worker.rs` and `src/runtime/waiting.rs`. Beyond the crate's
//! limits: not shown for several peers, more than two workers, garbage in the doorbells, or a process that dies on the way.
#![cfg(loom)]

use std::sync::Arc;

use loom::thread;
use models::check;
use models::shm::atomics::{AtomicU32, Ordering, fence};
use models::shm::doorbell::Doorbells;
use models::shm::layout::{Record, RecordContent};
use models::shm::ring::{RingReader, RingWriter};
use models::shm::segment::{entries, publish_reply, reply};
use models::shm::wakeups;
use models::sys::futex;
use models::weakening::{Weakness, step};

const NO_FIRST_FENCE: Option<Weakness> = Some(Weakness::NoFence(0));
const CHANNEL: u16 = 3;
const CALLER_BELL: u16 = 2;

fn doorbells() -> Doorbells {
    Doorbells::create().expect("a page").0
}

// ---- a caller and who replies ----

struct Call {
    slot: Record,
    waiting: AtomicU32,
    bells: Doorbells,
}

/// A caller sleeps until its reply is there.
fn caller_and_replier(caller: Option<Weakness>, replier: Option<Weakness>, looks_again: bool) {
    check(3, move || {
        let call = Arc::new(Call { slot: Record::default(), waiting: AtomicU32::new(0), bells: doorbells() });
        let replying = thread::spawn({
            let call = Arc::clone(&call);
            move || {
                publish_reply(&call.slot, 1, &RecordContent::numbered(7));
                let is_waiting = || call.waiting.load(Ordering::Relaxed) != 0;
                step(replier, || wakeups::wake_caller(is_waiting, &call.bells, CALLER_BELL));
            }
        });
        let bell = call.bells.bell(CALLER_BELL);
        let mut heard = bell.load(Ordering::SeqCst);
        let content = loop {
            step(caller, || wakeups::begin_caller_sleep(&call.waiting));
            let content = if looks_again { reply(&call.slot, 1) } else { None };
            if content.is_none() {
                futex::wait(bell, heard, None);
            }
            wakeups::end_caller_sleep(&call.waiting);
            if let Some(content) = content.or_else(|| reply(&call.slot, 1)) {
                break content;
            }
            heard = bell.load(Ordering::SeqCst);
        };
        assert_eq!(content, RecordContent::numbered(7));
        replying.join().expect("who replies");
    });
}

#[test]
fn a_caller_wakes_for_its_reply() {
    caller_and_replier(None, None, true);
}

#[test]
#[should_panic = "deadlock"]
fn not_without_the_callers_fence() {
    caller_and_replier(NO_FIRST_FENCE, None, true);
}

#[test]
#[should_panic = "deadlock"]
fn not_without_the_repliers_fence() {
    caller_and_replier(None, NO_FIRST_FENCE, true);
}

#[test]
#[should_panic = "deadlock"]
fn not_where_the_caller_does_not_look_again() {
    caller_and_replier(None, None, false);
}

// ---- requests to waiting threads ----

/// A thread waits; a request for it comes through the ring for waiting threads. Another waiting thread may take it out, and passes it on
/// as `src/runtime/threads.rs` does: into a list behind a lock, then ringing the bell.
fn nested(announce: Option<Weakness>, answer: Option<Weakness>) {
    check(2, move || {
        struct Nested {
            records: [Record; 1],
            reader: RingReader,
            mail: loom::sync::Mutex<u32>,
            bells: Doorbells,
        }
        impl Nested {
            fn sort(&self, weakness: Option<Weakness>) {
                for _ in step(weakness, || self.bells.take_pending_nested()) {
                    while self.reader.take(entries(&self.records)).is_some() {
                        *self.mail.lock().expect("no panic") += 1;
                        self.bells.ring(CALLER_BELL);
                    }
                }
            }
        }
        let nested = Arc::new(Nested {
            records: Default::default(),
            reader: RingReader::default(),
            mail: Default::default(),
            bells: doorbells(),
        });
        // It was announced once, and somebody else is about to look into it.
        nested.bells.set_pending_nested(CHANNEL);
        let bell = nested.bells.bell(CALLER_BELL);
        let mut heard = bell.load(Ordering::SeqCst);
        let sender = thread::spawn({
            let nested = Arc::clone(&nested);
            move || {
                RingWriter::default().publish(entries(&nested.records), &RecordContent::numbered(1));
                step(announce, || wakeups::announce_nested(&nested.bells, CHANNEL, CALLER_BELL));
            }
        });
        let other = thread::spawn({
            let nested = Arc::clone(&nested);
            move || nested.sort(answer)
        });
        loop {
            futex::wait(bell, heard, None);
            heard = bell.load(Ordering::SeqCst);
            fence(Ordering::SeqCst);
            nested.sort(answer);
            if *nested.mail.lock().expect("no panic") == 1 {
                break;
            }
        }
        sender.join().expect("the sender");
        other.join().expect("the other thread");
    });
}

#[test]
fn a_waiting_thread_wakes_for_a_request() {
    nested(None, None);
}

#[test]
#[should_panic = "deadlock"]
fn not_without_the_senders_fence() {
    nested(NO_FIRST_FENCE, None);
}

#[test]
#[should_panic = "deadlock"]
fn not_without_the_fence_of_who_takes_the_bits() {
    nested(None, NO_FIRST_FENCE);
}

// ---- requests to workers ----

/// What is left out of which step.
#[derive(Debug, Clone, Copy, Default)]
struct Without {
    announce: Option<Weakness>,
    end_look: Option<Weakness>,
    /// Nobody looks at the ring of the peer: the sender goes by those who look at the doorbells.
    looks_at_doorbells_only: bool,
    sleep: Option<Weakness>,
    take_pending: Option<Weakness>,
    looks_before_sleep: bool,
    leaves_to_others: bool,
}

const NOTHING: Without = Without {
    announce: None,
    end_look: None,
    looks_at_doorbells_only: false,
    sleep: None,
    take_pending: None,
    looks_before_sleep: true,
    leaves_to_others: true,
};

/// What the workers of a process share, with one peer.
struct Served {
    records: [Record; 2],
    writer: RingWriter,
    reader: RingReader,
    lookers: AtomicU32,
    all_lookers: AtomicU32,
    bells: Doorbells,
    handled: AtomicU32,
    without: Without,
}

impl Served {
    fn new(without: Without) -> Arc<Self> {
        Arc::new(Self {
            records: Default::default(),
            writer: RingWriter::default(),
            reader: RingReader::default(),
            lookers: AtomicU32::new(0),
            all_lookers: AtomicU32::new(0),
            bells: doorbells(),
            handled: AtomicU32::new(0),
            without,
        })
    }

    fn send(&self) {
        self.writer.publish(entries(&self.records), &RecordContent::numbered(1));
        let lookers = || self.lookers.load(Ordering::Relaxed);
        let all_lookers = || self.all_lookers.load(Ordering::Relaxed);
        step(self.without.announce, || wakeups::announce(lookers, all_lookers, &self.bells, CHANNEL));
    }

    fn has_work(&self) -> bool {
        self.reader.has_next(entries(&self.records))
    }

    /// What a worker sees that has served this peer, or that has not.
    fn sees_work(&self, knows_peer: bool) -> bool {
        (knows_peer && self.has_work()) || self.bells.any_pending()
    }

    fn see_to_work(&self) {
        fence(Ordering::SeqCst);
        self.bells.wake_worker();
    }

    /// Takes a request and sees to the rest, as a worker does before it handles one.
    fn take(&self, knows_peer: bool) -> bool {
        let announced =
            self.bells.any_pending() && !step(self.without.take_pending, || self.bells.take_pending()).is_empty();
        if !(knows_peer || announced) || self.reader.take(entries(&self.records)).is_none() {
            return false;
        }
        if self.without.leaves_to_others {
            wakeups::leave_to_others(|| self.has_work(), &self.lookers, &self.bells, CHANNEL);
            if self.bells.any_pending() {
                self.see_to_work();
            }
        }
        true
    }

    /// A worker, until it has taken a request.
    fn work(&self, bell: u16, mut knows_peer: bool, looks: bool) {
        loop {
            if self.take(knows_peer) {
                return;
            }
            let mut found = false;
            let lookers = (looks && knows_peer).then_some(&self.lookers);
            if (looks || self.without.looks_at_doorbells_only) && wakeups::begin_look(&self.all_lookers, lookers, 2) {
                found = self.sees_work(knows_peer);
                step(self.without.end_look, || wakeups::end_look(&self.all_lookers, lookers));
            }
            if found || self.sees_work(knows_peer) {
                continue;
            }
            let sees_work = || self.without.looks_before_sleep && self.sees_work(knows_peer);
            step(self.without.sleep, || wakeups::sleep_as_worker(&self.bells, bell, sees_work));
            // Once woken it looks into this peer's ring by the pending bit only.
            knows_peer &= looks;
        }
    }
}

/// One worker, one request. It does not know the peer, and goes by the pending bits alone; or it looks at the peer's ring.
fn one_worker(looks: bool, without: Without) {
    check(3, move || {
        let served = Served::new(without);
        let sender = thread::spawn({
            let served = Arc::clone(&served);
            move || served.send()
        });
        served.work(0, looks, looks);
        sender.join().expect("the sender");
    });
}

#[test]
fn a_sleeping_worker_wakes_for_a_request() {
    one_worker(false, NOTHING);
}

#[test]
fn a_worker_that_ceases_to_look_wakes_for_a_request() {
    one_worker(true, NOTHING);
}

#[test]
#[should_panic = "deadlock"]
fn not_where_it_does_not_look_before_it_sleeps() {
    one_worker(false, Without { looks_before_sleep: false, ..NOTHING });
}

#[test]
#[should_panic = "deadlock"]
fn not_without_the_workers_fence_before_it_sleeps() {
    one_worker(false, Without { sleep: NO_FIRST_FENCE, ..NOTHING });
}

#[test]
#[should_panic = "deadlock"]
fn not_without_the_fence_between_pending_and_idle() {
    one_worker(false, Without { announce: Some(Weakness::NoFence(1)), ..NOTHING });
}

#[test]
#[should_panic = "deadlock"]
fn not_without_the_senders_fence_before_it_counts_lookers() {
    one_worker(true, Without { announce: NO_FIRST_FENCE, ..NOTHING });
}

#[test]
#[should_panic = "deadlock"]
fn not_without_the_fence_after_looking() {
    one_worker(true, Without { end_look: NO_FIRST_FENCE, sleep: NO_FIRST_FENCE, ..NOTHING });
}

#[test]
fn a_worker_that_ceases_to_look_at_the_doorbells_wakes_for_a_request() {
    one_worker(false, Without { looks_at_doorbells_only: true, ..NOTHING });
}

#[test]
#[should_panic = "deadlock"]
fn not_without_the_senders_fence_before_it_counts_who_looks_at_the_doorbells() {
    one_worker(false, Without { looks_at_doorbells_only: true, announce: Some(Weakness::NoFence(1)), ..NOTHING });
}

#[test]
#[should_panic = "deadlock"]
fn not_without_the_fence_after_looking_at_the_doorbells() {
    one_worker(
        false,
        Without { looks_at_doorbells_only: true, end_look: NO_FIRST_FENCE, sleep: NO_FIRST_FENCE, ..NOTHING },
    );
}

/// Two requests, one after the other, and two workers: the first to be handled needs what the handling of the second does. Both can have
/// been sent to a worker that looks, while the other one sleeps.
fn two_workers(looks: bool, without: Without) {
    check(1, move || {
        let served = Served::new(without);
        let worker = |bell: u16| {
            let served = Arc::clone(&served);
            move || {
                served.work(bell, true, looks);
                if served.handled.fetch_add(1, Ordering::SeqCst) == 0 {
                    futex::wait(&served.handled, 1, None);
                } else {
                    futex::wake(&served.handled, 1);
                }
            }
        };
        let other = thread::spawn(worker(0));
        let sender = thread::spawn({
            let served = Arc::clone(&served);
            move || {
                served.send();
                served.send();
            }
        });
        worker(1)();
        other.join().expect("the other worker");
        sender.join().expect("the sender");
    });
}

#[test]
fn what_a_busy_worker_leaves_another_takes() {
    two_workers(true, NOTHING);
}

#[test]
#[should_panic = "deadlock"]
fn not_where_it_does_not_see_to_the_rest() {
    two_workers(true, Without { leaves_to_others: false, ..NOTHING });
}

#[test]
#[should_panic = "deadlock"]
fn not_without_the_fence_after_the_pending_bits_are_taken() {
    two_workers(false, Without { take_pending: NO_FIRST_FENCE, ..NOTHING });
}
