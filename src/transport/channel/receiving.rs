// SPDX-License-Identifier: Apache-2.0
//! What the peer has sent: taking it, and reading it as what it is, somebody else's.

use super::{Channel, makes_sense, padded};
use crate::host::mutation::Mutation;
use crate::shm::atomics::Ordering;
use crate::shm::layout::RecordContent;
use crate::shm::segment::Unreadable;
use crate::transport::wire::{Ancestor, ObjectRecord};

impl Channel {
    /// Takes the next request for any worker, unless an asynchronous message was sent before it: that one is to be taken in first.
    #[inline]
    pub fn take_request_in_turn(&self) -> Option<RecordContent> {
        if self.has_async() && self.async_comes_first() { None } else { self.take_request() }
    }

    fn async_comes_first(&self) -> bool {
        let Some(message) = self.incoming_async.peek(self.incoming.async_messages()) else { return false };
        let request = self.incoming_requests.peek(self.incoming.requests());
        request.is_none_or(|request| is_before(message.sent_at, request.sent_at)) && !Mutation::AsyncComesLast.is_on()
    }

    /// Takes a request for any worker.
    #[inline]
    pub fn take_request(&self) -> Option<RecordContent> {
        self.incoming_requests.take(self.incoming.requests())
    }

    /// Whether there is a request for any worker, or an asynchronous message.
    #[inline]
    pub fn has_work(&self) -> bool {
        self.incoming_requests.has_next(self.incoming.requests()) || self.has_async()
    }

    /// How many requests for workers and asynchronous messages have been taken.
    pub fn taken(&self) -> u32 {
        self.incoming_requests.next_ticket().wrapping_add(self.incoming_async.next_ticket())
    }

    /// Takes a request for a waiting thread.
    pub fn take_nested_request(&self) -> Option<RecordContent> {
        self.incoming_nested.take(self.incoming.nested_requests())
    }

    /// When the oldest request was sent that waits for a worker, on the monotonic clock; `None` where there is none.
    pub fn oldest_work(&self) -> Option<u32> {
        let request = self.incoming_requests.peek(self.incoming.requests()).map(|request| request.sent_at);
        let message = self.has_async().then(|| self.incoming_async.peek(self.incoming.async_messages())).flatten();
        match (request, message.map(|message| message.sent_at)) {
            (Some(request), Some(message)) if is_before(message, request) => Some(message),
            (request, message) => request.or(message),
        }
    }

    /// Whether there is an asynchronous message to take in, and nobody is at it.
    #[inline]
    pub fn has_async(&self) -> bool {
        self.incoming_async.has_next(self.incoming.async_messages())
            && !self.own.async_gate.is_locked()
            && !self.async_held.load(Ordering::SeqCst)
    }

    /// Whether it is a channel of the process that forked this one: then its shared memory is not to be touched.
    pub fn is_inherited(&self) -> bool {
        self.own.status.is_inherited()
    }

    /// A copy of a message's data.
    pub fn read_data(&self, content: &RecordContent) -> Result<Vec<u8>, Unreadable> {
        if !makes_sense(content) {
            return Err(Unreadable::OutOfBounds);
        }
        let len = content.data_len as usize;
        if content.has_short_body() {
            return Ok(content.short_body[..len].to_vec());
        }
        self.incoming.read_arena(content.arena_offset, len)
    }

    /// Reads the objects and ancestors of a message; `None` where the record makes no sense.
    pub fn read_tail(&self, content: &RecordContent) -> Option<(Vec<ObjectRecord>, Vec<Ancestor>)> {
        if content.objects == 0 && content.ancestors == 0 {
            return Some((Vec::new(), Vec::new()));
        }
        if !makes_sense(content) {
            return None;
        }
        let data = padded(content.data_len as usize);
        let start = content.arena_offset.checked_add(data as u32)?;
        let tail = self.incoming.read_arena(start, content.body_len as usize - data).ok()?;
        let (objects, ancestors) = tail.split_at_checked(usize::from(content.objects) * ObjectRecord::BYTES)?;
        let objects: Option<Vec<_>> = objects.as_chunks().0.iter().map(ObjectRecord::from_bytes).collect();
        Some((objects?, ancestors.as_chunks().0.iter().map(Ancestor::from_bytes).collect()))
    }
}

/// Whether one time is before the other, of times that have lost their high bits.
fn is_before(time: u32, other: u32) -> bool {
    time.wrapping_sub(other).cast_signed() < 0
}

#[cfg(test)]
mod tests {
    use super::is_before;

    #[test]
    fn times_are_compared_across_the_turn_of_the_clock() {
        assert!(is_before(1, 2));
        assert!(!is_before(2, 2));
        assert!(is_before(u32::MAX, 0));
        assert!(!is_before(0, u32::MAX));
    }
}
