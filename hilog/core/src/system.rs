// SPDX-License-Identifier: Apache-2.0
//! The system calls and C library functions that the log needs, made safe. None of them waits, but
//! [`wait_until_writable`].
#![allow(unsafe_code)] // The lowest layer: calls into the C library.

use std::ffi::{CStr, c_int};
use std::io::IoSlice;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

/// A number of `errno`.
pub(crate) type ErrorNumber = c_int;

/// Sets `errno` back when it goes out of scope: to log must not disturb who looks at `errno` next.
#[derive(Debug)]
pub struct Errno(ErrorNumber);

/// Keeps `errno` as it is now.
pub fn keep_errno() -> Errno {
    Errno(errno())
}

impl Errno {
    /// What `errno` was.
    pub fn get(&self) -> i32 {
        self.0
    }
}

impl Drop for Errno {
    fn drop(&mut self) {
        // SAFETY: the C library's errno of this thread is valid as long as the thread.
        unsafe { *libc::__errno_location() = self.0 };
    }
}

fn errno() -> ErrorNumber {
    // SAFETY: as above.
    unsafe { *libc::__errno_location() }
}

/// While it lives, the calling thread is not cancelled: who logs may not be one whose frames can be unwound.
#[derive(Debug)]
pub struct NoCancellation(c_int);

/// Holds cancellation off.
pub fn no_cancellation() -> NoCancellation {
    const DISABLE: c_int = 1;
    NoCancellation(set_cancellation(DISABLE))
}

impl Drop for NoCancellation {
    fn drop(&mut self) {
        set_cancellation(self.0);
    }
}

fn set_cancellation(state: c_int) -> c_int {
    unsafe extern "C" {
        fn pthread_setcancelstate(state: c_int, old: *mut c_int) -> c_int;
    }
    let mut before = state;
    // SAFETY: the pointer is to a local that outlives the call.
    unsafe { pthread_setcancelstate(state, &mut before) };
    before
}

/// Gives `read` the value of an environment variable.
pub(crate) fn environment<T>(name: &CStr, read: impl FnOnce(Option<&[u8]>) -> T) -> T {
    // SAFETY: name is NUL-terminated; the value lives at least until the program changes its environment, which POSIX
    // forbids it to do while other threads read it.
    let value = unsafe {
        let value = libc::getenv(name.as_ptr());
        (!value.is_null()).then(|| CStr::from_ptr(value).to_bytes())
    };
    read(value)
}

/// Seconds and nanoseconds since 1970.
pub(crate) fn real_time() -> (i64, u32) {
    let time = clock(libc::CLOCK_REALTIME);
    (time.tv_sec, time.tv_nsec as u32)
}

/// Time since some moment, which no change of the date disturbs.
pub(crate) fn steady_time() -> Duration {
    let time = clock(libc::CLOCK_MONOTONIC);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn clock(id: libc::clockid_t) -> libc::timespec {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: time is ours to be written.
    unsafe { libc::clock_gettime(id, &mut time) };
    time
}

/// Seconds east of UTC in the local time zone. Takes a lock of the C library's: no handler of a signal may run meanwhile,
/// since it could log.
pub(crate) fn offset_from_utc(seconds: i64) -> i32 {
    // SAFETY: signal sets and tm are plain data, for which all zeros is a value; localtime_r writes tm and reads seconds.
    unsafe {
        let mut signals: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&mut signals);
        let mut signals_before = signals;
        libc::pthread_sigmask(libc::SIG_SETMASK, &signals, &mut signals_before);
        let mut time: libc::tm = std::mem::zeroed();
        let offset = if libc::localtime_r(&seconds, &mut time).is_null() { 0 } else { time.tm_gmtoff as i32 };
        libc::pthread_sigmask(libc::SIG_SETMASK, &signals_before, std::ptr::null_mut());
        offset
    }
}

#[cfg(test)]
pub(crate) fn utc_month_and_day(seconds: i64) -> (u32, u32) {
    // SAFETY: as in offset_from_utc.
    let time = unsafe {
        let mut time: libc::tm = std::mem::zeroed();
        libc::gmtime_r(&seconds, &mut time);
        time
    };
    (time.tm_mon as u32 + 1, time.tm_mday as u32)
}

/// This process.
pub(crate) fn process_id() -> i32 {
    // SAFETY: always succeeds.
    unsafe { libc::getpid() }
}

/// This thread.
pub(crate) fn thread_id() -> i32 {
    // SAFETY: always succeeds.
    unsafe { libc::gettid() }
}

