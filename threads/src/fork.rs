// SPDX-License-Identifier: Apache-2.0
//! Noticing that this process is the child of a fork: nothing of its parent's runtime is its own.
#![allow(unsafe_code)] // fork handlers and a page that the kernel wipes

use std::os::fd::{BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use super::lock::{Mutex, MutexGuard};

static GENERATION: AtomicU32 = AtomicU32::new(1);
static WITNESS: AtomicPtr<AtomicU32> = AtomicPtr::new(std::ptr::null_mut());
static DESCRIPTORS: Mutex<Vec<RawFd>> = Mutex::new(Vec::new());
static HELD_OFF: Mutex<()> = Mutex::new(());

/// How many forks lie between this process and the one that loaded the library; a runtime belongs to one generation.
#[inline]
pub fn generation() -> u32 {
    let witness = WITNESS.load(Ordering::Acquire);
    // SAFETY: once set, the pointer is to a page that is never unmapped.
    if let Some(witness) = unsafe { witness.as_ref() }
        && witness.load(Ordering::Relaxed) == 0
    {
        leave_the_parents(witness);
    }
    GENERATION.load(Ordering::Relaxed)
}

#[cold]
fn leave_the_parents(witness: &AtomicU32) {
    if witness.swap(1, Ordering::Relaxed) == 0 {
        let is_whole = !DESCRIPTORS.is_locked();
        GENERATION.fetch_add(1, Ordering::Relaxed);
        let mut descriptors = DESCRIPTORS.lock();
        if is_whole {
            close_all(&mut descriptors);
        } else {
            // A thread of the parent's was changing them: some stay open.
            std::mem::forget(std::mem::take(&mut *descriptors));
        }
    }
}

/// Starts to watch for forks: by handlers, and, for a child made past them by a bare system call, by a page that the kernel
/// wipes in every child. To be called before the runtime starts; further calls do nothing.
pub fn watch() {
    if !WITNESS.load(Ordering::Acquire).is_null() {
        return;
    }
    const PAGE: usize = 4096;
    // SAFETY: a fresh private page at an address of the kernel's choice; a new mapping touches nothing that exists.
    let page = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            PAGE,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    if page == libc::MAP_FAILED {
        return;
    }
    let witness: *mut AtomicU32 = page.cast();
    // SAFETY: the page was just mapped, is zero-filled (a valid atomic) and aligned.
    unsafe {
        libc::madvise(page, PAGE, libc::MADV_WIPEONFORK);
        (*witness).store(1, Ordering::Relaxed);
    }
    let first = WITNESS.compare_exchange(std::ptr::null_mut(), witness, Ordering::AcqRel, Ordering::Acquire).is_ok();
    // SAFETY: the handlers are functions of this library, which is never unloaded; a page that lost the race is unknown to anybody.
    unsafe {
        if first {
            libc::pthread_atfork(Some(before_fork), Some(after_fork_in_parent), Some(after_fork_in_child));
        } else {
            libc::munmap(page, PAGE);
        }
    }
}

/// While the result lives no thread forks the process, except past the handlers. For calls into the C library under locks that it does not
/// make anew in a forked process.
pub fn hold_off() -> MutexGuard<'static, ()> {
    HELD_OFF.lock()
}

extern "C" fn before_fork() {
    std::mem::forget((HELD_OFF.lock(), DESCRIPTORS.lock()));
}

fn locked_since_before_fork() -> (MutexGuard<'static, ()>, MutexGuard<'static, Vec<RawFd>>) {
    // SAFETY: `before_fork` locked both on this very thread and forgot the guards.
    unsafe { (HELD_OFF.make_guard_unchecked(), DESCRIPTORS.make_guard_unchecked()) }
}

extern "C" fn after_fork_in_parent() {
    drop(locked_since_before_fork());
}

extern "C" fn after_fork_in_child() {
    let (_held_off, mut descriptors) = locked_since_before_fork();
    close_all(&mut descriptors);
    // SAFETY: the page is never unmapped once it is set.
    if let Some(witness) = unsafe { WITNESS.load(Ordering::Acquire).as_ref() } {
        witness.store(1, Ordering::Relaxed);
    }
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

fn close_all(descriptors: &mut Vec<RawFd>) {
    for fd in descriptors.drain(..) {
        // SAFETY: the parent's runtime owned them; in this process nobody uses that runtime any more.
        unsafe {
            libc::close(fd);
        }
    }
}

/// A descriptor that a forked child closes at once: it would keep a socket of the parent's open beyond the parent's death.
#[derive(Debug)]
pub struct ParentOnlyFd {
    fd: RawFd,
    generation: u32,
}

impl ParentOnlyFd {
    /// Takes the descriptor into care.
    pub fn new(fd: OwnedFd) -> Self {
        let mut descriptors = DESCRIPTORS.lock();
        let fd = fd.into_raw_fd();
        descriptors.push(fd);
        Self { fd, generation: generation() }
    }

    /// The descriptor. In a forked child it is closed, and its number may be anything's: the runtime is not to be used there.
    pub fn fd(&self) -> BorrowedFd<'_> {
        // SAFETY: open until drop in the process that made it; the runtime checks the generation before it gets here.
        unsafe { BorrowedFd::borrow_raw(self.fd) }
    }
}

impl Drop for ParentOnlyFd {
    fn drop(&mut self) {
        if self.generation != generation() {
            return;
        }
        let mut descriptors = DESCRIPTORS.lock();
        if let Some(position) = descriptors.iter().position(|fd| *fd == self.fd) {
            descriptors.swap_remove(position);
            // SAFETY: it was ours since `new`, and this is its only owner.
            drop(unsafe { OwnedFd::from_raw_fd(self.fd) });
        }
    }
}
