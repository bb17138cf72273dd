// SPDX-License-Identifier: Apache-2.0
//! Format strings of the log: any bytes, and single directives beside the C library's `snprintf`.
#![no_main]

use std::ffi::{CStr, CString, c_void};

use ipckit_fuzz::input::Input;
use ipckit_log::format::{self, Arguments, Kind, LongDouble, Options, Value};
use ipckit_log::message::MESSAGE_BYTES;
use libfuzzer_sys::fuzz_target;

/// In every string that is an argument, and taken out of every format.
const SECRET: u8 = 0x1a;

/// Arguments of whatever kind is asked for. Strings end where their allocations do.
struct Supplier<'a> {
    input: Input<'a>,
    asked: Vec<Kind>,
    strings: Vec<Box<[u32]>>,
    long_doubles: usize,
}

impl<'a> Supplier<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { input: Input::new(bytes), asked: Vec::new(), strings: Vec::new(), long_doubles: 0 }
    }

    /// A string that can be read as bytes and as wide characters.
    fn string(&mut self) -> *const c_void {
        if self.input.byte() % 8 == 7 {
            return std::ptr::null();
        }
        let len = usize::from(self.input.byte() % 12) * if self.input.byte() > 250 { 500 } else { 1 };
        let mut text: Box<[u32]> = vec![u32::from_ne_bytes([SECRET; 4]); len + 1].into_boxed_slice();
        for character in &mut text {
            if self.input.byte() > 200 {
                *character = self.input.int() | 0x0101_0101;
            }
        }
        text[len] = 0;
        let start = text.as_ptr().cast();
        self.strings.push(text);
        start
    }
}

impl Arguments for Supplier<'_> {
    unsafe fn next(&mut self, kind: Kind) -> Value {
        self.asked.push(kind);
        match kind {
            Kind::Int => Value::Int(match self.input.byte() {
                small @ 0..240 => i32::from(small) - 100,
                _ => self.input.int().cast_signed(),
            }),
            Kind::Long => Value::Long(self.input.long().cast_signed()),
            Kind::Double => Value::Double(f64::from_bits(self.input.long())),
            Kind::LongDouble => Value::LongDouble(LongDouble([self.input.byte(); 16])),
            Kind::Pointer => Value::Pointer(self.string()),
        }
    }

    unsafe fn print_long_double(&self, _: LongDouble, directive: &CStr, buffer: &mut [u8]) -> i32 {
        let text = directive.to_str().expect("a directive is of ASCII");
        let (front, letters) = text.split_at(text.len() - 2);
        let sizes = front.trim_start_matches(['%', '-', '+', ' ', '#', '0', '\'']);
        assert!(front.starts_with('%') && letters.starts_with('L') && "aAeEfFgG".contains(&letters[1..]), "{text}");
        assert!(sizes.split('.').all(|size| size.is_empty() || size.parse::<u32>().is_ok_and(|size| size <= 8192)));
        assert!(!buffer.is_empty());
        let count = (buffer.len() - 1).min(self.long_doubles);
        buffer[..count].fill(b'L');
        buffer[count] = 0;
        self.long_doubles as i32
    }
}

fn format<'a>(form: &[u8], arguments: &'a [u8], hide_private: bool) -> (Vec<u8>, Supplier<'a>, bool) {
    let mut supplier = Supplier::new(arguments);
    supplier.long_doubles = usize::from(supplier.input.byte());
    let options = Options { hide_private, errno: 2 };
    // SAFETY: the supplier gives whatever is asked for, and strings with a NUL, until it is dropped.
    let text = unsafe { format::format(form, &mut supplier, options) };
    assert!(text.as_bytes().len() <= MESSAGE_BYTES);
    assert!(!text.as_bytes().contains(&0));
    assert_eq!(text.as_c_str().to_bytes(), text.as_bytes());
    (text.as_bytes().to_vec(), supplier, text.is_cut())
}

