// SPDX-License-Identifier: Apache-2.0
//! A format string, taken apart into text and directives.

/// Positions of arguments (`%1$d`) go up to this; POSIX asks for 9.
pub(super) const POSITIONS: usize = 64;

/// A part of a format string.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// To be printed as it is. What looks like a directive but is none is text too.
    Text(&'a [u8]),
    /// A directive, and how it is written.
    Directive(Directive, &'a [u8]),
}

/// One directive that C's printf knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Directive {
    pub(super) privacy: Privacy,
    pub(super) flags: Flags,
    pub(super) width: Size,
    pub(super) precision: Size,
    pub(super) length: Length,
    pub(super) conversion: Conversion,
    /// Which argument is converted; `None` for the next one.
    pub(super) position: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Privacy {
    /// `{private}`, or nothing.
    Private,
    /// `{public}`.
    Public,
    /// Another word in braces: private.
    Unknown,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) left: bool,
    pub(super) plus: bool,
    pub(super) space: bool,
    pub(super) alternate: bool,
    pub(super) zero: bool,
    pub(super) grouped: bool,
}

/// A width or a precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    Absent,
    Number(i32),
    /// The next argument says it.
    Next,
    /// The argument at this position says it.
    At(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    Char,
    Short,
    Int,
    /// `l`: a wide character or string, or an integer of 64 bits.
    Long,
    /// `ll`, `j`, `z`, `t`: an integer of 64 bits.
    Wider,
    /// `L`: a long double, or an integer of 64 bits.
    LongDouble,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conversion {
    Signed,
    /// The letter is o, u, x, X, b or B.
    Unsigned(u8),
    /// The letter is a, e, f or g, or one of these in upper case.
    Float(u8),
    Character,
    String,
    Pointer,
    /// The text of `errno`; takes no argument.
    ErrorText,
    /// Would write through its argument; never done.
    Count,
}

/// What an argument is, as far as it matters for taking it from a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `int`, and what is promoted to it.
    Int,
    /// An integer of 64 bits.
    Long,
    /// `double`.
    Double,
    /// `long double`.
    LongDouble,
    /// A pointer.
    Pointer,
}

impl Directive {
    /// What argument it converts, if any.
    pub(super) fn kind(&self) -> Option<Kind> {
        Some(match (self.conversion, self.length) {
            (Conversion::ErrorText, _) => return None,
            (Conversion::String | Conversion::Pointer | Conversion::Count, _) => Kind::Pointer,
            (Conversion::Float(_), Length::LongDouble) => Kind::LongDouble,
            (Conversion::Float(_), _) => Kind::Double,
            (Conversion::Character, _) | (_, Length::Char | Length::Short | Length::Int) => Kind::Int,
            (_, Length::Long | Length::Wider | Length::LongDouble) => Kind::Long,
        })
    }

    /// Whether it names its arguments by position (`Some(true)`) or takes the next ones; `None` if it takes none.
    pub(super) fn by_position(&self) -> Option<bool> {
        match (self.position, self.width, self.precision) {
            (Some(_), _, _) => Some(true),
            (None, Size::At(_), _) | (None, _, Size::At(_)) => Some(true),
            (None, Size::Next, _) | (None, _, Size::Next) => Some(false),
            _ => self.kind().map(|_| false),
        }
    }

    /// Whether all its arguments are named in the same way.
    fn is_consistent(&self) -> bool {
        let by_position = self.by_position() == Some(true);
        let agrees = |size| match size {
            Size::At(_) => by_position,
            Size::Next => !by_position,
            Size::Absent | Size::Number(_) => true,
        };
        agrees(self.width)
            && agrees(self.precision)
            && (!by_position || self.position.is_some() || self.kind().is_none())
    }
}

/// The pieces of a format string, in order.
pub(super) struct Pieces<'a> {
    rest: &'a [u8],
}

impl<'a> Pieces<'a> {
    pub(super) fn of(format: &'a [u8]) -> Self {
        Self { rest: format }
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let whole = self.rest;
        let (piece, length) = match whole {
            [] => return None,
            [b'%', after @ ..] => {
                let mut reader = Reader { rest: after };
                let read = reader.directive();
                let length = whole.len() - reader.rest.len();
                match read {
                    Read::Percent => (Piece::Text(b"%"), length),
                    Read::Directive(directive) => (Piece::Directive(directive, &whole[..length]), length),
                    Read::Nothing => (Piece::Text(&whole[..length]), length),
                }
            }
            _ => {
                let length = whole.iter().position(|&byte| byte == b'%').unwrap_or(whole.len());
                (Piece::Text(&whole[..length]), length)
            }
        };
        self.rest = &whole[length..];
        Some(piece)
    }
}

