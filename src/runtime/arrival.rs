// SPDX-License-Identifier: Apache-2.0
//! A parcel arrives: what the objects of a message become in this process.

use std::sync::Arc;

use super::connections;
use super::process::Process;
use super::worker_pool::Job;
use crate::host::mutation::Mutation;
use crate::object::{Parcel, Peer, RemoteObject, Way};
use crate::parcel::{self, Object, Placed, RemoteKind};
use crate::shm::layout::RecordContent;
use crate::shm::segment::Unreadable;
use crate::transport::Channel;
use crate::transport::room::Reservation;
use crate::transport::wire::{Address, Ancestor, ObjectContent, ObjectRecord, Reference, descriptors_of};

/// Why a message could not be taken. Its objects have been taken all the same, and let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum ArrivalError {
    /// It makes no sense.
    #[error("the message makes no sense")]
    Malformed,
    /// Its descriptors did not come: their sender died, or this process has no room for more open files.
    #[error("its file descriptors did not arrive; if open files are short, raise their limit (ulimit -n)")]
    NoDescriptors,
    /// There is no memory for it.
    #[error("there is no memory for it; raise its limit (ulimit -v), or free some")]
    NoMemory,
}

impl From<Unreadable> for ArrivalError {
    fn from(error: Unreadable) -> Self {
        match error {
            Unreadable::OutOfBounds => Self::Malformed,
            Unreadable::NoMemory => Self::NoMemory,
        }
    }
}

/// A message, taken out of the peer's segment.
pub(super) struct Arrival {
    /// The parcel.
    pub(super) parcel: Parcel,
    /// The chain of calls before the sender.
    pub(super) ancestors: Vec<Ancestor>,
}

/// Bytes that a message takes of the receiver's room.
pub(super) fn room_of(data_len: usize, objects: usize) -> usize {
    data_len.next_multiple_of(8).max(8) + objects * 8 + if Mutation::MessagesTakeMoreRoom.is_on() { 64 } else { 0 }
}

/// Takes a message's data and objects, with the room that is held until the parcel goes.
pub(super) fn take(
    process: &'static Process,
    peer: &Arc<Peer>,
    channel: &Arc<Channel>,
    content: &RecordContent,
    room: Option<Reservation>,
    is_reply: bool,
) -> Result<Arrival, ArrivalError> {
    if content.objects == 0 && content.ancestors == 0 {
        return arrived(channel.read_data(content)?, Vec::new(), Vec::new(), room);
    }
    let (records, ancestors) = channel.read_tail(content).ok_or(ArrivalError::Malformed)?;
    let offsets = records.iter().map(|record| record.offset);
    if let Err(error) = parcel::check_places(offsets, content.data_len as usize) {
        ipckit_log::debug(format_args!("process {}: {error}", channel.credentials().process));
        refuse_descriptors_of(channel, &records);
        return Err(ArrivalError::Malformed);
    }
    let (objects, incomplete) = take_objects(process, peer, channel, &records, is_reply);
    let data = channel.read_data(content).map_err(ArrivalError::from);
    let data = match incomplete.map_or(data, Err) {
        Ok(data) => data,
        Err(error) => {
            // Their end may run the user's code, which is not to run here.
            process.give_job(Job::Drop(Box::new(objects)));
            return Err(error);
        }
    };
    arrived(data, objects, ancestors, room)
}

#[inline]
fn arrived(
    mut data: Vec<u8>,
    mut objects: Vec<Placed<RemoteObject>>,
    ancestors: Vec<Ancestor>,
    room: Option<Reservation>,
) -> Result<Arrival, ArrivalError> {
    mutate(&mut data, &mut objects);
    if Mutation::ReceivedParcelsTakeWrites.is_on() && objects.is_empty() {
        let mut parcel = Parcel::new();
        let _ = parcel.write_buffer(&data);
        return Ok(Arrival { parcel, ancestors });
    }
    let parcel = Parcel::received(data, objects, room).map_err(|_| ArrivalError::Malformed)?;
    Ok(Arrival { parcel, ancestors })
}

/// What mutations make of a message.
fn mutate(data: &mut Vec<u8>, objects: &mut Vec<Placed<RemoteObject>>) {
    if data.is_empty() && Mutation::EmptyDataIsPadded.is_on() {
        data.resize(4, 0);
    }
    if Mutation::OddSizesArePadded.is_on() {
        data.resize(data.len().next_multiple_of(4), 0);
    }
    if Mutation::LongDataIsCut.is_on() && objects.is_empty() {
        data.truncate(64 * 1024);
    }
    if Mutation::ManyObjectsAreLost.is_on() {
        objects.truncate(500);
    }
    if Mutation::ReceivedObjectsStayHeld.is_on() {
        std::mem::forget(objects.iter().map(|placed| placed.object.duplicate()).collect::<Vec<_>>());
    }
}

