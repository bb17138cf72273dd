// SPDX-License-Identifier: Apache-2.0
//! The call slots of one channel: which are free, and how often each was used.

use crate::shm::atomics::{AtomicU16, AtomicU32, AtomicU64, Ordering, fence};
use crate::shm::layout::CALL_SLOTS;
use crate::sys::lock::{Condvar, Mutex};

const WORDS: usize = CALL_SLOTS / 64;

/// A call slot in use, and the number of the call.
#[derive(Debug, PartialEq, Eq)]
pub struct CallSlot {
    pub(super) slot: u16,
    pub(super) call: u32,
}

#[derive(Debug)]
pub(super) struct CallSlots {
    free: [AtomicU64; WORDS],
    calls: Box<[AtomicU32]>,
    bells: Box<[AtomicU16]>,
    waiting: AtomicU32,
    gate: Mutex<()>,
    freed: Condvar,
}

impl Default for CallSlots {
    fn default() -> Self {
        Self {
            free: std::array::from_fn(|_| AtomicU64::new(u64::MAX)),
            calls: (0..CALL_SLOTS).map(|_| AtomicU32::new(0)).collect(),
            bells: (0..CALL_SLOTS).map(|_| AtomicU16::new(0)).collect(),
            waiting: AtomicU32::new(0),
            gate: Mutex::new(()),
            freed: Condvar::new(),
        }
    }
}

impl CallSlots {
    /// The lowest free slot, for a caller that sleeps on `bell`; `None` where all are in use.
    pub(super) fn try_acquire(&self, bell: u16) -> Option<CallSlot> {
        for (number, word) in self.free.iter().enumerate() {
            let mut free = word.load(Ordering::Relaxed);
            while free != 0 {
                let lowest = free & free.wrapping_neg();
                match word.compare_exchange_weak(free, free & !lowest, Ordering::Acquire, Ordering::Relaxed) {
                    Ok(_) => return Some(self.start(number * 64 + lowest.trailing_zeros() as usize, bell)),
                    Err(now) => free = now,
                }
            }
        }
        None
    }

    fn start(&self, slot: usize, bell: u16) -> CallSlot {
        self.bells[slot].store(bell, Ordering::Relaxed);
        let mut call = self.calls[slot].load(Ordering::Relaxed).wrapping_add(1);
        if call == 0 {
            call = 1; // 0 is what a reply slot says before its first reply
        }
        self.calls[slot].store(call, Ordering::Relaxed);
        CallSlot { slot: slot as u16, call }
    }

    /// A free slot, as soon as there is one; `None` once `given_up` says so, which is asked whenever the wait is woken.
    pub(super) fn acquire(&self, bell: u16, given_up: impl Fn() -> bool) -> Option<CallSlot> {
        if let Some(slot) = self.try_acquire(bell) {
            return Some(slot);
        }
        let mut gate = self.gate.lock();
        self.waiting.fetch_add(1, Ordering::SeqCst);
        // Who gives a slot back after the look below has seen that somebody waits.
        fence(Ordering::SeqCst);
        let slot = loop {
            if given_up() {
                break None;
            }
            if let Some(slot) = self.try_acquire(bell) {
                break Some(slot);
            }
            self.freed.wait(&mut gate);
        };
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        slot
    }

    pub(super) fn release(&self, slot: CallSlot) {
        let slot = usize::from(slot.slot);
        // In the one order that these two and the fence of who waits are in, it is seen to wait, or it has seen the slot.
        self.free[slot / 64].fetch_or(1 << (slot % 64), Ordering::SeqCst);
        if self.waiting.load(Ordering::SeqCst) != 0 {
            self.wake_all();
        }
    }

    /// Wakes all who wait for a slot.
    pub(super) fn wake_all(&self) {
        let _gate = self.gate.lock();
        self.freed.notify_all();
    }

    /// The bells of all callers.
    pub(super) fn bells_in_use(&self) -> impl Iterator<Item = u16> {
        self.slots_in_use().map(|slot| self.bells[slot].load(Ordering::Relaxed))
    }

    /// The slots in use, each with the number of its call or, where that just begins, of the one before.
    pub(super) fn calls_in_use(&self) -> impl Iterator<Item = (u16, u32)> {
        self.slots_in_use().map(|slot| (slot as u16, self.calls[slot].load(Ordering::Relaxed)))
    }

    fn slots_in_use(&self) -> impl Iterator<Item = usize> {
        self.free.iter().enumerate().flat_map(move |(number, word)| {
            let used = !word.load(Ordering::SeqCst);
            (0..64).filter(move |bit| used & (1 << bit) != 0).map(move |bit| number * 64 + bit)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn the_lowest_slot_is_used_first_and_counts_its_calls() {
        let slots = CallSlots::default();
        let first = slots.try_acquire(70).expect("free");
        let second = slots.try_acquire(71).expect("free");
        assert_eq!((first.slot, first.call, second.slot), (0, 1, 1));
        assert_eq!(slots.bells_in_use().collect::<Vec<_>>(), [70, 71]);
        assert_eq!(slots.calls_in_use().collect::<Vec<_>>(), [(0, 1), (1, 1)]);
        slots.release(first);
        assert_eq!(slots.try_acquire(72), Some(CallSlot { slot: 0, call: 2 }));
    }

    #[test]
    fn who_waits_for_a_slot_gets_the_next_one_freed() {
        let slots = Arc::new(CallSlots::default());
        let mut taken: Vec<_> = (0..CALL_SLOTS).map(|_| slots.try_acquire(0).expect("free")).collect();
        assert_eq!(slots.try_acquire(0), None);
        let waiter = std::thread::spawn({
            let slots = Arc::clone(&slots);
            move || slots.acquire(0, || false)
        });
        while slots.waiting.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        let last = taken.pop().expect("a slot");
        let number = last.slot;
        slots.release(last);
        assert_eq!(waiter.join().expect("the waiter").expect("a slot").slot, number);
    }

    #[test]
    fn a_wait_for_a_slot_can_be_given_up() {
        let slots = CallSlots::default();
        let _taken: Vec<_> = (0..CALL_SLOTS).map(|_| slots.try_acquire(0).expect("free")).collect();
        assert_eq!(slots.acquire(0, || true), None);
    }
}
