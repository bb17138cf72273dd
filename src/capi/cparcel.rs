// SPDX-License-Identifier: Apache-2.0
//! `ipc_cparcel.h`, which says what each function does and what it asks of its caller.
#![allow(unsafe_code, reason = "exported functions take the user's pointers")]
#![allow(non_snake_case, reason = "the names in the header")]

mod object;
mod scalar;

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int};
use std::ptr::{NonNull, null};
use std::slice;

use ipckit_log::Once;

use super::boundary::{Failure, enter_plain, status, status_plain, value_or_plain};
use super::callback::{OH_IPC_MemAllocator, give_text};
use super::handle::{OHIPCParcel, destroy, give};
use crate::host::mutation::Mutation;
use crate::object::{Parcel, RemoteObject};
use crate::parcel::{Object, WriteError};
use crate::sys::lock::Mutex;
use crate::sys::order;
use crate::sys::thread::NoCancellation;

#[unsafe(no_mangle)]
pub extern "C" fn OH_IPCParcel_Create() -> *mut OHIPCParcel {
    value_or_plain("OH_IPCParcel_Create", std::ptr::null_mut(), || give(|| OHIPCParcel(Parcel::new())))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_Destroy(parcel: *mut OHIPCParcel) {
    // SAFETY: the caller gives the parcel up.
    enter_plain("OH_IPCParcel_Destroy", (), || unsafe {
        // Only what objects hold is let go of by more than memory.
        let has_objects = OHIPCParcel::get(parcel).is_ok_and(|parcel| parcel.objects().len() > 0);
        let _no_cancellation = has_objects.then(NoCancellation::begin);
        if Mutation::ParcelsKeepTheirObjects.is_on()
            && let Ok(parcel) = OHIPCParcel::get(parcel)
        {
            std::mem::forget(remote_objects(parcel));
        }
        destroy(parcel);
    });
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_GetDataSize(parcel: *const OHIPCParcel) -> c_int {
    // SAFETY: the caller keeps the header's promise.
    unsafe { number("OH_IPCParcel_GetDataSize", parcel, Parcel::data_size) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_GetWritableBytes(parcel: *const OHIPCParcel) -> c_int {
    // SAFETY: the caller keeps the header's promise.
    unsafe { number("OH_IPCParcel_GetWritableBytes", parcel, Parcel::writable_bytes) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_GetReadableBytes(parcel: *const OHIPCParcel) -> c_int {
    // SAFETY: the caller keeps the header's promise.
    unsafe { number("OH_IPCParcel_GetReadableBytes", parcel, Parcel::readable_bytes) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_GetReadPosition(parcel: *const OHIPCParcel) -> c_int {
    // SAFETY: the caller keeps the header's promise.
    unsafe { number("OH_IPCParcel_GetReadPosition", parcel, Parcel::read_position) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_GetWritePosition(parcel: *const OHIPCParcel) -> c_int {
    // SAFETY: the caller keeps the header's promise.
    unsafe { number("OH_IPCParcel_GetWritePosition", parcel, Parcel::write_position) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_RewindReadPosition(parcel: *mut OHIPCParcel, newReadPos: u32) -> c_int {
    status_plain("OH_IPCParcel_RewindReadPosition", || {
        // SAFETY: the caller keeps the header's promise.
        let parcel = unsafe { OHIPCParcel::get(parcel) }?;
        Ok(parcel.rewind_read_position(newReadPos as usize)?)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_RewindWritePosition(parcel: *mut OHIPCParcel, newWritePos: u32) -> c_int {
    status("OH_IPCParcel_RewindWritePosition", || {
        // SAFETY: the caller keeps the header's promise.
        let parcel = unsafe { OHIPCParcel::get_mut(parcel) }?;
        if Mutation::TheWriteCursorStays.is_on() {
            return Ok(());
        }
        Ok(parcel.rewind_write_position(newWritePos as usize)?)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_WriteString(parcel: *mut OHIPCParcel, str: *const c_char) -> c_int {
    status_plain("OH_IPCParcel_WriteString", || {
        // SAFETY: the caller keeps the header's promise about both.
        let (parcel, string) = unsafe { (OHIPCParcel::get_mut(parcel)?, c_string(str, "str")?) };
        if parcel.is_read_only() && Mutation::RefusedWritesRewind.is_on() {
            parcel.rewind_read_position(0)?;
        }
        match copy_if_inside(parcel, string.to_bytes_with_nul())? {
            None => Ok(parcel.write_string(string)?),
            Some(copy) => Ok(parcel.write_string(CStr::from_bytes_with_nul(&copy).expect("a copy of a string"))?),
        }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_ReadString(parcel: *const OHIPCParcel) -> *const c_char {
    value_or_plain("OH_IPCParcel_ReadString", null(), || {
        // SAFETY: the caller keeps the header's promise.
        Ok(unsafe { OHIPCParcel::get(parcel) }?.read_string()?.as_ptr())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_WriteBuffer(parcel: *mut OHIPCParcel, buffer: *const u8, len: i32) -> c_int {
    status_plain("OH_IPCParcel_WriteBuffer", || {
        // SAFETY: the caller keeps the header's promise.
        let parcel = unsafe { OHIPCParcel::get_mut(parcel) }?;
        let buffer = NonNull::new(buffer.cast_mut()).ok_or(Failure::Null("buffer"))?;
        let len = positive(len)?;
        // SAFETY: the caller's buffer has `len` bytes.
        let bytes = unsafe { slice::from_raw_parts(buffer.as_ptr(), len) };
        let copy = copy_if_inside(parcel, bytes)?;
        Ok(parcel.write_buffer(copy.as_deref().unwrap_or(bytes))?)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_ReadBuffer(parcel: *const OHIPCParcel, len: i32) -> *const u8 {
    value_or_plain("OH_IPCParcel_ReadBuffer", null(), || {
        // SAFETY: the caller keeps the header's promise.
        let parcel = unsafe { OHIPCParcel::get(parcel) }?;
        Ok(parcel.read_buffer(positive(len)?)?.as_ptr())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_WriteInterfaceToken(parcel: *mut OHIPCParcel, token: *const c_char) -> c_int {
    status_plain("OH_IPCParcel_WriteInterfaceToken", || {
        // SAFETY: the caller keeps the header's promise about both.
        let (parcel, token) = unsafe { (OHIPCParcel::get_mut(parcel)?, c_string(token, "token")?) };
        let copy = copy_if_inside(parcel, token.to_bytes())?;
        Ok(parcel.write_interface_token(copy.as_deref().unwrap_or(token.to_bytes()))?)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_ReadInterfaceToken(
    parcel: *const OHIPCParcel,
    token: *mut *mut c_char,
    len: *mut i32,
    allocator: OH_IPC_MemAllocator,
) -> c_int {
    status("OH_IPCParcel_ReadInterfaceToken", || {
        let token = NonNull::new(token).ok_or(Failure::Null("token"))?;
        let len = NonNull::new(len).ok_or(Failure::Null("len"))?;
        let allocator = allocator.ok_or(Failure::Null("allocator"))?;
        let (start, text) = {
            // SAFETY: the caller keeps the header's promise about the parcel.
            let parcel = unsafe { OHIPCParcel::get(parcel) }?;
            (parcel.read_position(), parcel.read_interface_token()?)
        };
        // SAFETY: the caller keeps the header's promise about the rest; the reference to the parcel has ended.
        let given = unsafe { give_text(&text, token, len, allocator) };
        if given.is_err() {
            // SAFETY: as above. Where the cursor stood beyond the data nothing was read, and it still stands there.
            let _ = unsafe { OHIPCParcel::get(parcel) }?.rewind_read_position(start);
        }
        given
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_Append(parcel: *mut OHIPCParcel, data: *const OHIPCParcel) -> c_int {
    status("OH_IPCParcel_Append", || {
        if std::ptr::eq(parcel, data) {
            // SAFETY: the caller keeps the header's promise.
            let parcel = unsafe { OHIPCParcel::get_mut(parcel) }?;
            let remote = remote_objects(parcel);
            parcel.append_itself()?;
            keep_as_on_a_device(remote);
            return Ok(());
        }
        // SAFETY: the caller keeps the header's promise, and they are two parcels.
        let (parcel, data) = unsafe { (OHIPCParcel::get_mut(parcel)?, OHIPCParcel::get(data)?) };
        parcel.append(data)?;
        keep_as_on_a_device(remote_objects(data));
        Ok(())
    })
}

fn remote_objects(parcel: &Parcel) -> Vec<RemoteObject> {
    let objects = parcel.objects().filter_map(|(_, object)| match object {
        Object::Remote { object, .. } => Some(object.clone()),
        Object::FileDescriptor(_) => None,
    });
    objects.collect()
}

/// A device takes one reference too many to each stub and proxy that it appends. One for each is enough for it to stay, and is within reach
/// of who looks for leaks.
fn keep_as_on_a_device(appended: Vec<RemoteObject>) {
    static KEPT: Mutex<BTreeMap<usize, RemoteObject>> = Mutex::new(BTreeMap::new());
    static SAID: Once = Once::new();
    if appended.is_empty() || Mutation::AppendedObjectsAreLetGo.is_on() {
        return;
    }
    if SAID.first() {
        ipckit_log::warn(format_args!(
            "OH_IPCParcel_Append: a parcel with a stub or proxy was appended, and the object is never let go, as on a device: its destroy \
             callback does not run before the processes that appended it end; write the object to the parcel instead"
        ));
    }
    KEPT.lock().extend(appended.into_iter().map(|object| (object.place(), object)));
}

/// What a getter returns: -1 for NULL.
///
/// # Safety
/// As [`OHIPCParcel::get`].
unsafe fn number(function: &'static str, parcel: *const OHIPCParcel, get: impl Fn(&Parcel) -> usize) -> c_int {
    value_or_plain(function, -1, || {
        // SAFETY: the caller vouches for it.
        let number = get(unsafe { OHIPCParcel::get(parcel) }?);
        Ok(c_int::try_from(number).unwrap_or(c_int::MAX))
    })
}

/// The C string behind a pointer; `name` is the argument's.
///
/// # Safety
/// The pointer is NULL or a string that ends and that nobody changes while the result is in use.
unsafe fn c_string<'a>(string: *const c_char, name: &'static str) -> Result<&'a CStr, Failure> {
    if string.is_null() {
        return Err(Failure::Null(name));
    }
    // SAFETY: the caller vouches for it.
    Ok(unsafe { CStr::from_ptr(string) })
}

fn positive(len: i32) -> Result<usize, Failure> {
    match usize::try_from(len) {
        Ok(len @ 1..) => Ok(len),
        _ => Err(Failure::Argument { name: "len", value: len.into(), expected: "above 0" }),
    }
}

/// A copy of bytes that lie in the parcel itself, whose data a write may move.
#[inline]
fn copy_if_inside(parcel: &Parcel, bytes: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
    order::library_reads_for_user(bytes.as_ptr(), bytes.len());
    if !parcel.bytes().as_ptr_range().contains(&bytes.as_ptr()) {
        return Ok(None);
    }
    let mut copy = Vec::new();
    copy.try_reserve_exact(bytes.len()).map_err(|_| WriteError::NoMemory(bytes.len()))?;
    copy.extend_from_slice(bytes);
    Ok(Some(copy))
}
