// SPDX-License-Identifier: Apache-2.0
//! The layout, with as little of everything as the models need: each atomic is more for loom to try.

use super::atomics::{AtomicU32, AtomicU64, Ordering};

pub const CALL_SLOTS: usize = 64;
pub const WORKER_BELLS: usize = 2;
pub const CALLER_BELLS: usize = 2;
pub const CHANNEL_WORDS: usize = 1;

/// A content of two words, so that half of one can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordContent(pub [u32; 2]);

impl RecordContent {
    pub fn numbered(number: u32) -> Self {
        Self([number; 2])
    }
}

/// Plain memory, which a reader may copy while it is written: each word can be an old one.
#[derive(Debug, Default)]
pub struct ContentCell([AtomicU32; 2]);

impl ContentCell {
    pub fn get(&self) -> &Self {
        self
    }

    /// # Safety
    /// None; the library's memory asks for it.
    pub unsafe fn write(&self, content: RecordContent) {
        for (word, value) in self.0.iter().zip(content.0) {
            word.store(value, Ordering::Relaxed);
        }
    }

    pub fn copy(&self) -> RecordContent {
        RecordContent([self.0[0].load(Ordering::Relaxed), self.0[1].load(Ordering::Relaxed)])
    }
}

#[derive(Debug, Default)]
pub struct Record {
    pub sequence: AtomicU32,
    pub content: ContentCell,
}

#[derive(Debug, Default)]
pub struct Line<T>(pub T);

#[derive(Debug, Default)]
pub struct DoorbellPage {
    pub idle_workers: Line<AtomicU64>,
    pub pending: Line<[AtomicU64; CHANNEL_WORDS]>,
    pub pending_nested: Line<[AtomicU64; CHANNEL_WORDS]>,
    pub bells: [Line<AtomicU32>; WORKER_BELLS + CALLER_BELLS],
}
