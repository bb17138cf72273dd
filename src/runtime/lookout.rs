// SPDX-License-Identifier: Apache-2.0
//! Looks after what was announced and has not been taken: by peers, this process's asynchronous messages; by its own workers, its jobs.
//! Who waits for an answer looks for itself. While nothing is left to be taken, nobody is woken.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use super::connections;
use super::lost_wake_ups::{self, WorkerWatch};
use super::process::Process;
use crate::host::settings::LateLooks;
use crate::sys::lock::Mutex;
use crate::sys::timer::Timer;
use crate::transport::{Channel, FIRST_LOOK, LateLook};

/// The key of the timer among what the control thread waits for; sockets count from below.
pub(super) const LOOKOUT: u64 = u64::MAX;

/// When the control thread is to look.
pub(super) struct Lookout {
    looks: LateLooks,
    timer: Timer,
    due: Mutex<Option<Instant>>,
    jobs: LateLook,
    workers: WorkerWatch,
}

impl Lookout {
    pub(super) fn new(looks: LateLooks) -> io::Result<Self> {
        let (timer, due) = (Timer::new()?, Mutex::default());
        let lookout = Self { looks, timer, due, jobs: LateLook::default(), workers: WorkerWatch::default() };
        if lookout.counts() {
            lookout.look_within(lost_wake_ups::PAUSE);
        }
        Ok(lookout)
    }

    /// Whether there are late looks. Without them a wake-up that is lost leaves something waiting for good.
    pub(super) fn is_on(&self) -> bool {
        self.looks == LateLooks::Help
    }

    /// Whether wake-ups that are lost are counted.
    #[inline]
    pub(super) fn counts(&self) -> bool {
        self.looks == LateLooks::Count
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.timer.fd()
    }

    /// An asynchronous message was sent.
    #[inline]
    pub(super) fn watch(&self, channel: &Channel) {
        if self.is_on() && channel.late_look().begin() {
            self.look_within(FIRST_LOOK);
        }
    }

    /// There is a job, and somebody was to be woken for it.
    pub(super) fn watch_jobs(&self) {
        if self.is_on() && self.jobs.begin() {
            self.look_within(FIRST_LOOK);
        }
    }

    /// Has the control thread look so soon.
    #[cold]
    pub(super) fn look_within(&self, time: Duration) {
        let when = Instant::now() + time;
        let mut due = self.due.lock();
        if due.is_none_or(|due| when < due) {
            *due = Some(when);
            self.timer.set(time);
        }
    }

    /// The time has come.
    pub(super) fn look(&self, process: &'static Process) {
        {
            let mut due = self.due.lock();
            *due = None;
            self.timer.unset();
        }
        if self.counts() {
            self.workers.look(process);
            let again = connections::connect_again(process);
            return self.look_within(again.map_or(lost_wake_ups::PAUSE, |again| again.min(lost_wake_ups::PAUSE)));
        }
        let now = Instant::now();
        let jobs = self.jobs.look(now, || process.workers.jobs_left());
        if jobs.is_some_and(|look| look.wakes) {
            process.own.doorbells.wake_all_workers();
        }
        let peers = process.connections.connected();
        let looks = peers.iter().filter_map(|peer| peer.channel()?.look_after_async(now));
        let again = looks.chain(jobs.map(|look| look.again)).map(|when| when - now);
        if let Some(next) = again.chain(connections::connect_again(process)).min() {
            self.look_within(next);
        }
    }
}
