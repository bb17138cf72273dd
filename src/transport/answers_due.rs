// SPDX-License-Identifier: Apache-2.0
//! Which of a peer's call slots wait for an answer of this process. A slot has one call at a time: so a peer has no more calls under way
//! here than slots, whatever it writes, and a reply's place has one writer.

use crate::shm::atomics::{AtomicU64, Ordering};
use crate::shm::layout::CALL_SLOTS;

#[derive(Debug, Default)]
pub(super) struct AnswersDue([AtomicU64; CALL_SLOTS / 64]);

impl AnswersDue {
    fn bit(&self, slot: u16) -> Option<(&AtomicU64, u64)> {
        Some((self.0.get(usize::from(slot / 64))?, 1 << (slot % 64)))
    }

    /// A call has come. `false` where there is no such slot, or its last call has not been answered.
    pub(super) fn begin(&self, slot: u16) -> bool {
        self.bit(slot).is_some_and(|(word, bit)| word.fetch_or(bit, Ordering::AcqRel) & bit == 0)
    }

    /// The answer is about to be published, after which the slot may be used again.
    pub(super) fn end(&self, slot: u16) {
        if let Some((word, bit)) = self.bit(slot) {
            word.fetch_and(!bit, Ordering::AcqRel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_has_one_call_at_a_time() {
        let due = AnswersDue::default();
        for slot in [0, 63, 64, 127] {
            assert!(due.begin(slot));
            assert!(!due.begin(slot));
        }
        due.end(64);
        assert!(due.begin(64));
        assert!(!due.begin(63));
    }

    #[test]
    fn a_slot_that_there_is_not_has_none() {
        let due = AnswersDue::default();
        for slot in [128, u16::MAX] {
            assert!(!due.begin(slot));
            due.end(slot);
        }
    }
}
