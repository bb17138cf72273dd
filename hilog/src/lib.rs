// SPDX-License-Identifier: Apache-2.0
//! `libhilog_ndk.z.so`: the functions of `include/hilog/log.h`, where they are documented, and nothing else. What they do
//! is in the crate `ipckit-log`.
#![allow(unsafe_code)] // Exports functions for C, and reads the strings it passes.
#![allow(non_snake_case)] // The exported names are OpenHarmony's.
#![allow(private_interfaces)] // Of a library for C, only the symbols are public.

mod boundary;
mod callback;
mod variadic;

use boundary::{LogLevel, LogType, bytes};
use callback::LogCallback;
use ipckit_log::attach::attach_loaded_copies;
use ipckit_log::filter::{self, LEVELS, Preference};
use ipckit_log::message::MessageText;
use ipckit_log::{keep_errno, warn};
use std::ffi::{c_char, c_int, c_uint};

pub use variadic::{OH_LOG_Print, OH_LOG_VPrint};

/// `PreferStrategy`: an `int` to us, since a C enum can hold any.
type PreferStrategy = c_int;
const PREFER_CLOSE_LOG: PreferStrategy = 1;

/// `OH_LOG_PrintMsg` of `hilog/log.h`.
///
/// # Safety
/// `tag` and `message` are strings or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn OH_LOG_PrintMsg(
    r#type: LogType,
    level: LogLevel,
    domain: c_uint,
    tag: *const c_char,
    message: *const c_char,
) -> c_int {
    // SAFETY: the caller's: a string has a NUL before its length matters.
    unsafe { OH_LOG_PrintMsgByLen(r#type, level, domain, tag, usize::MAX, message, usize::MAX) }
}

/// `OH_LOG_PrintMsgByLen` of `hilog/log.h`.
///
/// # Safety
/// `tag` and `message` are NULL, or have a NUL or as many bytes as their lengths say.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn OH_LOG_PrintMsgByLen(
    r#type: LogType,
    level: LogLevel,
    domain: c_uint,
    tag: *const c_char,
    tagLen: usize,
    message: *const c_char,
    messageLen: usize,
) -> c_int {
    let _errno = keep_errno();
    // SAFETY: the caller's.
    let text = || MessageText::from_bytes(unsafe { bytes(message, messageLen) });
    // SAFETY: the caller's.
    unsafe { boundary::log(r#type, level, domain, (tag, tagLen), !message.is_null(), text) }
}

/// `OH_LOG_IsLoggable` of `hilog/log.h`.
#[unsafe(no_mangle)]
pub extern "C" fn OH_LOG_IsLoggable(domain: c_uint, tag: *const c_char, level: LogLevel) -> bool {
    let _errno = keep_errno();
    !tag.is_null() && filter::is_loggable(domain, level)
}

/// `OH_LOG_SetCallback` of `hilog/log.h`.
#[unsafe(no_mangle)]
pub extern "C" fn OH_LOG_SetCallback(callback: LogCallback) {
    callback::set(callback);
}

/// `OH_LOG_SetMinLogLevel` of `hilog/log.h`.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn OH_LOG_SetMinLogLevel(level: LogLevel) {
    OH_LOG_SetLogLevel(level, PREFER_CLOSE_LOG);
}

/// `OH_LOG_SetLogLevel` of `hilog/log.h`.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn OH_LOG_SetLogLevel(level: LogLevel, prefer: PreferStrategy) {
    let preference = match prefer {
        0 => Preference::Unset,
        PREFER_CLOSE_LOG => Preference::Close,
        2 => Preference::Open,
        _ => {
            return warn(format_args!("OH_LOG_SetLogLevel: {prefer} is no PreferStrategy; the level stays as it is"));
        }
    };
    if preference != Preference::Unset && !LEVELS.contains(&level) {
        return warn(format_args!(
            "OH_LOG_SetLogLevel: {level} is no level (LOG_DEBUG is 3, LOG_FATAL is 7); the level stays as it is"
        ));
    }
    filter::set_level(preference, level);
}

/// Takes the messages of the project's other libraries, for the callback and for one place to write them.
///
/// # Safety
/// `text` is a string.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn ipckit_log_message(level: c_int, text: *const c_char, part: c_int) -> c_int {
    let _errno = keep_errno();
    // SAFETY: the caller's.
    let message = || MessageText::from_bytes(unsafe { bytes(text, usize::MAX) });
    boundary::take_own(level, message, part)
}

#[used]
// SAFETY: the section holds functions that take nothing that is needed here, and the loader calls them once.
#[unsafe(link_section = ".init_array")]
static AT_LOAD: extern "C" fn() = at_load;

extern "C" fn at_load() {
    // SAFETY: this library is linked with -z nodelete.
    unsafe { attach_loaded_copies(ipckit_log_message) };
}
