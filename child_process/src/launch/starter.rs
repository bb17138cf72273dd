// SPDX-License-Identifier: Apache-2.0
//! The thread that starts children and follows them to their end. Children die with the thread that started them, so it
//! lives as long as the process, and it runs no code of the user's that could hold it up.

use std::io;
use std::mem;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::audience::Audience;
use super::child::{Attended, Child};
use super::event::{Event, Queue};
use super::exit::{self, Ended, ExitCallbacks};
use super::live::{Live, Place};
use super::news::News;
use super::plan::Plan;
use super::search::Found;
use super::start::Failure;
use ipckit_threads::thread;

use crate::mutation::Mutation;
use crate::sys::channel::Channel;
use crate::sys::guardian::Guardian;
use crate::sys::poll::{self, Bell, Interest, Readiness};
use crate::sys::process;

/// How long news wait before they are offered to a worker again.
const RETRY: Duration = Duration::from_millis(50);

/// A child to be started and who wants to know.
pub(super) struct Launch {
    /// The library as the user names it, for the log.
    pub(super) library: String,
    pub(super) plan: Result<Plan, (Failure, String)>,
    pub(super) time: Duration,
    pub(super) audience: Audience,
    /// Happens once the child has taken over this process's surroundings, or none will come.
    pub(super) begun: Arc<Event>,
    pub(super) place: Place,
}

impl Launch {
    /// Tells that it came to nothing.
    pub(super) fn fail(mut self, error: &io::Error) {
        ipckit_log::error(format_args!(
            "native child process {}: no thread that starts it could be made: {}",
            self.library,
            explain(error)
        ));
        self.begun.happen();
        if let Some(Err(news)) = self.audience.fail(Failure::Internal).map(News::send) {
            news.tell();
        }
    }
}

/// Where launches are left for the thread.
pub(super) struct Starter {
    posted: Queue<Launch>,
    bell: Bell,
}

impl Starter {
    /// Starts the thread, which makes children known and tells their ends there.
    pub(super) fn begin(live: &'static Live, exits: &'static ExitCallbacks) -> io::Result<Arc<Self>> {
        let starter = Arc::new(Self { posted: Queue::new(), bell: Bell::new()? });
        let for_thread = Arc::clone(&starter);
        thread::start(|| "ipckit_starter".into(), move || Watch::new(for_thread, live, exits).run())?;
        Ok(starter)
    }

    /// Has the thread start a child. Where the program has closed what the thread would be woken by, all that waits for it comes
    /// back, for another starter.
    pub(super) fn post(&self, launch: Launch) -> Result<(), Vec<Launch>> {
        self.posted.push(launch).map_err(|launch| vec![launch])?;
        if self.bell.ring() {
            return Ok(());
        }
        Err(self.close().unwrap_or_default())
    }

    fn close(&self) -> Option<Vec<Launch>> {
        self.posted.close().inspect(|_| {
            ipckit_log::error(format_args!(
                "this program has closed descriptors of libchild_process.so; child processes that live are ended, and others can be \
                 started"
            ));
        })
    }
}

/// What the thread looks after.
struct Watch {
    starter: Arc<Starter>,
    live: &'static Live,
    exits: &'static ExitCallbacks,
    children: Vec<Child>,
    unsent: Vec<News>,
    /// Ends that the exit callbacks are to be told.
    ended: Vec<Ended>,
    /// Whether there are some that wait for a thread to be had.
    has_untold_ends: bool,
    /// Whether another thread starts children from now on, as the program has closed this one's bell.
    has_retired: bool,
}

impl Watch {
    fn new(starter: Arc<Starter>, live: &'static Live, exits: &'static ExitCallbacks) -> Self {
        let (children, unsent, ended) = (Vec::new(), Vec::new(), Vec::new());
        Self { starter, live, exits, children, unsent, ended, has_untold_ends: false, has_retired: false }
    }

    fn run(mut self) {
        while self.is_needed() {
            self.wait();
            for launch in self.starter.posted.take_all() {
                self.launch(launch);
            }
            let now = Instant::now();
            self.unsent.extend(self.children.iter_mut().filter_map(|child| child.check_time(now)));
            self.unsent = mem::take(&mut self.unsent).into_iter().filter_map(|news| news.send().err()).collect();
            self.has_untold_ends = !exit::tell(self.exits, mem::take(&mut self.ended));
        }
    }

