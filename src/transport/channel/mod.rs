// SPDX-License-Identifier: Apache-2.0
//! A channel to one peer: two segments, two doorbell pages, a socket.

mod asynchronous;
mod calls;
mod control;
mod receiving;

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::sys::lock::Mutex;

use crate::host::mutation::Mutation;
use crate::shm::arena::{Arena, Block, ROTATE_FROM};
use crate::shm::atomics::{AtomicU32, AtomicU64, Ordering, fence};
use crate::shm::doorbell::Doorbells;
use crate::shm::layout::{ARENA_BYTES, ASYNC_ENTRIES, CALL_SLOTS, FIRST_LINE_BODY, Kind, RecordContent, SHORT_BODY};
use crate::shm::ring::{RingReader, RingWriter};
use crate::shm::segment::{IncomingSegment, OutgoingSegment, OwnStatus, PeerStatus};
use crate::shm::wakeups;
use crate::sys::epoll::Epoll;
use crate::sys::fork::ParentOnlyFd;
use crate::sys::socket::{self, Credentials, DESCRIPTORS_A_MESSAGE};
use crate::sys::thread;
use crate::transport::answers_due::AnswersDue;
use crate::transport::async_messages::SentAsync;
use crate::transport::call_slots::CallSlots;
use crate::transport::descriptors::ArrivedDescriptors;
use crate::transport::late_look::LateLook;
use crate::transport::latency::Latency;
use crate::transport::outbox::Outbox;
use crate::transport::posts::Posts;
use crate::transport::questions::Questions;
use crate::transport::taken_times::TakenTimes;
use crate::transport::wire::{Address, Ancestor, Control, Introduction, ObjectRecord};

/// The most data a message carries: what a parcel holds at the most.
pub const MOST_DATA: usize = 204_800;

/// Processes that a chain of calls remembers. A call back to one from longer ago goes to any worker of its process.
const MOST_ANCESTORS: usize = 64;

/// Bytes that an object takes of the data.
const OBJECT_BYTES: usize = 24;

/// Why a message could not be sent.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The peer is dead.
    #[error("the peer is dead")]
    Dead,
    /// The receiver has no room for the message.
    #[error("the receiver has no room")]
    ReceiverFull(RoomTaken),
    /// The receiver has not taken in as many asynchronous messages as may be on their way.
    #[error("{ASYNC_ENTRIES} asynchronous messages are on their way already")]
    RingFull,
    /// This process has no room for a message of so many bytes beside those to the same peer that are not done with.
    #[error("no {0} bytes are left of the {ARENA_BYTES} for what goes to that process")]
    ArenaFull(usize),
    /// As many calls are under way as there can be.
    #[error("{CALL_SLOTS} calls are under way already")]
    NoCallSlot,
    /// The peer gave a call a number that there is not.
    #[error("the call has an impossible number")]
    ImpossibleCall,
    /// Something that the system gives was refused.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// How full a receiver is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomTaken {
    /// Bytes in use, with what is on its way as far as that is known here.
    pub all: u64,
    /// How many there may be.
    pub limit: u64,
    /// Bytes of asynchronous messages among them, which may have half.
    pub asynchronous: u64,
    /// Bytes of the latter that this process has sent.
    pub own: u64,
}

impl std::fmt::Display for RoomTaken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { all, limit, asynchronous, own } = self;
        write!(
            formatter,
            "{all} of {limit} bytes are in use there, {asynchronous} of them by asynchronous messages, which may have half, and \
             {own} of these are of this process's"
        )
    }
}

/// What this process shows to all its peers.
#[derive(Debug)]
pub struct Own {
    /// Where it listens.
    pub address: Address,
    /// The token id that a test gave it, 0 for none.
    pub token_id: u64,
    /// Its doorbells.
    pub doorbells: Doorbells,
    /// Its status.
    pub status: OwnStatus,
    /// Held by the thread that takes asynchronous messages in, of whatever peer, so that their order is kept.
    pub async_gate: Mutex<()>,
    doorbells_file: ParentOnlyFd,
    status_file: ParentOnlyFd,
}

impl Own {
    /// Makes the shared pages.
    pub fn create(address: Address, token_id: u64) -> io::Result<Self> {
        let (doorbells, doorbells_file) = Doorbells::create()?;
        let (status, status_file) = OwnStatus::create()?;
        Ok(Self {
            address,
            token_id,
            doorbells,
            status,
            async_gate: Mutex::new(()),
            doorbells_file: ParentOnlyFd::new(doorbells_file),
            status_file: ParentOnlyFd::new(status_file),
        })
    }
}

/// This process's end of a channel that is being set up: the segment, and the number by which the peer will say that it has
/// sent something.
pub struct Ends {
    outgoing: OutgoingSegment,
    number: u16,
}

