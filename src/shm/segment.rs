// SPDX-License-Identifier: Apache-2.0
//! A segment from its owner's side, who writes it, and from the peer's, who can only read it.
#![allow(unsafe_code)] // types laid over shared memory

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::Arc;

use super::LifeWord;
use super::atomics::{AtomicU32, AtomicU64, Ordering};
use super::layout::{
    ARENA_BYTES, ASYNC_ENTRIES, CALL_SLOTS, CallLine, FIRST_LINE, Record, RecordContent, Segment, Status,
};
use super::ring::Entries;
use crate::sys::fault_point::FaultPoint;
use crate::sys::large_buffers;
use crate::sys::lock::OnceLock;
use crate::sys::mapping::{self, Mapping, Writers};
use crate::sys::memory;
use crate::sys::order;
use crate::sys::robust_list::RobustList;

/// A segment of this process's own.
pub struct OutgoingSegment {
    mapping: Mapping,
    life_list: OnceLock<Arc<RobustList>>,
}

impl OutgoingSegment {
    /// A new segment and the descriptor by which the peer maps it.
    pub fn create() -> io::Result<(Self, OwnedFd)> {
        let (mapping, file) = mapping::create("ipckit-segment", size_of::<Segment>(), Writers::OwnerOnly)?;
        Ok((Self { mapping, life_list: OnceLock::new() }, file))
    }

    fn segment(&self) -> &Segment {
        // SAFETY: the mapping is as long and as aligned as a segment and lives as long as self; a segment is all atomics and
        // cells for which zeroes are valid, so that a shared reference promises nothing about what they hold.
        unsafe { self.mapping.start().cast::<Segment>().as_ref() }
    }

    /// Has the kernel mark the segment's life word when the list's thread ends, as long as the segment is there. A second list is ignored.
    pub fn set_life_list(&self, list: &Arc<RobustList>) {
        if self.life_list.set(Arc::clone(list)).is_ok() {
            // SAFETY: the word stays mapped as long as self, and dropping self takes it off the list first.
            unsafe { list.add(self.life()) };
        }
    }

    fn life(&self) -> NonNull<LifeWord> {
        NonNull::from(&self.segment().life.0)
    }

    /// How many workers look at the peer's rings.
    pub fn lookers(&self) -> &AtomicU32 {
        &self.segment().lookers.0
    }

    /// Tells how many asynchronous messages were taken in.
    pub fn set_async_taken(&self, ticket: u32) {
        FaultPoint::AsyncTaken.around(|| self.segment().async_taken.0.store(ticket, Ordering::Release));
    }

    /// How many were told to be taken in.
    pub fn async_taken(&self) -> u32 {
        self.segment().async_taken.0.load(Ordering::Acquire)
    }

    /// Tells that `bytes` of asynchronous messages are free again.
    pub fn add_async_freed(&self, bytes: u64) {
        FaultPoint::AsyncFreed.around(|| self.segment().async_freed.0.fetch_add(bytes, Ordering::Release));
    }

    /// How many were told to be free again, in all.
    pub fn async_freed(&self) -> u64 {
        self.segment().async_freed.0.load(Ordering::Acquire)
    }

    /// Tells how many bytes of asynchronous messages were sent in all.
    pub fn set_async_sent(&self, bytes: u64) {
        FaultPoint::AsyncSent.around(|| self.segment().async_sent.0.store(bytes, Ordering::Release));
    }

    /// The line of a call slot.
    pub fn call_line(&self, slot: usize) -> &CallLine {
        &self.segment().call_lines[slot]
    }

    /// The ring of requests for any worker.
    pub fn requests(&self) -> Entries<'_, CALL_SLOTS> {
        Entries(&self.segment().requests)
    }

    /// The ring of requests for waiting threads.
    pub fn nested_requests(&self) -> Entries<'_, CALL_SLOTS> {
        Entries(&self.segment().nested_requests)
    }

    /// The ring of asynchronous messages.
    pub fn async_messages(&self) -> Entries<'_, ASYNC_ENTRIES> {
        Entries(&self.segment().async_messages)
    }

    /// Publishes the reply to `call` in the peer's call slot `slot`.
    ///
    /// Only the thread that handles that call may do so, once.
    pub fn publish_reply(&self, slot: usize, call: u32, content: &RecordContent) {
        let record: &Record = &self.segment().replies[slot];
        order::take_over_inside(record);
        // SAFETY: this process owns the segment, and of its threads only the one that handles the call writes the slot until
        // the peer, having seen the sequence, uses the slot again.
        FaultPoint::ReplyWritten.around(|| unsafe { write_content(record, content) });
        order::hand_over_inside(record);
        FaultPoint::ReplyPublished.around(|| record.sequence.store(call, Ordering::Release));
    }

    /// Writes into the arena, at a place that the arena's allocator gave out and has not got back.
    pub fn write_arena(&self, offset: u32, bytes: &[u8]) {
        let offset = offset as usize;
        assert!(offset + bytes.len() <= ARENA_BYTES, "a block lies within the arena");
        let start: *mut u8 = self.segment().arena.get().cast();
        // That a block is free again, the peer has said.
        order::take_over_inside(&self.segment().arena);
        // SAFETY: within the arena by the assertion; no other thread writes a block that was given out to this one, and the
        // peer only reads.
        FaultPoint::ArenaWritten.around(|| unsafe { memory::copy(start.add(offset), bytes.as_ptr(), bytes.len()) });
        order::hand_over_inside(&self.segment().arena);
    }
}

