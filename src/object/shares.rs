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

/// Shares that a peer has given back, which asynchronous messages of its that are not taken in yet still count on.
#[derive(Debug, Clone, Copy)]
struct GivenBack {
    object: u64,
    shares: u64,
    after: u32,
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

    /// Takes shares back as soon as the peer's asynchronous messages before the one with the ticket `after` have been taken in.
    pub(super) fn revoke_after(&self, object: u64, shares: u64, after: u32) {
        self.0.write().given_back.push(GivenBack { object, shares, after });
    }

    /// Takes those shares back whose time has come, as `is_due` says.
    pub(super) fn revoke_due(&self, is_due: impl Fn(u32) -> bool) -> Vec<Arc<Stub>> {
        if self.0.read().given_back.is_empty() {
            return Vec::new();
        }
        let mut table = self.0.write();
        let mut gone = Vec::new();
        let (due, later) = std::mem::take(&mut table.given_back).into_iter().partition(|given| is_due(given.after));
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

    /// Takes everything back for good.
    pub(super) fn close(&self) -> Vec<Arc<Stub>> {
        let mut table = self.0.write();
        table.closed = true;
        table.given_back.clear();
        std::mem::take(&mut table.by_object).into_values().map(|grant| grant.stub).collect()
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
        Arc::new(Stub::new("test".to_owned(), Box::new(Silent)))
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
        grants.revoke_after(stub.number(), 1, 5);
        assert!(grants.revoke_due(|after| after <= 4).is_empty());
        assert!(grants.granted(stub.number()).is_some());
        assert_eq!(grants.revoke_due(|after| after <= 5).len(), 1);
        assert!(grants.granted(stub.number()).is_none());
    }

    #[test]
    fn nothing_is_granted_to_the_dead() {
        let (grants, stub) = (Grants::default(), stub());
        grants.grant(&stub);
        assert_eq!(grants.close().len(), 1);
        grants.grant(&stub);
        assert_eq!(Arc::strong_count(&stub), 1);
    }
}
