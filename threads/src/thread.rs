// SPDX-License-Identifier: Apache-2.0
//! Facts and settings of the calling thread.
#![allow(unsafe_code)] // system calls

use std::ffi::CString;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ipckit_order::LibraryCode;

/// The kernel's number of the calling thread.
#[inline]
pub fn id() -> u32 {
    // SAFETY: the call takes nothing and cannot fail.
    unsafe { libc::gettid() as u32 }
}

/// Names the calling thread, as debuggers and `/proc` show it (15 bytes at most; the rest is cut).
pub fn set_name(name: &str) {
    let Ok(name) = CString::new(name) else { return };
    // SAFETY: the string outlives the call, and the kernel copies at most 16 bytes of it.
    unsafe {
        libc::prctl(libc::PR_SET_NAME, name.as_ptr());
    }
}

/// Lets other work run first.
#[inline]
pub fn yield_now() {
    // SAFETY: the call takes nothing.
    unsafe {
        libc::sched_yield();
    }
}

/// Asks for a short time slice, so that the thread is run soon after it was woken. Kernels before 6.12 refuse: no harm.
pub fn ask_for_short_slice() {
    #[repr(C)]
    #[derive(Default)]
    struct SchedulingAttributes {
        size: u32,
        policy: u32,
        flags: u64,
        nice: i32,
        priority: u32,
        runtime_ns: u64,
        deadline_ns: u64,
        period_ns: u64,
    }
    const KEEP_PARAMETERS_OF_POLICY: u64 = 0;
    // SAFETY: the call takes no pointer.
    let nice = unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) };
    let attributes = SchedulingAttributes {
        size: size_of::<SchedulingAttributes>() as u32,
        policy: libc::SCHED_OTHER as u32,
        flags: KEEP_PARAMETERS_OF_POLICY,
        nice,
        runtime_ns: 100_000,
        ..Default::default()
    };
    // SAFETY: the attributes are a local that outlives the call; a size the kernel does not know is an error and no harm.
    unsafe {
        libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0);
    }
}

/// Starts a thread of the library's, with this name. It begins with all signals blocked, so that the program's handlers run on the
/// program's own threads. A panic in it would leave others waiting: it ends the process.
///
/// Not by the standard library, which ends the process where it gets no memory for its account of a thread.
pub fn start(name: impl FnOnce() -> String + Send + 'static, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    check_memory()?;
    let _blocked = SignalsBlocked::begin();
    start_detached(Box::new(move || {
        let _library = LibraryCode::begin();
        // For good: who knows the thread's handle from a handler might cancel it.
        let _no_cancellation = NoCancellation::begin();
        set_name(&name());
        if catch_unwind(AssertUnwindSafe(body)).is_err() {
            ipckit_log::error(format_args!(
                "a thread of this library panicked: a fault of the library's, please report it with what was printed; the process ends here"
            ));
            std::process::abort();
        }
    }))
}

type Body = Box<dyn FnOnce() + Send>;

extern "C" fn run(body: *mut libc::c_void) -> *mut libc::c_void {
    // SAFETY: `start_detached` gave it to this thread alone.
    let body = unsafe { Box::from_raw(body.cast::<Body>()) };
    body();
    std::ptr::null_mut()
}

fn start_detached(body: Body) -> io::Result<()> {
    /// As the standard library's threads have it.
    const STACK: usize = 2 << 20;
    let body = Box::into_raw(Box::new(body)).cast();
    // SAFETY: a zeroed attribute is there for the first call to fill, and outlives the others; `run` gets what it expects.
    let error = unsafe {
        let mut attributes: libc::pthread_attr_t = std::mem::zeroed();
        libc::pthread_attr_init(&mut attributes);
        libc::pthread_attr_setstacksize(&mut attributes, STACK);
        libc::pthread_attr_setdetachstate(&mut attributes, libc::PTHREAD_CREATE_DETACHED);
        let mut thread: libc::pthread_t = std::mem::zeroed();
        let error = libc::pthread_create(&mut thread, &attributes, run, body);
        libc::pthread_attr_destroy(&mut attributes);
        error
    };
    if error == 0 {
        return Ok(());
    }
    // SAFETY: there is no thread that would have got it.
    drop(unsafe { Box::from_raw(body.cast::<Body>()) });
    Err(io::Error::from_raw_os_error(error))
}

