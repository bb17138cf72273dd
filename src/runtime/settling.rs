// SPDX-License-Identifier: Apache-2.0
//! What a process had passed on when it died. Whose stubs it passed on keep them for those that are to get them; and only those know when
//! nothing more can come of the dead process.

use std::collections::HashMap;
use std::sync::Arc;

use super::connections;
use super::process::Process;
use crate::host::mutation::Mutation;
use crate::object::{Peer, Way};
use crate::sys::lock::Mutex;
use crate::transport::wire::Address;

#[derive(Default)]
struct Tables {
    /// Peers that something can come of, or is still to be taken of. One that has two connections after each other counts twice.
    open: HashMap<Address, u32>,
    /// Who has asked to be told when that is over, by the peer and by who asks.
    askers: HashMap<Address, HashMap<Address, Arc<Peer>>>,
}

/// The peers of this process that are not settled.
#[derive(Default)]
pub(super) struct Settling(Mutex<Tables>);

impl Settling {
    /// From now on something can come of the peer.
    pub(super) fn begin(&self, peer: &Peer) {
        *self.0.lock().open.entry(peer.address()).or_default() += 1;
    }

    /// Whether nothing more can come of the process `of`. Otherwise `asker` is told as soon as that is so.
    pub(super) fn ask(&self, of: Address, asker: &Arc<Peer>) -> bool {
        let mut tables = self.0.lock();
        let is_open = tables.open.contains_key(&of);
        if is_open {
            tables.askers.entry(of).or_default().insert(asker.address(), Arc::clone(asker));
        }
        !is_open
    }

    /// Nothing more can come of a connection with the peer. Returns who is to be told.
    fn end(&self, of: Address) -> Vec<Arc<Peer>> {
        let mut tables = self.0.lock();
        let Some(count) = tables.open.get_mut(&of) else { return Vec::new() };
        *count -= 1;
        if *count > 0 {
            return Vec::new();
        }
        tables.open.remove(&of);
        tables.askers.remove(&of).unwrap_or_default().into_values().collect()
    }

    /// Forgets a dead peer's questions.
    pub(super) fn forget(&self, asker: Address) {
        let mut tables = self.0.lock();
        tables.askers.retain(|_, askers| {
            askers.remove(&asker);
            !askers.is_empty()
        });
    }
}

impl Process {
    /// Something of a dead peer has been taken: where that was the last, who has asked is told.
    pub(super) fn settle(&'static self, peer: &Arc<Peer>) {
        if !peer.is_settled() || !peer.end_settling() {
            return;
        }
        for asker in self.settling.end(peer.address()) {
            asker.tell_settled(peer.address());
        }
        let way = Way { from: peer.address(), to: self.own.address };
        self.let_go(self.exports.end_way(way));
    }

    /// A peer's connection has ended, and no more references are passed on by it: asks those that it has passed some on to.
    pub(super) fn settle_lends_of(&'static self, peer: &Arc<Peer>) {
        let from = peer.address();
        for to in self.exports.lent_by(from) {
            if Mutation::LendsEndWithTheirGiver.is_on() {
                self.let_go(self.exports.end_way(Way { from, to }));
            } else if to == self.own.address {
                // What it had said of that was read after its messages.
                if peer.has_settled() {
                    self.let_go(self.exports.end_way(Way { from, to }));
                }
            } else {
                // On a worker, as it may have to connect.
                self.run_on_worker(Box::new(move || connections::peer_at(self, to).ask_to_settle(from)));
            }
        }
    }
}
