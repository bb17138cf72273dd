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
use crate::sys::lock::Mutex;
use crate::sys::shortage::Explained;
use crate::sys::{fork, process, thread};
use crate::transport::SameCore;

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
        if Mutation::WorkersAreCancelled.is_on() {
            thread::allow_cancellation();
        }
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

/// The same where peers have been announced that somebody else is to serve.
pub(super) fn see_to_announced(process: &'static Process) {
    if process.own.doorbells.any_pending() {
        see_to_work(process);
    }
}

struct Worker {
    process: &'static Process,
    /// Whose rings to look at first: who sent the last work.
    last: Option<Arc<Peer>>,
    /// Whose turn it was.
    jobs_first: bool,
    /// Counted as free: it has no work, or all that is left of its work is to tell the caller.
    is_free: Cell<bool>,
    /// Whether looking has paid lately.
    score: u32,
    /// Whether the callers seem to be on the same processor: then looking only keeps them from running.
    same_core: SameCore,
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
            is_free: Cell::new(false),
            score: MOST_SCORE,
            same_core: SameCore::default(),
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
            self.become_free();
            if !self.look() {
                self.sleep();
                if self.process.own.doorbells.any_pending_nested() {
                    // Their threads do not wait any more, or would have come for them.
                    waiting::sort_nested_requests(self.process);
                }
            }
        }
        identity::end_forked_child(generation);
        self.become_busy();
    }

    fn become_free(&self) {
        if !self.is_free.replace(true) {
            self.process.workers.set_free();
        }
    }

    fn become_busy(&self) {
        if self.is_free.replace(false) {
            self.process.workers.set_busy();
        }
    }

    /// Does some work, if there is any: for who sent the last, unless others have some too. Then the oldest comes first.
    fn work(&mut self) -> Did {
        let Some(last) = self.last.take_if(|peer| !peer.is_dead()) else {
            self.last = None;
            return self.other_work();
        };
        if self.process.workers.has_jobs() || self.any_announced() {
            if let Some(channel) = last.channel()
                && channel.has_work()
            {
                self.process.own.doorbells.set_pending(channel.number());
            }
            self.last = Some(last);
            return self.other_work();
        }
        let served = self.serve_peer(&last);
        self.last = Some(last);
        served
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
        self.become_busy();
        self.see_to_the_rest();
        self.run(job)
    }

    /// Serves the peer, of those that say they have work, whose work has waited longest.
    fn serve_oldest(&mut self) -> Did {
        let ready = &self.process.workers.ready;
        let oldest_work = |peer: &Peer| peer.channel()?.oldest_work();
        if self.process.own.doorbells.any_pending() {
            let pending = self.process.own.doorbells.take_pending();
            let peers = pending.into_iter().flat_map(|bit| self.process.connections.peers_of_bit(bit));
            ready.add(peers, oldest_work);
        }
        while ready.any() {
            let Some(oldest) = ready.take_oldest(oldest_work) else { return Did::Nothing };
            let served = self.serve_peer(&oldest);
            self.last = Some(oldest);
            if served != Did::Nothing {
                return served;
            }
        }
        Did::Nothing
    }

    /// Whether peers have said that they have work.
    fn any_announced(&self) -> bool {
        self.process.workers.ready.any() || self.process.own.doorbells.any_pending()
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
        if Mutation::QueuesAreEmptiedFirst.is_on() && !channel.has_async() && self.any_async() {
            return Did::Nothing;
        }
        let request_first = std::mem::take(&mut self.request_first) && !Mutation::QueuesAreEmptiedFirst.is_on();
        let request = if request_first { channel.take_request() } else { channel.take_request_in_turn() };
        if let Some(request) = request {
            self.become_busy();
            self.see_to_the_rest_of(peer);
            // Free from just before the answer: the caller's next request may come before this thread runs on, and is not to start
            // another worker.
            dispatch::handle_request(self.process, peer, &request, || self.become_free());
            return Did::Request;
        }
        if !channel.has_async() {
            return Did::Nothing;
        }
        self.become_busy();
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
            Job::Death(_) if Mutation::QueuesAreEmptiedFirst.is_on() && self.any_async() => self.process.give_job(job),
            Job::Death(proxy) => {
                static ALONE: Mutex<()> = Mutex::new(());
                let _alone = Mutation::DeathsAreToldOneByOne.is_on().then(|| ALONE.lock());
                proxy.tell_death(|| self.process.give_job(Job::Death(Arc::clone(&proxy))));
            }
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
        if dispatch::handle_async(self.process, &stub, is_over) && !Mutation::QueuesThatAreLeftAreLost.is_on() {
            self.process.give_job(Job::Stub(stub));
        }
    }

    /// Whether anything asynchronous is left, for a mutation.
    fn any_async(&self) -> bool {
        let has_async = |peer: Arc<Peer>| peer.channel().is_some_and(|channel| channel.has_async());
        self.process.is_handling() || self.process.connections.connected().into_iter().any(has_async)
    }

    /// Whether there is work besides what this worker is at, and no worker that is free.
    fn others_wait(&self) -> bool {
        !self.process.workers.any_free()
            && (self.process.workers.has_jobs() || self.any_announced())
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
        let is_left = self.process.workers.has_jobs() || self.any_announced();
        if is_left || !self.process.workers.any_free() {
            see_to_work(self.process);
        }
    }

    /// Whether there is work, as far as a worker can tell that looks at one peer.
    fn sees_work(&self) -> bool {
        self.last.as_ref().and_then(|peer| peer.channel()).is_some_and(|channel| channel.has_work())
            || self.any_announced()
            || self.process.workers.has_jobs()
    }

    /// Looks for work for a while; `true` where there is some.
    fn look(&mut self) -> bool {
        if self.score == 0 {
            return self.sees_work();
        }
        let all_lookers = self.process.own.status.lookers();
        let most = u32::try_from(process::processors()).unwrap_or(u32::MAX).max(2);
        let lookers = self.last.as_ref().and_then(|peer| peer.channel()).map(|channel| channel.outgoing().lookers());
        if !wakeups::begin_look(all_lookers, lookers, most) {
            return self.sees_work();
        }
        let found = self.look_and_yield();
        wakeups::end_look(all_lookers, lookers);
        if found {
            self.score = (self.score + 1).min(MOST_SCORE);
        }
        found || self.sees_work()
    }

    fn look_and_yield(&self) -> bool {
        let start = thread::nanoseconds();
        if self.same_core.looks_first() {
            let has_paid = self.same_core.is_other_core();
            if wait_policy::look(start, has_paid, || self.sees_work().then_some(())).is_some() {
                self.same_core.came_while_looking();
                return true;
            }
        }
        self.process.yields.look(start, &self.same_core, || self.sees_work().then_some(())).is_some()
    }

    /// Sleeps until somebody rings.
    fn sleep(&mut self) {
        let start = Instant::now();
        let Some(bell) = self.process.workers.take_bell() else {
            // Nobody rings for this worker at a death.
            self.last = None;
            self.process.workers.wait_for_bell();
            return;
        };
        let is_counted = self.process.lookout.counts();
        if is_counted {
            self.process.workers.begin_sleep();
        }
        // Who dies after this look rings: a worker that slept on would keep all that there is of the dead peer.
        let sees_reason = || self.sees_work() || self.last.as_ref().is_some_and(|peer| peer.is_dead());
        if wakeups::sleep_as_worker(&self.process.own.doorbells, bell, sees_reason) {
            self.rung_for_nothing = !self.sees_work();
        }
        if is_counted {
            self.process.workers.end_sleep();
        }
        self.process.workers.return_bell(bell);
        self.score = if start.elapsed() < LOOK_AND_YIELD {
            (self.score + 1).min(MOST_SCORE)
        } else {
            self.score.saturating_sub(1)
        };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;
    use crate::transport::wire::Address;

    #[test]
    fn nobody_sleeps_with_what_is_left_of_a_dead_peer() {
        let process = Process::current().expect("the runtime");
        let peer = Peer::connecting(Address([9; 16]));
        // As where the death is noted, and everybody rung for, just before a worker that has served the peer goes to sleep.
        drop(peer.mark_dead());
        let (awake, wakes) = mpsc::channel();
        std::thread::spawn(move || {
            let mut worker = Worker { last: Some(peer), ..Worker::new(process) };
            worker.sleep();
            awake.send(()).expect("the test waits");
        });
        wakes.recv_timeout(Duration::from_secs(60)).expect("it does not sleep");
    }
}
