// SPDX-License-Identifier: Apache-2.0
//! What the peer has sent: taking it, and reading it as what it is, somebody else's.

use std::sync::atomic::AtomicBool;

use super::{Channel, makes_sense, microseconds, padded};
use crate::host::mutation::Mutation;
use crate::shm::arena::ROTATE_FROM;
use crate::shm::atomics::Ordering;
use crate::shm::layout::{CALL_SLOTS, RecordContent};
use crate::shm::ring::{Entries, NotTaken, RingReader};
use crate::shm::segment::Unreadable;
use crate::sys::thread;
use crate::transport::wire::{self, Ancestor, ObjectRecord};

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

    /// Takes a request for any worker whose descriptors are here. It is to be answered.
    #[inline]
    pub fn take_request(&self) -> Option<RecordContent> {
        let request = self.take_ready(&self.incoming_requests, self.incoming.requests(), &self.requests_held)?;
        self.request_times.note(thread::nanoseconds);
        self.begin_call(request)
    }

    /// Whether there is a request for any worker that can be taken, or an asynchronous message.
    #[inline]
    pub fn has_work(&self) -> bool {
        self.has_request() || self.has_async()
    }

    /// How many requests for workers and asynchronous messages have been taken.
    pub fn taken(&self) -> u32 {
        self.incoming_requests.next_ticket().wrapping_add(self.incoming_async.next_ticket())
    }

    #[inline]
    fn has_request(&self) -> bool {
        self.incoming_requests.has_next(self.incoming.requests()) && !self.requests_held.load(Ordering::SeqCst)
    }

    /// Takes a request for a waiting thread whose descriptors are here. It is to be answered.
    pub fn take_nested_request(&self) -> Option<RecordContent> {
        let request = self.take_ready(&self.incoming_nested, self.incoming.nested_requests(), &self.nested_held)?;
        self.begin_call(request)
    }

    /// The thread that the next request for a waiting thread is for.
    pub fn next_nested_target(&self) -> Option<u64> {
        Some(self.incoming_nested.peek(self.incoming.nested_requests())?.target)
    }

    /// Takes the next request, unless its descriptors have not arrived: then it and those behind it are held back until they have. So nobody
    /// here waits for what a peer may never send.
    #[inline]
    fn take_ready(
        &self,
        ring: &RingReader,
        entries: Entries<'_, CALL_SLOTS>,
        held: &AtomicBool,
    ) -> Option<RecordContent> {
        let is_ready = |content: &RecordContent| content.objects == 0 || self.descriptors_are_here(content);
        match ring.take_if(entries, is_ready) {
            Ok(request) => return Some(request),
            Err(NotTaken::Nothing) => return None,
            Err(NotTaken::Unwanted) => {}
        }
        // Held first: what arrives between the two looks ends the hold.
        held.store(true, Ordering::SeqCst);
        let taken = ring.take_if(entries, is_ready);
        if !matches!(taken, Err(NotTaken::Unwanted)) {
            held.store(false, Ordering::SeqCst);
        }
        taken.ok()
    }

    /// Whether a message's descriptors have arrived, or never will.
    pub(super) fn descriptors_are_here(&self, content: &RecordContent) -> bool {
        let Some((records, _)) = self.read_tail(content) else { return true };
        wire::descriptors_of(&records).is_none_or(|(transfer, count)| self.descriptors.are_here(transfer, count))
    }

    #[inline]
    fn begin_call(&self, request: RecordContent) -> Option<RecordContent> {
        if self.answers_due.begin(request.call_slot) {
            return Some(request);
        }
        self.give_up(format_args!("it has sent a second request for an answer that it has not got yet"));
        None
    }

    /// When the oldest request was sent that waits for a worker, on the monotonic clock; `None` where there is none.
    pub fn oldest_work(&self) -> Option<u32> {
        let request = if self.has_request() { self.incoming_requests.peek(self.incoming.requests()) } else { None };
        let message = self.has_async().then(|| self.incoming_async.peek(self.incoming.async_messages())).flatten();
        let request = request.map(|request| no_earlier(request.sent_at, self.request_times.earliest()));
        let message = message.map(|message| no_earlier(message.sent_at, self.async_times.earliest()));
        match (request, message) {
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

    /// Whether a message's lengths cannot be.
    pub fn is_malformed(&self, content: &RecordContent) -> bool {
        !makes_sense(content)
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
        if len >= ROTATE_FROM {
            self.peer_processor.store(content.processor(), Ordering::Relaxed);
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

/// The time that counts: a peer cannot say that something was sent before the earliest that it can have been.
fn no_earlier(sent_at: u32, earliest: u64) -> u32 {
    let earliest = microseconds(earliest);
    if earliest != 0 && is_before(sent_at, earliest) { earliest } else { sent_at }
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