/// Any bytes as a format.
fn anything(form: &[u8], arguments: &[u8]) {
    let form: Vec<u8> = form.iter().copied().filter(|byte| *byte != SECRET).collect();
    let (shown, all, is_cut) = format(&form, arguments, false);
    let (hidden, fewer, hidden_is_cut) = format(&form, arguments, true);
    // What is hidden is taken all the same, else what follows would take it. A message that is full takes no more.
    if !is_cut && !hidden_is_cut {
        assert_eq!(all.asked, fewer.asked);
    }
    let is_public = |form: &[u8]| form.windows(8).any(|word| word == b"{public}");
    if !is_public(&form) {
        assert!(!hidden.contains(&SECRET), "something private is shown");
    }
    if all.asked.is_empty() && !form.contains(&b'%') {
        let end = form.iter().position(|byte| *byte == 0).unwrap_or(form.len());
        assert!(form[..end].starts_with(&shown) && shown.len() + 3 >= end.min(MESSAGE_BYTES));
    }
    // A directive at a time comes to the same as all at once.
    if !is_cut && form.iter().filter(|byte| **byte == b'%').count() == 1 {
        let (before, from) = form.split_at(form.iter().position(|byte| *byte == b'%').expect("one"));
        // Where a string lies is another place each time.
        if !before.contains(&0) && !from.contains(&b'p') {
            let (rest, ..) = format(from, arguments, false);
            assert_eq!(shown, [before, &rest].concat());
        }
    }
}

/// One argument.
struct One(Value);

impl Arguments for One {
    unsafe fn next(&mut self, _: Kind) -> Value {
        self.0
    }

    unsafe fn print_long_double(&self, _: LongDouble, _: &CStr, _: &mut [u8]) -> i32 {
        unreachable!("no directive is for one")
    }
}

/// A directive that C knows prints what C prints.
fn as_in_c(input: &mut Input<'_>) {
    let conversion = input.one_of(b"diuoxXcspeEfFgGaA");
    let flags: &[u8] = if b"csp".contains(&conversion) { b"-" } else { b"-+ #0" };
    let mut directive = b"%".to_vec();
    directive.extend(flags.iter().filter(|_| input.byte().is_multiple_of(4)));
    if input.flag() {
        directive.extend(input.size(5000).to_string().bytes());
    }
    if input.flag() && conversion != b'c' && conversion != b'p' {
        directive.extend(format!(".{}", input.size(5000)).bytes());
    }
    let length: &[u8] = if b"diuoxX".contains(&conversion) {
        input.one_of(&[b"" as &[u8], b"hh", b"h", b"l", b"ll", b"j", b"z", b"t"])
    } else {
        b""
    };
    directive.extend(length);
    directive.push(conversion);
    let text = CString::new(input.bytes(40).split(|byte| *byte == 0).next().unwrap_or_default()).expect("no NUL");
    let number = input.long();
    let form = CString::new(directive.clone()).expect("no NUL");
    let mut buffer = [0_u8; MESSAGE_BYTES + 1];
    let value = match (conversion, length) {
        (b's', _) => Value::Pointer(text.as_ptr().cast()),
        (b'p', _) => Value::Pointer(number as usize as *const c_void),
        (b'd' | b'i' | b'u' | b'o' | b'x' | b'X', b"l" | b"ll" | b"j" | b"z" | b"t") => Value::Long(number as i64),
        (b'c' | b'd' | b'i' | b'u' | b'o' | b'x' | b'X', _) => Value::Int(number as i32),
        _ => Value::Double(f64::from_bits(number)),
    };
    let (start, room) = (buffer.as_mut_ptr().cast(), buffer.len());
    // SAFETY: the buffer has the room, and the directive converts one value of the kind that is passed.
    unsafe {
        match value {
            Value::Int(value) => libc::snprintf(start, room, form.as_ptr(), value),
            Value::Long(value) => libc::snprintf(start, room, form.as_ptr(), value),
            Value::Double(value) => libc::snprintf(start, room, form.as_ptr(), value),
            Value::Pointer(value) => libc::snprintf(start, room, form.as_ptr(), value),
            Value::LongDouble(_) => unreachable!("none is made"),
        };
    }
    let expected = CStr::from_bytes_until_nul(&buffer).expect("a NUL").to_bytes();
    // SAFETY: the one argument is of the kind that the directive asks for.
    let printed = unsafe { format::format(&directive, &mut One(value), Options { hide_private: false, errno: 2 }) };
    let printed = printed.as_bytes();
    // A character of which only a part fits is left out.
    let is_same = printed == expected
        || (expected.len() == MESSAGE_BYTES && expected.starts_with(printed) && printed.len() + 3 >= expected.len());
    assert!(is_same, "{form:?} of {value:?}: {} is not {}", printed.escape_ascii(), expected.escape_ascii());
}

fuzz_target!(|bytes: &[u8]| {
    // It says some things once, and they are not of interest.
    let mut input = Input::new(bytes);
    match input.byte() {
        0..64 => as_in_c(&mut input),
        split => {
            let rest = input.rest();
            let (arguments, form) = rest.split_at(rest.len() * usize::from(split % 4) / 8);
            anything(form, arguments);
        }
    }
});
