// SPDX-License-Identifier: Apache-2.0
//! File descriptors that have come over the socket and wait for the message that they belong to.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use crate::shm::layout::{ASYNC_ENTRIES, CALL_SLOTS};
use crate::sys::lock::{Condvar, Mutex};

/// A message has at most 8533 objects. A peer that has sent a few times as many which no message asks for is not well-behaved.
const MOST: usize = 4 * 8533;

/// Refused messages whose descriptors are still to come. They are sent ahead, so that is said of a few, for a moment: of what a peer has
/// under way at the most.
const MOST_REFUSED: usize = ASYNC_ENTRIES + 2 * CALL_SLOTS;

/// Descriptors are sent ahead of their message, so they are there, or are kept back only by a full socket.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is to become of a message's descriptors.
#[derive(Debug)]
enum Transfer {
    /// The message will ask for them.
    Kept(Vec<OwnedFd>),
    /// The message was refused: so many that have not arrived are to be closed.
    Refused(usize),
}

#[derive(Debug, Default)]
struct Arrived {
    transfers: HashMap<u64, Transfer>,
    kept: usize,
    refused: usize,
    ended: bool,
    /// All messages have been taken in.
    unwanted: bool,
}

impl Arrived {
    fn close_unwanted(&mut self) {
        if self.ended && self.unwanted {
            self.transfers = HashMap::new();
            self.kept = 0;
            self.refused = 0;
        }
    }
}

/// The descriptors of one channel.
#[derive(Debug, Default)]
pub(super) struct ArrivedDescriptors {
    arrived: Mutex<Arrived>,
    more: Condvar,
}

impl ArrivedDescriptors {
    /// Adds some; `false` where the peer has sent more than makes sense.
    pub(super) fn add(&self, transfer: u64, descriptors: Vec<OwnedFd>) -> bool {
        if descriptors.is_empty() {
            return false;
        }
        let mut arrived = self.arrived.lock();
        match arrived.transfers.entry(transfer).or_insert_with(|| Transfer::Kept(Vec::new())) {
            Transfer::Kept(kept) => {
                let count = descriptors.len();
                kept.extend(descriptors);
                arrived.kept += count;
            }
            Transfer::Refused(missing) => {
                *missing = missing.saturating_sub(descriptors.len());
                if *missing == 0 {
                    arrived.transfers.remove(&transfer);
                    arrived.refused -= 1;
                }
            }
        }
        self.more.notify_all();
        arrived.kept <= MOST
    }

    /// No more will come.
    pub(super) fn end(&self) {
        let mut arrived = self.arrived.lock();
        arrived.ended = true;
        arrived.close_unwanted();
        self.more.notify_all();
    }

    /// Waits until no more will come.
    pub(super) fn wait_for_end(&self) {
        let give_up = Instant::now() + PATIENCE;
        let mut arrived = self.arrived.lock();
        while !arrived.ended && self.more.wait_until(&mut arrived, give_up) {}
    }

    /// How many wait for their messages.
    pub(super) fn waiting(&self) -> usize {
        self.arrived.lock().kept
    }

    /// No message will ask for any more: what is there, or comes until the end, is closed at the end.
    pub(super) fn set_unwanted(&self) {
        let mut arrived = self.arrived.lock();
        arrived.unwanted = true;
        arrived.close_unwanted();
    }

    /// Whether the `count` descriptors of a message are all there, or will never be.
    pub(super) fn are_here(&self, transfer: u64, count: usize) -> bool {
        let arrived = self.arrived.lock();
        let kept = match arrived.transfers.get(&transfer) {
            Some(Transfer::Kept(kept)) => kept.len(),
            Some(Transfer::Refused(_)) | None => 0,
        };
        kept >= count || arrived.ended
    }

