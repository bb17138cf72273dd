// SPDX-License-Identifier: Apache-2.0
//! `src/object/shares.rs`: a peer's message finds the stub that it counts on, and the stub is let go of once, when its last share is back.
//!
//! The two threads are the control thread, which reads what the peer gives back, and a worker, which takes the peer's message in; what they
//! do is a copy, shortened, of `take_back` in `src/object/peer.rs` and `take_async_in` in `src/runtime/dispatch.rs`. Beyond the crate's
//! limits: not shown for references that a third process passes on, nor for what the peer counts on its side.
#![cfg(loom)]

use std::sync::Arc;
use std::sync::atomic::AtomicUsize as Count;

use loom::thread;
use models::check;
use models::object::{Holder, Sent, Stub};
use models::shm::atomics::{AtomicU32, Ordering};

const OBJECT: u64 = 5;

/// What is done otherwise than the library does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    Nothing,
    /// Shares are taken back when the peer says so, whatever it has sent before.
    AtOnce,
    /// That the message was taken in is said before its stub is looked up.
    SaidTooEarly,
    /// Who has taken a message in does not look at what has become due.
    NeverDue,
}

struct Peer {
    holder: Holder,
    taken: AtomicU32,
    let_go: Count,
}

impl Peer {
    fn is_due(&self, after: &Sent) -> bool {
        self.taken.load(Ordering::Acquire).wrapping_sub(after.before).cast_signed() >= 0
    }

    fn let_go(&self, stubs: Vec<Arc<Stub>>) {
        self.let_go.fetch_add(stubs.len(), Ordering::Relaxed);
    }
}

fn given_back_while_a_message_is_taken_in(broken: Broken) {
    check(2, move || {
        let stub = Arc::new(Stub(OBJECT));
        let peer = Arc::new(Peer { holder: Holder::default(), taken: AtomicU32::new(0), let_go: Count::new(0) });
        peer.holder.grant(&stub);
        let control = thread::spawn({
            let peer = Arc::clone(&peer);
            move || {
                let gone = match broken {
                    Broken::AtOnce => peer.holder.take_back_at_once(OBJECT, 1).into_iter().collect(),
                    _ => peer
                        .holder
                        .take_back(OBJECT, 1, Sent { before: 1, ..Sent::default() }, |after| peer.is_due(after)),
                };
                peer.let_go(gone);
            }
        });
        if broken == Broken::SaidTooEarly {
            peer.taken.store(1, Ordering::Release);
        }
        assert!(peer.holder.granted(OBJECT).is_some(), "the message finds its stub");
        peer.taken.store(1, Ordering::Release);
        if broken != Broken::NeverDue {
            peer.let_go(peer.holder.take_back_due(|after| peer.is_due(after)));
        }
        control.join().expect("the control thread");
        assert_eq!(peer.let_go.load(Ordering::Relaxed), 1, "let go of once");
        assert_eq!(Arc::strong_count(&stub), 1);
    });
}

#[test]
fn a_share_is_taken_back_once_the_message_is_taken_in() {
    given_back_while_a_message_is_taken_in(Broken::Nothing);
}

#[test]
#[should_panic = "finds its stub"]
fn not_where_it_is_taken_back_at_once() {
    given_back_while_a_message_is_taken_in(Broken::AtOnce);
}

#[test]
#[should_panic = "finds its stub"]
fn not_where_taking_in_is_said_before_the_stub_is_looked_up() {
    given_back_while_a_message_is_taken_in(Broken::SaidTooEarly);
}

#[test]
#[should_panic = "let go of once"]
fn not_where_nobody_looks_at_what_has_become_due() {
    given_back_while_a_message_is_taken_in(Broken::NeverDue);
}

/// What is done otherwise with a reference that comes home in a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BrokenReply {
    Nothing,
    /// The share is given back before the reply is published.
    GivenBackFirst,
    /// It is not looked whether there are replies to take.
    RepliesDoNotCount,
    /// Who has taken a reply does not look at what has become due.
    NeverDue,
    /// It looks before it says that it has taken the reply.
    LooksTooEarly,
}