impl Ends {
    /// Makes the segment and sends it with the first message of the handshake; `greeting` makes that of our introduction.
    pub fn greet(
        own: &Own,
        socket: BorrowedFd<'_>,
        number: u16,
        greeting: fn(Introduction) -> Control,
    ) -> io::Result<Self> {
        let (outgoing, file) = OutgoingSegment::create()?;
        own.doorbells.note_channel(number);
        let message = greeting(Introduction::new(number, own.address, own.token_id));
        let files = [file.as_fd(), own.status_file.fd(), own.doorbells_file.fd()];
        message.fault_point().around(|| socket::send(socket, &message.to_bytes(), &files))?;
        Ok(Self { outgoing, number })
    }

    /// The number by which the peer will say that it has sent something.
    pub fn number(&self) -> u16 {
        self.number
    }
}

/// A message to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// What it is.
    pub kind: Kind,
    /// The request's code, or the handler's result.
    pub code: u32,
    /// The number of the stub.
    pub object: u64,
    /// The data.
    pub data: &'a [u8],
    /// The objects among them.
    pub objects: &'a [ObjectRecord],
    /// The chain of calls before this one.
    pub ancestors: &'a [Ancestor],
    /// The file descriptors among the objects. The objects of one message have one transfer.
    pub descriptors: &'a [BorrowedFd<'a>],
}

/// A reply that lies in the segment already.
#[derive(Debug)]
pub struct PreparedReply {
    slot: usize,
    call: u32,
    caller: u64,
    content: RecordContent,
}

/// A channel to one peer. All its methods may be called by any thread.
pub struct Channel {
    own: Arc<Own>,
    epoll: Arc<Epoll>,
    key: u64,
    outgoing: OutgoingSegment,
    incoming: IncomingSegment,
    peer_doorbells: Doorbells,
    peer_status: PeerStatus,
    peer: Introduction,
    credentials: Credentials,
    number: u16,
    dead: AtomicBool,
    call_slots: CallSlots,
    latency: Latency,
    late_look: LateLook,
    /// The arena's blocks that long replies lie in, by call slot.
    reply_blocks: Mutex<Vec<Option<(u32, Block)>>>,
    long_replies: AtomicU32,
    /// On which processor the peer wrote its last long message; 0 where it has not said.
    peer_processor: AtomicU32,
    arena: Mutex<Arena>,
    requests: RingWriter,
    nested_requests: RingWriter,
    async_messages: RingWriter,
    sent_async: Mutex<SentAsync>,
    posts: Posts,
    incoming_requests: RingReader,
    incoming_nested: RingReader,
    incoming_async: RingReader,
    request_times: TakenTimes<CALL_SLOTS>,
    async_times: TakenTimes<ASYNC_ENTRIES>,
    answers_due: AnswersDue,
    /// The descriptors of the next request for any worker, for a waiting thread, or of the next asynchronous message have not arrived.
    requests_held: AtomicBool,
    nested_held: AtomicBool,
    async_held: AtomicBool,
    async_taken_bytes: AtomicU64,
    /// How much room the peer has in use.
    room_questions: Questions<asynchronous::RoomInUse>,
    /// Whether the peer keeps its stubs for others.
    lend_questions: Questions<()>,
    outbox: Mutex<Outbox>,
    descriptors: ArrivedDescriptors,
}

impl Channel {
    /// A channel of both ends. `files` are what came with the peer's greeting; `key` is the socket's in `epoll`.
    pub fn new(
        own: Arc<Own>,
        (epoll, key): (Arc<Epoll>, u64),
        (socket, credentials): (Arc<ParentOnlyFd>, Credentials),
        ends: Ends,
        peer: Introduction,
        files: &[OwnedFd],
    ) -> io::Result<Self> {
        let [segment, status, doorbells] = files else {
            return Err(io::Error::other("the peer's greeting came without its shared memory"));
        };
        Ok(Self {
            own,
            epoll,
            key,
            outgoing: ends.outgoing,
            incoming: IncomingSegment::map(segment.as_fd())?,
            peer_doorbells: Doorbells::map(doorbells.as_fd())?,
            peer_status: PeerStatus::map(status.as_fd())?,
            peer,
            credentials,
            number: ends.number,
            dead: AtomicBool::new(false),
            call_slots: CallSlots::default(),
            latency: Latency::default(),
            late_look: LateLook::default(),
            requests_held: AtomicBool::new(false),
            nested_held: AtomicBool::new(false),
            async_held: AtomicBool::new(false),
            async_taken_bytes: AtomicU64::new(0),
            room_questions: Questions::default(),
            lend_questions: Questions::default(),
            reply_blocks: Mutex::new((0..CALL_SLOTS).map(|_| None).collect()),
            long_replies: AtomicU32::new(0),
            peer_processor: AtomicU32::new(0),
            arena: Mutex::default(),
            requests: RingWriter::default(),
            nested_requests: RingWriter::default(),
            async_messages: RingWriter::default(),
            sent_async: Mutex::default(),
            posts: Posts::default(),
            incoming_requests: RingReader::default(),
            incoming_nested: RingReader::default(),
            incoming_async: RingReader::default(),
            request_times: TakenTimes::default(),
            async_times: TakenTimes::default(),
            answers_due: AnswersDue::default(),
            outbox: Mutex::new(Outbox::new(socket)),
            descriptors: ArrivedDescriptors::default(),
        })
    }

