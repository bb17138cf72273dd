// SPDX-License-Identifier: Apache-2.0
//! The thread that answers the sockets: handshakes, shares, descriptors, hang-ups. It never runs the user's code, and never waits for
//! anybody but its sockets and a timer. It lives as long as the process, and the kernel marks its life words when it ends.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use super::connections;
use super::listening::{LISTENER, Listening};
use super::lookout::LOOKOUT;
use super::process::Process;
use super::worker;
use crate::host::mutation::Mutation;
use crate::object::{Peer, Way};
use crate::shm::atomics::Ordering;
use crate::shm::layout::bell_of_token;
use crate::sys::descriptor;
use crate::sys::fault_point::FaultPoint;
use crate::sys::fork;
use crate::sys::robust_list::RobustList;
use crate::sys::shortage::Explained;
use crate::sys::socket::{self, DESCRIPTORS_A_MESSAGE};
use crate::sys::thread;
use crate::transport::wire::{Address, Control, Refusal};
use crate::transport::{Backlog, Channel, is_hang_up};

/// How often what waits for fewer descriptors is tried again.
const RETRY: Duration = Duration::from_millis(10);

/// So often a sum over changing numbers is tried.
const MOST_SUMS: u32 = 100;

/// Starts the thread.
pub(super) fn start(process: &'static Process) -> io::Result<()> {
    let listening = Listening::new(process);
    thread::start(
        || "ipckit_control".into(),
        move || {
            let life = Arc::new(RobustList::of_this_thread());
            ControlThread { process, listening, blocked: RefCell::default(), life }.run();
        },
    )
}

pub(super) struct ControlThread {
    pub(super) process: &'static Process,
    pub(super) listening: Listening,
    /// Connections whose messages wait until fewer descriptors are on their way.
    blocked: RefCell<BTreeSet<u64>>,
    pub(super) life: Arc<RobustList>,
}

impl ControlThread {
    fn run(&self) {
        let generation = fork::generation();
        while fork::generation() == generation {
            let retry = (!self.blocked.borrow().is_empty()).then_some(RETRY);
            let ready = self.process.epoll.wait(self.listening.pause().into_iter().chain(retry).min());
            self.listening.go_on();
            for key in self.blocked.take() {
                self.flush(key);
            }
            for ready in ready {
                if ready.key == LISTENER {
                    self.listening.accept();
                    continue;
                }
                if ready.key == LOOKOUT {
                    self.process.lookout.look(self.process);
                    continue;
                }
                if ready.writable {
                    self.flush(ready.key);
                }
                self.receive(ready.key);
            }
        }
    }

    fn flush(&self, key: u64) {
        let peer = self.process.connections.established(key);
        if let Some(channel) = peer.as_ref().and_then(|peer| peer.channel()) {
            // An error is a hang-up, which the read side reports.
            if matches!(channel.flush_control(), Ok(Backlog::UntilFewerDescriptors)) {
                self.blocked.borrow_mut().insert(key);
            }
        }
    }

    /// Reads what has come on a connection, a bounded number of messages, so that others get their turn.
    pub(super) fn receive(&self, key: u64) {
        const MOST: usize = 64;
        for _ in 0..MOST {
            let established = self.process.connections.established(key);
            let going_on = match established {
                Some(peer) => self.receive_from(key, &peer),
                None => self.receive_handshake(key),
            };
            if !going_on {
                return;
            }
        }
    }

    fn receive_from(&self, key: u64, peer: &Arc<Peer>) -> bool {
        let Some(channel) = peer.channel() else { return false };
        let Some(socket) = channel.socket() else { return false };
        let mut files = Vec::new();
        let message = match receive_message(socket.fd(), &mut files) {
            Ok(Received::Message(message)) => message,
            Ok(Received::Nothing) => return false,
            Ok(Received::End) => {
                self.end(key, peer, channel);
                return false;
            }
            Err(error) => {
                ipckit_log::inner::error_once_a_second(format_args!(
                    "what process {} sent cannot be taken, so it is taken for dead: {}",
                    channel.credentials().process,
                    Explained(&error)
                ));
                self.end(key, peer, channel);
                return false;
            }
        };
        if !self.handle(peer, channel, message, files) {
            self.end(key, peer, channel);
            return false;
        }
        true
    }

