// SPDX-License-Identifier: Apache-2.0
//! A call goes out: the parcel becomes a message, the thread waits, the reply becomes a parcel.

use std::io;
use std::sync::Arc;

use super::arrival::{self, Arrival, ArrivalError};
use super::departure::Departure;
use super::process::{Process, StartError};
use super::waiting::Wait;
use super::{identity, threads};
use crate::host::mutation::Mutation;
use crate::object::{Parcel, Peer, Proxy};
use crate::shm::arena::Block;
use crate::shm::layout::{Kind, RecordContent};
use crate::sys::order;
use crate::sys::shortage::Explained;
use crate::sys::thread::nanoseconds;
use crate::transport::wire::Ancestor;
use crate::transport::{CallSlot, Channel, ChannelError, Message, Post, RoomTaken};

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The stub or its process is dead.
    #[error("the stub or its process is dead")]
    Dead,
    /// The process of the stub may live, and could not be connected to.
    #[error(
        "the process of the stub could not be connected to, for want of what the system gives, here or there: the log says of what; once that is mended, receive the object again"
    )]
    Unreachable,
    /// The receiver has no room for the message.
    #[error(
        "process {receiver} has no room for a message of {bytes} bytes: {taken}; what is handled and destroyed there gives room back, and IPCKIT_RECEIVE_BUFFER raises its limit"
    )]
    NoRoom {
        /// What the message takes.
        bytes: usize,
        /// The receiver.
        receiver: u32,
        /// How full it is.
        taken: RoomTaken,
    },
    /// The receiver has room, and the message cannot be sent all the same, before others are done with.
    #[error(
        "the message of {bytes} bytes to process {receiver} was not sent, {error}; when that process goes on there is room again"
    )]
    NoRoomToSend {
        /// What the message takes.
        bytes: usize,
        /// The receiver.
        receiver: u32,
        /// What there is too much of.
        error: ChannelError,
    },
    /// This process has no room for the reply.
    #[error(
        "there is no room here for the reply of process {sender}, of {bytes} bytes: {used} of {limit} bytes are in use here; destroy replies that are not needed any more, or raise the limit with IPCKIT_RECEIVE_BUFFER"
    )]
    NoRoomHere {
        /// What the reply takes.
        bytes: usize,
        /// Who sent it.
        sender: u32,
        /// Bytes in use here.
        used: u64,
        /// How many there may be.
        limit: u64,
    },
    /// This process has no memory for the reply.
    #[error("there is no memory for the reply; raise its limit (ulimit -v), or free some")]
    NoMemory,
    /// The other side did not understand, or was not understood.
    #[error("the message was not understood")]
    Malformed,
    /// An object cannot travel at this place of the data.
    #[error("the object at byte {0} of the data cannot be sent: its place must be a multiple of 4")]
    UnalignedObject(u32),
    /// The runtime could not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Something that the system gives was refused.
    #[error("the message was not sent: {}", Explained(.0))]
    System(io::Error),
}

/// What a handler answered.
pub struct Answer {
    /// What it returned.
    pub code: i32,
    /// What it wrote.
    pub reply: Parcel,
}

/// Sends a request and waits for the answer.
///
/// # Errors
/// Nothing was handled, except where the reply found no room.
pub fn call(proxy: &Proxy, code: u32, data: &Parcel) -> Result<Answer, CallError> {
    let process = Process::current()?;
    let (kind, object) = (Kind::Request, proxy.reference().object);
    let read = if Mutation::DataBehindTheCursorIsSent.is_on() { data.read_position() } else { 0 };
    let message =
        Message { kind, code, object, data: &data.bytes()[read..], objects: &[], ancestors: &[], descriptors: &[] };
    let (content, reply) = exchange(process, proxy, message, data)?;
    Ok(Answer { code: content.code.cast_signed(), reply })
}

/// To be held from before an asynchronous request is sent until just before the sender returns to its own caller: an answer waits for that.
pub fn begin_post(proxy: &Proxy) -> Option<Post<'_>> {
    proxy.peer().wait_for_channel().map(|channel| Post::begin(channel))
}

