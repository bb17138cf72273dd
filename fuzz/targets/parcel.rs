// SPDX-License-Identifier: Apache-2.0
//! Sequences of operations on a parcel of one's own and on a received one, beside a model.
#![no_main]

use std::ffi::CString;
use std::os::fd::AsRawFd;
use std::sync::Arc;

use ipc_capi::parcel::{Object, Parcel, Placed, RemoteKind, through_utf16};
use ipckit_fuzz::input::Input;
use ipckit_fuzz::parcel_model::{Kept, MOST, Model};
use libfuzzer_sys::fuzz_target;

/// File descriptors that one input may have open.
const MOST_DESCRIPTORS: usize = 40;

type Remote = Arc<u32>;

struct Both {
    parcel: Parcel<Remote>,
    model: Model,
}

impl Both {
    fn check(&self, what: &str) {
        let parcel = &self.parcel;
        let state = [
            parcel.data_size(),
            parcel.writable_bytes(),
            parcel.readable_bytes(),
            parcel.read_position(),
            parcel.write_position(),
        ];
        assert_eq!(state, self.model.state(), "after {what}");
        assert_eq!(parcel.is_read_only(), self.model.received.is_some());
    }

    fn check_content(&self) {
        assert!(self.parcel.bytes() == self.model.data, "the bytes differ");
        let found: Vec<_> = self.parcel.objects().map(|(offset, object)| (offset as usize, kept(object))).collect();
        let expected: Vec<_> = self.model.objects.iter().map(|(offset, kept)| (*offset, *kept)).collect();
        assert_eq!(found, expected);
    }
}

fn kept(object: &Object<Remote>) -> Kept {
    match object {
        Object::Remote { object, .. } => Kept::Remote(**object),
        Object::FileDescriptor(_) => Kept::FileDescriptor,
    }
}

/// A message with objects at places that may make no sense.
fn receive(input: &mut Input<'_>, remote: &Remote, null: &std::fs::File) -> Option<Both> {
    let len = input.size(4096);
    let data = input.data(len);
    let mut offset = 0_u32;
    let objects: Vec<(u32, Kept)> = (0..input.below(6))
        .map(|_| {
            offset = match input.byte() {
                step @ 0..160 => offset.wrapping_add(24 + u32::from(step % 16)),
                160..250 => len as u32 & u32::from(input.short()),
                _ => input.int(),
            };
            (offset, if input.flag() { Kept::FileDescriptor } else { Kept::Remote(**remote) })
        })
        .collect();
    let placed = objects.iter().map(|(offset, kept)| Placed {
        offset: *offset,
        object: match kept {
            Kept::Remote(_) => Object::Remote { written_as: RemoteKind::Stub, object: Arc::clone(remote) },
            Kept::FileDescriptor => Object::FileDescriptor(null.try_clone().expect("a descriptor").into()),
        },
    });
    let parcel = Parcel::received(data.clone(), placed.collect(), None);
    let model = Model::received(&data, &objects);
    assert_eq!(parcel.is_ok(), model.is_some(), "{len} bytes with {objects:?}");
    Some(Both { parcel: parcel.ok()?, model: model? })
}

/// Text that is no text comes back as it does through UTF-16, or is refused and changes nothing.
fn token_of_anything(bytes: &[u8]) {
    let mut parcel = Parcel::<Remote>::new();
    match parcel.write_interface_token(bytes) {
        Ok(()) => {
            let through = through_utf16(bytes).expect("what could be written can be converted");
            match parcel.read_interface_token() {
                Ok(read) => assert_eq!(read, through),
                Err(_) => assert!(through.is_empty()),
            }
            assert!(parcel.read_position() == 0 || parcel.readable_bytes() == 0);
        }
        Err(_) => assert_eq!(parcel.data_size(), 0),
    }
}

