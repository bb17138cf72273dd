// SPDX-License-Identifier: Apache-2.0
//! What a child made by Start was given, as its library sees it: structures of C that live as long as the process.
#![allow(unsafe_code)] // publishes pointers for ever

use std::ffi::{CString, c_char, c_int};
use std::os::fd::{IntoRawFd, OwnedFd};
use std::ptr;
use std::sync::OnceLock;

/// `NativeChildProcess_Args`.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct RawArguments {
    pub(crate) entry_params: *mut c_char,
    pub(crate) fd_list: RawDescriptorList,
}

/// `NativeChildProcess_FdList`.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct RawDescriptorList {
    pub(crate) head: *mut RawDescriptor,
}

/// `NativeChildProcess_Fd`.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct RawDescriptor {
    pub(crate) name: *mut c_char,
    pub(crate) descriptor: c_int,
    pub(crate) next: *mut RawDescriptor,
}

struct Published(*mut RawArguments);

// SAFETY: what it points to is never freed, and is the user's library's to use from any thread.
unsafe impl Send for Published {}
// SAFETY: as above.
unsafe impl Sync for Published {}

static CURRENT: OnceLock<Published> = OnceLock::new();

/// Makes these the process's arguments, once; the list is in the given order. What comes back is valid for ever.
pub(crate) fn publish(parameters: CString, descriptors: Vec<(CString, OwnedFd)>) -> RawArguments {
    let published = CURRENT.get_or_init(|| {
        let mut head = ptr::null_mut();
        for (name, descriptor) in descriptors.into_iter().rev() {
            let entry = RawDescriptor { name: name.into_raw(), descriptor: descriptor.into_raw_fd(), next: head };
            head = Box::into_raw(Box::new(entry));
        }
        let arguments = RawArguments { entry_params: parameters.into_raw(), fd_list: RawDescriptorList { head } };
        Published(Box::into_raw(Box::new(arguments)))
    });
    // SAFETY: it was leaked above; the user's library, which may change it, does not run yet.
    unsafe { *published.0 }
}

/// The process's arguments, or NULL where it was not given any.
pub(crate) fn current() -> *mut RawArguments {
    CURRENT.get().map_or(ptr::null_mut(), |published| published.0)
}
