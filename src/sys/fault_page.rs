// SPDX-License-Identifier: Apache-2.0
// By what a trial and the library agree on where a process is to die. The library and tools/soak/ both include this.

use std::sync::atomic::{AtomicU32, AtomicU64};

/// The page by which a trial says what is to happen, and is told what has: a file that `IPCKIT_FAULT_POINTS` names, of sealed size.
#[repr(C, align(4096))]
pub struct FaultPage {
    /// What is to happen: 0 nothing, 1 death, 2 a stop.
    pub action: AtomicU32,
    /// Where: twice the number of the point, and 1 more for right after it.
    pub place: AtomicU32,
    /// At which passing, counted from 1.
    pub passing: AtomicU64,
    /// When it happened, in nanoseconds of the monotonic clock; 0 before.
    pub happened: AtomicU64,
    /// How often each place was passed.
    pub passed: [AtomicU64; 2 * FaultPoint::ALL.len()],
}

/// [`FaultPage::action`]: SIGKILL.
pub const DIE: u32 = 1;
/// [`FaultPage::action`]: SIGSTOP.
pub const STOP: u32 = 2;
