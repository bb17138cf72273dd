// SPDX-License-Identifier: Apache-2.0
//! Signals, process ids and the process's own surroundings.
#![allow(unsafe_code)] // system calls

use std::ffi::c_int;
use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

use crate::mutation::Mutation;

/// Runs the closure with every signal blocked that can be; the calling thread's mask is restored afterwards.
pub(crate) fn with_signals_blocked<T>(body: impl FnOnce() -> T) -> T {
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: both sets are initialised by the calls before they are read.
    unsafe {
        let mut all = MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
    }
    let result = body();
    // SAFETY: `before` was filled in above.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut()) };
    result
}

/// Gives every signal that is ignored its default disposition, then unblocks all on the calling thread.
pub(crate) fn accept_all_signals() {
    if Mutation::SignalsAreInherited.is_on() {
        return;
    }
    /// As the kernel has it: the C library's function refuses the signals that the library keeps for itself, which a parent may have
    /// been started with ignored.
    #[repr(C)]
    #[derive(Default)]
    struct KernelAction {
        handler: usize,
        flags: libc::c_ulong,
        restorer: usize,
        mask: u64,
    }
    for signal in 1..=libc::SIGRTMAX() {
        let (by_default, mut now) = (KernelAction::default(), KernelAction::default());
        let set = |new: *const KernelAction, old: *mut KernelAction| {
            // SAFETY: each pointer is null or to a structure that outlives the call; numbers that are no signal for us are refused.
            unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, new, old, size_of::<u64>()) }
        };
        if set(ptr::null(), &raw mut now) == 0 && now.handler == libc::SIG_IGN {
            set(&raw const by_default, ptr::null_mut());
        }
    }
    // SAFETY: the set is initialised by the call before it is read.
    unsafe {
        let mut none = MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigemptyset(none.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, none.as_ptr(), ptr::null_mut());
    }
}

/// Opens `/dev/null` in place of each standard descriptor that is closed, so that no other file gets its number.
pub(crate) fn fill_standard_descriptors() {
    for number in 0..=2 {
        // SAFETY: takes numbers and a constant text only.
        unsafe {
            if libc::fcntl(number, libc::F_GETFD) == -1 {
                libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
            }
        }
    }
}

/// Sends a signal to the process that the descriptor names; one that has ended gets none.
pub(super) fn send_signal(pidfd: BorrowedFd<'_>, signal: c_int) {
    // SAFETY: takes numbers and a NULL only.
    unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd.as_raw_fd(), signal, ptr::null::<libc::siginfo_t>(), 0) };
}

/// A descriptor of the process that has this id now.
pub(super) fn open_pidfd(pid: libc::pid_t) -> io::Result<OwnedFd> {
    // SAFETY: takes numbers only, and what it returns is a descriptor of our own.
    unsafe {
        let result = libc::syscall(libc::SYS_pidfd_open, pid, 0);
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(OwnedFd::from_raw_fd(result as c_int)) }
    }
}

/// Kills the process of this id. Who asks knows whose it is.
pub(super) fn kill(pid: libc::pid_t) {
    // SAFETY: takes numbers only.
    unsafe { libc::kill(pid, libc::SIGKILL) };
}

/// Whether a debugger has the process.
pub(crate) fn is_traced(pid: libc::pid_t) -> bool {
    let status = fs::read(format!("/proc/{pid}/status")).unwrap_or_default();
    let tracer = status.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(b"TracerPid:\t"));
    tracer.is_some_and(|pid| pid != b"0")
}

/// Whether a child of this process has ended, whatever signal its end sends, and stays to be reaped or has been by somebody.
pub(super) fn child_has_ended(pid: libc::pid_t) -> bool {
    match wait_for_end_of(pid, libc::WNOHANG | libc::WNOWAIT) {
        Ok(ended) => ended,
        Err(error) => error.raw_os_error() == Some(libc::ECHILD),
    }
}