    /// The `count` descriptors of a message, once they are all there if that `is_to_wait`; `None` where they are not.
    pub(super) fn take(&self, transfer: u64, count: usize, is_to_wait: bool) -> Option<Vec<OwnedFd>> {
        let give_up = Instant::now() + PATIENCE;
        let mut arrived = self.arrived.lock();
        loop {
            match arrived.transfers.get(&transfer) {
                Some(Transfer::Kept(kept)) if kept.len() >= count => break,
                Some(Transfer::Refused(_)) => return None,
                _ if arrived.ended => return None,
                _ => {}
            }
            if !is_to_wait || !self.more.wait_until(&mut arrived, give_up) {
                return None;
            }
        }
        let Some(Transfer::Kept(kept)) = arrived.transfers.remove(&transfer) else { return None };
        arrived.kept -= kept.len();
        Some(kept)
    }

    /// Closes the `count` descriptors of a message that was refused, those that are still to come as well. `false` where more are to come
    /// than a peer has under way.
    pub(super) fn refuse(&self, transfer: u64, count: usize) -> bool {
        let mut arrived = self.arrived.lock();
        let here = match arrived.transfers.remove(&transfer) {
            Some(Transfer::Kept(kept)) => kept,
            Some(Transfer::Refused(_)) => {
                arrived.refused -= 1;
                Vec::new()
            }
            None => Vec::new(),
        };
        arrived.kept -= here.len();
        if here.len() < count && !arrived.ended {
            arrived.transfers.insert(transfer, Transfer::Refused(count - here.len()));
            arrived.refused += 1;
        }
        arrived.refused <= MOST_REFUSED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptors(count: usize) -> Vec<OwnedFd> {
        (0..count).map(|_| std::fs::File::open("/dev/null").expect("a file").into()).collect()
    }

    #[test]
    fn a_message_gets_its_descriptors_however_they_arrived() {
        let arrived = ArrivedDescriptors::default();
        assert!(arrived.add(1, descriptors(2)));
        assert!(arrived.add(2, descriptors(1)));
        assert!(arrived.add(1, descriptors(3)));
        assert!(arrived.take(2, 2, false).is_none());
        assert_eq!(arrived.take(1, 5, true).map(|taken| taken.len()), Some(5));
        assert_eq!(arrived.take(2, 1, false).map(|taken| taken.len()), Some(1));
        assert_eq!(arrived.arrived.lock().kept, 0);
    }

    #[test]
    fn descriptors_of_a_refused_message_are_closed_whenever_they_come() {
        let arrived = ArrivedDescriptors::default();
        arrived.add(1, descriptors(2));
        assert!(arrived.refuse(1, 5));
        assert_eq!(arrived.arrived.lock().kept, 0);
        arrived.add(1, descriptors(3));
        assert!(arrived.arrived.lock().transfers.is_empty());
    }

    #[test]
    fn nobody_waits_for_a_peer_that_is_gone() {
        let arrived = ArrivedDescriptors::default();
        arrived.add(1, descriptors(1));
        arrived.end();
        assert!(arrived.take(1, 2, true).is_none());
        assert!(arrived.take(1, 1, true).is_some());
    }

    #[test]
    fn a_peer_cannot_have_ever_more_noted() {
        let arrived = ArrivedDescriptors::default();
        assert!(!arrived.add(0, Vec::new()));
        assert!((0..MOST_REFUSED as u64).all(|transfer| arrived.refuse(transfer, 1)));
        assert!(arrived.refuse(0, 1), "the same one is not counted twice");
        assert!(!arrived.refuse(u64::MAX, 1));
        assert_eq!(arrived.waiting(), 0);
    }

    #[test]
    fn what_no_message_asks_for_is_closed_at_the_end() {
        for end_first in [false, true] {
            let arrived = ArrivedDescriptors::default();
            arrived.add(1, descriptors(3));
            let steps: [fn(&ArrivedDescriptors); 2] = [ArrivedDescriptors::end, ArrivedDescriptors::set_unwanted];
            steps[usize::from(!end_first)](&arrived);
            assert_eq!(arrived.arrived.lock().kept, 3);
            steps[usize::from(end_first)](&arrived);
            assert!(arrived.arrived.lock().transfers.is_empty());
        }
    }
}
