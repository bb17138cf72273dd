// SPDX-License-Identifier: Apache-2.0
//! What peers do for each other.

use std::ffi::c_int;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::crash;
use crate::library::{DEAD, DEAD_BEHIND, Parcel, Proxy, SUCCESS, Stub, WRONG};
use crate::shared::SLOTS;
use crate::world::{Who, fail, world};

/// Gives its bytes back.
pub(crate) const ECHO: u32 = 1;
/// The same, later.
pub(crate) const SLOW: u32 = 2;
/// A numbered message.
pub(crate) const NOTE: u32 = 3;
/// Calls the stub in it, back and forth.
pub(crate) const CALL_BACK: u32 = 4;
/// Calls the stub in it, a third process's.
pub(crate) const FORWARD: u32 = 5;
/// Gives new stubs.
pub(crate) const GIVE_STUBS: u32 = 6;
/// Gives its proxy of a peer.
pub(crate) const GIVE_PROXY: u32 = 7;
/// Writes into the pipes in it, and gives a descriptor.
pub(crate) const DESCRIPTORS: u32 = 8;
/// Does not return before it is let to.
pub(crate) const HOLD: u32 = 9;
/// Lets the first peer in.
pub(crate) const OPEN: u32 = 10;
/// Sends a message back.
pub(crate) const POST_BACK: u32 = 11;

/// Gives the stub that others call.
pub(crate) const ROOT: u32 = 12;

/// The peer that was asked for is not known.
pub(crate) const UNKNOWN: c_int = 1_909_003;

/// What all stubs here do.
pub(crate) fn handle(code: u32, data: &Parcel, reply: &Parcel) -> c_int {
    crash::if_asked(true);
    let result = match code {
        ECHO => echo(data, reply),
        SLOW => {
            std::thread::sleep(Duration::from_millis(2));
            echo(data, reply)
        }
        NOTE => note(data),
        CALL_BACK => call_back(data),
        FORWARD => forward(data),
        GIVE_STUBS => {
            (0..data.read_number().unwrap_or(0)).for_each(|_| {
                reply.write_stub(&Stub::new(handle));
            });
            Some(SUCCESS)
        }
        GIVE_PROXY => give_proxy(data, reply),
        DESCRIPTORS => descriptors(data, reply),
        HOLD => {
            hold();
            Some(SUCCESS)
        }
        OPEN => open(data, reply),
        ROOT => {
            reply.write_stub(&world().root);
            Some(SUCCESS)
        }
        POST_BACK => with_proxy(data, |proxy| proxy.post(ECHO, &Parcel::new())),
        _ => None,
    };
    crash::if_asked(true);
    behind(result, code)
}

/// What a result of a call in a handler is to who called that.
fn behind(result: Option<c_int>, code: u32) -> c_int {
    match result {
        Some(SUCCESS) => SUCCESS,
        Some(DEAD | DEAD_BEHIND) => DEAD_BEHIND,
        Some(UNKNOWN) => UNKNOWN,
        Some(other) => {
            fail(&format!("a call in a handler of {code} gave {other}"));
            WRONG
        }
        None => {
            fail(&format!("request {code} lacks something"));
            WRONG
        }
    }
}

fn echo(data: &Parcel, reply: &Parcel) -> Option<c_int> {
    let bytes = data.read_rest();
    if !bytes.is_empty() {
        reply.write_bytes(bytes);
    }
    Some(SUCCESS)
}

/// Calls a stub, and sees whether what comes back is right.
pub(crate) fn call_echo(proxy: &Proxy, bytes: &[u8]) -> c_int {
    call_for_echo(proxy, ECHO, bytes)
}

/// The same, with a code of which bytes come back.
pub(crate) fn call_for_echo(proxy: &Proxy, code: u32, bytes: &[u8]) -> c_int {
    let (data, reply) = (Parcel::new(), Parcel::new());
    if !bytes.is_empty() {
        data.write_bytes(bytes);
    }
    let result = proxy.call(code, &data, &reply);
    if result == SUCCESS && reply.read_rest() != bytes {
        fail(&format!("{} bytes were sent, and others came back", bytes.len()));
    }
    result
}

