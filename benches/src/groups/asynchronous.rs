// SPDX-License-Identifier: Apache-2.0
//! Asynchronous messages of 64 bytes from one process to another, through one stub.

use anyhow::{Result, ensure};

use super::Setting;
use crate::holder;
use crate::measure::median;
use crate::report::{Report, Target};
use crate::ways::start_server;

pub fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let mut server = start_server(&setting.library, 4)?;
    let mut sender = holder::start(&setting.library, &mut server)?;
    setting.processors.place(setting.apart(), sender.id(), server.id())?;
    let count = setting.plan.async_messages;
    let (mut rates, mut refusals, mut wrong) = (Vec::new(), Vec::new(), 0.0);
    // The first round only warms up.
    for round in 0..=setting.plan.rounds {
        let answer = sender.ask(&format!("messages {count}"))?;
        let numbers: Vec<f64> = answer.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        ensure!(numbers.len() == 4, "a sender answered {answer:?}");
        wrong += numbers[2] + numbers[3];
        if round > 0 {
            rates.push(count as f64 / numbers[0] * 1e9);
            refusals.push(numbers[1]);
        }
    }
    let detail = format!(
        "{}, until the last is handled; a full receiver refused {:.2} times a message",
        setting.apart().name(),
        median(&refusals) / count as f64
    );
    report.add("async", "messages of 64 B", Target::AtLeast(10_000_000.0), median(&rates), "a second", detail);
    let all = (setting.plan.rounds as u64 + 1) * count;
    report.add("async", "lost or out of order", Target::AtMost(0.0), wrong, "", format!("of {all}"));
    report.keep_rounds("asynchronous messages a second", &rates);
    Ok(())
}
