// SPDX-License-Identifier: Apache-2.0
//! Native child processes beside `posix_spawn`, `dlopen` and a message. `benches/child_start.cpp` measures, as a program that
//! users would write.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::{Setting, micro};
use crate::measure::{median, median_ratio};
use crate::report::{Report, Target};

const GROUP: &str = "a child process";
const CREATE: &str = "from Create to its callback, less the wait";
const START: &str = "from Start to its first line";
const CREATE_TARGET: Target = Target::AtMost(2.0);
const START_TARGET: Target = Target::AtMost(3.0);
/// Nanoseconds that the notice of a child of Create waits at least: two looks at its main thread are so far apart.
const WAIT: f64 = 1_000_000.0;

pub fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let Some(program) = &setting.child_start else {
        for (name, target) in [(CREATE, CREATE_TARGET), (START, START_TARGET)] {
            report.not_measured(GROUP, name, target, "without --child-start");
        }
        return Ok(());
    };
    let output = Command::new(program)
        .args(["rounds", &setting.plan.children.to_string()])
        .env("IPCKIT_LOG_LEVEL", "F")
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {}", program.display()))?;
    ensure!(output.status.success(), "{} ended with {}", program.display(), output.status);
    let [mut starts, mut creates, mut spawns] = [const { Vec::new() }; 3];
    for line in String::from_utf8(output.stdout)?.lines() {
        let microseconds: Vec<f64> = line.split(' ').map(str::parse).collect::<Result<_, _>>().context("no numbers")?;
        for (times, time) in [&mut starts, &mut creates, &mut spawns].into_iter().zip(microseconds) {
            times.push(time * 1000.0);
        }
    }
    ensure!(spawns.len() == setting.plan.children, "{} rounds were measured", spawns.len());

    let bare = micro(median(&spawns));
    let waited: Vec<f64> = creates.iter().map(|time| time - WAIT).collect();
    let detail = format!(
        "{}, of which {} are the wait, to {bare} (posix_spawn, dlopen, a message)",
        micro(median(&creates)),
        micro(WAIT)
    );
    report.add(GROUP, CREATE, CREATE_TARGET, median_ratio(&waited, &spawns), "times", detail);
    let detail = format!("{} to {bare}", micro(median(&starts)));
    report.add(GROUP, START, START_TARGET, median_ratio(&starts, &spawns), "times", detail);
    for (name, times) in [("Create", &creates), ("Start", &starts), ("posix_spawn, dlopen, a message", &spawns)] {
        report.keep_rounds(format!("a child process: {name}"), times);
    }
    Ok(())
}