/// Sends an asynchronous request.
///
/// # Errors
/// It will not be handled.
pub fn post(proxy: &Proxy, code: u32, data: &Parcel) -> Result<(), CallError> {
    let process = Process::current()?;
    let (peer, channel) = connected(proxy)?;
    let departure = Departure::prepare(process, peer, data, Kind::Request)?;
    let message = Message {
        kind: Kind::Request,
        code,
        object: proxy.reference().object,
        data: data.bytes(),
        objects: departure.records(),
        ancestors: &[],
        descriptors: departure.descriptors(),
    };
    let bytes = arrival::room_of(data.bytes().len(), departure.records().len());
    channel.send_async(&message, bytes as u64).map_err(|error| from_channel(error, channel, bytes))?;
    process.lookout.watch(channel);
    drop(departure.went_out());
    Ok(())
}

/// The stub's descriptor. Asked for once, then remembered.
///
/// # Errors
/// It was never asked for, and the stub is dead.
pub fn descriptor(proxy: &Proxy) -> Result<&str, CallError> {
    if let Some(descriptor) = proxy.descriptor().get().filter(|_| !Mutation::DescriptorIsAskedForEachTime.is_on()) {
        return Ok(descriptor);
    }
    let process = Process::current()?;
    let object = proxy.reference().object;
    let message =
        Message { kind: Kind::Descriptor, code: 0, object, data: &[], objects: &[], ancestors: &[], descriptors: &[] };
    let (_, reply) = exchange(process, proxy, message, &Parcel::new())?;
    let text = String::from_utf8(reply.bytes().to_vec()).map_err(|_| CallError::Malformed)?;
    Ok(proxy.descriptor().get_or_init(|| text))
}

fn connected(proxy: &Proxy) -> Result<(&Arc<Peer>, &Arc<Channel>), CallError> {
    let peer = proxy.peer();
    let channel = peer.wait_for_channel().ok_or_else(|| lost(peer))?;
    if peer.is_dead() && Mutation::DeadAreWaitedFor.is_on() {
        std::thread::park();
    }
    if peer.is_dead() || !proxy.wait_for_hold() {
        return Err(lost(peer));
    }
    Ok((peer, channel))
}

#[cold]
fn lost(peer: &Peer) -> CallError {
    if peer.is_unreachable() && !peer.is_inherited() { CallError::Unreachable } else { CallError::Dead }
}

fn no_room(channel: &Channel, bytes: usize, taken: RoomTaken) -> CallError {
    let receiver = if Mutation::RefusalsNameNobody.is_on() { 0 } else { channel.credentials().process };
    let taken = if Mutation::WhatIsOnItsWayIsNotTold.is_on() { RoomTaken { all: 0, ..taken } } else { taken };
    CallError::NoRoom { bytes, receiver, taken }
}

fn from_channel(error: ChannelError, channel: &Channel, bytes: usize) -> CallError {
    match error {
        ChannelError::Dead => CallError::Dead,
        ChannelError::ReceiverFull(taken) => no_room(channel, bytes, taken),
        ChannelError::System(error) => CallError::System(error),
        error @ (ChannelError::RingFull
        | ChannelError::ArenaFull(_)
        | ChannelError::NoCallSlot
        | ChannelError::ImpossibleCall) => {
            CallError::NoRoomToSend { bytes, receiver: channel.credentials().process, error }
        }
    }
}

/// A call slot in use, given back at the end, with the block that the request lies in.
struct Underway<'a> {
    process: &'static Process,
    peer: &'a Arc<Peer>,
    channel: &'a Channel,
    slot: Option<CallSlot>,
    block: Option<Block>,
    long_reply: bool,
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            self.channel.finish_call(slot, self.block.take(), self.long_reply);
            if self.channel.is_dead() {
                self.process.settle(self.peer);
            }
        }
    }
}

