// SPDX-License-Identifier: Apache-2.0
//! Locks that outlast a fork: one that another thread held when the process forked is free in the forked process, where
//! that thread does not exist. What it guards may have been left half changed; whoever goes on with inherited things has to allow for it.
//!
//! Each lock stands for itself. A table of waiting threads that all locks share could be inherited while it is locked.
#![allow(unsafe_code)] // the contract of lock_api

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{PoisonError, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;

use ipckit_order as order;

use super::{fork, futex};

/// A lock that one thread holds at a time.
pub type Mutex<T> = lock_api::Mutex<RawMutex, T>;

/// Holds a [`Mutex`] until it is dropped.
pub type MutexGuard<'a, T> = lock_api::MutexGuard<'a, RawMutex, T>;

/// 0 where free; else twice the generation of the process that holds it, plus one where somebody may sleep.
#[derive(Debug)]
pub struct RawMutex(AtomicU32);

const FREE: u32 = 0;
const SLEEPERS: u32 = 1;

#[inline]
fn locked() -> u32 {
    fork::generation() << 1
}

impl RawMutex {
    #[inline]
    fn try_take(&self, as_value: u32) -> Result<(), u32> {
        let now = self.0.load(Ordering::Relaxed);
        if now != FREE && now & !SLEEPERS == as_value & !SLEEPERS {
            return Err(now);
        }
        self.0.compare_exchange(now, as_value, Ordering::Acquire, Ordering::Relaxed).map(drop)
    }

    #[cold]
    fn wait_and_take(&self) {
        const LOOKS: u32 = 100;
        let locked = locked();
        for _ in 0..LOOKS {
            match self.try_take(locked) {
                Ok(()) => return,
                Err(now) if now == locked | SLEEPERS => break,
                Err(_) => std::hint::spin_loop(),
            }
        }
        let contended = locked | SLEEPERS;
        while let Err(now) = self.try_take(contended) {
            let sleeps = now == contended
                || now == locked
                    && self.0.compare_exchange(locked, contended, Ordering::Relaxed, Ordering::Relaxed).is_ok();
            if sleeps {
                futex::wait(&self.0, contended, None);
            }
        }
    }
}

// SAFETY: only the one thread whose exchange of a free word succeeds holds the lock. A word of an earlier generation counts as
// free: its holder is in another process.
unsafe impl lock_api::RawMutex for RawMutex {
    const INIT: Self = Self(AtomicU32::new(FREE));
    type GuardMarker = lock_api::GuardNoSend;

    #[inline]
    fn lock(&self) {
        if !self.try_lock() {
            self.wait_and_take();
        }
    }

    #[inline]
    fn try_lock(&self) -> bool {
        self.try_take(locked()).is_ok()
    }

    #[inline]
    unsafe fn unlock(&self) {
        if self.0.swap(FREE, Ordering::Release) & SLEEPERS != 0 {
            futex::wake(&self.0, 1);
        }
    }

    fn is_locked(&self) -> bool {
        self.0.load(Ordering::Relaxed) != FREE
    }
}

/// Something that threads wait for with a [`Mutex`].
#[derive(Debug, Default)]
pub struct Condvar(AtomicU32);

impl Condvar {
    /// One that nobody waits for.
    pub const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// Unlocks, waits to be notified, and locks again. Can return for no reason.
    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let before = self.0.load(Ordering::Relaxed);
        MutexGuard::unlocked(guard, || futex::wait(&self.0, before, None));
    }

    /// The same, no longer than until the deadline; `false` where that has passed.
    pub fn wait_until<T>(&self, guard: &mut MutexGuard<'_, T>, deadline: Instant) -> bool {
        let before = self.0.load(Ordering::Relaxed);
        let left = deadline.saturating_duration_since(Instant::now());
        MutexGuard::unlocked(guard, || futex::wait(&self.0, before, Some(left)));
        Instant::now() < deadline
    }

    /// Waits as long as the condition holds.
    pub fn wait_while<T>(&self, guard: &mut MutexGuard<'_, T>, mut condition: impl FnMut(&mut T) -> bool) {
        while condition(guard) {
            self.wait(guard);
        }
    }

    /// The same, no longer than until the deadline.
    pub fn wait_while_until<T>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        mut condition: impl FnMut(&mut T) -> bool,
        deadline: Instant,
    ) {
        while condition(guard) && self.wait_until(guard, deadline) {}
    }

    /// Wakes one who waits.
    #[inline]
    pub fn notify_one(&self) {
        self.notify(1);
    }

    /// Wakes all who wait.
    #[inline]
    pub fn notify_all(&self) {
        self.notify(i32::MAX);
    }

    #[inline]
    fn notify(&self, count: i32) {
        self.0.fetch_add(1, Ordering::Relaxed);
        futex::wake(&self.0, count);
    }
}

