// SPDX-License-Identifier: Apache-2.0
//! Waiting for descriptors, and a bell that one thread rings for another.
#![allow(unsafe_code)] // system calls

use std::ffi::{c_int, c_short};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

use super::channel::out_of_the_way;

/// What to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interest {
    /// Something to read, or a hang-up.
    Readable,
    /// A hang-up alone.
    HangUp,
}

/// What a descriptor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// Nothing.
    Idle,
    /// What was waited for.
    Ready,
    /// The number names no open descriptor: somebody has closed it.
    Closed,
}

/// Waits until one of the descriptors has what is asked of it or the deadline has passed.
pub(crate) fn wait(waits: &[(BorrowedFd<'_>, Interest)], deadline: Option<Instant>) -> Vec<Readiness> {
    let mut entries: Vec<libc::pollfd> = waits
        .iter()
        .map(|(descriptor, interest)| libc::pollfd {
            fd: descriptor.as_raw_fd(),
            events: if *interest == Interest::Readable { libc::POLLIN } else { 0 },
            revents: 0,
        })
        .collect();
    // SAFETY: the kernel writes within the entries. An interrupted call leaves them without results.
    unsafe { libc::poll(entries.as_mut_ptr(), entries.len() as libc::nfds_t, milliseconds_until(deadline)) };
    entries.iter().map(|entry| readiness(entry.revents)).collect()
}

fn readiness(results: c_short) -> Readiness {
    match results {
        0 => Readiness::Idle,
        results if results & libc::POLLNVAL != 0 => Readiness::Closed,
        _ => Readiness::Ready,
    }
}

/// Rounded up, so that the deadline has passed when the wait is over.
fn milliseconds_until(deadline: Option<Instant>) -> c_int {
    let Some(deadline) = deadline else { return -1 };
    let left = deadline.saturating_duration_since(Instant::now());
    let rounded_up = left + Duration::from_nanos(999_999);
    c_int::try_from(rounded_up.as_millis()).unwrap_or(c_int::MAX)
}

/// Wakes a thread that waits for it with [`wait`].
#[derive(Debug)]
pub(crate) struct Bell(OwnedFd);

impl Bell {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: takes numbers only, and what it returns is a descriptor of our own.
        unsafe {
            match libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) {
                -1 => Err(io::Error::last_os_error()),
                number => Ok(Self(out_of_the_way(OwnedFd::from_raw_fd(number))?)),
            }
        }
    }

    /// Rings. The bell stays ringing until it is silenced.
    pub(crate) fn ring(&self) {
        let one = 1_u64.to_ne_bytes();
        // SAFETY: the kernel reads eight bytes. Refused only when it is ringing already.
        unsafe { libc::write(self.0.as_raw_fd(), one.as_ptr().cast(), one.len()) };
    }

    pub(crate) fn silence(&self) {
        let mut count = [0; 8];
        // SAFETY: the kernel writes eight bytes. Refused only when it does not ring.
        unsafe { libc::read(self.0.as_raw_fd(), count.as_mut_ptr().cast(), count.len()) };
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        use std::os::fd::AsFd;
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn a_ring_ends_a_wait_and_lasts_until_silenced() {
        let bell = Bell::new().unwrap();
        let far_off = Some(Instant::now() + Duration::from_secs(60));
        thread::scope(|scope| {
            scope.spawn(|| bell.ring());
            assert_eq!(wait(&[(bell.descriptor(), Interest::Readable)], far_off), [Readiness::Ready]);
        });
        bell.ring();
        bell.silence();
        assert_eq!(wait(&[(bell.descriptor(), Interest::Readable)], Some(Instant::now())), [Readiness::Idle]);
    }

    #[test]
    fn when_a_wait_is_over_the_deadline_has_passed() {
        let deadline = Instant::now() + Duration::from_micros(1500);
        wait(&[], Some(deadline));
        assert!(Instant::now() >= deadline);
    }
}
