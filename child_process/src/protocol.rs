// SPDX-License-Identifier: Apache-2.0
//! What a parent and a child say to each other while the child starts, a packet each.
//!
//! The launcher takes the first packet, which names the two libraries; this library in the child takes the rest. Both ends
//! run the same file, so there are no versions. A child may say anything: its library runs in the same process.

use std::ffi::{CStr, CString};

use crate::sys::ipc::{REFERENCE_LENGTH, Reference};

/// No packet is longer, in bytes.
pub(crate) const LONGEST_PACKET: usize = 16 * 1024;

/// A failure's text is cut to this many bytes.
const LONGEST_TEXT: usize = 8 * 1024;

/// The packet for the launcher: which files to load, in this order.
pub(crate) fn launch_packet(ipc_library: &CStr, own_library: &CStr) -> Vec<u8> {
    [ipc_library.to_bytes_with_nul(), own_library.to_bytes_with_nul()].concat()
}

/// What a parent tells a child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order {
    /// Load this library, by path or by a name for the loader, connect it and run it, with this nice value.
    Connect { library: CString, nice: i32 },
    /// The parent has a proxy now, or has given up trying.
    Imported,
}

/// What a child tells its parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Report {
    /// The process runs, and begins to load its library.
    Loading,
    /// The library is loaded and has the functions.
    Loaded,
    /// The library's main procedure runs; its stub travels along.
    Entered(Box<Reference>),
    /// The start has failed, and the child ends.
    Failed { stage: Stage, text: String },
}

/// Where a start failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Loading,
    Connecting,
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

const CONNECT: u8 = 1;
const IMPORTED: u8 = 2;
const LOADING: u8 = 16;
const LOADED: u8 = 17;
const ENTERED: u8 = 18;
const FAILED_LOADING: u8 = 19;
const FAILED_CONNECTING: u8 = 20;

impl Order {
    pub(crate) fn to_packet(&self) -> Vec<u8> {
        match self {
            Self::Connect { library, nice } => {
                [&[CONNECT], nice.to_ne_bytes().as_slice(), library.to_bytes_with_nul()].concat()
            }
            Self::Imported => vec![IMPORTED],
        }
    }

    pub(crate) fn from_packet(packet: &[u8]) -> Result<Self, Meaningless> {
        let meaningless = || Meaningless::packet(packet);
        match packet.split_first().ok_or_else(meaningless)? {
            (&CONNECT, content) => {
                let (nice, library) = content.split_first_chunk().ok_or_else(meaningless)?;
                let library = CStr::from_bytes_with_nul(library).map_err(|_| meaningless())?;
                Ok(Self::Connect { library: library.into(), nice: i32::from_ne_bytes(*nice) })
            }
            (&IMPORTED, []) => Ok(Self::Imported),
            _ => Err(meaningless()),
        }
    }
}

impl Report {
    pub(crate) fn to_packet(&self) -> Vec<u8> {
        match self {
            Self::Loading => vec![LOADING],
            Self::Loaded => vec![LOADED],
            Self::Entered(reference) => [&[ENTERED], reference.as_slice()].concat(),
            Self::Failed { stage, text } => {
                let kind = match stage {
                    Stage::Loading => FAILED_LOADING,
                    Stage::Connecting => FAILED_CONNECTING,
                };
                let text = text.as_bytes();
                [&[kind], &text[..text.len().min(LONGEST_TEXT)]].concat()
            }
        }
    }

    /// Bytes of a text that have no place in a log line become visible.
    pub(crate) fn from_packet(packet: &[u8]) -> Result<Self, Meaningless> {
        let meaningless = || Meaningless::packet(packet);
        match packet.split_first().ok_or_else(meaningless)? {
            (&LOADING, []) => Ok(Self::Loading),
            (&LOADED, []) => Ok(Self::Loaded),
            (&ENTERED, content) if content.len() == REFERENCE_LENGTH => {
                let reference = content.try_into().map_err(|_| meaningless())?;
                Ok(Self::Entered(Box::new(reference)))
            }
            (&FAILED_LOADING, text) => Ok(Self::Failed { stage: Stage::Loading, text: printable(text) }),
            (&FAILED_CONNECTING, text) => Ok(Self::Failed { stage: Stage::Connecting, text: printable(text) }),
            _ => Err(meaningless()),
        }
    }
}

