// SPDX-License-Identifier: Apache-2.0
//! What one peer holds of this process's stubs.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::sys::lock::RwLock;

use super::Stub;
use super::by_number::ByNumber;

/// Shares of one stub.
struct Grant {
    stub: Arc<Stub>,
    shares: u64,
    /// How many of them the peer has given back, though what it had sent before still counts on them.
    given_back: u64,
}

/// How many times of giving back are told apart: a peer can make as many as it likes. Those beyond wait for each other.
const MOST_APART: usize = 1024;

/// What a peer had sent that may name stubs whose shares it has given back meanwhile.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sent {
    /// Its asynchronous messages before the one with this ticket.
    pub before: u32,
    /// Replies with objects: the call slots and the calls.
    pub replies: Vec<(u16, u32)>,
}

impl Sent {
    /// What is in either: of a slot's replies the last.
    fn join(&mut self, other: Self) {
        let is_later = |one: u32, than: u32| one.wrapping_sub(than).cast_signed() > 0;
        if is_later(other.before, self.before) {
            self.before = other.before;
        }
        for (slot, call) in other.replies {
            match self.replies.iter_mut().find(|(known, _)| *known == slot) {
                Some((_, last)) if is_later(call, *last) => *last = call,
                Some(_) => {}
                None => self.replies.push((slot, call)),
            }
        }
    }
}

#[derive(Default)]
struct Table {
    by_object: ByNumber<Grant>,
    /// The shares that are given back, by stub, by what had been sent before and still counts on them.
    given_back: BTreeMap<Sent, HashMap<u64, u64>>,
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
        let grant = table.by_object.entry(stub.number()).or_insert_with(|| Grant {
            stub: Arc::clone(stub),
            shares: 0,
            given_back: 0,
        });
        grant.shares += 1;
    }

    /// Takes shares back at once. Returns the stub where the peer holds none any more: dropping it may run the user's code.
    pub(super) fn revoke(&self, object: u64, shares: u64) -> Option<Arc<Stub>> {
        self.0.write().revoke(object, shares)
    }

    /// Takes shares back as soon as what the peer had sent before has been taken.
    pub(super) fn revoke_after(&self, object: u64, shares: u64, mut after: Sent) {
        let mut table = self.0.write();
        let Some(grant) = table.by_object.get_mut(&object) else { return };
        // More than there are cannot be given back, however often a peer says so.
        let shares = shares.min(grant.shares.saturating_sub(grant.given_back));
        if shares == 0 {
            return;
        }
        grant.given_back += shares;
        let mut given_back = HashMap::new();
        if table.given_back.len() >= MOST_APART
            && !table.given_back.contains_key(&after)
            && let Some((last, waiting)) = table.given_back.pop_last()
        {
            after.join(last);
            given_back = waiting;
        }
        *given_back.entry(object).or_default() += shares;
        let waiting = table.given_back.entry(after).or_default();
        for (object, shares) in given_back {
            *waiting.entry(object).or_default() += shares;
        }
    }

    /// Takes those shares back whose time has come, as `is_due` says.
    pub(super) fn revoke_due(&self, is_due: impl Fn(&Sent) -> bool) -> Vec<Arc<Stub>> {
        if self.0.read().given_back.is_empty() {
            return Vec::new();
        }
        let mut table = self.0.write();
        let mut gone = Vec::new();
        let due: Vec<Sent> = table.given_back.keys().filter(|after| is_due(after)).cloned().collect();
        for after in due {
            for (object, shares) in table.given_back.remove(&after).unwrap_or_default() {
                if let Some(grant) = table.by_object.get_mut(&object) {
                    grant.given_back = grant.given_back.saturating_sub(shares);
                }
                gone.extend(table.revoke(object, shares));
            }
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
        let mut all = HashMap::new();
        for (object, grant) in &mut table.by_object {
            grant.given_back = grant.shares;
            all.insert(*object, grant.shares);
        }
        table.given_back = BTreeMap::from([(after.clone(), all)]);
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
    fn no_more_is_kept_in_mind_than_was_granted() {
        let (grants, stub) = (Grants::default(), stub());
        grants.grant(&stub);
        grants.grant(&stub);
        for before in 0..1000 {
            let after = Sent { before, ..Sent::default() };
            grants.revoke_after(stub.number(), u64::MAX, after.clone());
            grants.revoke_after(stub.number() + 1, 1, after);
        }
        assert_eq!(grants.0.read().given_back.len(), 1);
        assert_eq!(grants.revoke_due(|_| true).len(), 1);
        assert!(grants.0.read().given_back.is_empty());
    }

    #[test]
    fn what_is_given_back_beyond_what_is_told_apart_waits_for_all_that_was_sent() {
        const TIMES: u32 = 2 * MOST_APART as u32;
        let (grants, stub) = (Grants::default(), stub());
        for _ in 0..TIMES {
            grants.grant(&stub);
        }
        for call in 0..TIMES {
            grants.revoke_after(stub.number(), 1, Sent { before: 3, replies: vec![((call % 128) as u16, call)] });
        }
        assert_eq!(grants.0.read().given_back.len(), MOST_APART);
        let taken = |calls: u32| move |after: &Sent| after.replies.iter().all(|(_, call)| *call < calls);
        assert!(grants.revoke_due(taken(TIMES - 1)).is_empty());
        assert!(grants.granted(stub.number()).is_some());
        assert_eq!(grants.revoke_due(taken(TIMES)).len(), 1);
        assert!(grants.0.read().given_back.is_empty());
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
