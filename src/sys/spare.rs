// SPDX-License-Identifier: Apache-2.0
//! Large blocks of memory that are kept for the next who wants one. The C library gives such blocks back to the system as soon as they are
//! free, and each page of the next one is then had anew from the system: for a call with much data that costs several times its copies.
#![allow(unsafe_code)] // an allocator

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::CStr;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU8, Ordering};

/// Blocks of more bytes than this are kept.
const MORE_THAN: usize = 64 * 1024;

/// All kept blocks have so many bytes, whatever was asked for.
const BYTES: usize = 256 * 1024;

/// A request and its reply, on either side of a process that passes calls on.
const MOST_KEPT: usize = 4;

/// Where something watches the memory, each use of a block is to be one of its own.
const WATCHED: u8 = 1;
const UNWATCHED: u8 = 2;

static WATCH: AtomicU8 = AtomicU8::new(0);

#[cold]
fn find_watch() -> u8 {
    let has = |name: &CStr| {
        // SAFETY: a terminated name.
        !unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }.is_null()
    };
    let sanitized = [c"__asan_init", c"__tsan_init", c"__msan_init", c"__hwasan_init"].into_iter().any(has);
    // What was not found must not come out as an error of the user's next question.
    // SAFETY: takes nothing; the text is not used.
    unsafe { libc::dlerror() };
    // SAFETY: a terminated name; who changes the environment on other threads meanwhile is at fault by the C library's rules.
    let preloaded = unsafe { libc::getenv(c"LD_PRELOAD".as_ptr()) };
    // SAFETY: a terminated text of the environment, as above.
    let under_valgrind = !preloaded.is_null()
        && unsafe { CStr::from_ptr(preloaded) }.to_bytes().windows(9).any(|part| part == b"vgpreload");
    let watch = if sanitized || under_valgrind { WATCHED } else { UNWATCHED };
    WATCH.store(watch, Ordering::Relaxed);
    watch
}

/// Whether blocks for this are kept. It stays so for as long as the process lives.
#[inline]
pub(super) fn keeps(layout: Layout) -> bool {
    layout.size() > MORE_THAN && layout.size() <= BYTES && layout.align() <= 16 && is_unwatched()
}

fn is_unwatched() -> bool {
    let watch = match WATCH.load(Ordering::Relaxed) {
        0 => find_watch(),
        known => known,
    };
    watch == UNWATCHED
}

#[repr(C, align(16))]
struct Whole([u8; BYTES]);

const WHOLE: Layout = Layout::new::<Whole>();

struct Kept([AtomicPtr<u8>; MOST_KEPT]);

static KEPT: Kept = Kept::new();

impl Kept {
    const fn new() -> Self {
        Self([const { AtomicPtr::new(ptr::null_mut()) }; MOST_KEPT])
    }

    fn take(&self) -> *mut u8 {
        let kept =
            self.0.iter().map(|place| place.swap(ptr::null_mut(), Ordering::Acquire)).find(|kept| !kept.is_null());
        // SAFETY: the size is not 0.
        kept.unwrap_or_else(|| unsafe { System.alloc(WHOLE) })
    }

    /// # Safety
    /// As [`give_back`].
    unsafe fn give_back(&self, block: *mut u8) {
        for place in &self.0 {
            if place.compare_exchange(ptr::null_mut(), block, Ordering::Release, Ordering::Relaxed).is_ok() {
                return;
            }
        }
        // SAFETY: by the caller.
        unsafe { System.dealloc(block, WHOLE) };
    }
}

/// A block of [`BYTES`], kept or new; null where there is none.
pub(super) fn take() -> *mut u8 {
    KEPT.take()
}

/// Keeps a block, or gives it up where enough are kept.
///
/// # Safety
/// It comes from [`take`], and nobody uses it any more.
pub(super) unsafe fn give_back(block: *mut u8) {
    // SAFETY: by the caller.
    unsafe { KEPT.give_back(block) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_come_again_and_no_two_are_the_same() {
        static KEPT: Kept = Kept::new();
        let layout = |size| Layout::from_size_align(size, 1).expect("a layout");
        assert!(!keeps(layout(MORE_THAN)) && !keeps(layout(BYTES + 1)));
        let blocks: Vec<_> = (0..2 * MOST_KEPT).map(|_| KEPT.take()).collect();
        let mut apart = blocks.clone();
        apart.sort();
        apart.dedup();
        assert_eq!(apart.len(), 2 * MOST_KEPT);
        let kept = blocks[..MOST_KEPT].to_vec();
        // SAFETY: they come from there, and nobody else has them.
        blocks.into_iter().for_each(|block| unsafe { KEPT.give_back(block) });
        let again: Vec<_> = (0..MOST_KEPT).map(|_| KEPT.take()).collect();
        assert_eq!(again, kept);
        // SAFETY: as above; not to keep them, that would be leaked.
        again.into_iter().for_each(|block| unsafe { System.dealloc(block, WHOLE) });
    }
}
