// SPDX-License-Identifier: Apache-2.0
//! A count of wake-ups that were lost, for tests: looks that find what somebody should have been woken for, and was not.
//!
//! What is found is not counted at once: who has published something may just be about to ring. So it is looked at for some time, and counts
//! only where nobody has been woken all that time. A process looks at itself: from outside one that is stopped looks the same.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::process::Process;
use crate::shm::atomics::AtomicU32 as Bell;
use crate::sys::futex;
use crate::sys::lock::Mutex;

/// So often workers are looked at.
pub(super) const PAUSE: Duration = Duration::from_millis(50);

/// So many looks have to find the same before it counts.
const LOOKS: u32 = 40;

static COUNT: AtomicU32 = AtomicU32::new(0);

/// How many wake-ups are known to have been lost in this process.
pub fn lost_wake_ups() -> u32 {
    COUNT.load(Ordering::Relaxed)
}

fn note(who: &str) {
    COUNT.fetch_add(1, Ordering::Relaxed);
    ipckit_log::error(format_args!("a wake-up was lost: {who}; this is a fault of the library, please report it"));
}

/// How far everything was that workers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Progress {
    sleeps: u32,
    taken: u32,
    jobs: Option<u32>,
}

/// Looks at this process's workers.
#[derive(Debug, Default)]
pub(super) struct WorkerWatch(Mutex<Option<(Progress, u32, Instant)>>);

impl WorkerWatch {
    /// Where all workers that are free have slept on for long while there was work, they are woken, and that is counted.
    pub(super) fn look(&self, process: &'static Process) {
        let mut state = self.0.lock();
        let Some(progress) = slept_over(process) else {
            *state = None;
            return;
        };
        let known = state.filter(|(before, ..)| *before == progress);
        // A look that was brought forward for something else does not count.
        if known.is_some_and(|(.., last)| last.elapsed() < PAUSE) {
            return;
        }
        let looks = known.map_or(1, |(_, looks, _)| looks + 1);
        *state = (looks < LOOKS).then(|| (progress, looks, Instant::now()));
        drop(state);
        if looks == LOOKS {
            note("workers sleep, and there is work");
            process.own.doorbells.wake_all_workers();
        }
    }
}

/// `Some` where every free worker sleeps, and there is work that none of them has been woken for.
fn slept_over(process: &Process) -> Option<Progress> {
    let workers = &process.workers;
    let sleeps = workers.sleeps_of_all_free()?;
    let mut taken = 0_u32;
    let mut has_work = workers.has_jobs();
    for peer in process.connections.connected() {
        if let Some(channel) = peer.channel() {
            taken = taken.wrapping_add(channel.taken());
            has_work |= channel.has_work();
        }
    }
    has_work.then_some(Progress { sleeps, taken, jobs: workers.jobs_left() })
}

/// A caller that sleeps has looked without having been woken, and has found what it waits for; `heard` is what its bell said. It goes on to
/// sleep, to see whether it is woken yet.
pub(super) fn await_ring(bell: &Bell, heard: u32) {
    let start = Instant::now();
    while bell.load(crate::shm::atomics::Ordering::Acquire) == heard {
        let Some(left) = (PAUSE * LOOKS).checked_sub(start.elapsed()) else {
            return note("a caller sleeps, and has its reply or its peer is dead");
        };
        futex::wait(bell, heard, Some(left));
    }
}