/// A lock that many may read under or one write; for what a forked process does not use.
#[derive(Debug, Default)]
pub struct RwLock<T>(std::sync::RwLock<T>);

impl<T> RwLock<T> {
    /// Locks out writers.
    pub fn read(&self) -> RwLockGuard<'_, T, RwLockReadGuard<'_, T>> {
        RwLockGuard::new(self, self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Locks out everybody else.
    pub fn write(&self) -> RwLockGuard<'_, T, RwLockWriteGuard<'_, T>> {
        RwLockGuard::new(self, self.0.write().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Holds a [`RwLock`] until it is dropped.
#[derive(Debug)]
pub struct RwLockGuard<'a, T, G> {
    lock: &'a RwLock<T>,
    guard: G,
}

impl<'a, T, G> RwLockGuard<'a, T, G> {
    fn new(lock: &'a RwLock<T>, guard: G) -> Self {
        order::take_over_inside(lock);
        Self { lock, guard }
    }
}

impl<T, G> Drop for RwLockGuard<'_, T, G> {
    fn drop(&mut self) {
        order::hand_over_inside(self.lock);
    }
}

impl<T, G: Deref<Target = T>> Deref for RwLockGuard<'_, T, G> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T, G: DerefMut<Target = T>> DerefMut for RwLockGuard<'_, T, G> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

/// A value that is written once.
#[derive(Debug, Default)]
pub struct OnceLock<T> {
    value: std::sync::OnceLock<T>,
    /// Orders what the standard library's compiled code does, where a thread sanitizer looks at this library.
    seen_order: Mutex<()>,
}

impl<T> OnceLock<T> {
    /// One without a value.
    pub const fn new() -> Self {
        Self { value: std::sync::OnceLock::new(), seen_order: Mutex::new(()) }
    }

    fn order(&self) -> Option<MutexGuard<'_, ()>> {
        cfg!(ipckit_thread_sanitizer).then(|| self.seen_order.lock())
    }

    /// The value, once there is one.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        let _order = self.order();
        self.value.get()
    }

    /// Writes the value.
    ///
    /// # Errors
    /// There is one; this one comes back.
    pub fn set(&self, value: T) -> Result<(), T> {
        let _order = self.order();
        self.value.set(value)
    }

    /// The value, written with what `make` makes where there is none. `make` must not use this.
    pub fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        let _order = self.order();
        self.value.get_or_init(make)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn one_thread_at_a_time() {
        let count = Mutex::new(0);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..10_000).for_each(|_| *count.lock() += 1));
            }
        });
        assert_eq!(*count.lock(), 80_000);
    }

    #[test]
    fn who_waits_is_notified() {
        let (turn, changed) = (Mutex::new(0), Condvar::new());
        thread::scope(|scope| {
            for own in 0..4 {
                let (turn, changed) = (&turn, &changed);
                scope.spawn(move || {
                    for _ in 0..500 {
                        let mut turn = turn.lock();
                        while *turn % 4 != own {
                            changed.wait(&mut turn);
                        }
                        *turn += 1;
                        changed.notify_all();
                    }
                });
            }
        });
        assert_eq!(*turn.lock(), 2_000);
    }

    #[test]
    fn a_lock_of_another_generation_is_free() {
        let held = Mutex::new(7);
        std::mem::forget(held.lock());
        assert!(held.try_lock().is_none());
        // SAFETY: nobody uses the lock meanwhile; the word is what a parent's thread would have left.
        unsafe { held.raw() }.0.store((fork::generation() + 1) << 1 | SLEEPERS, Ordering::Relaxed);
        assert_eq!(held.try_lock().as_deref(), Some(&7));
    }
}
