// SPDX-License-Identifier: Apache-2.0
//! Asynchronous messages, and the room that they take at the receiver.

use std::time::{Duration, Instant};

use super::{Channel, ChannelError, Message, RoomTaken, microseconds};
use crate::host::mutation::Mutation;
use crate::shm::atomics::Ordering;
use crate::shm::layout::{ARENA_BYTES, ASYNC_ENTRIES, RecordContent, SHORT_BODY};
use crate::sys::fault_point::FaultPoint;
use crate::sys::lock::MutexGuard;
use crate::sys::{order, thread};
use crate::transport::async_messages::{Full, Receiver, SentAsync};
use crate::transport::late_look::LateLook;
use crate::transport::posts::Posts;
use crate::transport::wire::{Address, Control};

/// What a receiver has in use, with what is on its way to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct RoomInUse {
    asynchronous: u64,
    all: u64,
}

/// How long a sender waits for a receiver that has room to take in what fills the ring. Beside much other work it may not run for a while.
const RING_PATIENCE: Duration = Duration::from_secs(1);

impl Channel {
    /// Sends an asynchronous message that takes `bytes` of the receiver's room.
    pub fn send_async(&self, message: &Message<'_>, bytes: u64) -> Result<(), ChannelError> {
        let mut sent = self.sent_async.lock();
        let mut full_since = None;
        // A long body wants a place in the arena, where the receiver may have freed some.
        let may_be_old = message.objects.is_empty() && message.data.len() <= SHORT_BODY;
        if may_be_old && sent.fits_as_last_seen(bytes) {
            return self.publish_async(sent, message, bytes);
        }
        loop {
            let receiver = self.async_receiver();
            sent.note_seen(receiver);
            for block in sent.note_taken(receiver.taken, self.async_messages.next_ticket()) {
                self.free(Some(block));
            }
            match sent.check_room(bytes, &receiver) {
                Ok(()) if self.peer_status.peers() > 1 && sent.may_be_contested(bytes, &receiver) => {
                    let in_use = self.ask_room();
                    let fits = in_use.is_none_or(|in_use| {
                        in_use.asynchronous.saturating_add(bytes) <= receiver.room / 2
                            && in_use.all.saturating_add(bytes) <= receiver.room
                    });
                    if fits {
                        break;
                    }
                    let taken = room_taken(&sent, &receiver);
                    return Err(ChannelError::ReceiverFull(in_use.map_or(taken, |in_use| RoomTaken {
                        all: in_use.all,
                        asynchronous: in_use.asynchronous,
                        ..taken
                    })));
                }
                Ok(()) => break,
                Err(Full::Ring)
                    if !sent.has_waited_in_vain(receiver.taken)
                        && full_since.get_or_insert_with(Instant::now).elapsed() < RING_PATIENCE
                        && !self.is_dead() =>
                {
                    // The receiver has room: its workers are about to take in what is there.
                    MutexGuard::unlocked(&mut sent, || {
                        self.announce();
                        thread::yield_now();
                    });
                }
                Err(Full::Ring) => {
                    sent.note_waited_in_vain(receiver.taken);
                    if Mutation::AFullWayIsAFullReceiver.is_on() {
                        return Err(ChannelError::ReceiverFull(room_taken(&sent, &receiver)));
                    }
                    return Err(ChannelError::RingFull);
                }
                Err(Full::Receiver) => return Err(ChannelError::ReceiverFull(room_taken(&sent, &receiver))),
            }
        }
        self.publish_async(sent, message, bytes)
    }

    fn publish_async(
        &self,
        mut sent: MutexGuard<'_, SentAsync>,
        message: &Message<'_>,
        bytes: u64,
    ) -> Result<(), ChannelError> {
        let mut content = RecordContent::EMPTY;
        let block = self.place(message, &mut content)?;
        let block = self.send_ahead(message, block)?;
        // Nobody waits for a reply; so there is room for the exact time.
        content.caller = thread::nanoseconds();
        content.sent_at = microseconds(content.caller);
        if Mutation::AsyncTimesAreReversed.is_on() {
            content.caller = u64::MAX - content.caller;
        }
        sent.note_sent(bytes, block);
        self.outgoing.set_async_sent(sent.sent_bytes());
        order::sent();
        FaultPoint::AsyncPublished
            .around(|| self.async_messages.publish_alone(self.outgoing.async_messages(), &content));
        drop(sent);
        self.announce();
        Ok(())
    }

