// SPDX-License-Identifier: Apache-2.0
//! Keeps directories and the network from the calling process, with namespaces that need no privilege.
//!
//! Sockets in the abstract namespace, by which processes find each other for IPC, belong to a network namespace. So a
//! thread stays behind in the old one and makes these sockets; a socket keeps the namespace that it was made in.
#![allow(unsafe_code)] // system calls

use std::collections::VecDeque;
use std::env;
use std::ffi::{CStr, CString, OsStr, c_int};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::OnceLock;

use ipckit_threads::lock::{Condvar, Mutex};
use ipckit_threads::thread;

use super::{ipc, process};
use crate::mutation::Mutation;

/// User ids that no ordinary user has; a process's own id is added.
const FIRST_OTHER_USER: u32 = 1_000_000;

/// What is kept from the process.
#[derive(Debug)]
pub(crate) struct Confinement<'a> {
    /// Whether it sees itself as another user.
    pub(crate) other_user: bool,
    /// Directories that it finds empty; absolute paths.
    pub(crate) hidden: &'a [CString],
    /// Whether it is to reach other processes by IPC all the same.
    pub(crate) keeps_ipc: bool,
}

/// Confines the calling process, which has no other thread yet. What could not be done is told; the rest is done.
pub(crate) fn confine(confinement: &Confinement<'_>) -> Result<(), String> {
    // SAFETY: takes nothing.
    let (user, group) = unsafe { (libc::geteuid(), libc::getegid()) };
    unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNS).map_err(|error| {
        format!("no user namespace of its own could be had: {error}; directories and network stay in sight")
    })?;
    let inside = if confinement.other_user { FIRST_OTHER_USER + std::process::id() } else { user };
    let mut failures = Vec::new();
    let mut note = |what: &str, result: io::Result<()>| {
        if let Err(error) = result {
            failures.push(format!("{what}: {error}"));
        }
    };
    note("giving the right to set groups up", fs::write("/proc/self/setgroups", "deny"));
    note("mapping the user", fs::write("/proc/self/uid_map", format!("{inside} {user} 1")));
    note("mapping the group", fs::write("/proc/self/gid_map", format!("{group} {group} 1")));
    note("detaching the mounts", mount(c"none", c"/", c"", libc::MS_REC | libc::MS_PRIVATE, c""));
    let directory = env::current_dir();
    for directory in confinement.hidden {
        let flags = libc::MS_NOSUID | libc::MS_NODEV;
        let what = format!("hiding {}", directory.to_string_lossy());
        note(&what, mount(c"ipckit-isolation", directory, c"tmpfs", flags, c"mode=0700"));
    }
    if let Ok(directory) = directory {
        note("leaving the working directory", leave_if_hidden(&directory, confinement.hidden));
    }
    let has_sockets = if confinement.keeps_ipc { begin_socket_maker() } else { Ok(()) };
    match has_sockets {
        Ok(()) => note("leaving the network", unshare(libc::CLONE_NEWNET)),
        Err(error) => note("starting the thread that keeps IPC going", Err(error)),
    }
    drop_capabilities();
    // The new credentials may have undone it.
    process::die_with_parent();
    if failures.is_empty() { Ok(()) } else { Err(failures.join("; ")) }
}

/// A working directory is held, whatever is mounted over it: goes to what has its path now, or to the root where nothing has.
fn leave_if_hidden(directory: &Path, hidden: &[CString]) -> io::Result<()> {
    let is_hidden = |hidden: &CString| directory.starts_with(OsStr::from_bytes(hidden.to_bytes()));
    if !hidden.iter().any(is_hidden) || Mutation::HiddenDirectoriesAreKept.is_on() {
        return Ok(());
    }
    if env::set_current_dir(directory).is_err() {
        ipckit_log::info(format_args!(
            "an isolated child process does not see its working directory {}, and goes on in /",
            directory.display()
        ));
        env::set_current_dir("/")?;
    }
    Ok(())
}

fn unshare(flags: c_int) -> io::Result<()> {
    // SAFETY: takes numbers only; namespaces are no memory.
    check(unsafe { libc::unshare(flags) })
}

fn mount(source: &CStr, target: &CStr, kind: &CStr, flags: libc::c_ulong, options: &CStr) -> io::Result<()> {
    // SAFETY: terminated texts that the kernel reads during the call.
    check(unsafe { libc::mount(source.as_ptr(), target.as_ptr(), kind.as_ptr(), flags, options.as_ptr().cast()) })
}

fn check(result: c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Gives up what the new user namespace has given to the calling thread: it could look behind the mounts. For good: a program that the
/// superuser executes would have it all again.
fn drop_capabilities() {
    // SAFETY: takes numbers only.
    unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    const VERSION_3: u32 = 0x2008_0522;
    let header = [VERSION_3, 0];
    let none = [0_u32; 6];
    // SAFETY: a header and two sets of three words each, as this version has them.
    unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), none.as_ptr()) };
}

type Reply = io::Result<c_int>;

/// Where the thread that makes sockets is asked for some, and leaves them. One is as good as another.
#[derive(Default)]
struct SocketMaker {
    orders: Mutex<Orders>,
    changed: Condvar,
}

#[derive(Default)]
struct Orders {
    wanted: u32,
    made: VecDeque<Reply>,
}

/// The process that has the thread, and where it is asked.
static SOCKET_MAKER: OnceLock<(u32, SocketMaker)> = OnceLock::new();

/// Starts a thread that stays in the network namespace and has the IPC runtime ask it for sockets.
fn begin_socket_maker() -> io::Result<()> {
    let (_, maker) = SOCKET_MAKER.get_or_init(|| (std::process::id(), SocketMaker::default()));
    thread::start(
        || "ipckit_sockets".into(),
        || {
            drop_capabilities();
            maker.serve();
        },
    )?;
    ipc::set_socket_maker(make_socket);
    Ok(())
}

/// A new socket of the old network namespace, or a negative error number.
extern "C" fn make_socket() -> c_int {
    let made = match SOCKET_MAKER.get() {
        // A forked process does not have the thread, and has to make do with its own namespace.
        Some((process, maker)) if *process == std::process::id() => maker.ask(),
        _ => new_socket(),
    };
    made.unwrap_or_else(|error| -error.raw_os_error().unwrap_or(libc::EIO))
}

impl SocketMaker {
    fn serve(&self) -> ! {
        let mut orders = self.orders.lock();
        loop {
            while orders.wanted == 0 {
                self.changed.wait(&mut orders);
            }
            orders.wanted -= 1;
            orders.made.push_back(new_socket());
            self.changed.notify_all();
        }
    }

    fn ask(&self) -> Reply {
        let mut orders = self.orders.lock();
        orders.wanted += 1;
        self.changed.notify_all();
        loop {
            if let Some(made) = orders.made.pop_front() {
                return made;
            }
            self.changed.wait(&mut orders);
        }
    }
}

fn new_socket() -> Reply {
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: takes numbers only.
    match unsafe { libc::socket(libc::AF_UNIX, kind, 0) } {
        -1 => Err(io::Error::last_os_error()),
        number => Ok(number),
    }
}
