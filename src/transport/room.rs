// SPDX-License-Identifier: Apache-2.0
//! The room a process has for messages it has received and not yet freed. Its peers see how much of it is taken.

use std::sync::Arc;

use super::Own;
use crate::host::mutation::Mutation;
use crate::shm::atomics::{AtomicU64, Ordering};
use crate::sys::fault_point::FaultPoint;

/// How much room there is and how much of it is taken. Shared by all threads of the process.
#[derive(Debug)]
pub struct Room {
    own: Arc<Own>,
    limit: u64,
}

impl Room {
    /// Room for `limit` bytes, as the peers of `own` are told.
    ///
    /// It stays for good, as what is received may: nothing counts who uses it.
    pub fn new(own: &Arc<Own>, limit: u64) -> &'static Self {
        own.status.set_room(limit);
        Box::leak(Box::new(Self { own: Arc::clone(own), limit }))
    }

    fn in_use(&self) -> &AtomicU64 {
        self.own.status.room_in_use()
    }

    /// How many of it asynchronous messages may take.
    pub fn most_async(&self) -> u64 {
        self.limit / 2
    }

    /// Whether `bytes` more could be too many, if asynchronous messages that are still on their way took all they may.
    pub fn may_be_short_of(&self, bytes: usize) -> bool {
        self.used().saturating_add(bytes as u64) > self.limit - self.most_async()
    }

    /// Takes `bytes` of it until the reservation is dropped; `None` where that much is not free.
    pub fn reserve(&'static self, bytes: usize) -> Option<Reservation> {
        self.reserve_beside(bytes, 0)
    }

    /// The same where `promised` bytes besides those in use are not free.
    pub fn reserve_beside(&'static self, bytes: usize, promised: u64) -> Option<Reservation> {
        let bytes = if Mutation::SyncTakesNoRoom.is_on() { 0 } else { bytes as u64 };
        let more = |used: u64| {
            let total = used.checked_add(bytes)?;
            (total.checked_add(promised)? <= self.limit).then_some(total)
        };
        FaultPoint::RoomTaken
            .around(|| self.in_use().fetch_update(Ordering::AcqRel, Ordering::Acquire, more))
            .ok()
            .map(|_| Reservation { room: self, bytes })
    }

    /// Takes `bytes` of it whether or not they are free: their sender has seen to that.
    pub fn take(&'static self, bytes: usize) -> Reservation {
        let bytes = bytes as u64;
        FaultPoint::RoomTaken.around(|| self.in_use().fetch_add(bytes, Ordering::AcqRel));
        Reservation { room: self, bytes }
    }

    /// How many bytes there may be.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Bytes taken now.
    pub fn used(&self) -> u64 {
        self.in_use().load(Ordering::Acquire)
    }
}

/// Room taken by one message; given back when dropped.
#[derive(Debug)]
pub struct Reservation {
    room: &'static Room,
    bytes: u64,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // A forked child has parcels of its parent's, and not the page that says so.
        if self.room.own.status.is_inherited() || Mutation::RoomIsNotGivenBack.is_on() {
            return;
        }
        FaultPoint::RoomGivenBack.around(|| self.room.in_use().fetch_sub(self.bytes, Ordering::AcqRel));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::wire::Address;

    #[test]
    fn room_is_taken_and_given_back() {
        let own = Arc::new(Own::create(Address([0; 16]), 0).expect("shared memory"));
        let room = Room::new(&own, 100);
        let first = room.reserve(60).expect("room");
        assert!(room.reserve(41).is_none());
        assert_eq!(room.used(), 60);
        let second = room.reserve(40).expect("room");
        let third = room.take(10);
        assert_eq!(room.used(), 110);
        drop((first, second, third));
        assert_eq!(room.used(), 0);
    }

    #[test]
    fn what_is_promised_is_not_free() {
        let own = Arc::new(Own::create(Address([0; 16]), 0).expect("shared memory"));
        let room = Room::new(&own, 100);
        assert!(!room.may_be_short_of(50));
        assert!(room.may_be_short_of(51));
        assert!(room.reserve_beside(60, 41).is_none());
        let reservation = room.reserve_beside(60, 40).expect("room");
        assert_eq!(room.used(), 60);
        drop(reservation);
        assert!(room.reserve_beside(1, u64::MAX).is_none());
    }
}
