// SPDX-License-Identifier: Apache-2.0
//! The library beside other ways of IPC, as ratios measured in one run.

mod groups;
mod holder;
mod library;
mod measure;
mod plot;
mod processes;
mod report;
mod ways;

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use groups::{Setting, asynchronous, children, crowd, death, latency, objects, parcels, phases, resources, waiting};
use lexopt::{Arg, Parser, ValueExt};
use measure::Plan;
use nix::sys::signal::Signal;
use processes::Processors;
use report::Report;

const USAGE: &str =
    "usage: ipckit-bench --library FILE [--child-start PROGRAM] [--output DIRECTORY] [quick|full] [GROUP...]";

type Measure = fn(&Setting, &mut Report) -> Result<()>;

const GROUPS: [(&str, Measure); 10] = [
    ("latency", latency::measure),
    ("phases", phases::measure),
    ("waiting", waiting::measure),
    ("crowd", crowd::measure),
    ("async", asynchronous::measure),
    ("objects", objects::measure),
    ("parcels", parcels::measure),
    ("death", death::measure),
    ("children", children::measure),
    ("resources", resources::measure),
];

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((role, rest)) if role.starts_with(|first: char| first.is_ascii_uppercase()) => {
            nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
            play(role, rest).with_context(|| format!("in the role {role}"))
        }
        _ => run(),
    }
}

/// What a child process does.
fn play(role: &str, arguments: &[String]) -> Result<()> {
    match role {
        "Holder" => holder::serve(arguments),
        "Callers" => crowd::call_all_the_time(arguments),
        "FrameServer" => crowd::serve_sockets(arguments),
        "Victim" => death::die(arguments),
        "BareVictim" => death::die_with_mutex(arguments),
        "Nothing" => resources::nothing(),
        "Hog" => waiting::hog(),
        _ => ways::serve(role, arguments),
    }
}

struct Options {
    library: PathBuf,
    child_start: Option<PathBuf>,
    output: PathBuf,
    plan: (&'static str, Plan),
    groups: Vec<String>,
}

fn options() -> Result<Options> {
    let (mut library, mut child_start, mut output, mut groups) = (None, None, PathBuf::from("."), Vec::new());
    let mut plan = ("default", Plan::DEFAULT);
    let mut parser = Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("library") => library = Some(PathBuf::from(parser.value()?)),
            Arg::Long("child-start") => child_start = Some(PathBuf::from(parser.value()?)),
            Arg::Long("output") => output = PathBuf::from(parser.value()?),
            Arg::Value(word) => match word.string()?.as_str() {
                "quick" => plan = ("quick", Plan::QUICK),
                "full" => plan = ("full", Plan::FULL),
                group if GROUPS.iter().any(|(name, _)| *name == group) => groups.push(group.to_owned()),
                other => bail!("{other:?} is no group; there are {:?}\n{USAGE}", GROUPS.map(|(name, _)| name)),
            },
            other => bail!("{}\n{USAGE}", other.unexpected()),
        }
    }
    Ok(Options { library: library.context(USAGE)?, child_start, output, plan, groups })
}

fn run() -> Result<()> {
    let Options { library, child_start, output, plan: (plan_name, plan), groups } = options()?;
    let library = library.canonicalize().with_context(|| format!("no library at {}", library.display()))?;
    library::load(&library)?;
    fs::create_dir_all(&output)?;
    let processors = Processors::find()?;
    let mut report = Report::new(plan_name, processors.count());
    let setting = Setting { library, child_start, plan, processors };
    let start = Instant::now();
    let measured = GROUPS.into_iter().filter(|(name, _)| groups.is_empty() || groups.iter().any(|group| group == name));
    let result = measured.into_iter().try_for_each(|(name, measure)| {
        eprintln!("{name} ({:.0} s)", start.elapsed().as_secs_f64());
        measure(&setting, &mut report).with_context(|| format!("in the group {name}"))
    });
    ways::clean_up();
    result?;
    report.finish(start.elapsed().as_secs_f64());

    print!("{}{}", report.latency_tables(), report.target_table());
    println!("{}", report.summary());
    let json = output.join("bench.json");
    fs::write(&json, serde_json::to_string_pretty(&report)?)?;
    println!("all values: {}", json.display());
    if !report.latencies.is_empty() {
        let svg = output.join("latency.svg");
        plot::draw(&report.latencies, &svg)?;
        println!("the plot:   {}", svg.display());
    }
    Ok(())
}
