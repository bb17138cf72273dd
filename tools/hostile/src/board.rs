// SPDX-License-Identifier: Apache-2.0
//! What all processes of a run count, in memory that they share.
#![allow(unsafe_code, reason = "memory that processes share")]

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, ensure};

/// Honest processes that may ever be started.
pub const MOST_HONEST: usize = 4096;

/// One honest process. What it has seen itself, but for `noted`.
#[repr(C)]
#[derive(Default)]
pub struct Honest {
    /// What its messages carry, so that nobody else's are counted for it.
    pub key: AtomicU64,
    /// Counts on as long as it is not stuck.
    pub pulse: AtomicU64,
    pub calls: AtomicU64,
    pub sent: AtomicU64,
    /// Messages without an answer that the victim has handled.
    pub noted: AtomicU64,
    pub refused: AtomicU64,
    pub wrong: AtomicU64,
    pub failures: AtomicU64,
    pub slowest_us: AtomicU64,
    pub is_over: AtomicU64,
}

/// Counts.
#[repr(C)]
pub struct Board {
    pub writes: AtomicU64,
    pub messages: AtomicU64,
    pub connections: AtomicU64,
    /// Calls of the victim's own, to attackers.
    pub victim_calls: AtomicU64,
    /// Set when honest processes are to come to an end.
    pub is_over: AtomicU64,
    pub honest: [Honest; MOST_HONEST],
}

impl Board {
    /// A new one, and the descriptor by which other processes map it; they inherit it.
    pub fn create() -> Result<(&'static Self, OwnedFd)> {
        // SAFETY: the name ends with NUL.
        let number = unsafe { libc::memfd_create(c"hostile-board".as_ptr(), 0) };
        ensure!(number >= 0, "no memory file: {}", std::io::Error::last_os_error());
        // SAFETY: the kernel has just opened it for us.
        let file = unsafe { OwnedFd::from_raw_fd(number) };
        // SAFETY: plain numbers.
        let result = unsafe { libc::ftruncate(file.as_raw_fd(), size_of::<Self>() as libc::off_t) };
        ensure!(result == 0, "the memory file gets no size");
        Ok((Self::map(file.as_raw_fd())?, file))
    }

    /// The one behind the descriptor.
    pub fn map(file: RawFd) -> Result<&'static Self> {
        let (len, access) = (size_of::<Self>(), libc::PROT_READ | libc::PROT_WRITE);
        // SAFETY: a new mapping of a file touches nothing that exists.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), len, access, libc::MAP_SHARED, file, 0) };
        ensure!(start != libc::MAP_FAILED, "the board cannot be mapped: {}", std::io::Error::last_os_error());
        // SAFETY: it is as long as a board, aligned to a page, never unmapped, and all atomics, for which zeroes are valid.
        Ok(unsafe { &*start.cast() })
    }

    /// The sum of a count over all honest processes.
    pub fn sum(&self, count: impl Fn(&Honest) -> &AtomicU64) -> u64 {
        self.honest.iter().map(|honest| count(honest).load(Ordering::Relaxed)).sum()
    }
}

/// Adds one.
pub fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