    /// What the peer said of itself in the handshake.
    pub fn peer(&self) -> &Introduction {
        &self.peer
    }

    /// Who the peer is by the kernel's word.
    pub fn credentials(&self) -> Credentials {
        self.credentials
    }

    /// The number by which the peer says that it has sent something.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// The socket's key.
    pub fn key(&self) -> u64 {
        self.key
    }

    /// This process's segment.
    pub fn outgoing(&self) -> &OutgoingSegment {
        &self.outgoing
    }

    /// The peer's segment.
    pub fn incoming(&self) -> &IncomingSegment {
        &self.incoming
    }

    /// The socket; `None` once the connection has ended.
    pub fn socket(&self) -> Option<Arc<ParentOnlyFd>> {
        self.outbox.lock().socket().cloned()
    }

    /// Whether the peer is known to be dead.
    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Acquire)
    }

    /// Whether the peer is known to be dead, or its connection has ended, by which that will be known.
    pub fn is_over(&self) -> bool {
        self.is_dead() || self.outbox.lock().socket().is_none()
    }

    /// Takes note of the peer's death and wakes every thread that waits for it. `false` where it was noted before.
    pub fn mark_dead(&self) -> bool {
        if self.dead.swap(true, Ordering::AcqRel) {
            return false;
        }
        fence(Ordering::SeqCst);
        self.call_slots.bells_in_use().for_each(|bell| self.own.doorbells.ring(bell));
        self.call_slots.wake_all();
        self.room_questions.end();
        self.lend_questions.end();
        true
    }

    /// What callers have learned about how soon the peer answers.
    pub fn latency(&self) -> &Latency {
        &self.latency
    }

    /// Lays a message out as a record, its body in the arena where it is long.
    #[inline]
    fn place(&self, message: &Message<'_>, content: &mut RecordContent) -> Result<Option<Block>, ChannelError> {
        let data_len = message.data.len();
        // The oldest are the least likely to be called back.
        let ancestors = &message.ancestors[message.ancestors.len().saturating_sub(MOST_ANCESTORS)..];
        content.code = message.code;
        content.data_len = data_len as u32;
        content.object = message.object;
        content.kind = message.kind as u8;
        if data_len <= SHORT_BODY && message.objects.is_empty() && ancestors.is_empty() {
            content.body_len = data_len as u32;
            content.short_body[..data_len].copy_from_slice(message.data);
            content.lines = if data_len <= FIRST_LINE_BODY { 1 } else { 2 };
            return Ok(None);
        }
        self.place_long(message, ancestors, content).map(Some)
    }

    fn place_long(
        &self,
        message: &Message<'_>,
        ancestors: &[Ancestor],
        content: &mut RecordContent,
    ) -> Result<Block, ChannelError> {
        let data_len = message.data.len();
        content.objects = message.objects.len() as u16;
        content.ancestors = ancestors.len() as u16;
        content.lines = 2;
        let body_len = body_len(content);
        content.body_len = body_len as u32;
        let processor = if body_len >= ROTATE_FROM { thread::processor() } else { 0 };
        content.set_processor(processor);
        let shares_processor = processor != 0 && processor == self.peer_processor.load(Ordering::Relaxed);
        let block = self.allocate(body_len, !shares_processor)?;
        content.arena_offset = block.offset();
        self.outgoing.write_arena(block.offset(), message.data);
        if data_len < body_len {
            let objects = message.objects.iter().flat_map(|object| object.to_bytes());
            let ancestors = ancestors.iter().flat_map(|ancestor| ancestor.to_bytes());
            let tail: Vec<u8> = objects.chain(ancestors).collect();
            self.outgoing.write_arena(block.offset() + padded(data_len) as u32, &tail);
        }
        Ok(block)
    }

    fn allocate(&self, len: usize, rotates: bool) -> Result<Block, ChannelError> {
        let len = if Mutation::MessagesTakeTwoPlaces.is_on() { 2 * len } else { len };
        let mut arena = self.arena.lock();
        if let Some(block) = arena.allocate(len, rotates) {
            return Ok(block);
        }
        let mut replies = self.reply_blocks.lock();
        for (slot, reply) in replies.iter_mut().enumerate() {
            if reply.as_ref().is_some_and(|(call, _)| self.incoming.acknowledged(slot, *call))
                && let Some((_, block)) = reply.take()
            {
                self.long_replies.fetch_sub(1, Ordering::Relaxed);
                arena.free(block);
            }
        }
        arena.allocate(len, rotates).ok_or(ChannelError::ArenaFull(len))
    }

    /// Sends a message's descriptors, as the last step that can fail before the message is published.
    #[inline]
    fn send_ahead(&self, message: &Message<'_>, block: Option<Block>) -> Result<Option<Block>, ChannelError> {
        if message.descriptors.is_empty() { Ok(block) } else { self.send_descriptors_ahead(message, block) }
    }

    fn send_descriptors_ahead(
        &self,
        message: &Message<'_>,
        block: Option<Block>,
    ) -> Result<Option<Block>, ChannelError> {
        let Some(first) = message.objects.first() else { return Ok(block) };
        let most = if Mutation::OneTransferIsAll.is_on() { 1 } else { usize::MAX };
        for chunk in message.descriptors.chunks(DESCRIPTORS_A_MESSAGE).take(most) {
            if let Err(error) = self.send_control(Control::Descriptors { transfer: first.transfer }, chunk) {
                self.free(block);
                return Err(if is_hang_up(&error) { ChannelError::Dead } else { error.into() });
            }
        }
        Ok(block)
    }

    fn free(&self, block: Option<Block>) {
        if let Some(block) = block {
            self.arena.lock().free(block);
        }
    }

    /// Sees to it that one of the peer's workers looks at what was published.
    pub fn announce(&self) {
        let (ring, all) = (|| self.incoming.lookers(), || self.peer_status.lookers());
        wakeups::announce(ring, all, &self.peer_doorbells, self.peer.channel);
    }

    /// Wakes the peer's workers whatever its doorbells say, for when they may hold garbage.
    pub fn rouse(&self) {
        self.peer_doorbells.set_pending(self.peer.channel);
        self.peer_doorbells.wake_all_workers();
    }
}

