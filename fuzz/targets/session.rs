// SPDX-License-Identifier: Apache-2.0
//! A peer after the handshake that does whatever it likes: messages with descriptors, requests and asynchronous messages with objects,
//! shares. Each request gets the answer that the protocol has for it, handlers see what was sent, in order and once, what was taken is given
//! back, another peer is served meanwhile, and nothing is left of the session.
#![no_main]

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use ipc_capi::object::{Parcel, RemoteObject, RequestHandler, Stub};
use ipc_capi::runtime::{self, CallError};
use ipc_capi::shm::layout::{Kind, RecordContent};
use ipc_capi::transport::wire::{Control, ObjectContent, ObjectRecord, Reference};
use ipckit_fuzz::input::Input;
use ipckit_fuzz::message_model as model;
use ipckit_fuzz::parcel_model;
use ipckit_fuzz::peer::{self, Event, Holdings, Peer};
use libfuzzer_sys::fuzz_target;

/// What a process has for received messages.
const ROOM: usize = 1_040_384;

/// The codes of a session's messages begin at a multiple of this; that of the other peer's is below.
const FIRST_SESSION: u32 = 256;

/// What handlers have seen: codes and data.
static SEEN: Mutex<Vec<(u32, Vec<u8>)>> = Mutex::new(Vec::new());

/// Answers with what it was sent.
struct Echo;

impl RequestHandler for Echo {
    fn handle(&self, code: u32, data: NonNull<Parcel>, mut reply: NonNull<Parcel>) -> i32 {
        // SAFETY: both are valid for the call and, as no call of this process's own leads here, two.
        let (data, reply) = unsafe { (data.as_ref(), reply.as_mut()) };
        if code >= FIRST_SESSION {
            SEEN.lock().expect("the list").push((code, data.bytes().to_vec()));
        }
        // One of uneven length cannot be written as it is.
        if data.data_size().is_multiple_of(4) && reply.append(data).is_err() {
            return -1;
        }
        code.cast_signed()
    }
}

/// A call of the runtime's: the result, the data and how many objects are among them, or why it failed.
fn call(reference: Reference, code: u32, data: &[u8]) -> Result<(u32, Vec<u8>, usize), &'static str> {
    let imported = runtime::import(peer::runtime(), reference);
    let Some(RemoteObject::Proxy(proxy)) = &imported else { return Err("no proxy") };
    let mut parcel = Parcel::new();
    parcel.write_buffer(data).expect("room");
    match runtime::call::call(proxy, code, &parcel) {
        Ok(answer) => Ok((answer.code.cast_unsigned(), answer.reply.bytes().to_vec(), answer.reply.objects().len())),
        Err(CallError::Dead) => Err("Dead"),
        Err(CallError::NoRoom { .. }) => Err("NoRoom"),
        Err(CallError::NoRoomHere { .. }) => Err("NoRoomHere"),
        Err(CallError::Malformed) => Err("Malformed"),
        Err(error) => panic!("{error}"),
    }
}

/// The runtime's stub, and another peer that behaves.
struct Fixture {
    stub: Arc<Stub>,
    reference: Reference,
    other: Mutex<(Peer, u32)>,
    before: Holdings,
}

fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let stub = Stub::new("fuzz".to_owned(), Box::new(Echo));
        let reference = peer::runtime().exports.reference(&stub).expect("a reference");
        let other = Peer::connect();
        acquire(&other, reference);
        let before = peer::holdings();
        drop(Peer::connect());
        peer::wait_for(&before);
        Fixture { stub, reference, other: Mutex::new((other, 0)), before }
    })
}

fn acquire(peer: &Peer, reference: Reference) {
    peer.tell(Control::Acquire { object: reference.object, secret: reference.secret, from: peer.address }, &[]);
    match peer::next_event(peer.socket.as_fd()) {
        Event::Message(Control::Acquired { granted: true, .. }, _) => {}
        other => panic!("a good reference was answered by {other:?}"),
    }
}

