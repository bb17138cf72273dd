// SPDX-License-Identifier: Apache-2.0
//! The user's callback.
#![allow(unsafe_code)] // Calls a function of the user's.

use crate::boundary::{LogLevel, LogType};
use ipckit_log::Message;
use std::ffi::{c_char, c_uint};
use std::sync::atomic::{AtomicPtr, Ordering};

/// `LogCallback`. It can be C++ that throws.
pub type LogCallback = Option<
    unsafe extern "C-unwind" fn(
        kind: LogType,
        level: LogLevel,
        domain: c_uint,
        tag: *const c_char,
        message: *const c_char,
    ),
>;

static CALLBACK: AtomicPtr<()> = AtomicPtr::new(std::ptr::null_mut());

pub(crate) fn set(callback: LogCallback) {
    let pointer = callback.map_or(std::ptr::null_mut(), |callback| callback as *mut ());
    ipckit_order::hand_over(&CALLBACK);
    CALLBACK.store(pointer, Ordering::Release);
}

/// Whether a callback is set that this thread is not in.
pub(crate) fn is_to_be_called() -> bool {
    // SAFETY: points to data of this thread's, which nothing else uses.
    !CALLBACK.load(Ordering::Acquire).is_null() && unsafe { !*ipckit_in_callback() }
}

/// Gives the message to the callback, unless it is the callback itself that logs it.
pub(crate) fn call(message: &Message) {
    // SAFETY: LogCallback has the layout of a pointer that can be NULL, and only one is ever stored.
    let callback: LogCallback = unsafe { std::mem::transmute(CALLBACK.load(Ordering::Acquire)) };
    let Some(callback) = callback else { return };
    ipckit_order::take_over(&CALLBACK);
    let Some(_inside) = Inside::enter() else { return };
    let (tag, text) = (message.tag.as_c_str(), message.text.as_c_str());
    // SAFETY: whoever set the callback says that it takes these arguments, and keeps it loaded.
    unsafe { callback(message.kind, message.level, message.domain, tag.as_ptr(), text.as_ptr()) };
}

unsafe extern "C" {
    fn ipckit_in_callback() -> *mut bool;
}

/// This thread is in the callback.
struct Inside;

impl Inside {
    /// `None` when it is already.
    fn enter() -> Option<Self> {
        // SAFETY: points to data of this thread's, which nothing else uses.
        let was_in = unsafe { std::ptr::replace(ipckit_in_callback(), true) };
        if was_in { None } else { Some(Self) }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe { *ipckit_in_callback() = false };
    }
}
