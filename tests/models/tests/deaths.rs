// SPDX-License-Identifier: Apache-2.0
//! The life word: a caller whose peer dies gets the reply where it was published before, and else learns of the death; a word that the
//! kernel comes to is on a whole list, whenever it comes.
//!
//! All of it is a copy of the orders in `src/sys/robust_list.rs`, `src/runtime/death_watch.rs`, `Channel::mark_dead` and `Wait::see`: these
//! rest on system calls. Bells, replies and wake-ups are the library's. The kernel is a thread that marks words and wakes who sleeps on them.
//! Beyond the crate's limits: not shown that the kernel does so, nor for more than one peer a watcher.
#![cfg(loom)]

use std::sync::Arc;

use loom::thread;
use models::check;
use models::shm::atomics::{AtomicBool, AtomicU32, Ordering, fence};
use models::shm::doorbell::Doorbells;
use models::shm::layout::{Record, RecordContent};
use models::shm::segment::{publish_reply, reply};
use models::shm::wakeups;
use models::sys::futex;

const CALLER_BELL: u16 = 2;
const ALIVE: u32 = 1;
const DEAD: u32 = 2;

/// What is done otherwise than the library does it.
#[derive(Debug, Clone, Copy, Default)]
struct Broken {
    flag_relaxed: bool,
    no_last_look: bool,
}

struct Call {
    life: AtomicU32,
    slot: Record,
    waiting: AtomicU32,
    dead: AtomicBool,
    bells: Doorbells,
}

impl Call {
    fn mark_dead(&self, broken: Broken) {
        self.dead.store(true, if broken.flag_relaxed { Ordering::Relaxed } else { Ordering::Release });
        fence(Ordering::SeqCst);
        self.bells.ring(CALLER_BELL);
    }

    /// `Some(None)` where the peer is dead and has not replied.
    fn see(&self, broken: Broken) -> Option<Option<RecordContent>> {
        if let Some(content) = reply(&self.slot, 1) {
            return Some(Some(content));
        }
        if self.dead.load(Ordering::Acquire) {
            return Some(if broken.no_last_look { None } else { reply(&self.slot, 1) });
        }
        None
    }
}

/// The peer dies, having replied to the call before or not.
fn death_during_a_call(replies: bool, broken: Broken) {
    check(2, move || {
        let call = Arc::new(Call {
            life: AtomicU32::new(ALIVE),
            slot: Record::default(),
            waiting: AtomicU32::new(0),
            dead: AtomicBool::new(false),
            bells: Doorbells::create().expect("a page").0,
        });
        let bell = call.bells.bell(CALLER_BELL);
        let mut heard = bell.load(Ordering::SeqCst);
        let peer = thread::spawn({
            let call = Arc::clone(&call);
            move || {
                if replies {
                    // It is killed before it can ring.
                    publish_reply(&call.slot, 1, &RecordContent::numbered(7));
                }
                call.life.store(DEAD, Ordering::Release);
                futex::wake(&call.life, i32::MAX);
            }
        });
        let watcher = thread::spawn({
            let call = Arc::clone(&call);
            move || {
                while call.life.load(Ordering::Acquire) != DEAD {
                    futex::wait(&call.life, ALIVE, None);
                }
                call.mark_dead(broken);
            }
        });
        let seen = loop {
            wakeups::begin_caller_sleep(&call.waiting);
            let seen = call.see(broken);
            if seen.is_none() {
                futex::wait(bell, heard, None);
            }
            wakeups::end_caller_sleep(&call.waiting);
            if let Some(seen) = seen.or_else(|| call.see(broken)) {
                break seen;
            }
            heard = bell.load(Ordering::Acquire);
        };
        assert_eq!(seen, replies.then(|| RecordContent::numbered(7)), "what the peer said");
        peer.join().expect("the peer");
        watcher.join().expect("the watcher");
    });
}

#[test]
fn a_reply_published_before_the_death_counts() {
    death_during_a_call(true, Broken::default());
}

#[test]
fn a_caller_learns_of_the_death() {
    death_during_a_call(false, Broken::default());
}

#[test]
#[should_panic = "what the peer said"]
fn not_where_the_caller_does_not_look_for_the_reply_again() {
    death_during_a_call(true, Broken { no_last_look: true, ..Broken::default() });
}

#[test]
#[should_panic = "what the peer said"]
fn not_where_the_flag_is_relaxed() {
    // The fence after it does not help: what is said before a store is published by that store or by a fence before it.
    death_during_a_call(true, Broken { flag_relaxed: true, ..Broken::default() });
}

/// Words are put on the list and taken off it; the kernel walks it at any time.
fn walked_at_any_time(linked_last: bool) {
    check(3, move || {
        // Places of words: 0 is the head, 3 says that the link was never written.
        const HEAD: u32 = 0;
        const UNLINKED: u32 = 3;
        let next = Arc::new([HEAD, UNLINKED, UNLINKED].map(AtomicU32::new));
        let library = thread::spawn({
            let next = Arc::clone(&next);
            move || {
                for word in [1, 2] {
                    let first = next[0].load(Ordering::Relaxed);
                    if linked_last {
                        next[word as usize].store(first, Ordering::Relaxed);
                        next[0].store(word, Ordering::Release);
                    } else {
                        next[0].store(word, Ordering::Release);
                        next[word as usize].store(first, Ordering::Relaxed);
                    }
                }
                // Takes the first one off again: the one before it is linked to the one after it.
                let after = next[1].load(Ordering::Relaxed);
                next[2].store(after, Ordering::Release);
            }
        });
        let mut word = next[0].load(Ordering::Acquire);
        for _ in 0..3 {
            if word == HEAD {
                break;
            }
            assert_ne!(word, UNLINKED, "the list is whole");
            word = next[word as usize].load(Ordering::Acquire);
        }
        assert_eq!(word, HEAD, "the list ends");
        library.join().expect("the library");
    });
}

#[test]
fn the_kernel_finds_a_whole_list() {
    walked_at_any_time(true);
}

#[test]
#[should_panic = "the list is whole"]
fn not_where_a_word_is_linked_before_it_has_a_link() {
    walked_at_any_time(false);
}
