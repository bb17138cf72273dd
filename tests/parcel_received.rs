// SPDX-License-Identifier: Apache-2.0
//! Received parcels: read-only, and holding their message's room.

use std::sync::{Arc, OnceLock};

use ipc_capi::parcel::{
    MalformedObjects, OBJECT_SIZE, Object, Parcel as ParcelOf, Placed, ReadError, RemoteKind, RewindError, WriteError,
};
use ipc_capi::transport::Own;
use ipc_capi::transport::room::Room;
use ipc_capi::transport::wire::Address;

type Parcel = ParcelOf<Arc<str>>;

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

fn three_ints() -> Parcel {
    let bytes = [11u32, 22, 33].iter().flat_map(|int| int.to_le_bytes()).collect();
    Parcel::received(bytes, Vec::new(), None).unwrap()
}

fn placed(offset: usize, object: &Arc<str>) -> Placed<Arc<str>> {
    let object = Object::Remote { written_as: RemoteKind::Stub, object: Arc::clone(object) };
    Placed { offset: offset.try_into().unwrap(), object }
}

#[test]
fn it_refuses_every_write_and_stays_as_it_is() {
    let mut parcel = three_ints();
    assert!(parcel.is_read_only() && !parcel.is_fresh());
    assert_eq!(state(&parcel), [12, 12, 12, 0, 0]);
    assert!(!parcel.write_scalar_in_place([0; 4]));
    assert_eq!(parcel.write_scalar([0; 4]), Err(WriteError::ReadOnly));
    assert_eq!(parcel.write_string(c""), Err(WriteError::ReadOnly));
    assert_eq!(parcel.write_file_descriptor(0), Err(WriteError::ReadOnly));
    assert_eq!(parcel.write_remote(RemoteKind::Stub, Arc::from("stub")), Err(WriteError::ReadOnly));
    assert_eq!(parcel.append(&three_ints()), Err(WriteError::ReadOnly));
    assert_eq!(parcel.append_itself(), Err(WriteError::ReadOnly));
    assert_eq!(parcel.append(&Parcel::new()), Ok(()));
    assert_eq!(state(&parcel), [12, 12, 12, 0, 0]);
    assert_eq!(parcel.read_scalar(), Ok(11u32.to_le_bytes()));
    assert_eq!(state(&parcel), [12, 12, 8, 4, 0]);
}

#[test]
fn a_refused_buffer_or_token_empties_it() {
    let mut parcel = three_ints();
    parcel.rewind_read_position(4).unwrap();
    assert_eq!(parcel.write_buffer(b"x"), Err(WriteError::ReadOnly));
    assert_eq!(state(&parcel), [0, 12, 0, 4, 0]);
    assert_eq!(parcel.read_scalar::<4>(), Err(ReadError::TooFew { wanted: 4, position: 4, data_size: 0 }));
    assert_eq!(parcel.rewind_write_position(4), Err(RewindError { position: 4, data_size: 0 }));
    let mut parcel = three_ints();
    assert_eq!(parcel.write_interface_token(b"x"), Err(WriteError::ReadOnly));
    assert_eq!(state(&parcel), [0, 12, 0, 0, 0]);
}

#[test]
fn rewinding_its_write_cursor_cuts_it_and_makes_nothing_writable() {
    let mut parcel = three_ints();
    parcel.rewind_write_position(8).unwrap();
    assert_eq!(state(&parcel), [8, 4, 8, 0, 8]);
    assert!(!parcel.write_scalar_in_place([0; 4]));
    assert_eq!(parcel.write_scalar([0; 4]), Err(WriteError::ReadOnly));
    assert_eq!(parcel.write_buffer(b"x"), Err(WriteError::ReadOnly));
    assert_eq!(state(&parcel), [8, 4, 8, 0, 8], "cut where the cursor stands");
    parcel.rewind_write_position(0).unwrap();
    assert_eq!(state(&parcel), [0, 12, 0, 0, 0]);
    assert_eq!(parcel.write_scalar([0; 4]), Err(WriteError::ReadOnly));
}

#[test]
fn an_empty_message_is_read_only_too() {
    let mut parcel = Parcel::received(Vec::new(), Vec::new(), None).unwrap();
    assert_eq!(state(&parcel), [0; 5]);
    assert_eq!(parcel.write_scalar([0; 4]), Err(WriteError::ReadOnly));
    assert!(!parcel.is_fresh());
}

#[test]
fn its_objects_are_read_and_copied_like_any_others() {
    let object: Arc<str> = Arc::from("stub");
    let objects = vec![placed(0, &object), placed(28, &object)];
    let parcel = Parcel::received(vec![0; 52], objects, None).unwrap();
    assert_eq!(parcel.read_remote(), Ok(&object));
    assert_eq!(parcel.read_scalar(), Ok([0; 4]));
    assert_eq!(parcel.read_scalar::<4>(), Err(ReadError::OverlapsObject(28)));
    let mut copy = Parcel::new();
    copy.append(&parcel).unwrap();
    drop(parcel);
    assert_eq!(copy.objects().map(|(offset, _)| offset).collect::<Vec<_>>(), [0, 28]);
    assert_eq!(Arc::strong_count(&object), 3);
}

#[test]
fn objects_that_do_not_fit_the_bytes_are_refused() {
    let object: Arc<str> = Arc::from("stub");
    let cases: [(&[usize], u32); 5] =
        [(&[1], 1), (&[u32::MAX as usize], u32::MAX), (&[0, 23], 23), (&[24, 0], 0), (&[0, 0], 0)];
    for (offsets, offset) in cases {
        let size = if offsets.len() == 1 { OBJECT_SIZE } else { 2 * OBJECT_SIZE };
        let objects = offsets.iter().map(|offset| placed(*offset, &object)).collect();
        let refused = Parcel::received(vec![0; size], objects, None);
        assert_eq!(refused.err(), Some(MalformedObjects { offset, data_size: size }), "{offsets:?}");
    }
    assert_eq!(Arc::strong_count(&object), 1);
}

#[test]
fn it_holds_its_room_until_it_is_dropped_or_replaced() {
    let own = Arc::new(Own::create(Address([0; 16]), 0).expect("shared memory"));
    // A room lives as long as its process, and is to be within reach of who looks for leaks.
    static ROOM: OnceLock<&Room> = OnceLock::new();
    let room = *ROOM.get_or_init(|| Room::new(&own, 100));
    let message = |bytes: usize| Parcel::received(vec![0; bytes], Vec::new(), room.reserve(bytes)).unwrap();
    let mut parcel = message(60);
    assert_eq!(room.used(), 60);
    parcel.rewind_write_position(0).unwrap();
    parcel.clear_forwarded();
    assert_eq!(room.used(), 60);
    parcel = message(40);
    assert_eq!(room.used(), 40);
    drop(parcel);
    assert_eq!(room.used(), 0);
}

#[test]
fn passed_on_it_is_empty_and_keeps_the_references_to_its_objects() {
    let object: Arc<str> = Arc::from("stub");
    let mut parcel = Parcel::received(vec![0; 28], vec![placed(4, &object)], None).unwrap();
    parcel.rewind_read_position(4).unwrap();
    parcel.clear_forwarded();
    assert_eq!(state(&parcel), [0, 28, 0, 0, 0]);
    assert_eq!(parcel.objects().len(), 0);
    assert_eq!(parcel.write_scalar([0; 4]), Err(WriteError::ReadOnly));
    assert_eq!(Arc::strong_count(&object), 2);
    drop(parcel);
    assert_eq!(Arc::strong_count(&object), 1);
}
