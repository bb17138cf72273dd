// SPDX-License-Identifier: Apache-2.0
//! Several clients of one server at once, as threads and as processes, beside a Unix stream socket pair for each.

use std::os::fd::{FromRawFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::socket::SockType;

use super::Setting;
use crate::library::{self, Proxy};
use crate::measure::{median, median_ratio, now, sleep_until};
use crate::processes::{Child, answer, numbers, orders, path_argument};
use crate::report::{Report, Target};
use crate::ways::{Caller, ECHO, Framed, pair_of_sockets, serve_frames, start_server};

const GROUP: &str = "many clients";
const CLIENTS: usize = 4;
const WORKERS: usize = 4;
const CROWD: usize = 64;
/// Until all clients have heard when to begin.
const HEAD_START: u64 = 20_000_000;
/// Less than this part of a fair share is starving.
const STARVING: f64 = 0.1;

type Call = Box<dyn FnMut() -> Result<()> + Send>;

/// Clients and their server.
struct Crowd {
    _server: Child,
    clients: Vec<Child>,
    calls_a_second: Vec<f64>,
    /// The part of a fair share that the slowest client got.
    slowest: Vec<f64>,
}

impl Crowd {
    fn of_library(library: &Path, processes: usize, threads: usize) -> Result<Self> {
        let mut server = start_server(library, WORKERS)?;
        let mut clients = Vec::new();
        for _ in 0..processes {
            let mut arguments = vec!["library".to_owned(), path_argument(library)];
            for _ in 0..threads {
                arguments.push(server.ask("stub")?);
            }
            clients.push(Child::start("Callers", &arguments, &[])?);
        }
        Self::ready(server, clients)
    }

    fn of_sockets(processes: usize, threads: usize) -> Result<Self> {
        let mut pairs = Vec::new();
        for _ in 0..processes * threads {
            pairs.push(pair_of_sockets(SockType::Stream)?);
        }
        let theirs: Vec<&OwnedFd> = pairs.iter().map(|(_, theirs)| theirs).collect();
        let server = Child::start("FrameServer", &numbers(&theirs), &theirs)?;
        let mut clients = Vec::new();
        for some in pairs.chunks(threads) {
            let own: Vec<&OwnedFd> = some.iter().map(|(own, _)| own).collect();
            let mut arguments = vec!["sockets".to_owned()];
            arguments.extend(numbers(&own));
            clients.push(Child::start("Callers", &arguments, &own)?);
        }
        Self::ready(server, clients)
    }

    fn ready(server: Child, mut clients: Vec<Child>) -> Result<Self> {
        for client in &mut clients {
            client.hear()?;
        }
        Ok(Self { _server: server, clients, calls_a_second: Vec::new(), slowest: Vec::new() })
    }

    fn round(&mut self, setting: &Setting) -> Result<()> {
        let span = setting.plan.crowd_span.as_nanos() as u64;
        let start = now() + HEAD_START;
        for client in &mut self.clients {
            client.tell(&format!("{start} {}", start + span))?;
        }
        let mut counts = Vec::new();
        for client in &mut self.clients {
            for count in client.hear()?.split(' ') {
                counts.push(count.parse::<f64>()?);
            }
        }
        let sum: f64 = counts.iter().sum();
        let least = counts.iter().copied().fold(f64::MAX, f64::min);
        self.calls_a_second.push(sum / span as f64 * 1e9);
        self.slowest.push(least * counts.len() as f64 / sum);
        Ok(())
    }
}

pub fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let mut crowds = [
        Crowd::of_library(&setting.library, 1, CLIENTS)?,
        Crowd::of_sockets(1, CLIENTS)?,
        Crowd::of_library(&setting.library, CLIENTS, 1)?,
        Crowd::of_sockets(CLIENTS, 1)?,
        Crowd::of_library(&setting.library, CROWD, 1)?,
    ];
    for _ in 0..setting.plan.rounds {
        for crowd in &mut crowds {
            crowd.round(setting)?;
        }
    }
    let [threads, thread_sockets, processes, process_sockets, many] = &crowds;
    let rate = |crowd: &Crowd| format!("{:.0} k/s", median(&crowd.calls_a_second) / 1000.0);
    for (name, own, sockets) in
        [("4 client threads", threads, thread_sockets), ("4 client processes", processes, process_sockets)]
    {
        let ratio = median_ratio(&own.calls_a_second, &sockets.calls_a_second);
        let detail = format!("{} to {} (Unix stream socket pairs)", rate(own), rate(sockets));
        report.add(GROUP, format!("{name}: calls a second"), Target::AtLeast(5.0), ratio, "times", detail);
        let detail = format!("sockets {:.2}", median(&sockets.slowest));
        let slowest = median(&own.slowest);
        report.add(GROUP, format!("{name}: slowest"), Target::AtLeast(0.6), slowest, "of its share", detail);
    }
    let ratio = median_ratio(&many.calls_a_second, &processes.calls_a_second);
    let detail = format!("{} to {} (4 client processes)", rate(many), rate(processes));
    report.add(GROUP, "64 client processes: calls a second", Target::AtLeast(0.8), ratio, "times", detail);
    let worst = many.slowest.iter().copied().fold(f64::MAX, f64::min);
    let detail = format!("the worst round; median {:.2}", median(&many.slowest));
    report.add(GROUP, "64 client processes: slowest", Target::AtLeast(STARVING), worst, "of its share", detail);
    for (name, crowd) in
        ["4 threads", "4 threads, sockets", "4 processes", "4 processes, sockets", "64 processes"].iter().zip(&crowds)
    {
        report.keep_rounds(format!("{name}: calls a second"), &crowd.calls_a_second);
        report.keep_rounds(format!("{name}: slowest"), &crowd.slowest);
    }
    Ok(())
}

