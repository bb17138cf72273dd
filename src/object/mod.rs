// SPDX-License-Identifier: Apache-2.0
//! Stubs, proxies and death recipients, and the tables by which processes know each other's objects.
//!
//! References are counted in shares. The process of a stub counts, per peer, how many shares it has given; a peer's proxy
//! counts how many it has received and gives them all back when it goes. A share that is on its way is counted already, so
//! that giving back and passing on can never cross in a way that kills the stub too early.

mod async_queue;
mod by_number;
mod death_recipient;
mod exports;
mod peer;
mod proxy;
mod shares;
mod stub;

use std::sync::Arc;

pub use async_queue::{AsyncCharge, AsyncMessage};
pub use death_recipient::{DeathHandler, DeathRecipient};
pub use exports::{Exports, Way};
pub use peer::{Peer, PeerState, Remains};
pub use proxy::{DeathError, Proxy};
pub use stub::{RequestHandler, Stub};

/// A remote object as this process sees it: its own stub, or a proxy of somebody else's.
#[derive(Clone)]
pub enum RemoteObject {
    /// A stub of this very process.
    Stub(Arc<Stub>),
    /// A proxy of another process's stub.
    Proxy(Arc<Proxy>),
}

impl RemoteObject {
    /// Where the object lies in this process: the same for all references to one, and no other's while there is one.
    pub fn place(&self) -> usize {
        match self {
            Self::Stub(stub) => Arc::as_ptr(stub).addr(),
            Self::Proxy(proxy) => Arc::as_ptr(proxy).addr(),
        }
    }
}

impl Drop for RemoteObject {
    fn drop(&mut self) {
        if let Self::Stub(stub) = self {
            stub.note_used();
        }
    }
}

/// A parcel whose objects are remote objects of this process.
pub type Parcel = crate::parcel::Parcel<RemoteObject>;

/// Who has sent a request, by the kernel's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The process; 0 where the request was asynchronous.
    pub process: u32,
    /// Its effective user.
    pub user: u32,
    /// The token id that a test gave it, 0 for none.
    pub token_id: u64,
}