/// Whether a new thread would get memory for its first steps. The C library may have a stack left over from an earlier one, and a
/// thread that finds nothing beyond that ends the process before it can report an error.
fn check_memory() -> io::Result<()> {
    const ENOUGH: usize = 1 << 20;
    // SAFETY: a fresh mapping at an address of the kernel's choice, which nobody else knows and which is gone before the call returns.
    unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let memory = libc::mmap(std::ptr::null_mut(), ENOUGH, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
        if memory == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        libc::munmap(memory, ENOUGH);
    }
    Ok(())
}

/// While it lives, the calling thread takes no signal, nor do threads that it starts ever.
struct SignalsBlocked {
    before: libc::sigset_t,
}

impl SignalsBlocked {
    fn begin() -> Self {
        // SAFETY: zeroed sets are valid for the calls to fill; they touch the locals only.
        unsafe {
            let mut all: libc::sigset_t = std::mem::zeroed();
            libc::sigfillset(&mut all);
            for fault in
                [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGABRT, libc::SIGPROF]
            {
                libc::sigdelset(&mut all, fault);
            }
            let mut before: libc::sigset_t = std::mem::zeroed();
            libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
            Self { before }
        }
    }
}

impl Drop for SignalsBlocked {
    fn drop(&mut self) {
        // SAFETY: the set is what the thread had before.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &self.before, std::ptr::null_mut());
        }
    }
}

/// While it lives, the calling thread is not cancelled: it could hold what others wait for.
#[derive(Debug)]
pub struct NoCancellation {
    before: libc::c_int,
}

impl NoCancellation {
    /// Holds cancellation off.
    #[inline]
    pub fn begin() -> Self {
        Self { before: set_cancellation(PTHREAD_CANCEL_DISABLE) }
    }
}

impl Drop for NoCancellation {
    #[inline]
    fn drop(&mut self) {
        set_cancellation(self.before);
    }
}

/// Lets the calling thread be cancelled, for a mutation.
pub fn allow_cancellation() {
    set_cancellation(PTHREAD_CANCEL_ENABLE);
}

const PTHREAD_CANCEL_ENABLE: libc::c_int = 0;
const PTHREAD_CANCEL_DISABLE: libc::c_int = 1;

#[inline]
fn set_cancellation(state: libc::c_int) -> libc::c_int {
    unsafe extern "C" {
        fn pthread_setcancelstate(state: libc::c_int, old: *mut libc::c_int) -> libc::c_int;
    }
    let mut before = PTHREAD_CANCEL_DISABLE;
    // SAFETY: the pointer is to a local that outlives the call.
    unsafe {
        pthread_setcancelstate(state, &mut before);
    }
    before
}

/// The monotonic clock, which all processes share, in nanoseconds.
#[inline]
pub fn nanoseconds() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a local that outlives the call.
    unsafe {
        libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now);
    }
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// One more than the number of the processor that the calling thread runs on, for the moment; 0 where the system does not say.
#[inline]
pub fn processor() -> u32 {
    // SAFETY: takes nothing.
    unsafe { libc::sched_getcpu() }.wrapping_add(1).cast_unsigned()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn blocked() -> bool {
        // SAFETY: a zeroed set is valid for the call to fill.
        unsafe {
            let mut now: libc::sigset_t = std::mem::zeroed();
            libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), &mut now);
            libc::sigismember(&now, libc::SIGUSR1) == 1
        }
    }

    #[test]
    fn a_thread_of_the_library_takes_no_signals_and_the_one_that_started_it_does() {
        let before = blocked();
        let (said, says) = mpsc::channel();
        start(|| "test".into(), move || said.send(blocked()).expect("somebody listens")).expect("a thread");
        assert!(says.recv().expect("an answer"));
        assert_eq!(blocked(), before);
    }
}
