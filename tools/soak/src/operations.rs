// SPDX-License-Identifier: Apache-2.0
//! What a peer does with another one, and what may come of it.

use std::ffi::c_int;
use std::io::{PipeReader, Read as _};
use std::os::fd::AsFd as _;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use crate::crash;
use crate::library::{DEAD, DEAD_BEHIND, INNER_ERROR, INTERFACE, Parcel, Proxy, Recipient, SUCCESS, Stub, Told, WRONG};
use crate::service::{self, UNKNOWN, call_echo, call_for_echo, handle, new_stub};
use crate::shared::SLOTS;
use crate::world::{Partner, Watch, Who, fail, world};

/// An operation and what of it can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// A request and its bytes back.
    Echo(usize),
    /// The same where the handler takes a while.
    Slow(usize),
    /// A numbered message of so many bytes, whose handler takes so many microseconds.
    Note(usize, u64),
    /// A request that leads back, so many times deep.
    CallBack(u64),
    /// A third peer's proxy goes to the partner, which calls it.
    Forward(usize),
    /// The same in a message.
    ForwardAsync(usize),
    /// New stubs of the partner's, called and let go of.
    GiveStubs(u64),
    /// The partner's proxy of a third peer, called and let go of.
    GiveProxy(usize),
    /// Descriptors there and back.
    Descriptors(u64),
    /// Descriptors in a message.
    DescriptorsAsync(u64),
    /// A message, and one back.
    PostBack,
    /// A death recipient is added and removed.
    Watch,
    /// A stub is asked what it is.
    Describe,
    /// A parcel that is refused when its objects have been made ready.
    Unaligned(usize),
    /// A request that returns when it is let to.
    Hold,
    /// New stubs of the partner's, kept.
    Keep(u64),
    /// They are let go of.
    LetGo,
}

/// Stubs of others that are kept.
static KEPT: Mutex<Vec<Proxy>> = Mutex::new(Vec::new());

/// What came of it, and who had to do with it.
pub(crate) struct Outcome {
    pub(crate) result: c_int,
    pub(crate) involved: Vec<Who>,
}

/// What an object takes of a parcel.
const OBJECT_BYTES: u32 = 24;

/// Messages to one peer that are not handled yet, at the most.
const MOST_NOTES: u64 = 8;

/// Does an operation. Results other than success, a death, or an unknown third peer are failures, which are said here.
pub(crate) fn run(operation: Operation, partner: &Partner) -> Outcome {
    world().board.calls.fetch_add(1, Ordering::Relaxed);
    let mut involved = vec![partner.who];
    let result = attempt(operation, partner, &mut involved);
    let refusal = matches!(operation, Operation::Unaligned(_)).then_some(INNER_ERROR);
    let result = if Some(result) == refusal { SUCCESS } else { result };
    match result {
        SUCCESS | UNKNOWN => {}
        DEAD | DEAD_BEHIND => {
            world().board.dead.fetch_add(1, Ordering::Relaxed);
            // Which third peer gave no proxy, the partner knows, and has looked whether it is dead.
            let is_known = !(result == DEAD_BEHIND && matches!(operation, Operation::GiveProxy(_)));
            if is_known && involved.iter().all(|who| world().died_at(*who).is_none()) {
                fail(&format!("{operation:?} gave {result}, and nobody of {involved:?} is dead"));
            }
        }
        other => fail(&format!("{operation:?} with {:?} gave {other}", partner.who)),
    }
    Outcome { result, involved }
}

