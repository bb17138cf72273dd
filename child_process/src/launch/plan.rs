// SPDX-License-Identifier: Apache-2.0
//! All that a child is started with, as things stand on the thread that asks for it.

use std::env;
use std::ffi::{CStr, CString, OsStr, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::environment;
use super::launcher;
use super::search::{Found, SearchPath};
use super::start::Failure;
use crate::protocol::{self, Order};
use crate::sys::guardian::Program;
use crate::sys::{ipc, loader, process};

/// A child to be started.
pub(super) struct Plan {
    /// The launcher and its arguments and environment.
    pub(super) program: Program,
    /// What it finds on its channel, in order.
    pub(super) packets: [Vec<u8>; 2],
    /// Where the library was looked for.
    pub(super) found: Found,
}

impl Plan {
    /// Plans a child with this library for a caller at this address, the process's child of this number.
    pub(super) fn gather(library: &CStr, caller: *const c_void, number: usize) -> Result<Self, (Failure, String)> {
        let name = OsStr::from_bytes(library.to_bytes());
        let search_path = SearchPath::of_caller(caller);
        let found = search_path.find(name);
        if found.load.as_bytes().len() >= libc::PATH_MAX as usize {
            return Err((Failure::Loading, format!("the path is longer than {} bytes", libc::PATH_MAX - 1)));
        }
        let internal = |text: &str| (Failure::Internal, text.to_owned());
        let unknown = || internal("where libipc_capi.so and libchild_process.so were loaded from cannot be told");
        let own_library = loader::module_at(own_address()).ok_or_else(unknown)?;
        let ipc_library = loader::module_at(ipc::library_address()).and_then(c_path).ok_or_else(unknown)?;
        let launcher = launcher::find(Some(&own_library)).map_err(|text| internal(&text))?;
        let launcher = c_path(launcher).ok_or_else(|| internal("the launcher's path holds a NUL"))?;
        let argv0 = launcher::process_name(env::args_os().next(), name, number);
        let environment = environment::for_child(&search_path, own_library.parent());
        let own_library = c_path(own_library).ok_or_else(unknown)?;
        let order = Order::Connect { library: found.load.clone(), nice: process::nice() };
        Ok(Self {
            program: Program::new(launcher, vec![argv0], environment),
            packets: [protocol::launch_packet(&ipc_library, &own_library), order.to_packet()],
            found,
        })
    }
}

fn own_address() -> *const c_void {
    own_address as *const c_void
}

fn c_path(path: PathBuf) -> Option<CString> {
    CString::new(path.into_os_string().into_encoded_bytes()).ok()
}
