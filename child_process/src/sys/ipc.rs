// SPDX-License-Identifier: Apache-2.0
//! What `libipc_capi.so` does for this library: the process's one IPC runtime lives there.
#![allow(unsafe_code)] // calls the other library's C symbols

use std::ffi::{c_int, c_void};
use std::ptr::NonNull;
use std::time::Duration;

use ipckit_order::{self as order, LibraryCode};

/// Length of a stub's travelling reference, in bytes.
pub(crate) const REFERENCE_LENGTH: usize = 64;

/// A reference to a stub as it travels between processes; `libipc_capi.so` alone knows what is in it.
pub(crate) type Reference = [u8; REFERENCE_LENGTH];

/// `OHIPCRemoteStub`, opaque.
#[repr(C)]
pub(crate) struct RemoteStub {
    _opaque: [u8; 0],
}

/// `OHIPCRemoteProxy`, opaque.
#[repr(C)]
pub(crate) struct RemoteProxy {
    _opaque: [u8; 0],
}

#[cfg(not(test))]
unsafe extern "C" {
    fn ipckit_reference_export(stub: *mut RemoteStub, reference: *mut u8) -> c_int;
    fn ipckit_reference_import(reference: *const u8) -> *mut RemoteProxy;
    fn ipckit_run_on_worker(task: unsafe extern "C-unwind" fn(*mut c_void), context: *mut c_void) -> c_int;
    fn ipckit_on_library_thread() -> c_int;
    fn ipckit_wait_idle(timeout_ms: u32) -> c_int;
    fn ipckit_set_socket_maker(maker: extern "C" fn() -> c_int);
}

#[cfg(test)]
use stand_in::*;

/// Takes the strong reference out of the wrapper; the stub lives until its importer has let go.
///
/// The error is a code of `OH_IPC_ErrorCode`.
///
/// # Safety
/// `stub` is a live `OHIPCRemoteStub`.
pub(super) unsafe fn export_reference(stub: NonNull<RemoteStub>) -> Result<Reference, c_int> {
    let mut reference = [0; REFERENCE_LENGTH];
    // SAFETY: the caller vouches for the stub; the array is as long as the other library's contract says.
    match unsafe { ipckit_reference_export(stub.as_ptr(), reference.as_mut_ptr()) } {
        0 => Ok(reference),
        code => Err(code),
    }
}

/// Connects to the process that the reference names. `None` when it is gone or refuses; blocks only as long as it lives.
///
/// The caller owns the proxy.
pub(crate) fn import_reference(reference: &Reference) -> Option<NonNull<RemoteProxy>> {
    // SAFETY: the array is as long as the other library's contract says, and is only read during the call.
    NonNull::new(unsafe { ipckit_reference_import(reference.as_ptr()) })
}

/// Runs the task on what it needs, once, on an IPC worker. Where no worker can be had, gives that back with the other
/// library's code.
///
/// A C++ exception that leaves the task passes through to the worker.
pub(crate) fn run_on_worker<T: Send + 'static>(needs: T, task: fn(T)) -> Result<(), (T, c_int)> {
    unsafe extern "C-unwind" fn trampoline<T>(context: *mut c_void) {
        let _library = LibraryCode::begin();
        // SAFETY: `context` is the box that `run_on_worker` gave away, and the worker runs a task once.
        let context = unsafe { Box::from_raw(context.cast::<(T, fn(T))>()) };
        order::take_over(&*context);
        let (needs, task) = *context;
        task(needs);
    }
    let context = Box::new((needs, task));
    order::hand_over(&*context);
    let context = Box::into_raw(context);
    // SAFETY: the worker owns the context from here on, and gives it to the trampoline that takes it as what it is.
    match unsafe { ipckit_run_on_worker(trampoline::<T>, context.cast()) } {
        0 => Ok(()),
        code => {
            // SAFETY: a task that was refused is never run, so the box is ours again.
            let (needs, _) = *unsafe { Box::from_raw(context) };
            Err((needs, code))
        }
    }
}

/// An address within `libipc_capi.so`.
pub(crate) fn library_address() -> *const c_void {
    ipckit_wait_idle as *const c_void
}

/// Whether the calling thread runs a handler, a task or a death callback.
pub(crate) fn on_library_thread() -> bool {
    // SAFETY: takes nothing and only reads the calling thread's state.
    unsafe { ipckit_on_library_thread() != 0 }
}

/// Waits until no request is being handled and every reply is published; whether that came about in time.
pub(crate) fn wait_idle(timeout: Duration) -> bool {
    let milliseconds = timeout.as_millis().try_into().unwrap_or(u32::MAX);
    // SAFETY: takes no pointer.
    unsafe { ipckit_wait_idle(milliseconds) != 0 }
}

/// Has the IPC runtime, which must not run yet, get its sockets from this function: a new Unix socket of whole packets that does
/// not block, or a negative error number. It may be called on any thread.
pub(super) fn set_socket_maker(maker: extern "C" fn() -> c_int) {
    // SAFETY: the function may be called for ever, on any thread.
    unsafe { ipckit_set_socket_maker(maker) };
}

/// Unit tests run without `libipc_capi.so` and without workers.
#[cfg(test)]
mod stand_in {
    use super::{RemoteProxy, RemoteStub};
    use std::ffi::{c_int, c_void};

    const INNER_ERROR: c_int = 1_901_007;

    pub(super) unsafe fn ipckit_reference_export(_stub: *mut RemoteStub, _reference: *mut u8) -> c_int {
        INNER_ERROR
    }
    pub(super) unsafe fn ipckit_reference_import(_reference: *const u8) -> *mut RemoteProxy {
        std::ptr::null_mut()
    }
    pub(super) unsafe fn ipckit_run_on_worker(
        _task: unsafe extern "C-unwind" fn(*mut c_void),
        _context: *mut c_void,
    ) -> c_int {
        INNER_ERROR
    }
    pub(super) unsafe fn ipckit_on_library_thread() -> c_int {
        0
    }
    pub(super) unsafe fn ipckit_wait_idle(_timeout_ms: u32) -> c_int {
        1
    }
    pub(super) unsafe fn ipckit_set_socket_maker(_maker: extern "C" fn() -> c_int) {}
}
