// SPDX-License-Identifier: Apache-2.0
//! Synchronous requests and their replies.

use crate::shm::arena::Block;
use crate::shm::atomics::Ordering;
use crate::shm::layout::{CALL_SLOTS, RecordContent, bell_of_token};
use crate::shm::wakeups;
use crate::sys::fault_point::FaultPoint;
use crate::sys::order;
use crate::transport::call_slots::CallSlot;

use super::{Channel, ChannelError, Message, PreparedReply, microseconds};

impl Channel {
    /// A slot for a call by the thread with this token. Waits for one where `may_wait`, else fails.
    pub fn acquire_slot(&self, caller: u64, may_wait: bool) -> Result<CallSlot, ChannelError> {
        let bell = bell_of_token(caller);
        if may_wait {
            self.call_slots.acquire(bell, || self.is_dead()).ok_or(ChannelError::Dead)
        } else {
            self.call_slots.try_acquire(bell).ok_or(ChannelError::NoCallSlot)
        }
    }

    /// Whether no call is under way.
    pub fn has_no_call(&self) -> bool {
        self.call_slots.bells_in_use().next().is_none()
    }

    /// Publishes a request, for the waiting thread `target` of the peer or, where that is `None`, for any of its workers; then the
    /// caller is to see to it that one comes, by [`Self::announce`]. The body's block is to be given to [`Self::finish_call`].
    pub fn publish_request(
        &self,
        slot: &CallSlot,
        (caller, target): (u64, Option<u64>),
        now: u64,
        message: &Message<'_>,
    ) -> Result<Option<Block>, ChannelError> {
        let mut content = RecordContent::EMPTY;
        let block = self.place(message, &mut content)?;
        let block = self.send_ahead(message, block)?;
        content.caller = caller;
        content.sent_at = microseconds(now);
        content.call = slot.call;
        content.call_slot = slot.slot;
        order::sent();
        match target {
            None => {
                FaultPoint::RequestPublished.around(|| self.requests.publish(self.outgoing.requests(), &content));
            }
            Some(thread) => {
                content.target = thread;
                content.lines = 2;
                let publish = || self.nested_requests.publish(self.outgoing.nested_requests(), &content);
                FaultPoint::NestedRequestPublished.around(publish);
                wakeups::announce_nested(&self.peer_doorbells, self.peer.channel, bell_of_token(thread));
            }
        }
        Ok(block)
    }

    /// The reply to a call, once it is there.
    #[inline]
    pub fn reply(&self, slot: &CallSlot) -> Option<RecordContent> {
        self.incoming.reply(slot.slot.into(), slot.call)
    }

    /// Says that the caller is about to sleep, so that the replier rings its bell.
    pub fn begin_caller_sleep(&self, slot: &CallSlot) {
        wakeups::begin_caller_sleep(&self.outgoing.call_line(slot.slot.into()).waiting);
    }

    /// Says that the caller is awake.
    pub fn end_caller_sleep(&self, slot: &CallSlot) {
        wakeups::end_caller_sleep(&self.outgoing.call_line(slot.slot.into()).waiting);
    }

    /// Ends a call whose reply has been copied, or never will be read. `long_reply` where that lies in the arena.
    pub fn finish_call(&self, slot: CallSlot, block: Option<Block>, long_reply: bool) {
        if long_reply {
            // Only then: the replier reads this line for each reply, and has it in its cache as long as nobody writes it.
            let line = self.outgoing.call_line(slot.slot.into());
            FaultPoint::ReplyAcknowledged.around(|| line.acknowledged.store(slot.call, Ordering::Release));
        }
        self.free(block);
        self.call_slots.release(slot);
    }

    /// Replies with objects that are there and that their callers have not taken.
    pub fn replies_to_take(&self) -> Vec<(u16, u32)> {
        let has_objects = |(slot, call): &(u16, u32)| {
            // These lie in the arena, and are acknowledged.
            self.incoming.reply((*slot).into(), *call).is_some_and(|reply| reply.objects > 0)
        };
        self.call_slots.calls_in_use().filter(has_objects).collect()
    }

    /// Whether the callers of these calls have taken their replies.
    pub fn has_taken_replies(&self, calls: &[(u16, u32)]) -> bool {
        let acknowledged = |slot: u16| self.outgoing.call_line(slot.into()).acknowledged.load(Ordering::Acquire);
        calls.iter().all(|(slot, call)| acknowledged(*slot).wrapping_sub(*call).cast_signed() >= 0)
    }

    /// Lays the reply to the peer's call `request` out, so that [`Self::publish_reply`] has only to say that it is there.
    pub fn prepare_reply(&self, request: &RecordContent, message: &Message<'_>) -> Result<PreparedReply, ChannelError> {
        let slot = usize::from(request.call_slot);
        if slot >= CALL_SLOTS {
            return Err(ChannelError::ImpossibleCall);
        }
        if self.long_replies.load(Ordering::Relaxed) != 0 {
            // That the slot is in use again says that its last reply has been read.
            let old = self.reply_blocks.lock()[slot].take();
            if let Some((_, block)) = old {
                self.long_replies.fetch_sub(1, Ordering::Relaxed);
                self.free(Some(block));
            }
        }
        let mut reply =
            PreparedReply { slot, call: request.call, caller: request.caller, content: RecordContent::EMPTY };
        let block = self.place(message, &mut reply.content)?;
        if let Some(block) = self.send_ahead(message, block)? {
            self.long_replies.fetch_add(1, Ordering::Relaxed);
            self.reply_blocks.lock()[slot] = Some((request.call, block));
        }
        Ok(reply)
    }

    /// Publishes a reply, and wakes its caller.
    pub fn publish_reply(&self, reply: &PreparedReply) {
        order::sent();
        self.answers_due.end(reply.slot as u16);
        self.outgoing.publish_reply(reply.slot, reply.call, &reply.content);
        let bell = bell_of_token(reply.caller);
        wakeups::wake_caller(|| self.incoming.caller_sleeps(reply.slot), &self.peer_doorbells, bell);
    }
}