    /// The looks after messages that the peer has not taken in.
    pub fn late_look(&self) -> &LateLook {
        &self.late_look
    }

    /// Looks after them: where there are any, the peer's workers are woken whatever its doorbells say. Returns when to look again.
    pub fn look_after_async(&self, now: Instant) -> Option<Instant> {
        let look = self.late_look.look(now, || {
            let taken = self.incoming.async_taken();
            (taken != self.next_async_ticket() && !self.is_dead()).then_some(taken)
        })?;
        if look.wakes {
            self.rouse();
        }
        Some(look.again)
    }

    fn ask_room(&self) -> Option<RoomInUse> {
        // A receiver that is stopped does not answer; then what is known has to do.
        const PATIENCE: Duration = Duration::from_millis(200);
        self.room_questions.ask(PATIENCE, || self.send_control(Control::AskRoom, &[]).is_ok())
    }

    /// Takes note of the peer's answer to such a question.
    pub fn note_room_answer(&self, asynchronous: u64, all: u64) {
        self.room_questions.answer(RoomInUse { asynchronous, all });
    }

    /// Has the peer keep its stub until `to` has asked for a share of its own, and waits until it does, or is dead.
    pub fn lend(&self, object: u64, to: Address) {
        // Then it will know before this process lets go; only that the receiver asks first has to be waited for no longer.
        const PATIENCE: Duration = Duration::from_millis(500);
        if Mutation::PassingOnDoesNotWait.is_on() {
            let _ = self.send_control(Control::Lend { object, to }, &[]);
            return;
        }
        self.lend_questions.ask(PATIENCE, || self.send_control(Control::Lend { object, to }, &[]).is_ok());
    }

    /// Takes note of the peer's answer to such a question.
    pub fn note_lent(&self) {
        self.lend_questions.answer(());
    }

    /// Bytes of asynchronous messages that the peer has sent and this process not taken in.
    pub fn async_waiting(&self) -> u64 {
        let waiting = self.incoming.async_sent().wrapping_sub(self.async_taken_bytes.load(Ordering::Acquire));
        // More than the ring and the arena hold is a lie, and so is more than the peer may have here.
        if waiting > (ARENA_BYTES + ASYNC_ENTRIES * SHORT_BODY) as u64 {
            0
        } else {
            waiting.min(self.async_room_left())
        }
    }

    fn async_room_left(&self) -> u64 {
        let in_use = self.async_taken_bytes.load(Ordering::Acquire).saturating_sub(self.outgoing.async_freed());
        (self.own.status.room() / 2).saturating_sub(in_use)
    }

    /// Whether the peer may have so many bytes of asynchronous messages more here. It has counted them itself before it sends; one that
    /// sends more is given up.
    pub fn may_have_async(&self, bytes: u64) -> bool {
        let fits = bytes <= self.async_room_left();
        if !fits {
            self.give_up(format_args!("it has sent asynchronous messages for which it knows that there is no room"));
        }
        fits
    }

    /// How full the peer is.
    pub fn peer_room(&self) -> RoomTaken {
        let mut sent = self.sent_async.lock();
        let receiver = self.async_receiver();
        for block in sent.note_taken(receiver.taken, self.async_messages.next_ticket()) {
            self.free(Some(block));
        }
        room_taken(&sent, &receiver)
    }

    pub(in crate::transport) fn posts(&self) -> &Posts {
        &self.posts
    }

    /// Waits until the threads that are just sending asynchronous messages to the peer have returned to their callers: what comes from
    /// the peer may be the answer.
    #[inline]
    pub fn wait_for_senders(&self) {
        self.posts.wait_for_senders();
    }

