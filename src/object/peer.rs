// SPDX-License-Identifier: Apache-2.0
//! Another process, as far as objects go: what it holds of ours, what we hold of its.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use crate::sys::lock::{Condvar, Mutex, OnceLock};

use super::shares::{Grants, Sent};
use super::{Caller, Proxy, Stub};
use crate::host::mutation::Mutation;
use crate::sys::fork;
use crate::transport::wire::{Address, Control, Reference};
use crate::transport::{Channel, MOST_WAITING};

/// How far the connection is.
#[derive(Debug)]
pub enum PeerState {
    /// The handshake is under way; these messages wait for its end.
    Connecting(Vec<Control>),
    /// The channel is up.
    Ready,
    /// The process is dead, or refused us.
    Dead,
}

/// What becomes of the first handshake, which two threads may decide: one that sees it fail, and the one that takes the other side's answer.
const OPEN: u8 = 0;
const TO_BE_READY: u8 = 1;
const TO_BE_DEAD: u8 = 2;

/// The stubs of which a mutation takes the next share back.
static GIVEN_BACK: Mutex<BTreeSet<u64>> = Mutex::new(BTreeSet::new());

/// Another process.
pub struct Peer {
    address: Address,
    generation: u32,
    state: Mutex<PeerState>,
    changed: Condvar,
    channel: OnceLock<Arc<Channel>>,
    dead: AtomicBool,
    course: AtomicU8,
    drained: AtomicBool,
    settled: AtomicBool,
    /// It counts as dead here because it could not be connected to, for want of what the system gives. It may live on.
    unreachable: AtomicBool,
    grants: Grants,
    proxies: Mutex<HashMap<u64, Weak<Proxy>>>,
    watched: Mutex<HashMap<u64, Arc<Proxy>>>,
    next_transfer: AtomicU64,
}

