// SPDX-License-Identifier: Apache-2.0
//! Shared memory as who lies writes it: bytes at places, with no type over them.

use std::os::fd::OwnedFd;

use ipc_capi::sys::mapping::{self, Mapping, Writers};

/// Memory of a peer's, which may hold anything.
pub struct RawMemory {
    mapping: Mapping,
    len: usize,
}

impl RawMemory {
    /// Memory of `len` bytes, all zero, and the descriptor by which others map it.
    pub fn create(len: usize) -> (Self, OwnedFd) {
        let (mapping, file) = mapping::create("ipckit-fuzz", len, Writers::Everybody).expect("shared memory");
        (Self { mapping, len }, file)
    }

    /// Writes as many of the bytes at `offset` as there is room for.
    pub fn write(&self, offset: usize, bytes: &[u8]) {
        let count = bytes.len().min(self.len.saturating_sub(offset));
        for (place, byte) in (offset..).zip(&bytes[..count]) {
            // SAFETY: within the mapping, which lives as long as self; others read it as memory that may change at any time.
            unsafe { self.mapping.start().add(place).write_volatile(*byte) };
        }
    }

    /// Writes a word that others wait for, after all that was written before.
    pub fn publish(&self, offset: usize, word: u32) {
        assert!(offset.is_multiple_of(4) && offset + 4 <= self.len);
        // SAFETY: as above, and aligned.
        let place = unsafe { &*self.mapping.start().add(offset).cast::<std::sync::atomic::AtomicU32>().as_ptr() };
        place.store(word, std::sync::atomic::Ordering::SeqCst);
    }

    /// Reads `len` bytes at `offset`; `None` where they do not lie within.
    pub fn read(&self, offset: usize, len: usize) -> Option<Vec<u8>> {
        if offset.checked_add(len)? > self.len {
            return None;
        }
        // SAFETY: within the mapping by the check; only this process's fuzzing thread writes it.
        Some((offset..offset + len).map(|place| unsafe { self.mapping.start().add(place).read_volatile() }).collect())
    }

    /// Reads a number of 32 bits.
    pub fn int_at(&self, offset: usize) -> u32 {
        let bytes = self.read(offset, 4).expect("a place within");
        u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    }
}
