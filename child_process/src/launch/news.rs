// SPDX-License-Identifier: Apache-2.0
//! The outcome of a start on its way to the user's callback, which runs on an IPC worker.

use std::io;
use std::ptr::NonNull;
use std::sync::Arc;

use ipckit_threads::lock::Mutex;
use ipckit_threads::thread;

use super::event::Event;
use super::start::Failure;
use super::starter;
use crate::protocol::Order;
use crate::sys::channel::Channel;
use crate::sys::ipc::{self, Reference, RemoteProxy};

/// So many descriptors a first connection to a child takes, about.
const DESCRIPTORS_OF_A_CONNECTION: usize = 8;

/// What a user wants to be told: a proxy of the child's stub, which the callee owns, or why there is none.
pub(crate) type Callback = Box<dyn FnOnce(Result<NonNull<RemoteProxy>, Failure>) + Send>;

/// The user's callback and who waits for its return.
pub(super) struct Recipient {
    pub(super) callback: Callback,
    pub(super) told: Arc<Event>,
}

/// A recipient and what it is to be told.
pub(super) struct News {
    recipient: Recipient,
    content: Content,
}

enum Content {
    Entered { reference: Box<Reference>, channel: Arc<Channel>, child: String },
    Failed(Failure),
}

impl News {
    pub(super) fn failed(recipient: Recipient, failure: Failure) -> Self {
        Self { recipient, content: Content::Failed(failure) }
    }

    /// The child has entered its main procedure; it is connected to before the user is told. `child` names it in the log.
    pub(super) fn entered(
        recipient: Recipient,
        reference: Box<Reference>,
        channel: Arc<Channel>,
        child: String,
    ) -> Self {
        Self { recipient, content: Content::Entered { reference, channel, child } }
    }

    /// Has a worker tell it, or where IPC has come to a stop a thread of its own. Comes back where no thread can be had now.
    pub(super) fn send(self) -> Result<(), Self> {
        ipc::run_on_worker(self, Self::tell).or_else(|(news, _code)| news.send_by_thread())
    }

    fn send_by_thread(self) -> Result<(), Self> {
        let shared = Arc::new(Mutex::new(Some(self)));
        let for_thread = Arc::clone(&shared);
        let started = thread::start(
            || "ipckit_news".into(),
            move || {
                let news = for_thread.lock().take();
                news.into_iter().for_each(Self::tell);
            },
        );
        match started {
            Ok(()) => Ok(()),
            Err(_) => shared.lock().take().map_or(Ok(()), Err),
        }
    }

    /// Tells it on the calling thread.
    pub(super) fn tell(self) {
        let Recipient { callback, told } = self.recipient;
        callback(self.content.into_result());
        told.happen();
    }
}

impl Content {
    fn into_result(self) -> Result<NonNull<RemoteProxy>, Failure> {
        let (reference, channel, child) = match self {
            Self::Failed(failure) => return Err(failure),
            Self::Entered { reference, channel, child } => (reference, channel, child),
        };
        let proxy = ipc::import_reference(&reference);
        if proxy.is_none() {
            let few = channel.room_for_descriptors(DESCRIPTORS_OF_A_CONNECTION) < DESCRIPTORS_OF_A_CONNECTION;
            let shortage = || format!("; {}", starter::explain(&io::Error::from_raw_os_error(libc::EMFILE)));
            let why = if few { shortage() } else { String::new() };
            ipckit_log::error(format_args!("{child}: the child ended, or refused, before its stub was reached{why}"));
            channel.hang_up();
        }
        // A child whose main procedure has returned already waits for this before it exits. One that is gone does not.
        let _ = channel.send(&Order::Imported.to_packet());
        proxy.ok_or(Failure::Connection)
    }
}
