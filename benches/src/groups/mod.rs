// SPDX-License-Identifier: Apache-2.0
//! What is measured. Each group adds its lines to the report.

pub mod asynchronous;
pub mod children;
pub mod crowd;
pub mod death;
pub mod latency;
pub mod objects;
pub mod parcels;
pub mod phases;
pub mod resources;
pub mod waiting;

use std::path::PathBuf;

use crate::measure::Plan;
use crate::processes::{Placement, Processors};

/// What every group needs to know.
pub struct Setting {
    pub library: PathBuf,
    /// The program that measures native child processes.
    pub child_start: Option<PathBuf>,
    pub plan: Plan,
    pub processors: Processors,
}

impl Setting {
    /// Two cores, or one where there are no two.
    pub fn apart(&self) -> Placement {
        if self.processors.allow(Placement::TwoCores) { Placement::TwoCores } else { Placement::OneCore }
    }
}

/// Nanoseconds as microseconds.
pub fn micro(nanoseconds: f64) -> String {
    format!("{:.2} µs", nanoseconds / 1000.0)
}
