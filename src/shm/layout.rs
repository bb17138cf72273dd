// SPDX-License-Identifier: Apache-2.0
//! What lies where in shared memory. Everything here is part of the protocol: a change of it changes [`VERSION`] and `docs/protocol.md`.

use std::cell::UnsafeCell;

use super::LifeWord;
use super::atomics::{AtomicU32, AtomicU64};

/// The version of layout and protocol; processes of different versions refuse each other.
pub const VERSION: u32 = 3;

/// Synchronous calls under way at the same time on one channel and direction. The rings of requests have as many entries,
/// so that they can never be full.
pub const CALL_SLOTS: usize = 128;

/// Asynchronous messages that a channel holds before the receiver has taken them in.
pub const ASYNC_ENTRIES: usize = 8192;

/// Bytes for bodies too long for a record.
pub const ARENA_BYTES: usize = 4 << 20;

/// Bytes of a body that fit into its record.
pub const SHORT_BODY: usize = 64;

/// Bytes of a body that lie in the first cache line of its record.
pub const FIRST_LINE_BODY: usize = 20;

/// Bytes of a record's content in its first cache line. Where [`RecordContent::lines`] is 1 the others say nothing, and are neither
/// written nor read: each cache line more costs a way from processor to processor.
pub const FIRST_LINE: usize = 56;

/// Everything about a message but the bytes of a long body. The same form serves requests, asynchronous messages and replies.
///
/// Read from a peer, every field is to be taken as hostile.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct RecordContent {
    /// The number of the stub.
    pub object: u64,
    /// Which thread waits for the reply: the receiver names it when it calls back. See [`thread_token`].
    pub caller: u64,
    /// A request's code; the handler's result in a reply.
    pub code: u32,
    /// Bytes of the data.
    pub data_len: u32,
    /// Counts the uses of a call slot, so that a reply is known from an older one.
    pub call: u32,
    /// When the request was published, in microseconds of the monotonic clock, without their high bits.
    pub sent_at: u32,
    /// The slot that the reply goes to.
    pub call_slot: u16,
    /// A [`Kind`].
    pub kind: u8,
    /// How many cache lines of the record say something: 1 or 2.
    pub lines: u8,
    /// A short body. Beside a long one it may begin with a number: one more than that of the processor on which that was written.
    pub short_body: [u8; SHORT_BODY],
    /// Objects among the data.
    pub objects: u16,
    /// Processes before the caller in a chain of calls.
    pub ancestors: u16,
    /// Which waiting thread of the receiver the request is for; 0 for any worker.
    pub target: u64,
    /// Where a long body begins in the arena.
    pub arena_offset: u32,
    /// Bytes of a long body: the data, padding to 8, the objects and the ancestors.
    pub body_len: u32,
}

impl RecordContent {
    /// A record without a body.
    pub const EMPTY: Self = Self {
        object: 0,
        caller: 0,
        code: 0,
        data_len: 0,
        call: 0,
        sent_at: 0,
        call_slot: 0,
        kind: Kind::Request as u8,
        lines: 1,
        short_body: [0; SHORT_BODY],
        objects: 0,
        ancestors: 0,
        target: 0,
        arena_offset: 0,
        body_len: 0,
    };

    /// When an asynchronous message was sent, in nanoseconds of the monotonic clock: as nobody waits for a reply, there is room for it.
    pub fn async_time(&self) -> u64 {
        self.caller
    }

    /// Notes on which processor a long body was written.
    pub fn set_processor(&mut self, processor: u32) {
        self.short_body[..4].copy_from_slice(&processor.to_ne_bytes());
    }

    /// On which processor a long body was written; 0 where that was not noted.
    pub fn processor(&self) -> u32 {
        let [a, b, c, d, ..] = self.short_body;
        u32::from_ne_bytes([a, b, c, d])
    }

    /// Whether the body lies in the record itself.
    pub fn has_short_body(&self) -> bool {
        self.objects == 0 && self.ancestors == 0 && self.data_len as usize <= SHORT_BODY
    }
}

/// What a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A request for the stub's handler.
    Request = 1,
    /// A question for the stub's descriptor, which the library answers.
    Descriptor = 2,
    /// A reply whose code is what the handler returned.
    Reply = 3,
    /// The request was not handled: the stub is gone, or the caller holds no reference to it. Nothing of it was taken.
    NoStub = 4,
    /// The request was not handled for lack of room; nothing of it was taken.
    NoRoom = 5,
    /// The request was not handled: it made no sense. Nothing of it was taken.
    Malformed = 6,
    /// The request's objects were taken, and what became of it cannot be said: it could not be handled, or its reply not be sent.
    Lost = 7,
}

impl Kind {
    /// The kind with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::Request, Self::Descriptor, Self::Reply, Self::NoStub, Self::NoRoom, Self::Malformed, Self::Lost]
            .into_iter()
            .find(|kind| *kind as u8 == number)
    }
}

/// A record with the word that publishes it: one more than its ticket in a ring, the number of the call in a reply slot.
#[repr(C, align(128))]
pub struct Record {
    /// Stored last, with release.
    pub sequence: AtomicU32,
    reserved: u32,
    /// Valid once the sequence says so.
    pub content: UnsafeCell<RecordContent>,
}

