// SPDX-License-Identifier: Apache-2.0
//! The thread that answers the sockets: handshakes, shares, descriptors, hang-ups. It never runs the user's code, and never waits for
//! anybody but its sockets and a timer. It lives as long as the process, and the kernel marks its life words when it ends.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use super::connections::{self, Connection, Crossed, may_connect};
use super::listening::{LISTENER, Listening};
use super::lookout::LOOKOUT;
use super::process::Process;
use super::{waiting, worker};
use crate::host::mutation::Mutation;
use crate::object::{Peer, Way};
use crate::shm::atomics::{Ordering, fence};
use crate::shm::layout::{VERSION, bell_of_token};
use crate::sys::descriptor;
use crate::sys::fault_point::FaultPoint;
use crate::sys::fork::{self, ParentOnlyFd};
use crate::sys::robust_list::RobustList;
use crate::sys::shortage::{self, Explained};
use crate::sys::socket::{self, Credentials, DESCRIPTORS_A_MESSAGE};
use crate::sys::thread;
use crate::transport::wire::{Address, Control, Introduction, Refusal};
use crate::transport::{Backlog, Channel, Ends, is_hang_up};

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

struct ControlThread {
    process: &'static Process,
    listening: Listening,
    /// Connections whose messages wait until fewer descriptors are on their way.
    blocked: RefCell<BTreeSet<u64>>,
    life: Arc<RobustList>,
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
    fn receive(&self, key: u64) {
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

    // ---- handshakes ----

    fn receive_handshake(&self, key: u64) -> bool {
        let Some(socket) = self.process.connections.socket(key) else { return false };
        let mut files = Vec::new();
        let mut is_short = false;
        let message = match receive_message(socket.fd(), &mut files) {
            Ok(Received::Message(message)) => Some(message),
            Ok(Received::Nothing) => return false,
            Ok(Received::End) => None,
            Err(error) => {
                ipckit_log::inner::error_once_a_second(format_args!(
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
                self.answer_hello(key, &socket, credentials, who, &files)
            }
            (Connection::Greeted { socket, credentials, ends, peer }, Some(Control::Welcome(who))) => {
                self.take_welcome(key, &socket, credentials, *ends, &peer, who, &files)
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
                    self.give_peer_up(&peer, message == Some(Control::Refused(Refusal::Resources)));
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
        files: &[OwnedFd],
    ) -> bool {
        match self.welcome(key, socket, credentials, who, files) {
            Ok(()) => true,
            Err(NoWelcome::Crossed(peer)) => {
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
        files: &[OwnedFd],
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
                    self.give_peer_up(&peer, shortage::is_refusal(&error));
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
        files: &[OwnedFd],
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
                self.establish(key, peer, channel);
                true
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
                self.give_peer_up(peer, shortage::is_refusal(&error));
                false
            }
        }
    }

    /// Ends a handshake, so that the other side knows before anybody here can begin another one with it.
    fn give_up(&self, socket: &ParentOnlyFd) {
        self.process.epoll.remove(socket.fd());
        socket::shut_down(socket.fd());
    }

    fn give_peer_up(&self, peer: &Arc<Peer>, is_short: bool) {
        if is_short {
            self.process.note_unreachable(peer);
        } else {
            self.process.note_death(peer);
        }
    }

    fn take_refusal(&self, peer: &Arc<Peer>, answer: Option<Control>, is_short: bool) {
        if let Some(Control::Refused(refusal)) = answer
            && refusal != Refusal::Crossed
        {
            ipckit_log::inner::error(format_args!("a process refused our connection: {}", explain(refusal)));
        }
        // Whatever this one's end, a crossed handshake may have succeeded.
        if peer.channel().is_none() {
            self.give_peer_up(peer, is_short || answer == Some(Control::Refused(Refusal::Resources)));
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

    fn establish(&self, key: u64, peer: &Arc<Peer>, channel: Arc<Channel>) {
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

    // ---- established connections ----

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

/// Says why a connection ends; always `false`.
fn is_nonsense(channel: &Channel, message: Control) -> bool {
    channel.give_up(format_args!("it has sent {message:?}, which no version of this library does there"));
    false
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

enum Received {
    Message(Control),
    Nothing,
    End,
}

fn receive_message(socket: BorrowedFd<'_>, files: &mut Vec<OwnedFd>) -> io::Result<Received> {
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
