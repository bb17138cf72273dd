// SPDX-License-Identifier: Apache-2.0
//! A parcel leaves: what its objects become on the wire, and what is kept until they have arrived.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use super::call::CallError;
use super::process::Process;
use crate::host::mutation::Mutation;
use crate::object::{Parcel, Peer, Proxy, RemoteObject, Stub};
use crate::parcel::{Object, RemoteKind};
use crate::transport::wire::{ObjectContent, ObjectRecord};

/// The objects of a parcel on their way to a peer. Unless it is said that they went out, everything is as before once this is dropped.
pub(super) struct Departure<'a> {
    peer: &'a Arc<Peer>,
    /// As the message carries them.
    pub(super) records: Vec<ObjectRecord>,
    /// To be sent with the message.
    pub(super) descriptors: Vec<BorrowedFd<'a>>,
    granted: Vec<Arc<Stub>>,
    /// Proxies of other processes' stubs, which those processes keep until the peer has asked for them.
    lent: Vec<Arc<Proxy>>,
}

impl<'a> Departure<'a> {
    /// Counts and keeps what the peer needs of a parcel's objects.
    pub(super) fn prepare(process: &Process, peer: &'a Arc<Peer>, parcel: &'a Parcel) -> Result<Self, CallError> {
        let mut departure =
            Self { peer, records: Vec::new(), descriptors: Vec::new(), granted: Vec::new(), lent: Vec::new() };
        let mut objects = parcel.objects().peekable();
        if objects.peek().is_none() {
            return Ok(departure);
        }
        let transfer = peer.new_transfer();
        for (offset, object) in objects {
            if offset % 4 != 0 && !Mutation::ObjectsMayLieAnywhere.is_on() {
                return Err(CallError::UnalignedObject(offset));
            }
            let content = match object {
                Object::FileDescriptor(fd) => {
                    if Mutation::SentDescriptorsStayOpen.is_on() {
                        std::mem::forget(fd.try_clone());
                    }
                    departure.descriptors.push(fd.as_fd());
                    ObjectContent::FileDescriptor
                }
                Object::Remote { written_as, object } => {
                    let reference = match object {
                        RemoteObject::Stub(stub) => {
                            peer.grant(stub);
                            departure.granted.push(Arc::clone(stub));
                            process.exports.reference(stub).map_err(CallError::System)?
                        }
                        RemoteObject::Proxy(proxy) if proxy.is_dead() && Mutation::TheDeadCannotBeSent.is_on() => {
                            return Err(CallError::Dead);
                        }
                        RemoteObject::Proxy(proxy) => {
                            departure.lend(proxy);
                            proxy.reference()
                        }
                    };
                    ObjectContent::Remote { reference, as_stub: *written_as == RemoteKind::Stub }
                }
            };
            departure.records.push(ObjectRecord { offset, content, transfer });
        }
        Ok(departure)
    }

    /// Has the stub's process keep the stub until the peer has asked for it. A reference that goes home needs no keeping: the peer counts
    /// our share until it has taken in what we sent before we gave that back.
    fn lend(&mut self, proxy: &Arc<Proxy>) {
        if Arc::ptr_eq(proxy.peer(), self.peer) || !proxy.wait_for_hold() {
            return;
        }
        if let Some(channel) = proxy.peer().channel() {
            channel.lend(proxy.reference().object, self.peer.address());
            self.lent.push(Arc::clone(proxy));
        }
    }

    /// The peer has the message, and answers for its objects.
    pub(super) fn went_out(mut self) {
        self.granted.clear();
        self.lent.clear();
    }
}

impl Drop for Departure<'_> {
    fn drop(&mut self) {
        for stub in &self.granted {
            // `granted` keeps the stub from dying here.
            drop(self.peer.revoke(stub.number()));
        }
        for proxy in &self.lent {
            proxy.peer().unlend(proxy.reference().object, self.peer.address());
        }
    }
}
