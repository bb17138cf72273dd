// SPDX-License-Identifier: Apache-2.0
//! Facts of this process, and random bytes.
#![allow(unsafe_code)] // system calls

use std::io;

use super::per_process::PerProcess;

/// This process's number.
pub fn id() -> u32 {
    std::process::id()
}

/// The effective user.
pub fn effective_user() -> u32 {
    // SAFETY: the call takes nothing and cannot fail.
    unsafe { libc::geteuid() }
}

/// The real user, which a process reports as its own.
pub fn user() -> u32 {
    // SAFETY: the call takes nothing and cannot fail.
    unsafe { libc::getuid() }
}

/// Ends the process with status 1; nothing that is registered for its end runs.
pub fn end_at_once() -> ! {
    // SAFETY: the call takes a number and does not return.
    unsafe { libc::_exit(1) }
}

/// Processors that this process could run on when that was first asked, at least 1.
pub fn processors() -> usize {
    static PROCESSORS: PerProcess<usize> = PerProcess::new();
    PROCESSORS.find_once(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// A limit of this process, as setrlimit names them; none, as a number, where it cannot be seen.
pub fn limit(resource: libc::__rlimit_resource_t) -> u64 {
    let mut limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: the limit is a local that outlives the call.
    unsafe { libc::getrlimit(resource, &mut limit) };
    limit.rlim_cur
}

/// `N` bytes that nobody can guess.
pub fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    let mut filled = 0;
    while filled < N {
        // SAFETY: the pointer and length denote the unfilled rest of the local array.
        let got = unsafe { libc::getrandom(bytes[filled..].as_mut_ptr().cast(), N - filled, 0) };
        match usize::try_from(got) {
            Ok(got) => filled += got,
            Err(_) => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
        }
    }
    Ok(bytes)
}
