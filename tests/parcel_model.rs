// SPDX-License-Identifier: Apache-2.0
//! Random sequences of operations on a parcel, beside a model of it that is as simple as what is specified. Where they differ, the shortest
//! sequence that shows it is printed.

use std::collections::BTreeMap;
use std::ffi::CString;

use ipc_capi::parcel::{MAX_CAPACITY, Parcel, RemoteKind};
use proptest::prelude::*;

/// Bytes that an object takes.
const OBJECT: usize = 24;

/// One operation. Positions and lengths are numbers of bytes.
#[derive(Debug, Clone)]
enum Operation {
    WriteInt(u32),
    WriteLong(u64),
    WriteString(CString),
    WriteBuffer(Vec<u8>),
    WriteRemote(u32),
    ReadInt,
    ReadLong,
    ReadString,
    ReadBuffer(usize),
    ReadRemote,
    RewindRead(usize),
    RewindWrite(usize),
    /// Appends a parcel of these integers and this object.
    Append(Vec<u32>, u32),
    AppendItself,
}

fn position() -> impl Strategy<Value = usize> {
    prop_oneof![4 => 0..200_usize, 1 => 0..MAX_CAPACITY + 10]
}

fn operation() -> impl Strategy<Value = Operation> {
    let length = prop_oneof![8 => 1..40_usize, 1 => 1..9000_usize, 1 => 190_000..MAX_CAPACITY + 10];
    prop_oneof![
        any::<u32>().prop_map(Operation::WriteInt),
        any::<u64>().prop_map(Operation::WriteLong),
        "[a-z]{0,20}".prop_map(|text| Operation::WriteString(CString::new(text).expect("no NUL"))),
        (length, any::<u8>()).prop_map(|(length, byte)| Operation::WriteBuffer(vec![byte; length])),
        any::<u32>().prop_map(Operation::WriteRemote),
        Just(Operation::ReadInt),
        Just(Operation::ReadLong),
        Just(Operation::ReadString),
        position().prop_map(|size| Operation::ReadBuffer(size.max(1))),
        Just(Operation::ReadRemote),
        position().prop_map(Operation::RewindRead),
        position().prop_map(Operation::RewindWrite),
        (prop::collection::vec(any::<u32>(), 0..4), any::<u32>())
            .prop_map(|(integers, object)| Operation::Append(integers, object)),
        Just(Operation::AppendItself),
    ]
}

/// What an operation yields; `None` where it fails.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Written(bool),
    Bytes(Option<Vec<u8>>),
    Object(Option<u32>),
}

#[derive(Debug, Default, Clone)]
struct Model {
    data: Vec<u8>,
    objects: BTreeMap<usize, u32>,
    read: usize,
    capacity: usize,
}

impl Model {
    /// Data size, writable and readable bytes, read and write position.
    fn state(&self) -> [usize; 5] {
        let size = self.data.len();
        [size, self.capacity - size, size.saturating_sub(self.read), self.read, size]
    }

    fn write(&mut self, bytes: &[u8]) -> bool {
        let mut bytes = bytes.to_vec();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        let need = self.data.len() + bytes.len();
        if need > MAX_CAPACITY {
            return false;
        }
        if need > self.capacity {
            self.capacity = match need {
                ..=4096 => need.next_power_of_two().max(64),
                _ => (need / 4096 * 4096 + 4096).min(MAX_CAPACITY),
            };
        }
        self.data.extend(bytes);
        true
    }

    fn write_object(&mut self, object: u32) -> bool {
        let at = self.data.len();
        let mut bytes = [0; OBJECT];
        bytes[..4].copy_from_slice(&0x7368_2a85_u32.to_le_bytes());
        bytes[4..8].copy_from_slice(&0x17f_u32.to_le_bytes());
        let written = self.write(&bytes);
        if written {
            self.objects.insert(at, object);
        }
        written
    }

    fn append(&mut self, other: &Self) -> bool {
        let at = self.data.len();
        let written = other.data.is_empty() || self.write(&other.data);
        if written {
            self.objects.extend(other.objects.iter().map(|(offset, object)| (at + offset, *object)));
        }
        written
    }

    fn has_object(&self, start: usize, end: usize) -> bool {
        self.objects.keys().any(|offset| *offset < end && start < offset + OBJECT)
    }

    fn readable(&self) -> &[u8] {
        self.data.get(self.read..).unwrap_or_default()
    }

    fn read(&mut self, size: usize, moves_over_objects: bool) -> Option<Vec<u8>> {
        let bytes = self.readable().get(..size)?.to_vec();
        let has_object = self.has_object(self.read, self.read + size);
        if !has_object || moves_over_objects {
            self.read += size;
        }
        (!has_object).then_some(bytes)
    }

