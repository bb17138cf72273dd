// SPDX-License-Identifier: Apache-2.0
//! Calls where looking does not pay: a caller that idles between calls, and other work on the same processors.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::{Setting, micro};
use crate::measure::{mean_time, median, median_ratio};
use crate::processes::{Child, Placement, processor_time};
use crate::report::{Report, Target};
use crate::ways::{Kind, Way};

const BYTES: usize = 16;
const IDLE: Duration = Duration::from_micros(500);
const IDLE_CALLS: u32 = 100;
/// With others at work a call now and then takes milliseconds, so a mean needs more of them.
const BUSY_BUDGET: u32 = 8;

pub fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let start = |kind| Way::start(kind, &setting.library)?.context("it is always built in");
    let mut library = start(Kind::Library)?;
    let mut bare = start(Kind::BareSleeping)?;
    for placement in [Placement::Anywhere, Placement::TwoCores] {
        if setting.processors.allow(placement) {
            idle_caller(setting, report, placement, &mut library, &mut bare)?;
        }
    }
    for placement in [Placement::OneCore, Placement::TwoCores] {
        if setting.processors.allow(placement) {
            beside_others(setting, report, placement, &mut library, &mut bare)?;
        }
    }
    let own = std::process::id() as i32;
    setting.processors.place(Placement::Anywhere, own, own)
}

/// What a call costs that comes after 500 µs of idling, in ns: until it returns, and of processor time on both sides.
struct Cost {
    time: f64,
    processor: f64,
}

fn idle_calls(way: &mut Way) -> Result<Cost> {
    let used = |way: &Way| -> Result<Duration> {
        Ok(processor_time(std::process::id() as i32)? + processor_time(way.server())?)
    };
    let mut request = [7; BYTES];
    let before = used(way)?;
    for _ in 0..IDLE_CALLS {
        std::thread::sleep(IDLE);
    }
    let idle = used(way)? - before;
    let before = used(way)?;
    let mut time = Duration::ZERO;
    for _ in 0..IDLE_CALLS {
        std::thread::sleep(IDLE);
        let start = Instant::now();
        way.call(&mut request)?;
        time += start.elapsed();
    }
    let calling = (used(way)? - before).saturating_sub(idle);
    let each = |sum: Duration| sum.as_nanos() as f64 / f64::from(IDLE_CALLS);
    Ok(Cost { time: each(time), processor: each(calling) })
}

fn idle_caller(
    setting: &Setting,
    report: &mut Report,
    placement: Placement,
    library: &mut Way,
    bare: &mut Way,
) -> Result<()> {
    let (mut times, mut bare_times) = (Vec::new(), Vec::new());
    let (mut costs, mut bare_costs) = (Vec::new(), Vec::new());
    let own = std::process::id() as i32;
    for _ in 0..setting.plan.rounds {
        for (way, times, costs) in
            [(&mut *library, &mut times, &mut costs), (&mut *bare, &mut bare_times, &mut bare_costs)]
        {
            setting.processors.place(placement, own, way.server())?;
            let cost = idle_calls(way)?;
            times.push(cost.time);
            costs.push(cost.processor);
        }
    }
    let name = format!("caller idle for 500 µs, {}", placement.name());
    let compare = |values: &[f64], base: &[f64]| {
        let detail = format!("{} to {} (futex that sleeps at once)", micro(median(values)), micro(median(base)));
        (median_ratio(values, base), detail)
    };
    let (ratio, detail) = compare(&times, &bare_times);
    report.add("waiting", name.clone(), Target::AtMost(1.2), ratio, "times", detail);
    let (ratio, detail) = compare(&costs, &bare_costs);
    report.add("waiting", format!("{name}: CPU time"), Target::AtMost(1.2), ratio, "times", detail);
    report.keep_rounds(format!("{name}: library"), &times);
    report.keep_rounds(format!("{name}: futex"), &bare_times);
    Ok(())
}

fn beside_others(
    setting: &Setting,
    report: &mut Report,
    placement: Placement,
    library: &mut Way,
    bare: &mut Way,
) -> Result<()> {
    let own = std::process::id() as i32;
    let hogs = [Child::start("Hog", &[], &[])?, Child::start("Hog", &[], &[])?];
    setting.processors.place(placement, hogs[0].id(), hogs[1].id())?;
    let (mut times, mut bare_times) = (Vec::new(), Vec::new());
    let mut request = [7; BYTES];
    for _ in 0..setting.plan.rounds {
        for (way, times) in [(&mut *library, &mut times), (&mut *bare, &mut bare_times)] {
            setting.processors.place(placement, own, way.server())?;
            mean_time(setting.plan.warm_up, || way.call(&mut request))?;
            times.push(mean_time(setting.plan.budget * BUSY_BUDGET, || way.call(&mut request))?);
        }
    }
    let name = format!("two others burn CPU, {}", placement.name());
    let detail = format!("{} to {} (futex that sleeps at once)", micro(median(&times)), micro(median(&bare_times)));
    report.add("waiting", name.clone(), Target::AtMost(2.5), median_ratio(&times, &bare_times), "times", detail);
    report.keep_rounds(format!("{name}: library"), &times);
    report.keep_rounds(format!("{name}: futex"), &bare_times);
    Ok(())
}

/// The role of a process that burns CPU.
pub fn hog() -> ! {
    let mut value = 0u64;
    loop {
        value = std::hint::black_box(value.wrapping_add(1));
    }
}
