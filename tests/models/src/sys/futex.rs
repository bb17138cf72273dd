// SPDX-License-Identifier: Apache-2.0
//! Futexes: who sleeps on a word wakes when it is rung, and never for another reason. A sleeper that nobody wakes is a deadlock, which
//! fails the model; time limits and wake-ups for no reason, which would hide that, are left out.

use std::time::Duration;

use loom::sync::{Condvar, Mutex};

use crate::shm::atomics::{AtomicU32, Ordering};

#[derive(Default)]
struct Sleepers {
    next: u64,
    asleep: Vec<(u64, usize)>,
}

loom::lazy_static! {
    static ref SLEEPERS: Mutex<Sleepers> = Mutex::new(Sleepers::default());
    static ref WOKEN: Condvar = Condvar::new();
}

fn address(word: &AtomicU32) -> usize {
    std::ptr::from_ref(word) as usize
}

/// Sleeps while `word` holds `expected`. As the kernel does, looks at the word with what a waker takes locked.
pub fn wait(word: &AtomicU32, expected: u32, _timeout: Option<Duration>) {
    let mut sleepers = SLEEPERS.lock().expect("no panic");
    if word.load(Ordering::Relaxed) != expected {
        return;
    }
    let number = sleepers.next;
    sleepers.next += 1;
    sleepers.asleep.push((number, address(word)));
    while sleepers.asleep.iter().any(|(asleep, _)| *asleep == number) {
        sleepers = WOKEN.wait(sleepers).expect("no panic");
    }
}

/// Wakes at most `count` of those who sleep on `word`.
pub fn wake(word: &AtomicU32, count: i32) {
    let mut sleepers = SLEEPERS.lock().expect("no panic");
    let mut left = count;
    sleepers.asleep.retain(|(_, asleep)| {
        let wakes = *asleep == address(word) && left > 0;
        left -= i32::from(wakes);
        !wakes
    });
    WOKEN.notify_all();
}
