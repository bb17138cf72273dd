// SPDX-License-Identifier: Apache-2.0
//! Copies between private memory and memory that another process can change.
#![allow(unsafe_code)] // raw copies and an instruction

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

/// Has the processor fetch the cache line at `address` for writing, where it can. Nothing is read or written.
#[inline]
pub fn prefetch_for_write(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the instruction is a hint: it changes nothing and never faults, whatever the address; processors without it ignore it.
    unsafe {
        std::arch::asm!("prefetchw [{}]", in(reg) address, options(nostack, preserves_flags, readonly));
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// Has the processor fetch the cache line at `address`, where it can. Nothing is read or written.
#[inline]
pub fn prefetch(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the instruction is a hint: it changes nothing and never faults, whatever the address.
    unsafe {
        std::arch::asm!("prefetcht0 [{}]", in(reg) address, options(nostack, preserves_flags, readonly));
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above.
    unsafe {
        std::arch::asm!("prfm pldl1keep, [{}]", in(reg) address, options(nostack, preserves_flags, readonly));
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = address;
}