impl Drop for OutgoingSegment {
    fn drop(&mut self) {
        // A forked child has neither the thread of the list nor, perhaps, the word.
        if !self.mapping.is_inherited()
            && let Some(list) = self.life_list.get()
        {
            list.remove(self.life());
        }
    }
}

/// A segment of a peer's. Whatever is read from it may be anything, and may be something else the next time.
#[derive(Debug)]
pub struct IncomingSegment(Mapping);

impl IncomingSegment {
    /// Maps the peer's segment.
    pub fn map(file: BorrowedFd<'_>) -> io::Result<Self> {
        Mapping::read_only(file, size_of::<Segment>()).map(Self)
    }

    fn segment(&self) -> &Segment {
        // SAFETY: as for the outgoing segment; the peer may change everything at any time, and atomics and cells allow that.
        // The mapping is read-only: nothing here stores.
        unsafe { self.0.start().cast::<Segment>().as_ref() }
    }

    /// The word that tells of the peer's death.
    pub fn life(&self) -> &AtomicU32 {
        self.segment().life.0.word()
    }

    /// How many of the peer's workers look at this process's rings.
    pub fn lookers(&self) -> u32 {
        self.segment().lookers.0.load(Ordering::Relaxed)
    }

    /// How many asynchronous messages the peer says that it has taken in.
    pub fn async_taken(&self) -> u32 {
        self.segment().async_taken.0.load(Ordering::Acquire)
    }

    /// How many bytes of asynchronous messages the peer says that it has freed.
    pub fn async_freed(&self) -> u64 {
        self.segment().async_freed.0.load(Ordering::Acquire)
    }

    /// How many bytes of asynchronous messages the peer says that it has sent in all.
    pub fn async_sent(&self) -> u64 {
        self.segment().async_sent.0.load(Ordering::Acquire)
    }

    /// Whether the peer's thread that waits on its call slot sleeps.
    pub fn caller_sleeps(&self, slot: usize) -> bool {
        self.segment().call_lines[slot].waiting.load(Ordering::Relaxed) != 0
    }

    /// Whether the peer is done with the long reply to `call`.
    pub fn acknowledged(&self, slot: usize, call: u32) -> bool {
        self.segment().call_lines[slot].acknowledged.load(Ordering::Acquire) == call
    }

    /// The ring of requests for any worker.
    pub fn requests(&self) -> Entries<'_, CALL_SLOTS> {
        Entries(&self.segment().requests)
    }

    /// The ring of requests for waiting threads.
    pub fn nested_requests(&self) -> Entries<'_, CALL_SLOTS> {
        Entries(&self.segment().nested_requests)
    }

    /// The ring of asynchronous messages.
    pub fn async_messages(&self) -> Entries<'_, ASYNC_ENTRIES> {
        Entries(&self.segment().async_messages)
    }

    /// The reply to `call`, once it is there.
    #[inline]
    pub fn reply(&self, slot: usize, call: u32) -> Option<RecordContent> {
        let record: &Record = &self.segment().replies[slot];
        if record.sequence.load(Ordering::Acquire) != call {
            return None;
        }
        Some(copy_content(record))
    }

    /// Copies `len` bytes of the arena, from `offset` on.
    pub fn read_arena(&self, offset: u32, len: usize) -> Result<Vec<u8>, Unreadable> {
        let offset = offset as usize;
        if offset.checked_add(len).is_none_or(|end| end > ARENA_BYTES) {
            return Err(Unreadable::OutOfBounds);
        }
        let from = self.segment().arena.get().cast::<u8>().wrapping_add(offset);
        let mut bytes = large_buffers::take(len).map_err(|_| Unreadable::NoMemory)?;
        // SAFETY: `len` bytes are readable at `from` by the check and writable in the vector by its capacity; they are all
        // written before the length says so.
        unsafe {
            memory::copy(bytes.as_mut_ptr(), from, len);
            bytes.set_len(len);
        }
        Ok(bytes)
    }
}

