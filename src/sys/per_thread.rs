// SPDX-License-Identifier: Apache-2.0
//! A value of each thread that ends with it. The C library asks for memory to take note of a value that is to end, which it is asked to by
//! the standard library, and ends the process where it gets none. This takes none: all values of a thread are in a list, and the list's
//! begin is a value of POSIX threads, of which the first few of a process have a place in each thread.
#![allow(unsafe_code)] // values that end by a call of the C library's

use std::cell::{Cell, UnsafeCell};
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::LocalKey;

/// Such a value, to be in a `thread_local!`, `const`.
#[repr(C)]
pub struct PerThread<T: 'static> {
    entry: Entry,
    value: UnsafeCell<ManuallyDrop<T>>,
}

/// What is in the list.
struct Entry {
    stage: Cell<Stage>,
    next: Cell<*const Entry>,
    end: unsafe fn(*const Entry),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Unused,
    Listed,
    Ended,
}

impl<T: 'static> PerThread<T> {
    /// One that is not in use.
    pub const fn new(value: T) -> Self {
        let entry = Entry { stage: Cell::new(Stage::Unused), next: Cell::new(ptr::null()), end: end::<T> };
        Self { entry, value: UnsafeCell::new(ManuallyDrop::new(value)) }
    }

    #[inline]
    fn with<R>(&self, use_it: impl FnOnce(&T) -> R) -> Option<R> {
        match self.entry.stage.get() {
            Stage::Listed => {}
            Stage::Unused => self.entry.list(),
            Stage::Ended => return None,
        }
        // SAFETY: only `end` changes what is in the cell, on this very thread, and says so before.
        Some(use_it(unsafe { &*self.value.get() }))
    }
}

/// Uses the calling thread's value; `None` in a thread that is ending, where the value has ended. Where no note can be taken of the value, it
/// stays beyond the thread's end.
#[inline]
pub fn with<T: 'static, R>(of_thread: &'static LocalKey<PerThread<T>>, use_it: impl FnOnce(&T) -> R) -> Option<R> {
    of_thread.with(|value| value.with(use_it))
}

/// # Safety
/// It is the entry of a `PerThread<T>` of this thread, in which nobody uses the value.
unsafe fn end<T: 'static>(entry: *const Entry) {
    // SAFETY: the entry is the first field; the value is dropped once, as it counts as ended from here on.
    unsafe {
        (*entry).stage.set(Stage::Ended);
        ManuallyDrop::drop(&mut *(*entry.cast::<PerThread<T>>()).value.get());
    }
}

impl Entry {
    #[cold]
    fn list(&self) {
        let Some(key) = key() else { return };
        // SAFETY: the key is never given up; what is noted under it is a thread-local variable of this thread, as nothing else can be used,
        // whose memory outlives the call of `end_all`.
        let is_listed = unsafe {
            self.next.set(libc::pthread_getspecific(key).cast::<Entry>());
            libc::pthread_setspecific(key, ptr::from_ref(self).cast()) == 0
        };
        if is_listed {
            self.stage.set(Stage::Listed);
        }
    }
}

/// By the C library, as a thread ends. What is used for the first time meanwhile makes a new list, and another call.
extern "C" fn end_all(first: *mut c_void) {
    let mut entry: *const Entry = first.cast_const().cast();
    // SAFETY: `Entry::list` has made the list, of entries of this thread; no frame of the thread's uses their values any more.
    unsafe {
        while let Some(now) = entry.as_ref() {
            entry = now.next.get();
            (now.end)(now);
        }
    }
}

/// The key of the lists, made once; `None` where the process may have no more.
fn key() -> Option<libc::pthread_key_t> {
    /// One more than the key; 0 where there is none.
    static KEY: AtomicU32 = AtomicU32::new(0);
    let known = KEY.load(Ordering::Acquire);
    if known != 0 {
        return Some(known - 1);
    }
    let mut made = 0;
    // SAFETY: a key is written to the local; the function is this library's, which is never unloaded.
    if unsafe { libc::pthread_key_create(&mut made, Some(end_all)) } != 0 {
        return None;
    }
    match KEY.compare_exchange(0, made + 1, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => Some(made),
        Err(known) => {
            // SAFETY: nobody else knows it.
            unsafe { libc::pthread_key_delete(made) };
            Some(known - 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::sync::mpsc::{Sender, channel};

    /// Says that it is gone, and what a later look sees.
    struct Telling(Sender<Option<usize>>);

    impl Drop for Telling {
        fn drop(&mut self) {
            let _ = self.0.send(with(&VALUES, |values| values.borrow().len()));
        }
    }

    thread_local! {
        static VALUES: PerThread<RefCell<Vec<Telling>>> = const { PerThread::new(RefCell::new(Vec::new())) };
        static OTHERS: PerThread<RefCell<Vec<Telling>>> = const { PerThread::new(RefCell::new(Vec::new())) };
    }

    #[test]
    fn values_end_with_their_thread_once_and_are_not_seen_after() {
        let (tells, told) = channel();
        std::thread::spawn(move || {
            with(&OTHERS, |others| others.borrow_mut().push(Telling(tells.clone())));
            for _ in 0..2 {
                with(&VALUES, |values| values.borrow_mut().push(Telling(tells.clone())));
            }
            assert_eq!(with(&VALUES, |values| values.borrow().len()), Some(2));
        })
        .join()
        .expect("a thread");
        assert_eq!(told.iter().collect::<Vec<_>>(), [None; 3]);
    }

    #[test]
    fn a_value_that_is_first_used_at_the_end_ends_too() {
        struct Late(Sender<Option<usize>>);
        impl Drop for Late {
            fn drop(&mut self) {
                with(&VALUES, |values| values.borrow_mut().push(Telling(self.0.clone())));
            }
        }
        thread_local! {
            static LATE: PerThread<RefCell<Option<Late>>> = const { PerThread::new(RefCell::new(None)) };
        }
        let (tells, told) = channel();
        std::thread::spawn(move || {
            with(&LATE, |late| *late.borrow_mut() = Some(Late(tells)));
        })
        .join()
        .expect("a thread");
        assert_eq!(told.iter().collect::<Vec<_>>(), [None]);
    }
}
