// SPDX-License-Identifier: Apache-2.0
//! How long to look before sleeping, and when yielding the processor costs more than it brings.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::sys::per_process::PerProcess;
use crate::sys::thread;
use crate::transport::SameCore;

/// Looking without a yield.
const LOOK: Duration = Duration::from_micros(1);

/// The same, where what is waited for has lately come while looking: a yield would take longer than it does.
const LONG_LOOK: Duration = Duration::from_micros(4);

/// Looking and yielding, in all.
pub(super) const LOOK_AND_YIELD: Duration = Duration::from_micros(50);

/// While something is outstanding, a sleeper looks this often, should a wake-up have been lost.
pub(super) const SLEEP: Duration = Duration::from_millis(50);

/// A yield that takes longer has let another thread run and come back.
const SWITCH: Duration = Duration::from_nanos(1_000);

/// A yield that takes longer has given the processor to other work.
const LONG_YIELD: Duration = Duration::from_micros(200);

const FIRST_BACKOFF: Duration = Duration::from_millis(4);
const LAST_BACKOFF: Duration = Duration::from_secs(1);

static START: PerProcess<Instant> = PerProcess::new();

fn now_us() -> u64 {
    START.find_once(Instant::now).elapsed().as_micros() as u64
}

/// Whether the threads of this process may yield while they wait. With other work on the processors, a yield can cost
/// milliseconds: then they sleep for a while instead, until one of them tries again.
#[derive(Debug, Default)]
pub(super) struct YieldGuard {
    /// No yields before this time, in microseconds since the start; 0 for no restriction.
    until_us: AtomicU64,
    backoff_us: AtomicU32,
}

impl YieldGuard {
    /// Whether to yield now. After a time without yields, one thread is let through to try.
    pub(super) fn may_yield(&self) -> bool {
        let until = self.until_us.load(Ordering::Relaxed);
        if until == 0 {
            return true;
        }
        let now = now_us();
        let next = now + u64::from(self.backoff_us.load(Ordering::Relaxed));
        now >= until && self.until_us.compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Yields and looks until [`LOOK_AND_YIELD`] after `start`, or until yielding costs too much. What is found after the first yield says
    /// where it came from: with nobody else on the processor the yield itself was over in no time.
    pub(super) fn look<T>(&self, start: u64, same_core: &SameCore, mut found: impl FnMut() -> Option<T>) -> Option<T> {
        let mut now = thread::nanoseconds();
        let mut is_first = true;
        while now.saturating_sub(start) < LOOK_AND_YIELD.as_nanos() as u64 && self.may_yield() {
            thread::yield_now();
            let found = found();
            let before = std::mem::replace(&mut now, thread::nanoseconds());
            let took = Duration::from_nanos(now.saturating_sub(before));
            self.note(took);
            if found.is_some() {
                match is_first {
                    true if took > SWITCH => same_core.came_after_first_yield(),
                    true => same_core.came_while_looking(),
                    false => {}
                }
                return found;
            }
            is_first = false;
        }
        None
    }

    fn note(&self, took: Duration) {
        let backoff = Duration::from_micros(self.backoff_us.load(Ordering::Relaxed).into());
        if took > LONG_YIELD {
            let backoff = (backoff * 4).clamp(FIRST_BACKOFF, LAST_BACKOFF);
            self.backoff_us.store(backoff.as_micros() as u32, Ordering::Relaxed);
            self.until_us.store(now_us() + backoff.as_micros() as u64, Ordering::Relaxed);
        } else if !backoff.is_zero() && self.until_us.load(Ordering::Relaxed) != 0 {
            let backoff = backoff / 4;
            let none = backoff < FIRST_BACKOFF;
            self.backoff_us.store(if none { 0 } else { backoff.as_micros() as u32 }, Ordering::Relaxed);
            self.until_us.store(if none { 0 } else { now_us() + backoff.as_micros() as u64 }, Ordering::Relaxed);
        }
    }
}

/// How long ago that was, in nanoseconds of the monotonic clock.
pub(super) fn since(start: u64) -> Duration {
    Duration::from_nanos(thread::nanoseconds().saturating_sub(start))
}

/// Looks again and again for a moment after `start`, without giving the processor away; a little longer where looking has paid.
#[inline]
pub(super) fn look<T>(start: u64, has_paid: bool, mut found: impl FnMut() -> Option<T>) -> Option<T> {
    loop {
        for _ in 0..8 {
            if let Some(found) = found() {
                return Some(found);
            }
            std::hint::spin_loop();
        }
        if since(start) > if has_paid { LONG_LOOK } else { LOOK } {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_yield_forbids_yields_for_a_while_and_short_ones_allow_them_again() {
        let guard = YieldGuard::default();
        assert!(guard.may_yield());
        guard.note(Duration::from_millis(3));
        assert!(!guard.may_yield());
        guard.note(Duration::from_micros(1));
        assert!(guard.may_yield());
    }

    #[test]
    fn backing_off_grows_to_a_second() {
        let guard = YieldGuard::default();
        (0..10).for_each(|_| guard.note(Duration::from_millis(3)));
        assert_eq!(guard.backoff_us.load(Ordering::Relaxed), 1_000_000);
    }
}
