// SPDX-License-Identifier: Apache-2.0
//! The process: its peers, its workers, calls out and in, who calls, and who has died.

mod arrival;
pub mod call;
mod connections;
mod control_thread;
pub mod death;
mod death_watch;
mod departure;
mod dispatch;
mod handshakes;
pub mod identity;
mod listening;
mod lookout;
mod lost_wake_ups;
mod process;
mod ready_peers;
mod settling;
mod threads;
mod wait_policy;
mod waiting;
mod worker;
mod worker_pool;

pub use arrival::import;
pub use call::{Answer, CallError};
pub use lost_wake_ups::lost_wake_ups;
pub use process::{Process, StartError};
pub use worker::{is_serving, join, stop};
