// SPDX-License-Identifier: Apache-2.0
//! When entries of a ring were taken. An entry is written only after the one that lay there before was taken: so a peer that says when
//! it sent something cannot make itself older than that, and be served before everybody else for ever.

use crate::shm::atomics::{AtomicU64, Ordering};

/// Times that are noted while the ring is gone through once.
const A_ROUND: u64 = 8;

/// The times of a ring of `N` entries.
#[derive(Debug, Default)]
pub(super) struct TakenTimes<const N: usize> {
    taken: AtomicU64,
    /// When the first entry of each part was taken, in nanoseconds, for two rounds.
    times: [AtomicU64; 2 * A_ROUND as usize],
}

impl<const N: usize> TakenTimes<N> {
    const PART: u64 = N as u64 / A_ROUND;

    fn time_of(&self, part: u64) -> &AtomicU64 {
        &self.times[(part % (2 * A_ROUND)) as usize]
    }

    /// An entry was taken; `now` is asked where that matters.
    #[inline]
    pub(super) fn note(&self, now: impl FnOnce() -> u64) {
        let number = self.taken.fetch_add(1, Ordering::Relaxed);
        if number.is_multiple_of(Self::PART) {
            self.time_of(number / Self::PART).store(now(), Ordering::Relaxed);
        }
    }

    /// The next entry to be taken was not written before this.
    #[inline]
    pub(super) fn earliest(&self) -> u64 {
        let part = self.taken.load(Ordering::Relaxed) / Self::PART;
        part.checked_sub(A_ROUND).map_or(0, |before| self.time_of(before).load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_younger_than_the_taking_of_what_lay_there_before() {
        let times = TakenTimes::<128>::default();
        for number in 0..1000_u64 {
            let earliest = times.earliest();
            if number < 128 {
                assert_eq!(earliest, 0);
            } else {
                // Noted for sixteen at a time.
                let before = number - 128;
                assert!(earliest <= 1_000_000 + before && earliest + 16 > 1_000_000 + before, "{number}: {earliest}");
            }
            times.note(|| 1_000_000 + number);
        }
    }
}
