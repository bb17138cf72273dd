// SPDX-License-Identifier: Apache-2.0
//! The sender's account of asynchronous messages: what the receiver has not taken in yet, and what it has not freed.

use std::collections::VecDeque;

use crate::host::mutation::Mutation;
use crate::shm::arena::Block;
use crate::shm::layout::ASYNC_ENTRIES;

/// Smaller messages are not worth a question to the receiver: they make up for a small part of its room.
const CONTESTED_FROM: u64 = 8 * 1024;

/// Bytes that are sent before the receiver's words are read again. Each of them is in a cache line that it writes for each message.
const SENT_UNSEEN: u64 = 4 * 1024;

#[derive(Debug)]
struct Sent {
    bytes: u64,
    block: Option<Block>,
}

/// What was sent over one channel.
#[derive(Debug, Default)]
pub(super) struct SentAsync {
    not_taken: VecDeque<Sent>,
    sent_bytes: u64,
    taken_bytes: u64,
    /// What the receiver had taken in, as a ticket, when a sender last gave up waiting for it to take in more.
    waited_in_vain: Option<u32>,
    /// What the receiver said when it was last looked at, and how many bytes were sent since.
    seen: Option<Receiver>,
    sent_unseen: u64,
}

/// What the receiver says. It is read in this order, and written in the opposite one: so that what happens between two reads can only
/// make more room, never less.
#[derive(Debug, Clone, Copy)]
pub(super) struct Receiver {
    /// Bytes of this channel that it has freed.
    pub(super) freed: u64,
    /// Bytes of all channels' asynchronous messages that it has taken in and not freed.
    pub(super) async_in_use: u64,
    /// Bytes of all messages that it has taken in and not freed.
    pub(super) in_use: u64,
    /// Messages of this channel that it has taken in, as a ticket.
    pub(super) taken: u32,
    /// Bytes that it may have in use, half of them asynchronous.
    pub(super) room: u64,
}

/// Why there is no place for a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// The receiver has no room for it.
    Receiver,
    /// The receiver has not taken in what was sent before.
    Ring,
}

impl SentAsync {
    /// Takes note of what the receiver has taken in, and returns the blocks that are free again.
    pub(super) fn note_taken(&mut self, taken: u32, next_ticket: u32) -> Vec<Block> {
        let mut blocks = Vec::new();
        // A receiver that claims to have taken more than was sent is not believed.
        let not_taken = next_ticket.wrapping_sub(taken) as usize;
        while self.not_taken.len() > not_taken {
            let Some(sent) = self.not_taken.pop_front() else { break };
            self.taken_bytes += sent.bytes;
            blocks.extend(sent.block);
        }
        blocks
    }

    /// Whether one more message of `bytes` fits by what the receiver said a moment ago. Of what was sent since it may have freed some; what
    /// others have sent there meanwhile is overlooked, for a few messages.
    pub(super) fn fits_as_last_seen(&mut self, bytes: u64) -> bool {
        self.sent_unseen += bytes;
        self.sent_unseen <= SENT_UNSEEN && self.seen.is_some_and(|seen| self.check_room(bytes, &seen).is_ok())
    }

    /// Takes note of what the receiver says now.
    pub(super) fn note_seen(&mut self, receiver: Receiver) {
        self.seen = Some(receiver);
        self.sent_unseen = 0;
    }

    /// Whether one more message of `bytes` fits.
    pub(super) fn check_room(&self, bytes: u64, receiver: &Receiver) -> Result<(), Full> {
        let own = self.sent_bytes.saturating_sub(receiver.freed);
        let own_in_use = self.taken_bytes.saturating_sub(receiver.freed);
        let others = receiver.async_in_use.saturating_sub(own_in_use);
        let others = if Mutation::EachSenderHasItsRoom.is_on() { 0 } else { others };
        let not_taken = self.bytes_not_taken();
        let async_total = own.saturating_add(others).saturating_add(bytes);
        let total = receiver.in_use.saturating_add(not_taken).saturating_add(bytes);
        let half = if Mutation::AsyncMayTakeAllRoom.is_on() { receiver.room } else { receiver.room / 2 };
        let total = if Mutation::AsyncHasRoomOfItsOwn.is_on() { 0 } else { total };
        if async_total > half || total > receiver.room {
            return Err(Full::Receiver);
        }
        let most = ASYNC_ENTRIES - usize::from(Mutation::OneMessageLess.is_on());
        if self.not_taken.len() >= most { Err(Full::Ring) } else { Ok(()) }
    }

    /// Whether `bytes` more may be one too many, if others had sent as much as they may: then it matters what they have.
    pub(super) fn may_be_contested(&self, bytes: u64, receiver: &Receiver) -> bool {
        let own = self.sent_bytes.saturating_sub(receiver.freed);
        bytes >= CONTESTED_FROM
            && !Mutation::EachSenderHasItsRoom.is_on()
            && own.saturating_add(receiver.async_in_use).saturating_add(bytes) > receiver.room / 8
    }

