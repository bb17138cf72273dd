// SPDX-License-Identifier: Apache-2.0
//! A parcel's cursors, growth, scalars, strings and buffers.

use ipc_capi::parcel::{MAX_CAPACITY, Parcel as ParcelOf, ReadError, RewindError, WriteError};

type Parcel = ParcelOf<()>;

/// Data size, writable bytes, readable bytes, read position, write position.
fn state(parcel: &Parcel) -> [usize; 5] {
    [
        parcel.data_size(),
        parcel.writable_bytes(),
        parcel.readable_bytes(),
        parcel.read_position(),
        parcel.write_position(),
    ]
}

fn write_int(parcel: &mut Parcel, value: u32) -> Result<(), WriteError> {
    parcel.write_scalar(value.to_le_bytes())
}

fn read_int(parcel: &Parcel) -> Result<u32, ReadError> {
    parcel.read_scalar().map(u32::from_le_bytes)
}

fn filled(ints: u32) -> Parcel {
    let mut parcel = Parcel::new();
    (0..ints).for_each(|value| write_int(&mut parcel, value).unwrap());
    parcel
}

#[test]
fn a_new_parcel_has_nothing_and_room_for_nothing() {
    let parcel = Parcel::new();
    assert_eq!(state(&parcel), [0; 5]);
    assert!(parcel.is_fresh() && !parcel.is_read_only());
    assert_eq!(read_int(&parcel), Err(ReadError::TooFew { wanted: 4, position: 0, data_size: 0 }));
    assert_eq!(parcel.read_string(), Err(ReadError::Unterminated(0)));
    assert_eq!(parcel.bytes(), b"");
}

#[test]
fn capacity_grows_in_the_recorded_steps_when_filled_with_integers() {
    let mut parcel = Parcel::new();
    let mut steps = Vec::new();
    for value in 0..51_200 {
        let before = parcel.write_position() + parcel.writable_bytes();
        write_int(&mut parcel, value).unwrap();
        let after = parcel.write_position() + parcel.writable_bytes();
        if after != before {
            steps.push((parcel.data_size(), after));
        }
    }
    let doubling = [(4, 64), (68, 128), (132, 256), (260, 512), (516, 1024), (1028, 2048), (2052, 4096), (4100, 8192)];
    assert_eq!(steps[..8], doubling);
    let paging = (2..50).map(|page| (page * 4096 + 4, (page + 1) * 4096));
    assert!(steps[8..].iter().copied().eq(paging), "{:?}", &steps[8..]);
    assert_eq!(state(&parcel), [MAX_CAPACITY, 0, MAX_CAPACITY, 0, MAX_CAPACITY]);
}

#[test]
fn a_need_that_is_a_multiple_of_a_page_takes_one_page_more() {
    let sizes =
        [(4096, 4096), (4097, 8192), (8192, 12_288), (196_608, 200_704), (200_704, 204_800), (204_800, 204_800)];
    for (size, capacity) in sizes {
        let mut parcel = Parcel::new();
        parcel.write_buffer(&vec![7; size]).unwrap();
        assert_eq!(parcel.write_position() + parcel.writable_bytes(), capacity, "for {size} bytes");
    }
}

#[test]
fn a_full_parcel_refuses_what_does_not_fit_and_takes_what_does() {
    let mut parcel = filled(51_200);
    assert_eq!(write_int(&mut parcel, 1), Err(WriteError::Full { need: MAX_CAPACITY + 4 }));
    parcel.rewind_write_position(MAX_CAPACITY - 4).unwrap();
    let before = state(&parcel);
    assert_eq!(parcel.write_scalar([0; 8]), Err(WriteError::Full { need: MAX_CAPACITY + 4 }));
    assert_eq!(parcel.write_string(c"abcd"), Err(WriteError::Full { need: MAX_CAPACITY + 4 }));
    assert_eq!(parcel.write_buffer(&[1; 5]), Err(WriteError::Full { need: MAX_CAPACITY + 4 }));
    assert_eq!(state(&parcel), before);
    parcel.write_string(c"abc").unwrap();
    assert_eq!(parcel.data_size(), MAX_CAPACITY);
}

