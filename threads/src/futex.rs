// SPDX-License-Identifier: Apache-2.0
//! Futexes that work across processes.
#![allow(unsafe_code)] // system calls

use std::io;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// Words that one [`wait_any`] takes.
pub const WAIT_ANY_MOST: usize = 128;

fn timespec(duration: Duration) -> libc::timespec {
    libc::timespec { tv_sec: duration.as_secs() as libc::time_t, tv_nsec: duration.subsec_nanos() as libc::c_long }
}

/// Sleeps while `word` holds `expected`, at most `timeout`. Returns early for a signal or for no reason: the caller looks again.
pub fn wait(word: &AtomicU32, expected: u32, timeout: Option<Duration>) {
    let timeout = timeout.map(timespec);
    // SAFETY: the word outlives the call by the borrow, the timespec by the local.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAIT,
            expected,
            timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref),
        );
    }
}

/// Wakes at most `count` of those who sleep on `word`, in any process.
pub fn wake(word: &AtomicU32, count: i32) {
    // SAFETY: the word outlives the call by the borrow.
    unsafe {
        libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, count);
    }
}

/// A word and the value it is expected to hold, for [`wait_any`].
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Expected {
    value: u64,
    address: u64,
    flags: u32,
    reserved: u32,
}

impl Expected {
    const FUTEX_32_BITS: u32 = 2;

    /// Expects `value` in `word`. The word must stay mapped while it is waited for; where it does not, the wait fails.
    pub fn new(word: &AtomicU32, value: u32) -> Self {
        Self { value: value.into(), address: word.as_ptr() as u64, flags: Self::FUTEX_32_BITS, reserved: 0 }
    }
}

/// Sleeps while all words hold what is expected of them (at most [`WAIT_ANY_MOST`]). `Ok` means: look again.
///
/// # Errors
/// Such a wait is not to be had: `ENOSYS` before Linux 5.16, `EPERM` or the like in a sandbox, `EINVAL` or `EFAULT` for words that are none.
pub fn wait_any(words: &[Expected]) -> io::Result<()> {
    // SAFETY: the slice outlives the call; the kernel checks the addresses in it and fails for those that are not mapped.
    let result = unsafe {
        libc::syscall(
            libc::SYS_futex_waitv,
            words.as_ptr(),
            words.len(),
            0,
            std::ptr::null::<libc::timespec>(),
            libc::CLOCK_MONOTONIC,
        )
    };
    if result < 0 {
        let error = io::Error::last_os_error();
        if !matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EINTR | libc::ETIMEDOUT)) {
            return Err(error);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_has_changed_means_to_look_again_and_one_that_is_none_is_an_error() {
        let word = AtomicU32::new(1);
        let changed = wait_any(&[Expected::new(&word, 0)]);
        let refused = changed.as_ref().err().and_then(io::Error::raw_os_error);
        assert!(matches!(refused, None | Some(libc::ENOSYS | libc::EPERM)), "{changed:?}");
        let none = Expected { flags: 0, ..Expected::new(&word, 1) };
        wait_any(&[none]).expect_err("no word of 32 bits");
    }
}
