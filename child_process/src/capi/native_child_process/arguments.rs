// SPDX-License-Identifier: Apache-2.0
//! What children are given, as C has it.

use std::ffi::{CStr, c_char, c_int};
use std::iter;

use crate::mutation::Mutation;

/// A named descriptor of a list.
#[repr(C)]
pub struct NativeChildProcess_Fd {
    fdName: *mut c_char,
    fd: i32,
    next: *mut NativeChildProcess_Fd,
}

/// A list of named descriptors.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct NativeChildProcess_FdList {
    head: *mut NativeChildProcess_Fd,
}

/// What a child is given.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct NativeChildProcess_Args {
    entryParams: *mut c_char,
    fdList: NativeChildProcess_FdList,
}

impl NativeChildProcess_Args {
    /// The text, empty where there is none.
    ///
    /// # Safety
    /// It is NULL or a C string that stays as it is for `'a`.
    pub(super) unsafe fn parameters<'a>(&self) -> &'a CStr {
        if self.entryParams.is_null() {
            return c"";
        }
        // SAFETY: the caller vouches for it.
        unsafe { CStr::from_ptr(self.entryParams) }
    }

    /// Names and numbers of the descriptors.
    ///
    /// # Safety
    /// The list ends with NULL, and stays as it is for `'a` with its names, which are NULL or C strings.
    pub(super) unsafe fn descriptors<'a>(&self) -> impl Iterator<Item = (Option<&'a CStr>, c_int)> + use<'a> {
        // SAFETY: the caller vouches for the list.
        let node = |node: *mut NativeChildProcess_Fd| unsafe { node.as_ref::<'a>() };
        iter::successors(node(self.fdList.head), move |present| node(present.next)).map(|present| {
            // SAFETY: the caller vouches for the names.
            let name = (!present.fdName.is_null()).then(|| unsafe { CStr::from_ptr(present.fdName) });
            (name, present.fd)
        })
    }
}

/// What a child can reach, by one of the constants of the header.
pub type NativeChildProcess_IsolationMode = c_int;

/// Options of a child. To Start's own body, `reserved` is an address in the calling module.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct NativeChildProcess_Options {
    pub(super) isolationMode: NativeChildProcess_IsolationMode,
    pub(super) reserved: i64,
}

/// The modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IsolationMode {
    Normal,
    Isolated,
}

impl IsolationMode {
    pub(super) fn from_number(number: NativeChildProcess_IsolationMode) -> Option<Self> {
        match number {
            0 => Some(Self::Normal),
            1 => Some(Self::Isolated),
            _ if Mutation::AnyIsolationModeIsTaken.is_on() => Some(Self::Normal),
            _ => None,
        }
    }
}
