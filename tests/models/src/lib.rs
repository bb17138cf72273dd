// SPDX-License-Identifier: Apache-2.0
//! The library's sources with atomics that loom models, and what these sources need around them.
//!
//! What is included by its path is the library's own code; the rest stands in for memory, locks and the kernel. loom runs a model in every
//! order of its threads up to a number of preemptions ([`check`]), with every value that a load may return.
//!
//! What loom does not show, for all models: that compilers and processors keep to the memory model; loads that are delayed until after a
//! later store of the same thread; more preemptions, threads or rounds than the model has; anything about time. loom takes accesses that
//! are sequentially consistent for acquire and release, so all that is shown here rests on fences alone.
#![cfg(loom)]
#![allow(dead_code)] // of the included sources, what no model uses

pub mod object;
pub mod shm;
pub mod sys;
pub mod transport;
pub use sys::weakening;

/// Runs a model with at most so many preemptions in each of its runs.
pub fn check(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 10_000;
    builder.check(model);
}
