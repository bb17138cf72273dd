// SPDX-License-Identifier: Apache-2.0
//! Memory for when the system gives no more. Rust's collections end the process where they get none: what has begun is ended with this,
//! and as long as much of it is in use, nothing new is begun.
//!
//! It is part of the library's image, where it takes no memory before it is used. There is no lock: a forked process may inherit it as it
//! is just being used.
#![allow(unsafe_code)] // an allocator

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// What may be aligned; the blocks lie on multiples of their size, as far as this goes.
const ALIGNMENT: usize = 4096;

/// `WORDS` times 64 blocks of `SIZE` bytes, a power of two.
#[repr(C, align(4096))]
struct Shelf<const SIZE: usize, const WORDS: usize> {
    blocks: UnsafeCell<[[[u8; SIZE]; 64]; WORDS]>,
    /// A bit for each block that is in use.
    used: [AtomicU64; WORDS],
    count: AtomicUsize,
}

// SAFETY: a block belongs to the one whose exchange has set its bit, until its bit is taken away.
unsafe impl<const SIZE: usize, const WORDS: usize> Sync for Shelf<SIZE, WORDS> {}

impl<const SIZE: usize, const WORDS: usize> Shelf<SIZE, WORDS> {
    const fn new() -> Self {
        assert!(SIZE.is_power_of_two());
        Self {
            blocks: UnsafeCell::new([[[0; SIZE]; 64]; WORDS]),
            used: [const { AtomicU64::new(0) }; WORDS],
            count: AtomicUsize::new(0),
        }
    }

    fn take(&self, layout: Layout) -> Option<*mut u8> {
        if layout.size() > SIZE || layout.align() > SIZE.min(ALIGNMENT) {
            return None;
        }
        for (word, used) in self.used.iter().enumerate() {
            let mut now = used.load(Ordering::Relaxed);
            while now != u64::MAX {
                let bit = now.trailing_ones() as usize;
                match used.compare_exchange_weak(now, now | 1 << bit, Ordering::Acquire, Ordering::Relaxed) {
                    Ok(_) => {
                        self.count.fetch_add(1, Ordering::Relaxed);
                        return Some(self.blocks.get().cast::<u8>().wrapping_add((word * 64 + bit) * SIZE));
                    }
                    Err(other) => now = other,
                }
            }
        }
        None
    }

    /// `false` where it is no block of these.
    fn give_back(&self, memory: *mut u8) -> bool {
        let offset = memory.addr().wrapping_sub(self.blocks.get().addr());
        if offset >= SIZE * 64 * WORDS {
            return false;
        }
        let block = offset / SIZE;
        self.count.fetch_sub(1, Ordering::Relaxed);
        self.used[block / 64].fetch_and(!(1 << (block % 64)), Ordering::Release);
        true
    }

    fn is_low(&self) -> bool {
        self.count.load(Ordering::Relaxed) > WORDS * 64 / 2
    }
}

#[repr(C)]
struct Reserve {
    small: Shelf<128, 32>,
    middle: Shelf<1024, 8>,
    large: Shelf<16384, 1>,
}

impl Reserve {
    const fn new() -> Self {
        Self { small: Shelf::new(), middle: Shelf::new(), large: Shelf::new() }
    }

    #[cold]
    fn take(&self, layout: Layout) -> *mut u8 {
        if IS_GONE.load(Ordering::Relaxed) {
            return std::ptr::null_mut();
        }
        let taken = self.small.take(layout).or_else(|| self.middle.take(layout)).or_else(|| self.large.take(layout));
        taken.unwrap_or_default()
    }

    #[inline]
    fn has(&self, memory: *mut u8) -> bool {
        memory.addr().wrapping_sub(std::ptr::from_ref(self).addr()) < size_of::<Self>()
    }

    #[cold]
    fn give_back(&self, memory: *mut u8) {
        let _ = self.small.give_back(memory) || self.middle.give_back(memory) || self.large.give_back(memory);
    }
}

