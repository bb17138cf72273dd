// SPDX-License-Identifier: Apache-2.0
//! What callers have learned about how soon a peer answers.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// An average beyond this says that looking does not pay.
const PAYS_UP_TO: Duration = Duration::from_micros(50);

/// One slow answer is not to spoil the average for long.
const CAP: Duration = Duration::from_micros(400);

const MOST_SCORE: u32 = 4;

/// Shared by all callers of one peer. Concurrent updates may be lost: it is a hint.
#[derive(Debug, Default)]
pub struct Latency {
    average_ns: AtomicU32,
    same_core: AtomicU32,
    waits: AtomicU32,
}

impl Latency {
    /// Whether answers come so late that a caller had better sleep at once.
    pub fn is_long(&self) -> bool {
        u128::from(self.average_ns.load(Ordering::Relaxed)) > PAYS_UP_TO.as_nanos()
    }

    /// Whether to look before the first yield. On one core a look only keeps the peer from running; now and then one is spent
    /// to find out whether that is still so.
    pub fn look_first(&self) -> bool {
        self.same_core.load(Ordering::Relaxed) < 3 || self.waits.fetch_add(1, Ordering::Relaxed).is_multiple_of(64)
    }

    /// The answer came while looking.
    pub fn came_while_looking(&self) {
        let score = self.same_core.load(Ordering::Relaxed);
        if score > 0 {
            self.same_core.store(score - 1, Ordering::Relaxed);
        }
    }

    /// The answer came right after the first yield.
    pub fn came_after_first_yield(&self) {
        let score = self.same_core.load(Ordering::Relaxed);
        if score < MOST_SCORE {
            self.same_core.store(score + 1, Ordering::Relaxed);
        }
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
    fn on_one_core_callers_cease_to_look_first() {
        let latency = Latency::default();
        assert!(latency.look_first());
        (0..3).for_each(|_| latency.came_after_first_yield());
        let looks = (0..640).filter(|_| latency.look_first()).count();
        assert_eq!(looks, 10);
        latency.came_while_looking();
        assert!(latency.look_first());
    }
}
