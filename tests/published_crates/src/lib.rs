// SPDX-License-Identifier: Apache-2.0
//! The child process: answers a request with the sum of two numbers, and ends when it is asked to.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::{Condvar, Mutex};

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
