// SPDX-License-Identifier: Apache-2.0
//! The one runtime of a process: made at the first use, never unmade.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::sys::lock::Mutex;

use super::connections::Connections;
use super::death_watch::DeathWatch;
use super::listening::LISTENER;
use super::lookout::{LOOKOUT, Lookout};
use super::settling::Settling;
use super::threads::Threads;
use super::wait_policy::YieldGuard;
use super::worker_pool::{Job, WorkerPool};
use super::{control_thread, handshakes, worker};
use crate::host::mutation::Mutation;
use crate::host::settings::Settings;
use crate::object::{Exports, Peer, Remains, Stub};
use crate::sys::epoll::Epoll;
use crate::sys::fork::ParentOnlyFd;
use crate::sys::per_process::PerProcess;
use crate::sys::shortage::Explained;
use crate::sys::{process, reserve, socket};
use crate::transport::Own;
use crate::transport::room::Room;
use crate::transport::wire::{Address, Refusal};

/// Why there is no use of the runtime.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The system refuses something.
    #[error("inter-process communication cannot start, {step} failed: {}", Explained(error))]
    Step {
        /// What for.
        step: &'static str,
        /// How.
        error: io::Error,
    },
    /// It gives no memory any more, and what there is for that case is to end what has begun.
    #[error("memory is short, nothing new is begun: raise its limit (ulimit -v), or free some")]
    NoMemory,
}

impl StartError {
    fn at(step: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Step { step, error }
    }
}

/// The runtime of this process.
pub struct Process {
    /// What it shows to its peers.
    pub own: Arc<Own>,
    /// Its stubs that others may ask for.
    pub exports: Arc<Exports>,
    /// Its room for received messages.
    pub room: &'static Room,
    pub(super) listener: ParentOnlyFd,
    pub(super) epoll: Arc<Epoll>,
    pub(super) connections: Connections,
    pub(super) workers: WorkerPool,
    pub(super) threads: Threads,
    pub(super) death_watch: DeathWatch,
    pub(super) yields: YieldGuard,
    pub(super) lookout: Lookout,
    pub(super) settling: Settling,
    running: AtomicBool,
    /// Held while the threads are started; whether the control thread has been. A worker that could not be started can be the next time.
    controlled: Mutex<bool>,
    handling: AtomicUsize,
}

static CURRENT: PerProcess<Process> = PerProcess::new();

