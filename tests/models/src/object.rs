// SPDX-License-Identifier: Apache-2.0
//! The shares of a peer as the library counts them.

#[path = "../../../src/object/by_number.rs"]
mod by_number;
#[path = "../../../src/object/shares.rs"]
pub mod shares;

use std::sync::Arc;

use shares::Grants;
pub use shares::Sent;

/// A stub is its number here; who holds it keeps it alive.
pub struct Stub(pub u64);

impl Stub {
    pub fn number(&self) -> u64 {
        self.0
    }
}

/// What a peer holds of this process's stubs: the functions of the same names of `Peer`.
#[derive(Default)]
pub struct Holder(Grants);

impl Holder {
    pub fn grant(&self, stub: &Arc<Stub>) {
        self.0.grant(stub);
    }

    pub fn granted(&self, object: u64) -> Option<Arc<Stub>> {
        self.0.granted(object)
    }

    pub fn take_back(&self, object: u64, shares: u64, after: Sent, is_due: impl Fn(&Sent) -> bool) -> Vec<Arc<Stub>> {
        self.0.revoke_after(object, shares, after);
        self.take_back_due(is_due)
    }

    pub fn take_back_due(&self, is_due: impl Fn(&Sent) -> bool) -> Vec<Arc<Stub>> {
        self.0.revoke_due(is_due)
    }

    pub fn take_back_at_once(&self, object: u64, shares: u64) -> Option<Arc<Stub>> {
        self.0.revoke(object, shares)
    }

    pub fn close_grants(&self, after: &Sent, is_due: impl Fn(&Sent) -> bool) -> Vec<Arc<Stub>> {
        self.0.close_after(after);
        self.take_back_due(is_due)
    }
}
