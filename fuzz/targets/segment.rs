// SPDX-License-Identifier: Apache-2.0
//! Everything that is read from a peer's segment and status: what a channel makes of it is compared with what the protocol says of the
//! same bytes, and what the channel sends meanwhile arrives at an honest reader as it was sent.
#![no_main]

use std::collections::{BTreeSet, HashMap};
use std::os::unix::net::UnixDatagram;

use ipc_capi::parcel::{Object, Parcel, Placed, RemoteKind};
use ipc_capi::shm::arena::Block;
use ipc_capi::shm::layout::{DoorbellPage, Kind, RecordContent, Segment, Status};
use ipc_capi::transport::wire::{Address, Ancestor, ObjectContent, ObjectRecord, Reference};
use ipc_capi::transport::{CallSlot, Channel, ChannelError, Message};
use ipckit_fuzz::channel::{ROOM, channel};
use ipckit_fuzz::input::Input;
use ipckit_fuzz::message_model as model;
use ipckit_fuzz::parcel_model::{Kept, Model};
use ipckit_fuzz::raw_memory::RawMemory;
use libfuzzer_sys::fuzz_target;

/// A call that is under way, and how its reply has to be numbered.
struct Call {
    slot: CallSlot,
    block: Option<Block>,
    number: u32,
    place: usize,
}

struct World {
    segment: RawMemory,
    status: RawMemory,
    victim: Channel,
    /// Reads what the victim writes.
    reader: Channel,
    /// The next tickets of the victim's three readers: requests, for waiting threads, asynchronous.
    tickets: [u32; 3],
    calls: Vec<Call>,
    /// Whether requests of a ring, or asynchronous messages, are held back: descriptors never come here.
    held: [bool; 3],
    /// The slots whose calls have been taken and not answered.
    due: BTreeSet<u16>,
    /// The calls whose replies were published last, by their slots.
    answered: HashMap<u16, u32>,
    _sockets: [UnixDatagram; 2],
}

/// Where the rings are, and how long.
const RINGS: [(usize, usize); 3] = [
    (model::REQUESTS, model::CALLS),
    (model::NESTED_REQUESTS, model::CALLS),
    (model::ASYNC_MESSAGES, model::ASYNC_ENTRIES),
];

/// Words that the victim reads: of the segment, and of the status.
const SEGMENT_WORDS: [usize; 6] = [64, 128, 192, 196, 256, 260];
const STATUS_WORDS: [usize; 7] = [0, 4, 64, 68, 128, 132, 192];

impl World {
    fn new() -> Self {
        let (segment, segment_file) = RawMemory::create(size_of::<Segment>());
        let (status, status_file) = RawMemory::create(size_of::<Status>());
        let (_, doorbells_file) = RawMemory::create(size_of::<DoorbellPage>());
        let (victim, files, socket) = channel(&[segment_file, status_file, doorbells_file]);
        let (reader, _, other_socket) = channel(&files);
        Self {
            segment,
            status,
            victim,
            reader,
            tickets: [0; 3],
            calls: Vec::new(),
            held: [false; 3],
            due: BTreeSet::new(),
            answered: HashMap::new(),
            _sockets: [socket, other_socket],
        }
    }

    fn place(&self, ring: usize, ticket: u32) -> usize {
        let (start, entries) = RINGS[ring];
        start + ticket as usize % entries * model::RECORD
    }

    /// A record, mostly where the victim looks next, with objects behind its data.
    fn write_record(&self, input: &mut Input<'_>) {
        let ring = input.below(3);
        let content = model::record(input);
        self.write_tail(input, &content);
        let ticket = self.tickets[ring].wrapping_add(if input.byte() < 200 { 0 } else { input.byte().into() });
        let sequence = if input.byte() < 230 { ticket.wrapping_add(1) } else { input.int() };
        let place = self.place(ring, ticket);
        self.segment.write(place + model::HEAD, &model::to_bytes(&content));
        self.segment.publish(place, sequence);
    }