static LOADED_IN: AtomicI32 = AtomicI32::new(0);

/// To be called when the library is loaded: remembers the process, and calls `before_fork` before it forks.
pub(crate) fn remember_process(before_fork: extern "C" fn()) {
    LOADED_IN.store(process_id(), Ordering::Relaxed);
    // SAFETY: before_fork is a function of this library, which is never unloaded (it is linked with -z nodelete).
    unsafe { libc::pthread_atfork(Some(before_fork), None, None) };
}

/// Whether this process is a forked child of the one that loaded the library.
pub(crate) fn is_forked_child() -> bool {
    let loaded_in = LOADED_IN.load(Ordering::Relaxed);
    loaded_in != 0 && loaded_in != process_id()
}

/// What a file descriptor leads to, as far as it matters for writing without being held up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sink {
    /// A file or a device that takes what it gets at once.
    File,
    Pipe,
    Socket,
    Terminal,
}

pub(crate) fn sink(fd: RawFd) -> Sink {
    // SAFETY: stat is plain data, for which all zeros is a value; fstat writes it.
    let kind = unsafe {
        let mut status: libc::stat = std::mem::zeroed();
        if libc::fstat(fd, &mut status) == 0 { status.st_mode & libc::S_IFMT } else { 0 }
    };
    match kind {
        libc::S_IFIFO => Sink::Pipe,
        libc::S_IFSOCK => Sink::Socket,
        // SAFETY: isatty takes any number.
        libc::S_IFCHR if unsafe { libc::isatty(fd) } == 1 => Sink::Terminal,
        _ => Sink::File,
    }
}

/// Opens a file to append to, and makes it where there is none, for its owner alone. A named pipe is not waited for.
pub(crate) fn open_to_append(path: &CStr) -> Result<OwnedFd, ErrorNumber> {
    let flags = libc::O_WRONLY | libc::O_APPEND | libc::O_CREAT;
    open(path, flags | libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC)
}

fn open(path: &CStr, flags: c_int) -> Result<OwnedFd, ErrorNumber> {
    // SAFETY: path is NUL-terminated.
    let fd = unsafe { libc::open(path.as_ptr(), flags, 0o600) };
    // SAFETY: a descriptor that open has just given us is ours alone.
    if fd < 0 { Err(errno()) } else { Ok(unsafe { OwnedFd::from_raw_fd(fd) }) }
}

