// SPDX-License-Identifier: Apache-2.0
//! Doorbells: how one process wakes a chosen thread of another.
#![allow(unsafe_code)] // types laid over shared memory

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::atomic::AtomicUsize;

use super::atomics::{AtomicU32, AtomicU64, Ordering, fence};
use super::layout::{CALLER_BELLS, CHANNEL_WORDS, DoorbellPage, WORKER_BELLS};
use crate::sys::fault_point::FaultPoint;
use crate::sys::futex;
use crate::sys::mapping::{self, Mapping, Writers};

/// A doorbell page: this process's own, or a peer's.
#[derive(Debug)]
pub struct Doorbells {
    mapping: Mapping,
    /// How many words of channel bits are in use. What lies in the others is garbage.
    words: AtomicUsize,
}

impl Doorbells {
    /// A new page and the descriptor by which peers map it.
    pub fn create() -> io::Result<(Self, OwnedFd)> {
        let (mapping, file) = mapping::create("ipckit-doorbells", size_of::<DoorbellPage>(), Writers::Everybody)?;
        Ok((Self { mapping, words: AtomicUsize::new(0) }, file))
    }

    /// Maps a peer's page.
    pub fn map(file: BorrowedFd<'_>) -> io::Result<Self> {
        let mapping = Mapping::shared(file, size_of::<DoorbellPage>())?;
        Ok(Self { mapping, words: AtomicUsize::new(0) })
    }

    fn page(&self) -> &DoorbellPage {
        // SAFETY: the mapping is as long and as aligned as a page and lives as long as self; a page is all atomics.
        unsafe { self.mapping.start().cast::<DoorbellPage>().as_ref() }
    }

    /// The bell with this number, which a peer may have given: beyond the last, they begin again.
    pub fn bell(&self, number: u16) -> &AtomicU32 {
        &self.page().bells[usize::from(number) % (WORKER_BELLS + CALLER_BELLS)].0
    }

    /// Rings a bell, and wakes who sleeps on it.
    pub fn ring(&self, number: u16) {
        let bell = self.bell(number);
        FaultPoint::BellCounted.around(|| bell.fetch_add(1, Ordering::Release));
        FaultPoint::SleeperWoken.around(|| futex::wake(bell, i32::MAX));
    }

    fn idle_workers(&self) -> &AtomicU64 {
        &self.page().idle_workers.0
    }

    /// Says that the worker with this bell sleeps, or is about to.
    pub fn set_idle(&self, worker: u16) {
        FaultPoint::WorkerSleeps.around(|| self.idle_workers().fetch_or(1 << worker, Ordering::SeqCst));
    }

    /// Takes the worker's word back. `false` where somebody had taken it: they ring, or have rung.
    pub fn clear_idle(&self, worker: u16) -> bool {
        let bit = 1 << worker;
        FaultPoint::WorkerIsAwake.around(|| self.idle_workers().fetch_and(!bit, Ordering::SeqCst)) & bit != 0
    }

    /// Wakes one sleeping worker; `false` where none sleeps.
    pub fn wake_worker(&self) -> bool {
        let idle = self.idle_workers();
        let mut workers = idle.load(Ordering::SeqCst);
        while workers != 0 {
            let lowest = workers & workers.wrapping_neg();
            let claim = || idle.compare_exchange_weak(workers, workers & !lowest, Ordering::SeqCst, Ordering::SeqCst);
            match FaultPoint::SleeperClaimed.around(claim) {
                Ok(_) => {
                    self.ring(lowest.trailing_zeros() as u16);
                    return true;
                }
                Err(now) => workers = now,
            }
        }
        false
    }

    /// Rings every worker's bell, whatever the idle mask says: for when it may hold garbage.
    pub fn wake_all_workers(&self) {
        (0..WORKER_BELLS as u16).for_each(|worker| self.ring(worker));
    }

    /// Says that the channel has requests that nobody looks at.
    pub fn set_pending(&self, channel: u16) {
        set(&self.page().pending.0, channel, FaultPoint::PendingSet);
    }

