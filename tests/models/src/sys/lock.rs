// SPDX-License-Identifier: Apache-2.0
//! loom's locks, with the names that the library's have.

use loom::sync as with;
pub use with::{MutexGuard, RwLockReadGuard, RwLockWriteGuard};

#[derive(Debug, Default)]
pub struct Mutex<T>(with::Mutex<T>);

impl<T> Mutex<T> {
    pub fn new(value: T) -> Self {
        Self(with::Mutex::new(value))
    }

    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().expect("no panic")
    }
}

#[derive(Debug, Default)]
pub struct Condvar(with::Condvar);

impl Condvar {
    pub fn new() -> Self {
        Self(with::Condvar::new())
    }

    pub fn notify_all(&self) {
        self.0.notify_all();
    }

    /// Waits with the lock let go of. loom's guards are given away for that and come back.
    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        // SAFETY: the guard is put back before anybody can see that it was gone; a panic in between ends the model's process.
        unsafe {
            let taken = std::ptr::read(guard);
            std::ptr::write(guard, self.0.wait(taken).expect("no panic"));
        }
    }
}

#[derive(Debug, Default)]
pub struct RwLock<T>(with::RwLock<T>);

impl<T> RwLock<T> {
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        self.0.read().expect("no panic")
    }

    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.0.write().expect("no panic")
    }
}