fn printable(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(&text[..text.len().min(LONGEST_TEXT)]);
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_arrive_as_they_were_sent() {
        let reports = [
            Report::Loading,
            Report::Loaded,
            Report::Entered(Box::new(std::array::from_fn(|index| index as u8))),
            Report::Failed { stage: Stage::Loading, text: "libx.so: no such file".into() },
            Report::Failed { stage: Stage::Connecting, text: String::new() },
        ];
        for report in reports {
            assert_eq!(Report::from_packet(&report.to_packet()), Ok(report));
        }
    }

    #[test]
    fn orders_arrive_as_they_were_sent() {
        for order in [Order::Connect { library: c"/lib/libx.so".into(), nice: -3 }, Order::Imported] {
            assert_eq!(Order::from_packet(&order.to_packet()), Ok(order));
        }
    }

    #[test]
    fn reports_of_a_wrong_length_or_kind_mean_nothing() {
        let reference = Report::Entered(Box::new([1; REFERENCE_LENGTH])).to_packet();
        let too_long = [reference.as_slice(), &[0]].concat();
        let refused: [&[u8]; 8] = [
            &[],
            &[0],
            &[255; 100],
            &[LOADING, 0],
            &[LOADED, 1, 2],
            &[ENTERED],
            &reference[..REFERENCE_LENGTH],
            &too_long,
        ];
        for packet in refused {
            assert!(Report::from_packet(packet).is_err(), "{packet:?}");
        }
    }

    #[test]
    fn any_two_leading_bytes_of_any_length_are_taken_without_a_panic() {
        for length in [1, 2, 3, REFERENCE_LENGTH, REFERENCE_LENGTH + 1, LONGEST_PACKET] {
            for kind in 0..=u8::MAX {
                let packet = vec![kind; length];
                if let Ok(report) = Report::from_packet(&packet) {
                    assert!(report.to_packet().len() <= LONGEST_PACKET);
                }
                let _ = Order::from_packet(&packet);
            }
        }
    }

    #[test]
    fn a_hostile_text_cannot_forge_a_log_line() {
        let packet = [&[FAILED_LOADING], b"one\n01-01 00:00:00 forged\x1b[31m\xff".as_slice()].concat();
        let Ok(Report::Failed { text, .. }) = Report::from_packet(&packet) else { panic!("no failure") };
        assert!(!text.contains(['\n', '\x1b']), "{text}");
        assert!(text.starts_with("one"));
    }

    #[test]
    fn a_long_text_is_cut() {
        let report = Report::Failed { stage: Stage::Loading, text: "x".repeat(LONGEST_PACKET * 2) };
        let packet = report.to_packet();
        assert!(packet.len() <= LONGEST_PACKET);
        let Ok(Report::Failed { text, .. }) = Report::from_packet(&packet) else { panic!("no failure") };
        assert_eq!(text.len(), LONGEST_TEXT);
    }

    #[test]
    fn an_order_with_an_inner_or_no_terminator_means_nothing() {
        for library in [b"libx".as_slice(), b"lib\0x\0", b""] {
            let packet = [&[CONNECT, 0, 0, 0, 0], library].concat();
            assert!(Order::from_packet(&packet).is_err(), "{library:?}");
        }
        assert!(Order::from_packet(&[CONNECT, 0, 0]).is_err());
        assert!(Order::from_packet(&[IMPORTED, 0]).is_err());
    }

    #[test]
    fn the_launch_packet_is_two_terminated_paths() {
        assert_eq!(launch_packet(c"/a", c"/b/c"), b"/a\0/b/c\0");
    }
}
