// SPDX-License-Identifier: Apache-2.0
//! `libchild_process.so`: processes of their own for OpenHarmony native libraries, on plain Linux.
//!
//! `capi` is the C face. `launch` is what the parent does: find the library, start the process, follow its start-up and
//! tell the outcome. `child` is what the child does, and `protocol` is what the two say to each other. `sys` makes the
//! system calls. Each uses only those named after it.

mod capi;
mod child;
mod launch;
mod mutation;
mod protocol;
mod sys;