#[test]
fn a_write_that_never_fits_leaves_a_parcel_fresh() {
    let mut parcel = Parcel::new();
    assert_eq!(parcel.write_buffer(&vec![0; MAX_CAPACITY + 1]), Err(WriteError::Full { need: MAX_CAPACITY + 4 }));
    assert!(parcel.is_fresh());
    write_int(&mut parcel, 1).unwrap();
    parcel.rewind_write_position(0).unwrap();
    assert!(!parcel.is_fresh(), "it was written to");
    assert_eq!(state(&parcel), [0, 64, 0, 0, 0], "and keeps its capacity");
}

#[test]
fn cursors_rewind_within_the_data_only() {
    let mut parcel = filled(6);
    let beyond = Err(RewindError { position: 25, data_size: 24 });
    assert_eq!(parcel.rewind_read_position(25), beyond);
    assert_eq!(parcel.rewind_write_position(25), beyond);
    parcel.rewind_read_position(24).unwrap();
    parcel.rewind_write_position(10).unwrap();
    assert_eq!(state(&parcel), [10, 54, 0, 24, 10], "the read cursor stays beyond the end");
    assert_eq!(read_int(&parcel), Err(ReadError::TooFew { wanted: 4, position: 24, data_size: 10 }));
    assert_eq!(parcel.read_buffer(1), Err(ReadError::TooFew { wanted: 1, position: 24, data_size: 10 }));
    (0..4).for_each(|value| write_int(&mut parcel, value).unwrap());
    assert_eq!(state(&parcel), [26, 38, 2, 24, 26], "what is written behind it becomes readable");
}

#[test]
fn scalars_lie_unaligned_and_a_read_past_the_end_moves_nothing() {
    let mut parcel = Parcel::new();
    write_int(&mut parcel, 0x0102_0304).unwrap();
    parcel.write_scalar(2.5f64.to_le_bytes()).unwrap();
    assert_eq!(parcel.bytes()[..4], [4, 3, 2, 1]);
    assert_eq!(read_int(&parcel), Ok(0x0102_0304));
    assert_eq!(parcel.read_scalar().map(f64::from_le_bytes), Ok(2.5));
    parcel.rewind_read_position(9).unwrap();
    assert_eq!(read_int(&parcel), Err(ReadError::TooFew { wanted: 4, position: 9, data_size: 12 }));
    assert_eq!(parcel.read_position(), 9);
    assert_eq!(parcel.read_plain_scalar::<4>(), None);
    assert_eq!(parcel.read_plain_scalar::<2>(), Some(parcel.bytes()[9..11].try_into().unwrap()));
    assert_eq!(parcel.read_position(), 11);
}

#[test]
fn writing_in_place_grows_nothing() {
    let mut parcel = Parcel::new();
    assert!(!parcel.write_scalar_in_place([1; 4]));
    assert!(parcel.is_fresh());
    write_int(&mut parcel, 1).unwrap();
    (0..15).for_each(|_| assert!(parcel.write_scalar_in_place([1; 4])));
    assert!(!parcel.write_scalar_in_place([1; 4]));
    assert_eq!(state(&parcel), [64, 0, 64, 0, 64]);
}

#[test]
fn strings_are_padded_to_four_bytes_and_read_in_place() {
    let mut parcel = Parcel::new();
    let strings = [c"", c"abc", c"abcd", c"\xff\xfe\x80"];
    let ends = [4, 8, 16, 20];
    for (string, end) in strings.iter().zip(ends) {
        parcel.write_string(string).unwrap();
        assert_eq!(parcel.data_size(), end);
    }
    assert_eq!(parcel.bytes(), b"\0\0\0\0abc\0abcd\0\0\0\0\xff\xfe\x80\0");
    for (string, end) in strings.iter().zip(ends) {
        let read = parcel.read_string().unwrap();
        assert_eq!((read, parcel.read_position()), (*string, end));
        assert!(parcel.bytes().as_ptr_range().contains(&read.as_ptr().cast()));
    }
    assert_eq!(parcel.read_string(), Err(ReadError::Unterminated(20)));
}

