// SPDX-License-Identifier: Apache-2.0
//! A worker: finds work, handles it, looks a while for more, sleeps.

use std::cell::Cell;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::process::Process;
use super::wait_policy::{self, LOOK_AND_YIELD};
use super::worker_pool::Job;
use super::{dispatch, identity, waiting};
use crate::host::behaviour::{Difference, as_on_a_device};
use crate::host::mutation::Mutation;
use crate::object::{Peer, Stub};
use crate::shm::atomics::fence;
use crate::shm::wakeups;
use crate::sys::shortage::Explained;
use crate::sys::{fork, thread};

/// Asynchronous messages that one worker takes in before it handles some.
const ASYNC_BATCH: usize = 64;

const MOST_SCORE: u32 = 4;

/// What a worker has done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Did {
    Nothing,
    /// Something that was no request.
    Chore,
    Request,
}

thread_local! {
    static STOPPED: Cell<bool> = const { Cell::new(false) };
    static SERVING: Cell<u32> = const { Cell::new(0) };
}

/// Whether the calling thread is a worker that runs something, or handles a request while it waits.
pub fn is_serving() -> bool {
    SERVING.try_with(Cell::get).unwrap_or(0) != 0 || identity::is_handling()
}

/// Makes the calling thread a worker until [`stop`] is called on it.
pub fn join(process: &'static Process) {
    if Mutation::JoinForgetsAnEarlierStop.is_on() {
        STOPPED.set(false);
    }
    if Mutation::JoinedThreadsTakeAPlace.is_on() {
        process.workers.threads.fetch_add(1, Ordering::SeqCst);
    }
    Worker::new(process).serve();
    // It may have left something to others just before.
    see_to_work(process);
}

/// Has the calling thread, as soon as it is a worker and has handled something, cease to be one. That stays so.
pub fn stop() {
    if Mutation::StopIsIgnored.is_on() {
        return;
    }
    if Mutation::StopIsForAnotherThread.is_on()
        && let Some(process) = Process::started()
    {
        return process.run_on_worker(Box::new(|| STOPPED.set(true)));
    }
    let _ = STOPPED.try_with(|stopped| stopped.set(true));
}

fn is_stopped() -> bool {
    STOPPED.try_with(Cell::get).unwrap_or(false)
}

/// Starts one more worker of the pool, if there may be one more.
pub(super) fn start_another(process: &'static Process) -> io::Result<()> {
    if !process.workers.may_start() {
        return Ok(());
    }
    let step = if Mutation::WorkersShareANumber.is_on() { 0 } else { 1 };
    let number = process.workers.numbered.fetch_add(step, Ordering::Relaxed);
    // Free from now on, so that nobody starts yet another one for the same work.
    process.workers.set_free();
    let start = if Mutation::WorkersHaveAnotherName.is_on() { "worker" } else { "OS_IPC" };
    let name = move || format!("{start}_{number}_{}", thread::id());
    let started = thread::start(name, move || {
        process.workers.set_busy();
        Worker::new(process).serve();
        if !as_on_a_device(Difference::StoppedWorker) {
            process.workers.threads.fetch_sub(1, Ordering::SeqCst);
        }
        see_to_work(process);
    });
    if let Err(error) = started {
        process.workers.set_busy();
        process.workers.threads.fetch_sub(1, Ordering::SeqCst);
        return Err(error);
    }
    Ok(())
}

/// Sees to it that somebody comes for work that is there.
pub(super) fn see_to_work(process: &'static Process) {
    fence(Ordering::SeqCst);
    if process.workers.has_jobs() {
        process.lookout.watch_jobs();
    }
    // The pool's own count comes first: who sleeps is said in the doorbells, which may hold garbage.
    if process.workers.any_free() {
        process.own.doorbells.wake_worker();
        return;
    }
    if let Err(error) = start_another(process) {
        // At most so often, as what is said is a job itself where the user has a callback for it.
        ipckit_log::inner::warn_once_a_second(format_args!(
            "no thread for one more worker, requests wait for the workers that there are: {}",
            Explained(&error)
        ));
    }
}

struct Worker {
    process: &'static Process,
    /// Whose rings to look at first: who sent the last work.
    last: Option<Arc<Peer>>,
    /// Whose turn it was.
    jobs_first: bool,
    /// Whether looking has paid lately.
    score: u32,
    /// What was last taken from a peer were asynchronous messages: many may still wait behind them, so a request has its turn now.
    request_first: bool,
    /// The bell has rung, and nothing that is announced explains it.
    rung_for_nothing: bool,
}

impl Worker {
    fn new(process: &'static Process) -> Self {
        Self {
            process,
            last: None,
            jobs_first: false,
            score: MOST_SCORE,
            request_first: false,
            rung_for_nothing: false,
        }
    }

