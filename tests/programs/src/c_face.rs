// SPDX-License-Identifier: Apache-2.0
//! The C functions that programs are made of.
#![allow(unsafe_code, reason = "they are C functions")]

use std::ffi::{c_char, c_int, c_void};

use ipc_capi as _;

/// What is behind a pointer of the library's.
#[repr(C)]
pub struct Opaque([u8; 0]);

pub type Pointer = *mut Opaque;
pub type OnEnd = extern "C-unwind" fn(*mut c_void);
pub type OnRequest = extern "C-unwind" fn(u32, Pointer, Pointer, *mut c_void) -> c_int;
pub type Allocator = extern "C-unwind" fn(i32) -> *mut c_void;

/// `OH_IPC_MessageOption`, which the header packs to 4 bytes.
#[repr(C, packed(4))]
pub struct MessageOption {
    pub mode: c_int,
    pub timeout: u32,
    pub reserved: *mut c_void,
}

/// Bytes by which two processes meet without a third.
pub const REFERENCE_BYTES: usize = 64;

unsafe extern "C" {
    pub fn OH_IPCParcel_Create() -> Pointer;
    pub fn OH_IPCParcel_Destroy(parcel: Pointer);
    pub fn OH_IPCParcel_RewindReadPosition(parcel: Pointer, position: u32) -> c_int;
    pub fn OH_IPCParcel_RewindWritePosition(parcel: Pointer, position: u32) -> c_int;
    pub fn OH_IPCParcel_WriteRemoteStub(parcel: Pointer, stub: Pointer) -> c_int;
    pub fn OH_IPCParcel_ReadRemoteStub(parcel: Pointer) -> Pointer;
    pub fn OH_IPCParcel_WriteRemoteProxy(parcel: Pointer, proxy: Pointer) -> c_int;
    pub fn OH_IPCParcel_ReadRemoteProxy(parcel: Pointer) -> Pointer;
    pub fn OH_IPCParcel_Append(parcel: Pointer, data: Pointer) -> c_int;
    pub fn OH_IPCRemoteStub_Create(
        descriptor: *const c_char,
        on_request: OnRequest,
        on_destroy: OnEnd,
        user_data: *mut c_void,
    ) -> Pointer;
    pub fn OH_IPCRemoteStub_Destroy(stub: Pointer);
    pub fn OH_IPCRemoteProxy_Destroy(proxy: Pointer);
    pub fn OH_IPCRemoteProxy_SendRequest(
        proxy: Pointer,
        code: u32,
        data: Pointer,
        reply: Pointer,
        option: *const MessageOption,
    ) -> c_int;
    pub fn OH_IPCRemoteProxy_GetInterfaceDescriptor(
        proxy: Pointer,
        descriptor: *mut *mut c_char,
        len: *mut i32,
        allocator: Allocator,
    ) -> c_int;
    pub fn OH_IPCRemoteProxy_IsRemoteDead(proxy: Pointer) -> c_int;
    pub fn OH_IPCDeathRecipient_Create(on_death: OnEnd, on_destroy: OnEnd, user_data: *mut c_void) -> Pointer;
    pub fn OH_IPCDeathRecipient_Destroy(recipient: Pointer);
    pub fn OH_IPCRemoteProxy_AddDeathRecipient(proxy: Pointer, recipient: Pointer) -> c_int;
    pub fn OH_IPCRemoteProxy_RemoveDeathRecipient(proxy: Pointer, recipient: Pointer) -> c_int;
    pub fn ipckit_reference_export(stub: Pointer, reference: *mut u8) -> c_int;
    pub safe fn ipckit_lost_wake_ups() -> u32;
    pub fn ipckit_reference_import(reference: *const u8) -> Pointer;
}
