// SPDX-License-Identifier: Apache-2.0
//! Memory that the driver and the peers share, so that what a peer knew is not lost with it.
#![allow(unsafe_code)] // mmap

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use memfd::{FileSeal, MemfdOptions};

/// Places for peers. A peer that has died is followed by another one in its place.
pub(crate) const SLOTS: usize = 8;
/// Threads of a peer that make calls.
pub(crate) const THREADS: usize = 3;

macro_rules! fault_points {
    ($($(#[doc = $what:literal])+ $name:ident,)+) => {
        /// A step of the library.
        #[derive(Clone, Copy)]
        pub(crate) enum FaultPoint {
            $($(#[doc = $what])+ $name,)+
        }

        impl FaultPoint {
            pub(crate) const ALL: &[Self] = &[$(Self::$name),+];
            /// Their names.
            pub(crate) const NAMES: &[&str] = &[$(stringify!($name)),+];
        }
    };
}

include!("../../../src/sys/fault_point_list.rs");

mod page {
    use super::FaultPoint;
    include!("../../../src/sys/fault_page.rs");
}
pub(crate) use page::{DIE, FaultPage, STOP};

/// What a thread of a peer is doing.
#[repr(C)]
pub(crate) struct Doing {
    /// Which operation, as its number and 1, or 0 for none.
    pub(crate) operation: AtomicU32,
    /// Whom with.
    pub(crate) partner: AtomicU32,
    /// Since when, in nanoseconds of the monotonic clock.
    pub(crate) since: AtomicU64,
}

/// A place for peers.
#[repr(C)]
pub(crate) struct Slot {
    /// Which peer has it, counted from 1 over all places.
    pub(crate) incarnation: AtomicU64,
    /// When that peer was killed or crashed, in nanoseconds of the monotonic clock; 0 while it lives.
    pub(crate) died_at: AtomicU64,
    /// How it is to crash: a number of `crash::Crash` and 1, or 0 for not at all.
    pub(crate) crash: AtomicU32,
    pub(crate) doing: [Doing; THREADS],
}

/// Asynchronous messages from one peer to another.
#[repr(C)]
pub(crate) struct Pair {
    /// How many the sender has begun to send.
    pub(crate) begun: AtomicU64,
    /// How many of those the library has accepted.
    pub(crate) accepted: AtomicU64,
    /// How many have been handled, behind their sender's incarnation: see [`Pair::handled`].
    handled: AtomicU64,
    /// One was not accepted: who sends is not to go on, as nobody knows what becomes of that one.
    pub(crate) over: AtomicU64,
}

#[repr(C, align(4096))]
pub(crate) struct Board {
    pub(crate) slots: [Slot; SLOTS],
    /// By sender and receiver.
    pub(crate) pairs: [[Pair; SLOTS]; SLOTS],
    /// Whether calls that are held are to return.
    pub(crate) released: AtomicU32,
    /// Calls held now.
    pub(crate) held: AtomicU64,
    /// How often a peer was stopped or continued.
    pub(crate) stops: AtomicU64,
    /// How many are stopped.
    pub(crate) stopped: AtomicU64,
    /// Requests made, also those whose result was that the other is dead.
    pub(crate) calls: AtomicU64,
    /// Those.
    pub(crate) dead: AtomicU64,
    /// Things that were not as they have to be. Each is said on standard error.
    pub(crate) failures: AtomicU64,
    /// The longest time from a death to the return of a call that the dead peer had to do with, in nanoseconds.
    pub(crate) longest: AtomicU64,
    /// How many calls that was measured for.
    pub(crate) measured: AtomicU64,
}

impl Pair {
    const NUMBER_BITS: u32 = 32;

    /// Begins anew, for a sender's incarnation.
    pub(crate) fn begin(&self, incarnation: u64) {
        self.begun.store(0, Ordering::SeqCst);
        self.accepted.store(0, Ordering::SeqCst);
        self.over.store(0, Ordering::SeqCst);
        self.handled.store(incarnation << Self::NUMBER_BITS, Ordering::SeqCst);
    }

    /// How many of its messages have been handled.
    pub(crate) fn handled(&self) -> u64 {
        self.handled.load(Ordering::SeqCst) & ((1 << Self::NUMBER_BITS) - 1)
    }

    /// So many of the messages of a sender's incarnation are handled. Where another has followed it, that is of no interest any more.
    pub(crate) fn note_handled(&self, incarnation: u64, count: u64) {
        self.handled.fetch_max(incarnation << Self::NUMBER_BITS | count, Ordering::SeqCst);
    }
}

impl Board {
    pub(crate) fn pair(&self, sender: usize, receiver: usize) -> &Pair {
        &self.pairs[sender][receiver]
    }

    /// Takes note of a time from a death to a return.
    pub(crate) fn note_return(&self, nanoseconds: u64) {
        self.longest.fetch_max(nanoseconds, Ordering::SeqCst);
        self.measured.fetch_add(1, Ordering::SeqCst);
    }
}

/// What is laid over shared memory here: all of it atomics, for which zeroes are valid.
pub(crate) trait Atomics {}
impl Atomics for Board {}
impl Atomics for FaultPage {}

/// Shared memory, and the path by which other processes open it as long as this one lives.
pub(crate) struct Shared<T: Atomics + 'static> {
    pub(crate) memory: &'static T,
    file: File,
}

impl<T: Atomics> Shared<T> {
    /// New memory of zeroes. The mapping is never undone.
    pub(crate) fn create(name: &str) -> io::Result<Self> {
        let options = MemfdOptions::default().close_on_exec(true).allow_sealing(true);
        let file = options.create(name).map_err(io::Error::other)?;
        file.as_file().set_len(size_of::<T>() as u64)?;
        file.add_seals(&[FileSeal::SealShrink, FileSeal::SealGrow]).map_err(io::Error::other)?;
        let file = file.into_file();
        Ok(Self { memory: map(&file)?, file })
    }

    pub(crate) fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), self.file.as_raw_fd()))
    }
}

/// The memory at such a path.
pub(crate) fn open<T: Atomics>(path: &Path) -> io::Result<&'static T> {
    map(&File::options().read(true).write(true).open(path)?)
}

fn map<T: Atomics>(file: &File) -> io::Result<&'static T> {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let file = file.as_fd();
    // SAFETY: a fresh mapping at an address of the kernel's choice touches nothing that exists.
    let start =
        unsafe { libc::mmap(std::ptr::null_mut(), size_of::<T>(), protection, libc::MAP_SHARED, file.as_raw_fd(), 0) };
    if start == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the mapping is as long as a T, page-aligned, never unmapped, and all its patterns of bits are valid.
    Ok(unsafe { &*start.cast::<T>() })
}

/// The monotonic clock, which all processes share, in nanoseconds.
pub(crate) fn now() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a local that outlives the call.
    unsafe {
        libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now);
    }
    now.tv_sec.cast_unsigned() * 1_000_000_000 + now.tv_nsec.cast_unsigned()
}
