// SPDX-License-Identifier: Apache-2.0
//! What was measured, as a table on the terminal and as JSON.

use std::collections::BTreeMap;
use std::fs;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;

/// What a value has to be.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    AtMost(f64),
    AtLeast(f64),
    None,
}

impl Target {
    fn met(self, value: f64) -> Option<bool> {
        match self {
            Self::AtMost(limit) => Some(value <= limit),
            Self::AtLeast(limit) => Some(value >= limit),
            Self::None => None,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtMost(limit) => format!("≤ {}", plain(limit)),
            Self::AtLeast(limit) => format!("≥ {}", plain(limit)),
            Self::None => String::new(),
        }
    }
}

/// A line of the table.
#[derive(Serialize)]
struct Line {
    group: &'static str,
    what: String,
    target: Target,
    value: Option<f64>,
    unit: &'static str,
    met: Option<bool>,
    /// The numbers behind the value, or why there is none.
    detail: String,
}

/// The time of a way's call, or of a phase of the library's, in one placement and size.
#[derive(Serialize, Clone)]
pub struct Latency {
    pub placement: &'static str,
    pub bytes: usize,
    /// The way or the phase.
    pub what: &'static str,
    /// Median of the rounds.
    pub nanoseconds: f64,
    pub rounds: Vec<f64>,
}

/// The machine, and what else it did.
#[derive(Serialize)]
struct Machine {
    processor: String,
    processors: usize,
    kernel: String,
    load_before: String,
    load_after: String,
}

#[derive(Serialize)]
pub struct Report {
    machine: Machine,
    plan: &'static str,
    seconds: f64,
    lines: Vec<Line>,
    pub latencies: Vec<Latency>,
    pub phases: Vec<Latency>,
    /// How long the ways took that a ratio is of, by name, in the rounds of each measurement.
    rounds: BTreeMap<String, Vec<f64>>,
}

impl Report {
    pub fn new(plan: &'static str, processors: usize) -> Self {
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let processor = info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
        let machine = Machine {
            processor: processor.trim_start_matches(['\t', ' ', ':']).to_owned(),
            processors,
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
            load_before: load(),
            load_after: String::new(),
        };
        Self {
            machine,
            plan,
            seconds: 0.0,
            lines: Vec::new(),
            latencies: Vec::new(),
            phases: Vec::new(),
            rounds: BTreeMap::new(),
        }
    }

    pub fn add(
        &mut self,
        group: &'static str,
        what: impl Into<String>,
        target: Target,
        value: f64,
        unit: &'static str,
        detail: impl Into<String>,
    ) {
        let met = target.met(value);
        let line = Line { group, what: what.into(), target, value: Some(value), unit, met, detail: detail.into() };
        eprintln!("  {}: {} {unit}", line.what, plain(value));
        self.lines.push(line);
    }

    /// A line for what could not be measured, and why.
    pub fn not_measured(
        &mut self,
        group: &'static str,
        what: impl Into<String>,
        target: Target,
        why: impl Into<String>,
    ) {
        let line = Line { group, what: what.into(), target, value: None, unit: "", met: None, detail: why.into() };
        self.lines.push(line);
    }

    pub fn keep_rounds(&mut self, name: impl Into<String>, rounds: &[f64]) {
        self.rounds.insert(name.into(), rounds.to_vec());
    }

    pub fn finish(&mut self, seconds: f64) {
        self.seconds = seconds;
        self.machine.load_after = load();
    }

    /// The ways in their order, sizes and placements, in µs; then the same of the phases.
    pub fn latency_tables(&self) -> String {
        latency_tables("µs a call", &self.latencies) + &latency_tables("µs of a call's phases", &self.phases)
    }

    pub fn target_table(&self) -> String {
        let mut table = table();
        table.set_header(["", "what", "target", "measured", "", "behind it"]);
        let mut group = "";
        for line in &self.lines {
            let verdict = match (line.value, line.met) {
                (None, _) => "not measured",
                (_, Some(true)) => "met",
                (_, Some(false)) => "NOT MET",
                (_, None) => "",
            };
            let value = line.value.map_or(String::new(), |value| format!("{} {}", plain(value), line.unit));
            let shown = if line.group == group { "" } else { line.group };
            group = line.group;
            table.add_row([shown, &line.what, &line.target.text(), value.trim_end(), verdict, &line.detail]);
        }
        format!("{table}\n")
    }

    pub fn summary(&self) -> String {
        let count = |met| self.lines.iter().filter(|line| line.met == met && line.value.is_some()).count();
        let unmeasured = self.lines.iter().filter(|line| line.value.is_none()).count();
        format!(
            "{} of {} targets met, {unmeasured} not measured; {:.0} s; {} processors ({}), Linux {}; load before {}, after {}",
            count(Some(true)),
            count(Some(true)) + count(Some(false)),
            self.seconds,
            self.machine.processors,
            self.machine.processor,
            self.machine.kernel,
            self.machine.load_before,
            self.machine.load_after,
        )
    }
}

/// A table for each placement: a line for each way or phase, a column for each size.
fn latency_tables(heading: &str, latencies: &[Latency]) -> String {
    let mut text = String::new();
    let mut placements: Vec<&str> = latencies.iter().map(|latency| latency.placement).collect();
    placements.dedup();
    for placement in placements {
        let here: Vec<&Latency> = latencies.iter().filter(|one| one.placement == placement).collect();
        let mut sizes: Vec<usize> = here.iter().map(|one| one.bytes).collect();
        sizes.sort_unstable();
        sizes.dedup();
        let mut rows: Vec<&str> = Vec::new();
        here.iter().filter(|one| one.bytes == sizes[0]).for_each(|one| rows.push(one.what));
        let mut table = table();
        let heading = format!("{heading}, {placement}");
        table.set_header(std::iter::once(heading).chain(sizes.iter().map(|size| format!("{size} B"))));
        for row in rows {
            let cell = |size: &usize| {
                let found = here.iter().find(|one| one.what == row && one.bytes == *size);
                found.map_or(String::new(), |one| format!("{:.2}", one.nanoseconds / 1000.0))
            };
            table.add_row(std::iter::once(row.to_owned()).chain(sizes.iter().map(cell)));
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        text += &format!("{table}\n\n");
    }
    text
}

fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("unknown").to_owned()
}

fn table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    table
}

/// A number without digits that mean nothing.
pub fn plain(value: f64) -> String {
    match value.abs() {
        size if size >= 1_000_000.0 => format!("{:.1} M", value / 1_000_000.0),
        size if size >= 1000.0 => format!("{:.1} k", value / 1000.0),
        _ if value.fract() == 0.0 => format!("{value:.0}"),
        size if size >= 100.0 => format!("{value:.0}"),
        _ => format!("{value:.2}"),
    }
}
