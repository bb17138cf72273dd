// SPDX-License-Identifier: Apache-2.0
//! A timer that is waited for like a socket, and set by any thread without waking the one that waits.
#![allow(unsafe_code)] // system calls

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

use super::fork::ParentOnlyFd;

/// A timer of the monotonic clock, readable once its time has come.
#[derive(Debug)]
pub struct Timer(ParentOnlyFd);

impl Timer {
    /// One that is not set.
    ///
    /// # Errors
    /// That no more descriptors may be open.
    pub fn new() -> io::Result<Self> {
        // SAFETY: the call takes no pointer.
        let fd = unsafe { libc::timerfd_create(libc::CLOCK_MONOTONIC, libc::TFD_CLOEXEC | libc::TFD_NONBLOCK) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel has just handed this descriptor to us alone.
        Ok(Self(ParentOnlyFd::new(unsafe { OwnedFd::from_raw_fd(fd) })))
    }

    /// The descriptor to wait for.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.0.fd()
    }

    /// Has the timer become ready after `time`, whatever it was set to before. It stays ready until it is set anew.
    pub fn set(&self, time: Duration) {
        // A time of 0 would unset it.
        let time = time.max(Duration::from_nanos(1));
        let setting =
            libc::itimerspec { it_interval: libc::timespec { tv_sec: 0, tv_nsec: 0 }, it_value: timespec(time) };
        self.apply(&setting);
    }

    /// It has been noticed that the timer is ready: it is so no longer.
    pub fn unset(&self) {
        let never = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        self.apply(&libc::itimerspec { it_interval: never, it_value: never });
    }

    fn apply(&self, setting: &libc::itimerspec) {
        // SAFETY: the setting outlives the call; the old one is not asked for. A valid time on a timer of ours is not refused.
        unsafe { libc::timerfd_settime(self.0.fd().as_raw_fd(), 0, setting, std::ptr::null_mut()) };
    }
}

fn timespec(time: Duration) -> libc::timespec {
    libc::timespec {
        tv_sec: libc::time_t::try_from(time.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: time.subsec_nanos().into(),
    }
}