/// The other peer is answered.
fn serve_the_other(fixture: &Fixture) {
    let mut other = fixture.other.lock().expect("the other peer");
    let (peer, calls) = &mut *other;
    *calls += 1;
    let mut content = RecordContent {
        code: 77,
        object: fixture.reference.object,
        call: *calls,
        data_len: 8,
        body_len: 8,
        ..RecordContent::EMPTY
    };
    content.short_body[..8].copy_from_slice(b"the rest");
    peer.request(&content);
    let reply = peer.wait_for_reply(0, *calls);
    assert_eq!((reply.kind, reply.code), (Kind::Reply as u8, 77));
    assert_eq!(peer.data(&reply), b"the rest");
}

/// What became of a session.
#[derive(Debug, PartialEq, Eq)]
enum Going {
    On,
    /// The runtime has ended it, or is to see it end now.
    Over,
}

struct Session<'a> {
    fixture: &'a Fixture,
    peer: Peer,
    /// Shares of the stub that this peer has.
    shares: u64,
    /// Whether that is certain: a share that is given back later may count for now or not.
    is_certain: bool,
    calls: u32,
    transfers: u64,
    /// What the codes of its messages begin at.
    first_code: u32,
    /// What handlers are to see.
    expected: Vec<(u32, Vec<u8>)>,
    /// How many shares of this peer's objects the runtime has taken, and how many it has given back.
    taken: BTreeMap<u64, u64>,
    given_back: BTreeMap<u64, u64>,
}

impl<'a> Session<'a> {
    fn begin(fixture: &'a Fixture) -> Self {
        static SESSIONS: AtomicU32 = AtomicU32::new(1);
        let peer = Peer::connect();
        acquire(&peer, fixture.reference);
        let first_code = (SESSIONS.fetch_add(1, Ordering::Relaxed) % 0xf_ffff + 1) * FIRST_SESSION;
        Self {
            first_code,

            fixture,
            peer,
            shares: 1,
            is_certain: true,
            calls: 0,
            transfers: 0,
            expected: Vec::new(),
            taken: BTreeMap::new(),
            given_back: BTreeMap::new(),
        }
    }

    fn note(&mut self, message: &Control) -> bool {
        if let Control::Release { object, count, .. } = message {
            *self.given_back.entry(*object).or_default() += count;
        }
        matches!(message, Control::Release { .. })
    }

    /// The next message that is an answer.
    fn answer(&mut self) -> Option<Control> {
        loop {
            match peer::next_event(self.peer.socket.as_fd()) {
                Event::End => return None,
                Event::Message(message, _) if self.note(&message) => {}
                Event::Message(Control::Descriptors { .. } | Control::Unlend { .. }, _) => {}
                // An object of this peer's comes home in a reply.
                Event::Message(Control::Lend { .. }, _) => {
                    self.peer.tell(Control::Lent, &[]);
                }
                Event::Message(message, _) => return Some(message),
            }
        }
    }

    /// Waits until all that was said on the socket has been heard.
    fn synchronize(&mut self) -> Going {
        if !self.peer.tell(Control::AskRoom, &[]) {
            return Going::Over;
        }
        match self.answer() {
            Some(Control::RoomInUse { .. }) => Going::On,
            None => Going::Over,
            other => panic!("the answer to a question for room is {other:?}"),
        }
    }

