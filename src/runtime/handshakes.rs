// SPDX-License-Identifier: Apache-2.0
//! The control thread's part in handshakes: hello, welcome, refusals, and of two that cross the one that both sides use.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use super::connections::{Connection, Crossed, may_connect};
use super::control_thread::{ControlThread, Received, receive_message};
use super::{waiting, worker};
use crate::host::mutation::Mutation;
use crate::object::Peer;
use crate::shm::atomics::{Ordering, fence};
use crate::shm::layout::VERSION;
use crate::sys::fault_point::FaultPoint;
use crate::sys::fork::ParentOnlyFd;
use crate::sys::shortage::{self, Explained};
use crate::sys::socket::{self, Credentials};
use crate::transport::wire::{Address, Control, Introduction, Refusal};
use crate::transport::{Channel, Ends, is_hang_up};

impl ControlThread {
    /// Takes what has come on a connection that has no channel yet; `false` where nothing more is to be read there now.
    pub(super) fn receive_handshake(&self, key: u64) -> bool {
        let Some(socket) = self.process.connections.socket(key) else { return false };
        let mut files = Vec::new();
        let mut is_short = false;
        let message = match receive_message(socket.fd(), &mut files) {
            Ok(Received::Message(message)) => Some(message),
            Ok(Received::Nothing) => return false,
            Ok(Received::End) => None,
            Err(error) => {
                ipckit_log::inner::error(format_args!(
                    "what a process sent in order to connect cannot be taken, so it is refused: {}",
                    Explained(&error)
                ));
                is_short = shortage::is_refusal(&error);
                None
            }
        };
        // Where it is gone, another thread has just ended it.
        let Some(connection) = self.process.connections.take(key) else { return false };
        match (connection, message) {
            (Connection::Accepted { socket, credentials, .. }, Some(Control::Hello(who))) => {
                self.answer_hello(key, &socket, credentials, who, &mut files)
            }
            (Connection::Greeted { socket, credentials, ends, peer }, Some(Control::Welcome(who))) => {
                self.take_welcome(key, &socket, credentials, *ends, &peer, who, &mut files)
            }
            (Connection::Greeted { socket, credentials, ends, peer }, answer) => {
                self.process.connections.return_number(ends.number());
                let crossed = answer == Some(Control::Refused(Refusal::Crossed));
                if crossed && self.process.connections.keep_witness(key, (&socket, credentials.process), &peer, true) {
                    return true;
                }
                if is_short {
                    refuse(&socket, Refusal::Resources);
                }
                self.give_up(&socket);
                self.take_refusal(&peer, answer, is_short);
                false
            }
            (Connection::Witness { socket, peer, awaited, .. }, message) => {
                self.process.epoll.remove(socket.fd());
                if awaited && peer.channel().is_none() {
                    // It said that it would connect to us, and died or gave up before; where it could not, it says so.
                    self.process.give_peer_up(&peer, message == Some(Control::Refused(Refusal::Resources)));
                }
                false
            }
            (Connection::Accepted { socket, .. }, _) => {
                if is_short {
                    refuse(&socket, Refusal::Resources);
                }
                self.process.epoll.remove(socket.fd());
                false
            }
            (Connection::Established { .. }, _) => false,
        }
    }

    fn answer_hello(
        &self,
        key: u64,
        socket: &Arc<ParentOnlyFd>,
        credentials: Credentials,
        who: Introduction,
        files: &mut Vec<OwnedFd>,
    ) -> bool {
        match self.welcome(key, socket, credentials, who, files) {
            Ok(()) => true,
            Err(NoWelcome::Crossed(peer)) => {
                self.read_to_its_end(&peer);
                if peer.is_dead() {
                    return self.answer_hello(key, socket, credentials, who, files);
                }
                // Before the answer: the other side waits for this socket's end from then on.
                let kept = self.process.connections.keep_witness(key, (socket, credentials.process), &peer, false);
                if !kept && peer.channel().is_none() {
                    // The other handshake has just failed, so this one is to be used.
                    return self.answer_hello(key, socket, credentials, who, files);
                }
                refuse(socket, Refusal::Crossed);
                if !kept {
                    self.process.epoll.remove(socket.fd());
                }
                kept
            }
            Err(NoWelcome::Refused(refusal)) => {
                // Who has ended meanwhile had no time for anything wrong.
                if refuse(socket, refusal) {
                    ipckit_log::inner::error(format_args!(
                        "process {} of user {} was refused: {}",
                        credentials.process,
                        credentials.user,
                        explain(refusal)
                    ));
                }
                self.process.epoll.remove(socket.fd());
                false
            }
        }
    }

