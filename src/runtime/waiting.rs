// SPDX-License-Identifier: Apache-2.0
//! A caller waits for its reply: it looks, yields, sleeps, and handles the requests that its own call leads back to it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::dispatch;
use super::process::Process;
use super::threads::CallingThread;
use super::wait_policy::{self, SLEEP, since};
use super::worker_pool::Job;
use crate::host::mutation::Mutation;
use crate::object::Peer;
use crate::shm::atomics::{AtomicU32, Ordering, fence};
use crate::shm::layout::RecordContent;
use crate::sys::{futex, thread};
use crate::transport::{CallSlot, Channel};

/// A sleeper that looks in vain looks ever more rarely, down to this.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// What a look has found.
enum Seen {
    Reply(RecordContent),
    /// The bell has rung.
    Rung,
    Dead,
}

/// A call that waits.
pub(super) struct Wait<'a> {
    process: &'static Process,
    peer: &'a Arc<Peer>,
    channel: &'a Arc<Channel>,
    slot: &'a CallSlot,
    thread: &'a CallingThread,
    bell: &'static AtomicU32,
    /// What the bell said when it was last looked into why.
    heard: u32,
    /// When the wait began, or last went on, in nanoseconds of the monotonic clock.
    start: u64,
    /// The request is for any worker, and none has been told of it yet.
    is_unannounced: bool,
    /// How long to sleep at the most.
    sleep: Duration,
}

impl<'a> Wait<'a> {
    /// Before the request is published: what comes back from then on is noticed. `is_unannounced` where publishing it tells nobody.
    pub(super) fn begin(
        process: &'static Process,
        (peer, channel): (&'a Arc<Peer>, &'a Arc<Channel>),
        slot: &'a CallSlot,
        thread: &'a CallingThread,
        (start, is_unannounced): (u64, bool),
    ) -> Self {
        thread.begin_wait();
        let bell = process.own.doorbells.bell(thread.bell());
        let heard = bell.load(Ordering::SeqCst);
        Self { process, peer, channel, slot, thread, bell, heard, start, is_unannounced, sleep: SLEEP }
    }

    #[inline]
    fn see(&self) -> Option<Seen> {
        if let Some(reply) = self.channel.reply(self.slot) {
            return Some(Seen::Reply(reply));
        }
        if self.bell.load(Ordering::Acquire) != self.heard {
            return Some(Seen::Rung);
        }
        if self.channel.is_dead() && !Mutation::DeathWakesNobody.is_on() {
            // A reply that was published before the death counts.
            return Some(self.channel.reply(self.slot).map_or(Seen::Dead, Seen::Reply));
        }
        None
    }

    /// Waits until the reply is there; `None` where the peer is dead and has not replied.
    pub(super) fn for_reply(&mut self) -> Option<RecordContent> {
        loop {
            let seen = self.look_first().unwrap_or_else(|| {
                let seen = self.yield_and_look().unwrap_or_else(|| self.sleep());
                self.channel.latency().note(since(self.start));
                seen
            });
            match seen {
                Seen::Reply(reply) => return Some(reply),
                Seen::Dead => return None,
                Seen::Rung => self.answer_bell(),
            }
            self.start = thread::nanoseconds();
        }
    }

    /// Looks for a moment, where that pays. A peer that answers so soon has a worker that looks: it need not be told of the request
    /// unless it does not.
    #[inline]
    fn look_first(&mut self) -> Option<Seen> {
        let latency = self.channel.latency();
        if latency.same_core.looks_first() {
            let is_short = latency.is_short();
            if !is_short {
                self.announce();
            }
            if let Some(seen) = wait_policy::look(self.start, is_short, || self.see()) {
                latency.came_while_looking();
                return Some(seen);
            }
        }
        self.announce();
        None
    }

    fn announce(&mut self) {
        if std::mem::take(&mut self.is_unannounced) {
            self.channel.announce();
        }
    }

    fn yield_and_look(&self) -> Option<Seen> {
        let latency = self.channel.latency();
        if latency.is_long() {
            return None;
        }
        self.process.yields.look(self.start, &latency.same_core, || self.see())
    }

    /// Sleeps until the bell rings, and looks into everything now and then all the same: what is in a doorbell may be garbage.
    fn sleep(&mut self) -> Seen {
        self.channel.begin_caller_sleep(self.slot);
        let seen = self.see().unwrap_or_else(|| {
            let start = Instant::now();
            let looks_late = self.process.lookout.is_on();
            futex::wait(self.bell, self.heard, looks_late.then_some(self.sleep));
            self.see().unwrap_or_else(|| {
                if looks_late && start.elapsed() >= self.sleep {
                    self.channel.rouse();
                    sort_all_nested_requests(self.process);
                    self.sleep = (self.sleep * 2).min(LONGEST_SLEEP);
                }
                Seen::Rung
            })
        });
        self.channel.end_caller_sleep(self.slot);
        seen
    }

    /// Finds out why the bell rang, and handles what has come for this thread.
    fn answer_bell(&mut self) {
        self.heard = self.bell.load(Ordering::SeqCst);
        fence(Ordering::SeqCst);
        sort_nested_requests(self.process);
        while let Some(mail) = self.thread.next_mail() {
            let (peer, request) = *mail;
            dispatch::handle_request(self.process, &peer, &request, || {});
        }
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        for request in self.thread.end_wait() {
            self.process.give_job(Job::Request(request));
        }
        debug_assert!(!self.peer.is_connecting(), "only a connected peer is waited for");
    }
}

/// Takes the requests for waiting threads out of all rings and gives each to its thread, or to a worker where that thread does not wait
/// any more.
pub(super) fn sort_nested_requests(process: &'static Process) {
    let pending = process.own.doorbells.take_pending_nested();
    sort_nested_requests_of(process, pending.into_iter().flat_map(|bit| process.connections.peers_of_bit(bit)));
}

/// The same, whatever the doorbells say: for when they may hold garbage.
pub(super) fn sort_all_nested_requests(process: &'static Process) {
    sort_nested_requests_of(process, process.connections.connected());
}

fn sort_nested_requests_of(process: &'static Process, peers: impl IntoIterator<Item = Arc<Peer>>) {
    for peer in peers {
        let Some(channel) = peer.channel() else { continue };
        while let Some(request) = channel.take_nested_request() {
            for unwanted in process.threads.deliver(process, Box::new((Arc::clone(&peer), request))) {
                process.give_job(Job::Request(unwanted));
            }
        }
    }
}