/// Whether an error of a socket says that its other end is closed.
pub fn is_hang_up(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::NotConnected)
}

/// A time in microseconds, without their high bits, as requests carry it.
fn microseconds(nanoseconds: u64) -> u32 {
    (nanoseconds / 1000) as u32
}

fn padded(data_len: usize) -> usize {
    data_len.next_multiple_of(8)
}

fn body_len(content: &RecordContent) -> usize {
    let data_len = content.data_len as usize;
    if content.objects == 0 && content.ancestors == 0 {
        return data_len;
    }
    padded(data_len)
        + usize::from(content.objects) * ObjectRecord::BYTES
        + usize::from(content.ancestors) * Ancestor::BYTES
}

/// Whether the lengths of a record that came from a peer agree with each other.
fn makes_sense(content: &RecordContent) -> bool {
    let data_len = content.data_len as usize;
    let is_whole = if content.lines == 1 {
        content.has_short_body() && data_len <= FIRST_LINE_BODY
    } else {
        content.body_len as usize == body_len(content)
    };
    is_whole
        && data_len <= MOST_DATA
        && usize::from(content.ancestors) <= MOST_ANCESTORS
        && usize::from(content.objects) * OBJECT_BYTES <= data_len
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_with_more_than_a_message_can_have_makes_no_sense() {
        let record = |data_len: usize, objects: u16, ancestors: u16| {
            let mut content =
                RecordContent { data_len: data_len as u32, objects, ancestors, lines: 2, ..RecordContent::EMPTY };
            content.body_len = body_len(&content) as u32;
            content
        };
        assert!(makes_sense(&record(MOST_DATA, 8533, MOST_ANCESTORS as u16)));
        assert!(!makes_sense(&record(MOST_DATA, 0, MOST_ANCESTORS as u16 + 1)));
        assert!(!makes_sense(&record(MOST_DATA, 0, u16::MAX)));
        assert!(!makes_sense(&record(MOST_DATA, 8534, 0)));
        assert!(!makes_sense(&record(23, 1, 0)));
        assert!(!makes_sense(&record(MOST_DATA + 1, 0, 0)));
        assert!(!makes_sense(&RecordContent { body_len: 9, ..record(8, 0, 0) }));
        assert!(makes_sense(&RecordContent { lines: 1, ..record(FIRST_LINE_BODY, 0, 0) }));
        assert!(!makes_sense(&RecordContent { lines: 1, ..record(FIRST_LINE_BODY + 1, 0, 0) }));
        assert!(!makes_sense(&RecordContent { lines: 1, ..record(48, 1, 0) }));
    }
}
