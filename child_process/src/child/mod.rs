// SPDX-License-Identifier: Apache-2.0
//! What a child process does, from the moment the launcher gives it up to its exit.

mod notice;

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use self::notice::Notice;
use crate::mutation::Mutation;
use crate::protocol::{Gift, LONGEST_PACKET, Order, Report, Stage, Surroundings, Task};
use crate::sys::channel::{Channel, Received};
use crate::sys::entry::{ConnectEntry, RunEntry};
use crate::sys::isolation::{self, Confinement};
use crate::sys::loader::Library;
use crate::sys::poll::{self, Interest, Readiness};
use crate::sys::{arguments, ipc, memory_file, process};

static IS_CHILD: AtomicBool = AtomicBool::new(false);

/// How long a child whose main procedure has returned stays for its parent to connect, and for requests to be answered.
const LONGEST_FAREWELL: Duration = Duration::from_secs(1);

/// Exit status of a child whose start has failed.
const FAILURE: i32 = 1;

/// Whether this is a child process.
pub(crate) fn is_child() -> bool {
    IS_CHILD.load(Ordering::Relaxed) && !Mutation::ChildrenMayHaveChildren.is_on()
}

/// Runs the child; the result is its exit status. A C++ exception of the library's passes through.
pub(crate) fn run(channel: Channel) -> i32 {
    IS_CHILD.store(true, Ordering::Relaxed);
    process::fill_standard_descriptors();
    process::accept_all_signals();
    let channel = Arc::new(channel);
    let mut descriptors = Vec::new();
    let Some(Order::Begin { task, library, surroundings }) = next_order(&channel, &mut descriptors) else {
        return FAILURE;
    };
    settle(&surroundings, task, &channel);
    // The parent may have ended before the kernel had been told to end this process with it.
    if has_hung_up(&channel) {
        return FAILURE;
    }
    let outcome = match task {
        Task::Connect => connect(library, &channel),
        Task::Run => run_function(&library, descriptors, &channel).map_err(|text| (Stage::Loading, text)),
    };
    match outcome {
        Ok(()) => 0,
        Err((stage, text)) => {
            report(&channel, &Report::Failed { stage, text });
            FAILURE
        }
    }
}

fn settle(surroundings: &Surroundings, task: Task, channel: &Channel) {
    if surroundings.nice != process::nice() && !Mutation::NiceValuesAreNotPassedOn.is_on() {
        process::set_nice(surroundings.nice);
    }
    let Some(isolation) = &surroundings.isolation else { return };
    let confinement =
        Confinement { other_user: isolation.other_user, hidden: &isolation.hidden, keeps_ipc: task == Task::Connect };
    if let Err(text) = isolation::confine(&confinement) {
        report(channel, &Report::NotIsolated(text));
    }
}

fn connect(library: CString, channel: &Arc<Channel>) -> Result<(), (Stage, String)> {
    report(channel, &Report::Loading);
    let entry = load(&library).and_then(|library| ConnectEntry::find(&library));
    let entry = entry.map_err(|text| (Stage::Loading, text))?;
    report(channel, &Report::Loaded);
    let reference = entry.offer().map_err(|error| (Stage::Connecting, error.to_string()))?;
    let notice = Notice::prepare(Arc::clone(channel), reference)
        .map_err(|error| (Stage::Connecting, format!("no thread could be started: {error}")))?;
    notice.main_proc_entered();
    entry.main_proc();
    notice.main_proc_returned();
    if Mutation::ChildrenLeaveAtOnce.is_on() {
        return Ok(());
    }
    // A parent that is told of a child gets a proxy of it, though it be one of a dead child.
    notice.await_import(Instant::now() + LONGEST_FAREWELL);
    let longest = if Mutation::HandlersKeepTheirProcess.is_on() { Duration::MAX } else { LONGEST_FAREWELL };
    ipc::wait_idle(longest);
    Ok(())
}

/// Runs the function that the gift names; the first descriptor is the gift, the others are named in it.
fn run_function(library: &CStr, descriptors: Vec<OwnedFd>, channel: &Arc<Channel>) -> Result<(), String> {
    let mut descriptors = descriptors.into_iter();
    let content = descriptors.next().and_then(|file| memory_file::content(file).ok());
    let gift =
        content.and_then(|content| Gift::from_bytes(&content)).filter(|gift| gift.names.len() == descriptors.len());
    let Some(Gift { function, parameters, names }) = gift else {
        return Err("what the parent gave could not be taken over; the limit RLIMIT_NOFILE may be too low".into());
    };
    let arguments = arguments::publish(parameters, names.into_iter().zip(descriptors).collect());
    report(channel, &Report::Loading);
    let entry = load(library).and_then(|library| RunEntry::find(&library, &function))?;
    notice::end_with_parent(Arc::clone(channel)).map_err(|error| format!("no thread could be started: {error}"))?;
    report(channel, &Report::Loaded);
    entry.run(arguments);
    Ok(())
}

fn load(library: &CStr) -> Result<Library, String> {
    // To the loader, no name is the program itself.
    if library.is_empty() { Err("no library is named".into()) } else { Library::load(library) }
}

/// The next order and the descriptors that come with it; `None` when the parent hangs up or makes no sense.
fn next_order(channel: &Channel, descriptors: &mut Vec<OwnedFd>) -> Option<Order> {
    let mut packet = [0; LONGEST_PACKET];
    loop {
        match channel.receive_with(&mut packet, descriptors) {
            Ok(Received::Packet(length)) => return Order::from_packet(&packet[..length]).ok(),
            Ok(Received::Nothing) => {}
            _ => return None,
        }
        poll::wait(&[(channel.as_fd(), Interest::Readable)], None);
    }
}

fn has_hung_up(channel: &Channel) -> bool {
    poll::wait(&[(channel.as_fd(), Interest::HangUp)], Some(Instant::now())) != [Readiness::Idle]
}

/// A parent that cannot be told is gone, and takes this process with it.
fn report(channel: &Channel, report: &Report) {
    let _ = channel.send(&report.to_packet());
}
