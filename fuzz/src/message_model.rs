// SPDX-License-Identifier: Apache-2.0
//! Messages as `docs/protocol.md` has them, by their bytes alone.

use ipc_capi::shm::layout::RecordContent;
use ipc_capi::transport::wire::{Address, Ancestor, ObjectContent, ObjectRecord, Reference};

use crate::input::Input;
use crate::raw_memory::RawMemory;

/// Where the rings, the replies and the arena begin in a segment, and how many entries the rings have.
pub const REQUESTS: usize = 8576;
/// See [`REQUESTS`].
pub const NESTED_REQUESTS: usize = 24_960;
/// See [`REQUESTS`].
pub const REPLIES: usize = 41_344;
/// See [`REQUESTS`].
pub const ASYNC_MESSAGES: usize = 57_728;
/// See [`REQUESTS`].
pub const ARENA: usize = 1_106_304;
/// See [`REQUESTS`].
pub const ARENA_BYTES: usize = 4 << 20;
/// See [`REQUESTS`].
pub const CALLS: usize = 128;
/// See [`REQUESTS`].
pub const ASYNC_ENTRIES: usize = 8192;
/// Bytes of a record, and of its word of sequence and the one behind it.
pub const RECORD: usize = 128;
/// See [`RECORD`].
pub const HEAD: usize = 8;

const MOST_DATA: usize = 204_800;
const MOST_ANCESTORS: usize = 64;
const SHORT: usize = 64;
/// How much of the data lies in a record's first 64 bytes.
const FIRST_LINE: usize = 20;

/// A record by its fields, as the fuzzer chooses them: often such that they agree, so that more than a first check is reached.
pub fn record(input: &mut Input<'_>) -> RecordContent {
    let mut content = RecordContent {
        code: input.int(),
        object: u64::from(input.byte()),
        caller: input.long(),
        target: input.long(),
        call: u32::from(input.byte()),
        call_slot: u16::from(input.byte()),
        kind: input.byte() % 9,
        sent_at: input.int(),
        lines: if input.byte() < 200 { 2 } else { input.byte() % 4 },
        ..RecordContent::EMPTY
    };
    content.data_len = match input.byte() {
        small @ 0..128 => u32::from(small),
        128..192 => u32::from(input.short()),
        192..240 => (MOST_DATA as u32 + 8).saturating_sub(input.byte().into()),
        _ => input.int(),
    };
    content.objects = match input.byte() {
        few @ 0..128 => u16::from(few % 8),
        128..160 => (content.data_len / 24) as u16,
        _ => input.short(),
    };
    content.ancestors = match input.byte() {
        none @ 0..160 => u16::from(none % 4),
        160..200 => 64 + u16::from(input.byte() % 3),
        _ => input.short(),
    };
    content.body_len = if input.byte() < 200 { body_len(&content) as u32 } else { input.int() };
    content.arena_offset = match input.byte() {
        low @ 0..128 => u32::from(low) * 64,
        128..200 => (ARENA_BYTES as u32).wrapping_sub(content.body_len).wrapping_add(u32::from(input.byte() % 3)),
        _ => input.int(),
    };
    let short = input.bytes(SHORT);
    content.short_body[..short.len()].copy_from_slice(short);
    content
}

/// The bytes of a record, in the order of its fields.
pub fn to_bytes(content: &RecordContent) -> [u8; RECORD - HEAD] {
    let mut bytes = Vec::new();
    for number in [content.object, content.caller] {
        bytes.extend(number.to_ne_bytes());
    }
    for number in [content.code, content.data_len, content.call, content.sent_at] {
        bytes.extend(number.to_ne_bytes());
    }
    bytes.extend(content.call_slot.to_ne_bytes());
    bytes.extend([content.kind, content.lines]);
    bytes.extend(content.short_body);
    for number in [content.objects, content.ancestors] {
        bytes.extend(number.to_ne_bytes());
    }
    bytes.extend(content.target.to_ne_bytes());
    for number in [content.arena_offset, content.body_len] {
        bytes.extend(number.to_ne_bytes());
    }
    bytes.try_into().expect("the length of a record")
}

/// Has those bytes of a record be zeros that say nothing.
fn forget_rest(bytes: &mut [u8]) {
    if bytes[35] == 1 {
        bytes[56..].fill(0);
    }
}

/// The bytes of the record at this place that say something; the others count as zeros.
pub fn bytes_at(segment: &RawMemory, place: usize) -> Vec<u8> {
    let mut bytes = segment.read(place + HEAD, RECORD - HEAD).expect("a record");
    forget_rest(&mut bytes);
    bytes
}

