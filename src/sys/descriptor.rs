// SPDX-License-Identifier: Apache-2.0
//! Duplicates of file descriptors.
#![allow(unsafe_code, reason = "dup and fcntl have no safe form that takes a number a user may have made up")]

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};

use super::process;

/// A duplicate for the library's own use; a program that this process executes does not inherit it.
///
/// # Errors
/// The error of the system call, for instance that no more descriptors may be open.
pub fn duplicate(fd: impl AsFd) -> io::Result<OwnedFd> {
    duplicate_number(fd.as_fd().as_raw_fd())
}

/// The same for a number that may be no open descriptor at all.
///
/// # Errors
/// As [`duplicate`]; `EBADF` where nothing is open under the number.
pub fn duplicate_number(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: the call takes plain numbers, and the kernel checks them.
    own(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) })
}

/// A duplicate to hand to a user, inherited by programs that this process executes.
///
/// # Errors
/// As [`duplicate`].
pub fn duplicate_inheritable(fd: impl AsFd) -> io::Result<OwnedFd> {
    // SAFETY: the call takes a plain number, which is open while `fd` is borrowed.
    own(unsafe { libc::dup(fd.as_fd().as_raw_fd()) })
}

/// How many descriptors this process may have open.
pub fn most_open() -> usize {
    usize::try_from(process::limit(libc::RLIMIT_NOFILE)).unwrap_or(usize::MAX)
}

fn own(result: libc::c_int) -> io::Result<OwnedFd> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just opened this descriptor for us; nobody else knows its number.
    Ok(unsafe { OwnedFd::from_raw_fd(result) })
}