    fn write_tail(&self, input: &mut Input<'_>, content: &RecordContent) {
        let mut place = model::tail_offset(content);
        let mut offset = 0;
        for _ in 0..content.objects.min(8) {
            if place > model::ARENA_BYTES {
                return;
            }
            let kind = u32::from(input.byte() % 5);
            let mut bytes = [u32::to_ne_bytes(offset), kind.to_ne_bytes()].concat();
            bytes.extend(input.bytes(40));
            self.segment.write(model::ARENA + place, &bytes);
            place += ObjectRecord::BYTES;
            offset = if input.byte() < 220 { offset.wrapping_add(24) } else { input.int() };
        }
    }

    fn is_there(&self, ring: usize) -> bool {
        let ticket = self.tickets[ring];
        self.segment.int_at(self.place(ring, ticket)) == ticket.wrapping_add(1)
    }

    /// Whether what the victim finds next waits for descriptors.
    fn waits(&self, ring: usize) -> bool {
        let content = model::of_bytes(&model::bytes_at(&self.segment, self.place(ring, self.tickets[ring])));
        model::tail(&self.segment, &content).is_some_and(|(objects, _)| objects.iter().any(is_descriptor))
    }

    /// Takes a request, which is one where one was published, its descriptors are here, and its slot waits for no other answer.
    fn take_request(&mut self, ring: usize) {
        let (is_there, waits) = (self.is_there(ring), self.waits(ring));
        let taken = if ring == 0 { self.victim.take_request() } else { self.victim.take_nested_request() };
        if !is_there || waits {
            assert!(taken.is_none(), "there was nothing to take");
            self.held[ring] |= is_there;
            return;
        }
        let lay_there = model::of_bytes(&model::bytes_at(&self.segment, self.place(ring, self.tickets[ring])));
        let slot = lay_there.call_slot;
        let is_due = usize::from(slot) < model::CALLS && self.due.insert(slot);
        assert_eq!(taken.is_some(), is_due, "slot {slot}");
        match taken {
            Some(content) => self.check_taken(ring, &content),
            None => self.tickets[ring] = self.tickets[ring].wrapping_add(1),
        }
    }

    /// What was taken is what lay there.
    fn check_taken(&mut self, ring: usize, content: &RecordContent) {
        let place = self.place(ring, self.tickets[ring]);
        self.tickets[ring] = self.tickets[ring].wrapping_add(1);
        let bytes = model::bytes_at(&self.segment, place);
        assert!(model::to_bytes(content)[..] == bytes, "a record is taken as it lies there");
        self.check_message(content);
    }

    fn check_message(&self, content: &RecordContent) {
        let (data, tail) = (self.victim.read_data(content), self.victim.read_tail(content));
        let (expected, expected_tail) = (model::data(&self.segment, content), model::tail(&self.segment, content));
        assert!(data.as_deref().ok() == expected.as_deref(), "the data of {content:?}");
        assert_eq!(tail, expected_tail, "the objects and ancestors of {content:?}");
        if let (Ok(data), Some((objects, _))) = (data, tail) {
            check_parcel(data, &objects);
        }
    }

    fn take_async(&mut self) {
        let (is_there, waits) = (self.is_there(2), self.waits(2));
        let next = self.victim.next_async();
        // What is held back stays so until descriptors come.
        assert_eq!(next.is_some(), is_there && !waits && !self.held[2]);
        self.held[2] |= is_there && waits;
        let taken = self.victim.last_async();
        assert_eq!(taken.is_some(), is_there);
        if let Some(content) = taken {
            assert!(self.victim.async_time(&content) >= content.caller);
            self.victim.note_async_taken();
            self.check_taken(2, &content);
        }
        assert!(self.victim.has_taken_async_before(self.tickets[2]));
        assert!(!self.victim.has_taken_async_before(self.tickets[2].wrapping_add(1)));
    }

