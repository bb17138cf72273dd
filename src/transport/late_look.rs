// SPDX-License-Identifier: Apache-2.0
//! When to look again whether something that was announced has been taken: what is in a doorbell page may be garbage, and then nobody has
//! been woken for it.

use std::time::{Duration, Instant};

use crate::shm::atomics::{AtomicBool, Ordering, fence};
use crate::sys::lock::Mutex;

/// So soon is looked for the first time, and from then on as long as something is being taken.
pub const FIRST_LOOK: Duration = Duration::from_millis(50);

/// Where nothing is, ever more rarely, down to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The looks after one queue, which other threads fill. Any thread may call any method.
#[derive(Debug, Default)]
pub struct LateLook {
    is_watched: AtomicBool,
    progress: Mutex<Progress>,
}

#[derive(Debug, Default)]
struct Progress {
    /// How far the taker was at the last look.
    taken: Option<u32>,
    pause: Duration,
    due: Option<Instant>,
}

/// What a look has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Whether whoever is to take is to be woken.
    pub wakes: bool,
    /// When to look again.
    pub again: Instant,
}

impl LateLook {
    /// To be called after something was put into the queue and announced, with a fence that is sequentially consistent since it was put:
    /// whether somebody is to look after [`FIRST_LOOK`], because nobody is about to.
    #[inline]
    pub fn begin(&self) -> bool {
        !self.is_watched.load(Ordering::Relaxed) && !self.is_watched.swap(true, Ordering::SeqCst)
    }

    /// Looks. `left` says how far the taker is, `None` where nothing is left to take; then nobody needs to look again until
    /// [`Self::begin`] says so.
    pub fn look(&self, now: Instant, left: impl FnOnce() -> Option<u32>) -> Option<Look> {
        if !self.is_watched.swap(false, Ordering::SeqCst) {
            return None;
        }
        fence(Ordering::SeqCst);
        let mut progress = self.progress.lock();
        let Some(taken) = left() else {
            *progress = Progress::default();
            return None;
        };
        self.is_watched.store(true, Ordering::SeqCst);
        if let Some(again) = progress.due.filter(|due| *due > now) {
            return Some(Look { wakes: false, again });
        }
        let is_stuck = progress.taken.replace(taken) == Some(taken);
        progress.pause = if is_stuck { (progress.pause * 2).min(LONGEST_PAUSE) } else { FIRST_LOOK };
        let again = now + progress.pause;
        progress.due = Some(again);
        Some(Look { wakes: true, again })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_while_nobody_looks_asks_for_a_look_once() {
        let looks = LateLook::default();
        assert!(looks.begin());
        assert!(!looks.begin());
        assert_eq!(looks.look(Instant::now(), || None), None);
        assert_eq!(looks.look(Instant::now(), || Some(0)), None, "nobody has asked for it");
        assert!(looks.begin());
    }

    #[test]
    fn a_taker_that_does_not_take_is_woken_ever_more_rarely() {
        let looks = LateLook::default();
        let mut now = Instant::now();
        looks.begin();
        let mut pauses = Vec::new();
        for _ in 0..7 {
            let look = looks.look(now, || Some(3)).expect("something is left");
            assert!(look.wakes);
            pauses.push((look.again - now).as_millis());
            now = look.again;
        }
        assert_eq!(pauses, [50, 100, 200, 400, 800, 1000, 1000]);
        let look = looks.look(now, || Some(4)).expect("something is left");
        assert_eq!(look.again - now, FIRST_LOOK, "it takes again");
    }

    #[test]
    fn nobody_is_woken_before_it_is_time() {
        let looks = LateLook::default();
        let now = Instant::now();
        looks.begin();
        let first = looks.look(now, || Some(3)).expect("something is left");
        assert_eq!(looks.look(now, || Some(4)), Some(Look { wakes: false, again: first.again }));
    }
}
