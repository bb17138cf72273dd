// SPDX-License-Identifier: Apache-2.0
//! Remote objects and file descriptors in a parcel: where they are found, and how long they live.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use ipc_capi::parcel::{MAX_CAPACITY, OBJECT_SIZE, Object, Parcel as ParcelOf, ReadError, RemoteKind, WriteError};

type Parcel = ParcelOf<Arc<str>>;

fn write_int(parcel: &mut Parcel, value: u32) {
    parcel.write_scalar(value.to_le_bytes()).unwrap();
}

fn write_stub(parcel: &mut Parcel, object: &Arc<str>) {
    parcel.write_remote(RemoteKind::Stub, Arc::clone(object)).unwrap();
}

/// Int 1 at 0, a stub at 4, int 2 at 28, a proxy at 32, int 3 at 56.
fn mixed() -> (Parcel, Arc<str>, Arc<str>) {
    let (stub, proxy) = (Arc::from("stub"), Arc::from("proxy"));
    let mut parcel = Parcel::new();
    write_int(&mut parcel, 1);
    write_stub(&mut parcel, &stub);
    write_int(&mut parcel, 2);
    parcel.write_remote(RemoteKind::Proxy, Arc::clone(&proxy)).unwrap();
    write_int(&mut parcel, 3);
    (parcel, stub, proxy)
}

/// Whether anybody has the other end of the stream.
fn is_open(mut stream: &UnixStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    match stream.read(&mut [0]) {
        Ok(0) => false,
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            true
        }
    }
}

/// A parcel with a descriptor that nobody else has, and the stream's other end.
fn with_descriptor() -> (Parcel, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut parcel = Parcel::new();
    parcel.write_file_descriptor(theirs.as_raw_fd()).unwrap();
    (parcel, ours)
}

fn is_close_on_exec(fd: &OwnedFd) -> bool {
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", fd.as_raw_fd())).unwrap();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap().trim();
    i32::from_str_radix(flags, 8).unwrap() & libc::O_CLOEXEC != 0
}

#[test]
fn objects_take_24_bytes_that_tell_their_kind() {
    let (parcel, ..) = mixed();
    let (with_fd, _ours) = with_descriptor();
    for (bytes, kind) in [
        (&parcel.bytes()[4..28], 0x7362_2a85u32),
        (&parcel.bytes()[32..56], 0x7368_2a85),
        (with_fd.bytes(), 0x6664_2a85),
    ] {
        assert_eq!(bytes.len(), OBJECT_SIZE);
        assert_eq!(bytes[..4], kind.to_le_bytes());
        assert_eq!(bytes[4..8], 0x17fu32.to_le_bytes());
        assert_eq!(bytes[8..], [0; 16]);
    }
}

#[test]
fn objects_are_found_where_they_begin_and_nowhere_else() {
    let (parcel, stub, proxy) = mixed();
    assert_eq!(parcel.read_remote(), Err(ReadError::NoObject(0)));
    assert_eq!(parcel.read_position(), 0);
    parcel.rewind_read_position(5).unwrap();
    assert_eq!(parcel.read_file_descriptor().err(), Some(ReadError::NoObject(5)));
    assert_eq!(parcel.read_position(), 5);
    parcel.rewind_read_position(4).unwrap();
    assert_eq!(parcel.read_remote(), Ok(&stub));
    assert_eq!(parcel.read_scalar(), Ok(2u32.to_le_bytes()));
    assert_eq!(parcel.read_remote(), Ok(&proxy));
    assert_eq!(parcel.read_position(), 56);
}

#[test]
fn the_wrong_call_for_an_object_skips_it() {
    let (parcel, ..) = mixed();
    parcel.rewind_read_position(4).unwrap();
    assert_eq!(parcel.read_file_descriptor().err(), Some(ReadError::OtherObject(4)));
    assert_eq!(parcel.read_position(), 28);
    let (with_fd, _ours) = with_descriptor();
    assert_eq!(with_fd.read_remote(), Err(ReadError::OtherObject(0)));
    assert_eq!(with_fd.read_position(), 24);
}

#[test]
fn a_scalar_that_touches_an_object_fails_and_moves_on() {
    let (parcel, ..) = mixed();
    for start in [1, 3, 4, 8, 24, 27, 29, 31, 52, 55] {
        parcel.rewind_read_position(start).unwrap();
        assert_eq!(parcel.read_plain_scalar::<4>(), None);
        assert_eq!(parcel.read_scalar::<4>(), Err(ReadError::OverlapsObject(start)));
        assert_eq!(parcel.read_position(), start + 4);
    }
    for start in [0, 28, 56] {
        parcel.rewind_read_position(start).unwrap();
        assert!(parcel.read_scalar::<4>().is_ok());
    }
}

#[test]
fn a_buffer_or_string_that_touches_an_object_fails_and_stays() {
    let (mut parcel, ..) = mixed();
    parcel.write_string(c"end").unwrap();
    for (start, size) in [(0, 5), (4, 1), (4, 24), (27, 1), (28, 5), (0, 60)] {
        parcel.rewind_read_position(start).unwrap();
        assert_eq!(parcel.read_buffer(size), Err(ReadError::OverlapsObject(start)));
        assert_eq!(parcel.read_position(), start);
    }
    parcel.rewind_read_position(28).unwrap();
    assert_eq!(parcel.read_buffer(4), Ok(&2u32.to_le_bytes()[..]));
    parcel.rewind_read_position(30).unwrap();
    assert_eq!(parcel.read_string(), Ok(c""), "its padding may lie in the object");
    assert_eq!(parcel.read_position(), 34);
    assert_eq!(parcel.read_string(), Err(ReadError::OverlapsObject(34)));
    assert_eq!(parcel.read_position(), 34);
}

