// SPDX-License-Identifier: Apache-2.0
//! Peers that have said that they have work, the one first whose work has waited longest.
//!
//! Whoever takes pending bits puts their peers here at once, so that those that it does not serve itself are there for other workers.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::atomic::{self, AtomicUsize};

use crate::object::Peer;
use crate::sys::lock::Mutex;
use crate::sys::thread;

/// A peer, and when the oldest of its work was sent.
struct Ready<P> {
    /// In microseconds of the monotonic clock.
    sent_at: u64,
    peer: Arc<P>,
}

impl<P> Ord for Ready<P> {
    /// The oldest is the greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        other.sent_at.cmp(&self.sent_at)
    }
}

impl<P> PartialOrd for Ready<P> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<P> PartialEq for Ready<P> {
    fn eq(&self, other: &Self) -> bool {
        self.sent_at == other.sent_at
    }
}

impl<P> Eq for Ready<P> {}

/// The peers that have work. Any worker may add and take.
pub(super) struct ReadyPeers<P = Peer> {
    heap: Mutex<BinaryHeap<Ready<P>>>,
    count: AtomicUsize,
}

impl<P> Default for ReadyPeers<P> {
    fn default() -> Self {
        Self { heap: Mutex::new(BinaryHeap::new()), count: AtomicUsize::new(0) }
    }
}

/// A time with its high bits, of which a record has only the low ones; it is less than 35 minutes from now.
fn whole(sent_at: u32, now_us: u64) -> u64 {
    now_us.wrapping_add_signed(sent_at.wrapping_sub(now_us as u32).cast_signed().into())
}

impl<P> ReadyPeers<P> {
    /// Whether there are any.
    #[inline]
    pub(super) fn any(&self) -> bool {
        self.count.load(atomic::Ordering::SeqCst) != 0
    }

    /// Adds those of the peers that have work, as `oldest_work` says.
    pub(super) fn add(&self, peers: impl Iterator<Item = Arc<P>>, oldest_work: impl Fn(&P) -> Option<u32>) {
        let now = thread::nanoseconds() / 1000;
        let ready = peers.filter_map(|peer| Some(Ready { sent_at: whole(oldest_work(&peer)?, now), peer }));
        let ready: Vec<_> = ready.collect();
        let mut heap = self.heap.lock();
        heap.extend(ready);
        self.count.store(heap.len(), atomic::Ordering::SeqCst);
    }

    /// Takes the peer whose work has waited longest. What it had when it was added somebody else may have taken since.
    pub(super) fn take_oldest(&self, oldest_work: impl Fn(&P) -> Option<u32>) -> Option<Arc<P>> {
        let now = thread::nanoseconds() / 1000;
        // Let go of when nothing is locked any more: it may be the last reference.
        let mut idle = Vec::new();
        let mut heap = self.heap.lock();
        let mut oldest = None;
        while let Some(Ready { sent_at, peer }) = heap.pop() {
            let Some(is) = oldest_work(&peer).map(|is| whole(is, now)) else {
                idle.push(peer);
                continue;
            };
            if is <= sent_at {
                oldest = Some(peer);
                break;
            }
            heap.push(Ready { sent_at: is, peer });
        }
        self.count.store(heap.len(), atomic::Ordering::SeqCst);
        oldest
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    const NOTHING: u32 = u32::MAX;

    fn oldest_work(peer: &AtomicU32) -> Option<u32> {
        Some(peer.load(atomic::Ordering::Relaxed)).filter(|sent_at| *sent_at != NOTHING)
    }

    #[test]
    fn the_oldest_comes_first_by_what_it_has_now() {
        let now = (thread::nanoseconds() / 1000) as u32;
        let peers = [5, 9, 7, 8].map(|age| Arc::new(AtomicU32::new(now.wrapping_sub(age))));
        let ready = ReadyPeers::default();
        ready.add(peers.iter().cloned(), oldest_work);
        // Somebody has served the oldest meanwhile, and it has newer work; and another, which has none.
        peers[1].store(now.wrapping_sub(6), atomic::Ordering::Relaxed);
        peers[3].store(NOTHING, atomic::Ordering::Relaxed);
        for expected in [2, 1, 0] {
            assert!(ready.any());
            let taken = ready.take_oldest(oldest_work).expect("a peer");
            assert!(Arc::ptr_eq(&taken, &peers[expected]), "number {expected}");
        }
        assert!(ready.take_oldest(oldest_work).is_none());
        assert!(!ready.any());
    }

    #[test]
    fn times_get_their_high_bits_back() {
        let now = (7 << 32) + 10;
        assert_eq!(whole(3, now), now - 7);
        assert_eq!(whole(u32::MAX, now), now - 11);
        assert_eq!(whole(12, now), now + 2);
    }
}
