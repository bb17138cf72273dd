// SPDX-License-Identifier: Apache-2.0
//! Attacks a process that uses the library, for a time, and sees its honest peers served correctly meanwhile.
//!
//! `ipckit-hostile --library PATH --seconds N [--seed S]`, where PATH is a `libipc_capi.so`. A library built for AddressSanitizer wants its
//! runtime in `LD_PRELOAD`. The program is a victim's, some honest peers', who check all that they are answered, and some attackers', of
//! random kinds, who are replaced as they end. It ends with what it has counted, and with 0 where nothing was wrong, failed, hung or leaked.

mod attacker;
mod board;
mod honest;
mod library;
mod processes;
mod surroundings;
mod victim;

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use attacker::KINDS;
use board::{Board, MOST_HONEST};
use lexopt::{Arg, Parser, ValueExt};
use processes::{Child, Possessions, until};

const USAGE: &str = "usage: ipckit-hostile --library PATH --seconds N [--seed S]";

/// Attackers and lasting honest peers at the same time.
const ATTACKERS: usize = 3;
const LASTING: usize = 2;

/// Who makes no progress for so long hangs. The machine may be busy with other things too.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((role, rest)) if role.starts_with(|first: char| first.is_ascii_uppercase()) => {
            play(role, rest).with_context(|| format!("in the role {role}"))?;
            Ok(ExitCode::SUCCESS)
        }
        _ => attack(),
    }
}

/// What a child process does: `ROLE LIBRARY BOARD [NUMBER REFERENCE MILLISECONDS SEED]`.
fn play(role: &str, arguments: &[String]) -> Result<()> {
    let [library, board, rest @ ..] = arguments else { bail!("arguments are missing") };
    library::load(library.as_ref())?;
    let board = Board::map(board.parse()?)?;
    match (role, rest) {
        ("Victim", []) => victim::run(board),
        ("Honest", [number, reference, time, seed]) => {
            let time = Duration::from_millis(time.parse()?);
            honest::run(board, number.parse()?, &library::from_hex(reference)?, time, seed.parse()?)
        }
        ("Attacker", [kind, reference, _, seed]) => {
            attacker::run(board, kind.parse()?, &library::from_hex(reference)?, seed.parse()?)
        }
        _ => bail!("there is no such role"),
    }
}

struct HonestProcess {
    child: Child,
    number: usize,
    pulse: u64,
    since: Instant,
}

struct AttackingProcess {
    child: Child,
    until: Instant,
    /// When it is stopped or let go on next.
    turn: Instant,
}

struct Run {
    library: String,
    board: &'static Board,
    board_file: std::os::fd::OwnedFd,
    random: fastrand::Rng,
    victim: Child,
    log: File,
    honest: Vec<HonestProcess>,
    attackers: Vec<AttackingProcess>,
    started_honest: usize,
    started: [u64; KINDS.len()],
    hangs: u64,
    failures: u64,
}

impl Run {
    fn new(library: String, seed: u64) -> Result<Self> {
        let (board, board_file) = Board::create()?;
        let path = std::env::temp_dir().join(format!("ipckit-hostile.{}", std::process::id()));
        let log = File::options().read(true).append(true).create_new(true).open(&path)?;
        std::fs::remove_file(path)?;
        let arguments = [library.clone(), board_file.as_raw_fd().to_string()];
        let victim = Child::start("Victim", &arguments, Stdio::from(log.try_clone()?))?;
        let random = fastrand::Rng::with_seed(seed);
        let (honest, attackers) = (Vec::new(), Vec::new());
        let started = [0; KINDS.len()];
        Ok(Self {
            library,
            board,
            board_file,
            random,
            victim,
            log,
            honest,
            attackers,
            started_honest: 0,
            started,
            hangs: 0,
            failures: 0,
        })
    }

    fn arguments(&mut self, number: usize, time: Duration) -> Result<Vec<String>> {
        let reference = self.victim.ask("reference")?;
        let board = self.board_file.as_raw_fd().to_string();
        let seed = self.random.u64(..).to_string();
        Ok(vec![self.library.clone(), board, number.to_string(), reference, time.as_millis().to_string(), seed])
    }

    fn start_honest(&mut self, time: Duration) -> Result<()> {
        if self.started_honest == MOST_HONEST {
            return Ok(());
        }
        let number = self.started_honest;
        self.started_honest += 1;
        let arguments = self.arguments(number, time)?;
        let child = Child::start_mute("Honest", &arguments, Stdio::from(self.log.try_clone()?))?;
        self.honest.push(HonestProcess { child, number, pulse: 0, since: Instant::now() });
        Ok(())
    }

    fn start_attacker(&mut self) -> Result<()> {
        let kind = self.random.usize(..KINDS.len());
        self.started[kind] += 1;
        let arguments = self.arguments(kind, Duration::ZERO)?;
        let child = Child::start_mute("Attacker", &arguments, Stdio::null())?;
        let now = Instant::now();
        let until = now + Duration::from_millis(self.random.u64(500..5000));
        self.attackers.push(AttackingProcess { child, until, turn: now });
        Ok(())
    }

    /// Sees to the honest processes: who is done, who has failed, who hangs.
    fn look_after_honest(&mut self) -> Result<()> {
        let mut left = Vec::new();
        for mut each in std::mem::take(&mut self.honest) {
            if let Some(status) = each.child.end()? {
                if !status.success() {
                    eprintln!("honest process {} ended: {status}", each.number);
                    self.failures += 1;
                }
                continue;
            }
            let pulse = self.board.honest[each.number].pulse.load(Ordering::Relaxed);
            if pulse != each.pulse {
                (each.pulse, each.since) = (pulse, Instant::now());
            } else if each.since.elapsed() > PATIENCE {
                eprintln!("honest process {} hangs", each.number);
                self.hangs += 1;
                continue;
            }
            left.push(each);
        }
        self.honest = left;
        Ok(())
    }