    /// A message on the socket.
    fn tell(&mut self, input: &mut Input<'_>) -> Going {
        let null = std::fs::File::open("/dev/null").expect("/dev/null");
        let files = vec![null.as_fd(); input.below(5)];
        let reference = self.fixture.reference;
        let object = if input.byte() < 200 { reference.object } else { input.long() };
        // Not to one that lives on: the stub would be kept for it.
        let to = match input.byte() % 3 {
            0 => self.peer.address,
            1 => peer::runtime().own.address,
            _ => peer::new_address(),
        };
        let message = match input.byte() % 12 {
            0 => {
                let secret = if input.byte() < 200 { reference.secret } else { input.long() };
                Control::Acquire { object, secret, from: to }
            }
            1 => Control::Acquired { object: input.long(), granted: input.flag() },
            2 => Control::Release {
                object,
                count: u64::from(input.byte() % 4),
                after: if input.byte() < 200 { self.peer.segment.async_taken() } else { input.int() },
            },
            3 => Control::Lend { object, to },
            4 => Control::Lent,
            5 => Control::Unlend { object, to },
            6 | 7 => {
                let number = if input.flag() { self.transfers } else { input.long() };
                Control::Descriptors { transfer: number }
            }
            8 => Control::AskRoom,
            9 => Control::RoomInUse { asynchronous: input.long(), all: input.long() },
            _ => return self.tell_bytes(input, &files),
        };
        if !self.peer.tell(message, &files) {
            return Going::Over;
        }
        let going = self.expect_answer(message, reference, files.len());
        let is_nonsense = matches!(message, Control::Descriptors { .. } if files.is_empty())
            || matches!(message, Control::Release { after, .. }
                if after.wrapping_sub(self.peer.segment.async_taken()).cast_signed() > model::ASYNC_ENTRIES as i32);
        assert_eq!(going == Going::Over, is_nonsense, "after {message:?}");
        going
    }

    fn expect_answer(&mut self, message: Control, reference: Reference, files: usize) -> Going {
        match message {
            Control::Acquire { object, secret, .. } => {
                let granted = object == reference.object && secret == reference.secret;
                let Some(answer) = self.answer() else { panic!("a question ends the connection") };
                assert_eq!(answer, Control::Acquired { object, granted });
                self.shares += u64::from(granted);
            }
            Control::Acquired { object, granted: true } => *self.taken.entry(object).or_default() += 1,
            Control::Release { object, count, after } if object == reference.object => {
                if self.peer.segment.async_taken().wrapping_sub(after).cast_signed() >= 0 {
                    self.shares = self.shares.saturating_sub(count);
                } else {
                    self.is_certain = false;
                }
            }
            Control::Lend { .. } => assert_eq!(self.answer(), Some(Control::Lent)),
            Control::AskRoom => assert!(matches!(self.answer(), Some(Control::RoomInUse { .. }))),
            Control::Descriptors { .. } if files == 0 => {
                assert_eq!(self.answer(), None, "descriptors that are none end the connection");
                return Going::Over;
            }
            _ => {}
        }
        self.synchronize()
    }

