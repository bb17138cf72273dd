// SPDX-License-Identifier: Apache-2.0
//! Which of the descriptors 0 to 2 are the program's standard input, output and error, and not something that was opened later where
//! one of them had been closed: a socket of the library's own, say.
#![allow(unsafe_code)] // runs when the library is loaded, and asks for descriptors that may not be open

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::sync::OnceLock;

pub(crate) const NUMBERS: [c_int; 3] = [libc::STDIN_FILENO, libc::STDOUT_FILENO, libc::STDERR_FILENO];

/// Device and inode, by which the kernel tells files, pipes and sockets apart.
type File = (libc::dev_t, libc::ino_t);

static AT_LOAD: OnceLock<[Option<File>; NUMBERS.len()]> = OnceLock::new();

/// Before the library has descriptors of its own.
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = {
    extern "C" fn look() {
        AT_LOAD.get_or_init(|| NUMBERS.map(file_behind));
    }
    look
};

/// Whether this standard descriptor is still what it was when the library was loaded.
pub(crate) fn is_the_programs(number: c_int) -> bool {
    let at_load = usize::try_from(number).ok().and_then(|index| AT_LOAD.get()?.get(index).copied().flatten());
    at_load.is_some() && at_load == file_behind(number)
}

/// `None` where the number is not open.
fn file_behind(number: c_int) -> Option<File> {
    let mut status = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the kernel writes no further than the structure, and refuses a number that is not open.
    let result = unsafe { libc::fstat(number, status.as_mut_ptr()) };
    // SAFETY: written, as the result says.
    (result == 0).then(|| unsafe { status.assume_init() }).map(|status| (status.st_dev, status.st_ino))
}
