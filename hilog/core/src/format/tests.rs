// SPDX-License-Identifier: Apache-2.0
//! The engine with arguments from a list. What prints a `long double` is C; `c-tests/hilog/` has it.

use super::*;
use std::ffi::{CStr, c_void};

struct List<'a> {
    values: &'a [Value],
    taken: usize,
}

impl Arguments for List<'_> {
    unsafe fn next(&mut self, kind: Kind) -> Value {
        let value = self.values[self.taken];
        self.taken += 1;
        let agrees = match value {
            Value::Int(_) => kind == Kind::Int,
            Value::Long(_) => kind == Kind::Long,
            Value::Double(_) => kind == Kind::Double,
            Value::LongDouble(_) => kind == Kind::LongDouble,
            Value::Pointer(_) => kind == Kind::Pointer,
        };
        assert!(agrees, "argument {} is {value:?}, asked for as {kind:?}", self.taken);
        value
    }

    unsafe fn print_long_double(&self, _value: LongDouble, _directive: &CStr, _buffer: &mut [u8]) -> i32 {
        -1
    }
}

fn string(string: &'static CStr) -> Value {
    Value::Pointer(string.as_ptr().cast())
}

fn wide(string: &'static [u32]) -> Value {
    Value::Pointer(string.as_ptr().cast())
}

const NULL: Value = Value::Pointer(std::ptr::null::<c_void>());
const OPTIONS: Options = Options { hide_private: false, errno: libc::ENOENT };

/// Formats, and checks that every value was taken.
fn printed_with(options: Options, form: &str, values: &[Value]) -> String {
    let mut list = List { values, taken: 0 };
    // SAFETY: List checks the kinds; the tests pass strings with a NUL, or with a precision.
    let text = unsafe { format(form.as_bytes(), &mut list, options) };
    assert_eq!(list.taken, values.len(), "{form} leaves arguments");
    String::from_utf8(text.as_bytes().to_vec()).unwrap()
}

fn printed(form: &str, values: &[Value]) -> String {
    printed_with(OPTIONS, form, values)
}

#[test]
fn integers() {
    use Value::{Int, Long};
    assert_eq!(printed("%d %i %u", &[Int(-1), Int(2), Int(-1)]), "-1 2 4294967295");
    assert_eq!(printed("%hhd %hhu %hd %hu", &[Int(300), Int(300), Int(65_537), Int(-1)]), "44 44 1 65535");
    assert_eq!(printed("%x %X %#x %o", &[Int(255), Int(255), Int(255), Int(8)]), "ff FF 0xff 10");
    assert_eq!(printed("%ld|%lu", &[Long(i64::MIN), Long(-1)]), "-9223372036854775808|18446744073709551615");
    assert_eq!(printed("%5d|%-5d|%05d|%+d|% d|%.3d", &[Int(7); 6]), "    7|7    |00007|+7| 7|007");
    assert_eq!(printed("%*d|%*d|%.*d", &[Int(4), Int(7), Int(-4), Int(7), Int(-1), Int(7)]), "   7|7   |7");
}

#[test]
fn floats_and_pointers() {
    use Value::Double;
    assert_eq!(
        printed("%f %.2f %g %E", &[Double(1.5), Double(2.345), Double(1e10), Double(0.5)]),
        "1.500000 2.35 1e+10 5.000000E-01"
    );
    assert_eq!(printed("%8.3f|%-8.1lf|", &[Double(-1.0), Double(2.25)]), "  -1.000|2.2     |");
    assert_eq!(printed("%a %f", &[Double(1.0), Double(f64::NAN)]), "0x1p+0 nan");
    assert_eq!(printed("%p", &[Value::Pointer(0x1234 as *const c_void)]), "0x1234");
    let unprintable = Value::LongDouble(LongDouble([0; 16]));
    assert_eq!(printed("<%Lf>", &[unprintable]), "<(no memory to print this number)>");
}

#[test]
fn strings_and_characters() {
    assert_eq!(printed("<%s>", &[string(c"abc")]), "<abc>");
    assert_eq!(printed("<%5s|%-5s|%.2s|%.0s>", &[string(c"abc"); 4]), "<  abc|abc  |ab|>");
    assert_eq!(printed("<%s|%.3s|%ls>", &[NULL; 3]), "<(null)|(nu|(null)>");
    assert_eq!(printed("<%c|%3c|%-3c>", &[Value::Int(0x41); 3]), "<A|  A|A  >");
    assert_eq!(printed("a%cb", &[Value::Int(0)]), "a", "a C string ends at its NUL");
    assert_eq!(printed("%m", &[]), "No such file or directory");
    assert_eq!(printed("<%4.2m>", &[]), "<  No>");
}

