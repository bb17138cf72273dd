// SPDX-License-Identifier: Apache-2.0
//! The stubs, proxies and file descriptors of `ipc_cparcel.h`.

use std::ffi::c_int;
use std::os::fd::IntoRawFd;
use std::ptr::{NonNull, null_mut};

use crate::capi::boundary::{Failure, status, value_or};
use crate::capi::handle::{OHIPCParcel, OHIPCRemoteProxy, OHIPCRemoteStub, Wrapper};
use crate::host::mutation::Mutation;
use crate::object::RemoteObject;
use crate::parcel::RemoteKind;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_WriteRemoteStub(parcel: *mut OHIPCParcel, stub: *const OHIPCRemoteStub) -> c_int {
    // SAFETY: the caller keeps the header's promise.
    unsafe { write("OH_IPCParcel_WriteRemoteStub", parcel, stub, "stub", RemoteKind::Stub) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_ReadRemoteStub(parcel: *const OHIPCParcel) -> *mut OHIPCRemoteStub {
    // SAFETY: the caller keeps the header's promise.
    unsafe { read("OH_IPCParcel_ReadRemoteStub", parcel) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_WriteRemoteProxy(
    parcel: *mut OHIPCParcel,
    proxy: *const OHIPCRemoteProxy,
) -> c_int {
    // SAFETY: the caller keeps the header's promise.
    unsafe { write("OH_IPCParcel_WriteRemoteProxy", parcel, proxy, "proxy", RemoteKind::Proxy) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_ReadRemoteProxy(parcel: *const OHIPCParcel) -> *mut OHIPCRemoteProxy {
    // SAFETY: the caller keeps the header's promise.
    unsafe { read("OH_IPCParcel_ReadRemoteProxy", parcel) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_WriteFileDescriptor(parcel: *mut OHIPCParcel, fd: i32) -> c_int {
    status("OH_IPCParcel_WriteFileDescriptor", || {
        // SAFETY: the caller keeps the header's promise.
        let parcel = unsafe { OHIPCParcel::get_mut(parcel) }?;
        Ok(parcel.write_file_descriptor(fd)?)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_IPCParcel_ReadFileDescriptor(parcel: *const OHIPCParcel, fd: *mut i32) -> c_int {
    status("OH_IPCParcel_ReadFileDescriptor", || {
        // SAFETY: the caller keeps the header's promise.
        let parcel = unsafe { OHIPCParcel::get(parcel) }?;
        let fd = NonNull::new(fd).ok_or(Failure::Null("fd"))?;
        let duplicate = parcel.read_file_descriptor()?;
        let duplicate = if Mutation::ReadDescriptorsAreCloseOnExec.is_on() {
            duplicate.try_clone().unwrap_or(duplicate)
        } else {
            duplicate
        };
        let duplicate = duplicate.into_raw_fd();
        // SAFETY: as above; the user owns the duplicate from here on.
        unsafe { fd.write_unaligned(duplicate) };
        Ok(())
    })
}

/// Writes the object of a wrapper.
///
/// # Safety
/// As [`OHIPCParcel::get_mut`] and [`Wrapper::get`].
unsafe fn write<P>(
    function: &'static str,
    parcel: *mut OHIPCParcel,
    wrapper: *const P,
    argument: &'static str,
    kind: RemoteKind,
) -> c_int {
    status(function, || {
        // SAFETY: the caller vouches for both.
        let (parcel, wrapper) = unsafe { (OHIPCParcel::get_mut(parcel)?, Wrapper::get(wrapper, argument)?) };
        Ok(parcel.write_remote(kind, wrapper.writable_object().ok_or(Failure::StubGone)?)?)
    })
}

/// Reads an object into a new wrapper, or NULL.
///
/// # Safety
/// As [`OHIPCParcel::get`].
unsafe fn read<P>(function: &'static str, parcel: *const OHIPCParcel) -> *mut P {
    value_or(function, null_mut(), || {
        // SAFETY: the caller vouches for it.
        let object = unsafe { OHIPCParcel::get(parcel) }?.read_remote()?.clone();
        if matches!(object, RemoteObject::Proxy(_))
            && function == "OH_IPCParcel_ReadRemoteStub"
            && Mutation::ProxiesAreNotReadAsStubs.is_on()
        {
            return Ok(null_mut());
        }
        Wrapper::give(object)
    })
}