fn exchange(
    process: &'static Process,
    proxy: &Proxy,
    message: Message<'_>,
    data: &Parcel,
) -> Result<(RecordContent, Parcel), CallError> {
    let connected = connected(proxy);
    if Mutation::DescriptorsForTheDeadStayOpen.is_on() && connected.is_err() {
        std::mem::forget(data.objects().map(|(_, object)| object.duplicate()).collect::<Vec<_>>());
    }
    let (peer, channel) = connected?;
    let bytes = arrival::room_of(data.bytes().len(), 0);
    let is_nested = identity::is_handling() || Mutation::ChainsAreOfProcesses.is_on();
    let (target, ancestors) = if is_nested { chain_to(process, peer) } else { (None, Vec::new()) };
    let departure = Departure::prepare(process, peer, data, Kind::Request)?;
    let thread = threads::this_thread(process);
    let mut underway = Underway { process, peer, channel, slot: None, block: None, long_reply: false };
    // A thread within a chain of calls must not wait for a slot: those who hold them may wait for it.
    let may_wait = !is_nested && !Mutation::CallersDoNotQueue.is_on();
    let slot = channel.acquire_slot(thread.token(), may_wait).map_err(|error| from_channel(error, channel, bytes))?;
    let slot = underway.slot.insert(slot);
    let message = Message {
        objects: departure.records(),
        descriptors: departure.descriptors(),
        ancestors: &ancestors,
        ..message
    };
    let now = nanoseconds();
    let mut wait = Wait::begin(process, (peer, channel), slot, &thread, (now, target.is_none()));
    underway.block = channel
        .publish_request(slot, (thread.token(), target), now, &message)
        .map_err(|error| from_channel(error, channel, bytes))?;
    let content = wait.for_reply();
    drop(wait);
    underway.long_reply = content.is_some_and(|content| !content.has_short_body());
    order::received();
    let kind = content.and_then(|content| Kind::from_number(content.kind));
    if !matches!(kind, None | Some(Kind::NoStub | Kind::NoRoom | Kind::Malformed)) {
        drop(departure.went_out());
    }
    let result = match (content, kind) {
        (Some(content), Some(Kind::Reply)) => take_reply(process, peer, channel, &content),
        (None, _) if Mutation::WokenCallsGetAnotherCode.is_on() => Err(CallError::Malformed),
        (None, _) => Err(lost(peer)),
        (_, Some(Kind::NoStub)) => Err(CallError::Dead),
        (_, Some(Kind::NoRoom)) => Err(no_room(channel, bytes, channel.peer_room())),
        _ => Err(CallError::Malformed),
    };
    drop(underway);
    if content.is_some_and(|content| content.objects > 0) {
        process.let_go(peer.take_back_due());
    }
    result
}

fn take_reply(
    process: &'static Process,
    peer: &Arc<Peer>,
    channel: &Arc<Channel>,
    content: &RecordContent,
) -> Result<(RecordContent, Parcel), CallError> {
    if content.data_len == 0 {
        if Mutation::EmptyRepliesAreReadOnly.is_on()
            && let Ok(parcel) = Parcel::received(Vec::new(), Vec::new(), None)
        {
            return Ok((*content, parcel));
        }
        return Ok((*content, Parcel::new()));
    }
    let bytes = arrival::room_of(content.data_len as usize, content.objects.into());
    let bytes = if Mutation::RepliesTakeNoRoom.is_on() { 0 } else { bytes };
    let Some(room) = process.room.reserve(bytes) else {
        arrival::discard(process, peer, channel, content);
        let (sender, used, limit) = (channel.credentials().process, process.room.used(), process.room.limit());
        let sender = if Mutation::RefusedRepliesNameNobody.is_on() { 0 } else { sender };
        return Err(CallError::NoRoomHere { bytes, sender, used, limit });
    };
    let arrival = arrival::take(process, peer, channel, content, Some(room), true);
    let Arrival { parcel, .. } = arrival.map_err(|error| match error {
        ArrivalError::NoMemory => CallError::NoMemory,
        // It died when it had answered: what came with the answer has gone with it.
        ArrivalError::NoDescriptors if channel.is_over() => CallError::Dead,
        ArrivalError::Malformed | ArrivalError::NoDescriptors => CallError::Malformed,
    })?;
    Ok((*content, parcel))
}

/// The thread of the peer's that waits in this thread's chain of calls, and the chain as the peer is to know it.
fn chain_to(process: &Process, peer: &Peer) -> (Option<u64>, Vec<Ancestor>) {
    if Mutation::RequestsBackGoToThePool.is_on() {
        return (None, Vec::new());
    }
    let target = identity::waiting_thread_of(peer.address());
    let mut ancestors = identity::chain();
    ancestors.retain(|ancestor| {
        !Mutation::OnlyTheDirectCallerIsKnown.is_on()
            && ancestor.address != peer.address()
            && ancestor.address != process.own.address
    });
    (target, ancestors)
}
