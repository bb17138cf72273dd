// SPDX-License-Identifier: Apache-2.0
//! What a child tells its parent.

use super::Meaningless;
use crate::sys::ipc::{REFERENCE_LENGTH, Reference};

/// A text is cut to this many bytes.
const LONGEST_TEXT: usize = 8 * 1024;

/// What a child tells its parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Report {
    /// The child is not, or not wholly, isolated as it should be; it goes on.
    NotIsolated(String),
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

const LOADING: u8 = 16;
const LOADED: u8 = 17;
const ENTERED: u8 = 18;
const FAILED_LOADING: u8 = 19;
const FAILED_CONNECTING: u8 = 20;
const NOT_ISOLATED: u8 = 21;

impl Report {
    pub(crate) fn to_packet(&self) -> Vec<u8> {
        match self {
            Self::NotIsolated(text) => with_text(NOT_ISOLATED, text),
            Self::Loading => vec![LOADING],
            Self::Loaded => vec![LOADED],
            Self::Entered(reference) => [&[ENTERED], reference.as_slice()].concat(),
            Self::Failed { stage: Stage::Loading, text } => with_text(FAILED_LOADING, text),
            Self::Failed { stage: Stage::Connecting, text } => with_text(FAILED_CONNECTING, text),
        }
    }

    /// Bytes of a text that have no place in a log line become visible.
    pub(crate) fn from_packet(packet: &[u8]) -> Result<Self, Meaningless> {
        let meaningless = || Meaningless::packet(packet);
        match packet.split_first().ok_or_else(meaningless)? {
            (&NOT_ISOLATED, text) => Ok(Self::NotIsolated(printable(text))),
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

fn with_text(kind: u8, text: &str) -> Vec<u8> {
    let text = text.as_bytes();
    [&[kind], &text[..text.len().min(LONGEST_TEXT)]].concat()
}

fn printable(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(&text[..text.len().min(LONGEST_TEXT)]);
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::LONGEST_PACKET;
    use super::*;

    #[test]
    fn reports_arrive_as_they_were_sent() {
        let reports = [
            Report::NotIsolated("no user namespaces".into()),
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
}