    fn serve(&mut self) {
        let generation = fork::generation();
        while fork::generation() == generation {
            let was_stopped = is_stopped();
            let mut did = self.work();
            if did == Did::Nothing {
                did = self.unannounced_work();
            }
            if did != Did::Nothing {
                // A thread that was stopped before it joined has still to handle a request.
                let counts = did == Did::Request || !was_stopped || Mutation::ChoresCountAsRequests.is_on();
                if (is_stopped() && counts)
                    || Mutation::WorkersServeOnce.is_on()
                    || self.process.workers.is_one_too_many()
                {
                    break;
                }
                continue;
            }
            self.process.workers.set_free();
            let slept = !self.look();
            if slept {
                self.sleep();
            }
            self.process.workers.set_busy();
            if slept && self.process.own.doorbells.any_pending_nested() {
                // Their threads do not wait any more, or would have come for them.
                waiting::sort_nested_requests(self.process);
            }
        }
        identity::end_forked_child(generation);
    }

    /// Does some work, if there is any: for who sent the last, unless others have some too. Then the oldest comes first.
    fn work(&mut self) -> Did {
        self.last.take_if(|peer| peer.is_dead());
        let Some(last) = self.last.clone() else { return self.other_work() };
        if self.process.workers.has_jobs() || self.process.own.doorbells.any_pending() {
            if let Some(channel) = last.channel()
                && channel.has_work()
            {
                self.process.own.doorbells.set_pending(channel.number());
            }
            return self.other_work();
        }
        self.serve_peer(&last)
    }

    /// Does a job, or something for a peer that says it has work: in turns.
    fn other_work(&mut self) -> Did {
        self.jobs_first = !self.jobs_first;
        let first = if self.jobs_first { self.do_job() } else { Did::Nothing };
        if first != Did::Nothing {
            return first;
        }
        let served = self.serve_oldest();
        if served == Did::Nothing { self.do_job() } else { served }
    }

    fn do_job(&mut self) -> Did {
        let Some(job) = self.process.workers.take_job() else { return Did::Nothing };
        self.see_to_the_rest();
        self.run(job)
    }

    /// Serves the peer, of those that say they have work, whose work has waited longest.
    fn serve_oldest(&mut self) -> Did {
        if !self.process.own.doorbells.any_pending() {
            return Did::Nothing;
        }
        let pending = self.process.own.doorbells.take_pending();
        let peers = pending.into_iter().flat_map(|bit| self.process.connections.peers_of_bit(bit));
        let mut chosen: Option<(Arc<Peer>, u32)> = None;
        for peer in peers {
            let Some(channel) = peer.channel() else { continue };
            let Some(sent_at) = channel.oldest_work() else { continue };
            // One at a time, the oldest. The others have their bits again before anything is handled, which may take long.
            let other = match &chosen {
                Some((_, oldest)) if sent_at.wrapping_sub(*oldest).cast_signed() >= 0 => Some(peer),
                _ => chosen.replace((peer, sent_at)).map(|(before, _)| before),
            };
            if let Some(channel) = other.as_ref().and_then(|other| other.channel()) {
                self.process.own.doorbells.set_pending(channel.number());
            }
        }
        let chosen = chosen.map(|(peer, _)| peer);
        let Some(chosen) = chosen else { return Did::Nothing };
        self.last = Some(Arc::clone(&chosen));
        self.serve_peer(&chosen)
    }

    /// Does some work that the doorbells say nothing of: there may have been garbage in them.
    fn unannounced_work(&mut self) -> Did {
        if !self.rung_for_nothing {
            return Did::Nothing;
        }
        waiting::sort_all_nested_requests(self.process);
        let peers = self.process.connections.connected();
        let found = peers.into_iter().find(|peer| peer.channel().is_some_and(|channel| channel.has_work()));
        self.rung_for_nothing = found.is_some();
        self.last = found.or(self.last.take());
        if self.rung_for_nothing { self.work() } else { Did::Nothing }
    }

    /// Handles one request of the peer's, or takes some of its asynchronous messages in: what was sent first.
    fn serve_peer(&mut self, peer: &Arc<Peer>) -> Did {
        let Some(channel) = peer.channel() else { return Did::Nothing };
        let request_first = std::mem::take(&mut self.request_first);
        let request = if request_first { channel.take_request() } else { channel.take_request_in_turn() };
        if let Some(request) = request {
            self.see_to_the_rest_of(peer);
            // Free from just before the answer: the caller's next request may come before this thread runs on, and is not to start
            // another worker.
            let is_free = Cell::new(false);
            dispatch::handle_request(self.process, peer, &request, || {
                self.process.workers.set_free();
                is_free.set(true);
            });
            if is_free.get() {
                self.process.workers.set_busy();
            }
            return Did::Request;
        }
        if !channel.has_async() {
            return Did::Nothing;
        }
        self.request_first = true;
        let mut stubs = dispatch::take_async_in(self.process, ASYNC_BATCH).into_iter();
        let first = stubs.next();
        stubs.for_each(|stub| self.process.workers.push(Job::Stub(stub)));
        // Also where nothing came of it: there may be more, and others looked away meanwhile.
        self.see_to_the_rest_of(peer);
        first.map_or(Did::Chore, |first| self.run(Job::Stub(first)))
    }

