// SPDX-License-Identifier: Apache-2.0
//! The private symbol that the launcher calls.
#![allow(unsafe_code)] // exports a C symbol and takes over a descriptor

use std::ffi::c_int;
use std::os::fd::{FromRawFd, OwnedFd};

use crate::child;
use crate::sys::channel::Channel;
use crate::sys::process;

/// Runs a native child process whose end of the channel is the given descriptor, and exits.
///
/// Lets C++ exceptions of the user's library pass, so that they end in the C++ runtime's own words.
///
/// # Safety
/// The descriptor is open and the callee's from here on. Called once, on the main thread.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ipckit_child_main(channel: c_int) -> c_int {
    // SAFETY: the caller gives it away.
    let channel = Channel::from_descriptor(unsafe { OwnedFd::from_raw_fd(channel) });
    process::exit(child::run(channel))
}
