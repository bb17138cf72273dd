// SPDX-License-Identifier: Apache-2.0
//! Calls into the user's code. What it throws must not run through ours: the process ends there, and the log says why.
#![allow(unsafe_code, reason = "a callback is a C function pointer, and what it fills is the user's memory")]

use std::ffi::{c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::abort;
use std::ptr::NonNull;

use super::boundary::Failure;
use crate::host::mutation::Mutation;
use crate::sys::order::UsersCode;

/// `OH_IPC_MemAllocator`: gives `len` bytes of the user's memory, or NULL.
#[allow(non_camel_case_types, reason = "the name in the header")]
pub type OH_IPC_MemAllocator = Option<unsafe extern "C-unwind" fn(len: i32) -> *mut c_void>;

/// Runs a callback of the user, which `what` names. An exception or any other unwinding out of it ends the process.
pub(super) fn run<T>(what: &'static str, callback: impl FnOnce() -> T) -> T {
    // The catch gives every kind of unwinding a place to stop, and so the guard its turn on the way there.
    catch_unwind(AssertUnwindSafe(|| {
        let guard = EndsProcess { what };
        let users = UsersCode::begin();
        let result = callback();
        drop(users);
        std::mem::forget(guard);
        result
    }))
    .unwrap_or_else(|_| abort())
}

struct EndsProcess {
    what: &'static str,
}

impl Drop for EndsProcess {
    fn drop(&mut self) {
        while Mutation::ThrowersHang.is_on() {
            std::thread::park();
        }
        ipckit_log::error(format_args!(
            "the {} was left by an exception, a panic or a thread exit; callbacks must return, so the process ends here",
            self.what
        ));
        abort();
    }
}

/// Copies `text` with a NUL into memory of the user's allocator; `text_out` and `len_out` receive it and its size. Where the allocator gives
/// none, `text_out` becomes NULL and `len_out` stays.
///
/// # Safety
/// The out pointers can be written to, and the allocator returns NULL or as many bytes as it was asked for. No reference to what the
/// allocator may use, for instance the parcel, is in use.
pub(super) unsafe fn give_text(
    text: &str,
    text_out: NonNull<*mut c_char>,
    len_out: NonNull<i32>,
    allocator: unsafe extern "C-unwind" fn(i32) -> *mut c_void,
) -> Result<(), Failure> {
    let len = i32::try_from(text.len() + 1).map_err(|_| Failure::NoMemory(text.len()))?;
    // SAFETY: the caller vouches for the allocator.
    let memory = run("memory allocator", || unsafe { allocator(len) }).cast::<c_char>();
    // SAFETY: the caller vouches for the out pointers, and for the size of what the allocator gives.
    unsafe {
        text_out.write_unaligned(memory);
        let memory = NonNull::new(memory).ok_or(Failure::Allocator(len))?;
        memory.copy_from_nonoverlapping(NonNull::from(text.as_bytes()).cast(), text.len());
        memory.add(text.len()).write(0);
        len_out.write_unaligned(if Mutation::LengthsLackTheNul.is_on() { len - 1 } else { len });
    }
    Ok(())
}
