// SPDX-License-Identifier: Apache-2.0
//! What a child process does, from the moment the launcher gives it up to its exit.

mod notice;

use std::ffi::CString;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use self::notice::Notice;
use crate::protocol::{LONGEST_PACKET, Order, Report, Stage};
use crate::sys::channel::{Channel, Received};
use crate::sys::entry::ConnectEntry;
use crate::sys::loader::Library;
use crate::sys::poll::{self, Interest, Readiness};
use crate::sys::{ipc, process};

static IS_CHILD: AtomicBool = AtomicBool::new(false);

/// How long a child whose main procedure has returned stays for its parent to connect, and for requests to be answered.
const LONGEST_FAREWELL: Duration = Duration::from_secs(1);

/// Exit status of a child whose start has failed.
const FAILURE: i32 = 1;

/// Whether this is a child process.
pub(crate) fn is_child() -> bool {
    IS_CHILD.load(Ordering::Relaxed)
}

/// Runs the child; the result is its exit status. A C++ exception of the library's passes through.
pub(crate) fn run(channel: Channel) -> i32 {
    IS_CHILD.store(true, Ordering::Relaxed);
    process::fill_standard_descriptors();
    process::accept_all_signals();
    let channel = Arc::new(channel);
    let Some(Order::Connect { library, nice }) = next_order(&channel, None) else { return FAILURE };
    // The parent may have ended before the kernel had been told to end this process with it.
    if has_hung_up(&channel) {
        return FAILURE;
    }
    if nice != process::nice() {
        process::set_nice(nice);
    }
    match connect(library, &channel) {
        Ok(()) => 0,
        Err((stage, text)) => {
            report(&channel, &Report::Failed { stage, text });
            FAILURE
        }
    }
}

fn connect(library: CString, channel: &Arc<Channel>) -> Result<(), (Stage, String)> {
    report(channel, &Report::Loading);
    let entry = Library::load(&library).and_then(|library| ConnectEntry::find(&library));
    let entry = entry.map_err(|text| (Stage::Loading, text))?;
    report(channel, &Report::Loaded);
    let reference = entry.offer().map_err(|error| (Stage::Connecting, error.to_string()))?;
    let notice = Notice::prepare(Arc::clone(channel), reference)
        .map_err(|error| (Stage::Connecting, format!("no thread could be started: {error}")))?;
    notice.main_proc_entered();
    entry.main_proc();
    notice.main_proc_returned();
    // A parent that is told of a child gets a proxy of it, though it be one of a dead child.
    next_order(channel, Some(Instant::now() + LONGEST_FAREWELL));
    ipc::wait_idle(LONGEST_FAREWELL);
    Ok(())
}

/// The next order; `None` at the deadline, or when the parent hangs up or makes no sense.
fn next_order(channel: &Channel, deadline: Option<Instant>) -> Option<Order> {
    let mut packet = [0; LONGEST_PACKET];
    loop {
        match channel.receive(&mut packet) {
            Ok(Received::Packet(length)) => return Order::from_packet(&packet[..length]).ok(),
            Ok(Received::Nothing) if deadline.is_none_or(|deadline| Instant::now() < deadline) => {}
            _ => return None,
        }
        poll::wait(&[(channel.as_fd(), Interest::Readable)], deadline);
    }
}

fn has_hung_up(channel: &Channel) -> bool {
    poll::wait(&[(channel.as_fd(), Interest::HangUp)], Some(Instant::now())) != [Readiness::Idle]
}

/// A parent that cannot be told is gone, and takes this process with it.
fn report(channel: &Channel, report: &Report) {
    let _ = channel.send(&report.to_packet());
}
