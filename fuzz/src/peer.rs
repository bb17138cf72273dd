// SPDX-License-Identifier: Apache-2.0
//! A peer that need not keep to anything, of a runtime in this very process.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ipc_capi::runtime::Process;
use ipc_capi::shm::doorbell::Doorbells;
use ipc_capi::shm::layout::{CallLine, DoorbellPage, RecordContent, Segment, Status, bell_of_token};
use ipc_capi::shm::ring::RingReader;
use ipc_capi::shm::segment::{IncomingSegment, PeerStatus};
use ipc_capi::shm::wakeups;
use ipc_capi::sys::socket;
use ipc_capi::transport::wire::{Address, Control, Introduction};

use crate::message_model as model;
use crate::raw_memory::RawMemory;

/// What takes longer than this hangs.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The runtime, which says nothing in the log, and in which a wake-up that is lost stays lost.
pub fn runtime() -> &'static Process {
    static SILENCED: OnceLock<()> = OnceLock::new();
    SILENCED.get_or_init(|| {
        // SAFETY: no other thread is there yet, or none reads the environment: the runtime has not started.
        unsafe {
            std::env::set_var("IPCKIT_LOG_LEVEL", "F");
            std::env::set_var("IPCKIT_LATE_LOOKS", "0");
        }
    });
    Process::current().expect("the runtime")
}

/// Waits until something is so.
pub fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    let mut looks = 0_u32;
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "it hangs: {what}");
        looks += 1;
        if looks < 200 { std::thread::yield_now() } else { std::thread::sleep(Duration::from_micros(50)) }
    }
}

/// An address that nobody had before.
pub fn new_address() -> Address {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut address = [0; 16];
    // Of several fuzzers on one machine each has its own, and about half of them are lower than the runtime's.
    let mixed = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    address[..8].copy_from_slice(&mixed.to_be_bytes());
    address[8..12].copy_from_slice(&std::process::id().to_be_bytes());
    address[12..].copy_from_slice(b"fuzz");
    Address(address)
}

/// What a process shows to its peers in the handshake.
pub struct Shown {
    /// Its segment.
    pub segment: RawMemory,
    /// Its status.
    pub status: RawMemory,
    /// The descriptors of segment, status and doorbells.
    pub files: Vec<OwnedFd>,
}

impl Shown {
    /// Memory as it should be.
    pub fn create() -> Self {
        let (segment, segment_file) = RawMemory::create(size_of::<Segment>());
        let (status, status_file) = RawMemory::create(size_of::<Status>());
        let (_, doorbells_file) = RawMemory::create(size_of::<DoorbellPage>());
        // As much room as there can be, and more peers than one.
        status.write(128, &1_040_384_u64.to_ne_bytes());
        Self { segment, status, files: vec![segment_file, status_file, doorbells_file] }
    }
}

/// What comes on a socket.
#[derive(Debug)]
pub enum Event {
    /// A message, and how many descriptors came with it.
    Message(Control, Vec<OwnedFd>),
    /// The other side has hung up.
    End,
}

/// Sends bytes, whatever they are. `false` where nobody takes them any more.
pub fn send(socket: BorrowedFd<'_>, bytes: &[u8], files: &[BorrowedFd<'_>]) -> bool {
    loop {
        match socket::send(socket, bytes, files) {
            Ok(()) => return true,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => poll(socket, libc::POLLOUT),
            Err(_) => return false,
        }
    }
}

fn poll(socket: BorrowedFd<'_>, events: i16) {
    let mut poll = libc::pollfd { fd: socket.as_raw_fd(), events, revents: 0 };
    // SAFETY: one entry, which outlives the call.
    let ready = unsafe { libc::poll(&mut poll, 1, PATIENCE.as_millis() as i32) };
    assert!(ready != 0, "it hangs: nothing comes on the socket, or nobody reads it");
}

/// The next message.
pub fn next_event(socket: BorrowedFd<'_>) -> Event {
    loop {
        if let Some(event) = event_now(socket) {
            return event;
        }
        poll(socket, libc::POLLIN);
    }
}

