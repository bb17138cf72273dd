// SPDX-License-Identifier: Apache-2.0
//! Buffers of large messages, kept by the thread that let go of them for its next one: the C library's allocator would give so much memory
//! back to the kernel each time, and take it again page by page.
#![allow(unsafe_code)] // asks the loader for a symbol

use std::cell::RefCell;
use std::collections::TryReserveError;

use super::per_process::PerProcess;
use super::per_thread::{self, PerThread};

/// Smaller ones the allocator keeps by itself.
const LARGE: usize = 32 * 1024;

/// As many as one call lets go of: a request and its reply.
const KEPT: usize = 2;

thread_local! {
    static KEPT_BUFFERS: PerThread<RefCell<Vec<Vec<u8>>>> = const { PerThread::new(RefCell::new(Vec::new())) };
}

/// An empty buffer with room for `len` bytes at least.
///
/// # Errors
/// There is no memory.
#[inline]
pub fn take(len: usize) -> Result<Vec<u8>, TryReserveError> {
    if len >= LARGE
        && let Some(buffer) = take_kept(len)
    {
        return Ok(buffer);
    }
    let mut buffer = Vec::new();
    buffer.try_reserve_exact(len)?;
    Ok(buffer)
}

#[cold]
fn take_kept(len: usize) -> Option<Vec<u8>> {
    let take = |kept: &RefCell<Vec<Vec<u8>>>| {
        let mut kept = kept.borrow_mut();
        let place = kept.iter().position(|buffer| buffer.capacity() >= len)?;
        Some(kept.swap_remove(place))
    };
    per_thread::with(&KEPT_BUFFERS, take).flatten()
}

/// Lets go of a buffer.
#[inline]
pub fn give_back(buffer: Vec<u8>) {
    if buffer.capacity() >= LARGE {
        keep(buffer);
    }
}

#[cold]
fn keep(mut buffer: Vec<u8>) {
    if frees_are_watched() {
        return;
    }
    buffer.clear();
    per_thread::with(&KEPT_BUFFERS, |kept| {
        let mut kept = kept.borrow_mut();
        if kept.len() < KEPT {
            kept.push(buffer);
        } else if let Some(smallest) = kept.iter_mut().min_by_key(|buffer| buffer.capacity())
            && smallest.capacity() < buffer.capacity()
        {
            // Those of smaller messages would be in the way of the larger ones' for ever.
            *smallest = buffer;
        }
    });
}

/// Whether a tool watches for uses of memory after its end, which a buffer that is used again would hide from it.
fn frees_are_watched() -> bool {
    static WATCHED: PerProcess<bool> = PerProcess::new();
    WATCHED.find_once(|| {
        // SAFETY: a terminated name; the symbol is only looked for.
        let sanitizer = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"__asan_init".as_ptr()) };
        let valgrind =
            std::env::var_os("LD_PRELOAD").is_some_and(|names| names.to_string_lossy().contains("vgpreload"));
        !sanitizer.is_null() || valgrind
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_large_buffer_is_the_last_one() {
        std::thread::spawn(|| {
            let mut buffer = take(100_000).expect("memory");
            buffer.push(1);
            let place = buffer.as_ptr();
            give_back(buffer);
            let smaller = take(90_000).expect("memory");
            assert_eq!((smaller.as_ptr(), smaller.len()), (place, 0));
            let another = take(90_000).expect("memory");
            assert_ne!(another.as_ptr(), place);
        })
        .join()
        .expect("a thread");
    }

    #[test]
    fn larger_ones_take_the_place_of_smaller_ones() {
        std::thread::spawn(|| {
            (0..KEPT).map(|_| take(LARGE).expect("memory")).collect::<Vec<_>>().into_iter().for_each(give_back);
            let larger = take(2 * LARGE).expect("memory");
            let place = larger.as_ptr();
            give_back(larger);
            let again = take(2 * LARGE).expect("memory");
            assert_eq!(again.as_ptr(), place);
        })
        .join()
        .expect("a thread");
    }

    #[test]
    fn few_are_kept_and_no_small_ones() {
        std::thread::spawn(|| {
            (0..5).map(|_| take(LARGE).expect("memory")).collect::<Vec<_>>().into_iter().for_each(give_back);
            give_back(take(LARGE - 1).expect("memory"));
            assert_eq!(per_thread::with(&KEPT_BUFFERS, |kept| kept.borrow().len()), Some(KEPT));
        })
        .join()
        .expect("a thread");
    }
}
