// SPDX-License-Identifier: Apache-2.0
//! The functions of a user's library that a child process calls.
#![allow(unsafe_code)] // calls the user's library

use std::ffi::{CStr, c_int, c_void};
use std::mem;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, Ordering};

use super::arguments::RawArguments;
use super::ipc::{self, Reference, RemoteStub};
use super::loader::Library;

/// What the library has returned to be connected to.
#[used] // so that the compiler keeps what is never read
static OFFERED: AtomicPtr<RemoteStub> = AtomicPtr::new(ptr::null_mut());

/// `NativeChildProcess_OnConnect` and `NativeChildProcess_MainProc` of a library.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConnectEntry {
    on_connect: unsafe extern "C-unwind" fn() -> *mut RemoteStub,
    main_proc: unsafe extern "C-unwind" fn(),
}

/// Why there is nothing to connect to.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum NoOffer {
    #[error("NativeChildProcess_OnConnect returned NULL")]
    Null,
    #[error("what NativeChildProcess_OnConnect returned is no stub that can be passed on (error {0})")]
    Refused(c_int),
}

impl ConnectEntry {
    /// Looks both up; the error is the loader's own words.
    pub(crate) fn find(library: &Library) -> Result<Self, String> {
        let on_connect = library.function(c"NativeChildProcess_OnConnect")?;
        let main_proc = library.function(c"NativeChildProcess_MainProc")?;
        // SAFETY: the public interface fixes the type that a library gives the functions of these names.
        unsafe {
            Ok(Self {
                on_connect: mem::transmute::<NonNull<c_void>, unsafe extern "C-unwind" fn() -> *mut RemoteStub>(
                    on_connect,
                ),
                main_proc: mem::transmute::<NonNull<c_void>, unsafe extern "C-unwind" fn()>(main_proc),
            })
        }
    }

    /// Asks the library for its stub, and takes the strong reference to it for the parent. A C++ exception passes through.
    pub(crate) fn offer(self) -> Result<Reference, NoOffer> {
        // SAFETY: the library is never unloaded; what it does is its affair.
        let stub = NonNull::new(unsafe { (self.on_connect)() }).ok_or(NoOffer::Null)?;
        // The wrapper stays allocated, and not every library keeps a pointer to it: leak checkers find this one.
        OFFERED.store(stub.as_ptr(), Ordering::Relaxed);
        // SAFETY: the public interface has the library return a live stub.
        unsafe { ipc::export_reference(stub) }.map_err(NoOffer::Refused)
    }

    /// Runs the library's main procedure to its end. A C++ exception passes through.
    pub(crate) fn main_proc(self) {
        // SAFETY: as in `offer`.
        unsafe { (self.main_proc)() };
    }
}

/// A function of a library that runs with what its parent gives it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunEntry(unsafe extern "C-unwind" fn(RawArguments));

impl RunEntry {
    /// Looks it up; the error is the loader's own words.
    pub(crate) fn find(library: &Library, function: &CStr) -> Result<Self, String> {
        let found = library.function(function)?;
        // SAFETY: the public interface fixes the type of the function that a parent names.
        Ok(Self(unsafe { mem::transmute::<NonNull<c_void>, unsafe extern "C-unwind" fn(RawArguments)>(found) }))
    }

    /// Runs it to its end. A C++ exception passes through.
    pub(crate) fn run(self, arguments: RawArguments) {
        // SAFETY: the library is never unloaded; what the arguments point to lives as long as the process.
        unsafe { (self.0)(arguments) };
    }
}