/// What a record says to who reads it.
pub fn as_read(content: &RecordContent) -> RecordContent {
    let mut bytes = to_bytes(content);
    forget_rest(&mut bytes);
    of_bytes(&bytes)
}

/// A record of such bytes.
pub fn of_bytes(bytes: &[u8]) -> RecordContent {
    let short = |at: usize| u16::from_ne_bytes([bytes[at], bytes[at + 1]]);
    RecordContent {
        object: long(&bytes[..8]),
        caller: long(&bytes[8..16]),
        code: int(&bytes[16..20]),
        data_len: int(&bytes[20..24]),
        call: int(&bytes[24..28]),
        sent_at: int(&bytes[28..32]),
        call_slot: short(32),
        kind: bytes[34],
        lines: bytes[35],
        short_body: bytes[36..100].try_into().expect("a short body"),
        objects: short(100),
        ancestors: short(102),
        target: long(&bytes[104..112]),
        arena_offset: int(&bytes[112..116]),
        body_len: int(&bytes[116..]),
    }
}

fn padded(len: usize) -> usize {
    len.div_ceil(8) * 8
}

/// The length of the body that the other fields of a record stand for.
pub fn body_len(content: &RecordContent) -> usize {
    let (objects, ancestors) = (usize::from(content.objects), usize::from(content.ancestors));
    let data = content.data_len as usize;
    if objects + ancestors == 0 { data } else { padded(data) + objects * 48 + ancestors * 24 }
}

fn makes_sense(content: &RecordContent) -> bool {
    let data = content.data_len as usize;
    let is_whole = if content.lines == 1 {
        content.objects == 0 && content.ancestors == 0 && data <= FIRST_LINE
    } else {
        body_len(content) == content.body_len as usize
    };
    is_whole
        && data <= MOST_DATA
        && usize::from(content.ancestors) <= MOST_ANCESTORS
        && usize::from(content.objects) * 24 <= data
}

/// The data that a record in a segment stands for; `None` where it makes no sense.
pub fn data(segment: &RawMemory, content: &RecordContent) -> Option<Vec<u8>> {
    let len = content.data_len as usize;
    if !makes_sense(content) {
        return None;
    }
    if len <= SHORT && content.objects == 0 && content.ancestors == 0 {
        return Some(content.short_body[..len].to_vec());
    }
    arena(segment, content.arena_offset as usize, len)
}

fn arena(segment: &RawMemory, offset: usize, len: usize) -> Option<Vec<u8>> {
    if offset + len > ARENA_BYTES { None } else { segment.read(ARENA + offset, len) }
}

/// The objects and ancestors of a record; `None` where they make no sense.
pub fn tail(segment: &RawMemory, content: &RecordContent) -> Option<(Vec<ObjectRecord>, Vec<Ancestor>)> {
    if content.objects == 0 && content.ancestors == 0 {
        return Some((Vec::new(), Vec::new()));
    }
    if !makes_sense(content) {
        return None;
    }
    let objects = usize::from(content.objects) * 48;
    let tail = arena(segment, tail_offset(content), objects + usize::from(content.ancestors) * 24)?;
    let (objects, ancestors) = tail.split_at(objects);
    let ancestors = ancestors
        .chunks(24)
        .map(|bytes| Ancestor { address: address(&bytes[..16]), thread: long(&bytes[16..]) })
        .collect();
    Some((objects.chunks(48).map(object).collect::<Option<_>>()?, ancestors))
}

/// Where in the arena the objects of a record begin.
pub fn tail_offset(content: &RecordContent) -> usize {
    content.arena_offset as usize + padded(content.data_len as usize)
}

fn object(bytes: &[u8]) -> Option<ObjectRecord> {
    let reference =
        Reference { address: address(&bytes[16..32]), object: long(&bytes[32..40]), secret: long(&bytes[40..]) };
    let content = match int(&bytes[4..8]) {
        1 => ObjectContent::FileDescriptor,
        2 => ObjectContent::Remote { reference, as_stub: true, kept: false },
        3 => ObjectContent::Remote { reference, as_stub: false, kept: false },
        4 => ObjectContent::Remote { reference, as_stub: true, kept: true },
        5 => ObjectContent::Remote { reference, as_stub: false, kept: true },
        _ => return None,
    };
    Some(ObjectRecord { offset: int(&bytes[..4]), content, transfer: long(&bytes[8..16]) })
}

fn address(bytes: &[u8]) -> Address {
    Address(bytes.try_into().expect("16 bytes"))
}

fn int(bytes: &[u8]) -> u32 {
    u32::from_ne_bytes(bytes.try_into().expect("4 bytes"))
}

fn long(bytes: &[u8]) -> u64 {
    u64::from_ne_bytes(bytes.try_into().expect("8 bytes"))
}
