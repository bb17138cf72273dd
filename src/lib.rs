// SPDX-License-Identifier: Apache-2.0
//! `libipc_capi.so`: processes of OpenHarmony native code talk to each other on plain Linux.
//!
//! The layers, each of which uses only those below it (`tests/layers.rs` holds the rule):
//! `capi` → `runtime` → `object` → `parcel` → `transport` → `shm` → `sys`, with `host` for what only the host has.

pub mod capi;
pub mod host;
pub mod object;
pub mod parcel;
pub mod runtime;
pub mod shm;
pub mod sys;
pub mod transport;

#[global_allocator]
static ALLOCATOR: sys::reserve::Allocator = sys::reserve::Allocator;
