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
    /// Somebody has waited for an answer that has still not come.
    in_vain: bool,
}

impl<T> State<T> {
    fn has_answer(&self, number: u32) -> bool {
        self.answered.wrapping_sub(number).cast_signed() >= 0
    }
}

/// The questions of one kind on one channel.
#[derive(Debug)]
pub(super) struct Questions<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

impl<T> Default for Questions<T> {
    fn default() -> Self {
        let state = State { asked: 0, answered: 0, last: None, ended: false, in_vain: false };
        Self { state: Mutex::new(state), changed: Condvar::default() }
    }
}

impl<T: Copy> Questions<T> {
    /// Asks, by `ask`, and waits for the answer or a later one; `None` where the peer is dead, or stopped for longer than `patience`. Until it
    /// goes on, nobody waits for it again.
    pub(super) fn ask(&self, patience: Duration, ask: impl FnOnce() -> bool) -> Option<T> {
        let give_up = Instant::now() + patience;
        let mut state = self.state.lock();
        // Under the lock, so that the questions go out in the order of their numbers.
        if !ask() {
            return None;
        }
        state.asked = state.asked.wrapping_add(1);
        let number = state.asked;
        while !state.has_answer(number) {
            if state.ended || state.in_vain {
                return None;
            }
            if !self.changed.wait_until(&mut state, give_up) && !state.has_answer(number) {
                state.in_vain = true;
                // Who else waits need not any more.
                self.changed.notify_all();
            }
        }
        state.last
    }

    /// Takes note of an answer.
    pub(super) fn answer(&self, answer: T) {
        let mut state = self.state.lock();
        state.answered = state.answered.wrapping_add(1);
        state.last = Some(answer);
        let asked = state.asked;
        state.in_vain &= !state.has_answer(asked);
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
    fn nobody_waits_twice_for_who_does_not_answer() {
        let questions = Questions::default();
        assert_eq!(questions.ask(Duration::ZERO, || true), None);
        // Else this would take as long as the patience is.
        assert_eq!(questions.ask(Duration::from_secs(3600), || true), None);
        questions.answer(1);
        assert!(questions.state.lock().in_vain, "one of two is answered");
        questions.answer(2);
        assert!(!questions.state.lock().in_vain);
    }

    #[test]
    fn nobody_waits_for_the_dead() {
        let questions = Questions::<()>::default();
        questions.end();
        assert_eq!(questions.ask(PATIENCE, || true), None);
        assert_eq!(questions.ask(PATIENCE, || false), None);
    }
}