#[test]
fn a_token_is_not_found_across_an_object() {
    let (parcel, ..) = mixed();
    assert_eq!(parcel.read_interface_token().as_deref(), Ok(""));
    assert_eq!(parcel.read_position(), 12, "each of the three numbers moves the cursor");
}

#[test]
fn a_cut_forgets_objects_that_are_not_whole_but_keeps_their_references() {
    let (mut parcel, stub, proxy) = mixed();
    parcel.rewind_write_position(55).unwrap();
    assert_eq!(parcel.objects().map(|(offset, _)| offset).collect::<Vec<_>>(), [4]);
    parcel.rewind_read_position(32).unwrap();
    assert_eq!(parcel.read_remote(), Err(ReadError::NoObject(32)));
    assert_eq!(parcel.read_scalar(), Ok(0x7368_2a85u32.to_le_bytes()), "its bytes are bytes now");
    parcel.rewind_write_position(0).unwrap();
    write_stub(&mut parcel, &proxy);
    assert_eq!((Arc::strong_count(&stub), Arc::strong_count(&proxy)), (2, 3));
    parcel.rewind_read_position(0).unwrap();
    assert_eq!(parcel.read_remote(), Ok(&proxy));
    drop(parcel);
    assert_eq!((Arc::strong_count(&stub), Arc::strong_count(&proxy)), (1, 1));
}

#[test]
fn as_many_objects_fit_as_their_bytes_do() {
    let object: Arc<str> = Arc::from("stub");
    let mut parcel = Parcel::new();
    (0..8533).for_each(|_| write_stub(&mut parcel, &object));
    assert_eq!(
        parcel.write_remote(RemoteKind::Stub, Arc::clone(&object)),
        Err(WriteError::Full { need: MAX_CAPACITY + 16 })
    );
    assert_eq!((parcel.data_size(), parcel.writable_bytes()), (204_792, 8));
    (0..8533).for_each(|_| assert_eq!(parcel.read_remote(), Ok(&object)));
    assert_eq!(Arc::strong_count(&object), 8534);
}

#[test]
fn a_descriptor_is_duplicated_at_the_write_and_at_each_read() {
    let (parcel, mut ours) = with_descriptor();
    assert!(is_open(&ours), "the parcel's own");
    let first = parcel.read_file_descriptor().unwrap();
    parcel.rewind_read_position(0).unwrap();
    let second = parcel.read_file_descriptor().unwrap();
    assert!(!is_close_on_exec(&first) && !is_close_on_exec(&second));
    let Some((0, Object::FileDescriptor(kept))) = parcel.objects().next() else { panic!("no descriptor at 0") };
    assert!(is_close_on_exec(kept));
    drop(parcel);
    ours.write_all(b"x").unwrap();
    let mut byte = [0];
    UnixStream::from(second).read_exact(&mut byte).unwrap();
    assert_eq!(byte, *b"x");
    assert!(is_open(&ours));
    drop(first);
    assert!(!is_open(&ours));
}

#[test]
fn the_parcel_closes_its_descriptors_at_its_end_and_those_that_are_cut_off_at_once() {
    let (parcel, ours) = with_descriptor();
    drop(parcel);
    assert!(!is_open(&ours));
    let (mut parcel, ours) = with_descriptor();
    parcel.rewind_write_position(23).unwrap();
    assert!(!is_open(&ours));
}

#[test]
fn what_is_no_descriptor_is_not_written() {
    let mut parcel = Parcel::new();
    for number in [-1, i32::MIN, i32::MAX] {
        assert_eq!(parcel.write_file_descriptor(number), Err(WriteError::FileDescriptor(libc::EBADF)));
    }
    assert!(parcel.is_fresh());
}

#[test]
fn appending_takes_references_and_duplicates_descriptors() {
    let (mut source, ours) = with_descriptor();
    let object: Arc<str> = Arc::from("stub");
    write_stub(&mut source, &object);
    let mut parcel = Parcel::new();
    write_int(&mut parcel, 9);
    parcel.append(&source).unwrap();
    parcel.append(&source).unwrap();
    drop(source);
    assert_eq!(parcel.objects().map(|(offset, _)| offset).collect::<Vec<_>>(), [4, 28, 52, 76]);
    assert_eq!(Arc::strong_count(&object), 3);
    parcel.rewind_read_position(52).unwrap();
    assert!(parcel.read_file_descriptor().is_ok());
    assert_eq!(parcel.read_remote(), Ok(&object));
    parcel.append_itself().unwrap();
    assert_eq!(parcel.objects().map(|(offset, _)| offset).collect::<Vec<_>>(), [4, 28, 52, 76, 104, 128, 152, 176]);
    assert_eq!(Arc::strong_count(&object), 5);
    drop(parcel);
    assert!(!is_open(&ours));
    assert_eq!(Arc::strong_count(&object), 1);
}
