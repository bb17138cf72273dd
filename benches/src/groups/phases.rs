// SPDX-License-Identifier: Apache-2.0
//! Where the time of a call goes: the clock is read between its phases, by the caller and in the handler.

use anyhow::{Context, Result, ensure};

use super::Setting;
use crate::library::{self, Parcel, Proxy, SUCCESS};
use crate::measure::{mean_time, median, now};
use crate::processes::Placement;
use crate::report::{Latency, Report};
use crate::ways::{ECHO, MOST_BYTES, STAMP, STAMPS_BYTES, start_server};

const SIZES: [usize; 4] = [16, 4096, 65536, MOST_BYTES];
const PHASES: [&str; 5] = [
    "parcels made, request written",
    "from SendRequest to the handler",
    "in the handler: request read, reply written",
    "from the handler's end to SendRequest's",
    "reply read, parcels destroyed",
];
/// In a mean a few calls that waited for a processor would count for much, so the phases are medians and this is a mean.
const WHOLE: &str = "a call whose phases are not looked at, mean";

pub fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let mut server = start_server(&setting.library, 4)?;
    let proxy = Proxy::import(&library::from_hex(&server.ask("stub")?)?)?;
    let own = std::process::id() as i32;
    for placement in [Placement::OneCore, Placement::TwoCores].into_iter().filter(|&one| setting.processors.allow(one))
    {
        for bytes in SIZES {
            let request = vec![7; bytes];
            let mut rounds = [const { Vec::new() }; PHASES.len()];
            let mut wholes = Vec::new();
            setting.processors.place(placement, own, server.id())?;
            for _ in 0..setting.plan.rounds {
                mean_time(setting.plan.warm_up, || proxy.call(ECHO, &request, |_| ()))?;
                wholes.push(mean_time(setting.plan.budget, || proxy.call(ECHO, &request, |_| ()))?);
                for (rounds, time) in rounds.iter_mut().zip(run_round(setting, &proxy, &request)?) {
                    rounds.push(time);
                }
            }
            setting.processors.place(Placement::Anywhere, own, own)?;
            let all = PHASES.into_iter().zip(rounds).chain([(WHOLE, wholes)]);
            report.phases.extend(all.map(|(what, rounds)| Latency {
                placement: placement.name(),
                bytes,
                what,
                nanoseconds: median(&rounds),
                rounds,
            }));
        }
    }
    Ok(())
}

/// Nanoseconds of each phase, without what the clock itself takes.
fn run_round(setting: &Setting, proxy: &Proxy, request: &[u8]) -> Result<[f64; PHASES.len()]> {
    let mut phases = [const { Vec::new() }; PHASES.len()];
    let mut clock = Vec::new();
    let mut last: Option<Stamped> = None;
    let end = now() + setting.plan.budget.as_nanos() as u64;
    while now() < end {
        let before = now();
        clock.push((now() - before) as f64);
        let call = stamped_call(proxy, request)?;
        // When a handler was done only the next one tells.
        if let Some(last) = last.replace(call) {
            let times = [last.begin, last.sent, last.handled, call.last_done, last.returned, last.end];
            for (phase, pair) in phases.iter_mut().zip(times.windows(2)) {
                phase.push(pair[1].saturating_sub(pair[0]) as f64);
            }
        }
    }
    let clock = median(&clock);
    Ok(phases.map(|times| (median(&times) - clock).max(0.0)))
}

/// The times of a call, and when the handler of the one before was done.
#[derive(Clone, Copy)]
struct Stamped {
    begin: u64,
    sent: u64,
    handled: u64,
    returned: u64,
    end: u64,
    last_done: u64,
}

fn stamped_call(proxy: &Proxy, request: &[u8]) -> Result<Stamped> {
    let begin = now();
    let data = Parcel::new();
    let reply = Parcel::new();
    let written = data.write_buffer(request);
    let sent = now();
    let result = proxy.send(STAMP, &data, &reply);
    let returned = now();
    ensure!(written == SUCCESS && result == SUCCESS, "WriteBuffer returned {written}, SendRequest {result}");
    let bytes = reply.bytes();
    let stamps: [u8; STAMPS_BYTES] = *bytes.first_chunk().context("a reply without times")?;
    ensure!(bytes.len() == request.len(), "the reply has {} bytes", bytes.len());
    drop(data);
    drop(reply);
    let end = now();
    let [handled, last_done] =
        [0, 8].map(|start| u64::from_le_bytes(*stamps[start..].first_chunk().expect("two times")));
    Ok(Stamped { begin, sent, handled, returned, end, last_done })
}
