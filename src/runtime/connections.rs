// SPDX-License-Identifier: Apache-2.0
//! Which processes this one knows, how far the handshakes are, and who is meant by a pending bit.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::sys::lock::{Mutex, RwLock};

use super::handshakes::explain;
use super::process::Process;
use crate::object::Peer;
use crate::shm::doorbell::{CHANNEL_BITS, Doorbells};
use crate::sys::fork::ParentOnlyFd;
use crate::sys::process as sys_process;
use crate::sys::shortage::{self, Explained};
use crate::sys::socket::{self, Credentials};
use crate::transport::wire::{Address, Control, Refusal};
use crate::transport::{Ends, is_hang_up};

/// A socket and what is known of its other end.
pub(super) enum Connection {
    /// Somebody has connected and not said hello yet.
    Accepted { socket: Arc<ParentOnlyFd>, credentials: Credentials, since: Instant },
    /// We have said hello and wait for the answer.
    Greeted { socket: Arc<ParentOnlyFd>, credentials: Credentials, ends: Box<Ends>, peer: Arc<Peer> },
    /// The handshake in the other direction is the one to use. Until that is over this connection tells whether the other side lives and
    /// goes on with it. `awaited` where the other side is to go on, as it has said.
    Witness { socket: Arc<ParentOnlyFd>, process: u32, peer: Arc<Peer>, awaited: bool },
    /// The channel is up.
    Established { process: u32, peer: Arc<Peer> },
}

impl Connection {
    /// The process at the other end, by the kernel's word; 0 where it cannot be seen from here.
    fn process(&self) -> u32 {
        match self {
            Self::Accepted { credentials, .. } | Self::Greeted { credentials, .. } => credentials.process,
            Self::Witness { process, .. } | Self::Established { process, .. } => *process,
        }
    }
}

/// Connections with one process, whoever has made them and whatever address it gives. It needs one, and a few more for a moment.
const MOST_OF_ONE_PROCESS: u32 = 32;

#[derive(Default)]
struct Tables {
    by_address: HashMap<Address, Arc<Peer>>,
    by_key: HashMap<u64, Connection>,
    /// How many of them there are with each process that has any.
    of_process: HashMap<u32, u32>,
    last_key: u64,
    /// The keys of the connections that have said nothing yet, oldest first.
    silent: BTreeSet<u64>,
    /// The keys of witnesses.
    witnesses: HashMap<Address, Vec<u64>>,
}

/// The connections of this process.
#[derive(Default)]
pub(super) struct Connections {
    tables: Mutex<Tables>,
    /// Peers by the numbers of their channels, which are the bits of the doorbells; the numbers are used again.
    by_number: RwLock<Vec<Option<Arc<Peer>>>>,
    numbers: Mutex<Numbers>,
    /// Who is to be connected to as soon as it takes connections, and since when.
    to_connect: Mutex<Vec<(Arc<Peer>, Instant)>>,
}

#[derive(Default)]
struct Numbers {
    free: Vec<u16>,
    next: u32,
}

impl Connections {
    /// A number for a new channel.
    pub(super) fn take_number(&self) -> io::Result<u16> {
        let mut numbers = self.numbers.lock();
        if let Some(number) = numbers.free.pop() {
            return Ok(number);
        }
        let number = u16::try_from(numbers.next).map_err(|_| io::Error::other("65536 processes are connected"))?;
        numbers.next += 1;
        Ok(number)
    }

    /// Gives a number back that no channel uses.
    pub(super) fn return_number(&self, number: u16) {
        self.numbers.lock().free.push(number);
    }

    /// Makes a peer known by its channel's number.
    pub(super) fn set_number(&self, number: u16, peer: &Arc<Peer>) {
        let mut by_number = self.by_number.write();
        let place = usize::from(number);
        if by_number.len() <= place {
            by_number.resize(place + 1, None);
        }
        by_number[place] = Some(Arc::clone(peer));
    }

    /// The channel is over.
    pub(super) fn clear_number(&self, number: u16) {
        let known = self.by_number.write().get_mut(usize::from(number)).and_then(Option::take);
        if known.is_some() {
            self.return_number(number);
        }
    }

    /// The peers that a bit of the doorbells may stand for.
    pub(super) fn peers_of_bit(&self, bit: u16) -> Vec<Arc<Peer>> {
        let by_number = self.by_number.read();
        by_number.iter().skip(bit.into()).step_by(CHANNEL_BITS.into()).flatten().cloned().collect()
    }

