// SPDX-License-Identifier: Apache-2.0
//! `src/transport/call_slots.rs`: who waits for a slot gets one that is given back. Beyond the crate's limits: not shown for several who wait.
#![cfg(loom)]

use std::sync::Arc;

use loom::thread;
use models::check;
use models::shm::layout::CALL_SLOTS;
use models::transport::CallSlots;
use models::weakening::{Weakness, step};

fn waits_for_a_slot(acquire: Option<Weakness>, release: Option<Weakness>) {
    check(2, move || {
        let slots = Arc::new(CallSlots::default());
        let mut taken: Vec<_> = (0..CALL_SLOTS).map(|_| slots.try_acquire(0).expect("free")).collect();
        let last = taken.pop().expect("a slot");
        let releaser = thread::spawn({
            let slots = Arc::clone(&slots);
            move || step(release, || slots.release(last))
        });
        assert!(step(acquire, || slots.acquire(0, || false)).is_some());
        releaser.join().expect("who gives back");
    });
}

#[test]
fn who_waits_gets_the_slot_that_is_given_back() {
    waits_for_a_slot(None, Some(Weakness::OneOrder));
}

#[test]
#[should_panic = "deadlock"]
fn not_without_the_fence_of_who_waits() {
    waits_for_a_slot(Some(Weakness::NoFence(0)), Some(Weakness::OneOrder));
}

#[test]
#[should_panic = "deadlock"]
fn not_where_giving_back_is_acquire_and_release_only() {
    waits_for_a_slot(None, None);
}
