// SPDX-License-Identifier: Apache-2.0
//! The orders by which no wake-up is lost: each side first says something, then looks at what the other side says.
//!
//! Between the two stands a fence, sequentially consistent, on both sides. So of two that say and look at the same time at least one
//! sees what the other has said: it wakes the other, or does not sleep. No weaker order does that: acquire and release let both look
//! before what they said has left their processors, on x86 too. `tests/models` runs this code with each of these fences taken away.

use super::atomics::{AtomicU32, Ordering, fence};
use super::doorbell::Doorbells;
use crate::sys::fault_point::FaultPoint;
use crate::sys::futex;

/// Has a worker of the peer's come for what was put into a ring. `lookers` reads how many look at this ring, `all_lookers` how many look at
/// the doorbells; `doorbells` are the peer's, and `channel` is what the peer calls the channel.
pub fn announce(lookers: impl FnOnce() -> u32, all_lookers: impl FnOnce() -> u32, doorbells: &Doorbells, channel: u16) {
    // After it, a worker that ceased to look, and is not counted any more, has seen what was published; or it is counted still.
    fence(Ordering::SeqCst);
    if lookers() == 0 {
        doorbells.set_pending(channel);
        // After it, a worker that ceased to look, or is about to sleep, has seen the bit; or it is counted, or seen to sleep.
        fence(Ordering::SeqCst);
        if all_lookers() == 0 {
            doorbells.wake_worker();
        }
    }
}

/// Has the peer's thread that sleeps on `bell` come for what was just put into the ring for waiting threads.
pub fn announce_nested(doorbells: &Doorbells, channel: u16, bell: u16) {
    // The bit may be found set already: who takes it away then sees what was published.
    fence(Ordering::SeqCst);
    doorbells.set_pending_nested(channel);
    doorbells.ring(bell);
}

/// A worker begins to look: at the doorbells, as `all_lookers` says, and at the ring of the peer it has served last, if any, as `lookers`
/// says. `false` where `most` look already; of several that begin at the same time more may.
pub fn begin_look(all_lookers: &AtomicU32, lookers: Option<&AtomicU32>, most: u32) -> bool {
    // Nothing is read because of it: what is seen while looking needs no announcement, what is not is seen after the end.
    let enough = all_lookers.load(Ordering::Relaxed) >= most;
    if enough || lookers.is_some_and(|lookers| lookers.load(Ordering::Relaxed) != 0) {
        return false;
    }
    FaultPoint::LookBegins.around(|| {
        all_lookers.fetch_add(1, Ordering::Relaxed);
        if let Some(lookers) = lookers {
            lookers.fetch_add(1, Ordering::Relaxed);
        }
    });
    true
}

/// It ceases to. It is to look once more, after this.
pub fn end_look(all_lookers: &AtomicU32, lookers: Option<&AtomicU32>) {
    FaultPoint::LookEnds.around(|| {
        if let Some(lookers) = lookers {
            lookers.fetch_sub(1, Ordering::Relaxed);
        }
        all_lookers.fetch_sub(1, Ordering::Relaxed);
    });
    fence(Ordering::SeqCst);
}

/// Leaves to others what a worker that is about to be busy leaves in a ring; `doorbells` are its own process's. The pending bit makes
/// [`Doorbells::wake_worker`], which is to follow, worth while.
pub fn leave_to_others(has_work: impl FnOnce() -> bool, lookers: &AtomicU32, doorbells: &Doorbells, channel: u16) {
    // Who still counts as looking looks once more after its end, and what this worker has seen is then visible.
    if has_work() && lookers.load(Ordering::SeqCst) == 0 {
        doorbells.set_pending(channel);
    }
}

/// A worker sleeps on its bell, unless it sees work. `false` where it did not.
pub fn sleep_as_worker(doorbells: &Doorbells, bell: u16, sees_work: impl FnOnce() -> bool) -> bool {
    let word = doorbells.bell(bell);
    // Before the word that it sleeps: whoever takes that word rings after this, and so the sleep ends, or does not begin.
    let before = word.load(Ordering::Acquire);
    doorbells.set_idle(bell);
    fence(Ordering::SeqCst);
    let sleeps = !sees_work();
    if sleeps {
        futex::wait(word, before, None);
    }
    doorbells.clear_idle(bell);
    sleeps
}

/// A caller is about to sleep. It is to have read its bell before this, and to look for its reply after.
pub fn begin_caller_sleep(waiting: &AtomicU32) {
    FaultPoint::CallerSleeps.around(|| waiting.store(1, Ordering::Relaxed));
    fence(Ordering::SeqCst);
}

/// It is awake. Who misses this rings in vain.
pub fn end_caller_sleep(waiting: &AtomicU32) {
    FaultPoint::CallerIsAwake.around(|| waiting.store(0, Ordering::Relaxed));
}

/// Wakes the caller whose reply was just published, where it sleeps.
pub fn wake_caller(is_waiting: impl FnOnce() -> bool, doorbells: &Doorbells, bell: u16) {
    fence(Ordering::SeqCst);
    if is_waiting() {
        doorbells.ring(bell);
    }
}
