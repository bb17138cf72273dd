// SPDX-License-Identifier: Apache-2.0
//! Clocks, rounds and medians.

use std::time::Duration;

use anyhow::Result;

fn read_clock(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: there is room for the time.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Nanoseconds of the clock that all processes share.
pub fn now() -> u64 {
    read_clock(libc::CLOCK_MONOTONIC)
}

/// Nanoseconds of processor time of this thread.
fn processor_now() -> u64 {
    read_clock(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// Sleeps until `now()` gives at least this.
pub fn sleep_until(time: u64) {
    let now = now();
    if time > now {
        std::thread::sleep(Duration::from_nanos(time - now));
    }
}

pub fn median(values: &[f64]) -> f64 {
    assert!(!values.is_empty(), "a median of nothing");
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 }
}

/// The median of the ratios of values of the same rounds.
pub fn median_ratio(values: &[f64], of: &[f64]) -> f64 {
    let ratios: Vec<f64> = values.iter().zip(of).map(|(value, base)| value / base).collect();
    median(&ratios)
}

/// Repeats `operation` for about `budget`; mean nanoseconds of one. The clock is asked about every 20 µs.
pub fn mean_time(budget: Duration, operation: impl FnMut() -> Result<()>) -> Result<f64> {
    mean(now, budget, operation)
}

/// The same in processor time, which others at work on the machine do not lengthen. For what does not wait.
pub fn mean_processor_time(budget: Duration, operation: impl FnMut() -> Result<()>) -> Result<f64> {
    mean(processor_now, budget, operation)
}

fn mean(clock: fn() -> u64, budget: Duration, mut operation: impl FnMut() -> Result<()>) -> Result<f64> {
    const SPAN: f64 = 20_000.0;
    let budget = budget.as_nanos() as u64;
    let start = clock();
    let mut count = 0u64;
    let mut chunk = 1u64;
    loop {
        for _ in 0..chunk {
            operation()?;
        }
        count += chunk;
        let elapsed = clock() - start;
        let mean = elapsed as f64 / count as f64;
        if elapsed >= budget {
            return Ok(mean);
        }
        chunk = ((SPAN / mean) as u64).clamp(1, 1000);
    }
}

/// How long and how often to measure.
#[derive(Clone, Copy)]
pub struct Plan {
    pub rounds: usize,
    /// What one way gets in a round.
    pub budget: Duration,
    /// Calls before a round counts, in time.
    pub warm_up: Duration,
    pub deaths: usize,
    /// How often a native child process is started, in each of its ways.
    pub children: usize,
    pub growth_calls: u64,
    pub objects: usize,
    pub idle_span: Duration,
    pub crowd_span: Duration,
    pub async_messages: u64,
}

impl Plan {
    pub const DEFAULT: Self = Self {
        rounds: 9,
        budget: Duration::from_millis(30),
        warm_up: Duration::from_millis(4),
        deaths: 220,
        children: 101,
        growth_calls: 10_000_000,
        objects: 100_000,
        idle_span: Duration::from_secs(5),
        crowd_span: Duration::from_millis(300),
        async_messages: 1_000_000,
    };
    pub const QUICK: Self = Self {
        rounds: 3,
        budget: Duration::from_millis(10),
        warm_up: Duration::from_millis(2),
        deaths: 20,
        children: 11,
        growth_calls: 100_000,
        objects: 10_000,
        idle_span: Duration::from_secs(1),
        crowd_span: Duration::from_millis(100),
        async_messages: 200_000,
    };
    pub const FULL: Self = Self { rounds: 21, ..Self::DEFAULT };
}
