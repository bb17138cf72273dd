// SPDX-License-Identifier: Apache-2.0
//! A proxy: this process's end of another process's stub.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::sys::lock::{Condvar, Mutex, OnceLock};
use crate::sys::order;

use super::{DeathRecipient, Peer};
use crate::host::mutation::Mutation;
use crate::transport::wire::Reference;

/// Why a death recipient could not be added or removed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DeathError {
    /// The death has been told already.
    #[error("the death has been told already")]
    AlreadyTold,
    /// The proxy belongs to the process that forked this one.
    #[error("the proxy belongs to the process that forked this one")]
    Inherited,
    /// The recipient was not added.
    #[error("the recipient is not registered")]
    NotRegistered,
}

/// Whether the stub's process counts a share for this proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    /// It has been asked.
    Asked,
    /// It does.
    Counted,
    /// It said that there is no such stub.
    Refused,
}

/// What is known of the stub's process's count.
#[derive(Debug)]
struct Answers {
    hold: Hold,
    /// How often it was asked for a share, and has answered.
    asked: u64,
    answered: u64,
    /// Somebody has waited for it as long as that makes sense.
    waited_in_vain: bool,
}

/// How long one callback may keep the next one of the same proxy waiting.
const CALLBACK_PATIENCE: Duration = Duration::from_millis(100);

#[derive(Default)]
struct Watch {
    recipients: VecDeque<Arc<DeathRecipient>>,
    /// When the callback that runs began.
    telling: Option<Instant>,
}

/// What all wrappers of one remote object share. What each request looks at is together, next to the count of references: with many
/// proxies each place of memory elsewhere is in no cache.
#[repr(C)]
pub struct Proxy {
    peer: Arc<Peer>,
    /// Set with `answers` locked, for good.
    is_counted: AtomicBool,
    /// Set with `watch` locked.
    told: AtomicBool,
    reference: Reference,
    shares: AtomicU64,
    answers: Mutex<Answers>,
    answered: Condvar,
    descriptor: OnceLock<String>,
    watch: Mutex<Watch>,
    callback_ended: Condvar,
}

impl Proxy {
    /// A proxy whose share has come with the reference.
    pub(super) fn counted(peer: &Arc<Peer>, reference: Reference) -> Self {
        Self::new(peer, reference, 1, Hold::Counted)
    }

    /// A proxy for whose share the stub's process is being asked.
    pub(super) fn asked(peer: &Arc<Peer>, reference: Reference) -> Self {
        Self::new(peer, reference, 0, Hold::Asked)
    }

    fn new(peer: &Arc<Peer>, reference: Reference, shares: u64, hold: Hold) -> Self {
        Self {
            peer: Arc::clone(peer),
            is_counted: AtomicBool::new(hold == Hold::Counted),
            told: AtomicBool::new(false),
            reference,
            shares: AtomicU64::new(shares),
            answers: Mutex::new(Answers { hold, asked: 0, answered: 0, waited_in_vain: false }),
            answered: Condvar::new(),
            descriptor: OnceLock::new(),
            watch: Mutex::default(),
            callback_ended: Condvar::new(),
        }
    }

    /// The stub's process.
    pub fn peer(&self) -> &Arc<Peer> {
        &self.peer
    }

    /// How the stub is named to others.
    pub fn reference(&self) -> Reference {
        self.reference
    }

    /// The stub's descriptor, if it has been asked for.
    pub fn descriptor(&self) -> &OnceLock<String> {
        &self.descriptor
    }

    /// One more share has come with a message of the stub's process.
    pub(super) fn add_share(&self) {
        self.shares.fetch_add(1, Ordering::Relaxed);
        self.settle(Hold::Counted);
    }

    /// The stub's process is being asked for a share, for the time with the number that is returned.
    pub(super) fn note_asked(&self) -> u64 {
        let mut answers = self.answers.lock();
        answers.asked += 1;
        answers.asked
    }

    /// The stub's process has answered.
    pub(super) fn set_answer(&self, granted: bool) {
        if granted {
            self.shares.fetch_add(1, Ordering::Relaxed);
        }
        self.answers.lock().answered += 1;
        self.settle(if granted { Hold::Counted } else { Hold::Refused });
    }

    /// One share is enough to call the stub, whatever becomes of questions for more.
    fn settle(&self, now: Hold) {
        let mut answers = self.answers.lock();
        if answers.hold != Hold::Counted {
            answers.hold = now;
            self.is_counted.store(now == Hold::Counted, Ordering::Release);
        }
        self.answered.notify_all();
    }

    /// Waits until the stub's process has answered whether the proxy may call the stub; `false` where it may not, or is dead.
    #[inline]
    pub fn wait_for_hold(&self) -> bool {
        self.is_counted.load(Ordering::Acquire) || self.wait_for_answers()
    }

    #[cold]
    fn wait_for_answers(&self) -> bool {
        let mut answers = self.answers.lock();
        loop {
            match answers.hold {
                Hold::Counted => return true,
                Hold::Refused => return false,
                Hold::Asked if self.peer.is_dead() => return false,
                Hold::Asked => self.answered.wait(&mut answers),
            }
        }
    }

    /// The same, but for a process that does not answer for so long. That is waited for once, and then counts as a refusal here.
    pub fn wait_for_hold_within(&self, patience: Duration) -> bool {
        let give_up = Instant::now() + patience;
        let mut answers = self.answers.lock();
        while answers.hold == Hold::Asked && !answers.waited_in_vain && !self.peer.is_dead() {
            answers.waited_in_vain = !self.answered.wait_until(&mut answers, give_up);
        }
        answers.hold == Hold::Counted
    }