#[test]
fn a_string_whose_padding_passes_the_end_moves_the_cursor_to_the_capacity() {
    let mut parcel = Parcel::new();
    parcel.write_buffer(b"ab\0cdef").unwrap();
    parcel.rewind_read_position(1).unwrap();
    assert_eq!(parcel.read_string(), Ok(c"b"));
    assert_eq!(parcel.read_string(), Ok(c"ef"));
    assert_eq!(state(&parcel), [8, 56, 0, 64, 8]);
    assert_eq!(parcel.read_string(), Err(ReadError::Unterminated(64)));
}

#[test]
fn a_string_without_end_is_not_read() {
    let mut parcel = Parcel::new();
    parcel.write_buffer(b"abcdefgh").unwrap();
    assert_eq!(parcel.read_string(), Err(ReadError::Unterminated(0)));
    assert_eq!(parcel.read_position(), 0);
    write_int(&mut parcel, 0).unwrap();
    assert_eq!(parcel.read_string(), Ok(c"abcdefgh"));
}

#[test]
fn a_buffer_is_padded_when_written_but_not_when_read() {
    for size in 1..=9 {
        let mut parcel = Parcel::new();
        let bytes: Vec<u8> = (0xa0..).take(size).collect();
        parcel.write_buffer(&bytes).unwrap();
        assert_eq!(parcel.data_size(), size.next_multiple_of(4));
        assert_eq!(parcel.read_buffer(size), Ok(&bytes[..]));
        assert_eq!(parcel.read_position(), size);
        assert!(parcel.bytes()[size..].iter().all(|padding| *padding == 0));
    }
}

#[test]
fn a_cut_at_an_odd_place_is_written_on_from_there() {
    let mut parcel = filled(2);
    parcel.rewind_write_position(3).unwrap();
    parcel.write_string(c"zz").unwrap();
    parcel.write_buffer(b"abcde").unwrap();
    assert_eq!(parcel.bytes(), b"\0\0\0zz\0\0abcde\0\0\0");
}

#[test]
fn appending_copies_all_the_data_padded_and_leaves_the_source_as_it_was() {
    let mut source = Parcel::new();
    source.write_buffer(b"abcdef").unwrap();
    source.rewind_write_position(6).unwrap();
    source.rewind_read_position(4).unwrap();
    let mut parcel = filled(1);
    parcel.append(&source).unwrap();
    parcel.append(&Parcel::new()).unwrap();
    assert_eq!(parcel.bytes(), b"\0\0\0\0abcdef\0\0");
    assert_eq!(state(&source), [6, 58, 2, 4, 6]);
}

#[test]
fn a_parcel_appended_to_itself_doubles() {
    let mut parcel = Parcel::new();
    parcel.append_itself().unwrap();
    assert!(parcel.is_fresh());
    parcel.write_buffer(b"abcdef").unwrap();
    parcel.rewind_write_position(6).unwrap();
    for _ in 0..4 {
        parcel.append_itself().unwrap();
    }
    // 6 bytes, then 14, then 30, 62 and 126: each time what is there, padded.
    assert_eq!(state(&parcel), [126, 2, 126, 0, 126]);
    assert_eq!(parcel.bytes()[..14], *b"abcdefabcdef\0\0");
}

#[test]
fn appending_what_does_not_fit_changes_nothing() {
    let mut parcel = Parcel::new();
    parcel.write_buffer(&vec![1; 120_000]).unwrap();
    let mut other = Parcel::new();
    other.write_buffer(&vec![2; 84_804]).unwrap();
    let before = state(&parcel);
    assert_eq!(parcel.append(&other), Err(WriteError::Full { need: MAX_CAPACITY + 4 }));
    assert_eq!(parcel.append_itself(), Err(WriteError::Full { need: 240_000 }));
    assert_eq!(state(&parcel), before);
    other.rewind_write_position(84_800).unwrap();
    parcel.append(&other).unwrap();
    assert_eq!(parcel.data_size(), MAX_CAPACITY);
}