    fn read_string(&mut self) -> Option<Vec<u8>> {
        let length = self.readable().iter().position(|byte| *byte == 0)?;
        if self.has_object(self.read, self.read + length + 1) {
            return None;
        }
        let text = self.readable()[..length].to_vec();
        let padded = (length + 1).next_multiple_of(4);
        self.read = if padded <= self.readable().len() { self.read + padded } else { self.capacity };
        Some(text)
    }

    fn apply(&mut self, operation: &Operation) -> Outcome {
        use Operation::*;
        match operation {
            WriteInt(value) => Outcome::Written(self.write(&value.to_le_bytes())),
            WriteLong(value) => Outcome::Written(self.write(&value.to_le_bytes())),
            WriteString(text) => Outcome::Written(self.write(text.as_bytes_with_nul())),
            WriteBuffer(bytes) => Outcome::Written(self.write(bytes)),
            WriteRemote(object) => Outcome::Written(self.write_object(*object)),
            ReadInt => Outcome::Bytes(self.read(4, true)),
            ReadLong => Outcome::Bytes(self.read(8, true)),
            ReadString => Outcome::Bytes(self.read_string()),
            ReadBuffer(size) => Outcome::Bytes(self.read(*size, false)),
            ReadRemote => {
                let object = self.objects.get(&self.read).copied();
                self.read += object.map_or(0, |_| OBJECT);
                Outcome::Object(object)
            }
            RewindRead(to) => {
                let is_within = *to <= self.data.len();
                self.read = if is_within { *to } else { self.read };
                Outcome::Written(is_within)
            }
            RewindWrite(to) => {
                let is_within = *to <= self.data.len();
                if is_within {
                    self.data.truncate(*to);
                    self.objects.retain(|offset, _| offset + OBJECT <= *to);
                }
                Outcome::Written(is_within)
            }
            Append(integers, object) => {
                let mut other = Self::default();
                integers.iter().for_each(|value| assert!(other.write(&value.to_le_bytes())));
                assert!(other.write_object(*object));
                Outcome::Written(self.append(&other))
            }
            AppendItself => Outcome::Written(self.append(&self.clone())),
        }
    }
}

fn apply(parcel: &mut Parcel<u32>, operation: &Operation) -> Outcome {
    use Operation::*;
    match operation {
        WriteInt(value) => Outcome::Written(parcel.write_scalar(value.to_le_bytes()).is_ok()),
        WriteLong(value) => Outcome::Written(parcel.write_scalar(value.to_le_bytes()).is_ok()),
        WriteString(text) => Outcome::Written(parcel.write_string(text).is_ok()),
        WriteBuffer(bytes) => Outcome::Written(parcel.write_buffer(bytes).is_ok()),
        WriteRemote(object) => Outcome::Written(parcel.write_remote(RemoteKind::Proxy, *object).is_ok()),
        ReadInt => Outcome::Bytes(parcel.read_scalar::<4>().ok().map(Vec::from)),
        ReadLong => Outcome::Bytes(parcel.read_scalar::<8>().ok().map(Vec::from)),
        ReadString => Outcome::Bytes(parcel.read_string().ok().map(|text| text.to_bytes().to_vec())),
        ReadBuffer(size) => Outcome::Bytes(parcel.read_buffer(*size).ok().map(Vec::from)),
        ReadRemote => Outcome::Object(parcel.read_remote().ok().copied()),
        RewindRead(to) => Outcome::Written(parcel.rewind_read_position(*to).is_ok()),
        RewindWrite(to) => Outcome::Written(parcel.rewind_write_position(*to).is_ok()),
        Append(integers, object) => {
            let mut other = Parcel::new();
            integers.iter().for_each(|value| other.write_scalar(value.to_le_bytes()).expect("room"));
            other.write_remote(RemoteKind::Proxy, *object).expect("room");
            Outcome::Written(parcel.append(&other).is_ok())
        }
        AppendItself => Outcome::Written(parcel.append_itself().is_ok()),
    }
}

fn state(parcel: &Parcel<u32>) -> [usize; 5] {
    [
        parcel.data_size(),
        parcel.writable_bytes(),
        parcel.readable_bytes(),
        parcel.read_position(),
        parcel.write_position(),
    ]
}

proptest! {
    // Failures are printed with their sequence; files of them would be one more thing to keep.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_parcel_does_what_the_model_does(operations in prop::collection::vec(operation(), 1..60)) {
        let (mut parcel, mut model) = (Parcel::new(), Model::default());
        for operation in &operations {
            prop_assert_eq!(apply(&mut parcel, operation), model.apply(operation), "after {:?}", operation);
            prop_assert_eq!(state(&parcel), model.state(), "after {:?}", operation);
        }
        prop_assert_eq!(parcel.bytes(), model.data);
        let objects: Vec<_> = model.objects.keys().map(|offset| *offset as u32).collect();
        prop_assert_eq!(parcel.objects().map(|(offset, _)| offset).collect::<Vec<_>>(), objects);
    }
}
