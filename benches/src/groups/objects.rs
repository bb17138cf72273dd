// SPDX-License-Identifier: Apache-2.0
//! What many live objects cost: a pair of processes with one stub and its proxy beside a pair with many.

use anyhow::Result;

use super::{Setting, micro};
use crate::holder;
use crate::measure::{median, median_ratio};
use crate::processes::resident;
use crate::report::{Report, Target};
use crate::ways::start_server;

const GROUP: &str = "many objects";

pub fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let (library, count) = (&setting.library, setting.plan.objects);
    let mut server_of_one = start_server(library, 4)?;
    let mut holder_of_one = holder::start(library, &mut server_of_one)?;
    let mut server = start_server(library, 4)?;
    let mut holder = holder::start(library, &mut server)?;
    // The first thousand bring what is there once for all.
    holder.ask("more 1000")?;
    let before = (resident(server.id())?, resident(holder.id())?);
    holder.ask(&format!("more {count}"))?;
    let each =
        |process, before: u64| -> Result<f64> { Ok(resident(process)?.saturating_sub(before) as f64 / count as f64) };
    let (stub, proxy) = (each(server.id(), before.0)?, each(holder.id(), before.1)?);
    setting.processors.place(setting.apart(), holder_of_one.id(), server_of_one.id())?;
    setting.processors.place(setting.apart(), holder.id(), server.id())?;

    let cases = [
        ("a call, always the same object", "one", Target::AtMost(1.2)),
        ("a call, each time another object", "all", Target::AtMost(1.2)),
        ("creating, passing and dropping one", "passing", Target::AtMost(1.5)),
    ];
    let milliseconds = setting.plan.budget.as_millis();
    let warm_up = setting.plan.warm_up.as_millis();
    for (name, order, target) in cases {
        let (mut times, mut times_of_one) = (Vec::new(), Vec::new());
        for _ in 0..setting.plan.rounds {
            for (holder, times) in [(&mut holder_of_one, &mut times_of_one), (&mut holder, &mut times)] {
                holder.ask_number(&format!("{order} {warm_up}"))?;
                times.push(holder.ask_number(&format!("{order} {milliseconds}"))?);
            }
        }
        let detail = format!("{} with {count} live, {} with one", micro(median(&times)), micro(median(&times_of_one)));
        report.add(GROUP, name, target, median_ratio(&times, &times_of_one), "times", detail);
        report.keep_rounds(format!("{name}: many"), &times);
        report.keep_rounds(format!("{name}: one"), &times_of_one);
    }
    let limit = Target::AtMost(512.0);
    report.add(GROUP, "memory of a stub", limit, stub, "bytes", "resident memory of the process; its share included");
    // The holder's own list has a pointer for each.
    let own = size_of::<usize>() as f64;
    report.add(GROUP, "memory of a proxy", limit, proxy - own, "bytes", "resident memory of the process");
    Ok(())
}
