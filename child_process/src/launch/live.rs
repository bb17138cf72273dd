// SPDX-License-Identifier: Apache-2.0
//! Which children live: how many, and the limits; whom a process id means.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use ipckit_threads::lock::Mutex;

use super::settings::Settings;
use crate::mutation::Mutation;
use crate::protocol::Task;
use crate::sys::guardian::Guardian;

/// The children of a process.
#[derive(Debug, Default)]
pub(super) struct Live {
    counts: Arc<Counts>,
    guardians: Mutex<Vec<Weak<Guardian>>>,
}

#[derive(Debug, Default)]
struct Counts {
    connected: AtomicUsize,
    all: AtomicUsize,
}

/// One child's place, free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    counts: Arc<Counts>,
    task: Task,
}

impl Live {
    /// A place for one more child; the error is how many live already, where no more may.
    pub(super) fn reserve(&self, task: Task, settings: &Settings) -> Result<Place, usize> {
        let add = |count: &AtomicUsize, most: usize| {
            let most = most + usize::from(Mutation::OneChildMoreMayLive.is_on());
            let more = |count| (count < most).then_some(count + 1);
            count.fetch_update(Ordering::AcqRel, Ordering::Acquire, more)
        };
        add(&self.counts.all, settings.most)?;
        // A place among all, given back where there is none among those made by Create.
        let mut place = Place { counts: Arc::clone(&self.counts), task: Task::Run };
        if task == Task::Connect || Mutation::ChildrenOfStartTakeAPlace.is_on() {
            add(&self.counts.connected, settings.most_connected)?;
            place.task = Task::Connect;
        }
        Ok(place)
    }

    /// Makes a child known, until its guardian is dropped.
    pub(super) fn add(&self, guardian: &Arc<Guardian>) {
        let mut guardians = self.guardians.lock();
        guardians.retain(|known| known.strong_count() > 0);
        guardians.push(Arc::downgrade(guardian));
    }

    /// Kills the child of this process id; `false` where no child has it that lives.
    pub(super) fn kill(&self, pid: i32) -> bool {
        let guardians: Vec<_> = self.guardians.lock().iter().filter_map(Weak::upgrade).collect();
        guardians
            .iter()
            .any(|guardian| guardian.child() == Some(pid) && (Mutation::KillsAreOnlyClaimed.is_on() || guardian.kill()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.counts.all.fetch_sub(1, Ordering::AcqRel);
        if self.task == Task::Connect {
            self.counts.connected.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn settings(most_connected: usize, most: usize) -> Settings {
        Settings { start_timeout: Duration::ZERO, head_start: Duration::ZERO, most_connected, most }
    }

    #[test]
    fn the_limit_holds_and_an_ended_child_makes_room() {
        let (live, two) = (Live::default(), settings(2, 9));
        let first = live.reserve(Task::Connect, &two).unwrap();
        let _second = live.reserve(Task::Connect, &two).unwrap();
        assert_eq!(live.reserve(Task::Connect, &two).unwrap_err(), 2);
        drop(first);
        let _third = live.reserve(Task::Connect, &two).unwrap();
        assert_eq!(live.reserve(Task::Connect, &two).unwrap_err(), 2);
        assert!(live.reserve(Task::Connect, &settings(3, 9)).is_ok());
    }

    #[test]
    fn children_of_either_kind_count_among_all() {
        let (live, limits) = (Live::default(), settings(1, 2));
        let connected = live.reserve(Task::Connect, &limits).unwrap();
        // Refused twice: a refusal takes no place.
        for _ in 0..2 {
            assert_eq!(live.reserve(Task::Connect, &limits).unwrap_err(), 1);
        }
        let _run = live.reserve(Task::Run, &limits).unwrap();
        assert_eq!(live.reserve(Task::Run, &limits).unwrap_err(), 2);
        assert_eq!(live.reserve(Task::Connect, &limits).unwrap_err(), 2);
        drop(connected);
        let _run = live.reserve(Task::Run, &limits).unwrap();
        assert_eq!(live.reserve(Task::Connect, &limits).unwrap_err(), 2);
    }

    #[test]
    fn no_children_may_mean_none() {
        assert!(Live::default().reserve(Task::Run, &settings(0, 0)).is_err());
    }

    #[test]
    fn a_process_id_of_nobody_kills_nobody() {
        for pid in [-1, 0, 1, std::process::id() as i32] {
            assert!(!Live::default().kill(pid));
        }
    }
}
