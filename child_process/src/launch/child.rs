// SPDX-License-Identifier: Apache-2.0
//! One child, followed from its launch to its end.

use std::mem;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::audience::{Audience, Pid};
use super::environment;
use super::exit::Ended;
use super::live::Place;
use super::news::News;
use super::search::Found;
use super::start::{Failure, Outcome, Start};
use crate::mutation::Mutation;
use crate::protocol::{LONGEST_PACKET, Report};
use crate::sys::channel::{Channel, Received};
use crate::sys::guardian::{End, Guardian};
use crate::sys::poll::{Interest, Readiness};
use crate::sys::process;

/// How often a child is looked at whose end nothing announces any more, or whose debugger is waited for.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

pub(super) struct Child {
    library: String,
    found: Found,
    guardian: Arc<Guardian>,
    channel: Arc<Channel>,
    start: Start,
    /// When it is killed, unless it has started by then.
    deadline: Option<Instant>,
    audience: Audience,
    /// The process id, once Start has been told it.
    told_pid: Option<Pid>,
    /// Whether the program has closed descriptors of it.
    is_lost: bool,
    /// Whether it had more time because it was being debugged.
    is_debugged: bool,
    _place: Place,
}

/// What became of a child when it was attended to.
pub(super) enum Attended {
    Lives(Child, Option<News>),
    /// Its end is told to exit callbacks where there is something to tell.
    Gone(Option<News>, Option<Ended>),
}

impl Child {
    pub(super) fn new(
        library: String,
        found: Found,
        guardian: Arc<Guardian>,
        channel: Channel,
        deadline: Instant,
        audience: Audience,
        place: Place,
    ) -> Self {
        Self {
            library,
            found,
            guardian,
            channel: Arc::new(channel),
            start: Start::new(audience.task()),
            deadline: Some(deadline),
            audience,
            told_pid: None,
            is_lost: false,
            is_debugged: false,
            _place: place,
        }
    }

    /// What to wait for on its account.
    pub(super) fn waits(&self) -> impl Iterator<Item = (BorrowedFd<'_>, Interest)> {
        let reports = self.start.is_listening().then(|| (self.channel.as_fd(), Interest::Readable));
        [(self.guardian.ended(), Interest::Readable)].into_iter().chain(reports).filter(|_| !self.is_lost)
    }

    /// Ends it where the program has closed descriptors of it, so that it can be followed only to its end.
    pub(super) fn look_at_descriptors(&mut self) {
        let is_whole = self.guardian.is_ours() && self.channel.is_ours();
        if !is_whole && !self.is_lost {
            self.is_lost = true;
            self.deadline = None;
            ipckit_log::error(format_args!(
                "native child process {}: this program has closed descriptors of libchild_process.so, by which it is followed; it is \
                 ended",
                self.library
            ));
            self.guardian.kill();
        }
    }

    /// When to call [`Self::check_time`], whatever else happens.
    pub(super) fn deadline(&self) -> Option<Instant> {
        if self.is_lost { Some(Instant::now() + BETWEEN_LOOKS) } else { self.deadline }
    }

    /// Takes what there is of what [`Self::waits`] names.
    pub(super) fn attend(mut self, readiness: &[Readiness]) -> Attended {
        if readiness.iter().any(|readiness| *readiness != Readiness::Idle) {
            self.look_at_descriptors();
        }
        if self.is_lost {
            let news = self.audience.fail(Failure::Internal);
            return if self.guardian.has_ended() { self.end(news) } else { Attended::Lives(self, news) };
        }
        // All that it has reported counts before that it has ended.
        let news = if readiness.contains(&Readiness::Ready) { self.listen() } else { None };
        if readiness.first() != Some(&Readiness::Ready) {
            return Attended::Lives(self, news);
        }
        self.end(news)
    }

    /// Takes note of its end, with news that there are before that.
    fn end(mut self, news: Option<News>) -> Attended {
        let end = self.guardian.reap();
        let news_of_end = self.start.ended(&end).and_then(|outcome| self.news(outcome));
        let signal = match end {
            End::Killed(signal) if !Mutation::EndsAreToldAsNormal.is_on() => signal,
            _ => 0,
        };
        if Mutation::EndsOfConnectedAreTold.is_on() {
            self.told_pid = self.guardian.child();
        }
        Attended::Gone(news.or(news_of_end), self.told_pid.map(|pid| Ended { pid, signal }))
    }

    /// Kills the child when its time is up, unless somebody debugs it.
    pub(super) fn check_time(&mut self, now: Instant) -> Option<News> {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return None;
        }
        if let Some(pid) = self.guardian.child().filter(|pid| process::is_traced(*pid)) {
            if !mem::replace(&mut self.is_debugged, true) {
                let library = &self.library;
                ipckit_log::info(format_args!(
                    "native child process {library}: its time is up, but it is being debugged (process {pid}), and may take longer"
                ));
            }
            self.deadline = Some(now + BETWEEN_LOOKS);
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
            if let Ok(Report::NotIsolated(text)) = &report {
                warn_of_isolation(&self.library, text);
            }
            let failed_by_itself = matches!(report, Ok(Report::Failed { .. }));
            let outcome = self.start.reported(report);
            if matches!(outcome, Some(Outcome::Running)) || !Mutation::StartFailsWithItsLibrary.is_on() {
                self.tell_pid();
            }
            if let Some(outcome) = outcome {
                if !matches!(outcome, Outcome::Failed(..)) {
                    self.deadline = None;
                } else if !failed_by_itself {
                    self.guardian.kill();
                }
                return self.news(outcome);
            }
        }
        None
    }

    /// Tells Start that there is a child, once there is. From then on it may take as long as it likes.
    fn tell_pid(&mut self) {
        if self.start.has_begun()
            && let Some(pid) = self.guardian.child()
            && self.audience.tell_pid(pid)
        {
            self.told_pid = Some(pid);
            self.deadline = None;
        }
    }

    /// The news for the user; a failure is explained in the log.
    fn news(&mut self, outcome: Outcome) -> Option<News> {
        self.channel.stop_receiving();
        let child = format!("native child process {}", self.library);
        match outcome {
            Outcome::Running => None,
            Outcome::Entered(reference) => self.audience.entered(reference, Arc::clone(&self.channel), child),
            Outcome::Failed(failure, text) => {
                if failure == Failure::Loading {
                    let advice = environment::advice_on_sanitizers().map(|advice| format!("; {advice}"));
                    let (found, advice) = (&self.found, advice.unwrap_or_default());
                    ipckit_log::inner::error(format_args!("{child}: {text}; places looked at: {found}{advice}"));
                } else {
                    ipckit_log::inner::error(format_args!("{child}: {text}"));
                }
                self.audience.fail(failure)
            }
        }
    }
}

/// What keeps one child from being isolated keeps the next one too, so that it is said once.
fn warn_of_isolation(library: &str, text: &str) {
    static SAID: AtomicBool = AtomicBool::new(false);
    if !SAID.swap(true, Ordering::Relaxed) {
        ipckit_log::inner::warn(format_args!(
            "native child process {library}: it is not isolated as asked for: {text}"
        ));
    }
}