impl Process {
    /// The runtime, if it has started in this very process and not in one that forked it.
    #[inline]
    pub fn started() -> Option<&'static Self> {
        CURRENT.get()
    }

    /// The runtime, started if need be.
    #[inline]
    pub fn current() -> Result<&'static Self, StartError> {
        if reserve::is_low() {
            return Err(StartError::NoMemory);
        }
        match CURRENT.get() {
            Some(process) if process.is_running() => Ok(process),
            _ => Self::start(),
        }
    }

    #[cold]
    fn start() -> Result<&'static Self, StartError> {
        // What they say of the environment is said before the runtime is in the making: a callback for it may need the runtime.
        Settings::of_process();
        ipckit_log::inner::carry_with(carry_line);
        let process = CURRENT.get_or_make(Self::create)?;
        process.start_threads()?;
        Ok(process)
    }

    fn create() -> Result<Self, StartError> {
        let settings = Settings::of_process();
        // Reads files; on a worker that would be at a time when the program counts its descriptors.
        process::processors();
        let address = process::random().map_err(StartError::at("getting random bytes (getrandom)"))?;
        let address = Address(address);
        let own = Own::create(address, settings.token_id)
            .map(Arc::new)
            .map_err(StartError::at("making shared memory (memfd_create)"))?;
        let listener = socket::listen(&address.socket_name()).map_err(StartError::at("listening"))?;
        let listener = ParentOnlyFd::new(listener);
        let epoll = Epoll::new().map_err(StartError::at("making an epoll"))?;
        epoll.add(listener.fd(), LISTENER).map_err(StartError::at("waiting for connections"))?;
        let lookout = Lookout::new(settings.late_looks).map_err(StartError::at("making a timer"))?;
        epoll.add(lookout.fd(), LOOKOUT).map_err(StartError::at("waiting for a timer"))?;
        Ok(Self {
            exports: Exports::new(address),
            room: Room::new(&own, settings.receive_room as u64),
            own,
            listener,
            epoll: Arc::new(epoll),
            connections: Connections::default(),
            workers: WorkerPool::default(),
            threads: Threads::default(),
            death_watch: DeathWatch::default(),
            yields: YieldGuard::default(),
            lookout,
            settling: Settling::default(),
            running: AtomicBool::new(false),
            controlled: Mutex::new(false),
            handling: AtomicUsize::new(0),
        })
    }

    fn is_running(&self) -> bool {
        self.running.load(Ordering::Acquire)
    }

    /// The threads need the runtime's final place, so they come after it.
    fn start_threads(&'static self) -> Result<(), StartError> {
        let mut controlled = self.controlled.lock();
        if self.is_running() {
            return Ok(());
        }
        if !*controlled {
            control_thread::start(self).map_err(StartError::at("starting a thread"))?;
            *controlled = true;
        }
        worker::start_another(self).map_err(StartError::at("starting a thread"))?;
        for _ in 1..if Mutation::PoolIsStartedWhole.is_on() { 17 } else { 1 } {
            worker::start_another(self).map_err(StartError::at("starting a thread"))?;
        }
        self.running.store(true, Ordering::Release);
        Ok(())
    }

    /// Takes note that a request is being handled, until the result is dropped.
    pub(super) fn note_handling(&'static self) -> Handling {
        self.handling.fetch_add(1, Ordering::AcqRel);
        Handling(self)
    }

    /// Whether any request is being handled.
    pub fn is_handling(&self) -> bool {
        self.handling.load(Ordering::Acquire) != 0
    }

    /// Sets how many workers the pool may have. Those that there are stay.
    pub fn set_most_workers(&'static self, most: usize) {
        if Mutation::SetMaxIsIgnored.is_on() {
            return;
        }
        self.workers.most.store(most, Ordering::Relaxed);
        // Requests may be waiting for workers that there could not be before.
        if !Mutation::RaisingStartsNobody.is_on() {
            worker::see_to_work(self);
        }
    }

    /// Has a worker run something.
    pub fn run_on_worker(&'static self, task: Box<dyn FnOnce() + Send>) {
        self.give_job(Job::Task(task));
    }

    pub(super) fn give_job(&'static self, job: Job) {
        self.workers.push(job);
        worker::see_to_work(self);
    }

    /// Lets go of stubs, on a worker where that may run the user's code. A peer can bring this about as often as it likes, so no more is
    /// handed on than stubs end.
    pub(super) fn let_go(&'static self, stubs: impl IntoIterator<Item = Arc<Stub>>) {
        let ended: Vec<_> = stubs.into_iter().filter_map(Stub::give_up).collect();
        if !ended.is_empty() {
            self.give_job(Job::Drop(Box::new(ended)));
        }
    }

    /// Takes back whatever any peer holds of a stub, for a mutation.
    pub fn take_back_from_all(&self, stub: &Stub) {
        for peer in self.connections.connected() {
            while peer.granted(stub.number()).is_some() {
                drop(peer.revoke(stub.number()));
            }
        }
    }

    /// Takes note of a peer's death: whoever waits for it is woken, and workers do what is left to do.
    pub(super) fn note_death(&'static self, peer: &Arc<Peer>) {
        if let Some(remains) = peer.mark_dead() {
            self.clear_up(peer, remains);
        }
    }

    /// Takes note that a peer, which may live, could not be connected to for want of what the system gives. Nobody is told of a death, and
    /// the next reference to one of its stubs tries anew.
    pub(super) fn note_unreachable(&'static self, peer: &Arc<Peer>) {
        if let Some(remains) = peer.mark_unreachable() {
            self.clear_up(peer, remains);
        }
    }

    /// Takes note that a peer does not get a channel. One that could have had it but for want of what the system gives may live.
    pub(super) fn give_peer_up(&'static self, peer: &Arc<Peer>, is_short: bool) {
        if is_short {
            self.note_unreachable(peer);
        } else {
            self.note_death(peer);
        }
    }

    fn clear_up(&'static self, peer: &Arc<Peer>, remains: Remains) {
        let is_dead = !peer.is_unreachable();
        for socket in self.connections.forget_peer(peer) {
            if !is_dead {
                // It waits for the handshake that has just failed.
                handshakes::refuse(&socket, Refusal::Resources);
            }
            self.epoll.remove(socket.fd());
        }
        let channel = peer.channel();
        if let Some(channel) = channel {
            // A peer that only says that it is dead is no peer any more either.
            channel.hang_up();
        }
        if is_dead && Mutation::ADeathTakesAllShares.is_on() {
            for other in self.connections.connected() {
                self.let_go(other.close_grants());
            }
        }
        let most = if Mutation::OneStubsDeathIsTold.is_on() { 1 } else { usize::MAX };
        for proxy in remains.watched.iter().filter(|_| is_dead && !Mutation::DeathsAreNotTold.is_on()).take(most) {
            if Mutation::DeathIsToldOnAnInnerThread.is_on() {
                proxy.tell_death(|| {});
            }
            self.workers.push(Job::Death(Arc::clone(proxy)));
        }
        let lent = if is_dead && !Mutation::LendsToTheDeadStay.is_on() {
            self.exports.end_all_lends(peer.address())
        } else {
            Vec::new()
        };
        if channel.is_none() && remains.is_empty() && lent.is_empty() {
            // References to processes that are not there cost next to nothing, however many a peer sends.
            return;
        }
        self.workers.push(Job::Drain(Arc::clone(peer)));
        self.workers.push(Job::Drop(Box::new((remains, lent))));
        self.settling.forget(peer.address());
        // The dead peer may have claimed a worker without having rung its bell.
        self.own.doorbells.wake_all_workers();
        worker::see_to_work(self);
    }
}

/// Takes a line for the user's callback to a worker.
fn carry_line(line: ipckit_log::inner::Written) {
    match Process::started() {
        Some(process) => process.run_on_worker(Box::new(move || line.tell())),
        None => line.tell(),
    }
}

/// A request is being handled.
pub(super) struct Handling(&'static Process);

impl Drop for Handling {
    fn drop(&mut self) {
        self.0.handling.fetch_sub(1, Ordering::AcqRel);
    }
}
