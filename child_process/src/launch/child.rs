// SPDX-License-Identifier: Apache-2.0
//! One child, followed from its launch to its end.

use std::mem;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Instant;

use super::environment;
use super::live::Place;
use super::news::{News, Recipient};
use super::search::Found;
use super::start::{Failure, Outcome, Start};
use super::starter::complain_of_closed_descriptors;
use crate::protocol::{LONGEST_PACKET, Report};
use crate::sys::channel::{Channel, Received};
use crate::sys::guardian::Guardian;
use crate::sys::poll::{Interest, Readiness};

pub(super) struct Child {
    library: String,
    found: Found,
    guardian: Guardian,
    channel: Arc<Channel>,
    start: Start,
    /// When it is killed, unless it has started by then.
    deadline: Option<Instant>,
    recipient: Option<Recipient>,
    _place: Place,
}

impl Child {
    pub(super) fn new(
        library: String,
        found: Found,
        guardian: Guardian,
        channel: Channel,
        deadline: Instant,
        recipient: Recipient,
        place: Place,
    ) -> Self {
        Self {
            library,
            found,
            guardian,
            channel: Arc::new(channel),
            start: Start::new(),
            deadline: Some(deadline),
            recipient: Some(recipient),
            _place: place,
        }
    }

    /// What to wait for on its account.
    pub(super) fn waits(&self) -> impl Iterator<Item = (BorrowedFd<'_>, Interest)> {
        let reports = self.start.is_listening().then(|| (self.channel.as_fd(), Interest::Readable));
        [(self.guardian.ended(), Interest::Readable)].into_iter().chain(reports)
    }

    /// When to call [`Self::check_time`], whatever else happens.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Takes what there is of what [`Self::waits`] names. The child comes back unless it has ended.
    pub(super) fn attend(mut self, readiness: &[Readiness]) -> (Option<Self>, Option<News>) {
        if readiness.contains(&Readiness::Closed) {
            complain_of_closed_descriptors();
            let news = self.recipient.take().map(|recipient| News::failed(recipient, Failure::Internal));
            self.abandon();
            return (None, news);
        }
        // All that it has reported counts before that it has ended.
        let news = if readiness.contains(&Readiness::Ready) { self.listen() } else { None };
        if readiness.first() != Some(&Readiness::Ready) {
            return (Some(self), news);
        }
        let end = self.guardian.reap();
        let news_of_end = self.start.ended(&end).and_then(|outcome| self.news(outcome));
        (None, news.or(news_of_end))
    }

    /// Kills the child when its time is up.
    pub(super) fn check_time(&mut self, now: Instant) -> Option<News> {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return None;
        }
        self.deadline = None;
        self.guardian.kill();
        self.start.expired().and_then(|outcome| self.news(outcome))
    }

    fn listen(&mut self) -> Option<News> {
        let mut packet = [0; LONGEST_PACKET];
        while self.start.is_listening() {
            let report = match self.channel.receive(&mut packet) {
                Ok(Received::Packet(length)) => {
                    Report::from_packet(&packet[..length]).map_err(|error| error.to_string())
                }
                Ok(Received::Nothing) => return None,
                Ok(Received::End) => {
                    self.start.hung_up();
                    return None;
                }
                Err(error) => Err(error.to_string()),
            };
            self.guardian.program_has_begun();
            let failed_by_itself = matches!(report, Ok(Report::Failed { .. }));
            if let Some(outcome) = self.start.reported(report) {
                if matches!(outcome, Outcome::Entered(_)) {
                    self.deadline = None;
                } else if !failed_by_itself {
                    self.guardian.kill();
                }
                return self.news(outcome);
            }
        }
        None
    }

    /// The news for the user; a failure is explained in the log.
    fn news(&mut self, outcome: Outcome) -> Option<News> {
        self.channel.stop_receiving();
        let recipient = self.recipient.take()?;
        let child = format!("native child process {}", self.library);
        match outcome {
            Outcome::Entered(reference) => Some(News::entered(recipient, reference, Arc::clone(&self.channel), child)),
            Outcome::Failed(failure, text) => {
                if failure == Failure::Loading {
                    let advice = environment::advice_on_sanitizers().map(|advice| format!("; {advice}"));
                    let (found, advice) = (&self.found, advice.unwrap_or_default());
                    ipckit_log::error(format_args!("{child}: {text}; places looked at: {found}{advice}"));
                } else {
                    ipckit_log::error(format_args!("{child}: {text}"));
                }
                Some(News::failed(recipient, failure))
            }
        }
    }

    fn abandon(self) {
        self.guardian.abandon();
        // Its number may be somebody else's by now.
        mem::forget(self.channel);
    }
}
