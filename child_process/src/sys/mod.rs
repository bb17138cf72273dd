// SPDX-License-Identifier: Apache-2.0
//! System calls, the dynamic loader and the private symbols of `libipc_capi.so`: thin, and safe to call.

pub(crate) mod arguments;
pub(crate) mod channel;
pub(crate) mod entry;
pub(crate) mod guardian;
pub(crate) mod ipc;
pub(crate) mod isolation;
pub(crate) mod loader;
pub(crate) mod memory_file;
mod own_descriptor;
pub(crate) mod poll;
pub(crate) mod process;
mod script;
mod standard_descriptors;
