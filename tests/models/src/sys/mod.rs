// SPDX-License-Identifier: Apache-2.0
//! The kernel's part, locks, and atomics.

#[path = "../../../../src/sys/fault_point.rs"]
pub mod fault_point;
pub mod futex;
pub mod lock;
pub mod mapping;
pub mod weakening;

pub use ipckit_order as order;
