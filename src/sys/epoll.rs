// SPDX-License-Identifier: Apache-2.0
//! Waiting for many descriptors, and a descriptor that wakes such a wait.
#![allow(unsafe_code)] // system calls

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

use super::fork::ParentOnlyFd;

/// What a descriptor is ready for.
#[derive(Debug, Clone, Copy)]
pub struct Ready {
    /// The number given with the descriptor.
    pub key: u64,
    /// It can be written to again.
    pub writable: bool,
}

/// A set of descriptors to wait for.
#[derive(Debug)]
pub struct Epoll(ParentOnlyFd);

impl Epoll {
    /// An empty set.
    pub fn new() -> io::Result<Self> {
        // SAFETY: the call takes no pointer.
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel has just handed this descriptor to us alone.
        Ok(Self(ParentOnlyFd::new(unsafe { OwnedFd::from_raw_fd(fd) })))
    }

    fn control(&self, operation: i32, fd: BorrowedFd<'_>, key: u64, writable: bool) -> io::Result<()> {
        let events = (libc::EPOLLIN | libc::EPOLLRDHUP | if writable { libc::EPOLLOUT } else { 0 }) as u32;
        let mut event = libc::epoll_event { events, u64: key };
        // SAFETY: the event is a local that outlives the call.
        if unsafe { libc::epoll_ctl(self.0.fd().as_raw_fd(), operation, fd.as_raw_fd(), &mut event) } < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }

    /// Waits for `fd` to become readable too, and says so with `key`.
    pub fn add(&self, fd: BorrowedFd<'_>, key: u64) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, fd, key, false)
    }

    /// Whether to wait for `fd` to become writable as well.
    pub fn want_writable(&self, fd: BorrowedFd<'_>, key: u64, wanted: bool) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_MOD, fd, key, wanted)
    }

    /// Waits for `fd` no longer.
    pub fn remove(&self, fd: BorrowedFd<'_>) {
        let _ = self.control(libc::EPOLL_CTL_DEL, fd, 0, false);
    }

    /// Sleeps until something is ready, at most `timeout` (in whole milliseconds).
    pub fn wait(&self, timeout: Option<Duration>) -> Vec<Ready> {
        const MOST: usize = 64;
        let timeout = timeout.map_or(-1, |timeout| i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX));
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; MOST];
        // SAFETY: the array is a local of MOST entries that outlives the call.
        let count = unsafe { libc::epoll_wait(self.0.fd().as_raw_fd(), events.as_mut_ptr(), MOST as i32, timeout) };
        let count = usize::try_from(count).unwrap_or(0);
        events[..count]
            .iter()
            .map(|event| Ready { key: event.u64, writable: event.events & libc::EPOLLOUT as u32 != 0 })
            .collect()
    }
}
