// SPDX-License-Identifier: Apache-2.0
//! State that a forked process does not inherit.
#![allow(unsafe_code)] // dereferences what it has published for ever

use std::process;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// One value per process. A forked process gets a new one when it first asks: the inherited one may be locked by a thread
/// that is not there, and names threads and descriptors that are not its own.
pub(crate) struct PerProcess<T: 'static> {
    newest: AtomicPtr<Generation<T>>,
}

struct Generation<T: 'static> {
    process: u32,
    value: T,
    /// Keeps what was inherited reachable, for leak checkers.
    _inherited: *const Generation<T>,
}

impl<T: Default + Sync> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        Self { newest: AtomicPtr::new(ptr::null_mut()) }
    }

    /// The calling process's value.
    pub(crate) fn get(&self) -> &'static T {
        let process = process::id();
        let mut newest = self.newest.load(Ordering::Acquire);
        loop {
            // SAFETY: a generation that was published is never freed or changed.
            if let Some(generation) = unsafe { newest.as_ref() }
                && generation.process == process
            {
                return &generation.value;
            }
            let generation = Box::into_raw(Box::new(Generation { process, value: T::default(), _inherited: newest }));
            match self.newest.compare_exchange(newest, generation, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => newest = generation,
                Err(published) => {
                    // SAFETY: it was never published, so it is still ours alone.
                    drop(unsafe { Box::from_raw(generation) });
                    newest = published;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU32;

    static COUNTER: PerProcess<AtomicU32> = PerProcess::new();

    #[test]
    fn a_forked_process_starts_anew_and_the_parent_keeps_its_value() {
        COUNTER.get().store(5, Ordering::Relaxed);
        // SAFETY: the forked process only allocates, which this test's own thread does not do meanwhile in its copy, and exits.
        let status = unsafe {
            let child = libc::fork();
            if child == 0 {
                let inherited = COUNTER.get().load(Ordering::Relaxed);
                COUNTER.get().store(6, Ordering::Relaxed);
                libc::_exit(i32::from(inherited != 0 || COUNTER.get().load(Ordering::Relaxed) != 6));
            }
            let mut status = -1;
            libc::waitpid(child, &raw mut status, 0);
            status
        };
        assert_eq!(status, 0);
        assert_eq!(COUNTER.get().load(Ordering::Relaxed), 5);
    }
}