    /// Bytes of asynchronous messages that peers have sent and this process has not taken in.
    pub(super) fn async_waiting(&self) -> u64 {
        let by_number = self.by_number.read();
        by_number.iter().flatten().filter_map(|peer| peer.channel()).map(|channel| channel.async_waiting()).sum()
    }

    /// Sets the pending bit of each channel with asynchronous messages to take in.
    pub(super) fn set_async_pending(&self, doorbells: &Doorbells) {
        let by_number = self.by_number.read();
        let channels = by_number.iter().flatten().filter_map(|peer| peer.channel());
        channels.filter(|channel| channel.has_async()).for_each(|channel| doorbells.set_pending(channel.number()));
    }

    /// The peers that have a channel.
    pub(super) fn connected(&self) -> Vec<Arc<Peer>> {
        self.by_number.read().iter().flatten().cloned().collect()
    }

    /// Keeps a process to be connected to later; `false` where that is too many.
    fn connect_later(&self, peer: &Arc<Peer>) -> bool {
        let mut waiting = self.to_connect.lock();
        let is_kept = waiting.len() < MOST_RETRIED;
        if is_kept {
            waiting.push((Arc::clone(peer), Instant::now()));
        }
        is_kept
    }

    /// A key under which a socket is waited for.
    pub(super) fn add(&self, connection: Connection) -> u64 {
        let mut tables = self.tables.lock();
        tables.last_key += 1;
        let key = tables.last_key;
        if matches!(connection, Connection::Accepted { .. }) {
            tables.silent.insert(key);
        }
        tables.insert(key, connection);
        key
    }

    /// Whether there are as many connections with this process as there may be.
    pub(super) fn has_all_of(&self, process: u32) -> bool {
        process != 0 && self.tables.lock().of_process.get(&process).is_some_and(|count| *count >= MOST_OF_ONE_PROCESS)
    }

    /// Takes a connection out.
    pub(super) fn take(&self, key: u64) -> Option<Connection> {
        let mut tables = self.tables.lock();
        tables.silent.remove(&key);
        tables.remove(key)
    }

    /// Takes out the connection that has been silent for longest, where there are more than `most` and it has been so for `silence`.
    pub(super) fn take_silent(&self, most: usize, silence: Duration) -> Option<Arc<ParentOnlyFd>> {
        let mut tables = self.tables.lock();
        let oldest = *tables.silent.first().filter(|_| tables.silent.len() > most)?;
        let socket = match tables.by_key.get(&oldest)? {
            Connection::Accepted { socket, since, .. } if since.elapsed() >= silence => Arc::clone(socket),
            _ => return None,
        };
        tables.silent.remove(&oldest);
        tables.remove(oldest);
        Some(socket)
    }

    /// Puts a connection in the place of one that was taken out.
    pub(super) fn put(&self, key: u64, connection: Connection) {
        self.tables.lock().insert(key, connection);
    }

    /// The socket of a connection that is not established.
    pub(super) fn socket(&self, key: u64) -> Option<Arc<ParentOnlyFd>> {
        match self.tables.lock().by_key.get(&key)? {
            Connection::Accepted { socket, .. }
            | Connection::Greeted { socket, .. }
            | Connection::Witness { socket, .. } => Some(Arc::clone(socket)),
            Connection::Established { .. } => None,
        }
    }

    /// The peer of an established connection.
    pub(super) fn established(&self, key: u64) -> Option<Arc<Peer>> {
        match self.tables.lock().by_key.get(&key)? {
            Connection::Established { peer, .. } => Some(Arc::clone(peer)),
            Connection::Accepted { .. } | Connection::Greeted { .. } | Connection::Witness { .. } => None,
        }
    }

    /// The peer that has said hello, if it may become one, and whether nobody here knew it before: `Err` where a handshake in the other
    /// direction is the one to use.
    pub(super) fn peer_for_hello(&self, own: Address, address: Address) -> Result<(Arc<Peer>, bool), Crossed> {
        let mut tables = self.tables.lock();
        match tables.living(address) {
            Some(peer) if peer.channel().is_some() => Err(Crossed(Arc::clone(peer))),
            // Both connect at the same time: one of the two connections is used, and both sides choose the same.
            Some(peer) if own < address => Err(Crossed(Arc::clone(peer))),
            Some(peer) => Ok((Arc::clone(peer), false)),
            None => {
                let peer = Peer::connecting(address);
                tables.by_address.insert(address, Arc::clone(&peer));
                Ok((peer, true))
            }
        }
    }