/// The next message, if it is there.
pub fn event_now(socket: BorrowedFd<'_>) -> Option<Event> {
    let (mut bytes, mut files) = ([0; Control::BYTES], Vec::new());
    match socket::receive(socket, &mut bytes, &mut files) {
        Ok(0) => Some(Event::End),
        Ok(len) => {
            let message = Control::from_bytes(&bytes[..len]).expect("what the library sends is a message");
            Some(Event::Message(message, files))
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Some(Event::End),
        Err(error) => panic!("the socket: {error}"),
    }
}

/// Connects to the runtime without saying anything.
pub fn connect() -> OwnedFd {
    socket::connect(&runtime().own.address.socket_name()).expect("the runtime listens")
}

/// A peer after the handshake.
pub struct Peer {
    /// Where it listens.
    pub address: Address,
    /// What it shows.
    pub shown: Shown,
    /// Its socket.
    pub socket: OwnedFd,
    /// The runtime's segment for it.
    pub segment: IncomingSegment,
    status: PeerStatus,
    doorbells: Doorbells,
    number: u16,
    /// The next tickets of its rings: requests, asynchronous messages.
    requests: u32,
    asyncs: u32,
    calls: RingReader,
    _listener: OwnedFd,
}

impl Peer {
    /// Connects, and greets as it should be done.
    pub fn connect() -> Self {
        let address = new_address();
        let listener = socket::listen(&address.socket_name()).expect("a name of its own");
        let socket = connect();
        let shown = Shown::create();
        let files: Vec<_> = shown.files.iter().map(AsFd::as_fd).collect();
        let hello = Control::Hello(Introduction::new(0, address, 0)).to_bytes();
        assert!(send(socket.as_fd(), &hello, &files));
        match next_event(socket.as_fd()) {
            Event::Message(Control::Welcome(who), files) => {
                Self::of_welcome(address, listener, socket, shown, who, &files)
            }
            other => panic!("the answer to a good hello was {other:?}"),
        }
    }

    fn of_welcome(
        address: Address,
        listener: OwnedFd,
        socket: OwnedFd,
        shown: Shown,
        who: Introduction,
        files: &[OwnedFd],
    ) -> Self {
        let [segment, status, doorbells] = files else { panic!("a welcome comes with three descriptors") };
        Self {
            address,
            shown,
            socket,
            segment: IncomingSegment::map(segment.as_fd()).expect("a segment"),
            status: PeerStatus::map(status.as_fd()).expect("a status"),
            doorbells: Doorbells::map(doorbells.as_fd()).expect("doorbells"),
            number: who.channel,
            requests: 0,
            asyncs: 0,
            calls: RingReader::default(),
            _listener: listener,
        }
    }

    /// Sends a message.
    pub fn tell(&self, message: Control, files: &[BorrowedFd<'_>]) -> bool {
        send(self.socket.as_fd(), &message.to_bytes(), files)
    }

    /// Ends the connection.
    pub fn hang_up(&self) {
        socket::shut_down(self.socket.as_fd());
    }

    fn publish(&mut self, start: usize, entries: usize, ticket: u32, content: &RecordContent) {
        let place = start + ticket as usize % entries * model::RECORD;
        self.shown.segment.write(place + model::HEAD, &model::to_bytes(content));
        self.shown.segment.publish(place, ticket.wrapping_add(1));
        wakeups::announce(|| self.segment.lookers(), || self.status.lookers(), &self.doorbells, self.number);
    }

    /// Publishes a request for any worker.
    pub fn request(&mut self, content: &RecordContent) {
        self.publish(model::REQUESTS, model::CALLS, self.requests, content);
        self.requests = self.requests.wrapping_add(1);
    }

    /// Publishes an asynchronous message. Returns the ticket behind it.
    pub fn send_async(&mut self, content: &RecordContent) -> u32 {
        self.publish(model::ASYNC_MESSAGES, model::ASYNC_ENTRIES, self.asyncs, content);
        self.asyncs = self.asyncs.wrapping_add(1);
        self.asyncs
    }

    /// Waits until all asynchronous messages have been taken in.
    pub fn wait_until_taken(&self) {
        wait_until("asynchronous messages are taken in", || self.segment.async_taken() == self.asyncs);
    }

    /// Waits for the reply to a call.
    pub fn wait_for_reply(&self, slot: u16, call: u32) -> RecordContent {
        wait_until("a request is answered", || self.segment.reply(slot.into(), call).is_some());
        self.segment.reply(slot.into(), call).expect("it was there")
    }

    /// The data of a record that the runtime has written.
    pub fn data(&self, content: &RecordContent) -> Vec<u8> {
        let len = content.data_len as usize;
        if len <= content.short_body.len() && content.objects == 0 && content.ancestors == 0 {
            return content.short_body[..len].to_vec();
        }
        self.segment.read_arena(content.arena_offset, len).expect("what the library writes can be read")
    }

    /// Waits for a call of the runtime's.
    pub fn wait_for_call(&self) -> RecordContent {
        wait_until("a call arrives", || self.calls.has_next(self.segment.requests()));
        self.calls.take(self.segment.requests()).expect("it was there")
    }

    /// Answers a call of the runtime's with this record, whatever it is.
    pub fn answer_call(&self, call: &RecordContent, reply: &RecordContent) {
        let place = model::REPLIES + usize::from(call.call_slot) * model::RECORD;
        self.shown.segment.write(place + model::HEAD, &model::to_bytes(reply));
        self.shown.segment.publish(place, call.call);
        self.doorbells.ring(bell_of_token(call.caller));
    }

    /// Says that a long reply has been read.
    pub fn acknowledge(&self, slot: u16, call: u32) {
        let line = 320 + usize::from(slot) * size_of::<CallLine>();
        self.shown.segment.publish(line + 4, call);
    }
}

/// What a runtime has open and in use.
#[derive(Debug, PartialEq, Eq)]
pub struct Holdings {
    descriptors: usize,
    peers: u32,
    room: u64,
    asynchronous: u64,
}

/// What the runtime has now.
pub fn holdings() -> Holdings {
    let process = runtime();
    Holdings {
        // The sanitizer has pipes of its own, to what names functions.
        descriptors: open_files().iter().filter(|name| !name.starts_with("pipe:")).count(),
        peers: process.own.status.peers().load(Ordering::SeqCst),
        room: process.room.used(),
        asynchronous: process.own.status.async_in_use().load(Ordering::SeqCst),
    }
}

/// What is open, for who looks for a leak.
fn open_files() -> Vec<String> {
    let entries = std::fs::read_dir("/proc/self/fd").expect("/proc").flatten();
    entries.filter_map(|entry| Some(std::fs::read_link(entry.path()).ok()?.to_string_lossy().into_owned())).collect()
}

/// Waits until the runtime has no more than before.
pub fn wait_for(before: &Holdings) {
    let start = Instant::now();
    while holdings() != *before || runtime().is_handling() {
        assert!(
            start.elapsed() < PATIENCE,
            "something leaks: {:?}, and before {before:?}; {:?}",
            holdings(),
            open_files()
        );
        std::thread::sleep(Duration::from_micros(100));
    }
}
