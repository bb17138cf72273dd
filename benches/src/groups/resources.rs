// SPDX-License-Identifier: Apache-2.0
//! What the library takes where nothing is to be done: wake-ups, memory, and what many calls leave behind.

use std::time::Duration;

use anyhow::Result;

use super::Setting;
use crate::holder;
use crate::processes::{Child, answer, entries, orders, processor_time, resident, switches};
use crate::report::{Report, Target};
use crate::ways::start_server;

const GROUP: &str = "resources";
const MEMORY_OF_A_CALL: f64 = 2.0 * 1024.0 * 1024.0;
/// Resident memory comes in pages, and allocators give it back late; a leak of a byte a call is more in a million.
const GROWTH: f64 = 256.0 * 1024.0;
/// The pool makes a worker when none is free, so up to three more, with a stack and an arena each; one a call would be
/// many more.
const THREADS_AND_MAPPINGS: f64 = 16.0;
/// Until a process that has done something is idle.
const SETTLE: Duration = Duration::from_secs(1);

pub fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let mut nothing = Child::start("Nothing", &[], &[])?;
    nothing.hear()?;
    let mut server = start_server(&setting.library, 4)?;
    let mut client = holder::start(&setting.library, &mut server)?;
    let bare = resident(nothing.id())?;
    for (name, process) in [("of a client", client.id()), ("of a server", server.id())] {
        let more = resident(process)?.saturating_sub(bare) as f64;
        let detail = format!("{} KiB without the library", bare / 1024);
        let name = format!("resident memory {name} after a call");
        report.add(GROUP, name, Target::AtMost(MEMORY_OF_A_CALL), more, "bytes more", detail);
    }

    std::thread::sleep(SETTLE);
    let processes = [("client", client.id()), ("server", server.id())];
    let mut before = Vec::new();
    for (_, process) in processes {
        before.push((switches(process)?, processor_time(process)?));
    }
    std::thread::sleep(setting.plan.idle_span);
    for ((name, process), (switched, used)) in processes.into_iter().zip(before) {
        let wakes = (switches(process)? - switched) as f64 / setting.plan.idle_span.as_secs_f64();
        let detail = format!("in {:?}; CPU time {:?}", setting.plan.idle_span, processor_time(process)? - used);
        report.add(GROUP, format!("wake-ups of an idle {name}"), Target::AtMost(0.0), wakes, "a second", detail);
    }

    let calls = setting.plan.growth_calls;
    client.ask(&format!("calls {}", calls / 10))?;
    let held = |process| -> Result<[f64; 4]> {
        let count = |directory| Ok::<_, anyhow::Error>(entries(process, directory)? as f64);
        Ok([resident(process)? as f64, count("fd")?, count("task")?, count("map_files")?])
    };
    let before = [held(client.id())?, held(server.id())?];
    client.ask(&format!("calls {calls}"))?;
    for ((name, process), before) in processes.into_iter().zip(before) {
        let after = held(process)?;
        let grown: Vec<f64> = after.iter().zip(before).map(|(after, before)| after - before).collect();
        let detail =
            format!("after {calls} calls; descriptors {:+}, threads {:+}, mappings {:+}", grown[1], grown[2], grown[3]);
        let line = format!("growth of a {name}: memory");
        report.add(GROUP, line, Target::AtMost(GROWTH), grown[0], "bytes", detail.clone());
        let line = format!("growth of a {name}: descriptors");
        report.add(GROUP, line, Target::AtMost(0.0), grown[1], "", detail.clone());
        let line = format!("growth of a {name}: threads and mappings");
        report.add(GROUP, line, Target::AtMost(THREADS_AND_MAPPINGS), grown[2] + grown[3], "", detail);
    }
    Ok(())
}

/// The role of a process that does not load the library.
pub fn nothing() -> Result<()> {
    answer("ready");
    orders().last();
    Ok(())
}