fn note(data: &Parcel) -> Option<c_int> {
    let (slot, incarnation, number) = (data.read_number()?, data.read_number()?, data.read_number()?);
    let delay = data.read_number()?;
    if delay > 0 {
        std::thread::sleep(Duration::from_micros(delay));
    }
    world().note(Who { slot: slot as usize, incarnation }, number);
    let rest = data.read_rest();
    if rest.iter().any(|byte| *byte != number as u8) {
        fail("a message has bytes that its sender did not write");
    }
    Some(SUCCESS)
}

fn with_proxy(data: &Parcel, call: impl FnOnce(Proxy) -> c_int) -> Option<c_int> {
    data.read_proxy().map(call)
}

/// Calls a third peer, which has to be dead where the call says so.
fn forward(data: &Parcel) -> Option<c_int> {
    let third = Who { slot: data.read_number()? as usize, incarnation: data.read_number()? };
    with_proxy(data, |proxy| {
        let result = call_echo(&proxy, b"forward.");
        if result == DEAD && world().died_at(third).is_none() {
            fail(&format!("a proxy that was passed on is dead, and {third:?} is not"));
        }
        result
    })
}

/// Calls back, so many times deep.
fn call_back(data: &Parcel) -> Option<c_int> {
    let depth = data.read_number()?;
    let proxy = data.read_proxy()?;
    if depth == 0 {
        return Some(call_echo(&proxy, b"back"));
    }
    let stub = Stub::new(handle);
    let data = Parcel::new();
    data.write_number(depth - 1).write_stub(&stub);
    Some(proxy.call(CALL_BACK, &data, &Parcel::new()))
}

/// The proxy of a peer, or, where that is asked for, of a new stub of that peer's, which dies with the last who holds it.
fn give_proxy(data: &Parcel, reply: &Parcel) -> Option<c_int> {
    let (slot, is_new) = (data.read_number()? as usize, data.read_number()? != 0);
    let Some(partner) = world().partner(slot) else { return Some(UNKNOWN) };
    reply.write_number(partner.who.incarnation);
    if !is_new {
        reply.write_proxy(&partner.proxy);
        return Some(SUCCESS);
    }
    let (result, stub) = new_stub(&partner.proxy);
    if let Some(stub) = stub {
        reply.write_proxy(&stub);
    } else if world().died_at(partner.who).is_none() {
        fail(&format!("{:?} gives no stub: {result}", partner.who));
    }
    Some(result)
}

/// A new stub of the other process's.
pub(crate) fn new_stub(proxy: &Proxy) -> (c_int, Option<Proxy>) {
    let (data, reply) = (Parcel::new(), Parcel::new());
    data.write_number(1);
    let result = proxy.call(GIVE_STUBS, &data, &reply);
    (result, if result == SUCCESS { reply.read_proxy() } else { None })
}

fn descriptors(data: &Parcel, reply: &Parcel) -> Option<c_int> {
    for _ in 0..data.read_number()? {
        let mut pipe = File::from(data.read_descriptor()?);
        // Whom it is for may be dead.
        let _ = pipe.write_all(b"x");
    }
    let file = File::open("/dev/null").ok()?;
    reply.write_descriptor(file.as_fd());
    Some(SUCCESS)
}

fn hold() {
    let board = world().board;
    board.held.fetch_add(1, Ordering::SeqCst);
    while board.released.load(Ordering::SeqCst) == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    board.held.fetch_sub(1, Ordering::SeqCst);
}

/// Who comes first knows everybody, and is known from then on.
fn open(data: &Parcel, reply: &Parcel) -> Option<c_int> {
    let who = Who { slot: data.read_number()? as usize, incarnation: data.read_number()? };
    assert!(who.slot < SLOTS, "a place of the board");
    let proxy = data.read_proxy()?;
    world().meet(who, proxy);
    reply.write_stub(&world().root);
    Some(SUCCESS)
}
