// SPDX-License-Identifier: Apache-2.0
//! Copies between private memory and memory that another process can change.
#![allow(unsafe_code)] // raw copies

/// Copies `len` bytes with the C library's `memcpy`: the compiler cannot look through it, so that it neither reads a byte
/// twice nor assumes that it stays what it was, and it is as fast as a copy gets.
///
/// # Safety
/// `from` is readable and `to` writable for `len` bytes, and they do not overlap, until the call returns. Another process
/// may change the bytes at `from` meanwhile: what arrives is then any mixture.
pub unsafe fn copy(to: *mut u8, from: *const u8, len: usize) {
    // SAFETY: by the caller.
    unsafe {
        libc::memcpy(to.cast(), from.cast(), len);
    }
}