    /// Waits until the stub's process has answered for the time with this number. So who asks again and again does so no faster than it
    /// answers.
    pub fn wait_for_answer(&self, number: u64) {
        let mut answers = self.answers.lock();
        while answers.answered < number && !self.peer.is_dead() {
            self.answered.wait(&mut answers);
        }
    }

    /// The stub's process is dead: nobody waits for its answer any more.
    pub(super) fn end_waits(&self) {
        let _answers = self.answers.lock();
        self.answered.notify_all();
    }

    /// Whether the stub's process is known to be dead, or has said that there is no such stub.
    pub fn is_dead(&self) -> bool {
        if self.peer.is_unreachable() && !self.peer.is_inherited() {
            return false;
        }
        self.peer.is_dead() || self.answers.lock().hold == Hold::Refused
    }

    /// Whether the death was told to a recipient.
    pub fn death_told(&self) -> bool {
        !self.peer.is_inherited() && self.told.load(Ordering::Acquire)
    }

    /// Adds a recipient, which keeps the proxy alive. `Ok(true)` where the stub is dead already: the caller is to see to it
    /// that [`Self::tell_death`] runs.
    ///
    /// # Errors
    /// The death has been told already.
    pub fn add_recipient(self: &Arc<Self>, recipient: Arc<DeathRecipient>) -> Result<bool, DeathError> {
        if self.peer.is_inherited() {
            return Err(DeathError::Inherited);
        }
        {
            let mut watch = self.watch.lock();
            if self.told.load(Ordering::Relaxed) || (self.is_dead() && Mutation::LateRecipientsAreRefused.is_on()) {
                return Err(DeathError::AlreadyTold);
            }
            if Mutation::EntriesAreMerged.is_on() {
                watch.recipients.retain(|entry| !Arc::ptr_eq(entry, &recipient));
            }
            recipient.note_added();
            order::hand_over(&*self.peer);
            watch.recipients.push_back(recipient);
        }
        self.peer.watch(self);
        Ok(self.is_dead())
    }

    /// Removes one entry of the recipient.
    ///
    /// # Errors
    /// There is none, or the stub is dead.
    pub fn remove_recipient(&self, recipient: &Arc<DeathRecipient>) -> Result<(), DeathError> {
        if self.peer.is_inherited() {
            return Err(DeathError::Inherited);
        }
        let (removed, last) = {
            let mut watch = self.watch.lock();
            if (self.told.load(Ordering::Relaxed) || self.is_dead()) && !Mutation::TheDeadLoseRecipients.is_on() {
                return Err(DeathError::AlreadyTold);
            }
            let position = watch.recipients.iter().position(|entry| Arc::ptr_eq(entry, recipient));
            let position = position.ok_or(DeathError::NotRegistered)?;
            let removed = watch.recipients.remove(position);
            if Mutation::RemoveTakesAllEntries.is_on() {
                watch.recipients.retain(|entry| !Arc::ptr_eq(entry, recipient));
            }
            if Mutation::RemovedEntriesAreTold.is_on() {
                watch.recipients.extend(removed.clone());
            }
            (removed, watch.recipients.is_empty())
        };
        recipient.note_used();
        if Mutation::RemovedRecipientsStay.is_on() {
            std::mem::forget(removed.clone());
        }
        drop(removed);
        if last {
            self.peer.unwatch(self);
        }
        Ok(())
    }

    /// Whether any recipient is registered.
    pub(super) fn has_recipients(&self) -> bool {
        !self.watch.lock().recipients.is_empty()
    }

    /// Has the stub count as dead for all who have this proxy, for a mutation.
    pub fn lose_hold(&self) {
        self.answers.lock().hold = Hold::Refused;
        self.is_counted.store(false, Ordering::Release);
    }

    /// Forgets all recipients, for a mutation.
    pub fn lose_recipients(&self) {
        let lost = std::mem::take(&mut self.watch.lock().recipients);
        drop(lost);
    }

    /// Tells each entry once, in the order of registration and one after the other; only a callback that does not return does not
    /// keep the others waiting for long. `help` is asked for another thread that calls this too, for the case that one does not.
    /// Nothing is locked while a callback runs.
    pub fn tell_death(&self, help: impl Fn()) {
        while let Some((recipient, began, is_last)) = self.next_to_tell() {
            if !is_last {
                help();
            }
            if !Mutation::HandlesTakeEntriesAlong.is_on() || Arc::strong_count(&recipient) > 1 {
                recipient.tell();
            }
            order::hand_over(self);
            if Mutation::DeathIsToldTwice.is_on() {
                recipient.tell();
            }
            let mut watch = self.watch.lock();
            if watch.telling == Some(began) {
                watch.telling = None;
            }
            self.callback_ended.notify_all();
        }
        self.peer.unwatch(self);
    }

    fn next_to_tell(&self) -> Option<(Arc<DeathRecipient>, Instant, bool)> {
        let mut watch = self.watch.lock();
        while let Some(began) = watch.telling
            && !watch.recipients.is_empty()
            && (self.callback_ended.wait_until(&mut watch, began + CALLBACK_PATIENCE)
                || Mutation::CallbacksWaitForEver.is_on())
        {}
        let reversed = Mutation::CallbacksComeInReverse.is_on();
        let recipient = if reversed { watch.recipients.pop_back()? } else { watch.recipients.pop_front()? };
        order::take_over(self);
        order::take_over(&*self.peer);
        let began = Instant::now();
        self.told.store(!Mutation::NoticeIsForgotten.is_on(), Ordering::Release);
        watch.telling = Some(began);
        Some((recipient, began, watch.recipients.is_empty()))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if self.peer.is_inherited() {
            return;
        }
        let shares = *self.shares.get_mut();
        self.peer.forget_proxy(self, shares);
    }
}