    fn async_receiver(&self) -> Receiver {
        let freed = self.incoming.async_freed();
        let async_in_use = self.peer_status.async_in_use();
        let in_use = self.peer_status.room_in_use();
        Receiver { freed, async_in_use, in_use, taken: self.incoming.async_taken(), room: self.peer_status.room() }
    }

    /// The next asynchronous message; `None` where there is none, or its descriptors have not arrived. For who holds [`Own::async_gate`].
    pub fn next_async(&self) -> Option<RecordContent> {
        if self.async_held.load(Ordering::SeqCst) {
            return None;
        }
        let content = self.incoming_async.peek(self.incoming.async_messages())?;
        if content.objects > 0 && !self.async_descriptors_are_here(&content) {
            return None;
        }
        Some(content)
    }

    /// When a message that is next was sent, in nanoseconds of the monotonic clock, as far as that is to be believed.
    pub fn async_time(&self, content: &RecordContent) -> u64 {
        content.async_time().max(self.async_times.earliest())
    }

    /// Whether a message's descriptors have arrived. Where not, the message and those behind it are held back until they have.
    fn async_descriptors_are_here(&self, content: &RecordContent) -> bool {
        // Held first: what arrives before the look ends the hold.
        self.async_held.store(true, Ordering::SeqCst);
        let here = self.descriptors_are_here(content);
        if here {
            self.async_held.store(false, Ordering::SeqCst);
        }
        here
    }

    /// The message that [`Self::next_async`] gave, or that was seen in its place, has been copied: the peer may use its place again. For who
    /// has held [`Own::async_gate`] since.
    pub fn note_async_taken(&self) {
        self.incoming_async.take_peeked();
        self.async_times.note(thread::nanoseconds);
        self.outgoing.set_async_taken(self.incoming_async.next_ticket());
    }

    /// The next asynchronous message of a peer that is dead, whose descriptors are there or will not come. For who holds
    /// [`Own::async_gate`].
    pub fn last_async(&self) -> Option<RecordContent> {
        self.incoming_async.peek(self.incoming.async_messages())
    }

    /// Whether the peer's asynchronous messages before the one with this ticket have been taken in. One that has left the ring
    /// and is still being read has not: its stub may not have been looked up.
    pub fn has_taken_async_before(&self, ticket: u32) -> bool {
        self.outgoing.async_taken().wrapping_sub(ticket).cast_signed() >= 0
    }

    /// Whether the message before the one with this ticket can have been sent: the ring has room for so many that were not taken in.
    pub fn may_have_sent_async_before(&self, ticket: u32) -> bool {
        ticket.wrapping_sub(self.outgoing.async_taken()).cast_signed() <= ASYNC_ENTRIES as i32
    }

    /// The ticket of the next asynchronous message to the peer.
    pub fn next_async_ticket(&self) -> u32 {
        self.async_messages.next_ticket()
    }

    /// Says that this process's room has these bytes of the peer's asynchronous messages more.
    pub fn note_async_in_use(&self, bytes: u64) {
        self.async_taken_bytes.fetch_add(bytes, Ordering::AcqRel);
        FaultPoint::AsyncInUse.around(|| self.own.status.async_in_use().fetch_add(bytes, Ordering::AcqRel));
    }

    /// Says that they are free again.
    pub fn note_async_freed(&self, bytes: u64) {
        FaultPoint::AsyncNotInUse.around(|| self.own.status.async_in_use().fetch_sub(bytes, Ordering::AcqRel));
        self.outgoing.add_async_freed(bytes);
    }
}

fn room_taken(sent: &SentAsync, receiver: &Receiver) -> RoomTaken {
    let on_the_way = sent.bytes_not_taken();
    RoomTaken {
        all: receiver.in_use.saturating_add(on_the_way),
        limit: receiver.room,
        asynchronous: receiver.async_in_use.saturating_add(on_the_way),
        own: sent.sent_bytes().saturating_sub(receiver.freed),
    }
}
