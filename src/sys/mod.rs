// SPDX-License-Identifier: Apache-2.0
//! System calls, one thin file per facility. Nothing above this layer names `libc`.

pub mod descriptor;
pub mod epoll;
pub mod fault_point;
pub mod large_buffers;
pub mod mapping;
pub mod memory;
pub mod per_thread;
pub mod process;
pub mod reserve;
pub mod robust_list;
pub mod shortage;
pub mod socket;
pub mod timer;

pub use ipckit_order as order;
pub use ipckit_threads::{fork, futex, lock, per_process, thread};