static RESERVE: Reserve = Reserve::new();

static IS_GONE: AtomicBool = AtomicBool::new(false);

/// Has the reserve be as if it were used up, for tests of what cannot be had even then.
pub fn take_away() {
    IS_GONE.store(true, Ordering::Relaxed);
}

/// Whether so much of the reserve is in use that nothing new is to be begun.
#[inline]
pub fn is_low() -> bool {
    RESERVE.small.is_low() || RESERVE.middle.is_low() || RESERVE.large.is_low()
}

/// The C library's allocator, with the reserve behind it.
pub struct Allocator;

// SAFETY: the C library's blocks are its own, those of the reserve belong to one owner at a time, are as large and aligned as was asked
// for, and go back to where they came from.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: by the caller.
        let memory = unsafe { System.alloc(layout) };
        if memory.is_null() { RESERVE.take(layout) } else { memory }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: by the caller.
        let mut memory = unsafe { System.alloc_zeroed(layout) };
        if memory.is_null() {
            memory = RESERVE.take(layout);
            if !memory.is_null() {
                // SAFETY: the block is this call's, and as large.
                unsafe { memory.write_bytes(0, layout.size()) };
            }
        }
        memory
    }

    #[inline]
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        if RESERVE.has(memory) {
            RESERVE.give_back(memory);
        } else {
            // SAFETY: by the caller; it is not the reserve's, so it is the C library's.
            unsafe { System.dealloc(memory, layout) };
        }
    }

    #[inline]
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !RESERVE.has(memory) {
            // SAFETY: by the caller; it is not the reserve's, so it is the C library's.
            let moved = unsafe { System.realloc(memory, layout, size) };
            if !moved.is_null() {
                return moved;
            }
        }
        let Ok(new_layout) = Layout::from_size_align(size, layout.align()) else { return std::ptr::null_mut() };
        // SAFETY: the new block is another one than the old; both are as large as is copied, which is given up only then.
        unsafe {
            let moved = self.alloc(new_layout);
            if !moved.is_null() {
                moved.copy_from_nonoverlapping(memory, layout.size().min(size));
                self.dealloc(memory, layout);
            }
            moved
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(size: usize, alignment: usize) -> Layout {
        Layout::from_size_align(size, alignment).expect("a layout")
    }

    #[test]
    fn blocks_are_large_and_aligned_enough_and_no_two_the_same() {
        static RESERVE: Reserve = Reserve::new();
        let mut taken = std::collections::BTreeSet::new();
        for asked in
            [layout(1, 1), layout(128, 128), layout(129, 8), layout(1024, 1024), layout(1025, 1), layout(16384, 4096)]
        {
            let block = RESERVE.take(asked);
            assert!(RESERVE.has(block) && block.addr().is_multiple_of(asked.align()));
            // SAFETY: the block is the test's, and as large.
            unsafe { block.write_bytes(0xff, asked.size()) };
            assert!(taken.insert(block));
        }
        assert!(RESERVE.take(layout(16385, 1)).is_null());
        assert!(RESERVE.take(layout(1, 8192)).is_null());
        taken.into_iter().for_each(|block| RESERVE.give_back(block));
        assert_eq!(RESERVE.small.count.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn it_has_an_end_and_begins_anew_with_what_comes_back() {
        static SHELF: Shelf<128, 1> = Shelf::new();
        let blocks: Vec<_> = std::iter::from_fn(|| SHELF.take(layout(100, 4))).collect();
        assert_eq!(blocks.len(), 64);
        assert!(SHELF.is_low());
        assert!(blocks.iter().all(|block| SHELF.give_back(*block)));
        assert!(!SHELF.is_low());
        assert!(!SHELF.give_back(std::ptr::from_ref(&SHELF).cast_mut().wrapping_add(1).cast()));
    }
}
