// SPDX-License-Identifier: Apache-2.0
//! What the functions answer where there is no Node.
#![allow(unsafe_code)] // Reads and writes what C passes.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::process;
use std::ptr;

use ipckit_log::Once;

use crate::node;
use crate::stand_in::NAMES;

/// Values of `napi_status`.
const OK: c_int = 0;
const INVALID_ARG: c_int = 1;
const GENERIC_FAILURE: c_int = 9;

/// A length that stands for "up to the NUL" (`NAPI_AUTO_LENGTH`).
const AUTO_LENGTH: usize = usize::MAX;

const ADVICE: &str =
    "this process is not Node.js. Load the module with node (require or process.dlopen) to use it from a script";

/// The answer of all functions that have no other here; `number` is the place of the function's name.
pub(crate) extern "C-unwind" fn fail(number: usize) -> c_int {
    static SAID: Once = Once::new();
    static SAID_OF_NODE: [Once; NAMES.len()] = [const { Once::new() }; NAMES.len()];
    let name = NAMES[number].to_string_lossy();
    if node::is_here() {
        if SAID_OF_NODE[number].first() {
            ipckit_log::warn(format_args!(
                "{name} returns napi_generic_failure: this Node.js does not have it. Another version may"
            ));
        }
    } else if SAID.first() {
        ipckit_log::warn(format_args!("{name} returns napi_generic_failure, as all of Node-API does here: {ADVICE}"));
    }
    GENERIC_FAILURE
}

/// `napi_module_register`
pub(crate) extern "C-unwind" fn module_register(_module: *mut c_void) {
    static SAID: Once = Once::new();
    if SAID.first() {
        ipckit_log::info(format_args!("napi_module_register: nobody will call what is registered, {ADVICE}"));
    }
}

/// `napi_fatal_error`
///
/// # Safety
/// Each text is NULL, or has as many bytes as its length says, or a NUL where that is [`AUTO_LENGTH`].
pub(crate) unsafe extern "C-unwind" fn fatal_error(
    location: *const c_char,
    location_length: usize,
    message: *const c_char,
    message_length: usize,
) -> ! {
    // SAFETY: the caller's.
    let (location, message) = unsafe { (text(location, location_length), text(message, message_length)) };
    ipckit_log::error(format_args!(
        "napi_fatal_error: the module ends the process, at {}: {}",
        String::from_utf8_lossy(location),
        String::from_utf8_lossy(message)
    ));
    process::abort();
}

/// `napi_extended_error_info`
#[repr(C)]
struct ErrorInfo {
    message: *const c_char,
    reserved: *mut c_void,
    engine_code: c_uint,
    status: c_int,
}

// SAFETY: nobody changes it, nor what it points to.
unsafe impl Sync for ErrorInfo {}

static NO_NODE: ErrorInfo = ErrorInfo {
    message: c"there is no Node.js in this process".as_ptr(),
    reserved: ptr::null_mut(),
    engine_code: 0,
    status: GENERIC_FAILURE,
};

/// `napi_get_last_error_info`. Modules read its result unasked when another function fails, so there has to be one.
///
/// # Safety
/// `result` is NULL or points to a pointer that can be written.
pub(crate) unsafe extern "C-unwind" fn get_last_error_info(_env: *mut c_void, result: *mut *const c_void) -> c_int {
    if result.is_null() {
        return INVALID_ARG;
    }
    // SAFETY: the caller's.
    unsafe { *result = (&raw const NO_NODE).cast() };
    OK
}

/// # Safety
/// As for [`fatal_error`]; the text is left alone for `'a`.
unsafe fn text<'a>(start: *const c_char, length: usize) -> &'a [u8] {
    if start.is_null() {
        return b"?";
    }
    // SAFETY: the caller's.
    unsafe {
        if length == AUTO_LENGTH {
            CStr::from_ptr(start).to_bytes()
        } else {
            std::slice::from_raw_parts(start.cast(), length)
        }
    }
}
