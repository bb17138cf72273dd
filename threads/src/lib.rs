// SPDX-License-Identifier: Apache-2.0
//! Threads of the libraries' own, and what they wait with. Programs fork at any moment, and load the libraries from within the dynamic
//! loader; the standard library's threads, and locks whose waiting threads are in a table that all share, do not outlast that. See
//! `docs/decisions/0019`.
//!
//! Each library has a copy of this crate.

pub mod fork;
pub mod futex;
pub mod lock;
pub mod per_process;
pub mod thread;
