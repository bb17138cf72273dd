// SPDX-License-Identifier: Apache-2.0
//! A ping-pong between two processes over two futex words in shared memory: the yardstick. It looks for 1 µs, then
//! looks and yields the processor until 50 µs are over, then sleeps; or it sleeps at once.

use std::os::fd::{FromRawFd, OwnedFd};
use std::ptr::null;
use std::sync::atomic::{AtomicU32, Ordering, fence};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use memmap2::{MmapOptions, MmapRaw};
use nix::sys::memfd::{MFdFlags, memfd_create};

use super::{Caller, MOST_BYTES};
use crate::processes::{Child, numbers};

const LOOK: Duration = Duration::from_micros(1);
const LOOK_AND_YIELD: Duration = Duration::from_micros(50);
/// Nobody waits longer than this for a reply.
const PATIENCE: Duration = Duration::from_secs(10);

/// One direction. A small message lies in the cache line of its word.
#[repr(C, align(64))]
struct Side {
    turn: AtomicU32,
    sleeping: AtomicU32,
    length: AtomicU32,
    bytes: [u8; MOST_BYTES],
}

#[repr(C)]
struct Shared {
    there: Side,
    back: Side,
}

/// The mapping of both directions.
struct Memory(MmapRaw);

impl Memory {
    fn map(descriptor: &OwnedFd) -> Result<Self> {
        Ok(Self(MmapOptions::new().len(size_of::<Shared>()).populate().map_raw(descriptor)?))
    }

    fn there(&self) -> Direction {
        // SAFETY: the mapping has room for a Shared.
        Direction(unsafe { &raw mut (*self.0.as_mut_ptr().cast::<Shared>()).there })
    }

    fn back(&self) -> Direction {
        // SAFETY: as above.
        Direction(unsafe { &raw mut (*self.0.as_mut_ptr().cast::<Shared>()).back })
    }
}

/// Used only as long as its Memory is there.
#[derive(Clone, Copy)]
struct Direction(*mut Side);

impl Direction {
    fn words(&self) -> (&AtomicU32, &AtomicU32, &AtomicU32) {
        // SAFETY: atomics in a mapping that outlives this value.
        unsafe { (&(*self.0).turn, &(*self.0).sleeping, &(*self.0).length) }
    }

    /// Copies a message in, and says that it is there.
    fn put(&self, bytes: &[u8], turn: u32) {
        let (word, sleeping, length) = self.words();
        // SAFETY: there is room for MOST_BYTES, and the other side does not look before the turn is its.
        unsafe { (&raw mut (*self.0).bytes).cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        length.store(bytes.len() as u32, Ordering::Relaxed);
        word.store(turn, Ordering::SeqCst);
        if sleeping.load(Ordering::SeqCst) != 0 {
            // SAFETY: the word is valid.
            unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, 1) };
        }
    }

    /// Copies the message out that is there now.
    fn take<'a>(&self, room: &'a mut [u8]) -> &'a [u8] {
        let length = (self.words().2.load(Ordering::Relaxed) as usize).min(room.len());
        // SAFETY: the mapping has room for MOST_BYTES, and `room` for `length`.
        unsafe { (&raw const (*self.0).bytes).cast::<u8>().copy_to_nonoverlapping(room.as_mut_ptr(), length) };
        &room[..length]
    }

    fn wait(&self, turn: u32, looking: bool) -> bool {
        let (word, _, _) = self.words();
        if looking {
            let start = Instant::now();
            loop {
                for _ in 0..8 {
                    if word.load(Ordering::Acquire) == turn {
                        return true;
                    }
                    std::hint::spin_loop();
                }
                let waited = start.elapsed();
                if waited >= LOOK_AND_YIELD {
                    break;
                }
                if waited >= LOOK {
                    std::thread::yield_now();
                }
            }
        }
        self.sleep(turn)
    }

    fn sleep(&self, turn: u32) -> bool {
        let (word, sleeping, _) = self.words();
        let mut patience = 1;
        loop {
            let seen = word.load(Ordering::SeqCst);
            if seen == turn {
                return true;
            }
            if patience == 0 {
                return false;
            }
            sleeping.store(1, Ordering::SeqCst);
            fence(Ordering::SeqCst);
            let limit = libc::timespec { tv_sec: PATIENCE.as_secs() as i64, tv_nsec: 0 };
            // SAFETY: word and limit are valid.
            let result = unsafe {
                libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, seen, &raw const limit, null::<u8>(), 0)
            };
            // Only the sleeper itself takes this back: a waker that does, and does so late, would hide the next sleep.
            sleeping.store(0, Ordering::Relaxed);
            if result != 0 && std::io::Error::last_os_error().raw_os_error() == Some(libc::ETIMEDOUT) {
                patience -= 1;
            }
        }
    }
}

struct Bare {
    memory: Memory,
    looking: bool,
    turn: u32,
    room: Vec<u8>,
}

pub fn start(role: &str, looking: bool) -> Result<(Box<dyn Caller>, Child)> {
    let descriptor = memfd_create(c"ipckit-bench", MFdFlags::MFD_CLOEXEC)?;
    nix::unistd::ftruncate(&descriptor, size_of::<Shared>() as i64)?;
    let memory = Memory::map(&descriptor)?;
    let server = Child::start(role, &numbers(&[&descriptor]), &[&descriptor])?;
    Ok((Box::new(Bare { memory, looking, turn: 0, room: vec![0; MOST_BYTES] }), server))
}

impl Caller for Bare {
    fn call(&mut self, request: &[u8], see: &mut dyn FnMut(&[u8])) -> Result<()> {
        ensure!(request.len() <= MOST_BYTES, "a request of {} bytes", request.len());
        self.turn = self.turn.wrapping_add(1);
        self.memory.there().put(request, self.turn);
        if !self.memory.back().wait(self.turn, self.looking) {
            bail!("no reply within {PATIENCE:?}");
        }
        see(self.memory.back().take(&mut self.room));
        Ok(())
    }
}

pub fn serve(arguments: &[String], looking: bool) -> Result<()> {
    // SAFETY: the caller of this program hands the descriptor over.
    let descriptor = unsafe { OwnedFd::from_raw_fd(arguments[0].parse()?) };
    let memory = Memory::map(&descriptor)?;
    let mut own = vec![0; MOST_BYTES];
    let mut turn = 0u32;
    loop {
        turn = turn.wrapping_add(1);
        while !memory.there().wait(turn, looking) {}
        let message = memory.there().take(&mut own);
        memory.back().put(message, turn);
    }
}
