// SPDX-License-Identifier: Apache-2.0
//! The child process: answers a request with the sum of two numbers, and ends when it is asked to.

use std::ffi::{CStr, c_int, c_void};
use std::fs::File;
use std::io::Write;
use std::os::fd::FromRawFd;
use std::ptr;
use std::sync::{Condvar, Mutex};
use std::thread;

use ohos_abilitykit_sys::childprocess::{NativeChildProcess_Args, OH_Ability_GetCurrentChildProcessArgs};
use ohos_ipckit_sys::cparcel::{OH_IPCParcel_ReadInt32, OH_IPCParcel_WriteInt32};
use ohos_ipckit_sys::cremote_object::OH_IPCRemoteStub_Create;
use ohos_sys_opaque_types::{OHIPCParcel, OHIPCRemoteStub};

const ADD: u32 = 1;

static ENDED: Mutex<bool> = Mutex::new(false);
static CHANGED: Condvar = Condvar::new();

unsafe extern "C" fn on_request(code: u32, data: *const OHIPCParcel, reply: *mut OHIPCParcel, _: *mut c_void) -> c_int {
    if code != ADD {
        *ENDED.lock().unwrap() = true;
        CHANGED.notify_all();
        return 0;
    }
    let (mut a, mut b) = (0, 0);
    // SAFETY: the library passes parcels that are good for this call.
    unsafe {
        OH_IPCParcel_ReadInt32(data, &mut a);
        OH_IPCParcel_ReadInt32(data, &mut b);
        OH_IPCParcel_WriteInt32(reply, a + b)
    }
}

/// Writes its name and the text that it was given to the descriptor that it was given.
#[unsafe(no_mangle)]
pub extern "C" fn report(args: NativeChildProcess_Args) {
    // SAFETY: the library passes texts and a list that stay, with one open descriptor that is this function's.
    let (text, mut out) = unsafe {
        assert_eq!((*OH_Ability_GetCurrentChildProcessArgs()).entryParams, args.entryParams);
        assert_eq!(CStr::from_ptr((*args.fdList.head).fdName), c"out");
        (CStr::from_ptr(args.entryParams), File::from_raw_fd((*args.fdList.head).fd))
    };
    let name = std::env::args().next().unwrap();
    write!(out, "{name} {}", text.to_str().unwrap()).unwrap();
}

/// Waits to be killed.
#[unsafe(no_mangle)]
pub extern "C" fn wait(_: NativeChildProcess_Args) {
    loop {
        thread::park();
    }
}

/// Called by the launcher.
#[unsafe(no_mangle)]
pub extern "C" fn NativeChildProcess_OnConnect() -> *mut OHIPCRemoteStub {
    // SAFETY: a terminated text, and a callback that stays.
    unsafe { OH_IPCRemoteStub_Create(c"adder".as_ptr(), Some(on_request), None, ptr::null_mut()) }
}

/// Called by the launcher.
#[unsafe(no_mangle)]
pub extern "C" fn NativeChildProcess_MainProc() {
    let mut ended = ENDED.lock().unwrap();
    while !*ended {
        ended = CHANGED.wait(ended).unwrap();
    }
}