enum Read {
    Directive(Directive),
    Percent,
    /// What was read is no directive.
    Nothing,
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    /// Reads what follows a percent sign.
    fn directive(&mut self) -> Read {
        let privacy = self.privacy();
        let before = self.rest;
        let position = match self.number() {
            Some(number) if self.take(b'$') => Some(number),
            _ => {
                self.rest = before;
                None
            }
        };
        let flags = self.flags();
        let width = self.size();
        let precision = if self.take(b'.') {
            match self.size() {
                Size::Absent => Size::Number(0),
                size => size,
            }
        } else {
            Size::Absent
        };
        let length = self.length();
        let Some((&letter, rest)) = self.rest.split_first() else { return Read::Nothing };
        let (conversion, length) = match letter {
            b'%' => {
                self.rest = rest;
                return Read::Percent;
            }
            b'd' | b'i' => (Conversion::Signed, length),
            b'o' | b'u' | b'x' | b'X' | b'b' | b'B' => (Conversion::Unsigned(letter), length),
            b'a' | b'A' | b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => (Conversion::Float(letter), length),
            b'c' => (Conversion::Character, length),
            b'C' => (Conversion::Character, Length::Long),
            b's' => (Conversion::String, length),
            b'S' => (Conversion::String, Length::Long),
            b'p' => (Conversion::Pointer, length),
            b'm' => (Conversion::ErrorText, length),
            b'n' => (Conversion::Count, length),
            // The letter is left: it is text, or a percent sign in it begins the next directive.
            _ => return Read::Nothing,
        };
        self.rest = rest;
        let positions = [position, position_of(width), position_of(precision)];
        let directive = Directive { privacy, flags, width, precision, length, conversion, position };
        let in_range = positions.iter().flatten().all(|position| (1..=POSITIONS).contains(position));
        if in_range && directive.is_consistent() { Read::Directive(directive) } else { Read::Nothing }
    }

    fn privacy(&mut self) -> Privacy {
        let Some(inside) = self.rest.strip_prefix(b"{") else { return Privacy::Private };
        // A brace that is not closed, or has a directive in it, is not there for privacy.
        let length = inside.iter().take_while(|byte| !b"%{}".contains(byte)).count();
        let (word, after) = inside.split_at(length);
        let Some(after) = after.strip_prefix(b"}") else { return Privacy::Private };
        self.rest = after;
        match word {
            b"public" => Privacy::Public,
            b"private" => Privacy::Private,
            _ => Privacy::Unknown,
        }
    }

    fn flags(&mut self) -> Flags {
        let mut flags = Flags::default();
        while let Some((byte, rest)) = self.rest.split_first() {
            match byte {
                b'-' => flags.left = true,
                b'+' => flags.plus = true,
                b' ' => flags.space = true,
                b'#' => flags.alternate = true,
                b'0' => flags.zero = true,
                b'\'' => flags.grouped = true,
                // Digits of the locale, which is nobody's here.
                b'I' => {}
                _ => break,
            }
            self.rest = rest;
        }
        flags
    }

    fn size(&mut self) -> Size {
        if !self.take(b'*') {
            let number = self.number();
            return number.map_or(Size::Absent, |number| Size::Number(i32::try_from(number).unwrap_or(i32::MAX)));
        }
        let before = self.rest;
        match self.number() {
            Some(number) if self.take(b'$') => Size::At(number),
            _ => {
                self.rest = before;
                Size::Next
            }
        }
    }

    fn length(&mut self) -> Length {
        for (text, length) in [
            (b"hh".as_slice(), Length::Char),
            (b"h", Length::Short),
            (b"ll", Length::Wider),
            (b"l", Length::Long),
            (b"L", Length::LongDouble),
            (b"j", Length::Wider),
            (b"z", Length::Wider),
            (b"t", Length::Wider),
            (b"q", Length::Wider),
        ] {
            if let Some(rest) = self.rest.strip_prefix(text) {
                self.rest = rest;
                return length;
            }
        }
        Length::Int
    }

    fn number(&mut self) -> Option<usize> {
        let length = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.rest.split_at(length);
        self.rest = rest;
        let value = |value: usize, digit: &u8| value.saturating_mul(10).saturating_add(usize::from(digit - b'0'));
        (length > 0).then(|| digits.iter().fold(0, value))
    }

