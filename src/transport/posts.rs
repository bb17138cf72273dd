// SPDX-License-Identifier: Apache-2.0
//! Which threads of this process are just sending asynchronous messages over a channel.
//!
//! On a device a sender has long returned when an answer to its message can arrive, and programs rely on that: they send, and only then
//! prepare for the answer. Here a sender can lose its processor to the receiver that it wakes, and the answer can be there first. So
//! what comes back over a channel waits until those who were sending when it came have returned to their callers.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::Channel;
use crate::sys::thread;

/// A sender only leaves its processor, it never waits: this is for one that is stopped, by a debugger for instance.
const AT_MOST: Duration = Duration::from_secs(1);

/// Counts sends that began and ended.
#[derive(Debug, Default)]
pub(super) struct Posts {
    begun: AtomicU32,
    ended: AtomicU32,
}

impl Posts {
    /// Waits until as many sends have ended as had begun at the call.
    #[inline]
    pub(super) fn wait_for_senders(&self) {
        let begun = self.begun.load(Ordering::Acquire);
        if !self.have_ended(begun) {
            self.wait_until_ended(begun);
        }
    }

    fn have_ended(&self, begun: u32) -> bool {
        begun.wrapping_sub(self.ended.load(Ordering::Acquire)).cast_signed() <= 0
    }

    #[cold]
    fn wait_until_ended(&self, begun: u32) {
        let start = Instant::now();
        while !self.have_ended(begun) && start.elapsed() < AT_MOST {
            thread::yield_now();
        }
        // On one processor the sender gets to run on until it sleeps.
        thread::yield_now();
    }
}

/// A send that is under way. To be dropped as the last thing before the sender returns to its caller.
pub struct Post<'a>(&'a Channel);

impl<'a> Post<'a> {
    /// Begins a send.
    pub fn begin(channel: &'a Channel) -> Self {
        channel.posts().begun.fetch_add(1, Ordering::AcqRel);
        Self(channel)
    }
}

impl Drop for Post<'_> {
    fn drop(&mut self) {
        self.0.posts().ended.fetch_add(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sends_that_had_begun_are_waited_for() {
        let posts = Posts::default();
        posts.wait_for_senders();
        posts.begun.store(u32::MAX, Ordering::Relaxed);
        posts.ended.store(u32::MAX, Ordering::Relaxed);
        assert!(posts.have_ended(u32::MAX));
        posts.begun.fetch_add(1, Ordering::Relaxed);
        assert!(!posts.have_ended(0));
        posts.ended.fetch_add(1, Ordering::Relaxed);
        assert!(posts.have_ended(0));
        posts.ended.fetch_add(1, Ordering::Relaxed);
        assert!(posts.have_ended(0));
    }
}
