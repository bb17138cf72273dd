// SPDX-License-Identifier: Apache-2.0
//! What a parent does: finds the library, starts the process, follows it, tells the outcome.

mod child;
mod environment;
mod event;
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

use parking_lot::Mutex;

use self::event::Event;
use self::live::Live;
use self::news::Recipient;
use self::plan::Plan;
use self::settings::Settings;
use self::starter::{Launch, Starter};
use crate::sys::fork::PerProcess;
use crate::sys::ipc;

pub(crate) use self::news::Callback;
pub(crate) use self::start::Failure;

/// Why no start was begun; the callback is not called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// As many children live as may.
    TooMany,
    /// The process has no thread or descriptor left to start one with.
    Internal,
}

/// How long Create waits for the child to take over the process's surroundings, which takes microseconds.
const LONGEST_HANDOVER: Duration = Duration::from_secs(2);

/// What a process has for its children.
#[derive(Default)]
struct Process {
    live: Live,
    children_so_far: AtomicUsize,
    starter: Mutex<Option<Arc<Starter>>>,
}

static PROCESS: PerProcess<Process> = PerProcess::new();

/// Starts a child that loads the library and connects. `caller` is an address in the module that asks for it.
///
/// The callback is told the outcome once, on an IPC worker. Returns when the child has taken over the directory, the
/// descriptors and the environment of the process, and the callback has returned or its head start is over.
pub(crate) fn create(library: &CStr, caller: *const c_void, callback: Callback) -> Result<(), Refusal> {
    let settings = Settings::from_environment();
    let process = PROCESS.get();
    let name = library.to_string_lossy();
    let place = process.live.reserve(settings.most_connected).ok_or_else(|| {
        let most = settings.most_connected;
        ipckit_log::error(format_args!(
            "native child process {name}: {most} children live already; IPCKIT_MAX_CHILDREN sets another limit"
        ));
        Refusal::TooMany
    })?;
    let starter = process.starter().map_err(|error| {
        ipckit_log::error(format_args!(
            "native child process {name}: no thread that starts it could be made: {}",
            starter::explain(&error)
        ));
        Refusal::Internal
    })?;
    let number = process.children_so_far.fetch_add(1, Ordering::Relaxed) + 1;
    let (begun, told) = (Arc::new(Event::default()), Arc::new(Event::default()));
    starter.post(Launch {
        library: name.into_owned(),
        plan: Plan::gather(library, caller, number),
        time: settings.start_timeout,
        recipient: Recipient { callback, told: Arc::clone(&told) },
        begun: Arc::clone(&begun),
        place,
    });
    begun.wait_until(Instant::now() + LONGEST_HANDOVER);
    // A worker that waited might be the one that the callback needs.
    if !ipc::on_library_thread() {
        told.wait_until(Instant::now() + settings.head_start);
    }
    Ok(())
}

impl Process {
    fn starter(&self) -> std::io::Result<Arc<Starter>> {
        let mut starter = self.starter.lock();
        if let Some(starter) = &*starter {
            return Ok(Arc::clone(starter));
        }
        let begun = Starter::begin()?;
        *starter = Some(Arc::clone(&begun));
        Ok(begun)
    }
}