    /// Whether a sender has waited for the receiver to take in more than this, and given up: the next one need not.
    pub(super) fn has_waited_in_vain(&self, taken: u32) -> bool {
        self.waited_in_vain == Some(taken)
    }

    /// Takes note that a sender has.
    pub(super) fn note_waited_in_vain(&mut self, taken: u32) {
        self.waited_in_vain = Some(taken);
    }

    /// Bytes that the receiver has not taken in.
    pub(super) fn bytes_not_taken(&self) -> u64 {
        self.sent_bytes - self.taken_bytes
    }

    /// Bytes of all that was sent.
    pub(super) fn sent_bytes(&self) -> u64 {
        self.sent_bytes
    }

    /// Takes note of a message that was sent.
    pub(super) fn note_sent(&mut self, bytes: u64, block: Option<Block>) {
        self.sent_bytes += bytes;
        self.not_taken.push_back(Sent { bytes, block });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: u64 = 1_040_384;
    const HALF: u64 = ROOM / 2;

    fn receiver(freed: u64, async_in_use: u64, taken: u32) -> Receiver {
        Receiver { freed, async_in_use, in_use: async_in_use, taken, room: ROOM }
    }

    #[test]
    fn as_many_fit_as_on_a_device() {
        for (bytes, fit) in [(1024, 508), (65_536, 7), (204_800, 2)] {
            let mut sent = SentAsync::default();
            while sent.check_room(bytes, &receiver(0, 0, 0)).is_ok() {
                sent.note_sent(bytes, None);
            }
            assert_eq!(sent.not_taken.len(), fit, "{bytes} bytes");
        }
    }

    #[test]
    fn what_is_taken_in_still_counts_until_it_is_freed() {
        let mut sent = SentAsync::default();
        sent.note_sent(500_000, None);
        sent.note_taken(1, 1);
        assert_eq!(sent.check_room(100_000, &receiver(0, 500_000, 1)), Err(Full::Receiver));
        assert_eq!(sent.check_room(100_000, &receiver(500_000, 0, 1)), Ok(()));
    }

    #[test]
    fn what_others_have_in_use_counts() {
        let mut sent = SentAsync::default();
        assert_eq!(sent.check_room(1024, &receiver(0, HALF, 0)), Err(Full::Receiver));
        sent.note_sent(100_000, None);
        sent.note_taken(1, 1);
        assert_eq!(sent.check_room(100_000, &receiver(0, 500_000, 1)), Err(Full::Receiver));
        assert_eq!(sent.check_room(20_192, &receiver(0, 500_000, 1)), Ok(()));
    }

    #[test]
    fn what_synchronous_messages_take_is_not_there_for_asynchronous_ones() {
        let sent = SentAsync::default();
        let busy = Receiver { in_use: 1_024_000, ..receiver(0, 0, 0) };
        assert_eq!(sent.check_room(65_536, &busy), Err(Full::Receiver));
        assert_eq!(sent.check_room(16_384, &busy), Ok(()));
    }

    #[test]
    fn a_receiver_is_looked_at_again_after_some_messages_or_where_it_had_no_room() {
        let mut sent = SentAsync::default();
        assert!(!sent.fits_as_last_seen(64));
        sent.note_seen(receiver(0, 0, 0));
        for _ in 0..64 {
            assert!(sent.fits_as_last_seen(64));
            sent.note_sent(64, None);
        }
        assert!(!sent.fits_as_last_seen(64));
        sent.note_seen(receiver(0, HALF, 0));
        assert!(!sent.fits_as_last_seen(64));
    }

    #[test]
    fn the_ring_has_an_end() {
        let mut sent = SentAsync::default();
        (0..ASYNC_ENTRIES).for_each(|_| sent.note_sent(8, None));
        assert_eq!(sent.check_room(8, &receiver(0, 0, 0)), Err(Full::Ring));
    }

    #[test]
    fn one_sender_waits_in_vain_for_all() {
        let mut sent = SentAsync::default();
        assert!(!sent.has_waited_in_vain(0));
        sent.note_waited_in_vain(7);
        assert!(sent.has_waited_in_vain(7));
        assert!(!sent.has_waited_in_vain(8));
    }

    #[test]
    fn a_receiver_that_lies_does_no_harm() {
        let mut sent = SentAsync::default();
        sent.note_sent(100, None);
        assert!(sent.note_taken(u32::MAX, 1).is_empty());
        assert_eq!(sent.check_room(1, &receiver(u64::MAX, 0, 5)), Ok(()));
        assert_eq!(sent.check_room(1, &receiver(0, u64::MAX, 5)), Err(Full::Receiver));
    }
}
