// SPDX-License-Identifier: Apache-2.0
//! Interface tokens: their layout, ill-formed text, and reading where none lies.

use ipc_capi::parcel::{MAX_CAPACITY, Parcel as ParcelOf, ReadError, TextError, WriteError};

type Parcel = ParcelOf<()>;

fn of_ints(ints: &[u32]) -> Parcel {
    let mut parcel = Parcel::new();
    ints.iter().for_each(|int| parcel.write_scalar(int.to_le_bytes()).unwrap());
    parcel
}

fn of_token(text: &[u8]) -> Parcel {
    let mut parcel = Parcel::new();
    parcel.write_interface_token(text).unwrap();
    parcel
}

#[test]
fn a_token_is_three_numbers_and_terminated_units() {
    assert_eq!(of_token(b"a").bytes(), b"\0\x01\0\0\0\0\0\0\x01\0\0\0a\0\0\0");
    assert_eq!(of_token(b"ab").bytes(), b"\0\x01\0\0\0\0\0\0\x02\0\0\0a\0b\0\0\0\0\0");
    assert_eq!(of_token("é😀".as_bytes()).bytes(), b"\0\x01\0\0\0\0\0\0\x03\0\0\0\xe9\0\x3d\xd8\0\xde\0\0");
    assert_eq!(of_token(b"a\x80b").bytes()[8..], *b"\x03\0\0\0a\0\x80\0b\0\0\0", "a stray byte stands for itself");
}

#[test]
fn a_token_is_read_back_and_the_cursor_stands_behind_it() {
    for text in ["a", "OHOS.IPC.TestInterface", "caf\u{e9}", "\u{4f60}\u{597d}", "a\u{1f600}z", "\u{7f}\u{1}"] {
        let mut parcel = of_token(text.as_bytes());
        let end = parcel.data_size();
        parcel.write_scalar([7; 4]).unwrap();
        assert_eq!(parcel.read_interface_token().as_deref(), Ok(text));
        assert_eq!(parcel.read_position(), end);
    }
}

#[test]
fn a_text_that_cannot_be_a_token_changes_nothing() {
    let mut parcel = Parcel::new();
    assert_eq!(parcel.write_interface_token(b""), Err(WriteError::TokenLength(0)));
    assert_eq!(parcel.write_interface_token(&[b'a'; 204_801]), Err(WriteError::TokenLength(204_801)));
    assert_eq!(parcel.write_interface_token(b"a\xc3"), Err(WriteError::TokenText(TextError::CutShort)));
    assert_eq!(parcel.write_interface_token(b"\xc0\x80a"), Err(WriteError::TokenText(TextError::Empty)));
    assert!(parcel.is_fresh());
}

#[test]
fn the_longest_token_that_fits_is_written_and_a_longer_one_is_not() {
    // 4 bytes before it, 12 of numbers, two for each unit and the NUL.
    let longest = (MAX_CAPACITY - 4 - 12) / 2 - 1;
    let mut parcel = of_ints(&[5]);
    assert_eq!(
        parcel.write_interface_token(&vec![b'x'; longest + 1]),
        Err(WriteError::Full { need: MAX_CAPACITY + 4 })
    );
    assert_eq!(parcel.data_size(), 4);
    parcel.write_interface_token(&vec![b'x'; longest]).unwrap();
    assert_eq!(parcel.data_size(), MAX_CAPACITY);
    parcel.rewind_read_position(4).unwrap();
    assert_eq!(parcel.read_interface_token().map(|text| text.len()), Ok(longest));
}

#[test]
fn a_token_grows_the_parcel_number_by_number() {
    let mut parcel = Parcel::new();
    parcel.write_buffer(&[1; 4096]).unwrap();
    parcel.write_interface_token(&vec![b'x'; 2041]).unwrap();
    // 4096 + 12 + 2 × 2042 = 8192 bytes: grown to at once they would take 12288, but the first number has grown it to 8192 already.
    assert_eq!((parcel.data_size(), parcel.writable_bytes()), (8192, 0));
}

#[test]
fn where_no_token_lies_the_text_is_empty_and_the_numbers_there_are_skipped() {
    let cases: [(&[u32], usize); 9] = [
        (&[], 0),
        (&[1], 4),
        (&[1, 2], 8),
        (&[1, 2, u32::MAX, 9], 12),
        (&[1, 2, i32::MAX as u32, 9], 12),
        (&[1, 2, 0], 8),
        (&[1, 2, 0, 0], 16),
        (&[1, 2, 1000, 9], 8),
        (&[1, 2, 1, 0x0041_0042], 8),
    ];
    for (ints, position) in cases {
        let parcel = of_ints(ints);
        assert_eq!(parcel.read_interface_token().as_deref(), Ok(""), "{ints:x?}");
        assert_eq!(parcel.read_position(), position, "{ints:x?}");
    }
}

#[test]
fn units_without_a_character_are_an_error_and_the_cursor_is_put_back() {
    for ints in [&[1, 2, 1, 0xd800][..], &[1, 2, 2, 0xdc00_dc00, 0], &[1, 2, 2, 0x0042_0000, 0]] {
        let mut parcel = of_ints(&[0]);
        ints.iter().for_each(|int: &u32| parcel.write_scalar(int.to_le_bytes()).unwrap());
        parcel.rewind_read_position(4).unwrap();
        assert_eq!(parcel.read_interface_token(), Err(ReadError::TokenText(4)), "{ints:x?}");
        assert_eq!(parcel.read_position(), 4);
    }
}
