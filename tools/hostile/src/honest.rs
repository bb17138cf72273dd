// SPDX-License-Identifier: Apache-2.0
//! A peer that does nothing wrong, and sees that it is served.

use std::io::Read;
use std::os::fd::AsRawFd;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::board::{Board, Honest, count};
use crate::library::{INNER_ERROR, Parcel, Proxy, Reference, SUCCESS};
use crate::victim::{ECHO, INCREASE, NOTE, WRITE};

/// How long the victim may take for what was sent without waiting.
const PATIENCE: Duration = Duration::from_secs(60);

/// What became of a call.
enum Outcome {
    Right,
    Wrong,
    /// There was no room, as others may take theirs.
    Refused,
    Failed,
}

fn outcome(result: i32, is_right: impl FnOnce() -> bool) -> Outcome {
    match result {
        SUCCESS if is_right() => Outcome::Right,
        SUCCESS => Outcome::Wrong,
        INNER_ERROR => Outcome::Refused,
        _ => Outcome::Failed,
    }
}

struct Caller<'a> {
    number: i32,
    victim: Proxy,
    honest: &'a Honest,
    random: fastrand::Rng,
}

impl Caller<'_> {
    fn increase(&mut self) -> Outcome {
        let (data, reply) = (Parcel::new(), Parcel::new());
        let number = self.random.i32(..i32::MAX);
        data.write_int32(number);
        let result = self.victim.call(INCREASE, &data, &reply);
        outcome(result, || reply.read_int32() == Some(number + 1))
    }

    fn echo(&mut self) -> Outcome {
        let (data, reply) = (Parcel::new(), Parcel::new());
        let most = if self.random.bool() { 200 } else { 60_000 };
        // A buffer is padded to a multiple of 4 in a parcel.
        let len = 4 * self.random.usize(1..most / 4);
        let bytes: Vec<u8> = std::iter::repeat_with(|| self.random.u8(..)).take(len).collect();
        data.write_bytes(&bytes);
        let result = self.victim.call(ECHO, &data, &reply);
        outcome(result, || reply.bytes() == bytes)
    }

    fn write(&mut self) -> Outcome {
        let Ok((mut reading, writing)) = std::io::pipe() else { return Outcome::Failed };
        let (data, reply) = (Parcel::new(), Parcel::new());
        data.write_descriptor(writing.as_raw_fd());
        drop(writing);
        let result = self.victim.call(WRITE, &data, &reply);
        drop(data);
        outcome(result, || {
            let mut written = String::new();
            reading.read_to_string(&mut written).is_ok() && written == "!"
        })
    }

    fn post(&mut self) -> Outcome {
        let data = Parcel::new();
        data.write_int32(self.number);
        data.write_int32(self.honest.key.load(Ordering::Relaxed) as i32);
        data.write_int32(self.honest.sent.load(Ordering::Relaxed) as i32);
        let outcome = outcome(self.victim.post(NOTE, &data), || true);
        if matches!(outcome, Outcome::Right) {
            count(&self.honest.sent);
        }
        outcome
    }

    fn call(&mut self) {
        let start = Instant::now();
        let outcome = match self.random.u8(..8) {
            0..4 => self.increase(),
            4 | 5 => self.echo(),
            6 => self.write(),
            _ => self.post(),
        };
        let took = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.honest.slowest_us.fetch_max(took, Ordering::Relaxed);
        match outcome {
            Outcome::Right => {}
            Outcome::Wrong => count(&self.honest.wrong),
            Outcome::Refused => count(&self.honest.refused),
            Outcome::Failed => count(&self.honest.failures),
        }
        count(&self.honest.calls);
        count(&self.honest.pulse);
    }
}

/// Calls until the time is over or all are to end, and then sees that each message was handled once.
pub fn run(board: &Board, number: usize, reference: &Reference, time: Duration, seed: u64) -> Result<()> {
    let honest = &board.honest[number];
    let Some(victim) = Proxy::import(reference) else {
        count(&honest.failures);
        anyhow::bail!("honest process {number} got no proxy");
    };
    let mut random = fastrand::Rng::with_seed(seed);
    honest.key.store(random.u32(1..).into(), Ordering::Relaxed);
    let mut caller = Caller { number: number as i32, victim, honest, random };
    let start = Instant::now();
    while start.elapsed() < time && board.is_over.load(Ordering::Relaxed) == 0 {
        caller.call();
    }
    let sent = honest.sent.load(Ordering::Relaxed);
    let end = Instant::now() + PATIENCE;
    while honest.noted.load(Ordering::Relaxed) < sent && Instant::now() < end {
        count(&honest.pulse);
        std::thread::sleep(Duration::from_millis(10));
    }
    let noted = honest.noted.load(Ordering::Relaxed);
    if noted != sent {
        count(&honest.failures);
    }
    ensure!(noted == sent, "{noted} of {sent} messages were handled");
    count(&honest.is_over);
    Ok(())
}
