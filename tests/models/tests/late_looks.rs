// SPDX-License-Identifier: Apache-2.0
//! `src/transport/late_look.rs`: whatever is put into a queue, somebody looks after it later, or it has been taken. Beyond the crate's
//! limits: nothing about when.
#![cfg(loom)]

use std::sync::Arc;
use std::time::Instant;

use loom::thread;
use models::check;
use models::shm::atomics::{AtomicU32, Ordering, fence};
use models::transport::late_look::LateLook;
use models::weakening::{Weakness, step};

const NO_FIRST_FENCE: Option<Weakness> = Some(Weakness::NoFence(0));

/// One message has been put and is being looked after; it has been taken, and another one is put while the look goes on.
fn put_while_looked_after(begin: Option<Weakness>, look: Option<Weakness>) {
    check(3, move || {
        struct Queue {
            put: AtomicU32,
            looks: LateLook,
        }
        let queue = Arc::new(Queue { put: AtomicU32::new(1), looks: LateLook::default() });
        assert!(queue.looks.begin());
        let putter = thread::spawn({
            let queue = Arc::clone(&queue);
            move || {
                queue.put.store(2, Ordering::Relaxed);
                // What is put is announced, with this fence.
                step(begin, || fence(Ordering::SeqCst));
                queue.looks.begin()
            }
        });
        let left = || (queue.put.load(Ordering::Relaxed) != 1).then_some(1);
        let looks_again = step(look, || queue.looks.look(Instant::now(), left)).is_some();
        assert!(putter.join().expect("who puts") || looks_again, "somebody looks after the second one");
    });
}

#[test]
fn somebody_looks_after_what_is_put() {
    put_while_looked_after(None, None);
}

#[test]
#[should_panic = "somebody looks"]
fn not_without_the_fence_of_who_puts() {
    put_while_looked_after(NO_FIRST_FENCE, None);
}

#[test]
#[should_panic = "somebody looks"]
fn not_without_the_fence_of_who_looks() {
    put_while_looked_after(None, NO_FIRST_FENCE);
}