    fn welcome(
        &self,
        key: u64,
        socket: &Arc<ParentOnlyFd>,
        credentials: Credentials,
        who: Introduction,
        files: &mut Vec<OwnedFd>,
    ) -> Result<(), NoWelcome> {
        if who.version != VERSION {
            return Err(Refusal::Version.into());
        }
        if !may_connect(credentials) {
            return Err(Refusal::User.into());
        }
        match listener_of(who.address) {
            Ok(process) if process == credentials.process => {}
            Err(error) if shortage::is_refusal(&error) => {
                ipckit_log::inner::error(format_args!(
                    "whether process {} listens where it says cannot be seen: {}",
                    credentials.process,
                    Explained(&error)
                ));
                return Err(Refusal::Resources.into());
            }
            Ok(_) | Err(_) => return Err(Refusal::Address.into()),
        }
        let connections = &self.process.connections;
        let (peer, is_new) = connections
            .peer_for_hello(self.process.own.address, who.address)
            .map_err(|Crossed(peer)| NoWelcome::Crossed(peer))?;
        let channel = connections.take_number().and_then(|number| {
            Ends::greet(&self.process.own, socket.fd(), number, Control::Welcome)
                .and_then(|ends| self.channel(key, socket, credentials, ends, who, files))
                .inspect_err(|_| connections.return_number(number))
        });
        match channel {
            Ok(channel) => {
                // Who waits for the channel may count what is open.
                files.clear();
                self.establish(key, &peer, channel);
                Ok(())
            }
            Err(error) => {
                if !is_hang_up(&error) {
                    let process = credentials.process;
                    ipckit_log::inner::error_once_a_second(format_args!(
                        "no channel to process {process}: {}",
                        Explained(&error)
                    ));
                }
                if is_new {
                    self.process.give_peer_up(&peer, shortage::is_refusal(&error));
                }
                // Else there is a handshake from here, which comes to an end of its own.
                Err(Refusal::Resources.into())
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a connection, taken apart once")]
    fn take_welcome(
        &self,
        key: u64,
        socket: &Arc<ParentOnlyFd>,
        credentials: Credentials,
        ends: Ends,
        peer: &Arc<Peer>,
        who: Introduction,
        files: &mut Vec<OwnedFd>,
    ) -> bool {
        let number = ends.number();
        let channel = if who.version != VERSION {
            Err(io::Error::other(explain(Refusal::Version)))
        } else if who.address != peer.address() {
            Err(io::Error::other(explain(Refusal::Address)))
        } else {
            self.channel(key, socket, credentials, ends, who, files)
        };
        match channel {
            Ok(channel) => {
                // Who waits for the channel may count what is open: these, and the connection by which the other side has seen who listens
                // here, and which is gone again.
                files.clear();
                self.listening.accept();
                self.read_to_its_end(peer);
                self.establish(key, peer, channel)
            }
            Err(error) => {
                ipckit_log::inner::error_once_a_second(format_args!(
                    "no channel to process {}: {}",
                    credentials.process,
                    Explained(&error)
                ));
                if shortage::is_refusal(&error) {
                    refuse(socket, Refusal::Resources);
                }
                self.give_up(socket);
                self.process.connections.return_number(number);
                self.process.give_peer_up(peer, shortage::is_refusal(&error));
                false
            }
        }
    }

    /// Reads what there is of the peer's channel, where it has one: who connects or answers anew has ended it before.
    fn read_to_its_end(&self, peer: &Peer) {
        if let Some(channel) = peer.channel() {
            self.receive(channel.key());
        }
    }

    /// Ends a handshake, so that the other side knows before anybody here can begin another one with it.
    fn give_up(&self, socket: &ParentOnlyFd) {
        self.process.epoll.remove(socket.fd());
        socket::shut_down(socket.fd());
    }

    fn take_refusal(&self, peer: &Arc<Peer>, answer: Option<Control>, is_short: bool) {
        if let Some(Control::Refused(refusal)) = answer
            && refusal != Refusal::Crossed
        {
            ipckit_log::inner::error(format_args!("a process refused our connection: {}", explain(refusal)));
        }
        // Whatever this one's end, a crossed handshake may have succeeded.
        if peer.channel().is_none() {
            self.process.give_peer_up(peer, is_short || answer == Some(Control::Refused(Refusal::Resources)));
        }
    }

    fn channel(
        &self,
        key: u64,
        socket: &Arc<ParentOnlyFd>,
        credentials: Credentials,
        ends: Ends,
        who: Introduction,
        files: &[OwnedFd],
    ) -> io::Result<Arc<Channel>> {
        let own = Arc::clone(&self.process.own);
        let epoll = (Arc::clone(&self.process.epoll), key);
        Channel::new(own, epoll, (Arc::clone(socket), credentials), ends, who, files).map(Arc::new)
    }

    /// Makes the channel that of the peer, or of the one in its place; `false` where that has one, and this one was given up.
    fn establish(&self, key: u64, peer: &Arc<Peer>, channel: Arc<Channel>) -> bool {
        let Some(peer) = &self.process.connections.peer_to_be_ready(peer) else {
            if let Some(socket) = channel.socket() {
                self.process.epoll.remove(socket.fd());
            }
            channel.hang_up();
            self.process.connections.return_number(channel.number());
            return false;
        };
        channel.outgoing().set_life_list(&self.life);
        self.process.settling.begin(peer);
        self.process.connections.set_number(channel.number(), peer);
        FaultPoint::PeerCounted.around(|| self.process.own.status.peers().fetch_add(1, Ordering::AcqRel));
        let process = channel.credentials().process;
        self.process.connections.put(key, Connection::Established { process, peer: Arc::clone(peer) });
        peer.set_ready(Arc::clone(&channel));
        // Its death, should that be seen at once, finds the channel.
        self.process.death_watch.watch(self.process, peer, &channel);
        self.look_for_early_requests(&channel);
        for socket in self.process.connections.end_witnesses(peer) {
            self.process.epoll.remove(socket.fd());
        }
        true
    }

    /// The peer uses the channel from its welcome on, which may be before this side has made it known: whoever its first requests woke has
    /// found nobody behind their bit, and has taken that away.
    fn look_for_early_requests(&self, channel: &Channel) {
        // What is published after this look finds the channel known.
        fence(Ordering::SeqCst);
        if channel.has_work() {
            self.process.own.doorbells.set_pending(channel.number());
            worker::see_to_work(self.process);
        }
        waiting::sort_all_nested_requests(self.process);
    }
}

/// Why a process that has said hello gets no welcome.
enum NoWelcome {
    /// The handshake with this peer in the other direction is the one to use.
    Crossed(Arc<Peer>),
    Refused(Refusal),
}

impl From<Refusal> for NoWelcome {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Says why, and whether there is anybody left to hear it. A peer that does not read the answer sees the hang-up.
pub(super) fn refuse(socket: &ParentOnlyFd, refusal: Refusal) -> bool {
    let is_lie = Mutation::WantIsToldAsALie.is_on() && refusal == Refusal::Resources;
    let refusal = if is_lie { Refusal::Address } else { refusal };
    let message = Control::Refused(refusal);
    let sent = message.fault_point().around(|| socket::send(socket.fd(), &message.to_bytes(), &[]));
    !sent.is_err_and(|error| is_hang_up(&error))
}

/// The process that listens at an address, by the kernel's word.
fn listener_of(address: Address) -> io::Result<u32> {
    let probe = socket::connect(&address.socket_name())?;
    Ok(socket::peer_credentials(probe.as_fd())?.process)
}

/// A refusal in words.
pub(super) fn explain(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Version => "the two use different versions of this library; rebuild them against the same",
        Refusal::User => "it belongs to another user",
        Refusal::Crossed => "another connection is in use",
        Refusal::Address => "it gave an address that is not its own",
        Refusal::Resources => "memory or open files are short there",
    }
}
