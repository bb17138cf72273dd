// SPDX-License-Identifier: Apache-2.0
//! The log: what `libhilog_ndk.z.so` writes and how, and the voice of the project's other libraries.
//!
//! Everything here can be called at any time from any thread: before `main`, in static destructors, in a forked child.
//! No lock is held, nothing is allocated (but by [`inner`], for a callback), `errno` is left as it was, and a reader that does not read delays a line by
//! at most [`output::PATIENCE`].
//!
//! Each library of the project embeds a copy of this crate. Where `libhilog_ndk.z.so` is loaded, the copies hand their
//! messages to it (see [`attach`]), so that the user's callback sees them too.

pub mod attach;
mod clock;
pub mod environment;
pub mod filter;
pub mod format;
pub mod inner;
pub mod message;
pub mod output;
mod repeats;
mod system;
pub mod text;

use std::fmt::Arguments;
use std::sync::atomic::{AtomicBool, Ordering};

pub use filter::Level;
pub use message::Message;
pub use system::{Errno, NoCancellation, keep_errno, no_cancellation};

/// Logs an error of the library's own, as `C01510/IPCKit`: what was asked for was not done.
pub fn error(message: Arguments<'_>) {
    attach::say(Level::Error, message);
}

/// Logs a warning of the library's own: it goes on, but probably not as the user wants.
pub fn warn(message: Arguments<'_>) {
    attach::say(Level::Warn, message);
}

/// As [`error`], for what a loop of the program's can bring about: lines that differ in their numbers only are said at most once a
/// second. The first is said at once; one after a pause says how many there were in between.
pub fn error_once_a_second(message: Arguments<'_>) {
    attach::say_once_a_second(Level::Error, message, attach::say);
}

/// As [`warn`], and as [`error_once_a_second`].
pub fn warn_once_a_second(message: Arguments<'_>) {
    attach::say_once_a_second(Level::Warn, message, attach::say);
}

/// Logs something of the library's own that the user may want to know.
pub fn info(message: Arguments<'_>) {
    attach::say(Level::Info, message);
}

/// Logs something of the library's own that only helps to find a fault.
pub fn debug(message: Arguments<'_>) {
    attach::say(Level::Debug, message);
}

/// Says something once per process: one `static` of this type for each kind of thing to say.
///
/// ```
/// static SAID: ipckit_log::Once = ipckit_log::Once::new();
/// if SAID.first() {
///     ipckit_log::warn(format_args!("said once, however often this is reached"));
/// }
/// ```
///
/// Thread-safe and lock-free. A forked child inherits what its parent has said.
#[derive(Debug)]
pub struct Once(AtomicBool);

impl Once {
    /// Nothing said yet.
    pub const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// True for exactly one of all calls.
    pub fn first(&self) -> bool {
        !self.0.load(Ordering::Relaxed) && !self.0.swap(true, Ordering::Relaxed)
    }
}

impl Default for Once {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::Once;

    #[test]
    fn once_is_first_for_one_of_many_threads() {
        static SAID: Once = Once::new();
        let firsts: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| (0..100).filter(|_| SAID.first()).count())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(firsts, 1);
    }
}
