// SPDX-License-Identifier: Apache-2.0
//! A request comes in: it is checked, handled, answered.

use std::collections::VecDeque;
use std::ptr::NonNull;
use std::sync::Arc;

use super::arrival::{self, Arrival, ArrivalError};
use super::departure::Departure;
use super::identity::{self, Chain};
use super::process::Process;
use super::worker;
use super::worker_pool::Job;
use crate::host::mutation::Mutation;
use crate::object::{AsyncCharge, AsyncMessage, Parcel, Peer, Proxy, Stub};
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
            channel.prepare_reply(request, &Message { data, ..bare(Kind::Reply) }).map(alone)
        }
        (Some(stub), Some(Kind::Request | Kind::Descriptor)) => {
            stub.prefetch_handler();
            match reserve(process, channel, request) {
                Some(room) => handle(process, peer, channel, request, stub, room),
                None => refuse(channel, request, Kind::NoRoom),
            }
        }
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
        lost(channel, request)
    });
    if let Ok((reply, mut going_home)) = prepared {
        before_answer();
        if Mutation::RepliesDoNotHoldWhatGoesHome.is_on() {
            going_home.clear();
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        channel.publish_reply(&reply);
        // Their shares may be given back now, and not before: what the peer gets them back after is there.
        drop(going_home);
    }
}

/// A reply, and the proxies of its receiver's own stubs that it carries.
type Prepared = (PreparedReply, Vec<Arc<Proxy>>);

fn alone(reply: PreparedReply) -> Prepared {
    (reply, Vec::new())
}

/// Refuses a request of which nothing was taken: its sender keeps what it would have passed on.
fn refuse(channel: &Channel, request: &RecordContent, kind: Kind) -> Result<Prepared, ChannelError> {
    arrival::refuse_descriptors(channel, request);
    channel.prepare_reply(request, &bare(kind)).map(alone)
}

/// Answers a request whose objects were taken, and of which nothing else came.
fn lost(channel: &Channel, request: &RecordContent) -> Result<Prepared, ChannelError> {
    channel.prepare_reply(request, &bare(Kind::Lost)).map(alone)
}

/// Bytes of asynchronous messages that were sent here, and have their room, but were not taken in yet.
fn async_on_the_way(process: &Process) -> u64 {
    let peers = process.connections.connected();
    let waiting: u64 = peers.iter().filter_map(|peer| peer.channel()).map(|channel| channel.async_waiting()).sum();
    // However much peers say that they have sent, the other half is not theirs.
    let in_use = process.own.status.async_in_use().load(Ordering::Acquire);
    waiting.min(process.room.most_async().saturating_sub(in_use))
}