    /// Says that the channel has requests for waiting threads.
    pub fn set_pending_nested(&self, channel: u16) {
        set(&self.page().pending_nested.0, channel, FaultPoint::PendingNestedSet);
    }

    /// From now on the bit of this channel is looked at. To be called before the peer is told the channel's number.
    pub fn note_channel(&self, channel: u16) {
        self.words.fetch_max(usize::from(channel % CHANNEL_BITS) / 64 + 1, Ordering::Relaxed);
    }

    fn in_use<'a>(&self, words: &'a [AtomicU64; CHANNEL_WORDS]) -> &'a [AtomicU64] {
        &words[..self.words.load(Ordering::Relaxed).min(CHANNEL_WORDS)]
    }

    /// Whether any channel has requests that nobody looks at.
    #[inline]
    pub fn any_pending(&self) -> bool {
        self.in_use(&self.page().pending.0).iter().any(|word| word.load(Ordering::Relaxed) != 0)
    }

    /// Whether any channel has requests for waiting threads.
    pub fn any_pending_nested(&self) -> bool {
        self.in_use(&self.page().pending_nested.0).iter().any(|word| word.load(Ordering::Relaxed) != 0)
    }

    /// Takes the bits of all channels that have requests, in the form of their numbers modulo [`CHANNEL_BITS`].
    pub fn take_pending(&self) -> Vec<u16> {
        take(self.in_use(&self.page().pending.0))
    }

    /// Takes the bits of all channels that have requests for waiting threads.
    pub fn take_pending_nested(&self) -> Vec<u16> {
        take(self.in_use(&self.page().pending_nested.0))
    }
}

/// Channels with a bit of their own.
pub const CHANNEL_BITS: u16 = (CHANNEL_WORDS * 64) as u16;

fn set(words: &[AtomicU64; CHANNEL_WORDS], channel: u16, step: FaultPoint) {
    let channel = channel % CHANNEL_BITS;
    let word = &words[usize::from(channel / 64)];
    let bit = 1 << (channel % 64);
    // A bit that is set already was set by somebody who also saw to a worker.
    if word.load(Ordering::Relaxed) & bit == 0 {
        step.around(|| word.fetch_or(bit, Ordering::SeqCst));
    }
}

fn take(words: &[AtomicU64]) -> Vec<u16> {
    let mut channels = Vec::new();
    for (number, word) in words.iter().enumerate() {
        if word.load(Ordering::Relaxed) == 0 {
            continue;
        }
        let mut bits = FaultPoint::PendingTaken.around(|| word.swap(0, Ordering::SeqCst));
        while bits != 0 {
            channels.push((number * 64) as u16 + bits.trailing_zeros() as u16);
            bits &= bits - 1;
        }
    }
    fence(Ordering::SeqCst);
    channels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_idle_worker_is_woken_once() {
        let (doorbells, _file) = Doorbells::create().expect("a page");
        assert!(!doorbells.wake_worker());
        doorbells.set_idle(5);
        doorbells.set_idle(3);
        assert!(doorbells.wake_worker());
        assert_eq!(doorbells.bell(3).load(Ordering::Relaxed), 1);
        assert!(!doorbells.clear_idle(3));
        assert!(doorbells.clear_idle(5));
        assert!(!doorbells.wake_worker());
    }

    #[test]
    fn pending_bits_are_taken_once() {
        let (doorbells, _file) = Doorbells::create().expect("a page");
        for channel in [0, 63, 64, 1000, 1024 + 7] {
            doorbells.note_channel(channel);
            doorbells.set_pending(channel);
        }
        assert!(doorbells.any_pending());
        assert_eq!(doorbells.take_pending(), [0, 7, 63, 64, 1000]);
        assert!(!doorbells.any_pending());
        assert_eq!(doorbells.take_pending(), []);
    }

    #[test]
    fn bits_of_channels_that_there_are_not_are_garbage() {
        let (doorbells, _file) = Doorbells::create().expect("a page");
        doorbells.note_channel(63);
        doorbells.set_pending(64);
        assert!(!doorbells.any_pending());
        assert_eq!(doorbells.take_pending(), []);
        doorbells.note_channel(64);
        assert_eq!(doorbells.take_pending(), [64]);
    }
}
