// SPDX-License-Identifier: Apache-2.0
//! Taking in who connects, also where descriptors are short or somebody connects and then says nothing.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::connections::{Connection, may_connect};
use super::process::Process;
use crate::sys::descriptor;
use crate::sys::fork::ParentOnlyFd;
use crate::sys::shortage::Explained;
use crate::sys::socket;
use crate::transport::wire::{Control, Refusal};

/// The key of the listening socket.
pub(super) const LISTENER: u64 = 0;

/// Connections that may be silent at the same time for as long as they like.
const MOST_SILENT: usize = 64;

/// How long a connection may say nothing where there are more of them, or descriptors are short. A process says hello at once, but
/// may lose its processor before.
const SILENCE: Duration = Duration::from_secs(1);

/// How long nobody is taken in after nobody could be.
const PAUSE: Duration = Duration::from_millis(100);

/// Connections taken in at a time, so that others get their turn.
const MOST: usize = 64;

/// The listening socket's side of the control thread.
pub(super) struct Listening {
    process: &'static Process,
    /// A descriptor to be closed where there is none left to take a connection in with, so that it can be refused.
    spare: RefCell<Option<ParentOnlyFd>>,
    paused: Cell<bool>,
    shortage: Complaint,
    strangers: Complaint,
}

impl Listening {
    pub(super) fn new(process: &'static Process) -> Self {
        let listening = Self {
            process,
            spare: RefCell::default(),
            paused: Cell::new(false),
            shortage: Complaint::default(),
            strangers: Complaint::default(),
        };
        listening.make_spare();
        listening
    }

    fn make_spare(&self) {
        let spare = descriptor::duplicate(self.process.listener.fd()).ok();
        *self.spare.borrow_mut() = spare.map(ParentOnlyFd::new);
    }

    /// How long to wait for the sockets before [`Self::go_on`].
    pub(super) fn pause(&self) -> Option<Duration> {
        self.paused.get().then_some(PAUSE)
    }

    /// Takes connections in again after a pause.
    pub(super) fn go_on(&self) {
        if self.paused.get() && self.process.epoll.add(self.process.listener.fd(), LISTENER).is_ok() {
            self.paused.set(false);
        }
    }

    /// Takes in who has connected.
    pub(super) fn accept(&self) {
        for _ in 0..MOST {
            match socket::accept(self.process.listener.fd()) {
                Ok(socket) => self.take_in(socket),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // Who had connected is gone again.
                Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted) => {
                }
                Err(error) => {
                    if self.shortage.is_due() {
                        ipckit_log::inner::error(format_args!("a connection was not accepted: {}", Explained(&error)));
                    }
                    if !self.drop_silent(0) && !self.turn_away() {
                        // It stays in the queue, and the socket ready: without a pause the thread would only spin.
                        self.process.epoll.remove(self.process.listener.fd());
                        self.paused.set(true);
                        return;
                    }
                }
            }
        }
    }

    fn take_in(&self, socket: OwnedFd) {
        let Ok(credentials) = socket::peer_credentials(socket.as_fd()) else { return };
        if !may_connect(credentials) {
            if self.strangers.is_due() {
                ipckit_log::inner::error(format_args!(
                    "process {} was refused: it belongs to user {}",
                    credentials.process, credentials.user
                ));
            }
            let _ = socket::send(socket.as_fd(), &Control::Refused(Refusal::User).to_bytes(), &[]);
            return;
        }
        // Who only looked who listens here is gone again.
        if socket::has_ended(socket.as_fd()) {
            return;
        }
        if self.process.connections.has_all_of(credentials.process) {
            ipckit_log::error_once_a_second(format_args!(
                "a connection of process {} was refused: it has too many",
                credentials.process
            ));
            let _ = socket::send(socket.as_fd(), &Control::Refused(Refusal::Resources).to_bytes(), &[]);
            return;
        }
        let socket = Arc::new(ParentOnlyFd::new(socket));
        let since = Instant::now();
        let key =
            self.process.connections.add(Connection::Accepted { socket: Arc::clone(&socket), credentials, since });
        if self.process.epoll.add(socket.fd(), key).is_err() {
            drop(self.process.connections.take(key));
        }
        self.drop_silent(MOST_SILENT);
    }

    /// Closes the connection that has been silent for longest, where there are more than `most` and it has had its time.
    fn drop_silent(&self, most: usize) -> bool {
        let Some(socket) = self.process.connections.take_silent(most, SILENCE) else { return false };
        self.process.epoll.remove(socket.fd());
        true
    }

    /// Refuses the next connection for want of a descriptor; `false` where there is none even for that.
    fn turn_away(&self) -> bool {
        drop(self.spare.take());
        let next = socket::accept(self.process.listener.fd());
        if let Ok(socket) = &next {
            let _ = socket::send(socket.as_fd(), &Control::Refused(Refusal::Resources).to_bytes(), &[]);
        }
        let turned_away = next.is_ok();
        drop(next);
        self.make_spare();
        turned_away
    }
}

/// Something to say once in a while and not each time.
#[derive(Default)]
struct Complaint {
    last: Cell<Option<Instant>>,
}

impl Complaint {
    fn is_due(&self) -> bool {
        const EVERY: Duration = Duration::from_secs(10);
        let due = self.last.get().is_none_or(|last| last.elapsed() >= EVERY);
        if due {
            self.last.set(Some(Instant::now()));
        }
        due
    }
}
