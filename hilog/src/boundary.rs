// SPDX-License-Identifier: Apache-2.0
//! From C's arguments to a message, and on to the callback and the output. A panic of ours never gets into the caller's
//! C; an exception of the user's callback goes through to whoever logged.
#![allow(unsafe_code)] // Reads C strings.

use crate::callback;
use ipckit_log::attach::Part;
use ipckit_log::message::{CORE, Message, MessageText, OWN_DOMAIN, Tag};
use ipckit_log::{filter, no_cancellation};
use std::ffi::{c_char, c_int, c_uint};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// `LogType`: an `int` to us, since a C enum can hold any.
pub type LogType = c_int;
/// `LogLevel`.
pub type LogLevel = c_int;

/// What a call that is filtered out returns.
const FILTERED_OUT: c_int = -1;

/// Logs `text()` unless it is filtered out. `tag` is a pointer and how many bytes of it can be read.
///
/// # Safety
/// `tag` is NULL, or has a NUL or as many bytes.
pub(crate) unsafe fn log(
    kind: LogType,
    level: LogLevel,
    domain: c_uint,
    tag: (*const c_char, usize),
    is_text: bool,
    text: impl FnOnce() -> MessageText,
) -> c_int {
    if !is_text || tag.0.is_null() || !filter::is_loggable(domain, level) {
        return FILTERED_OUT;
    }
    let _no_cancellation = no_cancellation();
    // SAFETY: the caller's.
    let tag = unsafe { bytes(tag.0, tag.1) };
    let message = stop_panic(|| Message { kind, level, domain, tag: Tag::from_bytes(tag), text: text() });
    message.map_or(FILTERED_OUT, |message| deliver(&message))
}

/// Takes a message of the project's other libraries, or the [`Part`] of it.
pub(crate) fn take_own(level: LogLevel, text: impl FnOnce() -> MessageText, part: c_int) -> c_int {
    let Some(message) =
        stop_panic(|| Message { kind: CORE, level, domain: OWN_DOMAIN, tag: Tag::from_bytes(b"IPCKit"), text: text() })
    else {
        return 0;
    };
    if part == Part::Callback as c_int {
        callback::call(&message);
        return 0;
    }
    if part == Part::Line as c_int {
        stop_panic(|| message.print());
        return callback::is_to_be_called().into();
    }
    deliver(&message);
    0
}

/// To the callback first, then to the output; returns the result for the caller.
pub(crate) fn deliver(message: &Message) -> c_int {
    callback::call(message);
    stop_panic(|| message.print()).map_or(FILTERED_OUT, |count| c_int::try_from(count).unwrap_or(c_int::MAX))
}

/// A string of C: up to its NUL, and at most so many bytes.
///
/// # Safety
/// It has a NUL or as many bytes, and is left alone for `'a`.
pub(crate) unsafe fn bytes<'a>(string: *const c_char, most: usize) -> &'a [u8] {
    // SAFETY: the caller's; strnlen reads no further than the NUL or `most` bytes.
    unsafe { std::slice::from_raw_parts(string.cast(), libc::strnlen(string, most)) }
}

/// `None` when there was a panic, about which the panic hook has said what there is to say.
fn stop_panic<T>(body: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(body)).ok()
}
