// SPDX-License-Identifier: Apache-2.0
//! What goes out on a channel's socket: at once where the peer keeps up, else as soon as it does. Nobody ever waits for it.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use super::wire::Control;
use crate::sys::fault_point::FaultPoint;
use crate::sys::fork::ParentOnlyFd;
use crate::sys::socket;

/// Messages that wait at the most. A peer reads as long as it runs, whatever its handlers do.
pub const MOST_WAITING: usize = 65_536;

#[derive(Debug)]
struct Waiting {
    bytes: [u8; Control::BYTES],
    descriptors: Vec<OwnedFd>,
}

/// What is left to be sent, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backlog {
    /// Nothing is.
    Nothing,
    /// Something is, as soon as the socket is writable.
    UntilWritable,
    /// Something is, when fewer descriptors are on their way between this user's processes. Nothing tells when that is so.
    UntilFewerDescriptors,
}

/// The socket, and the messages that it has not taken yet, in their order.
#[derive(Debug)]
pub(super) struct Outbox {
    socket: Option<Arc<ParentOnlyFd>>,
    waiting: VecDeque<Waiting>,
}

impl Outbox {
    pub(super) fn new(socket: Arc<ParentOnlyFd>) -> Self {
        Self { socket: Some(socket), waiting: VecDeque::new() }
    }

    /// The socket, until the connection has ended.
    pub(super) fn socket(&self) -> Option<&Arc<ParentOnlyFd>> {
        self.socket.as_ref()
    }

    /// The connection has ended.
    pub(super) fn close(&mut self) -> Option<Arc<ParentOnlyFd>> {
        self.waiting = VecDeque::new();
        self.socket.take()
    }

    /// Gives up a peer that does not read: both ends see a hang-up.
    pub(super) fn hang_up(&mut self) {
        self.waiting = VecDeque::new();
        if let Some(socket) = &self.socket {
            socket::shut_down(socket.fd());
        }
    }

    /// Whether no more message is kept.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= MOST_WAITING
    }

    /// Sends, or keeps for later.
    pub(super) fn send(&mut self, message: Control, descriptors: &[BorrowedFd<'_>]) -> io::Result<Backlog> {
        let socket = self.socket.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        let bytes = message.to_bytes();
        if self.waiting.is_empty() {
            match message.fault_point().around(|| socket::send(socket.fd(), &bytes, descriptors)) {
                Ok(()) => return Ok(Backlog::Nothing),
                Err(error) if backlog_after(&error).is_some() => {}
                Err(error) => return Err(error),
            }
        }
        let descriptors = descriptors.iter().map(BorrowedFd::try_clone_to_owned).collect::<io::Result<_>>()?;
        self.waiting.push_back(Waiting { bytes, descriptors });
        // Where it is not for that, the first flush will tell.
        Ok(Backlog::UntilWritable)
    }

    /// Sends what was kept.
    pub(super) fn flush(&mut self) -> io::Result<Backlog> {
        let socket = self.socket.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        while let Some(next) = self.waiting.front() {
            let descriptors: Vec<_> = next.descriptors.iter().map(AsFd::as_fd).collect();
            match FaultPoint::BacklogSent.around(|| socket::send(socket.fd(), &next.bytes, &descriptors)) {
                Ok(()) => {
                    self.waiting.pop_front();
                }
                Err(error) => return backlog_after(&error).ok_or(error),
            }
        }
        Ok(Backlog::Nothing)
    }
}

/// What an error of a send means for the message, where it is to be sent again.
fn backlog_after(error: &io::Error) -> Option<Backlog> {
    const TOO_MANY_REFERENCES: i32 = 109;
    match error.raw_os_error() {
        Some(TOO_MANY_REFERENCES) => Some(Backlog::UntilFewerDescriptors),
        _ => (error.kind() == io::ErrorKind::WouldBlock).then_some(Backlog::UntilWritable),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::*;

    const MESSAGE: Control = Control::Acquired { object: 1, granted: true };

    #[test]
    fn what_the_peer_does_not_read_is_kept_and_sent_when_it_does() {
        let (ours, theirs) = UnixDatagram::pair().expect("a pair of sockets");
        let mut outbox = Outbox::new(Arc::new(ParentOnlyFd::new(ours.into())));
        let mut sent = 1;
        while outbox.send(MESSAGE, &[]).expect("sent or kept") == Backlog::Nothing {
            sent += 1;
        }
        assert_eq!(outbox.flush().expect("still full"), Backlog::UntilWritable);
        let mut bytes = [0; Control::BYTES];
        theirs.recv(&mut bytes).expect("the first");
        assert_eq!(outbox.flush().expect("room for the last"), Backlog::Nothing);
        for _ in 1..sent {
            theirs.recv(&mut bytes).expect("the rest");
        }
        assert_eq!(Control::from_bytes(&bytes), Some(MESSAGE));
    }

    #[test]
    fn a_bounded_number_is_kept() {
        let (ours, _theirs) = UnixDatagram::pair().expect("a pair of sockets");
        let mut outbox = Outbox::new(Arc::new(ParentOnlyFd::new(ours.into())));
        let mut kept = 0;
        while !outbox.is_full() {
            kept += usize::from(outbox.send(MESSAGE, &[]).expect("sent or kept") != Backlog::Nothing);
        }
        assert_eq!(kept, MOST_WAITING);
        outbox.hang_up();
        outbox.send(MESSAGE, &[]).expect_err("a hang-up");
    }

    #[test]
    fn nothing_is_sent_after_the_end() {
        let (ours, theirs) = UnixDatagram::pair().expect("a pair of sockets");
        let mut outbox = Outbox::new(Arc::new(ParentOnlyFd::new(ours.into())));
        drop(outbox.close());
        assert_eq!(outbox.send(MESSAGE, &[]).expect_err("no socket").kind(), io::ErrorKind::NotConnected);
        theirs.send(b"x").expect_err("nobody has the other end");
    }
}
