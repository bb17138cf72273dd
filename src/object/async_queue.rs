// SPDX-License-Identifier: Apache-2.0
//! The asynchronous messages of one stub: handled one at a time, in the order they were sent.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::sys::fork;
use crate::sys::lock::{Mutex, MutexGuard};
use crate::sys::order;

use super::{Caller, Parcel};
use crate::host::mutation::Mutation;
use crate::transport::Channel;
use crate::transport::room::{Reservation, Room};

/// The room that an asynchronous message takes in this process; given back when dropped.
pub struct AsyncCharge {
    channel: Arc<Channel>,
    bytes: u64,
    room: Option<Reservation>,
}

impl AsyncCharge {
    /// Takes `bytes` for a message that came over `channel`. Its sender has seen to it that they are free.
    pub fn new(channel: &Arc<Channel>, room: &'static Room, bytes: usize) -> Self {
        channel.note_async_in_use(bytes as u64);
        Self { channel: Arc::clone(channel), bytes: bytes as u64, room: Some(room.take(bytes)) }
    }

    /// What the message came over.
    pub fn channel(&self) -> &Channel {
        &self.channel
    }
}

impl Drop for AsyncCharge {
    fn drop(&mut self) {
        if self.channel.is_inherited() {
            return;
        }
        // The sender reads these in the opposite order.
        drop(self.room.take());
        self.channel.note_async_freed(self.bytes);
    }
}

/// An asynchronous message that this process has taken in.
pub struct AsyncMessage {
    /// The request's code.
    pub code: u32,
    /// The request's data.
    pub data: Parcel,
    /// Who sent it.
    pub caller: Caller,
    /// The room it takes.
    pub charge: AsyncCharge,
}

struct State {
    generation: u32,
    waiting: VecDeque<AsyncMessage>,
    running: bool,
}

impl Default for State {
    fn default() -> Self {
        Self { generation: fork::generation(), waiting: VecDeque::new(), running: false }
    }
}

/// The queue of one stub.
#[derive(Default)]
pub(super) struct AsyncQueue(Mutex<State>);

impl AsyncQueue {
    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.0.lock();
        if state.generation != fork::generation() {
            // The messages were sent to the process that forked this one, whose threads may have been changing the queue.
            std::mem::forget(std::mem::take(&mut *state));
        }
        state
    }

    /// Adds a message; `true` where nobody handles the queue: the caller is to see to it that somebody does.
    pub(super) fn push(&self, message: AsyncMessage) -> bool {
        let mut state = self.state();
        state.waiting.push_back(message);
        !std::mem::replace(&mut state.running, true) || Mutation::AsyncIsHandledAtOnce.is_on()
    }

    /// Ceases to handle the queue where it is empty; `true` where there is more, which somebody is to go on with: what was moved out and
    /// not handled comes first.
    pub(super) fn leave(&self, mut unhandled: VecDeque<AsyncMessage>) -> bool {
        let mut state = self.state();
        unhandled.append(&mut state.waiting);
        state.waiting = unhandled;
        state.running = !state.waiting.is_empty();
        order::hand_over(self);
        state.running
    }

    /// Moves all messages that wait to `messages`, which is empty, for who handles the queue; with `false` there are none, and they have
    /// ceased to.
    pub(super) fn next(&self, messages: &mut VecDeque<AsyncMessage>) -> bool {
        let mut state = self.state();
        std::mem::swap(&mut state.waiting, messages);
        if Mutation::LastAsyncComesFirst.is_on() {
            messages.make_contiguous().reverse();
        }
        state.running = !messages.is_empty();
        // Who handles the next messages may be another thread than who has handled the last.
        order::hand_over(self);
        order::take_over(self);
        state.running
    }
}
