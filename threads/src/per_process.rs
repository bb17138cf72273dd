// SPDX-License-Identifier: Apache-2.0
//! A value that a process makes once and keeps; the child of a fork makes its own.
#![allow(unsafe_code)] // a pointer to a value that is never freed

use std::convert::Infallible;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use super::{fork, thread};

struct Made<T: 'static> {
    generation: u32,
    value: T,
    /// Keeps what was inherited reachable, for leak checkers.
    _inherited: Option<&'static Made<T>>,
}

/// The place of such a value.
pub struct PerProcess<T: 'static> {
    made: AtomicPtr<Made<T>>,
    /// The generation that is making the value, or 0. No lock: one that is held at a fork would be held for ever in the child.
    making: AtomicU32,
}

impl<T: Sync + 'static> PerProcess<T> {
    /// A place without a value.
    pub const fn new() -> Self {
        Self { made: AtomicPtr::new(std::ptr::null_mut()), making: AtomicU32::new(0) }
    }

    /// The value, if this very process has made it.
    #[inline]
    pub fn get(&self) -> Option<&'static T> {
        self.newest().filter(|made| made.generation == fork::generation()).map(|made| &made.value)
    }

    /// What this process has made or, where it has made none, what it has inherited.
    #[inline]
    fn newest(&self) -> Option<&'static Made<T>> {
        // SAFETY: the pointer is null or to a leaked box.
        unsafe { self.made.load(Ordering::Acquire).as_ref() }
    }

    /// The same as [`Self::get_or_make`], by what cannot fail.
    #[inline]
    pub fn get_or_init(&self, make: impl FnOnce() -> T) -> &'static T {
        match self.get() {
            Some(made) => made,
            None => self.get_or_make(|| Ok(make())).unwrap_or_else(|never: Infallible| match never {}),
        }
    }

    /// The value, made by `make` where this process has none. While one thread makes it, others wait.
    pub fn get_or_make<E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<&'static T, E> {
        fork::watch();
        let generation = fork::generation();
        loop {
            if let Some(value) = self.get() {
                return Ok(value);
            }
            let before = self.making.load(Ordering::Acquire);
            if before != generation
                && self.making.compare_exchange(before, generation, Ordering::AcqRel, Ordering::Acquire).is_ok()
            {
                break;
            }
            thread::yield_now();
        }
        let _making = Making(&self.making);
        match self.get() {
            Some(value) => Ok(value),
            None => make().map(|value| {
                let made: &'static Made<T> = Box::leak(Box::new(Made { generation, value, _inherited: self.newest() }));
                self.made.store(std::ptr::from_ref(made).cast_mut(), Ordering::Release);
                &made.value
            }),
        }
    }
}

/// Somebody makes the value, until it is dropped, also by a panic.
struct Making<'a>(&'a AtomicU32);

impl Drop for Making<'_> {
    fn drop(&mut self) {
        self.0.store(0, Ordering::Release);
    }
}

impl<T: Copy + Sync + 'static> PerProcess<T> {
    /// The value that `find` finds the first time.
    #[inline]
    pub fn find_once(&self, find: impl FnOnce() -> T) -> T {
        *self.get_or_init(find)
    }
}

impl<T: Sync + 'static> Default for PerProcess<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_made_once_and_a_failure_can_be_made_good() {
        let place = PerProcess::<u32>::new();
        assert_eq!(place.get_or_make(|| Err("no")), Err("no"));
        assert_eq!(place.get(), None);
        assert_eq!(place.get_or_make(|| Ok::<_, ()>(1)), Ok(&1));
        assert_eq!(place.get_or_make(|| Ok::<_, ()>(2)), Ok(&1));
        assert_eq!(place.get(), Some(&1));
    }

    #[test]
    fn a_forked_process_makes_its_own_and_the_parent_keeps_its_value() {
        static PLACE: PerProcess<AtomicU32> = PerProcess::new();
        let value = || PLACE.get_or_make(|| Ok::<_, ()>(AtomicU32::new(0))).expect("a value");
        value().store(5, Ordering::Relaxed);
        // SAFETY: the forked process only allocates, which this test's own thread does not do meanwhile in its copy, and exits.
        let status = unsafe {
            let child = libc::fork();
            if child == 0 {
                let inherited = value().load(Ordering::Relaxed);
                value().store(6, Ordering::Relaxed);
                libc::_exit(i32::from(inherited != 0 || value().load(Ordering::Relaxed) != 6));
            }
            let mut status = -1;
            libc::waitpid(child, &raw mut status, 0);
            status
        };
        assert_eq!(status, 0);
        assert_eq!(value().load(Ordering::Relaxed), 5);
    }

    #[test]
    fn a_panic_can_be_made_good_too() {
        let place = PerProcess::<u32>::new();
        let make = || place.get_or_make::<()>(|| panic!("on purpose"));
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(make)).expect_err("the panic");
        assert_eq!(place.get_or_make(|| Ok::<_, ()>(1)), Ok(&1));
    }
}
