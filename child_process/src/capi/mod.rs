// SPDX-License-Identifier: Apache-2.0
//! The C face: it checks pointers, maps errors and stops panics; nothing else.

mod child_main;
mod native_child_process;
