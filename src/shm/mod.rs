// SPDX-License-Identifier: Apache-2.0
//! Shared memory: segments that only their owner writes, the rings and slots in them, and the doorbells.

pub mod arena;
pub mod atomics;
pub mod doorbell;
pub mod layout;
pub mod ring;
pub mod segment;
pub mod wakeups;

/// The words on a robust list, by which a death is told.
pub use crate::sys::robust_list::LifeWord;
