// SPDX-License-Identifier: Apache-2.0
//! Text on its way through UTF-16, as a device converts it: lenient where Unicode is not.

/// The longest text that an interface token or a descriptor may have, in bytes of UTF-8.
pub const MAX_TEXT: usize = 204_800;

/// Why a text cannot be converted to UTF-16.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Its last character lacks bytes.
    #[error("its last UTF-8 character is cut short")]
    CutShort,
    /// It has no character before the first U+0000.
    #[error("it has no character before the first U+0000")]
    Empty,
    /// The system gave no memory.
    #[error("out of memory")]
    NoMemory,
}

/// What a text becomes when it goes through UTF-16 and back: ill-formed UTF-8 comes back changed, lone surrogates are lost.
///
/// # Errors
/// See [`TextError`].
pub fn through_utf16(text: &[u8]) -> Result<String, TextError> {
    utf8_from(utf16_from(text)?.into_iter()).ok_or(TextError::NoMemory)
}

/// The UTF-16 units of a text up to its first U+0000. Bytes that continue no character stand for themselves; the length of a character
/// follows from its first byte alone, and of the others only the lower six bits count.
pub(super) fn utf16_from(text: &[u8]) -> Result<Vec<u16>, TextError> {
    let mut units = Vec::new();
    // No character has more units than bytes.
    units.try_reserve_exact(text.len()).map_err(|_| TextError::NoMemory)?;
    let mut rest = text;
    let mut ended = false;
    while let Some(&first) = rest.first() {
        let (length, bits) = match first {
            0xc0..=0xdf => (2, first & 0x1f),
            0xe0..=0xef => (3, first & 0x0f),
            0xf0..=0xff => (4, first & 0x07),
            _ => (1, first),
        };
        let (character, behind) = rest.split_at_checked(length).ok_or(TextError::CutShort)?;
        rest = behind;
        let value = character[1..].iter().fold(u32::from(bits), |value, byte| value << 6 | u32::from(byte & 0x3f));
        ended |= value == 0;
        if !ended {
            push_units(&mut units, value);
        }
    }
    if units.is_empty() { Err(TextError::Empty) } else { Ok(units) }
}

/// Four bytes can hold values beyond the last character; those give surrogates that do not pair.
fn push_units(units: &mut Vec<u16>, value: u32) {
    if let Ok(unit) = u16::try_from(value) {
        units.push(unit);
    } else {
        let above = value - 0x1_0000;
        units.push((0xd800 + (above >> 10)) as u16);
        units.push((0xdc00 + (above & 0x3ff)) as u16);
    }
}

/// The text of UTF-16 units up to the first U+0000, without lone surrogates; `None` where there is no memory.
pub(super) fn utf8_from(units: impl ExactSizeIterator<Item = u16>) -> Option<String> {
    let mut text = String::new();
    text.try_reserve(3 * units.len()).ok()?;
    text.extend(char::decode_utf16(units.take_while(|unit| *unit != 0)).filter_map(Result::ok));
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_formed_text_comes_back_unchanged() {
        for text in [
            "a",
            "OHOS.IPC.TestInterface",
            "caf\u{e9}",
            "\u{4f60}\u{597d}",
            "a\u{1f600}z",
            "\u{feff}bom",
            "\u{ffff}",
            "\u{10ffff}",
        ] {
            assert_eq!(through_utf16(text.as_bytes()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn a_last_character_that_is_cut_short_is_refused() {
        for text in [&b"\xc3"[..], b"a\xc3", b"\xe4\xbd", b"\xf0\x9f\x98", b"\xff", b"\xfe", b"a\xffb", b"\xc0\x80\xc3"]
        {
            assert_eq!(through_utf16(text), Err(TextError::CutShort), "{text:x?}");
        }
    }

    #[test]
    fn only_the_first_byte_tells_the_length() {
        assert_eq!(utf16_from(b"\xc3("), Ok(vec![0xe8]));
        assert_eq!(utf16_from(b"\xe4(("), Ok(vec![0x4a28]));
        assert_eq!(utf16_from(b"\x80\xbf"), Ok(vec![0x80, 0xbf]));
        assert_eq!(utf16_from(b"\xe0\x80\xaf"), Ok(vec![0x2f]));
        assert_eq!(utf16_from(b"\xf8\x88\x80\x80\x80"), Ok(vec![0x8000, 0x80]));
        assert_eq!(utf16_from(b"\xf4\x90\x80\x80"), Ok(vec![0xdc00, 0xdc00]));
        assert_eq!(utf16_from(b"\xf7\xbf\xbf\xbf"), Ok(vec![0xdfbf, 0xdfff]));
    }

    #[test]
    fn the_text_ends_at_the_first_nul_however_it_is_written() {
        assert_eq!(utf16_from(b"a\xc0\x80b"), Ok(vec![0x61]));
        assert_eq!(utf16_from(b"a\xf0\x80\x80\x80b"), Ok(vec![0x61]));
        assert_eq!(utf16_from(b"\xc0\x80a"), Err(TextError::Empty));
        assert_eq!(utf8_from([0x61, 0, 0x62].into_iter()).as_deref(), Some("a"));
    }

    #[test]
    fn surrogates_pair_or_are_lost() {
        assert_eq!(through_utf16(b"\xed\xa0\xbd\xed\xb8\x80").as_deref(), Ok("\u{1f600}"));
        assert_eq!(through_utf16(b"abc\xf0\x9f\x98\x80\xed\xa0\x80xyz").as_deref(), Ok("abc\u{1f600}xyz"));
        assert_eq!(through_utf16(b"\xed\xb0\x80").as_deref(), Ok(""));
    }
}