/// Reaps a child that has ended, whatever signal its end sends.
pub(super) fn reap(pid: libc::pid_t) {
    while wait_for_end_of(pid, 0).is_err_and(|error| error.kind() == io::ErrorKind::Interrupted) {}
}

fn wait_for_end_of(pid: libc::pid_t, options: c_int) -> io::Result<bool> {
    let mut information = MaybeUninit::<libc::siginfo_t>::zeroed();
    let options = libc::WEXITED | libc::__WALL | options;
    // SAFETY: the kernel fills in the structure, or leaves it zero where nobody has ended.
    unsafe {
        match libc::waitid(libc::P_PID, pid as libc::id_t, information.as_mut_ptr(), options) {
            0 => Ok(information.assume_init_ref().si_pid() != 0),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

/// Whether the kernel lets this process close ranges of descriptors, without which no child can be started cleanly.
pub(crate) fn can_close_ranges() -> io::Result<()> {
    // SAFETY: no descriptor has the number in the range.
    match unsafe { libc::syscall(libc::SYS_close_range, u32::MAX, u32::MAX, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The soft limit of the number of descriptors.
pub(crate) fn descriptor_limit() -> Option<u64> {
    let mut limit = MaybeUninit::<libc::rlimit>::zeroed();
    // SAFETY: the kernel fills in the structure.
    unsafe { (libc::getrlimit(libc::RLIMIT_NOFILE, limit.as_mut_ptr()) == 0).then(|| limit.assume_init_ref().rlim_cur) }
}

/// The calling thread's nice value.
pub(crate) fn nice() -> c_int {
    // SAFETY: takes numbers only; asking for oneself does not fail.
    unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) }
}

/// Sets the calling thread's nice value, where it may.
pub(crate) fn set_nice(value: c_int) {
    // SAFETY: takes numbers only.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, value) };
}

/// Has the kernel kill the calling process when the thread that created it ends.
pub(super) fn die_with_parent() {
    // SAFETY: takes numbers only.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
}

/// Whether a descriptor of this number is open.
pub(crate) fn is_open(number: c_int) -> bool {
    // SAFETY: takes numbers only.
    number >= 0 && unsafe { libc::fcntl(number, libc::F_GETFD) } != -1
}

/// Ends the process as `exit` in C does: exit handlers and static destructors run.
pub(crate) fn exit(status: c_int) -> ! {
    if Mutation::ExitHandlersDoNotRun.is_on() {
        // SAFETY: takes a number only.
        unsafe { libc::_exit(status) };
    }
    // SAFETY: what the handlers do is up to those who registered them.
    unsafe { libc::exit(status) }
}

/// Kills the calling process; nothing of it runs any more.
pub(crate) fn kill_self() -> ! {
    // SAFETY: takes numbers only.
    unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
    std::process::abort()
}

/// The calling thread's id.
#[cfg(test)]
pub(crate) fn thread_id() -> libc::pid_t {
    // SAFETY: takes nothing.
    unsafe { libc::gettid() }
}

/// What waiting for a child, as a program does, comes to: its id or the error.
#[cfg(test)]
pub(crate) fn wait_for(pid: libc::pid_t) -> Result<libc::pid_t, c_int> {
    // SAFETY: takes numbers and a NULL only.
    match unsafe { libc::waitpid(pid, ptr::null_mut(), libc::WNOHANG) } {
        -1 => Err(io::Error::last_os_error().raw_os_error().unwrap_or(0)),
        pid => Ok(pid),
    }
}

/// A duplicate that outlives an exec, as programs make without thinking.
#[cfg(test)]
pub(crate) fn duplicate_for_children(descriptor: BorrowedFd<'_>) -> OwnedFd {
    // SAFETY: takes numbers only, and what it returns is a descriptor of our own.
    unsafe { OwnedFd::from_raw_fd(libc::dup(descriptor.as_raw_fd())) }
}
