// SPDX-License-Identifier: Apache-2.0
//! What `libchild_process.so` and the tests ask of this library. The names carry the prefix `ipckit_`; nobody else is to use them.
#![allow(unsafe_code, reason = "exported functions take pointers")]

use std::ffi::{c_int, c_void};
use std::ptr::null_mut;
use std::time::{Duration, Instant};

use super::boundary::{Failure, enter, status, value_or};
use super::handle::{OHIPCRemoteProxy, OHIPCRemoteStub, Wrapper};
use crate::runtime::{self, CallError, Process};
use crate::sys::order;
use crate::transport::wire::Reference;

/// Bytes of a reference that leaves the process by other means than a parcel. Some are spare.
const REFERENCE_BYTES: usize = 64;

/// Takes the strong reference to a stub out of its wrapper and gives bytes by which another process gets a proxy, once.
/// The stub lives until that process has let go. Returns 0 or an error code.
///
/// # Safety
/// `stub` is NULL or a wrapper that nobody destroys meanwhile; `reference` is NULL or has room for 64 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ipckit_reference_export(stub: *mut OHIPCRemoteStub, reference: *mut u8) -> c_int {
    status("ipckit_reference_export", || {
        // SAFETY: the caller vouches for both.
        let (wrapper, room) =
            unsafe { (Wrapper::get(stub, "stub")?, reference.cast::<[u8; REFERENCE_BYTES]>().as_mut()) };
        let room = room.ok_or(Failure::Null("reference"))?;
        let process = Process::current()?;
        let stub = wrapper.take_stub().ok_or(Failure::StubGone)?;
        order::sent();
        let (bytes, spare) = room.split_at_mut(Reference::BYTES);
        let reference = process.exports.pass_on(stub).map_err(CallError::System)?;
        bytes.copy_from_slice(&reference.to_bytes());
        spare.fill(0);
        Ok(())
    })
}

/// The proxy that such bytes stand for, or NULL where their process is gone or refuses. Waits for that process's answer.
///
/// # Safety
/// `reference` is NULL or 64 readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ipckit_reference_import(reference: *const u8) -> *mut OHIPCRemoteProxy {
    value_or("ipckit_reference_import", null_mut(), || {
        // SAFETY: the caller vouches for it.
        let bytes = unsafe { reference.cast::<[u8; Reference::BYTES]>().as_ref() };
        let reference = Reference::from_bytes(bytes.ok_or(Failure::Null("reference"))?);
        let object = runtime::import(Process::current()?, reference).ok_or(CallError::Dead)?;
        order::received();
        Wrapper::give(object)
    })
}

/// Runs `task(context)` once on a worker of this process. Returns 0 or an error code.
///
/// # Safety
/// `task` may be called on another thread with `context`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ipckit_run_on_worker(
    task: Option<unsafe extern "C-unwind" fn(*mut c_void)>,
    context: *mut c_void,
) -> c_int {
    struct Context(*mut c_void);
    // SAFETY: the caller vouches for it.
    unsafe impl Send for Context {}

    status("ipckit_run_on_worker", || {
        let task = task.ok_or(Failure::Null("task"))?;
        let context = Context(context);
        Process::current()?.run_on_worker(Box::new(move || {
            let context = context;
            // SAFETY: the caller vouches for it.
            super::callback::run("callback of a native child process", || unsafe { task(context.0) });
        }));
        Ok(())
    })
}

/// 1 where the calling thread runs a handler, a callback or a task for this library.
#[unsafe(no_mangle)]
pub extern "C" fn ipckit_on_library_thread() -> c_int {
    enter("ipckit_on_library_thread", 0, || runtime::is_serving().into())
}

/// Waits until no request is being handled and every reply is published; 1 where that is so, 0 after `timeout_ms`.
#[unsafe(no_mangle)]
pub extern "C" fn ipckit_wait_idle(timeout_ms: u32) -> c_int {
    const PAUSE: Duration = Duration::from_millis(1);
    enter("ipckit_wait_idle", 0, || {
        let Some(process) = Process::started() else { return 1 };
        let start = Instant::now();
        while process.is_handling() {
            if start.elapsed() >= Duration::from_millis(timeout_ms.into()) {
                return 0;
            }
            std::thread::sleep(PAUSE);
        }
        1
    })
}

/// How many wake-ups are known to have been lost in this process. They are looked for where `IPCKIT_LATE_LOOKS` is 2.
#[unsafe(no_mangle)]
pub extern "C" fn ipckit_lost_wake_ups() -> u32 {
    runtime::lost_wake_ups()
}

/// Has this process get the sockets by which processes find each other from `maker`: a new Unix socket of whole packets that does
/// not block and is closed on exec, or a negative error number. To be called before the runtime starts.
///
/// # Safety
/// `maker` is NULL or may be called on any thread, for ever.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ipckit_set_socket_maker(maker: Option<extern "C" fn() -> c_int>) {
    if let Some(maker) = maker {
        crate::sys::socket::set_maker(maker);
    }
}
