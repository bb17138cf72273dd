// SPDX-License-Identifier: Apache-2.0
//! The scalars of `ipc_cparcel.h`. Narrow integers travel as four bytes: widened by the writer, cut by the reader.

use std::ffi::c_int;
use std::ptr::NonNull;

use crate::capi::boundary::{Failure, status_plain};
use crate::capi::error_code::ErrorCode;
use crate::capi::handle::OHIPCParcel;
use crate::sys::order;

/// Writes the bytes of a scalar.
///
/// What most calls are is done before the boundary, without the frame that a panic would need: it cannot panic.
///
/// # Safety
/// As [`OHIPCParcel::get_mut`].
#[inline]
unsafe fn write<const N: usize>(function: &'static str, parcel: *mut OHIPCParcel, bytes: [u8; N]) -> c_int {
    order::user_writes(parcel, 1);
    // SAFETY: the caller vouches for it.
    if unsafe { parcel.as_mut() }.is_some_and(|parcel| parcel.0.write_scalar_in_place(bytes)) {
        return ErrorCode::Success.into();
    }
    // SAFETY: the caller vouches for it.
    unsafe { write_slowly(function, parcel, bytes) }
}

/// # Safety
/// As [`OHIPCParcel::get_mut`].
#[cold]
unsafe fn write_slowly<const N: usize>(function: &'static str, parcel: *mut OHIPCParcel, bytes: [u8; N]) -> c_int {
    // SAFETY: the caller vouches for it.
    status_plain(function, || Ok(unsafe { OHIPCParcel::get_mut(parcel) }?.write_scalar(bytes)?))
}

/// Reads the bytes of a scalar; `value` stays as it was where that fails. Most calls end before the boundary, as with [`write`].
///
/// # Safety
/// As [`OHIPCParcel::get`]; `value` is NULL or can be written to.
#[inline]
unsafe fn read<const N: usize, T>(
    function: &'static str,
    parcel: *const OHIPCParcel,
    value: *mut T,
    scalar: fn([u8; N]) -> T,
) -> c_int {
    order::user_reads(parcel, 1);
    // SAFETY: the caller vouches for the parcel.
    if let Some(parcel) = unsafe { parcel.as_ref() }
        && let Some(value) = NonNull::new(value)
        && let Some(bytes) = parcel.0.read_plain_scalar()
    {
        // SAFETY: the caller vouches for the value.
        unsafe { value.write_unaligned(scalar(bytes)) };
        return ErrorCode::Success.into();
    }
    // SAFETY: the caller vouches for both.
    unsafe { read_slowly(function, parcel, value, scalar) }
}