fn operate(input: &mut Input<'_>, both: &mut Both, other: &mut Both, remote: &Remote, null: &std::fs::File) {
    let Both { parcel, model } = both;
    let operation = input.byte() % 22;
    match operation {
        0 => {
            let bytes = [input.byte(); 2];
            assert_eq!(parcel.write_scalar(bytes).is_ok(), model.write(&bytes));
        }
        1 => {
            let bytes = input.int().to_le_bytes();
            assert_eq!(parcel.write_scalar(bytes).is_ok(), model.write(&bytes));
        }
        2 => {
            let bytes = input.long().to_le_bytes();
            let in_place = parcel.write_scalar_in_place(bytes);
            assert_eq!(in_place || parcel.write_scalar(bytes).is_ok(), model.write(&bytes));
        }
        3 => {
            let len = input.size(300);
            let text: Vec<u8> = input.data(len).into_iter().filter(|byte| *byte != 0).collect();
            let text = CString::new(text).expect("no NUL");
            assert_eq!(parcel.write_string(&text).is_ok(), model.write_padded(text.as_bytes_with_nul()));
        }
        4 => {
            let len = input.size(MOST).max(1);
            let bytes = input.data(len);
            assert_eq!(parcel.write_buffer(&bytes).is_ok(), model.write_buffer(&bytes));
        }
        5 => {
            let written = parcel.write_remote(RemoteKind::Stub, Arc::clone(remote)).is_ok();
            assert_eq!(written, model.write_object(0x7362_2a85, Kept::Remote(**remote)));
        }
        6 => {
            let written = parcel.write_remote(RemoteKind::Proxy, Arc::clone(remote)).is_ok();
            assert_eq!(written, model.write_object(0x7368_2a85, Kept::Remote(**remote)));
        }
        7 if model.objects.len() < MOST_DESCRIPTORS => {
            let written = parcel.write_file_descriptor(null.as_raw_fd()).is_ok();
            assert_eq!(written, model.write_object(0x6664_2a85, Kept::FileDescriptor));
        }
        7 => assert!(parcel.write_file_descriptor(-1).is_err()),
        8 => {
            let len = input.size(600);
            let bytes = input.data(len);
            match std::str::from_utf8(&bytes) {
                Ok(text) if !text.contains('\0') => {
                    assert_eq!(parcel.write_interface_token(text.as_bytes()).is_ok(), model.write_token(text));
                }
                _ => token_of_anything(&bytes),
            }
        }
        9 => assert_eq!(parcel.read_scalar::<2>().ok().map(Vec::from), model.read_scalar(2)),
        10 => assert_eq!(parcel.read_scalar::<4>().ok().map(Vec::from), model.read_scalar(4)),
        11 => {
            let plain = parcel.read_plain_scalar::<8>().or_else(|| parcel.read_scalar::<8>().ok());
            assert_eq!(plain.map(Vec::from), model.read_scalar(8));
        }
        12 => {
            let size = input.size(MOST).max(1);
            assert_eq!(parcel.read_buffer(size).ok().map(Vec::from), model.read_buffer(size));
        }
        13 => assert_eq!(parcel.read_string().ok().map(|text| text.to_bytes().to_vec()), model.read_string()),
        14 => assert_eq!(parcel.read_remote().ok().map(|remote| **remote), model.read_remote()),
        15 => assert_eq!(parcel.read_file_descriptor().is_ok(), model.read_file_descriptor()),
        16 => assert_eq!(parcel.read_interface_token().ok(), model.read_token()),
        17 => {
            let to = input.size(model.data.len());
            assert_eq!(parcel.rewind_read_position(to).is_ok(), model.rewind_read(to));
        }
        18 => {
            let to = input.size(model.data.len());
            assert_eq!(parcel.rewind_write_position(to).is_ok(), model.rewind_write(to));
        }
        19 if model.objects.len() + other.model.objects.len() < MOST_DESCRIPTORS => {
            assert_eq!(parcel.append(&other.parcel).is_ok(), model.append(&other.model));
        }
        20 if model.objects.len() < MOST_DESCRIPTORS / 2 => {
            let itself = model.clone();
            assert_eq!(parcel.append_itself().is_ok(), model.append(&itself));
        }
        19..21 => {}
        _ if model.received.is_some() => {
            parcel.clear_forwarded();
            model.clear_forwarded();
        }
        _ => {
            parcel.close_to_writes();
            model.close_to_writes();
        }
    }
    both.check(&format!("operation {operation}"));
}

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let null = std::fs::File::open("/dev/null").expect("/dev/null");
    let remote: Remote = Arc::new(7);
    let mut own = Both { parcel: Parcel::new(), model: Model::default() };
    let mut received =
        receive(&mut input, &remote, &null).unwrap_or_else(|| Both { parcel: Parcel::new(), model: Model::default() });
    while !input.is_empty() {
        let of_received = input.byte().is_multiple_of(4);
        let (one, other) = if of_received { (&mut received, &mut own) } else { (&mut own, &mut received) };
        operate(&mut input, one, other, &remote, &null);
    }
    own.check_content();
    received.check_content();
    drop((own, received));
    assert_eq!(Arc::strong_count(&remote), 1, "a parcel keeps a reference beyond its end");
});
