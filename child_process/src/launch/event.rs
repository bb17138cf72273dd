// SPDX-License-Identifier: Apache-2.0
//! What threads hand to each other: values in a queue, and the news that something has happened. Both are told to a thread
//! sanitizer, which does not see into this library's locks.

use std::mem;
use std::time::Instant;

use ipckit_order as order;
use ipckit_threads::lock::{Condvar, Mutex};

/// Values for another thread, in order, until it is closed.
#[derive(Debug)]
pub(super) struct Queue<T>(Mutex<Option<Vec<T>>>);

impl<T> Queue<T> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Some(Vec::new())))
    }

    /// The value comes back where the queue is closed.
    pub(super) fn push(&self, value: T) -> Result<(), T> {
        let mut values = self.0.lock();
        let Some(values) = &mut *values else { return Err(value) };
        order::take_over(self);
        values.push(value);
        order::hand_over(self);
        Ok(())
    }

    pub(super) fn take_all(&self) -> Vec<T> {
        let mut values = self.0.lock();
        order::take_over(self);
        let taken = values.as_mut().map(mem::take);
        order::hand_over(self);
        taken.unwrap_or_default()
    }

    /// Closes it, and takes what is left; nothing where it was closed before.
    pub(super) fn close(&self) -> Option<Vec<T>> {
        let mut values = self.0.lock();
        order::take_over(self);
        values.take()
    }
}

/// Something that happens once and that others wait for.
#[derive(Debug, Default)]
pub(super) struct Event {
    happened: Mutex<bool>,
    changed: Condvar,
}

impl Event {
    pub(super) fn happen(&self) {
        order::hand_over(self);
        *self.happened.lock() = true;
        self.changed.notify_all();
    }

    /// Waits until it has happened, or the deadline has passed.
    pub(super) fn wait_until(&self, deadline: Instant) {
        let mut happened = self.happened.lock();
        self.changed.wait_while_until(&mut happened, |happened| !*happened, deadline);
        if *happened {
            order::take_over(self);
        }
    }
}

/// A value that one thread gives once and another waits for.
#[derive(Debug)]
pub(super) struct Answer<T> {
    value: Mutex<Option<T>>,
    changed: Condvar,
}

impl<T> Answer<T> {
    pub(super) fn new() -> Self {
        Self { value: Mutex::new(None), changed: Condvar::new() }
    }

    pub(super) fn give(&self, value: T) {
        order::hand_over(self);
        *self.value.lock() = Some(value);
        self.changed.notify_all();
    }

    /// Waits for the value.
    pub(super) fn take(&self) -> T {
        let mut value = self.value.lock();
        loop {
            if let Some(value) = value.take() {
                order::take_over(self);
                return value;
            }
            self.changed.wait(&mut value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use std::time::Duration;

    #[test]
    fn what_is_pushed_is_taken_in_order_and_once() {
        let queue = Queue::new();
        queue.push(1).unwrap();
        queue.push(2).unwrap();
        assert_eq!(queue.take_all(), [1, 2]);
        assert_eq!(queue.take_all(), []);
    }

    #[test]
    fn a_closed_queue_gives_back_what_it_holds_and_takes_no_more() {
        let queue = Queue::new();
        queue.push(1).unwrap();
        assert_eq!(queue.close(), Some(vec![1]));
        assert_eq!(queue.close(), None);
        assert_eq!(queue.push(2), Err(2));
        assert_eq!(queue.take_all(), []);
    }

    #[test]
    fn a_wait_ends_when_it_happens_or_at_the_deadline() {
        let event = Event::default();
        let soon = Instant::now() + Duration::from_millis(5);
        event.wait_until(soon);
        assert!(Instant::now() >= soon);
        thread::scope(|scope| {
            scope.spawn(|| event.happen());
            event.wait_until(Instant::now() + Duration::from_secs(60));
            assert!(*event.happened.lock());
        });
    }

    #[test]
    fn an_answer_is_waited_for() {
        let answer = Answer::new();
        thread::scope(|scope| {
            scope.spawn(|| answer.give(5));
            assert_eq!(answer.take(), 5);
        });
    }
}
