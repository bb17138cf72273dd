// SPDX-License-Identifier: Apache-2.0
//! The program that a native child process runs: it loads the libraries that its parent names and gives them the process.
//!
//! It has no Rust runtime of its own, which would ignore SIGPIPE and catch stack overflows.
#![no_main]
#![allow(unsafe_code)] // receives, loads and calls

use std::ffi::{CStr, c_char, c_int, c_void};

/// The parent puts its end of the channel there.
const CHANNEL_NUMBER: c_int = 3;

/// Two paths.
const LONGEST_PACKET: usize = 2 * (libc::PATH_MAX as usize + 1);

/// Exit status of a child that could not be brought up; the reason is on standard error.
const FAILURE: c_int = 2;

/// Loads `libipc_capi.so` and `libchild_process.so`, by the paths that come through the channel, and never returns from the latter.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn main(_count: c_int, _arguments: *const *const c_char) -> c_int {
    let mut packet = [0_u8; LONGEST_PACKET];
    // SAFETY: the kernel writes at most the array's length.
    let length = unsafe { libc::recv(CHANNEL_NUMBER, packet.as_mut_ptr().cast(), packet.len(), 0) };
    let packet = &packet[..usize::try_from(length).unwrap_or(0)];
    let mut paths = packet.split_inclusive(|&byte| byte == 0).map(CStr::from_bytes_with_nul);
    let (Some(Ok(ipc_library)), Some(Ok(own_library))) = (paths.next(), paths.next()) else {
        complain(&[
            c"ipckit_native_child: only libchild_process.so can start this program, for a native child process",
        ]);
        return FAILURE;
    };
    let Some(own_library) = load(ipc_library).and_then(|_| load(own_library)) else { return FAILURE };
    // SAFETY: a handle of the loader's and a terminated name.
    let child_main = unsafe { libc::dlsym(own_library, c"ipckit_child_main".as_ptr()) };
    if child_main.is_null() {
        complain(&[c"ipckit_native_child: ", c"libchild_process.so of another version: ipckit_child_main is missing"]);
        return FAILURE;
    }
    // SAFETY: this is the type of the symbol in every libchild_process.so that exports it.
    let child_main =
        unsafe { std::mem::transmute::<*mut c_void, unsafe extern "C-unwind" fn(c_int) -> c_int>(child_main) };
    // SAFETY: the channel is open and the library's from here on.
    unsafe { child_main(CHANNEL_NUMBER) }
}

/// Loads a library for all that come after it, which need not say that they need it. A failure is told on standard error.
fn load(path: &CStr) -> Option<*mut c_void> {
    // SAFETY: a terminated path; the error text is read before the loader is called again.
    unsafe {
        let handle = libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL);
        if handle.is_null() {
            complain(&[c"ipckit_native_child: ", CStr::from_ptr(libc::dlerror())]);
            return None;
        }
        Some(handle)
    }
}

fn complain(texts: &[&CStr]) {
    for text in texts.iter().copied().chain([c"\n"]) {
        let bytes = text.to_bytes();
        // SAFETY: the kernel reads the text during the call.
        unsafe { libc::write(libc::STDERR_FILENO, bytes.as_ptr().cast(), bytes.len()) };
    }
}
