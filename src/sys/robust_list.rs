// SPDX-License-Identifier: Apache-2.0
//! Words that the kernel marks when a thread ends, however it ends: the list of robust futexes of a library thread.
#![allow(unsafe_code)] // a list that the kernel walks

use std::ptr::NonNull;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use super::fault_point::FaultPoint;
use super::lock::Mutex;

/// A word on the list, and the link before it that the kernel follows. It lies in shared memory; the link means something
/// to its owner's kernel side only.
#[repr(C)]
#[derive(Debug)]
pub struct LifeWord {
    next: AtomicPtr<LifeWord>,
    word: AtomicU32,
    reserved: u32,
}

const WORD_OFFSET: isize = std::mem::offset_of!(LifeWord, word) as isize;
const _: () = assert!(size_of::<LifeWord>() == 16);

impl LifeWord {
    /// The word that a watcher waits on.
    pub fn word(&self) -> &AtomicU32 {
        &self.word
    }

    /// Whether the kernel has marked `value`: its owner is dead.
    pub fn says_dead(value: u32) -> bool {
        value & libc::FUTEX_OWNER_DIED != 0
    }
}

#[repr(C)]
struct Head {
    first: AtomicPtr<LifeWord>,
    offset: isize,
    pending: AtomicPtr<LifeWord>,
}

/// The list of the thread that registered it. The thread must live as long as the process.
pub struct RobustList {
    head: &'static Head,
    owner: u32,
    words: Mutex<Vec<NonNull<LifeWord>>>,
}

// SAFETY: the pointers are to shared memory whose owners remove them before they unmap it; the vector is behind a lock.
unsafe impl Send for RobustList {}
// SAFETY: as above.
unsafe impl Sync for RobustList {}

impl RobustList {
    /// Makes an empty list the calling thread's robust list, in place of the C library's: the thread must not use robust mutexes.
    pub fn of_this_thread() -> Self {
        let head: &'static Head = Box::leak(Box::new(Head {
            first: AtomicPtr::default(),
            offset: WORD_OFFSET,
            pending: AtomicPtr::default(),
        }));
        head.first.store(std::ptr::from_ref(head).cast_mut().cast(), Ordering::Relaxed);
        // SAFETY: the head is never freed, and the list ends at the head.
        unsafe {
            libc::syscall(libc::SYS_set_robust_list, std::ptr::from_ref(head), size_of::<Head>());
        }
        Self { head, owner: super::thread::id(), words: Mutex::new(Vec::new()) }
    }

    /// Puts a word on the list.
    ///
    /// # Safety
    /// The word stays mapped and writable until [`Self::remove`].
    pub unsafe fn add(&self, entry: NonNull<LifeWord>) {
        let mut words = self.words.lock();
        // SAFETY: mapped by the caller's promise; all fields are atomics.
        let life = unsafe { entry.as_ref() };
        let word = self.owner | libc::FUTEX_WAITERS;
        FaultPoint::LifeWordSet.around(|| life.word.store(word, Ordering::Relaxed));
        life.next.store(self.head.first.load(Ordering::Relaxed), Ordering::Relaxed);
        // One store links the word in: the kernel sees a whole list whenever the process is killed.
        FaultPoint::LifeWordListed.around(|| self.head.first.store(entry.as_ptr(), Ordering::Release));
        words.push(entry);
    }

    /// Takes a word off the list; one that is not on it is left alone.
    pub fn remove(&self, entry: NonNull<LifeWord>) {
        let mut words = self.words.lock();
        let Some(position) = words.iter().position(|word| *word == entry) else { return };
        // SAFETY: every word on the list is mapped until it is removed.
        let after = unsafe { entry.as_ref() }.next.load(Ordering::Relaxed);
        let link = match words.get(position + 1) {
            // SAFETY: as above.
            Some(before) => &unsafe { before.as_ref() }.next,
            None => &self.head.first,
        };
        FaultPoint::LifeWordUnlisted.around(|| link.store(after, Ordering::Release));
        words.remove(position);
    }
}