    fn take(&mut self, byte: u8) -> bool {
        let rest = self.rest.strip_prefix(&[byte]);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }
}

fn position_of(size: Size) -> Option<usize> {
    match size {
        Size::At(position) => Some(position),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(format: &str) -> Directive {
        let pieces: Vec<_> = Pieces::of(format.as_bytes()).collect();
        match pieces[..] {
            [Piece::Directive(directive, raw)] if raw == format.as_bytes() => directive,
            _ => panic!("{format}: {pieces:?}"),
        }
    }

    fn text(format: &str) -> String {
        Pieces::of(format.as_bytes())
            .map(|piece| match piece {
                Piece::Text(text) => String::from_utf8_lossy(text).into_owned(),
                Piece::Directive(_, raw) => format!("[{}]", String::from_utf8_lossy(raw)),
            })
            .collect()
    }

    #[test]
    fn privacy_is_taken_off() {
        assert_eq!(one("%d").privacy, Privacy::Private);
        assert_eq!(one("%{private}d").privacy, Privacy::Private);
        assert_eq!(one("%{public}d").privacy, Privacy::Public);
        assert_eq!(one("%{Public}d").privacy, Privacy::Unknown);
        assert_eq!(one("%{}s").privacy, Privacy::Unknown);
        assert_eq!(one("%{public, un-heard:of}s").privacy, Privacy::Unknown);
        assert_eq!(one("%{public}-08.3lld"), Directive { privacy: Privacy::Public, ..one("%-08.3lld") });
    }

    #[test]
    fn every_part_of_a_directive() {
        let all = one("%-+ #0'12.34hhx");
        let flags = Flags { left: true, plus: true, space: true, alternate: true, zero: true, grouped: true };
        assert_eq!((all.flags, all.width, all.precision), (flags, Size::Number(12), Size::Number(34)));
        assert_eq!((all.length, all.conversion), (Length::Char, Conversion::Unsigned(b'x')));
        assert_eq!((one("%*.*f").width, one("%*.*f").precision), (Size::Next, Size::Next));
        assert_eq!(one("%.s").precision, Size::Number(0));
        assert_eq!(one("%99999999999999999999d").width, Size::Number(i32::MAX));
        let positional = one("%3$*1$.*2$d");
        assert_eq!((positional.position, positional.width, positional.precision), (Some(3), Size::At(1), Size::At(2)));
    }

    #[test]
    fn kinds_of_arguments() {
        for (formats, kind) in [
            (&["%d", "%i", "%hhd", "%hx", "%u", "%c", "%lc", "%C", "%b"][..], Some(Kind::Int)),
            (&["%ld", "%llu", "%jx", "%zu", "%td", "%qd", "%Ld"], Some(Kind::Long)),
            (&["%f", "%lf", "%a", "%G"], Some(Kind::Double)),
            (&["%Lf", "%LE"], Some(Kind::LongDouble)),
            (&["%s", "%ls", "%S", "%p", "%n", "%hhn"], Some(Kind::Pointer)),
            (&["%m"], None),
        ] {
            for format in formats {
                assert_eq!(one(format).kind(), kind, "{format}");
            }
        }
    }

    #[test]
    fn what_is_no_directive_is_text() {
        assert_eq!(text("100%"), "100%");
        assert_eq!(text("%"), "%");
        assert_eq!(text("%%d %5%"), "%d %");
        assert_eq!(text("50%, %d"), "50%, [%d]");
        assert_eq!(text("%y %-5y %ll"), "%y %-5y %ll");
        assert_eq!(text("%{public"), "%{public");
        assert_eq!(text("%{public}"), "%{public}");
        assert_eq!(text("%{%d}"), "%{[%d]}");
        assert_eq!(text("%{ {x}d"), "%{ {x}d");
        assert_eq!(text("%.-5d"), "%.-5d");
        assert_eq!(text("%l\u{e9}%d"), "%l\u{e9}[%d]");
        assert_eq!(text(""), "");
    }

    #[test]
    fn positions_out_of_range_or_mixed_are_text() {
        assert_eq!(text("%0$d"), "%0$d");
        assert_eq!(text("%64$d"), "[%64$d]");
        assert_eq!(text("%65$d"), "%65$d");
        assert_eq!(text("%99999999999999999999$d"), "%99999999999999999999$d");
        assert_eq!(text("%1$*d"), "%1$*d");
        assert_eq!(text("%*1$d"), "%*1$d");
        assert_eq!(text("%1$*2$d"), "[%1$*2$d]");
    }
}