/// # Safety
/// As [`read`].
#[cold]
unsafe fn read_slowly<const N: usize, T>(
    function: &'static str,
    parcel: *const OHIPCParcel,
    value: *mut T,
    scalar: fn([u8; N]) -> T,
) -> c_int {
    status_plain(function, || {
        // SAFETY: the caller vouches for it.
        let parcel = unsafe { OHIPCParcel::get(parcel) }?;
        let value = NonNull::new(value).ok_or(Failure::Null("value"))?;
        let bytes = parcel.read_scalar()?;
        // SAFETY: the caller vouches for it.
        unsafe { value.write_unaligned(scalar(bytes)) };
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_WriteInt8(parcel: *mut OHIPCParcel, value: i8) -> c_int {
    // SAFETY: the caller keeps the header's promise.
    unsafe { write("OH_IPCParcel_WriteInt8", parcel, i32::from(value).to_le_bytes()) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_ReadInt8(parcel: *const OHIPCParcel, value: *mut i8) -> c_int {
    // SAFETY: the caller keeps the header's promise.
    unsafe { read("OH_IPCParcel_ReadInt8", parcel, value, |bytes| i32::from_le_bytes(bytes) as i8) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_WriteInt16(parcel: *mut OHIPCParcel, value: i16) -> c_int {
    // SAFETY: the caller keeps the header's promise.
    unsafe { write("OH_IPCParcel_WriteInt16", parcel, i32::from(value).to_le_bytes()) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_ReadInt16(parcel: *const OHIPCParcel, value: *mut i16) -> c_int {
    // SAFETY: the caller keeps the header's promise.
    unsafe { read("OH_IPCParcel_ReadInt16", parcel, value, |bytes| i32::from_le_bytes(bytes) as i16) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_WriteInt32(parcel: *mut OHIPCParcel, value: i32) -> c_int {
    // SAFETY: the caller keeps the header's promise.
    unsafe { write("OH_IPCParcel_WriteInt32", parcel, value.to_le_bytes()) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_ReadInt32(parcel: *const OHIPCParcel, value: *mut i32) -> c_int {
    // SAFETY: the caller keeps the header's promise.
    unsafe { read("OH_IPCParcel_ReadInt32", parcel, value, i32::from_le_bytes) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_WriteInt64(parcel: *mut OHIPCParcel, value: i64) -> c_int {
    // SAFETY: the caller keeps the header's promise.
    unsafe { write("OH_IPCParcel_WriteInt64", parcel, value.to_le_bytes()) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_ReadInt64(parcel: *const OHIPCParcel, value: *mut i64) -> c_int {
    // SAFETY: the caller keeps the header's promise.
    unsafe { read("OH_IPCParcel_ReadInt64", parcel, value, i64::from_le_bytes) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_WriteUint8(parcel: *mut OHIPCParcel, value: u8) -> c_int {
    // SAFETY: the caller keeps the header's promise.
    unsafe { write("OH_IPCParcel_WriteUint8", parcel, u32::from(value).to_le_bytes()) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_ReadUint8(parcel: *const OHIPCParcel, value: *mut u8) -> c_int {
    // SAFETY: the caller keeps the header's promise.
    unsafe { read("OH_IPCParcel_ReadUint8", parcel, value, |bytes| u32::from_le_bytes(bytes) as u8) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_WriteUint16(parcel: *mut OHIPCParcel, value: u16) -> c_int {
    // SAFETY: the caller keeps the header's promise.
    unsafe { write("OH_IPCParcel_WriteUint16", parcel, u32::from(value).to_le_bytes()) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_ReadUint16(parcel: *const OHIPCParcel, value: *mut u16) -> c_int {
    // SAFETY: the caller keeps the header's promise.
    unsafe { read("OH_IPCParcel_ReadUint16", parcel, value, |bytes| u32::from_le_bytes(bytes) as u16) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_WriteUint32(parcel: *mut OHIPCParcel, value: u32) -> c_int {
    // SAFETY: the caller keeps the header's promise.
    unsafe { write("OH_IPCParcel_WriteUint32", parcel, value.to_le_bytes()) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_ReadUint32(parcel: *const OHIPCParcel, value: *mut u32) -> c_int {
    // SAFETY: the caller keeps the header's promise.
    unsafe { read("OH_IPCParcel_ReadUint32", parcel, value, u32::from_le_bytes) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_WriteUint64(parcel: *mut OHIPCParcel, value: u64) -> c_int {
    // SAFETY: the caller keeps the header's promise.
    unsafe { write("OH_IPCParcel_WriteUint64", parcel, value.to_le_bytes()) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_ReadUint64(parcel: *const OHIPCParcel, value: *mut u64) -> c_int {
    // SAFETY: the caller keeps the header's promise.
    unsafe { read("OH_IPCParcel_ReadUint64", parcel, value, u64::from_le_bytes) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_WriteFloat(parcel: *mut OHIPCParcel, value: f32) -> c_int {
    // SAFETY: the caller keeps the header's promise.
    unsafe { write("OH_IPCParcel_WriteFloat", parcel, value.to_le_bytes()) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_ReadFloat(parcel: *const OHIPCParcel, value: *mut f32) -> c_int {
    // SAFETY: the caller keeps the header's promise.
    unsafe { read("OH_IPCParcel_ReadFloat", parcel, value, f32::from_le_bytes) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_WriteDouble(parcel: *mut OHIPCParcel, value: f64) -> c_int {
    // SAFETY: the caller keeps the header's promise.
    unsafe { write("OH_IPCParcel_WriteDouble", parcel, value.to_le_bytes()) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_ReadDouble(parcel: *const OHIPCParcel, value: *mut f64) -> c_int {
    // SAFETY: the caller keeps the header's promise.
    unsafe { read("OH_IPCParcel_ReadDouble", parcel, value, f64::from_le_bytes) }
}
