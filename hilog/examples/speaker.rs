// SPDX-License-Identifier: Apache-2.0
//! A library with a copy of the log in it, as `libipc_capi.so` is; `tests/own_messages.rs` loads it under that name.
#![allow(unsafe_code)] // Exports a function.

/// Says something as the library's own.
#[unsafe(no_mangle)]
pub extern "C" fn ipckit_example_speak() {
    ipckit_log::warn(format_args!("spoken {}", "aloud"));
}