    fn reply(&mut self, input: &mut Input<'_>) {
        if self.calls.is_empty() {
            return;
        }
        let index = input.below(self.calls.len());
        let call = &self.calls[index];
        let place = model::REPLIES + call.place * model::RECORD;
        if input.byte() < 200 {
            let content = model::record(input);
            self.write_tail(input, &content);
            self.segment.write(place + model::HEAD, &model::to_bytes(&content));
            self.segment.publish(place, if input.byte() < 200 { call.number } else { input.int() });
        }
        let reply = self.victim.reply(&call.slot);
        assert_eq!(reply.is_some(), self.segment.int_at(place) == call.number);
        if let Some(reply) = reply {
            self.check_message(&reply);
        }
        if input.flag() {
            let call = self.calls.swap_remove(index);
            self.victim.finish_call(call.slot, call.block, true);
        }
    }

    /// The victim sends, and an honest reader reads what was sent.
    fn send(&mut self, input: &mut Input<'_>) {
        let few_objects = input.below(4);
        let ancestors: Vec<_> = (0..input.one_of(&[0, 0, 0, 1, 2, 63, 64, 67_u8]))
            .map(|number| Ancestor { address: Address([number; 16]), thread: number.into() })
            .collect();
        let objects: Vec<_> = (0..few_objects as u32).map(|number| object(number, input.flag())).collect();
        let len = input.size(204_800).clamp(24 * few_objects, 204_800);
        let data = input.data(len);
        let (code, number) = (input.int(), input.long());
        let (objects, ancestors) = (&objects[..], &ancestors[..]);
        let message =
            Message { kind: Kind::Request, code, object: number, data: &data, objects, ancestors, descriptors: &[] };
        let seen = match input.below(3) {
            0 => self.send_async(input, &message),
            1 => self.send_request(input, &message),
            _ => self.send_reply(input, &message),
        };
        let Some(content) = seen else { return };
        assert_eq!((content.code, content.object), (code, number));
        assert!(self.reader.read_data(&content).expect("the data") == data, "the data arrived otherwise");
        let last = ancestors[ancestors.len().saturating_sub(64)..].to_vec();
        assert_eq!(self.reader.read_tail(&content), Some((objects.to_vec(), last)));
    }

    fn send_async(&mut self, input: &mut Input<'_>, message: &Message<'_>) -> Option<RecordContent> {
        // Should it ask how much room there is, it has the answer already.
        self.victim.note_room_answer(input.int().into(), input.int().into());
        let sent = self.victim.send_async(message, message.data.len() as u64 + 8);
        let seen = self.reader.last_async();
        if seen.is_some() {
            self.reader.note_async_taken();
        }
        assert_eq!(sent.is_ok(), seen.is_some(), "{sent:?}");
        assert!(matches!(sent, Ok(()) | Err(ChannelError::ReceiverFull(..))));
        seen
    }

    fn send_request(&mut self, input: &mut Input<'_>, message: &Message<'_>) -> Option<RecordContent> {
        let (caller, target) = (input.long(), input.flag().then(|| input.long() | 1));
        let slot = self.victim.acquire_slot(caller, false).ok()?;
        let published = self.victim.publish_request(&slot, (caller, target), 0, message);
        let seen = if target.is_some() { self.reader.take_nested_request() } else { self.reader.take_request() };
        assert_eq!(published.is_ok(), seen.is_some());
        let Ok(block) = published else {
            self.victim.finish_call(slot, None, false);
            return None;
        };
        let content = seen?;
        // The reader answers, so that it takes a further call of the slot.
        let answer = Message { kind: Kind::Reply, data: &[], objects: &[], ancestors: &[], ..*message };
        self.reader.publish_reply(&self.reader.prepare_reply(&content, &answer).expect("room for nothing"));
        assert_eq!((content.caller, content.target), (caller, target.unwrap_or(0)));
        let place = usize::from(content.call_slot);
        assert!(place < model::CALLS);
        self.calls.push(Call { slot, block, number: content.call, place });
        Some(content)
    }

