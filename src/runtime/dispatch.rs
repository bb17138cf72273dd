// SPDX-License-Identifier: Apache-2.0
//! A request comes in: it is checked, handled, answered.

use std::ptr::NonNull;
use std::sync::Arc;

use super::arrival::{self, Arrival};
use super::departure::Departure;
use super::process::Process;
use super::worker_pool::Job;
use super::{identity, worker};
use crate::host::mutation::Mutation;
use crate::object::{AsyncCharge, AsyncMessage, Parcel, Peer, Stub};
use crate::shm::atomics::{Ordering, fence};
use crate::shm::layout::{ASYNC_ENTRIES, CALL_SLOTS, Kind, RecordContent};
use crate::sys::order;
use crate::transport::room::Reservation;
use crate::transport::wire::Ancestor;
use crate::transport::{Channel, ChannelError, Message, PreparedReply};

/// An answer without data.
fn bare(kind: Kind) -> Message<'static> {
    Message { kind, code: 0, object: 0, data: &[], objects: &[], ancestors: &[], descriptors: &[] }
}

/// Handles a synchronous request and answers it. `before_answer` runs when all that is left is to tell the caller.
pub(super) fn handle_request(
    process: &'static Process,
    peer: &Arc<Peer>,
    request: &RecordContent,
    before_answer: impl FnOnce(),
) {
    let Some(channel) = peer.channel() else { return };
    while process.is_handling() && Mutation::RequestsAreHandledOneByOne.is_on() {
        std::thread::yield_now();
    }
    let _handling = process.note_handling();
    let prepared = match (peer.granted(request.object), Kind::from_number(request.kind)) {
        (None, _) => {
            ipckit_log::warn_once_a_second(format_args!(
                "process {} called an object that it holds no reference to",
                channel.credentials().process
            ));
            refuse(channel, request, Kind::NoStub)
        }
        (Some(stub), Some(Kind::Descriptor)) if !Mutation::HandlersSeeDescriptorQuestions.is_on() => {
            let data = stub.descriptor().as_bytes();
            channel.prepare_reply(request, &Message { data, ..bare(Kind::Reply) })
        }
        (Some(stub), Some(Kind::Request | Kind::Descriptor)) => match reserve(process, channel, request) {
            Some(room) => handle(process, peer, channel, request, stub, room),
            None => refuse(channel, request, Kind::NoRoom),
        },
        (Some(_), _) => {
            ipckit_log::warn_once_a_second(format_args!(
                "process {} sent what is no request, of kind {}",
                channel.credentials().process,
                request.kind
            ));
            refuse(channel, request, Kind::Malformed)
        }
    };
    // A reply that cannot be laid out is answered by one that needs no room.
    let prepared = prepared.or_else(|error| {
        ipckit_log::error_once_a_second(format_args!(
            "a reply to process {} cannot be sent: {error}",
            channel.credentials().process
        ));
        channel.prepare_reply(request, &bare(Kind::Lost))
    });
    if let Ok(reply) = prepared {
        before_answer();
        channel.publish_reply(&reply);
    }
}

/// Refuses a request of which nothing was taken: its sender keeps what it would have passed on.
fn refuse(channel: &Channel, request: &RecordContent, kind: Kind) -> Result<PreparedReply, ChannelError> {
    arrival::refuse_descriptors(channel, request);
    channel.prepare_reply(request, &bare(kind))
}

/// Bytes of asynchronous messages that were sent here, and have their room, but were not taken in yet.
fn async_on_the_way(process: &Process) -> u64 {
    let peers = process.connections.connected();
    peers.iter().filter_map(|peer| peer.channel()).map(|channel| channel.async_waiting()).sum()
}

fn reserve(process: &'static Process, channel: &Channel, request: &RecordContent) -> Option<Reservation> {
    let bytes = arrival::room_of(request.data_len as usize, request.objects.into());
    let room = if process.room.may_be_short_of(bytes) {
        // While the gate is held, a message is either on its way or in use, not both.
        let gate = process.own.async_gate.lock();
        let room = process.room.reserve_beside(bytes, async_on_the_way(process));
        drop(gate);
        if mark_missed(process) {
            worker::see_to_work(process);
        }
        room
    } else {
        process.room.reserve(bytes)
    };
    if room.is_none() {
        ipckit_log::warn_once_a_second(format_args!(
            "no room for a request of {bytes} bytes from process {}: {} bytes are in use here",
            channel.credentials().process,
            process.room.used()
        ));
    }
    room
}

