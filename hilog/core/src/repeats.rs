// SPDX-License-Identifier: Apache-2.0
//! Lines that a loop can produce as fast as it runs: the first of a kind is said in full, the next ones are counted, and a line a
//! second says how many there were. No thread waits for that second to be over: the next line of the kind brings the count along.

use std::fmt::{Arguments, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long lines of a kind are counted before one is said again.
const INTERVAL: Duration = Duration::from_secs(1);

/// Kinds that are told apart. Beyond these, which takes more messages than there are in the sources, every line is said.
const KINDS: usize = 256;

/// What has been said lately, and what has not. Thread-safe and lock-free.
pub(crate) struct Repeats {
    kinds: [Kind; KINDS],
}

struct Kind {
    /// The number of the kind, 0 as long as there is none.
    number: AtomicU64,
    /// When a line is said again, in nanoseconds.
    due: AtomicU64,
    /// Lines since the last that was said.
    held: AtomicU64,
}

impl Repeats {
    pub(crate) const fn new() -> Self {
        Self {
            kinds: [const { Kind { number: AtomicU64::new(0), due: AtomicU64::new(0), held: AtomicU64::new(0) } };
                KINDS],
        }
    }

    /// Whether to say a message at this time: if so, with how many like it that were not said.
    pub(crate) fn admit(&self, message: Arguments<'_>, now: Duration) -> Option<u64> {
        let Some(kind) = self.kind(number_of(message)) else { return Some(0) };
        let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        let due = kind.due.load(Ordering::Relaxed);
        let next = now.saturating_add(INTERVAL.as_nanos() as u64);
        if now >= due && kind.due.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            return Some(kind.held.swap(0, Ordering::Relaxed));
        }
        kind.held.fetch_add(1, Ordering::Relaxed);
        None
    }

    fn kind(&self, number: u64) -> Option<&Kind> {
        let start = (number % KINDS as u64) as usize;
        let (before, after) = self.kinds.split_at(start);
        after.iter().chain(before).find(|kind| {
            match kind.number.compare_exchange(0, number, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => true,
                Err(taken) => taken == number,
            }
        })
    }
}

/// Messages that differ in their numbers only are of one kind.
fn number_of(message: Arguments<'_>) -> u64 {
    struct Hash(u64);
    impl Write for Hash {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            // FNV-1a.
            for byte in text.bytes().filter(|byte| !byte.is_ascii_digit()) {
                self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
            }
            Ok(())
        }
    }
    let mut hash = Hash(0xcbf2_9ce4_8422_2325);
    let _ = hash.write_fmt(message);
    hash.0.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::from_secs(100);

    #[test]
    fn the_first_is_said_and_the_others_are_counted() {
        let repeats = Repeats::new();
        assert_eq!(repeats.admit(format_args!("no room for {} bytes", 5), START), Some(0));
        for bytes in 0..1234 {
            assert_eq!(repeats.admit(format_args!("no room for {bytes} bytes"), START + INTERVAL / 2), None);
        }
        assert_eq!(repeats.admit(format_args!("no room for {} bytes", 7), START + INTERVAL), Some(1234));
        assert_eq!(repeats.admit(format_args!("no room for {} bytes", 7), START + INTERVAL), None);
        assert_eq!(repeats.admit(format_args!("no room for {} bytes", 7), START + 9 * INTERVAL), Some(1));
    }

    #[test]
    fn each_kind_is_said() {
        let repeats = Repeats::new();
        for argument in ["data", "reply", "option"] {
            assert_eq!(repeats.admit(format_args!("the argument {argument} is NULL"), START), Some(0));
        }
    }

    #[test]
    fn more_kinds_than_there_is_place_for_are_all_said() {
        let repeats = Repeats::new();
        for len in 1..=2 * KINDS {
            assert_eq!(repeats.admit(format_args!("{}", "x".repeat(len)), START), Some(0));
        }
        assert_eq!(repeats.admit(format_args!("x"), START), None);
        assert_eq!(repeats.admit(format_args!("{}", "x".repeat(2 * KINDS)), START), Some(0));
    }

    #[test]
    fn of_many_threads_one_says_it() {
        static REPEATS: Repeats = Repeats::new();
        let said = std::thread::scope(|scope| {
            let one = || (0..100).filter_map(|_| REPEATS.admit(format_args!("at once"), START)).count();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(one)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
        });
        assert_eq!(said, 1);
        assert_eq!(REPEATS.admit(format_args!("at once"), START + INTERVAL), Some(399));
    }
}