fn reserve(process: &'static Process, channel: &Channel, request: &RecordContent) -> Option<Reservation> {
    let bytes = arrival::room_of(request.data_len as usize, request.objects.into());
    let room = if process.room.may_be_short_of(bytes) {
        // While the gate is held, a message is either on its way or in use, not both.
        let gate = process.own.async_gate.lock();
        let room = process.room.reserve_beside(bytes, async_on_the_way(process));
        drop(gate);
        announce_async_left(process);
        worker::see_to_announced(process);
        room
    } else {
        process.room.reserve(bytes)
    };
    if room.is_none() {
        ipckit_log::warn_once_a_second(format_args!(
            "no room for a request of {bytes} bytes from process {}: {} of {} bytes are in use here",
            channel.credentials().process,
            process.room.used(),
            process.room.limit()
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
) -> Result<Prepared, ChannelError> {
    let Arrival { parcel: mut data, ancestors: before } =
        match arrival::take(process, peer, channel, request, Some(room), false) {
            Ok(arrival) => arrival,
            Err(error) => {
                // A dead caller waits for nothing.
                if !channel.is_over() {
                    ipckit_log::error_once_a_second(format_args!(
                        "a request of process {} is lost: {error}",
                        channel.credentials().process
                    ));
                }
                return lost(channel, request);
            }
        };
    let chain = Chain { before, caller: Some(Ancestor { address: peer.address(), thread: request.caller }) };
    let mut reply = Parcel::new();
    channel.wait_for_senders();
    order::received();
    let code = identity::handle_for(Peer::caller(channel, false), chain, || {
        stub.handle(request.code, NonNull::from(&mut data), NonNull::from(&mut reply))
    });
    // Before the caller goes on: it may count what this process still holds.
    drop(data);
    let departure = match Departure::prepare(process, peer, &reply, Kind::Reply) {
        Ok(departure) => departure,
        Err(error) => {
            ipckit_log::error_once_a_second(format_args!("a reply cannot be sent: {error}"));
            return lost(channel, request);
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
        objects: departure.records(),
        ancestors: &[],
        descriptors: departure.descriptors(),
    };
    let prepared = channel.prepare_reply(request, &message)?;
    Ok((prepared, departure.went_out()))
}

/// Takes at most `most` asynchronous messages in, of all peers, and queues them at their stubs in the order in which they were sent, unless
/// another thread is at it. Returns the stubs whose queues nobody handles. While one thread is at it, others see nothing, and who is called
/// for what comes meanwhile goes away again: so what is left, of whatever peer, is announced anew.
pub(super) fn take_async_in(process: &'static Process, most: usize) -> Vec<Arc<Stub>> {
    let mut queues = Queues::default();
    if let Some(_gate) = process.own.async_gate.try_lock() {
        let peers = process.connections.connected();
        let mut last: Option<&Arc<Peer>> = None;
        for _ in 0..most {
            let Some((peer, channel, content)) = oldest_async(&peers) else { break };
            if let Some(last) = last.filter(|last| !Arc::ptr_eq(last, peer)) {
                queues.unused.extend(last.take_back_due());
            }
            last = Some(peer);
            queues.take(process, peer, channel, &content);
        }
        // Now that messages that counted on it have been taken in.
        queues.unused.extend(last.into_iter().flat_map(|last| last.take_back_due()));
    }
    announce_async_left(process);
    // Nearly always somebody else holds them too, and nothing ends with them here.
    queues.forget_stub();
    queues.unused.retain(|stub| Arc::strong_count(stub) == 1);
    process.let_go(queues.unused);
    queues.runnable
}

/// After the gate was held: announces anew what has come meanwhile. The caller is to see to it that somebody comes.
fn announce_async_left(process: &Process) {
    // Who saw the gate held, and went away, has seen its message before this.
    fence(Ordering::SeqCst);
    process.connections.set_async_pending(&process.own.doorbells);
}

/// The message, of those that are next, that was sent first. One that another one was a consequence of is seen once that one is: so
/// what is found is found twice.
fn oldest_async(peers: &[Arc<Peer>]) -> Option<(&Arc<Peer>, &Arc<Channel>, RecordContent)> {
    let oldest = || {
        let channels = peers.iter().filter_map(|peer| Some((peer, peer.channel()?)));
        let next = channels.filter_map(|(peer, channel)| Some((peer, channel, channel.next_async()?)));
        next.min_by_key(|(_, channel, content)| channel.async_time(content))
    };
    let mut found = oldest()?;
    if peers.len() > 1 {
        while let Some(again) = oldest().filter(|again| again.1.async_time(&again.2) < found.1.async_time(&found.2)) {
            found = again;
        }
    }
    Some(found)
}

fn report_loss(channel: &Channel, error: ArrivalError) {
    ipckit_log::error_once_a_second(format_args!(
        "a message of process {} is lost: {error}",
        channel.credentials().process
    ));
}

/// What asynchronous messages were queued at.
#[derive(Default)]
struct Queues {
    /// Stubs whose queues nobody handles.
    runnable: Vec<Arc<Stub>>,
    /// What may be the last reference to a stub: its end may run the user's code.
    unused: Vec<Arc<Stub>>,
    /// Whose message, to which of its objects, was the last, and the stub: the next one is likely to be for the same.
    last: Option<(u16, u64, Arc<Stub>)>,
}

impl Queues {
    /// Takes in what is next in the ring, which was copied.
    fn take(&mut self, process: &'static Process, peer: &Arc<Peer>, channel: &Arc<Channel>, content: &RecordContent) {
        let bytes = arrival::room_of(content.data_len as usize, content.objects.into());
        if channel.is_malformed(content) || !channel.may_have_async(bytes as u64) {
            // What it says of its size is not to be believed.
            channel.note_async_taken();
            return report_loss(channel, ArrivalError::Malformed);
        }
        let parcel = self.read(process, peer, channel, content);
        // What is left of the message in the segment has been copied too.
        channel.note_async_taken();
        let charge = AsyncCharge::new(channel, process.room, bytes);
        let (Some(data), Some((.., stub))) = (parcel, &self.last) else { return };
        let message = AsyncMessage { code: content.code, data, caller: Peer::caller(channel, true), charge };
        if stub.queue_async(message) {
            self.runnable.push(Arc::clone(stub));
        }
    }

    /// The data, with the stub in `last`; `None` where it cannot be had, or the sender holds no reference to the stub.
    fn read(
        &mut self,
        process: &'static Process,
        peer: &Arc<Peer>,
        channel: &Arc<Channel>,
        content: &RecordContent,
    ) -> Option<Parcel> {
        if self.last.as_ref().is_none_or(|last| (last.0, last.1) != (channel.number(), content.object)) {
            self.forget_stub();
            self.last = peer.granted(content.object).map(|stub| (channel.number(), content.object, stub));
        }
        if self.last.is_none() {
            ipckit_log::warn_once_a_second(format_args!(
                "process {} sent a message to an object that it holds no reference to",
                channel.credentials().process
            ));
            arrival::discard(process, peer, channel, content);
            return None;
        }
        match arrival::take(process, peer, channel, content, None, false) {
            Ok(Arrival { parcel, .. }) => Some(parcel),
            Err(error) => {
                report_loss(channel, error);
                None
            }
        }
    }

    fn forget_stub(&mut self) {
        self.unused.extend(self.last.take().map(|(.., stub)| stub));
    }
}

/// Handles the asynchronous messages of a stub until there are none, or `is_over` says after one of them that this thread has to do
/// something else. `true` where there are more, which somebody is to go on with.
pub(super) fn handle_async(process: &'static Process, stub: &Arc<Stub>, is_over: impl Fn() -> bool) -> bool {
    let _handling = process.note_handling();
    let mut messages = VecDeque::new();
    while stub.next_async(&mut messages) {
        while let Some(AsyncMessage { code, mut data, caller, charge }) = messages.pop_front() {
            let _alone = Mutation::AsyncIsHandledOneByOne.is_on().then(|| process.own.async_gate.lock());
            if Mutation::MessagesOfTheDeadAreLost.is_on() && charge.channel().is_dead() {
                continue;
            }
            let mut reply = Parcel::new();
            charge.channel().wait_for_senders();
            order::received();
            // What the handler returns or writes to the reply goes nowhere.
            let result = identity::handle_for(caller, Chain::default(), || {
                stub.handle(code, NonNull::from(&mut data), NonNull::from(&mut reply))
            });
            if result != 0 && Mutation::AsyncErrorsEndTheQueue.is_on() {
                return false;
            }
            drop((data, charge));
            if Mutation::AsyncRepliesAreKept.is_on() {
                std::mem::forget(reply);
            }
            if is_over() {
                return stub.leave_async(messages);
            }
        }
    }
    false
}

/// Handles what a peer had sent before it died, and takes back what it held. `true` where there was a request.
pub(super) fn drain(process: &'static Process, peer: &Arc<Peer>) -> bool {
    let mut had_request = false;
    let mut queues = Queues::default();
    if let Some(channel) = peer.channel() {
        // What it had sent on the socket belongs to what is in its segment.
        channel.wait_for_end();
        let gate = process.own.async_gate.lock();
        for _ in 0..ASYNC_ENTRIES {
            let Some(content) = channel.last_async() else { break };
            if Mutation::MessagesOfTheDeadAreLost.is_on() {
                channel.note_async_taken();
                continue;
            }
            queues.take(process, peer, channel, &content);
        }
        drop(gate);
        announce_async_left(process);
        worker::see_to_announced(process);
        queues.forget_stub();
        for _ in 0..CALL_SLOTS {
            let Some(request) = channel.take_request() else { break };
            had_request = true;
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
    peer.note_drained();
    process.settle(peer);
    had_request
}
