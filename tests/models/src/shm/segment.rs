// SPDX-License-Identifier: Apache-2.0
//! Records outside of a mapping. Publishing and reading a reply are copies of the functions of the same names in `src/shm/segment.rs`,
//! whose memory loom's atomics cannot lie in.

use super::atomics::Ordering;
use super::layout::{Record, RecordContent};
use super::ring::Entries;

pub(super) fn copy_content(record: &Record) -> RecordContent {
    record.content.copy()
}

pub(super) unsafe fn write_content(record: &Record, content: &RecordContent) {
    // SAFETY: needs none here.
    unsafe { record.content.get().write(*content) };
}

pub(super) fn prefetch_for_write(_record: &Record) {}

/// A ring's records.
pub fn entries<const N: usize>(records: &[Record; N]) -> Entries<'_, N> {
    Entries(records)
}

pub fn publish_reply(slot: &Record, call: u32, content: &RecordContent) {
    // SAFETY: needs none here.
    unsafe { slot.content.get().write(*content) };
    slot.sequence.store(call, Ordering::Release);
}

pub fn reply(slot: &Record, call: u32) -> Option<RecordContent> {
    if slot.sequence.load(Ordering::Acquire) != call {
        return None;
    }
    Some(copy_content(slot))
}
