// SPDX-License-Identifier: Apache-2.0
//! How many children live, and the limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts the children of a process that were made by Create.
#[derive(Debug, Default)]
pub(super) struct Live(Arc<AtomicUsize>);

/// One child's place, free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<AtomicUsize>);

impl Live {
    /// A place for one more child; `None` where as many as `most` live.
    pub(super) fn reserve(&self, most: usize) -> Option<Place> {
        let more = |count| (count < most).then_some(count + 1);
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).ok()?;
        Some(Place(Arc::clone(&self.0)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_holds_and_an_ended_child_makes_room() {
        let live = Live::default();
        let first = live.reserve(2).unwrap();
        let _second = live.reserve(2).unwrap();
        assert!(live.reserve(2).is_none());
        drop(first);
        let _third = live.reserve(2).unwrap();
        assert!(live.reserve(2).is_none());
        assert!(live.reserve(3).is_some());
    }

    #[test]
    fn no_children_may_mean_none() {
        assert!(Live::default().reserve(0).is_none());
    }
}
