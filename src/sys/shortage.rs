// SPDX-License-Identifier: Apache-2.0
//! What to do where the system refuses something.

use std::fmt;
use std::io;

/// An error of the system's with what its reader can do about it, where that can be told.
#[derive(Debug)]
pub struct Explained<'a>(pub &'a io::Error);

impl fmt::Display for Explained<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(error) = self;
        match advice(error) {
            Some(advice) => write!(formatter, "{error}; {advice}"),
            None => write!(formatter, "{error}"),
        }
    }
}

/// Whether the system has refused something to this very process: another one's end is no such thing.
pub fn is_refusal(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionRefused, ConnectionReset, NotConnected};
    error.raw_os_error().is_some()
        && !matches!(error.kind(), BrokenPipe | ConnectionRefused | ConnectionReset | NotConnected)
}

fn advice(error: &io::Error) -> Option<&'static str> {
    Some(match error.raw_os_error()? {
        libc::EMFILE => "raise the limit of open files (ulimit -n)",
        libc::ENOSPC => "raise fs.epoll.max_user_watches",
        libc::ENFILE => "the whole system has too many open files (fs.file-max)",
        libc::EFBIG => "raise the limit of file sizes (ulimit -f), which shared memory counts for",
        libc::ENOMEM => "memory is short: raise its limit (ulimit -v), or free some",
        // A thread without memory for its stack gets this too.
        libc::EAGAIN => "raise the limit of threads (ulimit -u, pids.max) and of memory (ulimit -v)",
        libc::EPERM | libc::EACCES | libc::ENOSYS => "a sandbox or seccomp filter forbids it, and has to allow it",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_another_process_is_no_refusal_of_the_systems() {
        let is_refusal = |number| is_refusal(&io::Error::from_raw_os_error(number));
        assert!(is_refusal(libc::EMFILE));
        assert!(is_refusal(libc::ENOMEM));
        assert!(!is_refusal(libc::ECONNREFUSED));
        assert!(!is_refusal(libc::EPIPE));
        assert!(!super::is_refusal(&io::Error::other("another user's")));
    }

    #[test]
    fn what_is_known_is_explained() {
        let explained = |number| Explained(&io::Error::from_raw_os_error(number)).to_string();
        assert!(explained(libc::EMFILE).contains("ulimit -n"));
        assert!(explained(libc::EPERM).contains("seccomp"));
        assert!(!explained(libc::EPIPE).contains(';'));
        assert_eq!(Explained(&io::Error::other("told elsewhere")).to_string(), "told elsewhere");
    }
}