    /// The peer for a channel from a handshake that was begun for `peer`. Where that has been given up meanwhile, it is who is known by its
    /// address now: the other side has begun anew. `None` where that has a channel.
    pub(super) fn peer_to_be_ready(&self, peer: &Arc<Peer>) -> Option<Arc<Peer>> {
        if peer.begin_ready() {
            return Some(Arc::clone(peer));
        }
        let mut tables = self.tables.lock();
        let address = peer.address();
        if let Some(known) = tables.living(address).filter(|known| known.channel().is_some() || known.begin_ready()) {
            return Some(Arc::clone(known)).filter(|known| known.channel().is_none());
        }
        let peer = Peer::connecting(address);
        tables.by_address.insert(address, Arc::clone(&peer));
        peer.begin_ready().then_some(peer)
    }

    /// Keeps a crossed connection until the handshake with the peer is over; `false` where it is over already.
    pub(super) fn keep_witness(
        &self,
        key: u64,
        (socket, process): (&Arc<ParentOnlyFd>, u32),
        peer: &Arc<Peer>,
        awaited: bool,
    ) -> bool {
        let mut tables = self.tables.lock();
        if !tables.knows(peer) || peer.channel().is_some() {
            return false;
        }
        let witness = Connection::Witness { socket: Arc::clone(socket), process, peer: Arc::clone(peer), awaited };
        tables.insert(key, witness);
        tables.witnesses.entry(peer.address()).or_default().push(key);
        true
    }

    /// The handshake with a peer has succeeded. The sockets of the crossed ones are returned, to be closed.
    #[must_use]
    pub(super) fn end_witnesses(&self, peer: &Arc<Peer>) -> Vec<Arc<ParentOnlyFd>> {
        let mut tables = self.tables.lock();
        if tables.knows(peer) { tables.take_witnesses(peer.address()) } else { Vec::new() }
    }

    /// Forgets a peer that is dead. The sockets of crossed handshakes are returned, to be closed.
    #[must_use]
    pub(super) fn forget_peer(&self, peer: &Arc<Peer>) -> Vec<Arc<ParentOnlyFd>> {
        let mut tables = self.tables.lock();
        if !tables.knows(peer) {
            return Vec::new();
        }
        tables.by_address.remove(&peer.address());
        tables.take_witnesses(peer.address())
    }
}

impl Tables {
    fn insert(&mut self, key: u64, connection: Connection) {
        *self.of_process.entry(connection.process()).or_default() += 1;
        let before = self.by_key.insert(key, connection);
        debug_assert!(before.is_none(), "a connection is taken out before it is put back");
    }

    fn remove(&mut self, key: u64) -> Option<Connection> {
        let connection = self.by_key.remove(&key)?;
        if let Entry::Occupied(mut count) = self.of_process.entry(connection.process()) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
        Some(connection)
    }

    /// The peer at this address. One that is dead, though not forgotten yet, is forgotten here: who has just learned of that may begin anew.
    fn living(&mut self, address: Address) -> Option<&Arc<Peer>> {
        if self.by_address.get(&address).is_some_and(|peer| peer.is_over()) {
            self.by_address.remove(&address);
            self.take_witnesses(address);
        }
        self.by_address.get(&address)
    }

    fn knows(&self, peer: &Arc<Peer>) -> bool {
        self.by_address.get(&peer.address()).is_some_and(|known| Arc::ptr_eq(known, peer))
    }

    fn take_witnesses(&mut self, address: Address) -> Vec<Arc<ParentOnlyFd>> {
        let keys = self.witnesses.remove(&address).unwrap_or_default();
        keys.into_iter()
            .filter_map(|key| match self.remove(key)? {
                Connection::Witness { socket, .. } => Some(socket),
                Connection::Accepted { .. } | Connection::Greeted { .. } | Connection::Established { .. } => None,
            })
            .collect()
    }
}

/// A handshake with this peer in the other direction is the one to use.
pub(super) struct Crossed(pub(super) Arc<Peer>);

/// The peer that listens at `address`; where it is not known yet, a handshake is started. One that is gone is returned as dead.
pub(super) fn peer_at(process: &'static Process, address: Address) -> Arc<Peer> {
    let peer = {
        let mut tables = process.connections.tables.lock();
        if let Some(peer) = tables.living(address) {
            return Arc::clone(peer);
        }
        let peer = Peer::connecting(address);
        tables.by_address.insert(address, Arc::clone(&peer));
        peer
    };
    match greet(process, &peer) {
        Err(NotGreeted::Failed(error))
            if error.kind() == io::ErrorKind::WouldBlock && process.connections.connect_later(&peer) =>
        {
            process.lookout.look_within(RETRY);
        }
        outcome => note_greeting(process, &peer, outcome),
    }
    peer
}