fn attempt(operation: Operation, partner: &Partner, involved: &mut Vec<Who>) -> c_int {
    let proxy = &partner.proxy;
    match operation {
        Operation::Echo(size) => call_echo(proxy, &pattern(size)),
        Operation::Slow(size) => call_for_echo(proxy, service::SLOW, &pattern(size)),
        Operation::Note(size, delay) => send_note(partner, size, delay),
        Operation::CallBack(depth) => {
            let stub = Stub::new(handle);
            let data = Parcel::new();
            data.write_number(depth).write_stub(&stub);
            proxy.call(service::CALL_BACK, &data, &Parcel::new())
        }
        Operation::Forward(third) | Operation::ForwardAsync(third) => {
            let Some(third) = world().partner(third) else { return UNKNOWN };
            involved.push(third.who);
            let (result, stub) = new_stub(&third.proxy);
            let Some(stub) = stub else { return result };
            let data = Parcel::new();
            data.write_number(third.who.slot as u64).write_number(third.who.incarnation).write_proxy(&stub);
            drop(stub);
            match operation {
                Operation::Forward(_) => proxy.call(service::FORWARD, &data, &Parcel::new()),
                _ => proxy.post(service::FORWARD, &data),
            }
        }
        Operation::GiveStubs(count) => {
            let (data, reply) = (Parcel::new(), Parcel::new());
            data.write_number(count);
            let result = proxy.call(service::GIVE_STUBS, &data, &reply);
            if result != SUCCESS {
                return result;
            }
            let stubs: Vec<_> = (0..count).map_while(|_| reply.read_proxy()).collect();
            if stubs.len() as u64 != count {
                fail(&format!("{} of {count} stubs have come", stubs.len()));
            }
            let first = stubs.first().map_or(SUCCESS, |stub| call_echo(stub, b"new."));
            crash::if_asked(false);
            first
        }
        Operation::GiveProxy(third) => give_proxy(partner, third, involved),
        Operation::Descriptors(count) | Operation::DescriptorsAsync(count) => {
            send_descriptors(partner, count, operation == Operation::DescriptorsAsync(count))
        }
        Operation::PostBack => {
            let stub = Stub::new(handle);
            let data = Parcel::new();
            data.write_stub(&stub);
            proxy.post(service::POST_BACK, &data)
        }
        Operation::Watch => add_and_remove(partner),
        Operation::Describe => {
            let (result, stub) = new_stub(proxy);
            let Some(stub) = stub else { return result };
            let (result, text) = stub.ask_descriptor();
            if result == SUCCESS && text != INTERFACE.to_bytes() {
                fail("a stub says that it is another one");
            }
            result
        }
        Operation::Unaligned(third) => {
            let Some(third) = world().partner(third) else { return UNKNOWN };
            involved.push(third.who);
            let (result, stub) = new_stub(&third.proxy);
            let Some(stub) = stub else { return result };
            let data = Parcel::new();
            data.write_proxy(&stub).go_on_at(OBJECT_BYTES + 1).write_proxy(&stub);
            let result = proxy.call(service::FORWARD, &data, &Parcel::new());
            if result == SUCCESS {
                fail("an object at an odd offset was sent");
            }
            result
        }
        Operation::Keep(count) => {
            let (data, reply) = (Parcel::new(), Parcel::new());
            data.write_number(count);
            let result = proxy.call(service::GIVE_STUBS, &data, &reply);
            let stubs = (0..count).map_while(|_| reply.read_proxy());
            KEPT.lock().unwrap_or_else(PoisonError::into_inner).extend(stubs);
            result
        }
        Operation::LetGo => {
            KEPT.lock().unwrap_or_else(PoisonError::into_inner).clear();
            SUCCESS
        }
        Operation::Hold => proxy.call(service::HOLD, &Parcel::new(), &Parcel::new()),
    }
}

fn pattern(size: usize) -> Vec<u8> {
    let salt = world().me.incarnation as usize;
    (0..size).map(|place| (place * 7 + salt) as u8).collect()
}

fn send_note(partner: &Partner, size: usize, delay: u64) -> c_int {
    let me = world().me;
    let _posting = partner.posting.lock().unwrap_or_else(PoisonError::into_inner);
    let pair = world().board.pair(me.slot, partner.who.slot);
    let number = pair.begun.load(Ordering::SeqCst);
    let outstanding = number - pair.handled().min(number);
    if pair.over.load(Ordering::SeqCst) != 0 || outstanding >= MOST_NOTES {
        return SUCCESS;
    }
    let data = Parcel::new();
    data.write_number(me.slot as u64).write_number(me.incarnation).write_number(number).write_number(delay);
    if size > 0 {
        data.write_bytes(&vec![number as u8; size]);
    }
    pair.begun.store(number + 1, Ordering::SeqCst);
    let result = partner.proxy.post(service::NOTE, &data);
    if result == SUCCESS {
        pair.accepted.store(number + 1, Ordering::SeqCst);
    } else {
        pair.over.store(1, Ordering::SeqCst);
    }
    result
}

fn give_proxy(partner: &Partner, third: usize, involved: &mut Vec<Who>) -> c_int {
    let (data, reply) = (Parcel::new(), Parcel::new());
    data.write_number(third as u64).write_number(1);
    let result = partner.proxy.call(service::GIVE_PROXY, &data, &reply);
    if result != SUCCESS {
        return result;
    }
    let Some(incarnation) = reply.read_number() else { return WRONG };
    let Some(proxy) = reply.read_proxy() else { return WRONG };
    drop(reply);
    crash::if_asked(false);
    involved.push(Who { slot: third, incarnation });
    call_echo(&proxy, b"give")
}

