// SPDX-License-Identifier: Apache-2.0
//! What a process holds: what a dead peer has left behind shows here.
#![allow(unsafe_code)] // mallinfo2

use std::fs;

use crate::library::living_stubs;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Holdings {
    pub(crate) descriptors: usize,
    pub(crate) segments: usize,
    pub(crate) pages: usize,
    /// Without workers, which stay.
    pub(crate) threads: usize,
    pub(crate) stubs: u64,
}

impl Holdings {
    /// As things are now.
    pub(crate) fn now() -> Self {
        let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
        let mappings = |name: &str| maps.lines().filter(|line| line.contains(name)).count();
        let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
        let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
        Self {
            // One is that of the directory itself.
            descriptors: fs::read_dir("/proc/self/fd").map_or(0, Iterator::count) - 1,
            segments: mappings("memfd:ipckit-segment"),
            pages: mappings("memfd:ipckit-status") + mappings("memfd:ipckit-doorbells"),
            threads: names.filter(|name| !name.starts_with("OS_IPC")).count(),
            stubs: living_stubs(),
        }
    }

    /// What more there may be with so many peers: a socket, two segments, and two pages for each; and one thread that waits for deaths.
    pub(crate) fn with_peers(self, peers: usize) -> Self {
        Self {
            descriptors: self.descriptors + peers,
            segments: self.segments + 2 * peers,
            pages: self.pages + 2 * peers,
            threads: self.threads + 1,
            stubs: 1,
        }
    }

    /// Whether nothing is more than it may be.
    pub(crate) fn is_within(self, most: Self) -> bool {
        self.descriptors <= most.descriptors
            && self.segments <= most.segments
            && self.pages <= most.pages
            && self.threads <= most.threads
            && self.stubs <= most.stubs
    }
}

/// Bytes of the heap in use.
pub(crate) fn heap() -> usize {
    // SAFETY: takes nothing.
    unsafe { libc::mallinfo2() }.uordblks
}
