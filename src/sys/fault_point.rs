// SPDX-License-Identifier: Apache-2.0
//! The library's own steps that another process can see. With the feature `fault_points` a trial can have the process die right before or
//! after each of them (`docs/soak.md`). Without it nothing of that is compiled in.

macro_rules! fault_points {
    ($($(#[doc = $what:literal])+ $name:ident,)+) => {
        /// A step.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum FaultPoint {
            $($(#[doc = $what])+ $name,)+
        }

        impl FaultPoint {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];
        }
    };
}

include!("fault_point_list.rs");

impl FaultPoint {
    /// Does the step.
    #[inline(always)]
    pub fn around<T>(self, step: impl FnOnce() -> T) -> T {
        #[cfg(feature = "fault_points")]
        trial::pass(2 * self as usize);
        let result = step();
        #[cfg(feature = "fault_points")]
        trial::pass(2 * self as usize + 1);
        result
    }
}

#[cfg(feature = "fault_points")]
mod trial {
    #![allow(unsafe_code)] // a page that is shared with the trial, and signals

    use std::fs::File;
    use std::os::fd::AsFd;
    use std::sync::atomic::Ordering;

    use super::FaultPoint;
    use crate::sys::mapping::Mapping;
    use crate::sys::per_process::PerProcess;
    use crate::sys::thread;

    include!("fault_page.rs");

    static PAGE: PerProcess<Option<Mapping>> = PerProcess::new();

    fn page() -> Option<&'static FaultPage> {
        let open = || -> Result<_, std::convert::Infallible> {
            let Some(path) = std::env::var_os("IPCKIT_FAULT_POINTS") else { return Ok(None) };
            let file = File::options().read(true).write(true).open(&path);
            let page = file.and_then(|file| Mapping::shared(file.as_fd(), size_of::<FaultPage>()));
            Ok(Some(page.unwrap_or_else(|error| panic!("IPCKIT_FAULT_POINTS={}: {error}", path.display()))))
        };
        let mapping = PAGE.get_or_make(open).unwrap_or_else(|never| match never {}).as_ref()?;
        // SAFETY: the mapping is as long and as aligned as a page and is never dropped; a page is all atomics.
        Some(unsafe { mapping.start().cast::<FaultPage>().as_ref() })
    }

    /// A place is passed.
    pub(super) fn pass(place: usize) {
        let Some(page) = page() else { return };
        let passing = page.passed[place].fetch_add(1, Ordering::SeqCst) + 1;
        let action = page.action.load(Ordering::SeqCst);
        let is_here =
            page.place.load(Ordering::SeqCst) as usize == place && page.passing.load(Ordering::SeqCst) == passing;
        if action == 0 || !is_here {
            return;
        }
        page.happened.store(thread::nanoseconds(), Ordering::SeqCst);
        let signal = if action == STOP { libc::SIGSTOP } else { libc::SIGKILL };
        // SAFETY: the call takes no pointer.
        unsafe {
            libc::kill(libc::getpid(), signal);
        }
        if action == DIE {
            loop {
                std::thread::park();
            }
        }
    }
}
