// SPDX-License-Identifier: Apache-2.0
//! A peer that does everything wrong, in one way or another, until it is killed.
#![allow(unsafe_code, reason = "a handler is given pointers")]

use std::ffi::{c_int, c_void};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::board::{Board, count};
use crate::library::{self, CParcel, Parcel, Proxy, Reference, SUCCESS};
use crate::surroundings::{self, Memory};
use crate::victim::{BEFRIEND, ECHO, INCREASE, WRITE};

/// A way to attack, once.
type Way = fn(&Attack);

/// The ways.
pub const KINDS: [(&str, Way); 9] = [
    ("scribbles", scribble),
    ("scribbles with sense", scribble_with_sense),
    ("lies", lie),
    ("replays", replay),
    ("speaks out of turn", speak),
    ("knocks", knock),
    ("hoards", hoard),
    ("stops", stop),
    ("does everything", everything),
];

/// The life word and what belongs to it, in words: who writes there is taken for dead at once.
const BEHIND_LIFE: usize = 16;
/// Where a segment's rings begin and end, in words, as docs/protocol.md has them.
const RINGS: [(usize, usize); 4] = [(8576, 128), (24_960, 128), (41_344, 128), (57_728, 8192)];
const ARENA: usize = 1_106_304;
const RECORD: usize = 128;
const MESSAGE_BYTES: usize = 48;

/// What an attacker has.
pub struct Attack {
    board: &'static Board,
    victim: Arc<Proxy>,
    address: [u8; 16],
    random: std::cell::RefCell<fastrand::Rng>,
    memories: Vec<Memory>,
    /// What its segments held earlier.
    records: Vec<Vec<u32>>,
}

/// Answers something, sooner or later, or never.
extern "C" fn answer(_: u32, _: *const CParcel, reply: *mut CParcel, _: *mut c_void) -> c_int {
    let mut random = fastrand::Rng::new();
    // SAFETY: it is valid for the time of the call.
    let reply = unsafe { Parcel::of_handler(reply) };
    match random.u32(..200) {
        0 => std::thread::sleep(Duration::from_secs(3600)),
        1..50 => std::thread::sleep(Duration::from_millis(1)),
        _ => {}
    }
    reply.write_int32(random.i32(..));
    if random.bool() { SUCCESS } else { random.i32(..) }
}

impl Attack {
    fn pick(&self, below: usize) -> usize {
        self.random.borrow_mut().usize(..below)
    }

    fn value(&self) -> u32 {
        let mut random = self.random.borrow_mut();
        match random.u8(..5) {
            0 => random.u32(..260),
            1 => 1 << random.u32(..32),
            2 => u32::MAX - random.u32(..260),
            3 => random.u32(..5_000_000),
            _ => random.u32(..),
        }
    }

    fn write(&self, memory: &Memory, place: usize, value: u32) {
        memory.word(place).store(value, Ordering::SeqCst);
    }

    fn call(&self) {
        let (data, reply) = (Parcel::new(), Parcel::new());
        match self.pick(5) {
            0 => drop(data.write_bytes(&vec![7; self.pick(200_000)])),
            1 => drop(data.write_descriptor(2)),
            _ => drop(data.write_int32(1)),
        }
        let code = [INCREASE, ECHO, WRITE, 77][self.pick(4)];
        if self.pick(3) == 0 {
            self.victim.post(if code == WRITE { 77 } else { code }, &data);
        } else {
            self.victim.call(code, &data, &reply);
        }
        count(&self.board.messages);
    }
}

fn scribble(attack: &Attack) {
    for memory in &attack.memories {
        let begin = if memory.is_segment && attack.pick(4) != 0 { BEHIND_LIFE } else { 0 };
        for place in begin..memory.words {
            attack.write(memory, place, attack.random.borrow_mut().u32(..));
        }
        attack.board.writes.fetch_add((memory.words - begin) as u64, Ordering::Relaxed);
    }
}

fn scribble_with_sense(attack: &Attack) {
    for memory in &attack.memories {
        let (begin, end) = if memory.is_segment { (BEHIND_LIFE, ARENA / 4) } else { (0, memory.words) };
        for _ in 0..1000 {
            let place = begin + attack.pick(end - begin);
            let value = match attack.pick(3) {
                0 => memory.word(place).load(Ordering::Relaxed).wrapping_add(1),
                _ => attack.value(),
            };
            attack.write(memory, place, value);
        }
        attack.board.writes.fetch_add(1000, Ordering::Relaxed);
    }
}

/// Fields of records that are there, and sequence words that make them there.
fn lie(attack: &Attack) {
    for memory in attack.memories.iter().filter(|memory| memory.is_segment) {
        for _ in 0..300 {
            let (ring, entries) = RINGS[attack.pick(RINGS.len())];
            let record = (ring + attack.pick(entries.min(256)) * RECORD) / 4;
            if attack.pick(3) == 0 {
                // As if the writer had come round once more.
                let sequence = memory.word(record).load(Ordering::Relaxed);
                let next =
                    if sequence == 0 { 1 + attack.pick(128) as u32 } else { sequence.wrapping_add(entries as u32) };
                attack.write(memory, record, next);
            } else {
                attack.write(memory, record + 2 + attack.pick(30), attack.value());
            }
            // The beginnings of bodies: objects, the numbers of transfers, references.
            attack.write(memory, ARENA / 4 + attack.pick(4096), attack.value() % 5);
        }
        attack.board.writes.fetch_add(600, Ordering::Relaxed);
    }
    (0..3).for_each(|_| attack.call());
}

