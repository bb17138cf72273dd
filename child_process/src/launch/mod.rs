// SPDX-License-Identifier: Apache-2.0
//! What a parent does: finds the library, starts the process, follows it, tells the outcome.

mod audience;
mod behaviour;
mod child;
mod environment;
mod event;
mod exit;
mod given;
mod isolation;
mod launcher;
mod live;
mod news;
mod plan;
mod search;
mod settings;
mod start;
mod starter;

use std::ffi::{CStr, c_void};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ipckit_log::inner::Written;
use ipckit_threads::lock::Mutex;
use ipckit_threads::per_process::PerProcess;

use self::audience::Audience;
use self::event::{Answer, Event};
use self::exit::ExitCallbacks;
use self::live::Live;
use self::news::Recipient;
use self::plan::{Plan, Wish};
use self::settings::Settings;
use self::starter::{Launch, Starter};
use crate::mutation::Mutation;
use crate::protocol::Task;
use crate::sys::ipc;

pub(crate) use self::exit::ExitCallback;
pub(crate) use self::given::{Given, NotGiven};
pub(crate) use self::news::Callback;
pub(crate) use self::plan::Configuration;
pub(crate) use self::start::Failure;

/// Why no start was begun; the callback is not called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// As many children live as may.
    TooMany,
    /// The process has no thread or descriptor left to start one with.
    Internal,
}

/// Why Start has started nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotStarted {
    Refused(Refusal),
    Failed(Failure),
}

/// How long Create waits for the child to take over the process's surroundings, which takes microseconds.
const LONGEST_HANDOVER: Duration = Duration::from_secs(2);

/// What a process has for its children.
#[derive(Default)]
struct Process {
    live: Live,
    exits: ExitCallbacks,
    children_so_far: AtomicUsize,
    starter: Mutex<Option<Arc<Starter>>>,
}

fn process() -> &'static Process {
    static PROCESS: PerProcess<Process> = PerProcess::new();
    PROCESS.get_or_init(Process::default)
}

/// Starts a child that loads the library and connects. `caller` is an address in the module that asks for it.
///
/// The callback is told the outcome once, on an IPC worker. Returns when the child has taken over the directory, the
/// descriptors and the environment of the process, and the callback has returned or its head start is over.
pub(crate) fn create(
    library: &CStr,
    caller: *const c_void,
    configuration: &Configuration,
    callback: Callback,
) -> Result<(), Refusal> {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = match Mutation::StartsAtOnceAreRefused.is_on().then(|| ALONE.try_lock()) {
        Some(None) => return Err(Refusal::TooMany),
        alone => alone,
    };
    let settings = Settings::from_environment();
    let told = Arc::new(Event::default());
    let audience = Audience::Callback(Some(Recipient { callback, told: Arc::clone(&told) }));
    let begun = process().launch(&Wish { library, caller, given: None, configuration }, audience, &settings)?;
    begun.wait_until(Instant::now() + LONGEST_HANDOVER);
    // A worker that waited might be the one that the callback needs.
    if !ipc::on_library_thread() || Mutation::CreateWaitsInHandlers.is_on() {
        told.wait_until(Instant::now() + settings.head_start);
    }
    Ok(())
}

/// Starts a child that loads the library and runs a function with what it is given. Returns its process id once it exists
/// and has taken over all of it.
pub(crate) fn start(
    library: &CStr,
    caller: *const c_void,
    given: &Given<'_>,
    configuration: &Configuration,
) -> Result<i32, NotStarted> {
    let answer = Arc::new(Answer::new());
    let audience = Audience::Caller(Some(Arc::clone(&answer)));
    let wish = Wish { library, caller, given: Some(given), configuration };
    process().launch(&wish, audience, &Settings::from_environment()).map_err(NotStarted::Refused)?;
    answer.take().map_err(NotStarted::Failed)
}

/// Kills the child of this process id; `false` where no child of this process has it and lives.
pub(crate) fn kill(pid: i32) -> bool {
    process().live.kill(pid)
}

/// Has it called whenever a child made by Start has ended; once, however often it is added.
pub(crate) fn add_exit_callback(callback: ExitCallback) {
    process().exits.add(callback);
}

/// Takes a callback back; whether it was there.
pub(crate) fn remove_exit_callback(key: usize) -> bool {
    process().exits.remove(key)
}

/// Takes a line that was said on the thread that starts children to where the user's callback for the log may be called.
fn carry_line(line: Written) {
    if let Err((line, _code)) = ipc::run_on_worker(line, Written::tell) {
        line.tell();
    }
}

impl Process {
    /// Has a child started as wished. What comes back happens when the child has taken over this process's surroundings,
    /// or none will.
    fn launch(&'static self, wish: &Wish<'_>, audience: Audience, settings: &Settings) -> Result<Arc<Event>, Refusal> {
        ipckit_log::inner::carry_with(carry_line);
        let name = wish.library.to_string_lossy();
        let task = if wish.given.is_some() { Task::Run } else { Task::Connect };
        let place = self.live.reserve(task, settings).map_err(|living| {
            ipckit_log::error(format_args!(
                "native child process {name}: {living} children live already; IPCKIT_MAX_CHILDREN sets another limit"
            ));
            Refusal::TooMany
        })?;
        self.starter().map_err(|error| {
            ipckit_log::error(format_args!(
                "native child process {name}: no thread that starts it could be made: {}",
                starter::explain(&error)
            ));
            Refusal::Internal
        })?;
        let number = self.children_so_far.fetch_add(1, Ordering::Relaxed) + 1;
        let begun = Arc::new(Event::default());
        self.post(Launch {
            library: name.into_owned(),
            plan: Plan::gather(wish, number),
            time: settings.start_timeout,
            audience,
            begun: Arc::clone(&begun),
            place,
        });
        Ok(begun)
    }

    /// Leaves it to the starter, or to another one where the program has closed that one's descriptors.
    fn post(&'static self, launch: Launch) {
        let mut launches = vec![launch];
        while let Some(launch) = launches.pop() {
            let starter = match self.starter() {
                Ok(starter) => starter,
                Err(error) => {
                    launch.fail(&error);
                    continue;
                }
            };
            if let Err(mut left) = starter.post(launch) {
                self.starter.lock().take_if(|known| Arc::ptr_eq(known, &starter));
                launches.append(&mut left);
            }
        }
    }

    fn starter(&'static self) -> std::io::Result<Arc<Starter>> {
        let mut starter = self.starter.lock();
        if let Some(starter) = &*starter {
            return Ok(Arc::clone(starter));
        }
        let begun = Starter::begin(&self.live, &self.exits)?;
        *starter = Some(Arc::clone(&begun));
        Ok(begun)
    }
}
