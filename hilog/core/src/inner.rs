// SPDX-License-Identifier: Apache-2.0
//! Lines that are said where the user's code must not run: under a lock, or on a thread that others wait for. They are written at once;
//! the user's callback is given them later, on a thread where it may do what it likes.
#![allow(unsafe_code)] // A function pointer in an atomic.

use std::ffi::{CStr, CString, c_int};
use std::fmt::Arguments;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::Level;
use crate::attach::{self, Part};

/// A line that is written, and that the user's callback has still to be given.
#[derive(Debug)]
pub struct Written {
    level: c_int,
    text: CString,
}

impl Written {
    pub(crate) fn new(level: Level, text: &CStr) -> Self {
        Self { level: level as c_int, text: text.to_owned() }
    }

    /// Calls the user's callback.
    pub fn tell(self) {
        attach::hand_over(self.level, &self.text, Part::Callback);
    }
}

static CARRIER: AtomicPtr<()> = AtomicPtr::new(null_mut());

/// Has `carrier` take each such line to where the callback may be called. It runs where the line is said, so under the same locks.
pub fn carry_with(carrier: fn(Written)) {
    CARRIER.store(carrier as *mut (), Ordering::Release);
}

/// As [`crate::error`].
pub fn error(message: Arguments<'_>) {
    say(Level::Error, message);
}

/// As [`crate::warn`].
pub fn warn(message: Arguments<'_>) {
    say(Level::Warn, message);
}

/// As [`crate::debug`].
pub fn debug(message: Arguments<'_>) {
    say(Level::Debug, message);
}

/// As [`crate::error_once_a_second`].
pub fn error_once_a_second(message: Arguments<'_>) {
    attach::say_once_a_second(Level::Error, message, say);
}

/// As [`crate::warn_once_a_second`].
pub fn warn_once_a_second(message: Arguments<'_>) {
    attach::say_once_a_second(Level::Warn, message, say);
}

fn say(level: Level, message: Arguments<'_>) {
    if let Some(written) = attach::write(level, message) {
        let carrier = CARRIER.load(Ordering::Acquire);
        if carrier.is_null() {
            return written.tell();
        }
        // SAFETY: only carriers are stored, and they are never unloaded: libraries with a copy of this crate stay.
        let carry: fn(Written) = unsafe { std::mem::transmute(carrier) };
        carry(written);
    }
}
