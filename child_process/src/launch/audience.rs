// SPDX-License-Identifier: Apache-2.0
//! Who is told how a start goes: the callback of Create, or the caller of Start.

use std::sync::Arc;

use super::event::Answer;
use super::news::{News, Recipient};
use super::start::Failure;
use crate::protocol::Task;
use crate::sys::channel::Channel;
use crate::sys::ipc::Reference;

/// A process id.
pub(super) type Pid = i32;

/// Who is told, each once.
pub(super) enum Audience {
    /// A callback, of the child's stub or of the failure; nobody once it has been told.
    Callback(Option<Recipient>),
    /// The caller of Start, who waits for a process id or learns that there is no process; nobody once it has been told.
    Caller(Option<Arc<Answer<Result<Pid, Failure>>>>),
}

impl Audience {
    /// What its child is for.
    pub(super) fn task(&self) -> Task {
        match self {
            Self::Callback(_) => Task::Connect,
            Self::Caller(_) => Task::Run,
        }
    }

    /// Tells a caller who waits for it; whether there was one.
    pub(super) fn tell_pid(&mut self, pid: Pid) -> bool {
        let Self::Caller(caller) = self else { return false };
        caller.take().inspect(|caller| caller.give(Ok(pid))).is_some()
    }

    /// The news for a callback that has not had any.
    pub(super) fn entered(&mut self, reference: Box<Reference>, channel: Arc<Channel>, child: String) -> Option<News> {
        let Self::Callback(recipient) = self else { return None };
        recipient.take().map(|recipient| News::entered(recipient, reference, channel, child))
    }

    /// Tells a caller who waits, or gives the news for a callback.
    pub(super) fn fail(&mut self, failure: Failure) -> Option<News> {
        match self {
            Self::Callback(recipient) => recipient.take().map(|recipient| News::failed(recipient, failure)),
            Self::Caller(caller) => {
                if let Some(caller) = caller.take() {
                    caller.give(Err(failure));
                }
                None
            }
        }
    }
}
