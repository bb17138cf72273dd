// SPDX-License-Identifier: Apache-2.0
//! Text of a bounded size on the stack: the log must work when there is no memory to be had.

use std::ffi::CStr;
use std::fmt;

/// At most `SIZE - 1` bytes, always followed by a NUL; what does not fit is cut off.
#[derive(Clone)]
pub struct Text<const SIZE: usize> {
    bytes: [u8; SIZE],
    length: usize,
    cut: bool,
}

impl<const SIZE: usize> Text<SIZE> {
    /// No text.
    pub const fn new() -> Self {
        Self { bytes: [0; SIZE], length: 0, cut: false }
    }

    /// As much of `bytes` as fits, without a last character cut in two, up to the first NUL.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut text = Self::new();
        text.push(bytes);
        text.finish();
        text
    }

    /// The text without its NUL.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// The text for C, up to its first NUL.
    pub fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or_default()
    }

    /// True once something did not fit.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Appends as much of `bytes` as fits.
    pub fn push(&mut self, bytes: &[u8]) {
        let count = bytes.len().min(self.room());
        self.bytes[self.length..self.length + count].copy_from_slice(&bytes[..count]);
        self.length += count;
        self.cut |= count < bytes.len();
    }

    /// Appends `byte` up to `count` times.
    pub fn push_repeated(&mut self, byte: u8, count: usize) {
        let fits = count.min(self.room());
        self.bytes[self.length..self.length + fits].fill(byte);
        self.length += fits;
        self.cut |= fits < count;
    }

    /// Appends what `write` puts into the free bytes (the last of which is for its NUL), as `snprintf` does: it returns
    /// how many bytes it would have liked to write.
    pub fn push_with(&mut self, write: impl FnOnce(&mut [u8]) -> usize) {
        let room = self.room();
        let wanted = write(&mut self.bytes[self.length..]);
        self.length += wanted.min(room);
        self.bytes[self.length..].fill(0);
        self.cut |= wanted > room;
    }

    /// To be called when all is appended: ends the text at its first NUL, as C does, and takes off a character of
    /// which only a part fitted.
    pub fn finish(&mut self) {
        let mut end = self.as_c_str().count_bytes();
        if self.cut && end == self.length {
            end -= incomplete_tail(self.as_bytes());
        }
        self.length = end;
        self.bytes[end..].fill(0);
    }

    fn room(&self) -> usize {
        SIZE - 1 - self.length
    }
}

impl<const SIZE: usize> Default for Text<SIZE> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const SIZE: usize> fmt::Write for Text<SIZE> {
    fn write_str(&mut self, string: &str) -> fmt::Result {
        self.push(string.as_bytes());
        Ok(())
    }
}

/// How many bytes at the end are the beginning of a UTF-8 character that goes on elsewhere.
fn incomplete_tail(bytes: &[u8]) -> usize {
    let tail = &bytes[bytes.len().saturating_sub(3)..];
    for (at, &byte) in tail.iter().enumerate().rev() {
        let needed = match byte {
            0x80..=0xbf => continue,
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => return 0,
        };
        let present = tail.len() - at;
        return if present < needed { present } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::Text;
    use std::fmt::Write;

    #[test]
    fn keeps_what_fits_and_says_that_it_cut() {
        let mut text = Text::<5>::new();
        text.push(b"abc");
        assert!(!text.is_cut());
        write!(text, "{}", 123).unwrap();
        assert!(text.is_cut());
        assert_eq!(text.as_c_str(), c"abc1");
        text.push_repeated(b'x', usize::MAX);
        assert_eq!(text.as_bytes(), b"abc1");
    }

    #[test]
    fn does_not_end_in_the_middle_of_a_character() {
        assert_eq!(Text::<5>::from_bytes("abcé".as_bytes()).as_bytes(), b"abc");
        assert_eq!(Text::<6>::from_bytes("abcé".as_bytes()).as_bytes(), "abcé".as_bytes());
        assert_eq!(Text::<7>::from_bytes("ab\u{20ac}\u{20ac}".as_bytes()).as_bytes(), "ab\u{20ac}".as_bytes());
        assert_eq!(Text::<4>::from_bytes("\u{1f600}".as_bytes()).as_bytes(), b"");
        assert_eq!(Text::<5>::from_bytes("\u{1f600}!".as_bytes()).as_bytes(), "\u{1f600}".as_bytes());
        assert_eq!(Text::<4>::from_bytes(b"\xff\xff\xff\xff").as_bytes(), b"\xff\xff\xff", "not UTF-8: left alone");
    }

    #[test]
    fn ends_at_a_nul() {
        let mut text = Text::<8>::new();
        text.push(b"ab\0cd");
        text.finish();
        assert_eq!(text.as_bytes(), b"ab");
        assert_eq!(text.as_c_str(), c"ab");
    }

    #[test]
    fn takes_what_a_printf_leaves() {
        let mut text = Text::<6>::new();
        text.push(b"a");
        text.push_with(|free| {
            assert_eq!(free.len(), 5);
            free.copy_from_slice(b"bcde\0");
            9
        });
        assert!(text.is_cut());
        assert_eq!(text.as_c_str(), c"abcde");
    }
}