fn handle(
    process: &'static Process,
    peer: &Arc<Peer>,
    channel: &Arc<Channel>,
    request: &RecordContent,
    stub: Arc<Stub>,
    room: Reservation,
) -> Result<PreparedReply, ChannelError> {
    let Arrival { parcel: mut data, ancestors: mut chain } =
        match arrival::take(process, peer, channel, request, Some(room)) {
            Ok(arrival) => arrival,
            Err(error) => {
                ipckit_log::error_once_a_second(format_args!(
                    "a request of process {} is lost: {error}",
                    channel.credentials().process
                ));
                return channel.prepare_reply(request, &bare(Kind::Lost));
            }
        };
    chain.push(Ancestor { address: peer.address(), thread: request.caller });
    let mut reply = Parcel::new();
    channel.wait_for_senders();
    order::received();
    let code = identity::handle_for(Peer::caller(channel, false), chain, || {
        stub.handle(request.code, NonNull::from(&mut data), NonNull::from(&mut reply))
    });
    // Before the caller goes on: it may count what this process still holds.
    drop(data);
    let departure = match Departure::prepare(process, peer, &reply) {
        Ok(departure) => departure,
        Err(error) => {
            ipckit_log::error_once_a_second(format_args!("a reply cannot be sent: {error}"));
            return channel.prepare_reply(request, &bare(Kind::Lost));
        }
    };
    let message = Message {
        kind: Kind::Reply,
        code: code.cast_unsigned(),
        object: 0,
        data: if Mutation::RepliesLackTheirBegin.is_on() {
            &reply.bytes()[reply.read_position()..]
        } else {
            reply.bytes()
        },
        objects: &departure.records,
        ancestors: &[],
        descriptors: &departure.descriptors,
    };
    let prepared = channel.prepare_reply(request, &message)?;
    departure.went_out();
    Ok(prepared)
}

/// Takes at most `most` asynchronous messages in, of all peers, and queues them at their stubs in the order in which they were sent, unless
/// another thread is at it. Returns the stubs whose queues nobody handles. The caller sees to the rest afterwards.
pub(super) fn take_async_in(process: &'static Process, most: usize) -> Vec<Arc<Stub>> {
    let mut queues = Queues::default();
    if let Some(_gate) = process.own.async_gate.try_lock() {
        let peers = process.connections.connected();
        for _ in 0..most {
            let Some((peer, channel)) = oldest_async(&peers) else { break };
            channel.take_async(
                |content| read_async(process, peer, channel, content),
                |message| queues.accept(process, channel, message),
            );
            queues.unused.extend(peer.take_back_due());
        }
    }
    mark_missed(process);
    if !queues.unused.is_empty() {
        process.give_job(Job::Drop(Box::new(queues.unused)));
    }
    queues.runnable
}

/// Says again which peers have sent asynchronous messages, after [`Own::async_gate`] was held: meanwhile others see none, and whoever was
/// woken for one has looked away. `false` where there are none.
///
/// [`Own::async_gate`]: crate::transport::Own::async_gate
fn mark_missed(process: &Process) -> bool {
    fence(Ordering::SeqCst);
    process.connections.mark_async(&process.own.doorbells)
}

/// Whose next asynchronous message was sent first. A message that another one was a consequence of is seen once that one is: so what
/// is found is found twice.
fn oldest_async(peers: &[Arc<Peer>]) -> Option<(&Arc<Peer>, &Arc<Channel>)> {
    let oldest = || {
        let channels = peers.iter().filter_map(|peer| Some((peer, peer.channel()?)));
        let times = channels.filter_map(|(peer, channel)| Some((channel.next_async_time()?, peer, channel)));
        times.min_by_key(|(time, ..)| *time)
    };
    let mut found = oldest()?;
    if peers.len() > 1 {
        while let Some(again) = oldest().filter(|again| again.0 < found.0) {
            found = again;
        }
    }
    Some((found.1, found.2))
}

