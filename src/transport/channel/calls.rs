// SPDX-License-Identifier: Apache-2.0
//! Synchronous requests and their replies.

use crate::shm::arena::Block;
use crate::shm::atomics::Ordering;
use crate::shm::layout::{CALL_SLOTS, RecordContent, bell_of_token};
use crate::shm::wakeups;
use crate::sys::{order, thread};
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

    /// Publishes a request, for the waiting thread `target` of the peer or, where that is `None`, for any of its workers.
    /// The body's block is to be given to [`Self::finish_call`].
    pub fn publish_request(
        &self,
        slot: &CallSlot,
        caller: u64,
        target: Option<u64>,
        message: &Message<'_>,
    ) -> Result<Option<Block>, ChannelError> {
        let (mut content, block) = self.place(message)?;
        let block = self.send_ahead(message, block)?;
        content.caller = caller;
        content.sent_at = microseconds(thread::nanoseconds());
        content.call = slot.call;
        content.call_slot = slot.slot;
        order::sent();
        match target {
            None => {
                self.requests.publish(self.outgoing.requests(), &content);
                self.announce();
            }
            Some(thread) => {
                content.target = thread;
                self.nested_requests.publish(self.outgoing.nested_requests(), &content);
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

    /// Ends a call whose reply has been copied, or never will be read.
    pub fn finish_call(&self, slot: CallSlot, block: Option<Block>) {
        self.outgoing.call_line(slot.slot.into()).acknowledged.store(slot.call, Ordering::Release);
        self.free(block);
        self.call_slots.release(slot);
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
        let (content, block) = self.place(message)?;
        let block = self.send_ahead(message, block)?;
        if let Some(block) = block {
            self.long_replies.fetch_add(1, Ordering::Relaxed);
            self.reply_blocks.lock()[slot] = Some((request.call, block));
        }
        Ok(PreparedReply { slot, call: request.call, caller: request.caller, content })
    }

    /// Publishes a reply, and wakes its caller.
    pub fn publish_reply(&self, reply: &PreparedReply) {
        order::sent();
        self.outgoing.publish_reply(reply.slot, reply.call, &reply.content);
        let bell = bell_of_token(reply.caller);
        wakeups::wake_caller(|| self.incoming.caller_sleeps(reply.slot), &self.peer_doorbells, bell);
    }
}