/// Takes a message's objects and lets them go: the message is refused, and its sender counts on their being taken.
pub(super) fn discard(process: &'static Process, peer: &Arc<Peer>, channel: &Arc<Channel>, content: &RecordContent) {
    let Some((records, _)) = channel.read_tail(content) else { return };
    refuse_descriptors_of(channel, &records);
    let objects: Vec<_> = records
        .iter()
        .filter_map(|record| match record.content {
            ObjectContent::Remote { reference, kept, .. } => take_reference(process, peer, reference, kept),
            ObjectContent::FileDescriptor => None,
        })
        .collect();
    if !objects.is_empty() {
        process.give_job(Job::Drop(Box::new(objects)));
    }
}

/// Leaves a message's objects with its sender, but for the descriptors, which are sent ahead and are closed.
pub(super) fn refuse_descriptors(channel: &Channel, content: &RecordContent) {
    if let Some((records, _)) = channel.read_tail(content) {
        refuse_descriptors_of(channel, &records);
    }
}

fn refuse_descriptors_of(channel: &Channel, records: &[ObjectRecord]) {
    if let Some((transfer, count)) = descriptors_of(records).filter(|_| !Mutation::RefusedDescriptorsAreKept.is_on()) {
        channel.refuse_descriptors(transfer, count);
    }
}

/// Takes the objects, and says why not all of them could be. What follows a failure is taken all the same: the sender has counted it.
fn take_objects(
    process: &'static Process,
    peer: &Arc<Peer>,
    channel: &Arc<Channel>,
    records: &[ObjectRecord],
    is_reply: bool,
) -> (Vec<Placed<RemoteObject>>, Option<ArrivalError>) {
    let descriptors = descriptors_of(records)
        .map(|(transfer, count)| (transfer, count, channel.take_descriptors(transfer, count, is_reply)));
    let mut objects = Vec::with_capacity(records.len());
    let mut incomplete = None;
    let mut descriptors = match descriptors {
        None => Vec::new(),
        Some((_, _, Some(descriptors))) if Mutation::DescriptorsAreMixedUp.is_on() => {
            descriptors.into_iter().rev().collect()
        }
        Some((_, _, Some(descriptors))) if Mutation::ReceivedDescriptorsStayOpen.is_on() => {
            std::mem::forget(descriptors.iter().map(|fd| fd.try_clone()).collect::<Vec<_>>());
            descriptors
        }
        Some((_, _, Some(descriptors))) => descriptors,
        Some((transfer, count, None)) => {
            channel.refuse_descriptors(transfer, count);
            incomplete = Some(ArrivalError::NoDescriptors);
            Vec::new()
        }
    }
    .into_iter();
    for record in records {
        let object = match record.content {
            ObjectContent::FileDescriptor => {
                descriptors.next().map(Object::FileDescriptor).ok_or(ArrivalError::NoDescriptors)
            }
            ObjectContent::Remote { reference, as_stub, kept } => {
                let written_as = if as_stub { RemoteKind::Stub } else { RemoteKind::Proxy };
                take_reference(process, peer, reference, kept)
                    .map(|object| Object::Remote { written_as, object })
                    .ok_or(ArrivalError::Malformed)
            }
        };
        match object {
            Ok(object) => objects.push(Placed { offset: record.offset, object }),
            Err(error) => incomplete = incomplete.or(Some(error)),
        }
    }
    (objects, incomplete)
}

fn take_reference(
    process: &'static Process,
    sender: &Arc<Peer>,
    reference: Reference,
    kept: bool,
) -> Option<RemoteObject> {
    if reference.address == sender.address() {
        return Some(RemoteObject::Proxy(sender.proxy_with_share(reference)));
    }
    if reference.address == process.own.address && Mutation::ObjectsDoNotComeHome.is_on() {
        return None;
    }
    if reference.address == process.own.address {
        let stub = process.exports.find(reference.object, reference.secret);
        if kept {
            let way = Way { from: sender.address(), to: process.own.address };
            process.let_go(process.exports.end_lend(reference.object, way));
        }
        return stub.map(RemoteObject::Stub);
    }
    let owner = connections::peer_at(process, reference.address);
    Some(RemoteObject::Proxy(owner.proxy_to_acquire(reference, sender.address()).0))
}

/// Who passes on what comes by other means than a message.
const NOBODY: Address = Address([0; 16]);

/// The object that a reference names which came by other means than a message; `None` where its process refuses or is gone.
pub fn import(process: &'static Process, reference: Reference) -> Option<RemoteObject> {
    if reference.address == process.own.address {
        let stub = process.exports.find(reference.object, reference.secret)?;
        drop(process.exports.arrived(reference.object));
        return Some(RemoteObject::Stub(stub));
    }
    let (proxy, number) = connections::peer_at(process, reference.address).proxy_to_acquire(reference, NOBODY);
    proxy.wait_for_answer(number);
    proxy.wait_for_hold().then_some(RemoteObject::Proxy(proxy))
}
