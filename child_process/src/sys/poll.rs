// SPDX-License-Identifier: Apache-2.0
//! Waiting for descriptors, and a bell that one thread rings for another.
#![allow(unsafe_code)] // system calls

use std::ffi::{c_int, c_short, c_ulong, c_void};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::ptr;
use std::thread;
use std::time::{Duration, Instant};

use super::channel::{Channel, Received};
use super::process;

/// How long a wait takes that the kernel refuses.
const PAUSE: Duration = Duration::from_millis(10);

/// What to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interest {
    /// Something to read, or a hang-up.
    Readable,
    /// A hang-up alone.
    HangUp,
}

/// What a descriptor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// Nothing.
    Idle,
    /// What was waited for.
    Ready,
    /// The number names no open descriptor: somebody has closed it.
    Closed,
}

/// Waits until one of the descriptors has what is asked of it or the deadline has passed.
pub(crate) fn wait(waits: &[(BorrowedFd<'_>, Interest)], deadline: Option<Instant>) -> Vec<Readiness> {
    let mut entries: Vec<libc::pollfd> = waits
        .iter()
        .map(|(descriptor, interest)| libc::pollfd {
            fd: descriptor.as_raw_fd(),
            events: if *interest == Interest::Readable { libc::POLLIN } else { 0 },
            revents: 0,
        })
        .collect();
    // SAFETY: the kernel writes within the entries. An interrupted call leaves them without results.
    let result =
        unsafe { libc::poll(entries.as_mut_ptr(), entries.len() as libc::nfds_t, milliseconds_until(deadline)) };
    if result == -1 {
        match io::Error::last_os_error().raw_os_error() {
            // More than the program's limit now allows it to open.
            Some(libc::EINVAL) => return select(waits, deadline),
            Some(libc::EINTR) => {}
            // Who waits again at once must not keep a processor busy.
            _ => thread::sleep(
                PAUSE.min(deadline.map_or(PAUSE, |deadline| deadline.saturating_duration_since(Instant::now()))),
            ),
        }
    }
    entries.iter().map(|entry| readiness(entry.revents)).collect()
}

/// As [`wait`], whatever the limit of the number of descriptors; a hang-up alone is not seen.
fn select(waits: &[(BorrowedFd<'_>, Interest)], deadline: Option<Instant>) -> Vec<Readiness> {
    const BITS: usize = c_ulong::BITS as usize;
    let numbers: Vec<Option<usize>> = waits
        .iter()
        .map(|(descriptor, interest)| {
            (*interest == Interest::Readable).then(|| usize::try_from(descriptor.as_raw_fd()).ok()).flatten()
        })
        .collect();
    // The call does not look at a number that is higher than any that was ever open, and waits on.
    let is_closed = |number: usize| !process::is_open(number as c_int);
    let deadline = if numbers.iter().flatten().copied().any(is_closed) { Some(Instant::now()) } else { deadline };
    let count = numbers.iter().flatten().max().map_or(0, |most| most + 1);
    let mut set: Vec<c_ulong> = vec![0; count.div_ceil(BITS)];
    for number in numbers.iter().flatten() {
        set[number / BITS] |= 1 << (number % BITS);
    }
    let time = deadline.map(|deadline| {
        let left = deadline.saturating_duration_since(Instant::now());
        libc::timespec { tv_sec: left.as_secs() as libc::time_t, tv_nsec: left.subsec_nanos().into() }
    });
    let time = time.as_ref().map_or(ptr::null(), ptr::from_ref);
    let nothing = ptr::null::<c_void>();
    // SAFETY: the kernel reads and writes as many bits as it is told, all in the set, and reads the time.
    let result = unsafe { libc::syscall(libc::SYS_pselect6, count, set.as_mut_ptr(), nothing, nothing, time, nothing) };
    let is_set = |number: usize| result > 0 && set[number / BITS] & (1 << (number % BITS)) != 0;
    let readiness = |number: Option<usize>| match number {
        // Then the call has failed as a whole, or left its bit as it was.
        Some(number) if is_closed(number) => Readiness::Closed,
        Some(number) if is_set(number) => Readiness::Ready,
        _ => Readiness::Idle,
    };
    numbers.into_iter().map(readiness).collect()
}

fn readiness(results: c_short) -> Readiness {
    match results {
        0 => Readiness::Idle,
        results if results & libc::POLLNVAL != 0 => Readiness::Closed,
        _ => Readiness::Ready,
    }
}

/// Rounded up, so that the deadline has passed when the wait is over.
fn milliseconds_until(deadline: Option<Instant>) -> c_int {
    let Some(deadline) = deadline else { return -1 };
    let left = deadline.saturating_duration_since(Instant::now());
    let rounded_up = left + Duration::from_nanos(999_999);
    c_int::try_from(rounded_up.as_millis()).unwrap_or(c_int::MAX)
}

/// Wakes a thread that waits for it with [`wait`]. A pair of sockets: nothing is ever written to another file that has got its number.
#[derive(Debug)]
pub(crate) struct Bell {
    heard: Channel,
    rung: Channel,
}

impl Bell {
    pub(crate) fn new() -> io::Result<Self> {
        let (heard, rung) = Channel::pair()?;
        Ok(Self { heard, rung })
    }

    /// Rings; whether anybody can hear it, which is not so where the program has closed it. It stays ringing until it is silenced.
    pub(crate) fn ring(&self) -> bool {
        // Refused also where it rings so much that no more is needed.
        let _ = self.rung.send(&[1]);
        self.is_ours()
    }

    pub(crate) fn silence(&self) {
        while matches!(self.heard.receive(&mut [0]), Ok(Received::Packet(_))) {}
    }

    /// Whether the program has let it be.
    pub(crate) fn is_ours(&self) -> bool {
        self.heard.is_ours() && self.rung.is_ours()
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.heard.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn a_ring_ends_a_wait_and_lasts_until_silenced() {
        let bell = Bell::new().unwrap();
        let far_off = Some(Instant::now() + Duration::from_secs(60));
        thread::scope(|scope| {
            scope.spawn(|| assert!(bell.ring()));
            assert_eq!(wait(&[(bell.descriptor(), Interest::Readable)], far_off), [Readiness::Ready]);
        });
        bell.ring();
        bell.silence();
        assert_eq!(wait(&[(bell.descriptor(), Interest::Readable)], Some(Instant::now())), [Readiness::Idle]);
    }

    #[test]
    fn without_poll_the_same_comes_out() {
        let (ringing, quiet) = (Bell::new().unwrap(), Bell::new().unwrap());
        let both = [(quiet.descriptor(), Interest::Readable), (ringing.descriptor(), Interest::Readable)];
        let soon = Instant::now() + Duration::from_millis(2);
        assert_eq!(select(&both, Some(soon)), [Readiness::Idle, Readiness::Idle]);
        assert!(Instant::now() >= soon);
        thread::scope(|scope| {
            scope.spawn(|| assert!(ringing.ring()));
            assert_eq!(select(&both, None), [Readiness::Idle, Readiness::Ready]);
        });
        assert_eq!(select(&[], Some(Instant::now())), []);
        // SAFETY: a number that no descriptor has, and that is only asked about.
        let closed = unsafe { BorrowedFd::borrow_raw(1 << 20) };
        let with_closed = [(ringing.descriptor(), Interest::Readable), (closed, Interest::Readable)];
        assert_eq!(select(&with_closed, None)[1], Readiness::Closed);
        assert_eq!(select(&with_closed[1..], None), [Readiness::Closed]);
    }

    #[test]
    fn when_a_wait_is_over_the_deadline_has_passed() {
        let deadline = Instant::now() + Duration::from_micros(1500);
        wait(&[], Some(deadline));
        assert!(Instant::now() >= deadline);
    }
}
