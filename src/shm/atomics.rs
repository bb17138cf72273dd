// SPDX-License-Identifier: Apache-2.0
//! The one place that atomics come from, so that loom can model what is built of them.

#[cfg(loom)]
pub use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
#[cfg(not(loom))]
pub use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
