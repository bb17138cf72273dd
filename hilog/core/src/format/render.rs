// SPDX-License-Identifier: Apache-2.0
//! One directive, printed. Numbers are the C library's business; strings are printed here, since its way of printing wide
//! ones depends on the locale, and a device's does not.
#![allow(unsafe_code)] // Reads C strings, and calls snprintf.

use super::arguments::{Operands, Supply, Value};
use super::parse::{Conversion, Directive, Flags, Length};
use crate::message::{MESSAGE_BYTES, MessageText};
use crate::system;
use crate::text::Text;
use std::ffi::c_void;
use std::fmt::Write;

/// Beyond this, widths and precisions of numbers change nothing that fits into a message. What the C library needs memory
/// for stays small with it.
const LARGEST_SIZE: i32 = 2 * (MESSAGE_BYTES as i32 + 1);

/// # Safety
/// `operands` are what the directive takes.
pub(super) unsafe fn render(
    directive: &Directive,
    operands: &Operands,
    supply: &Supply<'_>,
    errno: i32,
    text: &mut MessageText,
) {
    // A negative width asks for the left, a negative precision for none.
    let left = directive.flags.left || operands.width.is_some_and(i32::is_negative);
    let field = Field {
        flags: Flags { left, ..directive.flags },
        width: operands.width.map_or(0, i32::unsigned_abs),
        precision: operands.precision.and_then(|precision| u32::try_from(precision).ok()),
    };
    match (directive.conversion, operands.value) {
        (Conversion::Signed, Some(value)) => field.print_integer(b'd', signed(value, directive.length), text),
        (Conversion::Unsigned(letter), Some(value)) => {
            field.print_integer(letter, unsigned(value, directive.length), text);
        }
        (Conversion::Float(letter), Some(Value::Double(value))) => {
            let directive = field.directive("", letter);
            // SAFETY: the directive converts one double.
            print_number(text, |buffer| unsafe {
                libc::snprintf(buffer.as_mut_ptr().cast(), buffer.len(), directive.as_c_str().as_ptr(), value)
            });
        }
        (Conversion::Float(letter), Some(Value::LongDouble(value))) => {
            let directive = field.directive("L", letter);
            // SAFETY: the directive converts one long double.
            print_number(text, |buffer| unsafe {
                supply.arguments().print_long_double(value, directive.as_c_str(), buffer)
            });
        }
        (Conversion::Pointer, Some(Value::Pointer(value))) => {
            let directive = field.directive("", b'p');
            // SAFETY: the directive converts one pointer.
            print_number(text, |buffer| unsafe {
                libc::snprintf(buffer.as_mut_ptr().cast(), buffer.len(), directive.as_c_str().as_ptr(), value)
            });
        }
        (Conversion::Character, Some(Value::Int(value))) => match directive.length {
            Length::Long => field.without_precision().print_characters([value as u32].into_iter(), text),
            _ => field.without_precision().print_bytes(&[value as u8], text),
        },
        (Conversion::String, Some(Value::Pointer(value))) if !value.is_null() => match directive.length {
            // SAFETY: the caller passed a wide string, to its NUL or as long as the precision.
            Length::Long => field.print_characters(unsafe { WideString::new(value) }, text),
            // SAFETY: the caller passed a string, to its NUL or as long as the precision.
            _ => field.print_bytes(unsafe { bytes(value, field.useful_bytes()) }, text),
        },
        (Conversion::String, _) => field.print_bytes(b"(null)", text),
        (Conversion::ErrorText, _) => {
            let mut buffer = [0; 256];
            field.print_bytes(system::error_text(errno, &mut buffer).to_bytes(), text);
        }
        // Not reached: %n is not rendered, and the supply gives each conversion a value of its kind.
        _ => {}
    }
}

/// How a value is laid out.
#[derive(Clone, Copy)]
struct Field {
    flags: Flags,
    width: u32,
    precision: Option<u32>,
}

impl Field {
    fn without_precision(self) -> Self {
        Self { precision: None, ..self }
    }

    /// A directive for the C library.
    fn directive(&self, length: &str, letter: u8) -> Text<48> {
        let mut directive = Text::new();
        directive.push(b"%");
        for (flag, byte) in [
            (self.flags.left, b'-'),
            (self.flags.plus, b'+'),
            (self.flags.space, b' '),
            (self.flags.alternate, b'#'),
            (self.flags.zero, b'0'),
            (self.flags.grouped, b'\''),
        ] {
            if flag {
                directive.push(&[byte]);
            }
        }
        let largest = LARGEST_SIZE.unsigned_abs();
        if self.width > 0 {
            let _ = write!(directive, "{}", self.width.min(largest));
        }
        if let Some(precision) = self.precision {
            let _ = write!(directive, ".{}", precision.min(largest));
        }
        directive.push(length.as_bytes());
        directive.push(&[letter]);
        directive
    }