    fn run(&self, job: Job) -> Did {
        let _ = SERVING.try_with(|serving| serving.set(serving.get() + 1));
        let mut did = Did::Chore;
        match job {
            Job::Death(proxy) => proxy.tell_death(|| self.process.give_job(Job::Death(Arc::clone(&proxy)))),
            Job::Drain(peer) => {
                if dispatch::drain(self.process, &peer) {
                    did = Did::Request;
                }
            }
            Job::Stub(stub) => {
                self.handle_async(stub);
                did = Did::Request;
            }
            Job::Request(mail) => {
                dispatch::handle_request(self.process, &mail.0, &mail.1, || {});
                did = Did::Request;
            }
            Job::Drop(something) => drop(something),
            Job::Task(task) => task(),
        }
        let _ = SERVING.try_with(|serving| serving.set(serving.get() - 1));
        did
    }

    /// Handles a stub's asynchronous messages. Where this thread was stopped, or others wait and no worker is free for them, it leaves the
    /// rest of them for later: then they wait as long as the others do.
    fn handle_async(&self, stub: Arc<Stub>) {
        let is_over = || (is_stopped() && !Mutation::StoppedThreadsEmptyTheQueue.is_on()) || self.others_wait();
        if dispatch::handle_async(self.process, &stub, is_over) {
            self.process.give_job(Job::Stub(stub));
        }
    }

    /// Whether there is work besides what this worker is at, and no worker that is free.
    fn others_wait(&self) -> bool {
        !self.process.workers.any_free()
            && (self.process.workers.has_jobs() || self.process.own.doorbells.any_pending())
            && !Mutation::QueuesAreEmptiedFirst.is_on()
    }

    /// Before this worker is busy: what it leaves in the peer's rings is to be seen by others.
    fn see_to_the_rest_of(&self, peer: &Arc<Peer>) {
        if let Some(channel) = peer.channel() {
            let lookers = channel.outgoing().lookers();
            wakeups::leave_to_others(|| channel.has_work(), lookers, &self.process.own.doorbells, channel.number());
        }
        self.see_to_the_rest();
    }

    /// Before this worker is busy: work that is left wants another one, and work that may come wants one that is free.
    fn see_to_the_rest(&self) {
        let is_left = self.process.workers.has_jobs() || self.process.own.doorbells.any_pending();
        if is_left || !self.process.workers.any_free() {
            see_to_work(self.process);
        }
    }

    /// Whether there is work, as far as a worker can tell that looks at one peer.
    fn sees_work(&self) -> bool {
        self.last.as_ref().and_then(|peer| peer.channel()).is_some_and(|channel| channel.has_work())
            || self.process.own.doorbells.any_pending()
            || self.process.workers.has_jobs()
    }

    /// Looks for work for a while; `true` where there is some.
    fn look(&mut self) -> bool {
        if self.score == 0 || !self.process.workers.begin_look() {
            return self.sees_work();
        }
        let last = self.last.clone();
        let lookers = last.as_ref().and_then(|peer| peer.channel()).map(|channel| channel.outgoing().lookers());
        if let Some(lookers) = lookers {
            wakeups::begin_look(lookers);
        }
        let found = self.look_and_yield();
        self.process.workers.end_look();
        wakeups::end_look(lookers);
        if found {
            self.score = (self.score + 1).min(MOST_SCORE);
        }
        found || self.sees_work()
    }

    fn look_and_yield(&self) -> bool {
        let start = Instant::now();
        let sees = || self.sees_work().then_some(());
        if wait_policy::look(start, sees).is_some() {
            return true;
        }
        while start.elapsed() < LOOK_AND_YIELD {
            if !self.process.yields.may_yield() {
                return false;
            }
            self.process.yields.yield_now();
            if self.sees_work() {
                return true;
            }
        }
        false
    }

    /// Sleeps until somebody rings.
    fn sleep(&mut self) {
        let start = Instant::now();
        let Some(bell) = self.process.workers.take_bell() else {
            self.process.workers.wait_for_bell();
            return;
        };
        if wakeups::sleep_as_worker(&self.process.own.doorbells, bell, || self.sees_work()) {
            self.rung_for_nothing = !self.sees_work();
        }
        self.process.workers.return_bell(bell);
        self.score = if start.elapsed() < LOOK_AND_YIELD {
            (self.score + 1).min(MOST_SCORE)
        } else {
            self.score.saturating_sub(1)
        };
    }
}