/// Why bytes of a peer's arena could not be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// They do not lie within it.
    OutOfBounds,
    /// This process has no memory for them.
    NoMemory,
}

/// Copies what a record holds, whatever that is by now.
#[inline]
pub(super) fn copy_content(record: &Record) -> RecordContent {
    let mut content = RecordContent::EMPTY;
    let (to, from): (*mut u8, *const u8) = ((&raw mut content).cast(), record.content.get().cast());
    // SAFETY: both are as long as a record's content; every pattern of bits is a valid content.
    unsafe { memory::copy(to, from, FIRST_LINE) };
    if content.lines != 1 {
        // SAFETY: as above.
        unsafe { memory::copy(to.add(FIRST_LINE), from.add(FIRST_LINE), size_of::<RecordContent>() - FIRST_LINE) };
    }
    content
}

/// Has the processor fetch a record that is about to be written.
pub(super) fn prefetch_for_write(record: &Record) {
    let start: *const u8 = std::ptr::from_ref(record).cast();
    memory::prefetch_for_write(start);
    memory::prefetch_for_write(start.wrapping_add(64));
}

/// Writes what a record is to hold.
///
/// # Safety
/// The record is this process's own, no other thread writes it, and no reader looks at its content before its sequence says so.
#[inline]
pub(super) unsafe fn write_content(record: &Record, content: &RecordContent) {
    let (to, from): (*mut u8, *const u8) = (record.content.get().cast(), std::ptr::from_ref(content).cast());
    let len = if content.lines == 1 { FIRST_LINE } else { size_of::<RecordContent>() };
    // SAFETY: both are as long as a record's content; the caller vouches for the rest.
    unsafe { memory::copy(to, from, len) };
}

/// What this process tells all its peers.
#[derive(Debug)]
pub struct OwnStatus(Mapping);

impl OwnStatus {
    /// A new status page and the descriptor by which peers map it.
    pub fn create() -> io::Result<(Self, OwnedFd)> {
        let (mapping, file) = mapping::create("ipckit-status", size_of::<Status>(), Writers::OwnerOnly)?;
        Ok((Self(mapping), file))
    }

    /// Whether the status is that of the process that forked this one: then it is not to be touched.
    pub fn is_inherited(&self) -> bool {
        self.0.is_inherited()
    }

    fn status(&self) -> &Status {
        // SAFETY: the mapping is as long and as aligned as a status and lives as long as self; a status is all atomics.
        unsafe { self.0.start().cast::<Status>().as_ref() }
    }

    /// Bytes of asynchronous messages in use.
    pub fn async_in_use(&self) -> &AtomicU64 {
        &self.status().async_in_use.0
    }

    /// Bytes of all messages in use.
    pub fn room_in_use(&self) -> &AtomicU64 {
        &self.status().room_in_use.0
    }

    /// The number of peers.
    pub fn peers(&self) -> &AtomicU32 {
        &self.status().peers.0
    }

    /// How many there may be.
    pub fn room(&self) -> u64 {
        self.status().room.0.load(Ordering::Relaxed)
    }

    /// How many workers look at the doorbells.
    pub fn lookers(&self) -> &AtomicU32 {
        &self.status().lookers.0
    }

    /// Tells how many there may be.
    pub fn set_room(&self, bytes: u64) {
        FaultPoint::RoomTold.around(|| self.status().room.0.store(bytes, Ordering::Relaxed));
    }
}

/// What a peer tells all its peers.
#[derive(Debug)]
pub struct PeerStatus(Mapping);

impl PeerStatus {
    /// Maps the peer's status page.
    pub fn map(file: BorrowedFd<'_>) -> io::Result<Self> {
        Mapping::read_only(file, size_of::<Status>()).map(Self)
    }

    fn status(&self) -> &Status {
        // SAFETY: the mapping is as long and as aligned as a status and lives as long as self; a status is all atomics.
        unsafe { self.0.start().cast::<Status>().as_ref() }
    }

    /// Bytes of asynchronous messages that the peer says are in use.
    pub fn async_in_use(&self) -> u64 {
        self.status().async_in_use.0.load(Ordering::Acquire)
    }

    /// Bytes of all messages that the peer says are in use.
    pub fn room_in_use(&self) -> u64 {
        self.status().room_in_use.0.load(Ordering::Acquire)
    }

    /// How many peers the peer says that it has.
    pub fn peers(&self) -> u32 {
        self.status().peers.0.load(Ordering::Acquire)
    }

    /// How many of the peer's workers look at its doorbells.
    pub fn lookers(&self) -> u32 {
        self.status().lookers.0.load(Ordering::Relaxed)
    }

    /// How many the peer says that there may be.
    pub fn room(&self) -> u64 {
        self.status().room.0.load(Ordering::Relaxed)
    }
}
