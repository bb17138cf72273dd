// SPDX-License-Identifier: Apache-2.0
//! A stub: an object of this process that handles requests.

use std::collections::VecDeque;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use super::async_queue::AsyncQueue;
use super::{AsyncMessage, Exports, Parcel};
use crate::sys::lock::OnceLock;
use crate::sys::memory;
use crate::sys::order::{self, Mark};

/// What handles a stub's requests, and is told when the stub dies by being dropped.
///
/// The parcels come as pointers because a direct call hands over the caller's own, which may be one and the same.
pub trait RequestHandler: Send + Sync {
    /// Handles one request and returns the handler's own code, as it is. Both pointers are valid for the call.
    fn handle(&self, code: u32, data: NonNull<Parcel>, reply: NonNull<Parcel>) -> i32;
}

/// A stub. It dies with its last [`std::sync::Arc`]; its handler is dropped then, once. What each request looks at is together, next to the
/// count of references: with many stubs each place of memory elsewhere is in no cache.
#[repr(C)]
pub struct Stub {
    handler: Box<dyn RequestHandler>,
    created: Mark,
    used: Mark,
    number: u64,
    descriptor: String,
    async_queue: AsyncQueue,
    exports: OnceLock<Weak<Exports>>,
}

impl Stub {
    /// A stub with the descriptor that proxies will report.
    pub fn new(descriptor: String, handler: Box<dyn RequestHandler>) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let stub = Arc::new(Self {
            handler,
            created: Mark::default(),
            used: Mark::default(),
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            descriptor,
            async_queue: AsyncQueue::default(),
            exports: OnceLock::new(),
        });
        order::hand_over(&stub.created);
        stub
    }

    /// Its number in this process.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The interface descriptor.
    pub fn descriptor(&self) -> &str {
        &self.descriptor
    }

    /// Has the processor fetch what the handler is, which is in no cache where there are many, while a request to it is taken.
    #[inline]
    pub fn prefetch_handler(&self) {
        memory::prefetch(ptr::from_ref(&*self.handler).cast());
    }

    /// Has the handler handle one request, as [`RequestHandler::handle`] says.
    pub fn handle(&self, code: u32, data: NonNull<Parcel>, reply: NonNull<Parcel>) -> i32 {
        order::take_over(&self.created);
        let result = self.handler.handle(code, data, reply);
        self.note_used();
        result
    }

    /// What the calling thread has done happens before the stub's end.
    pub(super) fn note_used(&self) {
        order::hand_over(&self.used);
    }

    /// Queues an asynchronous message; `true` where nobody handles the queue: the caller is to see to it that somebody does.
    pub fn queue_async(&self, message: AsyncMessage) -> bool {
        self.async_queue.push(message)
    }

    /// Moves the queued messages to `messages`, for who handles the queue; with `false` there are none, and they have ceased to.
    pub fn next_async(&self, messages: &mut VecDeque<AsyncMessage>) -> bool {
        self.async_queue.next(messages)
    }

    /// Ceases to handle the queue where it is empty; `true` where there is more: who handles the queue is to see to it that
    /// somebody goes on.
    pub fn leave_async(&self, unhandled: VecDeque<AsyncMessage>) -> bool {
        self.async_queue.leave(unhandled)
    }

    /// Gives a reference up. Where it was the last, returns the stub, whose end may run the user's code.
    #[must_use]
    pub fn give_up(self: Arc<Self>) -> Option<Box<Self>> {
        let (created, used) = (ptr::from_ref(&self.created), ptr::from_ref(&self.used));
        let stub = Box::new(Arc::into_inner(self)?);
        // It has moved, and may go to another thread.
        order::take_over_from(created);
        order::take_over_from(used);
        order::hand_over(&stub.used);
        Some(stub)
    }

    /// Remembers the table that is to forget the stub when it dies. `false` where it remembers another.
    pub(super) fn set_exports(&self, exports: &Weak<Exports>) -> bool {
        self.exports.get_or_init(|| Weak::clone(exports)).ptr_eq(exports)
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        if let Some(exports) = self.exports.get().and_then(Weak::upgrade) {
            exports.forget(self.number);
        }
        // The last reference may have been another process's.
        order::received();
        order::take_over(&self.created);
        order::take_over(&self.used);
    }
}
