// SPDX-License-Identifier: Apache-2.0
//! How far a child has come, and what that makes of the news about it. Pure: it sees events and names the outcome, once.

use crate::mutation::Mutation;
use crate::protocol::{Report, Stage, Task};
use crate::sys::guardian::End;
use crate::sys::ipc::Reference;

/// The outcome of a start.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The main procedure runs; the child can be reached through this.
    Entered(Box<Reference>),
    /// The function that Start named runs.
    Running,
    /// It failed; the text is for the log.
    Failed(Failure, String),
}

/// Why there is no child to talk to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// No process could be started, for want of something that has nothing to do with the library.
    Internal,
    /// The library was not loaded.
    Loading,
    /// The library offered nothing to connect to, or the child ended first.
    Connection,
    /// It took too long.
    Timeout,
}

/// The phases of a start, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Launching,
    Loading,
    Connecting,
    Over,
}

/// One child's way up to its main procedure.
#[derive(Debug)]
pub(super) struct Start {
    task: Task,
    phase: Phase,
    has_hung_up: bool,
}

impl Start {
    pub(super) fn new(task: Task) -> Self {
        Self { task, phase: Phase::Launching, has_hung_up: false }
    }

    /// Whether the process has said that it runs this library's code.
    pub(super) fn has_begun(&self) -> bool {
        self.phase > Phase::Launching
    }

    /// Whether the outcome is known.
    pub(super) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// Takes what the child reports; what comes out of turn or means nothing fails the start.
    pub(super) fn reported(&mut self, report: Result<Report, String>) -> Option<Outcome> {
        let phase = self.phase;
        match (phase, report) {
            (Phase::Over, _) | (_, Ok(Report::NotIsolated(_))) => return None,
            (Phase::Launching, Ok(Report::Loading)) => self.phase = Phase::Loading,
            (Phase::Loading, Ok(Report::Loaded)) if self.task == Task::Run => {
                self.phase = Phase::Over;
                return Some(Outcome::Running);
            }
            (Phase::Loading, Ok(Report::Loaded)) => self.phase = Phase::Connecting,
            // A child that cannot take its arguments over fails before it loads anything.
            (Phase::Launching | Phase::Loading, Ok(Report::Failed { stage: Stage::Loading, text })) => {
                return self.over(Failure::Loading, text);
            }
            (Phase::Connecting, Ok(Report::Failed { stage: Stage::Connecting, text })) => {
                return self.over(Failure::Connection, text);
            }
            (Phase::Connecting, Ok(Report::Entered(reference))) => {
                self.phase = Phase::Over;
                return Some(Outcome::Entered(reference));
            }
            (_, Ok(_)) => return self.over(self.failure_now(), "the child sent a report out of turn".into()),
            (_, Err(error)) => return self.over(self.failure_now(), format!("the child sent nonsense: {error}")),
        }
        None
    }

    /// Whether there can be reports.
    pub(super) fn is_listening(&self) -> bool {
        !self.is_over() && !self.has_hung_up
    }

    /// The child has closed its end of the channel: it is about to end, or its library closes what it does not know.
    pub(super) fn hung_up(&mut self) {
        self.has_hung_up = true;
    }

    /// The child has ended; all its reports were taken before.
    pub(super) fn ended(&mut self, end: &End) -> Option<Outcome> {
        if self.is_over() {
            return None;
        }
        let how = match end {
            End::Exited(status) => format!("ended with exit status {status}"),
            End::Killed(signal) => format!("was killed by signal {signal}"),
            End::NotStarted(purpose, error) => {
                return self.over(Failure::Internal, format!("{purpose} failed: {error}"));
            }
        };
        let when = match self.phase {
            Phase::Launching => "before it could begin",
            Phase::Loading => "while it loaded its library",
            Phase::Connecting | Phase::Over => "before its main procedure waited for requests",
        };
        self.over(self.failure_now(), format!("the child {how} {when}"))
    }

    /// The time is up.
    pub(super) fn expired(&mut self) -> Option<Outcome> {
        let doing = match self.phase {
            Phase::Over => return None,
            Phase::Launching => "beginning",
            Phase::Loading => "loading its library",
            Phase::Connecting => "in NativeChildProcess_OnConnect",
        };
        let closed = if self.has_hung_up { "; its library has closed the descriptor by which it reports" } else { "" };
        self.over(Failure::Timeout, format!("the child was still {doing} when its time was up, and is killed{closed}"))
    }

    fn failure_now(&self) -> Failure {
        let is_loading = self.phase < Phase::Connecting;
        if is_loading != Mutation::LoadingAndConnectingAreMixedUp.is_on() {
            Failure::Loading
        } else {
            Failure::Connection
        }
    }