    fn look_after_attackers(&mut self) -> Result<()> {
        let now = Instant::now();
        let mut left = Vec::new();
        for mut each in std::mem::take(&mut self.attackers) {
            if each.child.end()?.is_some() || now > each.until {
                continue;
            }
            if now > each.turn {
                // Who has stopped itself, or anybody, goes on.
                processes::let_go_on(&each.child);
                each.turn = now + Duration::from_millis(self.random.u64(50..1500));
            }
            left.push(each);
        }
        self.attackers = left;
        Ok(())
    }

    fn check_victim(&mut self) -> Result<()> {
        if let Some(status) = self.victim.end()? {
            self.show_log();
            bail!("the victim ended: {status}");
        }
        Ok(())
    }

    fn show_log(&mut self) {
        let mut text = String::new();
        let read = self.log.seek(SeekFrom::Start(0)).and_then(|_| self.log.read_to_string(&mut text));
        if read.is_ok() {
            let lines: Vec<_> = text.lines().collect();
            eprintln!("the victim's log ends with\n{}", lines[lines.len().saturating_sub(60)..].join("\n"));
        }
    }

    fn go_on_for(&mut self, time: Duration) -> Result<()> {
        let start = Instant::now();
        let mut newcomer = start;
        (0..LASTING).try_for_each(|_| self.start_honest(time))?;
        while start.elapsed() < time {
            self.check_victim()?;
            self.look_after_honest()?;
            self.look_after_attackers()?;
            while self.attackers.len() < ATTACKERS {
                self.start_attacker()?;
            }
            if Instant::now() > newcomer {
                self.start_honest(Duration::from_millis(500))?;
                newcomer = Instant::now() + Duration::from_secs(3);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.board.is_over.store(1, Ordering::Relaxed);
        while !self.honest.is_empty() {
            self.check_victim()?;
            self.look_after_honest()?;
            self.look_after_attackers()?;
            std::thread::sleep(Duration::from_millis(20));
        }
        self.attackers.clear();
        Ok(())
    }

    /// Prints what was counted; whether all was well.
    fn report(&self, leaks: &[String], time: Duration) -> bool {
        let board = self.board;
        let started = KINDS.iter().zip(self.started).map(|((name, _), count)| format!("{count} {name}"));
        let started: Vec<_> = started.collect();
        let count = |number: &std::sync::atomic::AtomicU64| number.load(Ordering::Relaxed);
        let slowest = board.honest.iter().map(|honest| count(&honest.slowest_us)).max().unwrap_or(0);
        let wrong = board.sum(|honest| &honest.wrong);
        let failures = board.sum(|honest| &honest.failures) + self.failures;
        println!("hostile peers for {} s", time.as_secs());
        println!("  attackers           {} ({})", self.started.iter().sum::<u64>(), started.join(", "));
        println!("  hostile writes      {}", count(&board.writes));
        println!("  hostile messages    {}", count(&board.messages));
        println!("  connections         {}", count(&board.connections));
        println!("  calls to attackers  {}", count(&board.victim_calls));
        println!("  honest processes    {}", self.started_honest);
        println!("  honest calls        {}", board.sum(|honest| &honest.calls));
        println!("  asynchronous ones   {}", board.sum(|honest| &honest.sent));
        println!("  refused for room    {}", board.sum(|honest| &honest.refused));
        println!("  wrong replies       {wrong}");
        println!("  failures            {failures}");
        println!("  hangs               {}", self.hangs);
        println!("  leaks               {}", leaks.len());
        println!("  slowest honest call {:.1} ms", slowest as f64 / 1000.0);
        leaks.iter().for_each(|leak| println!("leak: {leak}"));
        wrong == 0 && failures == 0 && self.hangs == 0 && leaks.is_empty()
    }

    /// What the victim has more than before, when all others are gone.
    fn leaks_since(&mut self, before: &Possessions) -> Result<Vec<String>> {
        self.victim.ask("forget")?;
        until(PATIENCE, || self.victim.possessions().leaks_since(before).is_empty());
        Ok(self.victim.possessions().leaks_since(before))
    }
}

fn attack() -> Result<ExitCode> {
    let (mut library, mut time, mut seed) = (None, None, fastrand::u64(..));
    let mut parser = Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("library") => library = Some(PathBuf::from(parser.value()?)),
            Arg::Long("seconds") => time = Some(Duration::from_secs(parser.value()?.parse()?)),
            Arg::Long("seed") => seed = parser.value()?.parse()?,
            Arg::Long("help") | Arg::Short('h') => {
                println!("{USAGE}");
                return Ok(ExitCode::SUCCESS);
            }
            other => return Err(other.unexpected()).context(USAGE),
        }
    }
    let library = library.context(USAGE)?.canonicalize().context("the library")?;
    let library =
        library.into_os_string().into_string().map_err(|path| anyhow::anyhow!("{} is no text", path.display()))?;
    let time = time.context(USAGE)?;
    println!("seed {seed}");
    let mut run = Run::new(library, seed)?;
    // The first stub starts the runtime.
    run.victim.ask("reference")?;
    ensure!(until(PATIENCE, || run.victim.possessions().threads >= 5), "the victim does not come up");
    let before = run.victim.possessions();
    run.go_on_for(time)?;
    let leaks = run.leaks_since(&before)?;
    let is_well = run.report(&leaks, time);
    if !is_well {
        run.show_log();
    }
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