    fn print_integer(&self, letter: u8, value: i64, text: &mut MessageText) {
        let directive = self.directive("ll", letter);
        // SAFETY: the directive converts one long long.
        print_number(text, |buffer| unsafe {
            libc::snprintf(buffer.as_mut_ptr().cast(), buffer.len(), directive.as_c_str().as_ptr(), value)
        });
    }

    /// How many bytes of a string can matter: more are neither printed nor do they change the padding.
    fn useful_bytes(&self) -> usize {
        let useful = (self.width as usize).max(MESSAGE_BYTES + 1);
        self.precision.map_or(useful, |precision| useful.min(precision as usize))
    }

    fn print_bytes(&self, bytes: &[u8], text: &mut MessageText) {
        let bytes = &bytes[..bytes.len().min(self.useful_bytes())];
        self.print_padded(bytes.len(), text, |text| text.push(bytes));
    }

    /// The precision counts bytes; a character of which only a part would fit is not printed.
    fn print_characters(&self, mut characters: impl Iterator<Item = u32> + Clone, text: &mut MessageText) {
        let useful = self.useful_bytes();
        let mut length = 0;
        let fitting = std::iter::from_fn(move || {
            // Asked before the next one is read: there may be no more.
            if length >= useful {
                return None;
            }
            let character = char::from_u32(characters.next()?).unwrap_or(char::REPLACEMENT_CHARACTER);
            length += character.len_utf8();
            (length <= useful).then_some(character)
        });
        let length = fitting.clone().map(char::len_utf8).sum();
        self.print_padded(length, text, |text| {
            for character in fitting {
                text.push(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        });
    }

    fn print_padded(&self, length: usize, text: &mut MessageText, print: impl FnOnce(&mut MessageText)) {
        let padding = (self.width as usize).saturating_sub(length);
        let (before, after) = if self.flags.left { (0, padding) } else { (padding, 0) };
        text.push_repeated(b' ', before);
        print(text);
        text.push_repeated(b' ', after);
    }
}

fn print_number(text: &mut MessageText, print: impl FnOnce(&mut [u8]) -> i32) {
    let mut failed = false;
    text.push_with(|buffer| {
        usize::try_from(print(buffer)).unwrap_or_else(|_| {
            failed = true;
            0
        })
    });
    if failed {
        text.push(b"(no memory to print this number)");
    }
}

fn signed(value: Value, length: Length) -> i64 {
    let value = integer(value);
    match length {
        Length::Char => (value as i8).into(),
        Length::Short => (value as i16).into(),
        _ => value,
    }
}

fn unsigned(value: Value, length: Length) -> i64 {
    let value = integer(value);
    match length {
        Length::Char => (value as u8).into(),
        Length::Short => (value as u16).into(),
        Length::Int => (value as u32).into(),
        _ => value,
    }
}

fn integer(value: Value) -> i64 {
    match value {
        Value::Int(value) => value.into(),
        Value::Long(value) => value,
        Value::Double(_) | Value::LongDouble(_) | Value::Pointer(_) => 0,
    }
}

/// # Safety
/// `string` has a NUL, or `most` bytes that can be read for `'a`.
unsafe fn bytes<'a>(string: *const c_void, most: usize) -> &'a [u8] {
    // SAFETY: the caller's; strnlen reads no further than the NUL or `most` bytes.
    unsafe { std::slice::from_raw_parts(string.cast(), libc::strnlen(string.cast(), most)) }
}

/// The characters of a wide string up to its NUL.
#[derive(Clone)]
struct WideString {
    next: *const u32,
}

impl WideString {
    /// # Safety
    /// `string` can be read up to its NUL, or as far as the iterator is asked.
    unsafe fn new(string: *const c_void) -> Self {
        Self { next: string.cast() }
    }
}

impl Iterator for WideString {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        // SAFETY: `next` is not beyond the NUL, nor beyond what may be read: the caller's of `new`.
        let character = unsafe { *self.next };
        if character == 0 {
            return None;
        }
        // SAFETY: `next` was not the NUL, so there is one more.
        self.next = unsafe { self.next.add(1) };
        Some(character)
    }
}
