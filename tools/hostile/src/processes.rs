// SPDX-License-Identifier: Apache-2.0
//! The processes of a run: this very program in another role.
#![allow(unsafe_code, reason = "a request to the kernel between fork and exec")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// A child process; killed with this value.
pub struct Child {
    process: std::process::Child,
    conversation: Option<(ChildStdin, BufReader<ChildStdout>)>,
}

fn command(role: &str, arguments: &[String]) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg(role).args(arguments);
    let end_with_parent = || {
        // SAFETY: plain numbers; the call is allowed between fork and exec.
        unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
        Ok(())
    };
    // SAFETY: the closure makes one system call and allocates nothing.
    unsafe { command.pre_exec(end_with_parent) };
    command
}

impl Child {
    /// Starts this program with a role, to talk to.
    pub fn start(role: &str, arguments: &[String], log: Stdio) -> Result<Self> {
        let mut command = command(role, arguments);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).spawn()?;
        let conversation = process.stdin.take().zip(process.stdout.take().map(BufReader::new));
        Ok(Self { process, conversation })
    }

    /// The same without saying anything to it.
    pub fn start_mute(role: &str, arguments: &[String], log: Stdio) -> Result<Self> {
        let process = command(role, arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn()?;
        Ok(Self { process, conversation: None })
    }

    pub fn ask(&mut self, line: &str) -> Result<String> {
        let Some((input, output)) = &mut self.conversation else { bail!("it is mute") };
        writeln!(input, "{line}").context("a child process is gone")?;
        let mut answer = String::new();
        if output.read_line(&mut answer)? == 0 {
            bail!("a child process ended: {}", self.process.wait()?);
        }
        Ok(answer.trim_end().to_owned())
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// How it ended, if it has.
    pub fn end(&mut self) -> Result<Option<std::process::ExitStatus>> {
        Ok(self.process.try_wait()?)
    }

    /// What can be seen of it from outside.
    pub fn possessions(&self) -> Possessions {
        let place = format!("/proc/{}", self.id());
        let entries = |name: &str| fs::read_dir(format!("{place}/{name}")).map_or(0, Iterator::count);
        let status = fs::read_to_string(format!("{place}/status")).unwrap_or_default();
        let memory =
            status.lines().find_map(|line| line.strip_prefix("RssAnon:")?.trim().strip_suffix(" kB")?.parse().ok());
        let maps = fs::read_to_string(format!("{place}/maps")).unwrap_or_default();
        Possessions {
            descriptors: entries("fd"),
            threads: entries("task"),
            mappings: maps.lines().filter(|line| line.contains("memfd:ipckit-")).count(),
            kilobytes: memory.unwrap_or(0),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a process has.
#[derive(Debug, Clone, Copy)]
pub struct Possessions {
    pub descriptors: usize,
    pub threads: usize,
    pub mappings: usize,
    pub kilobytes: u64,
}

impl Possessions {
    /// What is more than before and should not be, by name. Workers stay, and the allocator keeps some memory.
    pub fn leaks_since(&self, before: &Self) -> Vec<String> {
        const MORE_THREADS: usize = 20;
        const MORE_KILOBYTES: u64 = 256 * 1024;
        let things = [
            ("descriptors", self.descriptors as u64, before.descriptors as u64),
            ("threads", self.threads as u64, (before.threads + MORE_THREADS) as u64),
            ("mappings", self.mappings as u64, before.mappings as u64),
            ("kilobytes", self.kilobytes, before.kilobytes + MORE_KILOBYTES),
        ];
        let leaks = things.into_iter().filter(|(_, now, most)| now > most);
        leaks.map(|(name, now, most)| format!("{now} {name}, no more than {most} expected")).collect()
    }
}

/// Waits until `holds`, no longer than `patience`.
pub fn until(patience: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + patience;
    while !holds() {
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}

/// Lets a process that is stopped go on.
pub fn let_go_on(child: &Child) {
    // SAFETY: plain numbers; a child of ours has that number until it was waited for.
    unsafe {
        libc::kill(child.id().cast_signed(), libc::SIGCONT);
    }
}
