// SPDX-License-Identifier: Apache-2.0
//! What the peer has sent: taking it, and reading it as what it is, somebody else's.

use super::{Channel, makes_sense, padded};
use crate::shm::atomics::Ordering;
use crate::shm::layout::RecordContent;
use crate::shm::segment::Unreadable;
use crate::transport::wire::{Ancestor, ObjectRecord};

impl Channel {
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

    /// Takes a request for a waiting thread.
    pub fn take_nested_request(&self) -> Option<RecordContent> {
        self.incoming_nested.take(self.incoming.nested_requests())
    }

    /// When the oldest request was sent that waits for a worker, on the monotonic clock; `None` where there is none.
    pub fn oldest_work(&self) -> Option<u32> {
        let request = self.incoming_requests.peek(self.incoming.requests());
        let oldest = request.or_else(|| {
            if self.has_async() { self.incoming_async.peek(self.incoming.async_messages()) } else { None }
        })?;
        Some(oldest.sent_at)
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
