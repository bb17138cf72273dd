// SPDX-License-Identifier: Apache-2.0
//! Threads that sleep on the life words of peers, which the kernel marks as soon as it kills.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::sys::lock::Mutex;

use super::process::Process;
use crate::object::Peer;
use crate::shm::LifeWord;
use crate::shm::atomics::AtomicU32;
use crate::sys::futex::{self, Expected, WAIT_ANY_MOST};
use crate::sys::{fork, thread};
use crate::transport::Channel;

/// One word of a wait is the watcher's own, for news of its list.
const PEERS_A_WATCHER: usize = WAIT_ANY_MOST - 1;

struct Watched {
    peer: Arc<Peer>,
    channel: Arc<Channel>,
    /// What the life word said first. Only a death changes it.
    said: Option<u32>,
}

impl Watched {
    /// What the life word says now; `None` where the peer is dead, or is to be taken for dead.
    fn look(&mut self) -> Option<u32> {
        let value = self.channel.incoming().life().load(Ordering::Acquire);
        if LifeWord::says_dead(value) || self.channel.is_dead() {
            return None;
        }
        // It is zero until the peer has told the kernel of it.
        if value != 0 && *self.said.get_or_insert(value) != value || value == 0 && self.said.is_some() {
            self.channel.give_up(format_args!("it has written to the word by which the kernel tells of its death"));
            return None;
        }
        Some(value)
    }
}

#[derive(Default)]
struct Watcher {
    list: Mutex<Vec<Watched>>,
    news: AtomicU32,
}

/// All watchers of this process.
#[derive(Default)]
pub(super) struct DeathWatch {
    watchers: Mutex<Vec<Arc<Watcher>>>,
    /// Without the system call, a socket's hang-up tells of a death, a little later.
    unavailable: AtomicBool,
}

impl DeathWatch {
    /// Watches a peer until it dies.
    pub(super) fn watch(&self, process: &'static Process, peer: &Arc<Peer>, channel: &Arc<Channel>) {
        let watched = Watched { peer: Arc::clone(peer), channel: Arc::clone(channel), said: None };
        let mut watchers = self.watchers.lock();
        if self.unavailable.load(Ordering::Relaxed) {
            return;
        }
        for watcher in watchers.iter() {
            let mut list = watcher.list.lock();
            if list.len() < PEERS_A_WATCHER {
                list.push(watched);
                drop(list);
                watcher.news.fetch_add(1, Ordering::SeqCst);
                futex::wake(&watcher.news, 1);
                return;
            }
        }
        let watcher = Arc::new(Watcher { list: Mutex::new(vec![watched]), news: AtomicU32::new(0) });
        let started = thread::start(|| "ipckit_death".into(), {
            let watcher = Arc::clone(&watcher);
            move || watcher.run(process)
        });
        match started {
            Ok(()) => watchers.push(watcher),
            // The next peer may be luckier.
            Err(error) => ipckit_log::inner::debug(format_args!("a peer's death is told by its hang-up only: {error}")),
        }
    }

    /// A peer is over without having died, perhaps: its watcher is to let go of it.
    pub(super) fn look_again(&self) {
        for watcher in self.watchers.lock().iter() {
            watcher.news.fetch_add(1, Ordering::SeqCst);
            futex::wake(&watcher.news, 1);
        }
    }

    /// There is no waiting for life words here.
    fn give_up(&self, error: &std::io::Error) {
        ipckit_log::inner::debug(format_args!("deaths are told by hang-ups only: {error}"));
        let mut watchers = self.watchers.lock();
        self.unavailable.store(true, Ordering::Relaxed);
        // What the lists hold would stay for ever. It is let go of outside the lock.
        let lists: Vec<_> = watchers.drain(..).map(|watcher| std::mem::take(&mut *watcher.list.lock())).collect();
        drop(watchers);
        drop(lists);
    }
}

impl Watcher {
    fn run(&self, process: &'static Process) {
        thread::ask_for_short_slice();
        let generation = fork::generation();
        while fork::generation() == generation {
            let news = self.news.load(Ordering::SeqCst);
            let mut words = vec![Expected::new(&self.news, news)];
            let mut dead = Vec::new();
            let channels: Vec<_> = {
                let mut list = self.list.lock();
                list.retain_mut(|watched| {
                    let value = watched.look();
                    match value {
                        Some(value) => words.push(Expected::new(watched.channel.incoming().life(), value)),
                        None => dead.push(Arc::clone(&watched.peer)),
                    }
                    value.is_some()
                });
                list.iter().map(|watched| Arc::clone(&watched.channel)).collect()
            };
            if !dead.is_empty() {
                dead.iter().for_each(|peer| process.note_death(peer));
                continue;
            }
            // The channels keep the words mapped while they are waited for.
            let waited = futex::wait_any(&words);
            drop(channels);
            if let Err(error) = waited {
                process.death_watch.give_up(&error);
                return;
            }
        }
    }
}