/// The peer replies with its only reference to a stub of ours, and gives its share back. One thread is the peer and the control thread, which
/// hears of it; the other one is the caller. What they do is a copy, shortened, of `handle_request` in `src/runtime/dispatch.rs`,
/// `replies_to_take` in `src/transport/channel/calls.rs` and `exchange` in `src/runtime/call.rs`.
fn a_reference_comes_home_in_a_reply(peer_dies: bool, broken: BrokenReply) {
    const CALL: u32 = 1;
    struct Caller {
        holder: Holder,
        reply: AtomicU32,
        acknowledged: AtomicU32,
        let_go: Count,
    }
    impl Caller {
        fn is_due(&self, after: &Sent) -> bool {
            after.replies.iter().all(|(_, call)| self.acknowledged.load(Ordering::Acquire) == *call)
        }

        fn note_given_back(&self, peer_dies: bool, broken: BrokenReply) {
            let is_there = self.reply.load(Ordering::Acquire) == CALL;
            let counts = is_there && self.acknowledged.load(Ordering::Acquire) != CALL;
            let replies = if counts && broken != BrokenReply::RepliesDoNotCount { vec![(0, CALL)] } else { Vec::new() };
            let sent = Sent { replies, ..Sent::default() };
            let gone = if peer_dies {
                self.holder.close_grants(&sent, |after| self.is_due(after))
            } else {
                self.holder.take_back(OBJECT, 1, sent, |after| self.is_due(after))
            };
            self.let_go.fetch_add(gone.len(), Ordering::Relaxed);
        }

        fn look(&self) {
            let gone = self.holder.take_back_due(|after| self.is_due(after));
            self.let_go.fetch_add(gone.len(), Ordering::Relaxed);
        }

        fn take_reply(&self, broken: BrokenReply) -> bool {
            if self.reply.load(Ordering::Acquire) != CALL {
                return false;
            }
            assert!(self.holder.granted(OBJECT).is_some(), "the reply finds its stub");
            if broken == BrokenReply::LooksTooEarly {
                self.look();
            }
            self.acknowledged.store(CALL, Ordering::Release);
            if !matches!(broken, BrokenReply::NeverDue | BrokenReply::LooksTooEarly) {
                self.look();
            }
            true
        }
    }
    check(2, move || {
        let stub = Arc::new(Stub(OBJECT));
        let caller = Arc::new(Caller {
            holder: Holder::default(),
            reply: AtomicU32::new(0),
            acknowledged: AtomicU32::new(0),
            let_go: Count::new(0),
        });
        caller.holder.grant(&stub);
        let peer = thread::spawn({
            let caller = Arc::clone(&caller);
            move || {
                if broken == BrokenReply::GivenBackFirst {
                    caller.note_given_back(peer_dies, broken);
                }
                caller.reply.store(CALL, Ordering::Release);
                if broken != BrokenReply::GivenBackFirst {
                    caller.note_given_back(peer_dies, broken);
                }
            }
        });
        let is_taken = caller.take_reply(broken);
        peer.join().expect("the peer");
        assert!(is_taken || caller.take_reply(broken), "the reply is there");
        assert_eq!(caller.let_go.load(Ordering::Relaxed), 1, "let go of once");
        assert_eq!(Arc::strong_count(&stub), 1);
    });
}

#[test]
fn a_share_is_taken_back_once_the_reply_is_taken() {
    a_reference_comes_home_in_a_reply(false, BrokenReply::Nothing);
}

#[test]
fn a_dead_peers_share_is_taken_back_once_its_reply_is_taken() {
    a_reference_comes_home_in_a_reply(true, BrokenReply::Nothing);
}

#[test]
#[should_panic = "finds its stub"]
fn not_where_it_is_given_back_before_the_reply_is_there() {
    a_reference_comes_home_in_a_reply(false, BrokenReply::GivenBackFirst);
}

#[test]
#[should_panic = "finds its stub"]
fn not_where_replies_do_not_count() {
    a_reference_comes_home_in_a_reply(false, BrokenReply::RepliesDoNotCount);
}

#[test]
#[should_panic = "let go of once"]
fn not_where_who_takes_a_reply_does_not_look() {
    a_reference_comes_home_in_a_reply(false, BrokenReply::NeverDue);
}

#[test]
#[should_panic = "let go of once"]
fn not_where_it_looks_before_it_has_said_so() {
    a_reference_comes_home_in_a_reply(false, BrokenReply::LooksTooEarly);
}

/// A share is given anew while another one comes back, and while the peer dies.
#[test]
fn what_is_on_its_way_is_counted_until_the_peer_is_dead() {
    check(2, || {
        let stub = Arc::new(Stub(OBJECT));
        let holder = Arc::new(Holder::default());
        holder.grant(&stub);
        let sender = thread::spawn({
            let (holder, stub) = (Arc::clone(&holder), Arc::clone(&stub));
            move || holder.grant(&stub)
        });
        drop(holder.take_back(OBJECT, 1, Sent::default(), |_| true));
        sender.join().expect("the sender");
        assert!(holder.granted(OBJECT).is_some(), "one share is out");
        let dying = thread::spawn({
            let holder = Arc::clone(&holder);
            move || drop(holder.close_grants(&Sent::default(), |_| true))
        });
        holder.grant(&stub);
        dying.join().expect("who notes the death");
        assert_eq!(Arc::strong_count(&stub), 1, "nothing is kept for the dead");
    });
}
