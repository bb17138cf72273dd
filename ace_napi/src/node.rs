// SPDX-License-Identifier: Apache-2.0
//! Looks for Node when this library is loaded.
#![allow(unsafe_code)] // Asks the dynamic loader for symbols.

use std::ffi::{CStr, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::stand_in::{self, NAMES};

static IS_HERE: AtomicBool = AtomicBool::new(false);

/// Whether this is a process of Node.js.
pub(crate) fn is_here() -> bool {
    IS_HERE.load(Ordering::Relaxed)
}

#[used]
// SAFETY: the section holds functions that take nothing that is needed here, and the loader calls them once.
#[unsafe(link_section = ".init_array")]
static AT_LOAD: extern "C" fn() = at_load;

extern "C" fn at_load() {
    let _errno = ipckit_log::keep_errno();
    // SAFETY: NULL stands for the program. Nothing is loaded for it, and it is never unloaded.
    let program = unsafe { libc::dlopen(ptr::null(), libc::RTLD_LAZY) };
    // Every Node has had this function.
    if !program.is_null() && find(program, c"napi_module_register").is_some() {
        IS_HERE.store(true, Ordering::Relaxed);
        for (number, name) in NAMES.iter().enumerate() {
            if let Some(target) = find(program, name) {
                // SAFETY: a function that the program or one of its libraries exports by a name of Node-API is Node's. A
                // library among the program's own stays loaded.
                unsafe { stand_in::direct(number, target.cast()) };
            }
        }
    }
    // SAFETY: no arguments. A name not found must not be what a program is told that asks after its own call.
    unsafe { libc::dlerror() };
}

/// The function of this name that the program, its libraries or a library open to all have, other than this library's.
fn find(program: *mut c_void, name: &CStr) -> Option<*mut c_void> {
    // SAFETY: an open handle and a terminated name.
    let found = unsafe { libc::dlsym(program, name.as_ptr()) };
    let is_own = base_of(found) == base_of((&raw const IS_HERE).cast());
    (!found.is_null() && !is_own).then_some(found)
}

/// Where the library or program that an address lies in begins.
fn base_of(address: *const c_void) -> Option<*mut c_void> {
    let mut description = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: any address can be asked for; the description is plain data, and ours to be written.
    unsafe { (libc::dladdr(address, description.as_mut_ptr()) != 0).then(|| (*description.as_ptr()).dli_fbase) }
}
