// SPDX-License-Identifier: Apache-2.0
//! What one peer holds of this process's stubs.

use std::collections::HashMap;
use std::sync::Arc;

use crate::sys::lock::RwLock;

use super::Stub;

/// Shares of one stub.
struct Grant {
    stub: Arc<Stub>,
    shares: u64,
}

/// What a peer had sent that may name stubs whose shares it has given back meanwhile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sent {
    /// Its asynchronous messages before the one with this ticket.
    pub before: u32,
    /// Replies with objects: the call slots and the calls.
    pub replies: Vec<(u16, u32)>,
}

/// Shares that a peer has given back, on which what it had sent before still counts.
#[derive(Debug)]
struct GivenBack {
    object: u64,
    shares: u64,
    after: Sent,
}

#[derive(Default)]
struct Table {
    by_object: HashMap<u64, Grant>,
    given_back: Vec<GivenBack>,
    /// The peer is dead, and nothing is granted to it any more.
    closed: bool,
}

impl Table {
    fn revoke(&mut self, object: u64, shares: u64) -> Option<Arc<Stub>> {
        let grant = self.by_object.get_mut(&object)?;
        grant.shares = grant.shares.saturating_sub(shares);
        if grant.shares > 0 {
            return None;
        }
        self.by_object.remove(&object).map(|grant| grant.stub)
    }
}

/// The shares of one peer in this process's stubs.
#[derive(Default)]
pub(super) struct Grants(RwLock<Table>);

impl Grants {
    /// Counts a share, before a reference goes out to the peer.
    pub(super) fn grant(&self, stub: &Arc<Stub>) {
        let mut table = self.0.write();
        if table.closed {
            return;
        }
        let grant = table.by_object.entry(stub.number()).or_insert_with(|| Grant { stub: Arc::clone(stub), shares: 0 });
        grant.shares += 1;
    }

    /// Takes shares back at once. Returns the stub where the peer holds none any more: dropping it may run the user's code.
    pub(super) fn revoke(&self, object: u64, shares: u64) -> Option<Arc<Stub>> {
        self.0.write().revoke(object, shares)
    }

    /// Takes shares back as soon as what the peer had sent before has been taken.
    pub(super) fn revoke_after(&self, object: u64, shares: u64, after: Sent) {
        self.0.write().given_back.push(GivenBack { object, shares, after });
    }

    /// Takes those shares back whose time has come, as `is_due` says.
    pub(super) fn revoke_due(&self, is_due: impl Fn(&Sent) -> bool) -> Vec<Arc<Stub>> {
        if self.0.read().given_back.is_empty() {
            return Vec::new();
        }
        let mut table = self.0.write();
        let mut gone = Vec::new();
        let (due, later) = std::mem::take(&mut table.given_back).into_iter().partition(|given| is_due(&given.after));
        table.given_back = later;
        for GivenBack { object, shares, .. } in Vec::from_iter::<Vec<GivenBack>>(due) {
            gone.extend(table.revoke(object, shares));
        }
        gone
    }

    /// The stub, where the peer holds a share of it.
    #[inline]
    pub(super) fn granted(&self, object: u64) -> Option<Arc<Stub>> {
        self.0.read().by_object.get(&object).map(|grant| Arc::clone(&grant.stub))
    }

    /// Takes everything back for good, as soon as what the peer had sent has been taken.
    pub(super) fn close_after(&self, after: &Sent) {
        let mut table = self.0.write();
        table.closed = true;
        let all = table.by_object.iter().map(|(object, grant)| (*object, grant.shares));
        table.given_back = all.map(|(object, shares)| GivenBack { object, shares, after: after.clone() }).collect();
    }
}

#[cfg(test)]
mod tests {
    use std::ptr::NonNull;

    use super::*;
    use crate::object::{Parcel, RequestHandler};

    struct Silent;

    impl RequestHandler for Silent {
        fn handle(&self, _code: u32, _data: NonNull<Parcel>, _reply: NonNull<Parcel>) -> i32 {
            0
        }
    }

    fn stub() -> Arc<Stub> {
        Stub::new("test".to_owned(), Box::new(Silent))
    }

    #[test]
    fn a_stub_is_held_as_long_as_any_share_is_out() {
        let (grants, stub) = (Grants::default(), stub());
        grants.grant(&stub);
        grants.grant(&stub);
        assert!(grants.revoke(stub.number(), 1).is_none());
        assert!(grants.granted(stub.number()).is_some());
        assert!(grants.revoke(stub.number(), 1).is_some());
        assert!(grants.granted(stub.number()).is_none());
        assert_eq!(Arc::strong_count(&stub), 1);
    }

    #[test]
    fn shares_that_messages_count_on_stay_until_those_are_taken_in() {
        let (grants, stub) = (Grants::default(), stub());
        grants.grant(&stub);
        grants.revoke_after(stub.number(), 1, Sent { before: 5, ..Sent::default() });
        assert!(grants.revoke_due(|after| after.before <= 4).is_empty());
        assert!(grants.granted(stub.number()).is_some());
        assert_eq!(grants.revoke_due(|after| after.before <= 5).len(), 1);
        assert!(grants.granted(stub.number()).is_none());
    }

    #[test]
    fn nothing_is_granted_to_the_dead() {
        let (grants, stub) = (Grants::default(), stub());
        grants.grant(&stub);
        grants.grant(&stub);
        grants.revoke_after(stub.number(), 1, Sent::default());
        grants.close_after(&Sent { before: 5, ..Sent::default() });
        grants.grant(&stub);
        assert!(grants.revoke_due(|after| after.before <= 4).is_empty());
        assert!(grants.granted(stub.number()).is_some());
        assert_eq!(grants.revoke_due(|after| after.before <= 5).len(), 1);
        assert_eq!(Arc::strong_count(&stub), 1);
    }
}