/// What lay in the segments earlier, whole or in parts, in another order.
fn replay(attack: &Attack) {
    for (memory, earlier) in attack.memories.iter().zip(&attack.records) {
        let end = if memory.is_segment { ARENA / 4 } else { memory.words };
        let begin = BEHIND_LIFE + attack.pick(end - BEHIND_LIFE);
        let len = attack.pick(4096).min(end - begin);
        let from = if attack.pick(2) == 0 { begin } else { BEHIND_LIFE + attack.pick(end - len - BEHIND_LIFE) };
        for place in 0..len {
            attack.write(memory, begin + place, earlier[from + place]);
        }
        attack.board.writes.fetch_add(len as u64, Ordering::Relaxed);
    }
    attack.call();
}

/// Anything on all its sockets.
fn speak(attack: &Attack) {
    for socket in surroundings::sockets() {
        for _ in 0..1 + attack.pick(50) {
            let len = if attack.pick(5) == 0 { attack.pick(200) } else { MESSAGE_BYTES };
            let mut bytes: Vec<u8> = std::iter::repeat_with(|| attack.random.borrow_mut().u8(..)).take(len).collect();
            if len == MESSAGE_BYTES {
                // Mostly kinds that have a place there.
                bytes[0] = 4 + attack.pick(if attack.pick(20) == 0 { 250 } else { 11 }) as u8;
                bytes[1..8].fill(0);
                for number in [8, 16, 40] {
                    let value = u64::from(attack.value());
                    bytes[number..number + 8].copy_from_slice(&value.to_ne_bytes());
                }
            }
            let descriptors = vec![2; if attack.pick(3) == 0 { attack.pick(254) } else { 0 }];
            if surroundings::send(socket, &bytes, &descriptors) {
                count(&attack.board.messages);
            }
        }
    }
    attack.call();
}

/// New connections, silent ones and others.
fn knock(attack: &Attack) {
    let mut open = Vec::new();
    for _ in 0..500 {
        let Some(socket) = surroundings::connect(&attack.address) else { continue };
        count(&attack.board.connections);
        if attack.pick(2) == 0 {
            let len = if attack.pick(2) == 0 { MESSAGE_BYTES } else { attack.pick(200) };
            let mut bytes: Vec<u8> = std::iter::repeat_with(|| attack.random.borrow_mut().u8(..)).take(len).collect();
            if let Some(kind) = bytes.first_mut() {
                *kind %= 16;
            }
            if surroundings::send(socket, &bytes, &vec![2; attack.pick(254)]) {
                count(&attack.board.messages);
            }
        }
        open.push(socket);
    }
    open.into_iter().for_each(surroundings::close);
}

/// Keeps what it gets, and sends what it can.
fn hoard(attack: &Attack) {
    for _ in 0..200 {
        let (data, reply) = (Parcel::new(), Parcel::new());
        data.write_bytes(&vec![1; attack.pick(100_000)]);
        attack.victim.call(ECHO, &data, &reply);
        if attack.pick(20) == 0 {
            std::mem::forget(reply);
        }
        while attack.victim.post(77, &data) == SUCCESS {
            count(&attack.board.messages);
        }
        count(&attack.board.messages);
    }
}

/// Stops in the middle of something, for as long as the one who has started it likes.
fn stop(attack: &Attack) {
    let victim = Arc::clone(&attack.victim);
    for _ in 0..4 {
        let victim = Arc::clone(&victim);
        std::thread::spawn(move || {
            for _ in 0..200 {
                let (data, reply) = (Parcel::new(), Parcel::new());
                data.write_bytes(&[3; 5000]);
                victim.call(ECHO, &data, &reply);
            }
        });
    }
    let number = attack.pick(3000) as u64;
    std::thread::sleep(Duration::from_micros(number));
    surroundings::stop();
}

fn everything(attack: &Attack) {
    let others = KINDS.len() - 2;
    KINDS[attack.pick(others)].1(attack);
}

/// Attacks until it is killed.
pub fn run(board: &'static Board, kind: usize, reference: &Reference, seed: u64) -> Result<()> {
    let Some((name, attack)) = KINDS.get(kind) else { bail!("there is no attack {kind}") };
    let victim = Arc::new(Proxy::import(reference).with_context(|| format!("who {name} got no proxy"))?);
    let (data, reply) = (Parcel::new(), Parcel::new());
    data.write_stub(library::create_stub(answer)?);
    data.write_int32(kind as i32);
    victim.call(BEFRIEND, &data, &reply);
    let mut address = [0; 16];
    address.copy_from_slice(&reference[..16]);
    let memories = surroundings::memories();
    let records = memories.iter().map(Memory::words).collect();
    let random = fastrand::Rng::with_seed(seed).into();
    let attacker = Attack { board, victim: Arc::clone(&victim), address, random, memories, records };
    // Calls of its own are under way meanwhile, and may never return.
    for number in 0..2 {
        let victim = Arc::clone(&victim);
        std::thread::spawn(move || {
            for size in (0..).map(|count: usize| count * 977 % 60_000) {
                let (data, reply) = (Parcel::new(), Parcel::new());
                data.write_bytes(&vec![number; size]);
                victim.call(ECHO, &data, &reply);
                count(&board.messages);
            }
        });
    }
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(3600) {
        attack(&attacker);
    }
    Ok(())
}