/// The other writes a byte into each pipe, or is dead.
fn send_descriptors(partner: &Partner, count: u64, is_async: bool) -> c_int {
    let (data, reply) = (Parcel::new(), Parcel::new());
    data.write_number(count);
    let mut readers: Vec<PipeReader> = Vec::new();
    for _ in 0..count {
        let Ok((reader, writer)) = std::io::pipe() else { return WRONG };
        data.write_descriptor(writer.as_fd());
        readers.push(reader);
    }
    let result = if is_async {
        partner.proxy.post(service::DESCRIPTORS, &data)
    } else {
        partner.proxy.call(service::DESCRIPTORS, &data, &reply)
    };
    drop(data);
    if result != SUCCESS {
        return result;
    }
    if !is_async && reply.read_descriptor().is_none() {
        fail("a reply lacks its descriptor");
    }
    for mut reader in readers {
        let mut bytes = Vec::new();
        if reader.read_to_end(&mut bytes).is_err() || bytes != b"x" {
            if is_async && world().died_at(partner.who).is_some() {
                return DEAD;
            }
            fail(&format!("a pipe that was sent to {:?} holds {bytes:?}", partner.who));
        }
    }
    result
}

fn add_and_remove(partner: &Partner) -> c_int {
    let told = Arc::<Told>::default();
    let recipient = Recipient::new(&told);
    let added = partner.proxy.add_recipient(&recipient);
    crash::if_asked(false);
    let removed = if added == SUCCESS { partner.proxy.remove_recipient(&recipient) } else { INNER_ERROR };
    drop(recipient);
    let times = u64::from(added == SUCCESS && removed != SUCCESS);
    world().watch(Watch { told, times, what: format!("added for a while to {:?}", partner.who) });
    match (added, removed) {
        (SUCCESS, SUCCESS) => SUCCESS,
        (SUCCESS | INNER_ERROR, INNER_ERROR) => DEAD,
        (SUCCESS, other) | (other, _) => other,
    }
}

impl Operation {
    /// Any of those that a load is made of.
    pub(crate) fn random(random: &mut fastrand::Rng) -> Self {
        const SIZES: [usize; 6] = [0, 4, 60, 1000, 20_000, 200_000];
        let size = SIZES[random.usize(..SIZES.len())];
        let third = random.usize(..SLOTS);
        match random.u32(..20) {
            0..=2 => Self::Echo(size),
            3 => Self::Slow(size),
            4..=6 => Self::Note(size.min(60_000), random.u64(..2) * random.u64(..500)),
            7 | 8 => Self::CallBack(random.u64(..4)),
            9 | 10 => Self::Forward(third),
            11 => Self::ForwardAsync(third),
            12 => Self::GiveStubs(random.u64(1..8)),
            13 | 14 => Self::GiveProxy(third),
            15 => Self::Descriptors(random.u64(..4)),
            16 => Self::DescriptorsAsync(random.u64(1..4)),
            17 => Self::PostBack,
            18 => Self::Watch,
            _ if random.bool() => Self::Describe,
            _ => Self::Unaligned(third),
        }
    }

    /// From a name and numbers, as a script has them: `note/1000/5`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split('/');
        let name = words.next()?;
        let mut number = || words.next().and_then(|word| word.parse::<usize>().ok());
        Some(match name {
            "echo" => Self::Echo(number()?),
            "slow" => Self::Slow(number()?),
            "note" => Self::Note(number()?, number()? as u64),
            "call_back" => Self::CallBack(number()? as u64),
            "forward" => Self::Forward(number()?),
            "forward_async" => Self::ForwardAsync(number()?),
            "give_stubs" => Self::GiveStubs(number()? as u64),
            "give_proxy" => Self::GiveProxy(number()?),
            "descriptors" => Self::Descriptors(number()? as u64),
            "descriptors_async" => Self::DescriptorsAsync(number()? as u64),
            "post_back" => Self::PostBack,
            "watch" => Self::Watch,
            "describe" => Self::Describe,
            "unaligned" => Self::Unaligned(number()?),
            "hold" => Self::Hold,
            "keep" => Self::Keep(number()? as u64),
            "let_go" => Self::LetGo,
            _ => return None,
        })
    }
}

/// The operations by their numbers.
const NAMES: [&str; 17] = [
    "Echo",
    "Slow",
    "Note",
    "CallBack",
    "Forward",
    "ForwardAsync",
    "GiveStubs",
    "GiveProxy",
    "Descriptors",
    "DescriptorsAsync",
    "PostBack",
    "Watch",
    "Describe",
    "Unaligned",
    "Hold",
    "Keep",
    "LetGo",
];

impl Operation {
    /// Which of them it is.
    pub(crate) fn number(self) -> u32 {
        let text = format!("{self:?}");
        let name = text.split('(').next().unwrap_or_default();
        NAMES.iter().position(|known| *known == name).unwrap_or_default() as u32
    }

    /// Its name.
    pub(crate) fn name(number: u32) -> &'static str {
        NAMES.get(number as usize).copied().unwrap_or("?")
    }
}
