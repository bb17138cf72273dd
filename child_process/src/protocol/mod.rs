// SPDX-License-Identifier: Apache-2.0
//! What a parent and a child say to each other while the child starts, a packet each.
//!
//! The launcher takes the first packet, which names the two libraries; this library in the child takes the rest. Both ends
//! run the same file, so there are no versions. A child may say anything: its library runs in the same process.

mod gift;
mod order;
mod report;

use std::ffi::CStr;

pub(crate) use self::gift::Gift;
pub(crate) use self::order::{Isolation, Order, Surroundings, Task};
pub(crate) use self::report::{Report, Stage};

/// No packet is longer, in bytes.
pub(crate) const LONGEST_PACKET: usize = 16 * 1024;

/// Descriptors that a child can be given.
pub(crate) const MOST_DESCRIPTORS: usize = 16;

/// The packet for the launcher: which files to load, in this order.
pub(crate) fn launch_packet(ipc_library: &CStr, own_library: &CStr) -> Vec<u8> {
    [ipc_library.to_bytes_with_nul(), own_library.to_bytes_with_nul()].concat()
}

/// A packet that nobody of good will sends.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a packet of {length} bytes that starts with {first:?} means nothing")]
pub(crate) struct Meaningless {
    length: usize,
    first: Option<u8>,
}

impl Meaningless {
    fn packet(packet: &[u8]) -> Self {
        Self { length: packet.len(), first: packet.first().copied() }
    }
}

/// The NUL-terminated texts that the bytes consist of; `None` where the last one is not terminated.
fn texts(bytes: &[u8]) -> Option<impl Iterator<Item = &CStr>> {
    (bytes.is_empty() || bytes.ends_with(&[0]))
        .then(|| bytes.split_inclusive(|&byte| byte == 0).filter_map(|text| CStr::from_bytes_with_nul(text).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_two_leading_bytes_of_any_length_are_taken_without_a_panic() {
        for length in [1, 2, 3, 64, 65, LONGEST_PACKET] {
            for kind in 0..=u8::MAX {
                let packet = vec![kind; length];
                if let Ok(report) = Report::from_packet(&packet) {
                    assert!(report.to_packet().len() <= LONGEST_PACKET);
                }
                let _ = Order::from_packet(&packet);
                let _ = Gift::from_bytes(&packet);
            }
        }
    }

    #[test]
    fn the_launch_packet_is_two_terminated_paths() {
        assert_eq!(launch_packet(c"/a", c"/b/c"), b"/a\0/b/c\0");
    }
}