    fn over(&mut self, failure: Failure, text: String) -> Option<Outcome> {
        self.phase = Phase::Over;
        Some(Outcome::Failed(failure, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    fn reference() -> Box<Reference> {
        Box::new([9; 64])
    }

    fn failed(stage: Stage) -> Report {
        Report::Failed { stage, text: "why".into() }
    }

    /// A start that has taken these reports, none of which ended it.
    fn after(reports: &[Report]) -> Start {
        let mut start = Start::new(Task::Connect);
        for report in reports {
            assert_eq!(start.reported(Ok(report.clone())), None);
        }
        start
    }

    fn failure(outcome: Option<Outcome>) -> Failure {
        match outcome {
            Some(Outcome::Failed(failure, text)) if !text.is_empty() => failure,
            other => panic!("no failure with a text: {other:?}"),
        }
    }

    #[test]
    fn a_good_start_ends_with_the_reference_and_nothing_after_it_counts() {
        let mut start = after(&[Report::Loading, Report::Loaded]);
        assert_eq!(start.reported(Ok(Report::Entered(reference()))), Some(Outcome::Entered(reference())));
        assert!(start.is_over());
        assert_eq!(start.reported(Ok(Report::Entered(reference()))), None);
        assert_eq!(start.reported(Err("garbage".into())), None);
        assert_eq!(start.ended(&End::Exited(0)), None);
        assert_eq!(start.expired(), None);
    }

    #[test]
    fn a_child_of_start_runs_when_it_is_loaded() {
        let mut start = Start::new(Task::Run);
        assert!(!start.has_begun());
        assert_eq!(start.reported(Ok(Report::NotIsolated("why".into()))), None);
        assert_eq!(start.reported(Ok(Report::Loading)), None);
        assert!(start.has_begun() && !start.is_over());
        assert_eq!(start.reported(Ok(Report::Loaded)), Some(Outcome::Running));
        assert!(start.is_over());
    }

    #[test]
    fn failures_that_the_child_reports_are_what_it_says() {
        assert_eq!(failure(after(&[Report::Loading]).reported(Ok(failed(Stage::Loading)))), Failure::Loading);
        let mut loaded = after(&[Report::Loading, Report::Loaded]);
        assert_eq!(failure(loaded.reported(Ok(failed(Stage::Connecting)))), Failure::Connection);
    }

    #[test]
    fn an_end_counts_by_how_far_the_child_had_come() {
        assert_eq!(failure(Start::new(Task::Connect).ended(&End::Killed(11))), Failure::Loading);
        assert_eq!(failure(after(&[Report::Loading]).ended(&End::Exited(0))), Failure::Loading);
        assert_eq!(failure(after(&[Report::Loading, Report::Loaded]).ended(&End::Killed(6))), Failure::Connection);
        let not_started = End::NotStarted("executing the launcher", io::Error::from_raw_os_error(libc::EACCES));
        assert_eq!(failure(Start::new(Task::Connect).ended(&not_started)), Failure::Internal);
    }

    #[test]
    fn time_is_up_in_any_phase() {
        let ways: [&[Report]; 3] = [&[], &[Report::Loading], &[Report::Loading, Report::Loaded]];
        for reports in ways {
            assert_eq!(failure(after(reports).expired()), Failure::Timeout);
        }
    }

    #[test]
    fn a_child_that_hung_up_is_not_listened_to_but_its_end_and_its_time_count() {
        for by_end in [true, false] {
            let mut start = after(&[Report::Loading, Report::Loaded]);
            assert!(start.is_listening());
            start.hung_up();
            assert!(!start.is_listening() && !start.is_over());
            let outcome = if by_end { start.ended(&End::Exited(3)) } else { start.expired() };
            assert_eq!(failure(outcome), if by_end { Failure::Connection } else { Failure::Timeout });
        }
    }

    #[test]
    fn reports_out_of_turn_fail_the_start() {
        assert_eq!(failure(Start::new(Task::Connect).reported(Ok(Report::Entered(reference())))), Failure::Loading);
        assert_eq!(failure(after(&[Report::Loading]).reported(Ok(Report::Entered(reference())))), Failure::Loading);
        assert_eq!(failure(after(&[Report::Loading]).reported(Ok(Report::Loading))), Failure::Loading);
        let mut loaded = after(&[Report::Loading, Report::Loaded]);
        assert_eq!(failure(loaded.reported(Ok(failed(Stage::Loading)))), Failure::Connection);
        assert_eq!(failure(after(&[Report::Loading]).reported(Err("garbage".into()))), Failure::Loading);
    }

    #[test]
    fn the_outcome_is_named_once() {
        let mut start = Start::new(Task::Connect);
        assert!(start.expired().is_some());
        assert_eq!(start.ended(&End::Killed(9)), None);
        assert_eq!(start.reported(Ok(Report::Loading)), None);
    }
}