    /// `false` where the peer does what no version of this library does, or cannot be answered.
    fn handle(&self, peer: &Arc<Peer>, channel: &Arc<Channel>, message: Control, files: Vec<OwnedFd>) -> bool {
        match message {
            Control::Acquire { object, secret, from } => self.answer_acquire(peer, channel, object, secret, from),
            Control::Acquired { object, granted } => {
                peer.answered(object, granted);
                true
            }
            Control::Release { object, count, after } => {
                let taken_back = peer.take_back(object, count, after);
                let makes_sense = taken_back.is_some();
                self.process.let_go(taken_back.unwrap_or_default());
                makes_sense || is_nonsense(channel, message)
            }
            Control::Lend { object, to } => self.lend(peer, channel, object, to),
            Control::Lent => {
                channel.note_lent();
                true
            }
            Control::Unlend { object, to } => {
                self.process.let_go(self.process.exports.end_lend(object, Way { from: peer.address(), to }));
                true
            }
            Control::Settle { of } => {
                if self.process.settling.ask(of, peer) {
                    peer.tell_settled(of);
                }
                true
            }
            Control::Settled { of } => {
                self.process.let_go(self.process.exports.end_way(Way { from: of, to: peer.address() }));
                true
            }
            Control::AskRoom => self.answer_room(channel),
            Control::RoomInUse { asynchronous, all } => {
                channel.note_room_answer(asynchronous, all);
                true
            }
            Control::Descriptors { transfer } => {
                let makes_sense = channel.add_descriptors(transfer, files);
                self.announce_held(channel);
                self.share_descriptors_out(channel);
                makes_sense || is_nonsense(channel, message)
            }
            Control::Refused(Refusal::Resources) => {
                // It could not take our welcome.
                self.process.note_unreachable(peer);
                false
            }
            Control::Hello(_) | Control::Welcome(_) | Control::Refused(_) => is_nonsense(channel, message),
        }
    }

    /// Descriptors have arrived, for which messages may have been held back.
    fn announce_held(&self, channel: &Channel) {
        let doorbells = &self.process.own.doorbells;
        if let Some(thread) = channel.next_nested_target() {
            doorbells.set_pending_nested(channel.number());
            doorbells.ring(bell_of_token(thread));
            worker::see_to_work(self.process);
        }
        if channel.has_work() {
            doorbells.set_pending(channel.number());
            worker::see_to_work(self.process);
        }
    }

    /// Where descriptors that no message has asked for take most of what this process may have open, the peer that has sent most of them is
    /// given up: others would be unable to send any.
    fn share_descriptors_out(&self, channel: &Channel) {
        if channel.descriptors_waiting() <= DESCRIPTORS_A_MESSAGE {
            return;
        }
        let peers = self.process.connections.connected();
        let waiting =
            || peers.iter().filter_map(|peer| peer.channel()).map(|channel| (channel.descriptors_waiting(), channel));
        let all: usize = waiting().map(|(count, _)| count).sum();
        if all <= descriptor::most_open() / 4 * 3 {
            return;
        }
        if let Some((count, channel)) = waiting().max_by_key(|(count, _)| *count) {
            channel.give_up(format_args!("it has sent {count} file descriptors that no message of its has asked for"));
        }
    }

    /// Keeps a stub for the process `to`, to which the peer is passing a reference on. That process is connected to, so that its death is
    /// noticed should it never ask.
    fn lend(&self, peer: &Peer, channel: &Channel, object: u64, to: Address) -> bool {
        let exports = &self.process.exports;
        if let Some(stub) = peer.granted(object) {
            exports.lend(stub, Way { from: peer.address(), to });
            if to != self.process.own.address && connections::peer_at(self.process, to).is_dead() {
                self.process.let_go(exports.end_all_lends(to));
            }
        }
        answer(channel, Control::Lent)
    }