    fn send_reply(&mut self, input: &mut Input<'_>, message: &Message<'_>) -> Option<RecordContent> {
        let request = model::record(input);
        let prepared = self.victim.prepare_reply(&request, message);
        assert!(prepared.is_err() || usize::from(request.call_slot) < model::CALLS);
        self.victim.publish_reply(&prepared.ok()?);
        self.due.remove(&request.call_slot);
        self.answered.insert(request.call_slot, request.call);
        self.reader.incoming().reply(request.call_slot.into(), request.call)
    }

    /// With an honest peer all of the arena is to be had: nothing was lost, or given out twice.
    fn check_arena(mut self) {
        for call in self.calls.drain(..) {
            self.victim.finish_call(call.slot, call.block, true);
        }
        for (slot, call) in &self.answered {
            self.segment.publish(320 + usize::from(*slot) * 64 + 4, *call);
        }
        self.segment.publish(128, self.victim.next_async_ticket());
        self.segment.write(192, &self.reader.incoming().async_sent().to_ne_bytes());
        self.status.write(0, &[0; 128]);
        self.status.write(128, &u64::MAX.to_ne_bytes());
        self.status.publish(192, 1);
        let data = vec![0; 204_800];
        let message = Message {
            kind: Kind::Request,
            code: 0,
            object: 0,
            data: &data,
            objects: &[],
            ancestors: &[],
            descriptors: &[],
        };
        for count in 0..15 {
            self.victim.send_async(&message, 0).unwrap_or_else(|error| panic!("message {count}: {error}"));
        }
    }

    fn look(&self) {
        let is_open = self.is_there(0) && !self.held[0];
        assert!(!is_open || (self.victim.has_work() && self.victim.oldest_work().is_some()));
        assert!(self.is_there(0) || self.is_there(2) || !self.victim.has_work());
        assert!(self.victim.async_waiting() <= ROOM / 2);
    }
}

fn is_descriptor(object: &ObjectRecord) -> bool {
    object.content == ObjectContent::FileDescriptor
}

fn object(number: u32, as_stub: bool) -> ObjectRecord {
    let reference = Reference { address: Address([number as u8; 16]), object: number.into(), secret: u64::MAX };
    ObjectRecord {
        offset: number * 24,
        content: ObjectContent::Remote { reference, as_stub, kept: false },
        transfer: 1,
    }
}

/// Bytes and objects become a parcel exactly where the objects lie whole within the bytes, one behind the other.
fn check_parcel(data: Vec<u8>, objects: &[ObjectRecord]) {
    let kept: Vec<_> = objects.iter().map(|object| (object.offset, Kept::Remote(1))).collect();
    let expected = Model::received(&data, &kept);
    let placed = objects.iter().map(|object| Placed {
        offset: object.offset,
        object: Object::Remote { written_as: RemoteKind::Proxy, object: 1 },
    });
    let parcel = Parcel::<u32>::received(data, placed.collect(), None);
    assert_eq!(parcel.is_ok(), expected.is_some());
}

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let mut world = World::new();
    let checks_arena = input.byte() % 16 == 1;
    while !input.is_empty() {
        match input.byte() % 12 {
            0..3 => world.write_record(&mut input),
            ring @ 3..5 => world.take_request(usize::from(ring) - 3),
            5 => world.take_async(),
            6 => world.reply(&mut input),
            7 | 8 => world.send(&mut input),
            9 => {
                let place = input.one_of(&SEGMENT_WORDS);
                world.segment.publish(place, input.int());
            }
            10 => {
                let place = input.one_of(&STATUS_WORDS);
                world.status.publish(place, input.int());
            }
            _ => {
                let line = 320 + input.below(model::CALLS) * 64;
                world.segment.write(line, input.bytes(8));
            }
        }
        world.look();
    }
    if checks_arena {
        world.check_arena();
    }
});