#[test]
fn a_string_with_a_precision_needs_no_nul() {
    static PAGE: [u8; 3] = *b"abc";
    static WIDE: [u32; 2] = [0x61, 0x20ac];
    assert_eq!(printed("%.3s", &[Value::Pointer(PAGE.as_ptr().cast())]), "abc");
    assert_eq!(printed("%.4ls", &[wide(&WIDE)]), "a\u{20ac}");
}

#[test]
fn wide_strings_do_not_depend_on_the_locale() {
    static EURO: [u32; 3] = [0x61, 0x20ac, 0];
    static NO_CHARACTER: [u32; 2] = [0xd800, 0];
    assert_eq!(printed("<%ls|%S|%6ls|%-6ls>", &[wide(&EURO); 4]), "<a\u{20ac}|a\u{20ac}|  a\u{20ac}|a\u{20ac}  >");
    assert_eq!(printed("<%.3ls>", &[wide(&EURO)]), "<a>", "no part of a character");
    assert_eq!(printed("<%lc|%C>", &[Value::Int(0x20ac), Value::Int(0x41)]), "<\u{20ac}|A>");
    assert_eq!(printed("<%ls>", &[wide(&NO_CHARACTER)]), "<\u{fffd}>");
}

#[test]
fn positions() {
    use Value::{Double, Int};
    assert_eq!(printed("%2$s %1$d %2$s", &[Int(1), string(c"x")]), "x 1 x");
    assert_eq!(printed("%3$*1$.*2$f", &[Int(8), Int(2), Double(1.0)]), "    1.00");
    assert_eq!(printed("%3$d", &[Int(1), Int(2), Int(3)]), "3", "a gap counts as an int");
    assert_eq!(printed("%{public}2$d%%%{private}1$d", &[Int(1), Int(2)]), "2%1");
    assert_eq!(printed("%1$d %d %1$d %m", &[Int(5)]), "5 %d 5 No such file or directory");
    assert_eq!(printed("%d %1$d", &[Int(5)]), "5 %1$d");
    assert_eq!(printed("%1$d %1$s", &[Int(5)]), "5 %1$s", "an int is no pointer");
}

#[test]
fn privacy() {
    let hide = Options { hide_private: true, ..OPTIONS };
    let values = [Value::Int(1), Value::Int(2), string(c"three"), string(c"four")];
    let form = "%d %{public}d %{private}s %{public}s %% %m";
    assert_eq!(printed(form, &values), "1 2 three four % No such file or directory");
    assert_eq!(printed_with(hide, form, &values), "<private> 2 <private> four % No such file or directory");
    assert_eq!(printed_with(hide, "%{pubic}d|%*d", &[Value::Int(1); 3]), "<private>|<private>");
    assert_eq!(printed("%{pubic}d", &[Value::Int(1)]), "1");
}

#[test]
fn nothing_is_written_through_an_argument() {
    static mut TARGET: i32 = 7;
    let target = Value::Pointer((&raw const TARGET).cast());
    assert_eq!(printed("ab%n%d", &[target, Value::Int(1)]), "ab%n1");
    // SAFETY: nobody writes to it.
    assert_eq!(unsafe { TARGET }, 7);
}

#[test]
fn huge_sizes_are_cut_off() {
    use Value::{Double, Int};
    assert_eq!(printed("%2147483647d", &[Int(1)]), " ".repeat(4095));
    assert_eq!(printed("%99999999999999999999s", &[string(c"a")]), " ".repeat(4095));
    assert_eq!(printed("%-*s|", &[Int(i32::MIN), string(c"a")]), format!("a{}", " ".repeat(4094)));
    assert_eq!(printed("%.2000000000f", &[Double(0.5)]), format!("0.5{}", "0".repeat(4092)));
    assert_eq!(printed("%.2147483647x", &[Int(1)]), "0".repeat(4095));
}

#[test]
fn a_message_ends_after_4095_bytes() {
    let long = std::ffi::CString::new(vec![b'x'; 5000]).unwrap();
    let value = Value::Pointer(long.as_ptr().cast());
    assert_eq!(printed("ab%s", &[value]), format!("ab{}", "x".repeat(4093)));
    assert_eq!(printed(&"%".repeat(9000), &[]), "%".repeat(4095));
}
