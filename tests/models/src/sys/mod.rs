// SPDX-License-Identifier: Apache-2.0
//! The kernel's part, and locks.

pub mod futex;
pub mod lock;
pub mod mapping;

pub use ipckit_order as order;
