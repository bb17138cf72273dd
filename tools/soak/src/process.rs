// SPDX-License-Identifier: Apache-2.0
//! The driver's side of a peer.
#![allow(unsafe_code)] // signals

use std::ffi::c_int;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::Sender;
use std::thread;

use crate::library::{self, ADDRESS_BYTES};
use crate::world::Who;

/// A line of a peer's; none where it has ended.
pub(crate) type Said = (Who, Option<String>);

/// What all peers of a trial have in common.
pub(crate) struct Setting<'a> {
    pub(crate) library: &'a Path,
    pub(crate) board: &'a Path,
    pub(crate) said: &'a Sender<Said>,
    /// Bytes of received messages, or none for the library's default.
    pub(crate) room: Option<&'a str>,
}

/// A peer.
pub(crate) struct Peer {
    pub(crate) who: Who,
    pub(crate) child: Child,
    stdin: ChildStdin,
    pub(crate) door: Option<String>,
    /// Answers that are still to come.
    pub(crate) asked: usize,
}

impl Peer {
    /// Starts one; `fault_page` is for libraries with fault points.
    pub(crate) fn start(setting: &Setting<'_>, who: Who, seed: u64, fault_page: Option<&Path>) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("peer").arg(setting.library).arg(setting.board);
        command.args([who.slot as u64, who.incarnation, seed].map(|number| number.to_string()));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(page) = fault_page {
            command.env("IPCKIT_FAULT_POINTS", page);
        }
        if std::env::var_os("IPCKIT_LOG_LEVEL").is_none() {
            // Deaths are what this is about, so each is no news.
            command.env("IPCKIT_LOG_LEVEL", "F");
        }
        // What threads keep of the heap for their next use counts as in use.
        command.env("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0");
        if let Some(room) = setting.room {
            command.env("IPCKIT_RECEIVE_BUFFER", room);
        }
        let mut child = command.spawn()?;
        let stdin = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let said = setting.said.clone();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = said.send((who, Some(line)));
            }
            let _ = said.send((who, None));
        });
        Ok(Self { who, child, stdin, door: None, asked: 1 })
    }

    pub(crate) fn ask(&mut self, line: &str) {
        self.asked += 1;
        // Where it is dead, that is said by other means.
        let _ = writeln!(self.stdin, "{line}");
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: c_int) {
        // SAFETY: takes numbers. The process is a child that has not been waited for, so that the number is still its own.
        unsafe {
            libc::kill(self.id().cast_signed(), signal);
        }
    }

    /// The name of the socket that it listens at.
    pub(crate) fn socket(&self) -> Option<String> {
        let reference = library::from_hex(self.door.as_deref()?)?;
        Some(format!("@ipckit-{}", library::to_hex(&reference[..ADDRESS_BYTES])))
    }

    /// Whether it is stopped, or as good as dead.
    pub(crate) fn is_stopped(&self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap_or_default();
        stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with(['T', 't', 'Z', 'X']))
    }

    /// What its threads are at, for who has to find out why it hangs.
    pub(crate) fn tell_threads(&self) {
        for task in fs::read_dir(format!("/proc/{}/task", self.id())).into_iter().flatten().flatten() {
            let read = |name: &str| fs::read_to_string(task.path().join(name)).unwrap_or_default();
            eprintln!(
                "  {:?} {} {} {}",
                task.file_name(),
                read("comm").trim(),
                read("wchan").trim(),
                read("syscall").trim()
            );
        }
        if std::env::var_os("SOAK_BACKTRACES").is_some() {
            let id = self.id().to_string();
            let gdb = Command::new("gdb").args(["-batch", "-p", &id, "-ex", "thread apply all bt 16"]).output();
            eprintln!(
                "{}",
                gdb.map_or_else(|error| error.to_string(), |gdb| String::from_utf8_lossy(&gdb.stdout).into())
            );
        }
    }
}

/// Of these sockets, those that there are.
pub(crate) fn sockets_there(names: &[String]) -> Vec<String> {
    let there = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    names.iter().filter(|name| there.lines().any(|line| line.ends_with(name.as_str()))).cloned().collect()
}

/// How a process has ended, in a word.
pub(crate) fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    match status.signal() {
        Some(signal) => format!("signal {signal}"),
        None => format!("status {}", status.code().unwrap_or(-1)),
    }
}
