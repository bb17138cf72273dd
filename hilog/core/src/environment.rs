// SPDX-License-Identifier: Apache-2.0
//! What the environment asks of the log. Each variable is read when it is first needed, and once.

use crate::filter::Level;
use crate::output::write_own;
use crate::text::Text;
use crate::{Once, system};
use std::ffi::CStr;
use std::sync::atomic::{AtomicI32, AtomicU8, AtomicUsize, Ordering};

const LEVEL: &CStr = c"IPCKIT_LOG_LEVEL";
const PRIVACY: &CStr = c"IPCKIT_LOG_PRIVACY";
const FILE: &CStr = c"IPCKIT_LOG_FILE";

/// A small number that is found out once. Two threads that find it out at a time find the same.
struct Known(AtomicI32);

impl Known {
    const UNKNOWN: i32 = -1;

    const fn new() -> Self {
        Self(AtomicI32::new(Self::UNKNOWN))
    }

    fn get(&self, find_out: impl FnOnce() -> i32) -> i32 {
        let known = self.0.load(Ordering::Relaxed);
        if known != Self::UNKNOWN {
            return known;
        }
        let found = find_out();
        self.0.store(found, Ordering::Relaxed);
        found
    }
}

/// The system's lowest level: `IPCKIT_LOG_LEVEL`, else debug.
pub fn system_level() -> i32 {
    static KNOWN: Known = Known::new();
    KNOWN.get(|| system::environment(LEVEL, |value| value.and_then(parse_level)).unwrap_or(Level::Debug) as i32)
}

/// Whether private arguments are hidden: `IPCKIT_LOG_PRIVACY`.
pub fn privacy() -> bool {
    static KNOWN: Known = Known::new();
    // What is neither yes nor no hides: to show what was to be hidden would be the worse mistake.
    KNOWN.get(|| {
        system::environment(PRIVACY, |value| value.is_some_and(|value| parse_switch(value) != Some(false))).into()
    }) == 1
}

/// The path of a file, and its NUL.
pub(crate) type Path = Text<{ libc::PATH_MAX as usize }>;

/// The file that is asked for in place of stderr: `IPCKIT_LOG_FILE`, if not empty.
pub(crate) fn log_file() -> Option<Path> {
    static KNOWN: KnownPath = KnownPath::new();
    KNOWN.get(|| system::environment(FILE, |value| Path::from_bytes(value.unwrap_or_default())))
}

/// A path that is found out once. Nobody waits for a thread that does: a forked child may have lost it.
///
/// It is not kept in allocated memory, nor copied by the C library: a thread sanitizer sees what that does, and does not
/// see the order that the atomics of this library make.
struct KnownPath {
    state: AtomicU8,
    length: AtomicUsize,
    bytes: [AtomicU8; libc::PATH_MAX as usize],
}

impl KnownPath {
    const UNKNOWN: u8 = 0;
    const BEING_STORED: u8 = 1;
    const STORED: u8 = 2;

    const fn new() -> Self {
        Self {
            state: AtomicU8::new(Self::UNKNOWN),
            length: AtomicUsize::new(0),
            bytes: [const { AtomicU8::new(0) }; libc::PATH_MAX as usize],
        }
    }

    fn get(&self, find_out: impl FnOnce() -> Path) -> Option<Path> {
        if self.state.load(Ordering::Acquire) == Self::STORED {
            return self.stored();
        }
        let path = find_out();
        let (unknown, being_stored) = (Self::UNKNOWN, Self::BEING_STORED);
        if self.state.compare_exchange(unknown, being_stored, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            for (stored, byte) in self.bytes.iter().zip(path.as_bytes()) {
                stored.store(*byte, Ordering::Relaxed);
            }
            self.length.store(path.as_bytes().len(), Ordering::Relaxed);
            self.state.store(Self::STORED, Ordering::Release);
        }
        (!path.as_bytes().is_empty()).then_some(path)
    }

    fn stored(&self) -> Option<Path> {
        let length = self.length.load(Ordering::Relaxed);
        if length == 0 {
            return None;
        }
        let mut path = Path::new();
        for byte in &self.bytes[..length] {
            path.push(&[byte.load(Ordering::Relaxed)]);
        }
        Some(path)
    }
}

/// Warns of values that mean nothing: once, with the first message that this copy writes.
pub(crate) fn warn_of_unknown_values() {
    static WARNED: Once = Once::new();
    if !WARNED.first() {
        return;
    }
    warn_unless(LEVEL, "D, I, W, E or F; everything is logged", |value| parse_level(value).is_some());
    warn_unless(PRIVACY, "1 or 0; private arguments are hidden", |value| parse_switch(value).is_some());
}

fn warn_unless(name: &CStr, expected: &str, known: impl FnOnce(&[u8]) -> bool) {
    system::environment(name, |value| {
        if let Some(value) = value.filter(|value| !known(value)) {
            let (name, value) = (name.to_bytes().escape_ascii(), value.escape_ascii());
            write_own(Level::Warn, format_args!("{name}={value} is not one of {expected}"));
        }
    });
}

/// An empty value is as good as none.
fn parse_level(value: &[u8]) -> Option<Level> {
    match value {
        b"" | b"D" | b"d" => Some(Level::Debug),
        b"I" | b"i" => Some(Level::Info),
        b"W" | b"w" => Some(Level::Warn),
        b"E" | b"e" => Some(Level::Error),
        b"F" | b"f" => Some(Level::Fatal),
        _ => None,
    }
}

fn parse_switch(value: &[u8]) -> Option<bool> {
    match value {
        b"1" => Some(true),
        b"" | b"0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_by_letter() {
        assert_eq!(parse_level(b""), Some(Level::Debug));
        assert_eq!(parse_level(b"W"), Some(Level::Warn));
        assert_eq!(parse_level(b"f"), Some(Level::Fatal));
        assert_eq!(parse_level(b"WARN"), None);
        assert_eq!(parse_level(b"5"), None);
    }

    #[test]
    fn switches() {
        assert_eq!(parse_switch(b"1"), Some(true));
        assert_eq!(parse_switch(b"0"), Some(false));
        assert_eq!(parse_switch(b"yes"), None);
    }

    #[test]
    fn a_known_number_is_found_out_once() {
        let number = Known::new();
        assert_eq!(number.get(|| 6), 6);
        assert_eq!(number.get(|| 4), 6);
    }

    #[test]
    fn a_known_path_is_found_out_once() {
        let known = KnownPath::new();
        let path = |path: &str| Path::from_bytes(path.as_bytes());
        let bytes = |path: Option<Path>| path.map(|path| path.as_bytes().to_vec());
        assert_eq!(bytes(known.get(|| path("/first"))), Some(b"/first".to_vec()));
        assert_eq!(bytes(known.get(|| path("/second"))), Some(b"/first".to_vec()));
        let none = KnownPath::new();
        assert_eq!(bytes(none.get(|| path(""))), None);
        assert_eq!(bytes(none.get(|| path("/late"))), None);
    }
}