    fn is_needed(&self) -> bool {
        !(self.has_retired && self.children.is_empty() && self.unsent.is_empty() && !self.has_untold_ends)
    }

    /// Leaves starting to another thread where the program has closed the bell, and very likely more.
    fn look_at_descriptors(&mut self) {
        if !self.has_retired && !self.starter.bell.is_ours() {
            self.has_retired = true;
            self.starter.close().into_iter().flatten().for_each(|launch| self.launch(launch));
        }
        if self.has_retired {
            self.children.iter_mut().for_each(Child::look_at_descriptors);
        }
    }

    /// Waits for anything to do, and takes what the children have to say.
    fn wait(&mut self) {
        self.look_at_descriptors();
        let mut waits = Vec::with_capacity(1 + 2 * self.children.len());
        if !self.has_retired {
            waits.push((self.starter.bell.descriptor(), Interest::Readable));
        }
        waits.extend(self.children.iter().flat_map(Child::waits));
        let mut ready = poll::wait(&waits, self.deadline()).into_iter();
        if !self.has_retired && ready.next() == Some(Readiness::Ready) {
            self.starter.bell.silence();
        }
        for child in mem::take(&mut self.children) {
            let readiness: Vec<_> = ready.by_ref().take(child.waits().count()).collect();
            match child.attend(&readiness) {
                Attended::Lives(child, news) => {
                    self.children.push(child);
                    self.unsent.extend(news);
                }
                Attended::Gone(news, ended) => {
                    self.unsent.extend(news);
                    self.ended.extend(ended);
                }
            }
        }
    }

    /// When there is something to do that nothing announces.
    fn deadline(&self) -> Option<Instant> {
        let has_untold = !self.unsent.is_empty() || self.has_untold_ends;
        let retry = has_untold.then(|| Instant::now() + RETRY);
        self.children.iter().filter_map(Child::deadline).chain(retry).min()
    }

    fn launch(&mut self, launch: Launch) {
        let Launch { library, plan, time, mut audience, begun, place } = launch;
        let deadline = Instant::now() + time;
        let launched = plan.and_then(|plan| {
            let failed = |text| (Failure::Internal, format!("no child process could be started: {text}"));
            start(plan).map_err(failed)
        });
        begun.happen();
        match launched {
            Ok((guardian, channel, found)) => {
                let guardian = Arc::new(guardian);
                self.live.add(&guardian);
                self.children.push(Child::new(library, found, guardian, channel, deadline, audience, place));
            }
            Err((failure, text)) => {
                ipckit_log::inner::error(format_args!("native child process {library}: {text}"));
                // A caller who starts another one at once finds room.
                drop(place);
                self.unsent.extend(audience.fail(failure));
            }
        }
    }
}

fn start(plan: Plan) -> Result<(Guardian, Channel, Found), String> {
    let while_doing = |what: &'static str| move |error| format!("{what} failed: {}", explain(&error));
    process::can_close_ranges().map_err(while_doing("close_range, which Linux has since 5.9,"))?;
    let (ours, childs) = plan.channel;
    if Mutation::SocketsOfChildrenStay.is_on() {
        mem::forget(childs.as_fd().try_clone_to_owned());
    }
    let guardian = Guardian::start(plan.program, childs.as_fd()).map_err(while_doing("cloning a process"))?;
    Ok((guardian, ours, plan.found))
}

/// An error with what to do about it, where that can be told.
pub(super) fn explain(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::EMFILE) if !Mutation::LimitsAreNotNamed.is_on() => {
            let limit = process::descriptor_limit().map_or_else(|| "unknown".into(), |limit| limit.to_string());
            format!("{error}; the limit RLIMIT_NOFILE is {limit}, see ulimit -n")
        }
        Some(libc::EAGAIN) => {
            format!("{error}; the limit RLIMIT_NPROC or that of the control group (pids.max) is reached")
        }
        Some(libc::EFBIG) => format!("{error}; the limit RLIMIT_FSIZE is reached, see ulimit -f"),
        Some(libc::ETOOMANYREFS) => format!("{error}; too many descriptors are being passed on, see ulimit -n"),
        _ => error.to_string(),
    }
}
