// SPDX-License-Identifier: Apache-2.0
//! Descriptors that stay this library's own only as long as the program closes nothing that it has not opened. Programs do close all
//! numbers that they do not know, and get those numbers again for files of theirs.
#![allow(unsafe_code)] // system calls

use std::ffi::c_int;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// A descriptor and what it named when it was made. Where its number names something else by now, nothing is done to that.
#[derive(Debug)]
pub(super) struct OwnDescriptor {
    descriptor: ManuallyDrop<OwnedFd>,
    identity: Option<Identity>,
}

/// Tells files from each other, and sockets and pipes too. What the kernel has no files for (older ones: processes) is all alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: libc::dev_t,
    file: libc::ino_t,
}

impl OwnDescriptor {
    pub(super) fn new(descriptor: OwnedFd) -> Self {
        let identity = identity(descriptor.as_raw_fd());
        Self { descriptor: ManuallyDrop::new(descriptor), identity }
    }

    /// Whether the number still names what it did.
    pub(super) fn is_ours(&self) -> bool {
        self.identity.is_some() && identity(self.descriptor.as_raw_fd()) == self.identity
    }

    /// The number, where it is still ours; otherwise one that no descriptor has.
    pub(super) fn number(&self) -> c_int {
        if self.is_ours() { self.descriptor.as_raw_fd() } else { -1 }
    }
}

impl AsFd for OwnDescriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl Drop for OwnDescriptor {
    fn drop(&mut self) {
        if self.is_ours() {
            // SAFETY: dropped once, here.
            unsafe { ManuallyDrop::drop(&mut self.descriptor) };
        }
    }
}

fn identity(number: c_int) -> Option<Identity> {
    let mut status = MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: the kernel fills in the structure; all zero it is one too.
    unsafe {
        (libc::fstat(number, status.as_mut_ptr()) == 0).then(|| {
            let status = status.assume_init_ref();
            Identity { device: status.st_dev, file: status.st_ino }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::os::fd::{FromRawFd, IntoRawFd};

    #[test]
    fn a_number_that_names_another_file_is_left_alone() {
        let own = OwnDescriptor::new(File::open("/dev/null").unwrap().into());
        let number = own.as_fd().as_raw_fd();
        assert!(own.is_ours());
        assert_eq!(own.number(), number);
        let other = File::open("/dev/zero").unwrap();
        // SAFETY: takes numbers only; the number goes on to `own`, which is not to close it.
        assert_eq!(unsafe { libc::dup2(other.as_raw_fd(), number) }, number);
        assert!(!own.is_ours());
        assert_eq!(own.number(), -1);
        drop(own);
        // SAFETY: the duplicate that nobody else owns.
        let duplicate = unsafe { OwnedFd::from_raw_fd(number) };
        assert!(identity(number).is_some());
        assert_eq!(duplicate.into_raw_fd(), number);
        // SAFETY: as above.
        unsafe { libc::close(number) };
    }
}