/// Why a handshake could not be started.
enum NotGreeted {
    /// The other side said why before it had heard anything.
    Refused(Refusal),
    Failed(io::Error),
}

impl From<io::Error> for NotGreeted {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// What the other side said before it hung up, if it refused us.
fn refusal_on(socket: BorrowedFd<'_>) -> Option<Refusal> {
    let mut bytes = [0; Control::BYTES];
    let len = socket::receive(socket, &mut bytes, &mut Vec::new()).ok()?;
    match Control::from_bytes(&bytes[..len])? {
        Control::Refused(refusal) => Some(refusal),
        _ => None,
    }
}

fn note_greeting(process: &'static Process, peer: &Arc<Peer>, outcome: Result<(), NotGreeted>) {
    if outcome.is_err() && !peer.begin_dead() {
        // It has connected to us.
        return;
    }
    match outcome {
        Ok(()) => {}
        Err(NotGreeted::Refused(refusal)) => {
            ipckit_log::inner::error(format_args!("a process refused our connection: {}", explain(refusal)));
            process.give_peer_up(peer, refusal == Refusal::Resources);
        }
        Err(NotGreeted::Failed(error)) => {
            if error.kind() == io::ErrorKind::WouldBlock {
                ipckit_log::inner::error_once_a_second(format_args!(
                    "no connection to the process of a received object: it takes none, and too many wait there already; it may have been \
                     stopped"
                ));
            } else if error.kind() != io::ErrorKind::ConnectionRefused && !is_hang_up(&error) {
                ipckit_log::inner::error_once_a_second(format_args!(
                    "no connection to the process of a received object: {}",
                    Explained(&error)
                ));
            }
            process.give_peer_up(peer, shortage::is_refusal(&error));
        }
    }
}

/// How long to try where more connections wait than the kernel keeps: a process that runs takes them in no time.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often.
const RETRY: Duration = Duration::from_millis(2);

/// Processes that are tried again at the same time; so many more are given up at once.
const MOST_RETRIED: usize = 64;

/// Tries those processes again that could not be connected to because too many wait there. Returns when to try once more.
pub(super) fn connect_again(process: &'static Process) -> Option<Duration> {
    let waiting = std::mem::take(&mut *process.connections.to_connect.lock());
    for (peer, since) in waiting {
        // It may have connected to us meanwhile.
        if peer.is_dead() || peer.channel().is_some() {
            continue;
        }
        match greet(process, &peer) {
            Err(NotGreeted::Failed(error))
                if error.kind() == io::ErrorKind::WouldBlock && since.elapsed() < PATIENCE =>
            {
                process.connections.to_connect.lock().push((peer, since));
            }
            outcome => note_greeting(process, &peer, outcome),
        }
    }
    (!process.connections.to_connect.lock().is_empty()).then_some(RETRY)
}

/// Whether a process may have a channel to this one: it is the same user's, or the system's.
pub(super) fn may_connect(credentials: Credentials) -> bool {
    credentials.user == sys_process::effective_user() || credentials.user == 0
}

fn greet(process: &'static Process, peer: &Arc<Peer>) -> Result<(), NotGreeted> {
    let socket = socket::connect(&peer.address().socket_name())?;
    let credentials = socket::peer_credentials(socket.as_fd())?;
    if !may_connect(credentials) {
        return Err(io::Error::other(format!("it belongs to user {}", credentials.user)).into());
    }
    if process.connections.has_all_of(credentials.process) {
        return Err(io::Error::other(format!("process {} has too many already", credentials.process)).into());
    }
    let socket = Arc::new(ParentOnlyFd::new(socket));
    let number = process.connections.take_number()?;
    let greeted = Ends::greet(&process.own, socket.fd(), number, Control::Hello).map(|ends| {
        let (socket, peer) = (Arc::clone(&socket), Arc::clone(peer));
        let ends = Box::new(ends);
        process.connections.add(Connection::Greeted { socket, credentials, ends, peer })
    });
    let waited_for = greeted
        .and_then(|key| process.epoll.add(socket.fd(), key).inspect_err(|_| drop(process.connections.take(key))));
    waited_for.map_err(|error| {
        process.connections.return_number(number);
        refusal_on(socket.fd()).map_or(NotGreeted::Failed(error), NotGreeted::Refused)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOW: Address = Address([1; 16]);
    const HIGH: Address = Address([2; 16]);

    fn socket() -> Arc<ParentOnlyFd> {
        let (socket, _) = std::os::unix::net::UnixDatagram::pair().expect("a pair of sockets");
        Arc::new(ParentOnlyFd::new(socket.into()))
    }

    fn connecting_to(connections: &Connections, address: Address) -> Arc<Peer> {
        let peer = Peer::connecting(address);
        connections.tables.lock().by_address.insert(address, Arc::clone(&peer));
        peer
    }

    #[test]
    fn of_two_crossing_handshakes_that_of_the_lower_address_is_used() {
        let (low, high) = (Connections::default(), Connections::default());
        let seen_by_low = connecting_to(&low, HIGH);
        let seen_by_high = connecting_to(&high, LOW);
        let Err(Crossed(peer)) = low.peer_for_hello(LOW, HIGH) else { panic!("the higher one is to give way") };
        assert!(Arc::ptr_eq(&peer, &seen_by_low));
        let Ok((peer, is_new)) = high.peer_for_hello(HIGH, LOW) else { panic!("the lower one's is to be used") };
        assert!(!is_new);
        assert!(Arc::ptr_eq(&peer, &seen_by_high));
    }

    #[test]
    fn what_was_begun_for_a_peer_that_is_given_up_serves_the_one_that_is_known_now() {
        let connections = Connections::default();
        let given_up = connecting_to(&connections, HIGH);
        assert!(given_up.begin_dead() && !given_up.begin_ready());
        let known = connections.peer_to_be_ready(&given_up).expect("nobody else is known");
        assert!(!known.is_over() && !Arc::ptr_eq(&known, &given_up));
        assert!(!known.begin_dead(), "it is to be ready");
    }

    #[test]
    fn who_is_to_be_ready_is_not_given_up() {
        let connections = Connections::default();
        let peer = connecting_to(&connections, HIGH);
        assert!(connections.peer_to_be_ready(&peer).is_some_and(|to_be| Arc::ptr_eq(&to_be, &peer)));
        assert!(!peer.begin_dead());
    }

    #[test]
    fn a_witness_is_kept_until_the_handshake_is_over() {
        let connections = Connections::default();
        let peer = connecting_to(&connections, HIGH);
        assert!(connections.keep_witness(7, (&socket(), 1), &peer, true));
        assert_eq!(connections.forget_peer(&peer).len(), 1);
        assert!(connections.take(7).is_none());
        assert!(!connections.keep_witness(8, (&socket(), 1), &peer, true));
        assert!(connections.forget_peer(&peer).is_empty());
    }

    #[test]
    fn of_too_many_silent_connections_the_oldest_goes() {
        let connections = Connections::default();
        let credentials = Credentials { process: 1, user: 1 };
        let accepted = || Connection::Accepted { socket: socket(), credentials, since: Instant::now() };
        let keys: Vec<u64> = (0..3).map(|_| connections.add(accepted())).collect();
        assert!(connections.take_silent(3, Duration::ZERO).is_none());
        assert!(connections.take_silent(2, Duration::MAX).is_none());
        assert!(connections.take_silent(2, Duration::ZERO).is_some());
        assert!(connections.take(keys[0]).is_none());
        assert!(connections.take(keys[1]).is_some(), "it has said something");
        assert!(connections.take_silent(0, Duration::ZERO).is_some());
        assert!(connections.take_silent(0, Duration::ZERO).is_none());
    }

    #[test]
    fn one_process_has_so_many_connections_and_another_has_its_own() {
        let connections = Connections::default();
        let accepted = |process| {
            let credentials = Credentials { process, user: 1 };
            connections.add(Connection::Accepted { socket: socket(), credentials, since: Instant::now() })
        };
        let keys: Vec<u64> = (0..MOST_OF_ONE_PROCESS).map(|_| accepted(7)).collect();
        assert!(connections.has_all_of(7));
        assert!(!connections.has_all_of(8));
        let taken = connections.take(keys[3]).expect("it is there");
        assert!(!connections.has_all_of(7));
        connections.put(keys[3], taken);
        assert!(connections.has_all_of(7));
        // Processes that cannot be seen are not told apart.
        for _ in 0..MOST_OF_ONE_PROCESS {
            accepted(0);
        }
        assert!(!connections.has_all_of(0));
        keys.into_iter().for_each(|key| drop(connections.take(key)));
        assert!(!connections.tables.lock().of_process.contains_key(&7));
    }

    #[test]
    fn a_number_in_use_is_never_given_out_again() {
        let connections = Connections::default();
        let numbers: std::collections::BTreeSet<u16> =
            (0..=u16::MAX).map(|_| connections.take_number().expect("a number")).collect();
        assert_eq!(numbers.len(), 65_536);
        connections.take_number().expect_err("all numbers are in use");
        connections.return_number(77);
        assert_eq!(connections.take_number().expect("the one that was returned"), 77);
    }
}