    /// Bytes that are no message of a session end it.
    fn tell_bytes(&mut self, input: &mut Input<'_>, files: &[BorrowedFd<'_>]) -> Going {
        let bytes = input.bytes(60);
        let is_message = Control::from_bytes(bytes);
        if !bytes.is_empty()
            && !matches!(is_message, None | Some(Control::Hello(_) | Control::Welcome(_) | Control::Refused(_)))
        {
            return Going::On;
        }
        if bytes.is_empty() || !peer::send(self.peer.socket.as_fd(), bytes, files) {
            return Going::Over;
        }
        assert_eq!(self.answer(), None, "what is no message ends the connection");
        Going::Over
    }

    /// The objects of a message, which are written behind its data. Returns how many descriptors were sent for it.
    fn objects(&mut self, input: &mut Input<'_>, content: &RecordContent) -> usize {
        self.transfers += 1;
        let sent = input.byte() < 240;
        let mut offset = 0;
        let mut descriptors = 0;
        for number in 0..usize::from(content.objects).min(8) {
            let reference = match input.byte() % 8 {
                0 => self.fixture.reference,
                1 => Reference { secret: input.long(), ..self.fixture.reference },
                2 => Reference { address: peer::new_address(), object: 1, secret: 1 },
                _ => Reference { address: self.peer.address, object: u64::from(input.byte() % 3), secret: 5 },
            };
            let content_of_object = match input.byte() % 4 {
                0 => ObjectContent::FileDescriptor,
                kind => ObjectContent::Remote { reference, as_stub: kind == 1, kept: false },
            };
            descriptors += usize::from(content_of_object == ObjectContent::FileDescriptor);
            let record = ObjectRecord { offset, content: content_of_object, transfer: self.transfers };
            let mut bytes = record.to_bytes();
            if input.byte() > 250 {
                bytes[4] = input.byte();
            }
            self.peer.shown.segment.write(model::ARENA + model::tail_offset(content) + number * 48, &bytes);
            offset = if input.byte() < 240 { offset.wrapping_add(24) } else { input.int() };
        }
        if !sent || descriptors == 0 {
            return 0;
        }
        let null = std::fs::File::open("/dev/null").expect("/dev/null");
        self.peer.tell(Control::Descriptors { transfer: self.transfers }, &vec![null.as_fd(); descriptors]);
        descriptors
    }

    /// A message for the stub, whose lengths mostly agree.
    fn message(&mut self, input: &mut Input<'_>) -> (RecordContent, Option<Fate>) {
        let mut content = model::record(input);
        content.object = if input.byte() < 230 { self.fixture.reference.object } else { u64::from(input.byte()) };
        if input.byte() < 200 {
            content.kind = Kind::Request as u8;
        }
        content.code = self.first_code + u32::from(input.byte());
        // Few: each is written out.
        content.objects %= 9;
        if input.byte() < 220 {
            content.data_len = content.data_len / 4 * 4;
            content.body_len = model::body_len(&content) as u32;
            content.arena_offset = 0;
        }
        let content = model::as_read(&content);
        let sent = self.objects(input, &content);
        let fate = self.fate(&content, sent);
        (content, fate)
    }

    /// What is to become of a message that the stub gets; `None` where its descriptors are waited for.
    fn fate(&self, content: &RecordContent, descriptors: usize) -> Option<Fate> {
        let segment = &self.peer.shown.segment;
        let Some((records, _)) = model::tail(segment, content) else { return Some(Fate::Lost(Vec::new())) };
        let is_descriptor = |record: &ObjectRecord| record.content == ObjectContent::FileDescriptor;
        if records.iter().copied().filter(is_descriptor).count() > descriptors {
            return None;
        }
        if !parcel_model::fit(content.data_len as usize, records.iter().map(|record| record.offset)) {
            return Some(Fate::Lost(Vec::new()));
        }
        let taken = self.references(content);
        let mut is_whole = true;
        let mut own = 0;
        for record in &records {
            if let ObjectContent::Remote { reference, .. } = record.content
                && reference.address == self.fixture.reference.address
            {
                is_whole &= reference == self.fixture.reference;
                own += 1;
            }
        }
        let data = model::data(segment, content).filter(|_| is_whole);
        Some(match data {
            None => Fate::Lost(taken),
            Some(data) => {
                let is_echoed = data.len().is_multiple_of(4);
                // Objects leave again where their places can be sent.
                let leaves = !is_echoed || records.iter().all(|record| record.offset.is_multiple_of(4));
                Fate::Handled { taken, data, is_echoed, leaves, own }
            }
        })
    }

    /// The objects of this peer's that a message refers to.
    fn references(&self, content: &RecordContent) -> Vec<u64> {
        let Some((records, _)) = model::tail(&self.peer.shown.segment, content) else { return Vec::new() };
        let own = |record: ObjectRecord| match record.content {
            ObjectContent::Remote { reference, .. } if reference.address == self.peer.address => Some(reference.object),
            _ => None,
        };
        records.into_iter().filter_map(own).collect()
    }

    /// Waits until the asynchronous messages so far have been handled, and take no room.
    fn wait_until_handled(&self) {
        let count = self.expected.len();
        peer::wait_until("all messages are handled", || self.seen().len() >= count);
        let in_use = peer::runtime().own.status.async_in_use();
        peer::wait_until("handled messages give room back", || in_use.load(Ordering::SeqCst) == 0);
    }

    /// What handlers have seen of this session.
    fn seen(&self) -> Vec<(u32, Vec<u8>)> {
        let is_own = |code: u32| code >= self.first_code && code - self.first_code < FIRST_SESSION;
        SEEN.lock().expect("the list").iter().filter(|(code, _)| is_own(*code)).cloned().collect()
    }

    fn note_taken(&mut self, objects: &[u64]) {
        for object in objects {
            *self.taken.entry(*object).or_default() += 1;
        }
    }

    fn request(&mut self, input: &mut Input<'_>) -> Going {
        let (mut content, fate) = self.message(input);
        self.calls += 1;
        content.call = self.calls;
        content.caller &= 0x1ff;
        let is_granted = content.object == self.fixture.reference.object && self.shares > 0;
        let bytes = (content.data_len as usize).next_multiple_of(8).max(8) + usize::from(content.objects) * 8;
        let is_heard = usize::from(content.call_slot) < model::CALLS;
        self.wait_until_handled();
        self.peer.request(&content);
        if !self.is_certain || !is_heard || fate.is_none() {
            // Nobody knows how, or when, this ends: the connection does, and then it has.
            return Going::Over;
        }
        let reply = self.peer.wait_for_reply(content.call_slot, content.call);
        let kind = Kind::from_number(reply.kind).expect("a kind");
        match Kind::from_number(content.kind) {
            _ if !is_granted => assert_eq!(kind, Kind::NoStub),
            Some(Kind::Descriptor) => {
                assert_eq!((kind, self.peer.data(&reply)), (Kind::Reply, b"fuzz".to_vec()));
            }
            Some(Kind::Request) if bytes > ROOM => assert_eq!(kind, Kind::NoRoom),
            Some(Kind::Request) => {
                if let Some(fate) = fate {
                    self.check_reply(&content, &reply, fate);
                }
            }
            _ => assert_eq!(kind, Kind::Malformed),
        }
        self.peer.acknowledge(content.call_slot, content.call);
        Going::On
    }

    fn check_reply(&mut self, request: &RecordContent, reply: &RecordContent, fate: Fate) {
        let kind = Kind::from_number(reply.kind);
        match fate {
            Fate::Lost(taken) => {
                assert_eq!(kind, Some(Kind::Lost));
                self.note_taken(&taken);
            }
            Fate::Handled { taken, data, is_echoed, leaves, own } => {
                self.note_taken(&taken);
                if leaves {
                    assert_eq!((kind, reply.code), (Some(Kind::Reply), request.code));
                    let echoed = if is_echoed { &data[..] } else { &[] };
                    assert!(self.peer.data(reply) == echoed, "the echo is another one");
                    assert_eq!(reply.objects, if is_echoed { request.objects } else { 0 });
                    // A reference to the stub has come with each.
                    self.shares += if is_echoed { own } else { 0 };
                } else {
                    assert_eq!(kind, Some(Kind::Lost));
                }
                self.expected.push((request.code, data));
            }
        }
    }

    fn send_async(&mut self, input: &mut Input<'_>) -> Going {
        let (content, fate) = self.message(input);
        let is_granted = content.object == self.fixture.reference.object && self.shares > 0;
        let is_certain = self.is_certain;
        self.wait_until_handled();
        self.peer.send_async(&content);
        let Some(fate) = fate.filter(|_| is_certain) else { return Going::Over };
        self.peer.wait_until_taken();
        match fate {
            // Nothing of it reaches anybody, and all its objects are taken and let go.
            _ if !is_granted => self.note_taken(&self.references(&content)),
            Fate::Lost(taken) => self.note_taken(&taken),
            Fate::Handled { taken, data, .. } => {
                self.note_taken(&taken);
                self.expected.push((content.code, data));
            }
        }
        Going::On
    }

    /// The runtime calls an object of this peer's, and is answered something.
    fn be_called(&mut self, input: &mut Input<'_>) -> Going {
        self.wait_until_handled();
        let reference = Reference { address: self.peer.address, object: u64::from(input.byte() % 3), secret: 5 };
        let len = input.size(300).max(1);
        let (code, data) = (input.int(), input.data(len));
        let caller = std::thread::spawn({
            let data = data.clone();
            move || call(reference, code, &data)
        });
        let Some(Control::Acquire { object, .. }) = self.answer() else { panic!("the object is not asked for") };
        assert_eq!(object, reference.object);
        self.peer.tell(Control::Acquired { object, granted: true }, &[]);
        self.note_taken(&[object]);
        let called = self.peer.wait_for_call();
        assert_eq!((called.object, called.code, called.objects), (object, code, 0));
        assert_eq!(self.peer.data(&called)[..data.len()], data);
        let (mut reply, fate) = self.message(input);
        reply.kind = if input.byte() < 200 { Kind::Reply as u8 } else { input.byte() % 9 };
        let bytes = (reply.data_len as usize).next_multiple_of(8).max(8) + usize::from(reply.objects) * 8;
        self.peer.answer_call(&called, &reply);
        let is_reply = reply.kind == Kind::Reply as u8;
        if is_reply && fate.is_none() && reply.data_len > 0 && bytes <= ROOM {
            // It waits for the descriptors, or for the end.
            self.peer.hang_up();
            assert!(caller.join().expect("it returns").is_err());
            return Going::Over;
        }
        let expected = match (Kind::from_number(reply.kind), fate) {
            (Some(Kind::Reply), _) if reply.data_len == 0 => Ok((reply.code, Vec::new(), 0)),
            (Some(Kind::Reply), _) if bytes > ROOM => {
                self.note_taken(&self.references(&reply));
                Err("NoRoomHere")
            }
            (Some(Kind::Reply), Some(Fate::Handled { taken, data, .. })) => {
                self.note_taken(&taken);
                Ok((reply.code, data, usize::from(reply.objects)))
            }
            (Some(Kind::Reply), Some(Fate::Lost(taken))) => {
                self.note_taken(&taken);
                Err("Malformed")
            }
            (Some(Kind::NoStub), _) => Err("Dead"),
            (Some(Kind::NoRoom), _) => Err("NoRoom"),
            _ => Err("Malformed"),
        };
        assert!(caller.join().expect("it returns") == expected, "the answer to {reply:?} is another one");
        Going::On
    }

    /// All has been handled that was to be, and given back.
    fn check_end(&mut self, going: Going) {
        if going == Going::On {
            self.wait_until_handled();
            let seen = self.seen();
            // Requests and asynchronous messages overtake each other; each kind by itself is in order, and both are in `expected`.
            let sort = |mut list: Vec<(u32, Vec<u8>)>| {
                list.sort();
                list
            };
            assert!(sort(seen) == sort(std::mem::take(&mut self.expected)), "handlers saw something else");
            while self.given_back != self.taken {
                match peer::next_event(self.peer.socket.as_fd()) {
                    Event::Message(message, _) => drop(self.note(&message)),
                    Event::End => panic!("the connection has ended"),
                }
                let is_less = |(object, count): (&u64, &u64)| *count <= self.taken.get(object).copied().unwrap_or(0);
                assert!(self.given_back.iter().all(is_less), "{:?} is more than {:?}", self.given_back, self.taken);
            }
        }
    }
}

/// What becomes of a message, with the objects of this peer's of which the runtime takes shares.
enum Fate {
    Lost(Vec<u64>),
    Handled {
        taken: Vec<u64>,
        data: Vec<u8>,
        /// Whether the handler answers with the same.
        is_echoed: bool,
        /// Whether the answer can be sent.
        leaves: bool,
        /// References to the stub.
        own: u64,
    },
}

fuzz_target!(|bytes: &[u8]| {
    let fixture = fixture();
    let mut input = Input::new(bytes);
    let mut session = Session::begin(fixture);
    let mut going = Going::On;
    let mut steps = 0;
    while going == Going::On && !input.is_empty() && steps < 40 {
        steps += 1;
        going = match input.byte() % 8 {
            0 | 1 => session.tell(&mut input),
            2 | 3 => session.send_async(&mut input),
            4 => session.be_called(&mut input),
            _ => session.request(&mut input),
        };
    }
    session.check_end(going);
    drop(session);
    peer::wait_for(&fixture.before);
    SEEN.lock().expect("the list").clear();
    serve_the_other(fixture);
    // The other peer has a share.
    peer::wait_until("nobody keeps the stub", || Arc::strong_count(&fixture.stub) <= 2);
});