/// What a caller says about its call slot, on a line of its own.
#[repr(C, align(64))]
pub struct CallLine {
    /// 1 while the caller sleeps or is about to: the replier rings its bell.
    pub waiting: AtomicU32,
    /// The last call whose reply, a long one, has been copied out of the arena.
    pub acknowledged: AtomicU32,
}

/// A word with a cache line of its own.
#[repr(C, align(64))]
pub struct Line<T>(pub T);

/// What one process says to one peer. Only the owner writes it.
#[repr(C, align(4096))]
pub struct Segment {
    /// Marked by the kernel when the owner dies; on the owner's robust list.
    pub life: Line<LifeWord>,
    /// How many of the owner's workers look at the peer's rings right now.
    pub lookers: Line<AtomicU32>,
    /// How many of the peer's asynchronous messages the owner has taken in, as a ticket.
    pub async_taken: Line<AtomicU32>,
    /// Bytes of the peer's asynchronous messages that the owner has handled and freed, in all.
    pub async_freed: Line<AtomicU64>,
    /// Bytes of asynchronous messages that the owner has sent to the peer, in all.
    pub async_sent: Line<AtomicU64>,
    /// One line per call slot.
    pub call_lines: [CallLine; CALL_SLOTS],
    /// Synchronous requests for any worker.
    pub requests: [Record; CALL_SLOTS],
    /// Synchronous requests for a thread of the peer's that waits.
    pub nested_requests: [Record; CALL_SLOTS],
    /// Replies to the peer's synchronous requests, by its call slots.
    pub replies: [Record; CALL_SLOTS],
    /// Asynchronous messages.
    pub async_messages: [Record; ASYNC_ENTRIES],
    /// Bodies too long for a record.
    pub arena: UnsafeCell<[u8; ARENA_BYTES]>,
}

/// What one process says to all its peers. Only the owner writes it.
#[repr(C, align(4096))]
pub struct Status {
    /// Bytes of asynchronous messages that the owner has taken in and not yet freed.
    pub async_in_use: Line<AtomicU64>,
    /// Bytes of all messages that the owner has received and not yet freed.
    pub room_in_use: Line<AtomicU64>,
    /// How many there may be; half of them may be asynchronous.
    pub room: Line<AtomicU64>,
    /// How many peers the owner has.
    pub peers: Line<AtomicU32>,
    /// How many of the owner's workers look at its doorbells, and at the rings of one peer each.
    pub lookers: Line<AtomicU32>,
}

/// Workers that can be woken one by one.
pub const WORKER_BELLS: usize = 64;

/// Bells for threads that wait for a reply; more threads share them.
pub const CALLER_BELLS: usize = 448;

/// Words of channel bits; channels beyond share bits.
pub const CHANNEL_WORDS: usize = 16;

/// What all peers of a process write to wake it. It carries no data: the worst that garbage in it does is a wake-up too many,
/// or one that waits for the next look.
#[repr(C, align(4096))]
pub struct DoorbellPage {
    /// A bit per sleeping worker; who takes a bit away rings that worker's bell.
    pub idle_workers: Line<AtomicU64>,
    /// A bit per channel with requests that nobody looks at.
    pub pending: Line<[AtomicU64; CHANNEL_WORDS]>,
    /// A bit per channel with requests for waiting threads.
    pub pending_nested: Line<[AtomicU64; CHANNEL_WORDS]>,
    /// The bells, workers' first.
    pub bells: [Line<AtomicU32>; WORKER_BELLS + CALLER_BELLS],
}

const _: () = assert!(size_of::<RecordContent>() == 120);
const _: () = assert!(size_of::<Record>() == 128);
const _: () = assert!(std::mem::offset_of!(Record, content) + FIRST_LINE == 64);
const _: () = assert!(std::mem::offset_of!(RecordContent, short_body) + FIRST_LINE_BODY == FIRST_LINE);
const _: () = assert!(size_of::<CallLine>() == 64);
const _: () = assert!(std::mem::offset_of!(Segment, call_lines) == 320);
const _: () = assert!(std::mem::offset_of!(Segment, requests) == 8576);
const _: () = assert!(std::mem::offset_of!(Segment, nested_requests) == 24960);
const _: () = assert!(std::mem::offset_of!(Segment, replies) == 41344);
const _: () = assert!(std::mem::offset_of!(Segment, async_messages) == 57728);
const _: () = assert!(std::mem::offset_of!(Segment, arena) == 1_106_304);
const _: () = assert!(std::mem::offset_of!(DoorbellPage, pending_nested) == 192);
const _: () = assert!(std::mem::offset_of!(DoorbellPage, bells) == 320);
const _: () = assert!(size_of::<Segment>().is_multiple_of(4096) && align_of::<Segment>() == 4096);
const _: () = assert!(size_of::<Status>() == 4096);
const _: () = assert!(size_of::<DoorbellPage>().is_multiple_of(4096));

/// The bell index is in the low bits of a thread's token, what nobody can guess in the others.
const TOKEN_BELL_BITS: u32 = 16;

/// The token of a thread that sleeps on `bell`.
pub fn thread_token(unguessable: u64, bell: u16) -> u64 {
    (unguessable << TOKEN_BELL_BITS) | u64::from(bell)
}

/// The bell that a token names; it may be out of range in a token of a peer's.
pub fn bell_of_token(token: u64) -> u16 {
    (token & ((1 << TOKEN_BELL_BITS) - 1)) as u16
}
