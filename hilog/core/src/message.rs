// SPDX-License-Identifier: Apache-2.0
//! A message and the lines it becomes.

use crate::clock;
use crate::environment;
use crate::filter::Level;
use crate::output::Output;
use crate::system;
use crate::text::Text;
use std::fmt::{Arguments, Write};

/// The most bytes of a tag that are kept.
pub const TAG_BYTES: usize = 31;
/// The most bytes of a message that are kept.
pub const MESSAGE_BYTES: usize = 4095;

/// A tag and its NUL.
pub type Tag = Text<{ TAG_BYTES + 1 }>;
/// The text of a message and its NUL.
pub type MessageText = Text<{ MESSAGE_BYTES + 1 }>;

/// The type of the system's own messages. Applications have type 0.
pub const CORE: i32 = 3;
/// The domain of the library's own messages.
pub const OWN_DOMAIN: u32 = 0xd00_1510;
const OWN_TAG: &[u8] = b"IPCKit";

/// What is to be logged.
pub struct Message {
    /// The type.
    pub kind: i32,
    /// The level.
    pub level: i32,
    /// The domain.
    pub domain: u32,
    /// Who says it.
    pub tag: Tag,
    /// What is said; can have several lines.
    pub text: MessageText,
}

impl Message {
    /// A message of the library's own.
    pub fn own(level: Level, message: Arguments<'_>) -> Self {
        let mut text = MessageText::new();
        let _ = text.write_fmt(message);
        text.finish();
        Self { kind: CORE, level: level as i32, domain: OWN_DOMAIN, tag: Tag::from_bytes(OWN_TAG), text }
    }

    /// Writes the message, a line with a prefix for each of its lines that is not empty. Returns how many bytes were
    /// written: 0 when there was nothing to write, or nobody took it.
    pub fn print(&self) -> usize {
        environment::warn_of_unknown_values();
        self.print_to(&mut Output::open())
    }

    pub(crate) fn print_to(&self, output: &mut Output) -> usize {
        let prefix = self.prefix();
        let mut written = 0;
        for line in lines(self.text.as_bytes()) {
            let (begin, end) = if output.is_terminal() {
                (self.colour(), b"\x1b[0m\n".as_slice())
            } else {
                (b"".as_slice(), b"\n".as_slice())
            };
            written += output.write_line([begin, prefix.as_bytes(), line, end]);
        }
        written
    }

    /// What each line begins with, as of now.
    pub(crate) fn prefix(&self) -> Text<128> {
        let time = clock::now();
        let mut prefix = Text::new();
        let _ = write!(
            prefix,
            "{:02}-{:02} {:02}:{:02}:{:02}.{:03} ",
            time.month, time.day, time.hour, time.minute, time.second, time.millisecond
        );
        self.write_origin(&mut prefix, system::process_id(), system::thread_id());
        prefix
    }

    fn write_origin(&self, prefix: &mut Text<128>, process: i32, thread: i32) {
        let kind = if self.kind == CORE { 'C' } else { 'A' };
        let domain = self.domain & 0xf_ffff;
        let _ = write!(prefix, "{process:>5} {thread:>5} {} {kind}{domain:05x}/", self.letter());
        for &byte in self.tag.as_bytes() {
            // A line break in a tag would begin a line without a prefix.
            prefix.push(if byte == b'\n' || byte == b'\r' { b" " } else { std::slice::from_ref(&byte) });
        }
        prefix.push(b": ");
    }

    /// Levels below debug have no letter of their own.
    fn letter(&self) -> char {
        match self.level {
            7.. => 'F',
            6 => 'E',
            5 => 'W',
            4 => 'I',
            _ => 'D',
        }
    }

    fn colour(&self) -> &'static [u8] {
        match self.level {
            7.. => b"\x1b[1;31m",
            6 => b"\x1b[31m",
            5 => b"\x1b[33m",
            4 => b"\x1b[32m",
            _ => b"\x1b[90m",
        }
    }
}

/// The lines that are not empty.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(kind: i32, level: i32, domain: u32, tag: &[u8], process: i32, thread: i32) -> String {
        let message = Message { kind, level, domain, tag: Tag::from_bytes(tag), text: MessageText::new() };
        let mut prefix = Text::new();
        message.write_origin(&mut prefix, process, thread);
        String::from_utf8(prefix.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn says_where_it_comes_from() {
        assert_eq!(origin(0, 4, 0x0201, b"Sample", 12, 345), "   12   345 I A00201/Sample: ");
        assert_eq!(origin(0, 7, 0xd0a_bcde, b"", 1_234_567, 1_234_568), "1234567 1234568 F Aabcde/: ");
        assert_eq!(origin(CORE, 6, OWN_DOMAIN, b"IPCKit", 1, 1), "    1     1 E C01510/IPCKit: ");
    }

    #[test]
    fn the_longest_prefix_is_whole() {
        assert!(origin(0, 3, u32::MAX, &[b't'; 40], i32::MIN, i32::MIN).ends_with(&("t".repeat(31) + ": ")));
    }

    #[test]
    fn a_tag_does_not_break_the_line() {
        assert_eq!(origin(0, 3, 0, b"a\r\nb", 1, 1), "    1     1 D A00000/a  b: ");
    }

    #[test]
    fn splits_at_line_breaks_and_leaves_out_empty_lines() {
        let split = |text: &'static str| lines(text.as_bytes()).map(<[u8]>::to_vec).collect::<Vec<_>>();
        assert_eq!(split("one"), [b"one"]);
        assert_eq!(split("\none\n\ntwo\n"), [b"one", b"two"]);
        assert!(split("").is_empty());
        assert!(split("\n\n").is_empty());
    }

    #[test]
    fn an_own_message_is_cut_to_size() {
        let long = "x".repeat(5000);
        assert_eq!(
            Message::own(Level::Info, format_args!("{long}")).text.as_bytes(),
            &long.as_bytes()[..MESSAGE_BYTES]
        );
    }
}
