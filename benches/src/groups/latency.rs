// SPDX-License-Identifier: Apache-2.0
//! The time of a call through each way, by size and placement.

use anyhow::Result;

use super::{Setting, micro};
use crate::measure::{mean_time, median, median_ratio};
use crate::processes::Placement;
use crate::report::{Latency, Report, Target};
use crate::ways::{Kind, MOST_BYTES, Way};

const GROUP: &str = "a call";
const SIZES: [usize; 7] = [16, 256, 1024, 4096, 16384, 65536, MOST_BYTES];

/// The most that a call may take, as a multiple of the futex ping-pong that looks and yields.
fn target(placement: Placement, bytes: usize) -> Option<f64> {
    match (placement, bytes) {
        (Placement::OneCore, 16) => Some(0.8),
        (Placement::OneCore, MOST_BYTES) => Some(1.2),
        (Placement::TwoCores, 16 | 4096) => Some(2.0),
        (Placement::TwoCores, 65536 | MOST_BYTES) => Some(1.2),
        _ => None,
    }
}

pub fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let mut ways = Vec::new();
    for kind in Kind::ALL {
        match Way::start(kind, &setting.library)? {
            Some(way) => ways.push(way),
            None => {
                report.not_measured(GROUP, kind.name(), Target::None, "it is not built in: its build needs libclang")
            }
        }
    }
    for way in &mut ways {
        for size in SIZES {
            way.verify(size)?;
        }
    }
    for placement in [Placement::OneCore, Placement::TwoCores, Placement::Anywhere] {
        if !setting.processors.allow(placement) {
            report.not_measured(GROUP, placement.name(), Target::None, "there is one processor");
            continue;
        }
        for bytes in SIZES {
            let rounds = run_rounds(setting, &mut ways, placement, bytes)?;
            add_lines(report, placement, bytes, &rounds);
        }
    }
    Ok(())
}

/// The mean times of each way in each round. The ways take turns.
fn run_rounds(
    setting: &Setting,
    ways: &mut [Way],
    placement: Placement,
    bytes: usize,
) -> Result<Vec<(Kind, Vec<f64>)>> {
    let mut request = vec![7; bytes];
    let own = std::process::id() as i32;
    let mut results: Vec<(Kind, Vec<f64>)> = Vec::new();
    for _ in 0..setting.plan.rounds {
        for way in ways.iter_mut().filter(|way| way.kind.works(placement)) {
            setting.processors.place(placement, own, way.server())?;
            way.begin()?;
            mean_time(setting.plan.warm_up, || way.call(&mut request))?;
            let time = mean_time(setting.plan.budget, || way.call(&mut request))?;
            way.end()?;
            match results.iter_mut().find(|(kind, _)| *kind == way.kind) {
                Some((_, times)) => times.push(time),
                None => results.push((way.kind, vec![time])),
            }
        }
    }
    setting.processors.place(Placement::Anywhere, own, own)?;
    Ok(results)
}

fn add_lines(report: &mut Report, placement: Placement, bytes: usize, results: &[(Kind, Vec<f64>)]) {
    let of = |kind| results.iter().find(|(other, _)| *other == kind).map_or(&[][..], |(_, times)| times);
    for (kind, times) in results {
        report.latencies.push(Latency {
            placement: placement.name(),
            bytes,
            what: kind.name(),
            nanoseconds: median(times),
            rounds: times.clone(),
        });
    }
    let (library, bare) = (of(Kind::Library), of(Kind::BareLooking));
    let ratio = median_ratio(library, bare);
    let target = target(placement, bytes).map_or(Target::None, Target::AtMost);
    let detail = format!("{} to {} (futex that looks 50 µs)", micro(median(library)), micro(median(bare)));
    report.add(GROUP, format!("{}, {bytes} B", placement.name()), target, ratio, "times", detail);
}
