// SPDX-License-Identifier: Apache-2.0
//! A parcel when the system gives no memory: an error code, never an abort, and the parcel as it was.
#![allow(unsafe_code, reason = "an allocator that fails, and functions that take pointers")]
#![allow(clippy::undocumented_unsafe_blocks, reason = "the pointers live as long as the test")]

mod c_face;

use std::cell::Cell;
use std::ffi::{CString, c_int, c_void};
use std::ptr::null_mut;

use c_face::*;

thread_local! {
    /// How many more allocations this thread gets before the one that fails; `None` for no end.
    static BEFORE_FAILURE: Cell<Option<u32>> = const { Cell::new(None) };
}

fn fails_now() -> bool {
    BEFORE_FAILURE.with(|before| {
        let left = before.get();
        before.set(left.and_then(|left| left.checked_sub(1)));
        left == Some(0)
    })
}

unsafe extern "C" {
    fn __libc_malloc(size: usize) -> *mut c_void;
    fn __libc_realloc(memory: *mut c_void, size: usize) -> *mut c_void;
}

/// The C library's, but that one allocation of a thread may fail.
#[unsafe(no_mangle)]
extern "C" fn malloc(size: usize) -> *mut c_void {
    if fails_now() { null_mut() } else { unsafe { __libc_malloc(size) } }
}

/// As [`malloc`].
#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(memory: *mut c_void, size: usize) -> *mut c_void {
    if fails_now() { null_mut() } else { unsafe { __libc_realloc(memory, size) } }
}

/// Makes the first allocation of the call fail; tells whether there was one.
fn without_memory<T>(call: impl FnOnce() -> T) -> (T, bool) {
    ipc_capi::sys::reserve::take_away();
    BEFORE_FAILURE.set(Some(0));
    let result = call();
    (result, BEFORE_FAILURE.take().is_none())
}

fn assert_refused(parcel: Parcel, write: impl Fn() -> c_int) {
    let before = unsafe { (OH_IPCParcel_GetDataSize(parcel), OH_IPCParcel_GetWritableBytes(parcel)) };
    assert_eq!(without_memory(&write), (PARCEL_WRITE_ERROR, true));
    let after = unsafe { (OH_IPCParcel_GetDataSize(parcel), OH_IPCParcel_GetWritableBytes(parcel)) };
    assert_eq!(after, before);
    assert_eq!(write(), SUCCESS, "once there is memory");
    assert_eq!(unsafe { OH_IPCParcel_RewindWritePosition(parcel, 0) }, SUCCESS);
}

#[test]
fn no_parcel_is_made() {
    let (parcel, failed) = without_memory(|| OH_IPCParcel_Create());
    assert!(parcel.is_null() && failed);
}

#[test]
fn no_write_that_has_to_grow_is_done() {
    let token = CString::new(vec![b'x'; 3000]).unwrap();
    let odd_token = CString::new(vec![0x80; 6000]).unwrap();
    unsafe {
        let stub = OH_IPCRemoteStub_Create(c"stub".as_ptr(), Some(on_request), None, null_mut());
        let parcel = OH_IPCParcel_Create();
        assert_refused(parcel, || OH_IPCParcel_WriteRemoteStub(parcel, stub));
        assert_refused(parcel, || OH_IPCParcel_WriteBuffer(parcel, [1; 100].as_ptr(), 100));
        assert_refused(parcel, || OH_IPCParcel_WriteString(parcel, token.as_ptr()));
        assert_refused(parcel, || OH_IPCParcel_WriteInterfaceToken(parcel, odd_token.as_ptr()));
        OH_IPCParcel_Destroy(parcel);
        let parcel = OH_IPCParcel_Create();
        assert_refused(parcel, || OH_IPCParcel_WriteInt32(parcel, 1));
        OH_IPCParcel_Destroy(parcel);
        let (source, parcel) = (OH_IPCParcel_Create(), OH_IPCParcel_Create());
        assert_eq!(OH_IPCParcel_WriteRemoteStub(source, stub), SUCCESS);
        assert_refused(parcel, || OH_IPCParcel_Append(parcel, source));
        OH_IPCParcel_Destroy(source);
        OH_IPCParcel_Destroy(parcel);
        OH_IPCRemoteStub_Destroy(stub);
    }
}

#[test]
fn no_wrapper_is_made_and_no_token_is_given() {
    unsafe {
        let stub = OH_IPCRemoteStub_Create(c"stub".as_ptr(), Some(on_request), None, null_mut());
        let parcel = OH_IPCParcel_Create();
        assert_eq!(OH_IPCParcel_WriteInterfaceToken(parcel, c"abc".as_ptr()), SUCCESS);
        assert_eq!(OH_IPCParcel_WriteRemoteStub(parcel, stub), SUCCESS);
        let (mut text, mut len) = (null_mut(), 0);
        let read = || OH_IPCParcel_ReadInterfaceToken(parcel, &mut text, &mut len, Some(allocate));
        assert_eq!(without_memory(read), (PARCEL_READ_ERROR, true));
        assert_eq!(OH_IPCParcel_GetReadPosition(parcel), 0);
        assert_eq!(OH_IPCParcel_RewindReadPosition(parcel, 20), SUCCESS);
        assert_eq!(without_memory(|| OH_IPCParcel_ReadRemoteStub(parcel)), (null_mut(), true));
        OH_IPCParcel_Destroy(parcel);
        OH_IPCRemoteStub_Destroy(stub);
    }
}