/// The role of a server behind socket pairs: a thread for each.
pub fn serve_sockets(arguments: &[String]) -> Result<()> {
    let mut threads = Vec::new();
    for socket in sockets(arguments)? {
        threads.push(std::thread::spawn(move || serve_frames(Framed::of_socket(socket)?)));
    }
    threads.into_iter().try_for_each(|thread| thread.join().expect("a thread panicked"))
}

fn sockets(numbers: &[String]) -> Result<Vec<OwnedFd>> {
    // SAFETY: the caller of this program hands the descriptors over.
    numbers.iter().map(|number| Ok(unsafe { OwnedFd::from_raw_fd(number.parse()?) })).collect()
}

/// The role of clients, one thread for each reference or socket. An order is when to begin and when to end.
pub fn call_all_the_time(arguments: &[String]) -> Result<()> {
    let mut calls: Vec<Call> = Vec::new();
    match arguments.split_first().context("no way is named")? {
        (way, [path, references @ ..]) if way == "library" => {
            library::load(Path::new(path))?;
            for reference in references {
                let proxy = Arc::new(Proxy::import(&library::from_hex(reference)?)?);
                calls.push(Box::new(move || {
                    let request = [7; 16];
                    let mut right = false;
                    proxy.call(ECHO, &request, |reply| right = reply == request)?;
                    ensure!(right, "something else came back than was sent");
                    Ok(())
                }));
            }
        }
        (_, numbers) => {
            for socket in sockets(numbers)? {
                let mut end = Framed::of_socket(socket)?;
                calls.push(Box::new(move || {
                    let request = [7; 16];
                    let mut right = false;
                    end.call(&request, &mut |reply| right = reply == request)?;
                    ensure!(right, "something else came back than was sent");
                    Ok(())
                }));
            }
        }
    }
    calls.iter_mut().try_for_each(|call| call())?;
    answer("ready");
    for order in orders() {
        let Some((start, end)) = order.split_once(' ') else { bail!("unknown order {order:?}") };
        let (start, end) = (start.parse()?, end.parse()?);
        let counts: Result<Vec<u64>> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                calls.iter_mut().map(|call| scope.spawn(move || count_calls(call, start, end))).collect();
            threads.into_iter().map(|thread| thread.join().expect("a thread panicked")).collect()
        });
        let counts: Vec<String> = counts?.iter().map(u64::to_string).collect();
        answer(counts.join(" "));
    }
    Ok(())
}

fn count_calls(call: &mut Call, start: u64, end: u64) -> Result<u64> {
    sleep_until(start);
    let mut count = 0;
    while now() < end {
        call()?;
        count += 1;
    }
    Ok(count)
}
