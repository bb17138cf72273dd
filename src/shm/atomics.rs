// SPDX-License-Identifier: Apache-2.0
//! The one place that atomics come from which tell other threads that there is something for them. `tests/models` builds what is made of
//! them with loom's.

#[cfg(loom)]
pub use crate::sys::weakening::{AtomicBool, AtomicU16, AtomicU32, AtomicU64, Ordering, fence};
#[cfg(not(loom))]
pub use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU32, AtomicU64, Ordering, fence};
