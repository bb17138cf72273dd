// SPDX-License-Identifier: Apache-2.0
//! The C functions of parcels and stubs as a C program sees them: by their names.
#![allow(dead_code, reason = "each test program uses its own part")]

use std::ffi::{c_char, c_int, c_void};

use ipc_capi as _;

/// A parcel, stub or proxy behind a pointer.
#[repr(C)]
pub struct Opaque([u8; 0]);

pub type Parcel = *mut Opaque;
pub type Wrapper = *mut Opaque;
pub type Allocator = Option<extern "C-unwind" fn(i32) -> *mut c_void>;
pub type OnRequest = Option<extern "C-unwind" fn(u32, Parcel, Parcel, *mut c_void) -> c_int>;
pub type OnDestroy = Option<extern "C-unwind" fn(*mut c_void)>;

pub const SUCCESS: c_int = 0;
pub const CHECK_PARAM_ERROR: c_int = 1_901_000;
pub const PARCEL_WRITE_ERROR: c_int = 1_901_001;
pub const PARCEL_READ_ERROR: c_int = 1_901_002;
pub const MEM_ALLOCATOR_ERROR: c_int = 1_901_003;
pub const INNER_ERROR: c_int = 1_901_007;

unsafe extern "C" {
    pub safe fn OH_IPCParcel_Create() -> Parcel;
    pub fn OH_IPCParcel_Destroy(parcel: Parcel);
    pub fn OH_IPCParcel_GetDataSize(parcel: Parcel) -> c_int;
    pub fn OH_IPCParcel_GetWritableBytes(parcel: Parcel) -> c_int;
    pub fn OH_IPCParcel_GetReadableBytes(parcel: Parcel) -> c_int;
    pub fn OH_IPCParcel_GetReadPosition(parcel: Parcel) -> c_int;
    pub fn OH_IPCParcel_GetWritePosition(parcel: Parcel) -> c_int;
    pub fn OH_IPCParcel_RewindReadPosition(parcel: Parcel, position: u32) -> c_int;
    pub fn OH_IPCParcel_RewindWritePosition(parcel: Parcel, position: u32) -> c_int;
    pub fn OH_IPCParcel_WriteInt8(parcel: Parcel, value: i8) -> c_int;
    pub fn OH_IPCParcel_ReadInt8(parcel: Parcel, value: *mut i8) -> c_int;
    pub fn OH_IPCParcel_WriteInt16(parcel: Parcel, value: i16) -> c_int;
    pub fn OH_IPCParcel_ReadInt16(parcel: Parcel, value: *mut i16) -> c_int;
    pub fn OH_IPCParcel_WriteInt32(parcel: Parcel, value: i32) -> c_int;
    pub fn OH_IPCParcel_ReadInt32(parcel: Parcel, value: *mut i32) -> c_int;
    pub fn OH_IPCParcel_WriteInt64(parcel: Parcel, value: i64) -> c_int;
    pub fn OH_IPCParcel_ReadInt64(parcel: Parcel, value: *mut i64) -> c_int;
    pub fn OH_IPCParcel_WriteUint8(parcel: Parcel, value: u8) -> c_int;
    pub fn OH_IPCParcel_ReadUint8(parcel: Parcel, value: *mut u8) -> c_int;
    pub fn OH_IPCParcel_WriteUint16(parcel: Parcel, value: u16) -> c_int;
    pub fn OH_IPCParcel_ReadUint16(parcel: Parcel, value: *mut u16) -> c_int;
    pub fn OH_IPCParcel_WriteUint32(parcel: Parcel, value: u32) -> c_int;
    pub fn OH_IPCParcel_ReadUint32(parcel: Parcel, value: *mut u32) -> c_int;
    pub fn OH_IPCParcel_WriteUint64(parcel: Parcel, value: u64) -> c_int;
    pub fn OH_IPCParcel_ReadUint64(parcel: Parcel, value: *mut u64) -> c_int;
    pub fn OH_IPCParcel_WriteFloat(parcel: Parcel, value: f32) -> c_int;
    pub fn OH_IPCParcel_ReadFloat(parcel: Parcel, value: *mut f32) -> c_int;
    pub fn OH_IPCParcel_WriteDouble(parcel: Parcel, value: f64) -> c_int;
    pub fn OH_IPCParcel_ReadDouble(parcel: Parcel, value: *mut f64) -> c_int;
    pub fn OH_IPCParcel_WriteString(parcel: Parcel, string: *const c_char) -> c_int;
    pub fn OH_IPCParcel_ReadString(parcel: Parcel) -> *const c_char;
    pub fn OH_IPCParcel_WriteBuffer(parcel: Parcel, buffer: *const u8, len: i32) -> c_int;
    pub fn OH_IPCParcel_ReadBuffer(parcel: Parcel, len: i32) -> *const u8;
    pub fn OH_IPCParcel_WriteRemoteStub(parcel: Parcel, stub: Wrapper) -> c_int;
    pub fn OH_IPCParcel_ReadRemoteStub(parcel: Parcel) -> Wrapper;
    pub fn OH_IPCParcel_WriteRemoteProxy(parcel: Parcel, proxy: Wrapper) -> c_int;
    pub fn OH_IPCParcel_ReadRemoteProxy(parcel: Parcel) -> Wrapper;
    pub fn OH_IPCParcel_WriteFileDescriptor(parcel: Parcel, fd: i32) -> c_int;
    pub fn OH_IPCParcel_ReadFileDescriptor(parcel: Parcel, fd: *mut i32) -> c_int;
    pub fn OH_IPCParcel_Append(parcel: Parcel, data: Parcel) -> c_int;
    pub fn OH_IPCParcel_WriteInterfaceToken(parcel: Parcel, token: *const c_char) -> c_int;
    pub fn OH_IPCParcel_ReadInterfaceToken(
        parcel: Parcel,
        token: *mut *mut c_char,
        len: *mut i32,
        allocator: Allocator,
    ) -> c_int;
    pub fn OH_IPCRemoteStub_Create(
        descriptor: *const c_char,
        on_request: OnRequest,
        on_destroy: OnDestroy,
        user_data: *mut c_void,
    ) -> Wrapper;
    pub fn OH_IPCRemoteStub_Destroy(stub: Wrapper);
    pub fn OH_IPCRemoteProxy_Destroy(proxy: Wrapper);
}

/// A request callback that is never called here.
pub extern "C-unwind" fn on_request(_code: u32, _data: Parcel, _reply: Parcel, _user_data: *mut c_void) -> c_int {
    SUCCESS
}

pub extern "C-unwind" fn allocate(len: i32) -> *mut c_void {
    // SAFETY: any size may be asked for; whoever asks frees it.
    unsafe { libc::malloc(len.try_into().unwrap()) }
}

pub extern "C-unwind" fn allocate_nothing(_len: i32) -> *mut c_void {
    std::ptr::null_mut()
}
