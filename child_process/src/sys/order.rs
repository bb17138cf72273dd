// SPDX-License-Identifier: Apache-2.0
//! Tells a thread sanitizer, where one is loaded, that what one thread did happens before what another does.
#![allow(unsafe_code)] // calls what the dynamic loader finds

use std::ffi::{CStr, c_void};
use std::mem;
use std::ptr;
use std::sync::OnceLock;

type Announce = unsafe extern "C" fn(*mut c_void);

/// All that the calling thread has done happens before what a thread does that takes the same thing over.
pub(crate) fn hand_over<T>(thing: &T) {
    hand_over_at(ptr::from_ref(thing).cast());
}

/// All that was done before the thing was handed over has happened.
pub(crate) fn take_over<T>(thing: &T) {
    take_over_at(ptr::from_ref(thing).cast());
}

/// As [`hand_over`], for what the address stands for.
pub(super) fn hand_over_at(address: *const c_void) {
    static RELEASE: OnceLock<Option<Announce>> = OnceLock::new();
    announce(&RELEASE, c"__tsan_release", address);
}

/// As [`take_over`], for what the address stands for.
pub(super) fn take_over_at(address: *const c_void) {
    static ACQUIRE: OnceLock<Option<Announce>> = OnceLock::new();
    announce(&ACQUIRE, c"__tsan_acquire", address);
}

fn announce(function: &OnceLock<Option<Announce>>, name: &CStr, address: *const c_void) {
    let function = function.get_or_init(|| {
        // SAFETY: a terminated name. Only the sanitizer defines it, as a function of this type.
        unsafe {
            let found = libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr());
            (!found.is_null()).then(|| mem::transmute::<*mut c_void, Announce>(found))
        }
    });
    if let Some(function) = function {
        // SAFETY: the sanitizer takes the address as a name, and reads nothing there.
        unsafe { function(address.cast_mut()) };
    }
}
