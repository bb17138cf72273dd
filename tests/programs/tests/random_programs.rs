// SPDX-License-Identifier: Apache-2.0
//! Random programs, each with processes of its own. Where one goes otherwise than the model has it, the shortest one that does is printed, and
//! what each process did.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use programs::{programs, run};
use proptest::prelude::*;
use proptest::test_runner::Config;

/// Steps of the longest programs.
const STEPS: usize = 40;

/// How often a program is run to find out whether it fails, once one has: what happens at the same time happens in this order or that.
const ATTEMPTS: usize = 10;

fn cases() -> u32 {
    // `PROPTEST_CASES` is what makes it another number than this.
    if std::env::var_os("PROPTEST_CASES").is_some() { Config::default().cases } else { 150 }
}

#[test]
fn three_processes_do_what_the_model_does() {
    let actor = Path::new(env!("CARGO_BIN_EXE_actor"));
    // Failures are printed with their program; files of them would be one more thing to keep. A program that hangs takes a while to say so.
    let config = Config { cases: cases(), failure_persistence: None, max_shrink_time: 600_000, ..Config::default() };
    let has_failed = AtomicBool::new(false);
    proptest!(config, |(program in programs(STEPS))| {
        let attempts = if has_failed.load(Ordering::Relaxed) { ATTEMPTS } else { 1 };
        for _ in 0..attempts {
            if let Err(error) = run(&program, actor) {
                has_failed.store(true, Ordering::Relaxed);
                return Err(TestCaseError::fail(error));
            }
        }
    });
}