impl Peer {
    /// The process that listens at `address`, to which a handshake is being started.
    pub fn connecting(address: Address) -> Arc<Self> {
        Arc::new(Self {
            address,
            generation: fork::generation(),
            state: Mutex::new(PeerState::Connecting(Vec::new())),
            changed: Condvar::new(),
            channel: OnceLock::new(),
            dead: AtomicBool::new(false),
            course: AtomicU8::new(OPEN),
            drained: AtomicBool::new(false),
            settled: AtomicBool::new(false),
            unreachable: AtomicBool::new(false),
            grants: Grants::default(),
            proxies: Mutex::default(),
            watched: Mutex::default(),
            next_transfer: AtomicU64::new(1),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> Address {
        self.address
    }

    /// The channel, once the handshake is over.
    #[inline]
    pub fn channel(&self) -> Option<&Arc<Channel>> {
        self.channel.get()
    }

    /// Who sends over this channel, by the kernel's word.
    pub fn caller(channel: &Channel, is_async: bool) -> Caller {
        let credentials = channel.credentials();
        Caller {
            process: if is_async && !Mutation::AsyncPidIsTold.is_on() { 0 } else { credentials.process },
            user: credentials.user,
            token_id: if Mutation::TokenIdsAreNotTold.is_on() { 0 } else { channel.peer().token_id },
        }
    }

    /// Whether it is known to be dead. What a fork has inherited counts as dead in the child.
    #[inline]
    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Acquire) || self.is_inherited()
    }

    /// Whether it may live, and only could not be connected to.
    #[inline]
    pub fn is_unreachable(&self) -> bool {
        self.unreachable.load(Ordering::Acquire)
    }

    /// Whether this belongs to the process that forked this one.
    #[inline]
    pub fn is_inherited(&self) -> bool {
        self.generation != fork::generation()
    }

    /// Decides that the peer gets a channel; `false` where it has one, or will have none any more.
    pub fn begin_ready(&self) -> bool {
        !self.is_dead() && self.decide(TO_BE_READY)
    }

    /// Decides that the handshake has failed, so that the peer is to be marked as dead; `false` where it has succeeded all the same.
    pub fn begin_dead(&self) -> bool {
        self.decide(TO_BE_DEAD)
    }

    fn decide(&self, course: u8) -> bool {
        self.course.compare_exchange(OPEN, course, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Whether it is dead, or about to be.
    pub fn is_over(&self) -> bool {
        self.is_dead() || self.course.load(Ordering::Acquire) == TO_BE_DEAD
    }

    /// The handshake has succeeded. `false` where the peer has a channel already.
    pub fn set_ready(&self, channel: Arc<Channel>) -> bool {
        let mut state = self.state.lock();
        if self.channel.set(Arc::clone(&channel)).is_err() {
            return false;
        }
        if let PeerState::Connecting(waiting) = std::mem::replace(&mut *state, PeerState::Ready) {
            for message in waiting {
                send(&channel, message);
            }
        }
        self.changed.notify_all();
        true
    }

    /// Waits for the end of the handshake; `None` where the peer is dead.
    pub fn wait_for_channel(&self) -> Option<&Arc<Channel>> {
        if self.is_inherited() {
            return None;
        }
        if let Some(channel) = self.channel.get() {
            return Some(channel);
        }
        let mut state = self.state.lock();
        while matches!(*state, PeerState::Connecting(_)) {
            self.changed.wait(&mut state);
        }
        self.channel.get()
    }

    /// Whether the handshake is still under way.
    pub fn is_connecting(&self) -> bool {
        matches!(*self.state.lock(), PeerState::Connecting(_))
    }

    /// Sends a message on the socket, after the handshake. A dead peer needs none. `false` where too many wait for the handshake.
    fn send_control(&self, message: Control) -> bool {
        if self.is_inherited() {
            return true;
        }
        let mut state = self.state.lock();
        match &mut *state {
            PeerState::Connecting(waiting) if waiting.len() >= MOST_WAITING => {
                ipckit_log::error_once_a_second(format_args!(
                    "the process {:?} does not answer, and {MOST_WAITING} messages wait for it: no more are kept",
                    self.address
                ));
                return false;
            }
            PeerState::Connecting(waiting) => waiting.push(message),
            PeerState::Ready => {
                if let Some(channel) = self.channel.get() {
                    send(channel, message);
                }
            }
            PeerState::Dead => {}
        }
        true
    }

    /// Tells the peer that a reference to its stub did not go to `to` after all.
    pub fn unlend(&self, object: u64, to: Address) {
        self.send_control(Control::Unlend { object, to });
    }

    /// Asks the peer whether it has all that it will ever have of the dead process `of`, which has passed references to our stubs on to it.
    pub fn ask_to_settle(&self, of: Address) {
        self.send_control(Control::Settle { of });
    }

    /// Tells the peer that this process has.
    pub fn tell_settled(&self, of: Address) {
        self.send_control(Control::Settled { of });
    }

    /// Takes note that what the dead peer had sent has been taken, but for replies that callers are just taking.
    pub fn note_drained(&self) {
        self.drained.store(true, Ordering::SeqCst);
    }

    /// Whether all has been taken that there will ever be of the peer.
    pub fn is_settled(&self) -> bool {
        self.drained.load(Ordering::SeqCst) && self.channel.get().is_some_and(|channel| channel.has_no_call())
    }

    /// Whether this is the first to see that.
    pub fn end_settling(&self) -> bool {
        !self.settled.swap(true, Ordering::SeqCst)
    }

    /// Whether somebody has seen that.
    pub fn has_settled(&self) -> bool {
        self.settled.load(Ordering::SeqCst)
    }

    // ---- what the peer holds of ours ----

    /// Counts a share of our stub for the peer, before a reference goes out to it.
    pub fn grant(&self, stub: &Arc<Stub>) {
        self.grants.grant(stub);
        if Mutation::ReleasesCountTwice.is_on() && GIVEN_BACK.lock().remove(&stub.number()) {
            drop(self.grants.revoke(stub.number(), 1));
        }
    }

    /// Takes a share back whose reference did not go out after all.
    #[must_use]
    pub fn revoke(&self, object: u64) -> Option<Arc<Stub>> {
        self.grants.revoke(object, 1)
    }

    /// The peer gives shares back, on which its asynchronous messages before the ticket `before` still count, and replies that are there
    /// and have not been taken. Returns the stubs that nobody there holds any more: dropping them may run the user's code. `None` where no
    /// such message can be on its way.
    #[must_use]
    pub fn take_back(&self, object: u64, shares: u64, before: u32) -> Option<Vec<Arc<Stub>>> {
        let channel = self.channel.get()?;
        if !channel.may_have_sent_async_before(before) {
            return None;
        }
        if Mutation::ReleasesCountTwice.is_on() {
            GIVEN_BACK.lock().insert(object);
        }
        self.grants.revoke_after(object, shares, Sent { before, replies: channel.replies_to_take() });
        Some(self.take_back_due())
    }

    /// Takes those shares back that waited for messages to be taken in, or for replies to be taken.
    #[must_use]
    pub fn take_back_due(&self) -> Vec<Arc<Stub>> {
        let Some(channel) = self.channel.get() else { return Vec::new() };
        self.grants.revoke_due(|after| {
            let is_taken_in =
                Mutation::MessagesDoNotHoldTheirStub.is_on() || channel.has_taken_async_before(after.before);
            is_taken_in && channel.has_taken_replies(&after.replies)
        })
    }

    /// Our stub `object`, where the peer holds a share of it.
    #[inline]
    pub fn granted(&self, object: u64) -> Option<Arc<Stub>> {
        self.grants.granted(object)
    }

    /// Takes everything back from a dead peer whose asynchronous messages have been taken in: what replies of its still count on as soon
    /// as these have been taken.
    #[must_use]
    pub fn close_grants(&self) -> Vec<Arc<Stub>> {
        let sent = self
            .channel
            .get()
            .map(|channel| Sent { before: channel.outgoing().async_taken(), replies: channel.replies_to_take() });
        self.grants.close_after(&sent.unwrap_or_default());
        self.take_back_due()
    }

    // ---- what we hold of the peer's ----

    /// The proxy of a stub of the peer's, whose share has come with the reference in a message of its own.
    pub fn proxy_with_share(self: &Arc<Self>, reference: Reference) -> Arc<Proxy> {
        let mut proxies = self.proxies.lock();
        let known = proxies.get(&reference.object).and_then(Weak::upgrade);
        if let Some(proxy) = known.filter(|_| !Mutation::WrappersShareNothing.is_on()) {
            proxy.add_share();
            return proxy;
        }
        let proxy = Arc::new(Proxy::counted(self, reference));
        proxies.insert(reference.object, Arc::downgrade(&proxy));
        proxy
    }

    /// The proxy of a stub of the peer's, whose reference has come from somebody else. The peer keeps the stub until it is asked for our
    /// share, so it is asked for each reference; the number is for [`Proxy::wait_for_answer`].
    /// `from` is who the reference came from.
    pub fn proxy_to_acquire(self: &Arc<Self>, reference: Reference, from: Address) -> (Arc<Proxy>, u64) {
        let mut proxies = self.proxies.lock();
        let known = proxies.get(&reference.object).and_then(Weak::upgrade);
        let proxy = known.unwrap_or_else(|| {
            let proxy = Arc::new(Proxy::asked(self, reference));
            proxies.insert(reference.object, Arc::downgrade(&proxy));
            proxy
        });
        let number = proxy.note_asked();
        // Sent under the lock, so that it cannot overtake the release of an earlier proxy of the same stub.
        let asked = self.send_control(Control::Acquire { object: reference.object, secret: reference.secret, from });
        drop(proxies);
        if !asked {
            proxy.set_answer(false);
        }
        (proxy, number)
    }

    /// The peer has answered the question for a share.
    pub fn answered(&self, object: u64, granted: bool) {
        let proxy = self.proxies.lock().get(&object).and_then(Weak::upgrade);
        match proxy {
            Some(proxy) => proxy.set_answer(granted),
            None if granted => self.give_back(object, 1),
            None => {}
        }
    }

    fn give_back(&self, object: u64, shares: u64) {
        if Mutation::SharesAreNotGivenBack.is_on() {
            return;
        }
        let after = self.channel.get().map_or(0, |channel| channel.next_async_ticket());
        self.send_control(Control::Release { object, count: shares, after });
    }

    pub(super) fn forget_proxy(&self, proxy: &Proxy, shares: u64) {
        if self.is_inherited() {
            return;
        }
        let object = proxy.reference().object;
        let mut proxies = self.proxies.lock();
        if proxies.get(&object).is_some_and(|known| std::ptr::eq(known.as_ptr(), proxy)) {
            proxies.remove(&object);
        }
        if shares > 0 {
            self.give_back(object, shares);
        }
    }

    pub(super) fn watch(&self, proxy: &Arc<Proxy>) {
        if Mutation::EntriesDoNotKeepTheirProxy.is_on() {
            return;
        }
        self.watched.lock().entry(proxy.reference().object).or_insert_with(|| Arc::clone(proxy));
    }

    pub(super) fn unwatch(&self, proxy: &Proxy) {
        let mut watched = self.watched.lock();
        if !proxy.has_recipients() && !Mutation::RemovedEntriesKeepTheirProxy.is_on() {
            let kept = watched.remove(&proxy.reference().object);
            // The last reference may be this one, and its end takes locks of its own.
            drop(watched);
            drop(kept);
        }
    }

    /// A number under which descriptors travel to the peer.
    pub fn new_transfer(&self) -> u64 {
        self.next_transfer.fetch_add(1, Ordering::Relaxed)
    }

    // ---- death ----

    /// Takes note of the peer's death. Every wait for it ends. What is returned is to be dropped and told where the user's code may run.
    /// `None` where it was noted before.
    pub fn mark_dead(&self) -> Option<Remains> {
        self.mark_over(false)
    }

    /// The same of a peer that may live, and could not be connected to: nobody is to be told of a death.
    pub fn mark_unreachable(&self) -> Option<Remains> {
        self.mark_over(!Mutation::TheUnreachableAreDead.is_on())
    }

    fn mark_over(&self, unreachable: bool) -> Option<Remains> {
        let channel = {
            let mut state = self.state.lock();
            if !matches!(*state, PeerState::Dead) {
                self.unreachable.store(unreachable, Ordering::Release);
            }
            *state = PeerState::Dead;
            if self.dead.swap(true, Ordering::AcqRel) {
                return None;
            }
            self.changed.notify_all();
            self.channel.get()
        };
        if let Some(channel) = channel {
            channel.mark_dead();
        }
        let proxies: Vec<_> = self.proxies.lock().values().filter_map(Weak::upgrade).collect();
        proxies.iter().for_each(|proxy| proxy.end_waits());
        let watched = self.watched.lock().values().cloned().collect();
        Some(Remains { watched, proxies })
    }
}

/// What a dead peer leaves.
pub struct Remains {
    /// Proxies with recipients to be told.
    pub watched: Vec<Arc<Proxy>>,
    proxies: Vec<Arc<Proxy>>,
}

impl Remains {
    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.watched.is_empty() && self.proxies.is_empty()
    }
}

fn send(channel: &Channel, message: Control) {
    if let Err(error) = channel.send_control(message, &[]) {
        // A hang-up is the peer's death, which is told elsewhere.
        ipckit_log::inner::debug(format_args!(
            "a message to process {} was not sent: {error}",
            channel.credentials().process
        ));
    }
}
