// SPDX-License-Identifier: Apache-2.0
//! A parcel leaves: what its objects become on the wire, and what is kept until they have arrived.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use super::call::CallError;
use super::process::Process;
use crate::host::mutation::Mutation;
use crate::object::{Parcel, Peer, Proxy, RemoteObject, Stub};
use crate::parcel::{Object, RemoteKind};
use crate::shm::layout::Kind;
use crate::transport::wire::{ObjectContent, ObjectRecord};

/// The objects of a parcel on their way to a peer. Unless it is said that they went out, everything is as before once this is dropped.
///
/// Most parcels have none.
pub(super) struct Departure<'a>(Option<Box<Objects<'a>>>);

struct Objects<'a> {
    peer: &'a Arc<Peer>,
    /// As the message carries them.
    records: Vec<ObjectRecord>,
    /// To be sent with the message.
    descriptors: Vec<BorrowedFd<'a>>,
    granted: Vec<Arc<Stub>>,
    /// Proxies of other processes' stubs, which those processes keep until the peer has asked for them.
    lent: Vec<Arc<Proxy>>,
    /// Proxies of the peer's own stubs.
    going_home: Vec<Arc<Proxy>>,
}

impl<'a> Departure<'a> {
    /// Counts and keeps what the peer needs of a parcel's objects.
    #[inline]
    pub(super) fn prepare(
        process: &Process,
        peer: &'a Arc<Peer>,
        parcel: &'a Parcel,
        kind: Kind,
    ) -> Result<Self, CallError> {
        if parcel.objects().len() == 0 {
            return Ok(Self(None));
        }
        Objects::prepare(process, peer, parcel, kind).map(|objects| Self(Some(Box::new(objects))))
    }

    /// The objects, as the message carries them.
    #[inline]
    pub(super) fn records(&self) -> &[ObjectRecord] {
        self.0.as_ref().map_or(&[], |objects| &objects.records)
    }

    /// What is to be sent with the message.
    #[inline]
    pub(super) fn descriptors(&self) -> &[BorrowedFd<'a>] {
        self.0.as_ref().map_or(&[], |objects| &objects.descriptors)
    }

    /// The peer has the message, or will have, and answers for its objects. What is returned is to be kept until the message is there.
    #[inline]
    pub(super) fn went_out(mut self) -> Vec<Arc<Proxy>> {
        let Some(objects) = &mut self.0 else { return Vec::new() };
        objects.granted.clear();
        objects.lent.clear();
        std::mem::take(&mut objects.going_home)
    }
}

impl<'a> Objects<'a> {
    fn prepare(process: &Process, peer: &'a Arc<Peer>, parcel: &'a Parcel, kind: Kind) -> Result<Self, CallError> {
        let mut departure = Self {
            peer,
            records: Vec::new(),
            descriptors: Vec::new(),
            granted: Vec::new(),
            lent: Vec::new(),
            going_home: Vec::new(),
        };
        let transfer = peer.new_transfer();
        for (offset, object) in parcel.objects() {
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
                    let mut kept = false;
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
                            let goes_home = Arc::ptr_eq(proxy.peer(), peer);
                            // The receiver counts our share until it has taken what we sent before we gave that back. But who replies
                            // may die before the reply is taken.
                            if goes_home {
                                departure.going_home.push(Arc::clone(proxy));
                            }
                            if !goes_home || (kind == Kind::Reply && !Mutation::RepliesDoNotHoldWhatGoesHome.is_on()) {
                                kept = departure.lend(proxy) && goes_home;
                            }
                            proxy.reference()
                        }
                    };
                    ObjectContent::Remote { reference, as_stub: *written_as == RemoteKind::Stub, kept }
                }
            };
            departure.records.push(ObjectRecord { offset, content, transfer });
        }
        Ok(departure)
    }

    /// Has the stub's process keep the stub until the reference has arrived; `false` where it cannot.
    fn lend(&mut self, proxy: &Arc<Proxy>) -> bool {
        // A process that does not answer does not keep others waiting for ever: the receiver asks it itself. One that is only late has to be
        // waited for: without its word the stub could end before the receiver asks.
        const PATIENCE: Duration = Duration::from_secs(5);
        // The channel may come only while this waits.
        if !proxy.wait_for_hold_within(PATIENCE) {
            return false;
        }
        let Some(channel) = proxy.peer().channel() else { return false };
        channel.lend(proxy.reference().object, self.peer.address());
        self.lent.push(Arc::clone(proxy));
        true
    }
}

impl Drop for Objects<'_> {
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
