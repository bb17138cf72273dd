// SPDX-License-Identifier: Apache-2.0
//! What callers have learned about how soon a peer answers.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// An average beyond this says that looking does not pay.
const PAYS_UP_TO: Duration = Duration::from_micros(50);

/// An average below this says that the peer was looking.
const SHORT: Duration = Duration::from_micros(4);

/// One slow answer is not to spoil the average for long.
const CAP: Duration = Duration::from_micros(400);

const MOST_SCORE: u32 = 4;

/// Shared by all callers of one peer. Concurrent updates may be lost: it is a hint.
#[derive(Debug, Default)]
pub struct Latency {
    average_ns: AtomicU32,
    /// Whether the peer seems to be on the caller's processor.
    pub same_core: SameCore,
}

/// What somebody who waits has learned about whether those they wait for are on the same processor: there a look only keeps them from running.
#[derive(Debug, Default)]
pub struct SameCore {
    score: AtomicU32,
    waits: AtomicU32,
}

impl SameCore {
    /// Whether to look before the first yield. Now and then one look is spent to find out whether it still does not pay.
    pub fn looks_first(&self) -> bool {
        if self.score.load(Ordering::Relaxed) < 3 {
            return true;
        }
        let waits = self.waits.load(Ordering::Relaxed).wrapping_add(1);
        self.waits.store(waits, Ordering::Relaxed);
        waits.is_multiple_of(64)
    }

    /// Whether what is waited for nearly always comes from another processor.
    pub fn is_other_core(&self) -> bool {
        self.score.load(Ordering::Relaxed) == 0
    }

    /// What was waited for came while looking.
    pub fn came_while_looking(&self) {
        let score = self.score.load(Ordering::Relaxed);
        if score > 0 {
            self.score.store(score - 1, Ordering::Relaxed);
        }
    }

    /// It came right after the first yield.
    pub fn came_after_first_yield(&self) {
        let score = self.score.load(Ordering::Relaxed);
        if score < MOST_SCORE {
            self.score.store(score + 1, Ordering::Relaxed);
        }
    }
}

impl Latency {
    /// Whether answers come so late that a caller had better sleep at once.
    pub fn is_long(&self) -> bool {
        u128::from(self.average_ns.load(Ordering::Relaxed)) > PAYS_UP_TO.as_nanos()
    }

    /// Whether answers come so soon that a worker of the peer must be looking for requests.
    pub fn is_short(&self) -> bool {
        self.same_core.is_other_core() && u128::from(self.average_ns.load(Ordering::Relaxed)) < SHORT.as_nanos()
    }

    /// The answer came while looking. How soon matters little, and would cost a look at the clock.
    pub fn came_while_looking(&self) {
        self.same_core.came_while_looking();
        self.note(SHORT / 4);
    }

    /// How long a wait took, however it ended.
    pub fn note(&self, latency: Duration) {
        let latency = latency.min(CAP).as_nanos() as i64;
        let average = i64::from(self.average_ns.load(Ordering::Relaxed));
        self.average_ns.store((average + (latency - average) / 8) as u32, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_late_answers_make_it_long_and_many_early_ones_short() {
        let latency = Latency::default();
        assert!(!latency.is_long());
        (0..8).for_each(|_| latency.note(Duration::from_secs(1)));
        assert!(latency.is_long());
        (0..64).for_each(|_| latency.note(Duration::from_micros(1)));
        assert!(!latency.is_long());
    }

    #[test]
    fn on_one_core_those_who_wait_cease_to_look_first() {
        let same_core = SameCore::default();
        assert!(same_core.looks_first());
        (0..3).for_each(|_| same_core.came_after_first_yield());
        let looks = (0..640).filter(|_| same_core.looks_first()).count();
        assert_eq!(looks, 10);
        same_core.came_while_looking();
        assert!(same_core.looks_first());
    }

    #[test]
    fn answers_that_come_at_once_make_it_short() {
        let latency = Latency::default();
        (0..64).for_each(|_| latency.note(Duration::from_micros(5)));
        assert!(!latency.is_short());
        (0..64).for_each(|_| latency.came_while_looking());
        assert!(latency.is_short());
    }
}
