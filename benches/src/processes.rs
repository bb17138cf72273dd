// SPDX-License-Identifier: Apache-2.0
//! The processes that a measurement needs: this very program in another role. A line in and a line out is all that is
//! said to them beside what is measured.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::time::ClockId;
use nix::unistd::Pid;

/// A child process; killed with this value.
pub struct Child {
    process: std::process::Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Child {
    /// Starts this program with a role. The descriptors are open in the child under their numbers.
    pub fn start(role: &str, arguments: &[String], descriptors: &[&OwnedFd]) -> Result<Self> {
        for descriptor in descriptors {
            fcntl(descriptor, FcntlArg::F_SETFD(FdFlag::empty()))?;
        }
        let mut process = Command::new("/proc/self/exe")
            .arg(role)
            .args(arguments)
            // What the library says about a receiver that is full would be measured with it.
            .env("IPCKIT_LOG_LEVEL", "F")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {role}"))?;
        for descriptor in descriptors {
            fcntl(descriptor, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
        }
        let input = process.stdin.take().expect("piped");
        let output = BufReader::new(process.stdout.take().expect("piped"));
        Ok(Self { process, input, output })
    }

    pub fn id(&self) -> i32 {
        self.process.id() as i32
    }

    pub fn tell(&mut self, line: &str) -> Result<()> {
        writeln!(self.input, "{line}").context("a child process is gone")
    }

    pub fn hear(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            bail!("a child process ended: {}", self.process.wait()?);
        }
        Ok(line.trim_end().to_owned())
    }

    pub fn ask(&mut self, line: &str) -> Result<String> {
        self.tell(line)?;
        self.hear()
    }

    pub fn ask_number(&mut self, line: &str) -> Result<f64> {
        let answer = self.ask(line)?;
        answer.parse().with_context(|| format!("{line:?} was answered with {answer:?}"))
    }

    /// Kills it with SIGKILL, and does not wait.
    pub fn kill(&mut self) -> Result<()> {
        Ok(self.process.kill()?)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The arguments that descriptors are passed by.
pub fn numbers(descriptors: &[&OwnedFd]) -> Vec<String> {
    descriptors.iter().map(|descriptor| descriptor.as_raw_fd().to_string()).collect()
}

/// Where the two ends of a call are to run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Placement {
    OneCore,
    TwoCores,
    Anywhere,
}

impl Placement {
    pub fn name(self) -> &'static str {
        match self {
            Self::OneCore => "one core",
            Self::TwoCores => "two cores",
            Self::Anywhere => "unpinned",
        }
    }
}

/// The processors that this program may use.
pub struct Processors {
    usable: Vec<usize>,
    /// On another core than the first, where there is one.
    second: Option<usize>,
}

impl Processors {
    pub fn find() -> Result<Self> {
        let set = nix::sched::sched_getaffinity(Pid::from_raw(0))?;
        let usable: Vec<usize> = (0..CpuSet::count()).filter(|&cpu| set.is_set(cpu).unwrap_or(false)).collect();
        let siblings = |cpu: usize| {
            fs::read_to_string(format!("/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list"))
                .unwrap_or_else(|_| cpu.to_string())
        };
        let first = siblings(usable[0]);
        let second = usable.iter().copied().find(|&cpu| cpu != usable[0] && siblings(cpu) != first);
        let second = second.or_else(|| usable.get(1).copied());
        Ok(Self { usable, second })
    }

    pub fn count(&self) -> usize {
        self.usable.len()
    }

    /// Whether there are processors enough for it.
    pub fn allow(&self, placement: Placement) -> bool {
        placement != Placement::TwoCores || self.second.is_some()
    }

    /// The processors of the one end and of the other.
    fn ends(&self, placement: Placement) -> (Vec<usize>, Vec<usize>) {
        let first = vec![self.usable[0]];
        match placement {
            Placement::OneCore => (first.clone(), first),
            Placement::TwoCores => (first, self.second.into_iter().collect()),
            Placement::Anywhere => (self.usable.clone(), self.usable.clone()),
        }
    }

    /// Places all threads of two processes.
    pub fn place(&self, placement: Placement, one: i32, other: i32) -> Result<()> {
        let (first, second) = self.ends(placement);
        pin(one, &first)?;
        pin(other, &second)
    }
}

fn pin(process: i32, processors: &[usize]) -> Result<()> {
    let mut set = CpuSet::new();
    for &processor in processors {
        set.set(processor)?;
    }
    // Twice, for threads that others start meanwhile.
    for _ in 0..2 {
        for entry in fs::read_dir(format!("/proc/{process}/task"))? {
            let thread = entry?.file_name().to_string_lossy().parse()?;
            match sched_setaffinity(Pid::from_raw(thread), &set) {
                Ok(()) | Err(nix::errno::Errno::ESRCH) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

/// The processor time that all threads of a process have used.
pub fn processor_time(process: i32) -> Result<Duration> {
    let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(process))?;
    Ok(clock.now()?.into())
}

/// Resident memory of a process in bytes.
pub fn resident(process: i32) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Rss:")).context("no Rss in smaps_rollup")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").trim().parse()?;
    Ok(kib * 1024)
}

/// How often the threads of a process have gone to sleep, or were made to yield.
pub fn switches(process: i32) -> Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(format!("/proc/{process}/task"))? {
        let status = fs::read_to_string(entry?.path().join("status"))?;
        for line in status.lines().filter(|line| line.contains("ctxt_switches")) {
            sum += line.rsplit('\t').next().unwrap_or_default().parse::<u64>()?;
        }
    }
    Ok(sum)
}

/// How many entries /proc has for a process in `fd`, `task` or `map_files`.
pub fn entries(process: i32, directory: &str) -> Result<usize> {
    Ok(fs::read_dir(format!("/proc/{process}/{directory}"))?.count())
}

/// The lines of standard input, for a role.
pub fn orders() -> impl Iterator<Item = String> {
    std::io::stdin().lines().map_while(Result::ok)
}

/// Answers an order.
pub fn answer(text: impl std::fmt::Display) {
    println!("{text}");
    let _ = std::io::stdout().flush();
}

/// The path of the library, as roles get it.
pub fn path_argument(library: &Path) -> String {
    library.to_string_lossy().into_owned()
}