/// An asynchronous message, copied out of the peer's segment, with the bytes it takes.
type ReadAsync = (usize, Option<(Arc<Stub>, u32, Parcel)>);

fn read_async(
    process: &'static Process,
    peer: &Arc<Peer>,
    channel: &Arc<Channel>,
    content: &RecordContent,
) -> ReadAsync {
    let bytes = arrival::room_of(content.data_len as usize, content.objects.into());
    let Some(stub) = peer.granted(content.object) else {
        ipckit_log::warn_once_a_second(format_args!(
            "process {} sent a message to an object that it holds no reference to",
            channel.credentials().process
        ));
        arrival::discard(process, peer, channel, content);
        return (bytes, None);
    };
    match arrival::take(process, peer, channel, content, None) {
        Ok(Arrival { parcel, .. }) => (bytes, Some((stub, content.code, parcel))),
        Err(error) => {
            ipckit_log::error_once_a_second(format_args!(
                "a message of process {} is lost: {error}",
                channel.credentials().process
            ));
            process.give_job(Job::Drop(Box::new(stub)));
            (bytes, None)
        }
    }
}

/// What asynchronous messages were queued at.
#[derive(Default)]
struct Queues {
    /// Stubs whose queues nobody handles.
    runnable: Vec<Arc<Stub>>,
    /// What may be the last reference to a stub: its end may run the user's code.
    unused: Vec<Arc<Stub>>,
}

impl Queues {
    fn accept(&mut self, process: &Process, channel: &Arc<Channel>, (bytes, message): ReadAsync) {
        let charge = AsyncCharge::new(channel, &process.room, bytes);
        let Some((stub, code, data)) = message else { return };
        let message = AsyncMessage { code, data, caller: Peer::caller(channel, true), charge };
        if stub.queue_async(message) { &mut self.runnable } else { &mut self.unused }.push(stub);
    }
}

/// Handles the asynchronous messages of a stub, until there are none.
pub(super) fn handle_async(process: &'static Process, stub: &Arc<Stub>) {
    while let Some(AsyncMessage { code, mut data, caller, charge }) = stub.next_async() {
        let _alone = Mutation::AsyncIsHandledOneByOne.is_on().then(|| process.own.async_gate.lock());
        let _handling = process.note_handling();
        let mut reply = Parcel::new();
        charge.channel().wait_for_senders();
        order::received();
        // What the handler returns or writes to the reply goes nowhere.
        let result = identity::handle_for(caller, Vec::new(), || {
            stub.handle(code, NonNull::from(&mut data), NonNull::from(&mut reply))
        });
        if result != 0 && Mutation::AsyncErrorsEndTheQueue.is_on() {
            return;
        }
        drop((data, charge));
        if Mutation::AsyncRepliesAreKept.is_on() {
            std::mem::forget(reply);
        }
    }
}

/// Handles what a peer had sent before it died, and takes back what it held.
pub(super) fn drain(process: &'static Process, peer: &Arc<Peer>) {
    let mut queues = Queues::default();
    if let Some(channel) = peer.channel() {
        let gate = process.own.async_gate.lock();
        for _ in 0..ASYNC_ENTRIES {
            let taken = channel.take_async(
                |content| read_async(process, peer, channel, content),
                |message| queues.accept(process, channel, message),
            );
            if !taken {
                break;
            }
        }
        drop(gate);
        if mark_missed(process) {
            worker::see_to_work(process);
        }
        for _ in 0..CALL_SLOTS {
            let Some(request) = channel.take_request() else { break };
            handle_request(process, peer, &request, || {});
        }
        channel.close_descriptors();
    }
    if !Mutation::TheDeadKeepTheirShares.is_on() {
        queues.unused.extend(peer.close_grants());
    }
    for stub in queues.runnable {
        process.give_job(Job::Stub(stub));
    }
    drop(queues.unused);
}