/// Writes with one system call and without waiting for a reader; returns how many bytes were written.
/// [`libc::EAGAIN`] says that there is no room.
pub(crate) fn write_now(fd: RawFd, sink: Sink, parts: &[IoSlice<'_>]) -> Result<usize, ErrorNumber> {
    match sink {
        Sink::File => write(fd, parts),
        Sink::Socket => send(fd, parts),
        Sink::Pipe => match write_without_waiting(fd, parts) {
            Err(libc::EOPNOTSUPP | libc::ENOSYS | libc::EINVAL) => write_reopened(fd, parts),
            result => result,
        },
        Sink::Terminal => write_reopened(fd, parts),
    }
}

// An IoSlice has the layout of an iovec; that is promised.
fn vectors(parts: &[IoSlice<'_>]) -> (*const libc::iovec, c_int) {
    (parts.as_ptr().cast(), parts.len() as c_int)
}

fn written(result: isize) -> Result<usize, ErrorNumber> {
    usize::try_from(result).map_err(|_| errno())
}

fn write(fd: RawFd, parts: &[IoSlice<'_>]) -> Result<usize, ErrorNumber> {
    let (vectors, count) = vectors(parts);
    // SAFETY: the vectors are readable for the length of the call.
    written(unsafe { libc::writev(fd, vectors, count) })
}

fn write_without_waiting(fd: RawFd, parts: &[IoSlice<'_>]) -> Result<usize, ErrorNumber> {
    let (vectors, count) = vectors(parts);
    // SAFETY: the vectors are readable for the length of the call.
    written(unsafe { libc::pwritev2(fd, vectors, count, -1, libc::RWF_NOWAIT) })
}

fn send(fd: RawFd, parts: &[IoSlice<'_>]) -> Result<usize, ErrorNumber> {
    let (vectors, count) = vectors(parts);
    // SAFETY: msghdr is plain data, for which all zeros is a value; the vectors are readable for the length of the call
    // and are not written.
    written(unsafe {
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_iov = vectors.cast_mut();
        message.msg_iovlen = count as _;
        libc::sendmsg(fd, &message, libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL)
    })
}

/// For what cannot be written without waiting by a flag of the call: a terminal, a pipe of a kernel before 6.4. The flag
/// of the open file is shared with whoever else has it open, so it is set on a way of our own to the same pipe.
fn write_reopened(fd: RawFd, parts: &[IoSlice<'_>]) -> Result<usize, ErrorNumber> {
    use std::fmt::Write;
    let mut path = crate::text::Text::<32>::new();
    let _ = write!(path, "/proc/self/fd/{fd}");
    match open(path.as_c_str(), libc::O_WRONLY | libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC) {
        Ok(own) => write(own.as_raw_fd(), parts),
        // No /proc, no right to open it, no descriptor left: the pipe has room, unless another writer is quicker.
        Err(_) if wait_until_writable(fd, Duration::ZERO) => write(fd, parts),
        Err(_) => Err(libc::EAGAIN),
    }
}

/// Waits at most this long until there is room; says whether there is.
pub(crate) fn wait_until_writable(fd: RawFd, patience: Duration) -> bool {
    let mut wanted = libc::pollfd { fd, events: libc::POLLOUT, revents: 0 };
    // Rounded up, so that who waits for what is left of a time does not ask over and over at its end.
    let milliseconds = c_int::try_from(patience.as_nanos().div_ceil(1_000_000)).unwrap_or(c_int::MAX);
    // SAFETY: wanted is one pollfd.
    unsafe { libc::poll(&mut wanted, 1, milliseconds) == 1 }
}

unsafe extern "C" {
    fn pthread_setcancelstate(state: c_int, old: *mut c_int) -> c_int;
}
const PTHREAD_CANCEL_DISABLE: c_int = 1;

/// While it lives, this thread is neither killed by writing to a pipe without a reader or beyond the limit of a file's
/// size, nor cancelled.
pub(crate) struct Undisturbed {
    signals_before: libc::sigset_t,
    pending_before: libc::sigset_t,
    cancel_state_before: c_int,
}

const SIGNALS_OF_WRITING: [c_int; 2] = [libc::SIGPIPE, libc::SIGXFSZ];

impl Undisturbed {
    pub(crate) fn new() -> Self {
        // SAFETY: signal sets are plain data, and each call gets sets and numbers of ours.
        unsafe {
            let mut of_writing: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&mut of_writing);
            for signal in SIGNALS_OF_WRITING {
                libc::sigaddset(&mut of_writing, signal);
            }
            let mut this = Self { signals_before: of_writing, pending_before: of_writing, cancel_state_before: 0 };
            pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &mut this.cancel_state_before);
            libc::pthread_sigmask(libc::SIG_BLOCK, &of_writing, &mut this.signals_before);
            libc::sigemptyset(&mut this.pending_before);
            // Only what the program itself has blocked can be pending here.
            if SIGNALS_OF_WRITING.iter().any(|&signal| libc::sigismember(&this.signals_before, signal) == 1) {
                libc::sigpending(&mut this.pending_before);
            }
            this
        }
    }

    /// Takes back the signal that came with this error of a write.
    pub(crate) fn forget_signal_of(&self, error: ErrorNumber) {
        let signal = match error {
            libc::EPIPE => libc::SIGPIPE,
            libc::EFBIG => libc::SIGXFSZ,
            _ => return,
        };
        // SAFETY: as in new.
        unsafe {
            if libc::sigismember(&self.pending_before, signal) == 1 {
                return;
            }
            let mut one: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&mut one);
            libc::sigaddset(&mut one, signal);
            let at_once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
            libc::sigtimedwait(&one, std::ptr::null_mut(), &at_once);
        }
    }
}

impl Drop for Undisturbed {
    fn drop(&mut self) {
        // SAFETY: sets back what new has read.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &self.signals_before, std::ptr::null_mut());
            pthread_setcancelstate(self.cancel_state_before, std::ptr::null_mut());
        }
    }
}

/// Puts the text of an error number into `buffer`, with its NUL.
pub(crate) fn error_text(error: ErrorNumber, buffer: &mut [u8]) -> &CStr {
    // SAFETY: the buffer is ours, its length is given.
    let result = unsafe { libc::strerror_r(error, buffer.as_mut_ptr().cast(), buffer.len()) };
    // A number without a text has one that says so, and another result.
    if result == 0 || result == libc::EINVAL {
        CStr::from_bytes_until_nul(buffer).unwrap_or_default()
    } else {
        c"unknown error"
    }
}
