// SPDX-License-Identifier: Apache-2.0
//! Questions to a peer's control thread, which answers at once and in the order in which it was asked.

use std::time::{Duration, Instant};

use crate::sys::lock::{Condvar, Mutex};

#[derive(Debug)]
struct State<T> {
    asked: u32,
    answered: u32,
    last: Option<T>,
    ended: bool,
}

/// The questions of one kind on one channel.
#[derive(Debug)]
pub(super) struct Questions<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

impl<T> Default for Questions<T> {
    fn default() -> Self {
        let state = State { asked: 0, answered: 0, last: None, ended: false };
        Self { state: Mutex::new(state), changed: Condvar::default() }
    }
}

impl<T: Copy> Questions<T> {
    /// Asks, by `ask`, and waits for the answer or a later one; `None` where the peer is dead, or stopped for longer than `patience`.
    pub(super) fn ask(&self, patience: Duration, ask: impl FnOnce() -> bool) -> Option<T> {
        let give_up = Instant::now() + patience;
        let mut state = self.state.lock();
        // Under the lock, so that the questions go out in the order of their numbers.
        if !ask() {
            return None;
        }
        state.asked = state.asked.wrapping_add(1);
        let number = state.asked;
        while state.answered.wrapping_sub(number).cast_signed() < 0 {
            if state.ended || !self.changed.wait_until(&mut state, give_up) {
                return None;
            }
        }
        state.last
    }

    /// Takes note of an answer.
    pub(super) fn answer(&self, answer: T) {
        let mut state = self.state.lock();
        state.answered = state.answered.wrapping_add(1);
        state.last = Some(answer);
        self.changed.notify_all();
    }

    /// No answers will come any more.
    pub(super) fn end(&self) {
        self.state.lock().ended = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    #[test]
    fn each_question_waits_for_its_own_answer() {
        let questions = Arc::new(Questions::default());
        let asker = std::thread::spawn({
            let questions = Arc::clone(&questions);
            move || (questions.ask(PATIENCE, || true), questions.ask(PATIENCE, || true))
        });
        for (number, answer) in [(1, 10), (2, 20)] {
            while questions.state.lock().asked < number {
                std::thread::yield_now();
            }
            questions.answer(answer);
        }
        assert_eq!(asker.join().expect("the asker"), (Some(10), Some(20)));
    }

    #[test]
    fn nobody_waits_for_the_dead() {
        let questions = Questions::<()>::default();
        questions.end();
        assert_eq!(questions.ask(PATIENCE, || true), None);
        assert_eq!(questions.ask(PATIENCE, || false), None);
    }
}
