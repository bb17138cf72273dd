// SPDX-License-Identifier: Apache-2.0
//! What every exported function passes through: a panic of ours never crosses into the caller's C, and a failure becomes a code and a
//! line in the log.

use std::any::Any;
use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::error_code::ErrorCode;
use crate::host::mutation::Mutation;
use crate::object::DeathError;
use crate::parcel::{MAX_TEXT, ReadError, RewindError, TextError, WriteError};
use crate::runtime::identity::NoIdentity;
use crate::runtime::{CallError, StartError};
use crate::sys::order::LibraryCode;
use crate::sys::thread::NoCancellation;

/// Why an exported function does not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("the argument {0} is NULL")]
    Null(&'static str),
    #[error("{name} is {value}, and must be {expected}")]
    Argument { name: &'static str, value: i64, expected: &'static str },
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Rewind(#[from] RewindError),
    #[error("a descriptor has 1 to {MAX_TEXT} bytes, not {0}")]
    DescriptorLength(usize),
    #[error("the descriptor cannot be used: {0}")]
    DescriptorText(TextError),
    #[error("the stub was passed on and has died")]
    StubGone,
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Death(#[from] DeathError),
    #[error("the stub is dead, and its death has been told")]
    RequestAfterNotice,
    #[error("the request code {0:#x} is outside [0x1, 0xffffff]")]
    RequestCode(u32),
    #[error("the stub is one of this very process, whose death nobody could be told")]
    OwnStub,
    #[error(transparent)]
    Identity(#[from] NoIdentity),
    #[error("the allocator returned NULL for {0} bytes")]
    Allocator(i32),
    #[error("out of memory: no {0} bytes")]
    NoMemory(usize),
}

/// Runs the body of an exported function; a panic becomes `on_panic` and a log line that names the function. The thread is not cancelled
/// meanwhile: it could hold what others wait for, and the C library would unwind it through frames that cannot be unwound.
#[inline]
pub(super) fn enter<T>(function: &'static str, on_panic: T, body: impl FnOnce() -> T) -> T {
    let _no_cancellation = (!Mutation::CallsAreCancelled.is_on()).then(NoCancellation::begin);
    enter_plain(function, on_panic, body)
}

/// As [`enter`], for a body that only works on memory: there is no point in it at which a thread is cancelled, and the log has its own care.
#[inline]
pub(super) fn enter_plain<T>(function: &'static str, on_panic: T, body: impl FnOnce() -> T) -> T {
    let _library = LibraryCode::begin();
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        report_panic(function, panic);
        on_panic
    })
}

/// Runs the body of an exported function that returns a code.
#[inline]
pub(super) fn status(function: &'static str, body: impl FnOnce() -> Result<(), Failure>) -> c_int {
    enter(function, ErrorCode::Inner.into(), || match body() {
        Ok(()) => ErrorCode::Success.into(),
        Err(failure) => report(function, &failure).into(),
    })
}

/// As [`status`], for a body as [`enter_plain`] takes it.
#[inline]
pub(super) fn status_plain(function: &'static str, body: impl FnOnce() -> Result<(), Failure>) -> c_int {
    enter_plain(function, ErrorCode::Inner.into(), || match body() {
        Ok(()) => ErrorCode::Success.into(),
        Err(failure) => report(function, &failure).into(),
    })
}

/// Runs the body of an exported function that returns a code of the user's.
#[inline]
pub(super) fn code(function: &'static str, body: impl FnOnce() -> Result<c_int, Failure>) -> c_int {
    enter(function, ErrorCode::Inner.into(), || body().unwrap_or_else(|failure| report(function, &failure).into()))
}

/// Runs the body of an exported function that returns something else; `otherwise` stands for a failure.
#[inline]
pub(super) fn value_or<T: Copy>(function: &'static str, otherwise: T, body: impl FnOnce() -> Result<T, Failure>) -> T {
    enter(function, otherwise, || {
        body().unwrap_or_else(|failure| {
            report(function, &failure);
            otherwise
        })
    })
}

/// As [`value_or`], for a body as [`enter_plain`] takes it.
#[inline]
pub(super) fn value_or_plain<T: Copy>(
    function: &'static str,
    otherwise: T,
    body: impl FnOnce() -> Result<T, Failure>,
) -> T {
    enter_plain(function, otherwise, || {
        body().unwrap_or_else(|failure| {
            report(function, &failure);
            otherwise
        })
    })
}

#[cold]
#[inline(never)]
fn report(function: &str, failure: &Failure) -> ErrorCode {
    let code = ErrorCode::from(failure);
    match code {
        // Reading on until nothing is left is a way to find the end.
        ErrorCode::ParcelRead | ErrorCode::DeadRemoteObject => {
            ipckit_log::warn_once_a_second(format_args!("{function}: {failure}"));
        }
        _ if Mutation::EachRefusalIsTold.is_on() => ipckit_log::error(format_args!("{function}: {failure}")),
        _ => ipckit_log::error_once_a_second(format_args!("{function}: {failure}")),
    }
    code
}

#[cold]
#[inline(never)]
fn report_panic(function: &str, _panic: Box<dyn Any + Send>) {
    ipckit_log::error(format_args!("{function}: internal error; this is a fault of the library, please report it"));
}
