// SPDX-License-Identifier: Apache-2.0
//! `native_child_process.h`.
#![allow(unsafe_code)] // reads the caller's pointers and calls the caller's callback

use std::arch::naked_asm;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};

use crate::child;
use crate::launch::{self, Failure, Refusal};
use crate::sys::ipc::RemoteProxy;
use crate::sys::process::NotCancellable;

/// What the functions return and callbacks are told. The values are those of `Ability_NativeChildProcess_ErrCode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
enum ErrorCode {
    NoError = 0,
    InvalidParam = 401,
    Internal = 16_000_050,
    Timeout = 16_010_002,
    AlreadyInChild = 16_010_005,
    MaxChildProcessesReached = 16_010_006,
    LibLoadingFailed = 16_010_007,
    ConnectionFailed = 16_010_008,
}

impl From<Refusal> for ErrorCode {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::TooMany => Self::MaxChildProcessesReached,
            Refusal::Internal => Self::Internal,
        }
    }
}

impl From<Failure> for ErrorCode {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Internal => Self::Internal,
            Failure::Loading => Self::LibLoadingFailed,
            Failure::Connection => Self::ConnectionFailed,
            Failure::Timeout => Self::Timeout,
        }
    }
}

/// `OH_Ability_OnNativeChildProcessStarted`.
type OnStarted = unsafe extern "C-unwind" fn(code: c_int, proxy: *mut RemoteProxy);

/// Starts a child process and connects to it; `native_child_process.h` has the whole contract.
///
/// Libraries are looked for beside the calling module, which the return address tells: so this only adds it as a third argument.
///
/// # Safety
/// `lib_name` is NULL or a C string; `on_started` is NULL or a function of its type that may be called until the outcome has
/// been told.
#[unsafe(no_mangle)]
#[unsafe(naked)]
#[allow(non_snake_case)]
pub unsafe extern "C" fn OH_Ability_CreateNativeChildProcess(
    lib_name: *const c_char,
    on_started: Option<OnStarted>,
) -> c_int {
    #[cfg(target_arch = "x86_64")]
    naked_asm!("mov rdx, [rsp]", "jmp {create}", create = sym create);
    #[cfg(target_arch = "aarch64")]
    naked_asm!("mov x2, x30", "b {create}", create = sym create);
}

unsafe extern "C" fn create(lib_name: *const c_char, on_started: Option<OnStarted>, caller: *const c_void) -> c_int {
    enter("OH_Ability_CreateNativeChildProcess", || {
        let (Some(on_started), false) = (on_started, lib_name.is_null()) else { return ErrorCode::InvalidParam };
        // SAFETY: the caller's text, which stays as it is during the call.
        let library = unsafe { CStr::from_ptr(lib_name) };
        if library.is_empty() || library.to_bytes().windows(3).any(|part| part == b"../") {
            return ErrorCode::InvalidParam;
        }
        if child::is_child() {
            return ErrorCode::AlreadyInChild;
        }
        let tell = move |outcome: Result<NonNull<RemoteProxy>, Failure>| {
            let (code, proxy) = match outcome {
                Ok(proxy) => (ErrorCode::NoError, proxy.as_ptr()),
                Err(failure) => (failure.into(), ptr::null_mut()),
            };
            // SAFETY: the caller of Create has promised that it may be called. The callee owns the proxy.
            unsafe { on_started(code as c_int, proxy) };
        };
        launch::create(library, caller, Box::new(tell)).map_or_else(ErrorCode::from, |()| ErrorCode::NoError)
    }) as c_int
}

/// Runs the body of an exported function: no cancellation in it, and no panic out of it.
fn enter(function: &str, body: impl FnOnce() -> ErrorCode) -> ErrorCode {
    let _not_cancellable = NotCancellable::new();
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| {
        ipckit_log::error(format_args!("{function}: internal error; this is a fault of the library, please report it"));
        ErrorCode::Internal
    })
}