    /// Tells what is in use here together with what peers have sent that was not taken in yet.
    fn answer_room(&self, channel: &Channel) -> bool {
        let in_use = || self.process.own.status.async_in_use().load(Ordering::Acquire);
        // A message that is taken in meanwhile is counted in neither sum: then both are taken again.
        let mut asynchronous = in_use();
        let mut waiting = self.process.connections.async_waiting();
        for _ in 0..MOST_SUMS {
            let again = in_use();
            if again == asynchronous {
                break;
            }
            asynchronous = again;
            waiting = self.process.connections.async_waiting();
        }
        let all = self.process.room.used() + waiting;
        answer(channel, Control::RoomInUse { asynchronous: asynchronous + waiting, all })
    }

    fn answer_acquire(
        &self,
        peer: &Arc<Peer>,
        channel: &Arc<Channel>,
        object: u64,
        secret: u64,
        from: Address,
    ) -> bool {
        let stub = self.process.exports.find(object, secret);
        let granted = stub.is_some();
        if let Some(stub) = stub {
            peer.grant(&stub);
            if Mutation::KeptStubsStayKept.is_on() {
                return answer(channel, Control::Acquired { object, granted });
            }
            let way = Way { from, to: peer.address() };
            let (arrived, lent) = (self.process.exports.arrived(object), self.process.exports.end_lend(object, way));
            self.process.let_go([Some(stub), arrived, lent].into_iter().flatten());
        } else {
            ipckit_log::inner::warn_once_a_second(format_args!(
                "process {} asked for an object that it holds no valid reference to",
                channel.credentials().process
            ));
        }
        answer(channel, Control::Acquired { object, granted })
    }

    /// The connection is over: the peer is dead, or as good as dead.
    fn end(&self, key: u64, peer: &Arc<Peer>, channel: &Arc<Channel>) {
        self.process.connections.take(key);
        if Mutation::EndedConnectionsStay.is_on() {
            std::mem::forget((Arc::clone(channel), channel.socket()));
        }
        channel.end_connection();
        self.process.note_death(peer);
        self.process.settle_lends_of(peer);
        self.process.settle(peer);
        self.process.death_watch.look_again();
        FaultPoint::PeerDiscounted.around(|| self.process.own.status.peers().fetch_sub(1, Ordering::AcqRel));
        self.process.connections.clear_number(channel.number());
    }
}

/// Answers a peer; `false` where that cannot be. One that is dead needs no answer, and what it had sent before is still to be read.
fn answer(channel: &Channel, message: Control) -> bool {
    channel.send_control(message, &[]).map_or_else(|error| is_hang_up(&error), |()| true)
}

/// Says why a connection ends; always `false`.
fn is_nonsense(channel: &Channel, message: Control) -> bool {
    channel.give_up(format_args!("it has sent {message:?}, which no version of this library does there"));
    false
}

pub(super) enum Received {
    Message(Control),
    Nothing,
    End,
}

/// The next message of a socket.
pub(super) fn receive_message(socket: BorrowedFd<'_>, files: &mut Vec<OwnedFd>) -> io::Result<Received> {
    let mut bytes = [0; Control::BYTES];
    let received = match socket::receive(socket, &mut bytes, files) {
        // The other side has closed its end without having read everything: that is said first, what it had sent comes after.
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => socket::receive(socket, &mut bytes, files),
        received => received,
    };
    match received {
        Ok(0) => Ok(Received::End),
        Ok(len) => Control::from_bytes(&bytes[..len]).map(Received::Message).ok_or(io::ErrorKind::InvalidData.into()),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Received::Nothing),
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(Received::End),
        Err(error) => Err(error),
    }
}
