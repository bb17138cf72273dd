// SPDX-License-Identifier: Apache-2.0
//! Kills, stops and crashes processes that talk to each other, and sees what the others notice. `docs/soak.md` says more.

mod crash;
mod kill;
mod leaks;
mod library;
mod operations;
mod peer;
mod process;
mod service;
mod shared;
mod stage;
mod steps;
mod world;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use lexopt::prelude::{Long, Value, ValueExt as _};

const USAGE: &str = "usage: ipckit-soak kill [--kills COUNT] [--seconds SECONDS] [--seed SEED] LIBRARY
       ipckit-soak steps [--sample COUNT] [--case CASE [--times COUNT]] [--jobs COUNT] LIBRARY
  kill    kills, stops and crashes peers at random moments (10000 kills, 900 s)
  steps   kills a peer at each of the library's own steps in turn; a sample of them, or one, as in caller/HelloSent/after/1
LIBRARY is the path of libipc_capi.so; for `steps` one with the feature `fault_points`.";

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("ipckit-soak: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<bool, String> {
    let mut arguments = lexopt::Parser::from_env();
    let mut values: Vec<OsString> = Vec::new();
    let (mut kills, mut seconds, mut seed) = (10_000, 900, fastrand::u64(..1 << 32));
    let (mut sample, mut case, mut times, mut jobs) = (None, None, 1, 3);
    let usage = |error: lexopt::Error| format!("{error}\n{USAGE}");
    while let Some(argument) = arguments.next().map_err(usage)? {
        match argument {
            Long("kills") => kills = arguments.value().and_then(|value| value.parse()).map_err(usage)?,
            Long("seconds") => seconds = arguments.value().and_then(|value| value.parse()).map_err(usage)?,
            Long("seed") => seed = arguments.value().and_then(|value| value.parse()).map_err(usage)?,
            Long("sample") => sample = Some(arguments.value().and_then(|value| value.parse()).map_err(usage)?),
            Long("times") => times = arguments.value().and_then(|value| value.parse()).map_err(usage)?,
            Long("jobs") => jobs = arguments.value().and_then(|value| value.parse()).map_err(usage)?,
            Long("case") => {
                let name = arguments.value().and_then(|value| value.string()).map_err(usage)?;
                case = Some(steps::Case::parse(&name).ok_or_else(|| format!("{name} is no case\n{USAGE}"))?);
            }
            Value(value) => values.push(value),
            _ => return Err(usage(argument.unexpected())),
        }
    }
    let mut values = values.into_iter();
    let command = values.next().ok_or(USAGE)?;
    let library = PathBuf::from(values.next().ok_or(USAGE)?);
    match command.to_str() {
        Some("kill") => {
            let plan = kill::Plan { kills, time: Duration::from_secs(seconds), seed };
            kill::run(&library, &plan).map_err(|error| error.to_string())
        }
        Some("steps") => {
            let plan = steps::Plan { sample, only: case.map(|case| (case, times)), jobs };
            steps::run(&library, &plan).map_err(|error| error.to_string())
        }
        Some("peer") => {
            let board = PathBuf::from(values.next().ok_or(USAGE)?);
            let mut number = || values.next()?.to_str()?.parse::<u64>().ok();
            let (slot, incarnation, seed) = (number(), number(), number());
            let (Some(slot), Some(incarnation), Some(seed)) = (slot, incarnation, seed) else {
                return Err(USAGE.into());
            };
            let me = world::Who { slot: slot as usize, incarnation };
            peer::run(&peer::Arguments { library: &library, board: &board, me, seed }).map(|()| true)
        }
        _ => Err(USAGE.into()),
    }
}
