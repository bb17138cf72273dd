// SPDX-License-Identifier: Apache-2.0
//! What a parcel is to do, as simply as it is specified.

use std::collections::BTreeMap;

/// The most that a parcel holds.
pub const MOST: usize = 204_800;

/// Bytes that an object takes.
pub const OBJECT: usize = 24;

/// An object among the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// A stub or proxy, by its number.
    Remote(u32),
    /// A file descriptor.
    FileDescriptor,
}

/// Whether objects at these places lie whole within `len` bytes, one behind the other.
pub fn fit(len: usize, offsets: impl IntoIterator<Item = u32>) -> bool {
    let mut free = 0;
    offsets.into_iter().all(|offset| {
        let start = offset as usize;
        let fits = start >= free && start + OBJECT <= len;
        free = start + OBJECT;
        fits
    })
}

/// The model of one parcel.
#[derive(Debug, Clone, Default)]
pub struct Model {
    /// Its bytes.
    pub data: Vec<u8>,
    /// Its objects, by their places.
    pub objects: BTreeMap<usize, Kept>,
    /// The read cursor.
    pub read: usize,
    /// The capacity.
    pub capacity: usize,
    /// The write cursor of a received one.
    pub received: Option<usize>,
}

impl Model {
    /// A received parcel; `None` where the objects do not fit the bytes.
    pub fn received(data: &[u8], objects: &[(u32, Kept)]) -> Option<Self> {
        if !fit(data.len(), objects.iter().map(|(offset, _)| *offset)) {
            return None;
        }
        let objects = objects.iter().map(|(offset, kept)| (*offset as usize, *kept)).collect();
        Some(Self { data: data.to_vec(), objects, read: 0, capacity: data.len(), received: Some(0) })
    }

    /// Data size, writable and readable bytes, read and write position.
    pub fn state(&self) -> [usize; 5] {
        let size = self.data.len();
        let write = self.received.unwrap_or(size);
        [size, self.capacity - write, size.saturating_sub(self.read), self.read, write]
    }

    fn make_room(&mut self, size: usize) -> bool {
        let need = self.data.len() + size;
        if self.received.is_some() || need > MOST {
            return false;
        }
        if need > self.capacity {
            self.capacity = match need {
                ..=4096 => need.next_power_of_two().max(64),
                _ => (need / 4096 * 4096 + 4096).min(MOST),
            };
        }
        true
    }

    /// Writes bytes as they are.
    pub fn write(&mut self, bytes: &[u8]) -> bool {
        let written = self.make_room(bytes.len());
        if written {
            self.data.extend(bytes);
        }
        written
    }

    /// Writes bytes and padding.
    pub fn write_padded(&mut self, bytes: &[u8]) -> bool {
        let mut bytes = bytes.to_vec();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        self.write(&bytes)
    }

    /// Writes a buffer, which a received parcel answers by being cut.
    pub fn write_buffer(&mut self, bytes: &[u8]) -> bool {
        let written = self.write_padded(bytes);
        self.cut_unless(written)
    }

    fn cut_unless(&mut self, written: bool) -> bool {
        if let Some(write) = self.received
            && !written
        {
            self.cut(write);
        }
        written
    }

    fn cut(&mut self, end: usize) {
        self.data.truncate(end);
        self.objects.retain(|offset, _| offset + OBJECT <= end);
    }

    /// Writes an interface token of this text, which is well-formed and has no NUL.
    pub fn write_token(&mut self, text: &str) -> bool {
        if text.is_empty() || text.len() > MOST {
            return false;
        }
        let units: Vec<u16> = text.encode_utf16().collect();
        let mut bytes = [0x100_u32.to_le_bytes(), [0; 4], (units.len() as u32).to_le_bytes()].concat();
        bytes.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
        bytes.extend([0, 0]);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        let written = [4, 8, 12, bytes.len()].into_iter().all(|part| self.make_room(part));
        if written {
            self.data.extend(bytes);
        }
        self.cut_unless(written)
    }

    /// Writes an object, of which the bytes are the first 4 and these.
    pub fn write_object(&mut self, mark: u32, kept: Kept) -> bool {
        let at = self.data.len();
        let mut bytes = [0; OBJECT];
        bytes[..4].copy_from_slice(&mark.to_le_bytes());
        bytes[4..8].copy_from_slice(&0x17f_u32.to_le_bytes());
        let written = self.write(&bytes);
        if written {
            self.objects.insert(at, kept);
        }
        written
    }

    /// Appends another parcel.
    pub fn append(&mut self, other: &Self) -> bool {
        let at = self.data.len();
        let written = other.data.is_empty() || self.write_padded(&other.data);
        if written {
            self.objects.extend(other.objects.iter().map(|(offset, kept)| (at + offset, *kept)));
        }
        written
    }

    fn readable(&self) -> &[u8] {
        self.data.get(self.read..).unwrap_or_default()
    }

    fn has_object(&self, start: usize, end: usize) -> bool {
        self.objects.keys().any(|offset| *offset < end && start < offset + OBJECT)
    }

    /// Reads a scalar.
    pub fn read_scalar(&mut self, size: usize) -> Option<Vec<u8>> {
        let bytes = self.readable().get(..size)?.to_vec();
        let has_object = self.has_object(self.read, self.read + size);
        self.read += size;
        (!has_object).then_some(bytes)
    }

    /// Reads a buffer.
    pub fn read_buffer(&mut self, size: usize) -> Option<Vec<u8>> {
        let bytes = self.readable().get(..size)?.to_vec();
        if self.has_object(self.read, self.read + size) {
            return None;
        }
        self.read += size;
        Some(bytes)
    }

    /// Reads a string.
    pub fn read_string(&mut self) -> Option<Vec<u8>> {
        let length = self.readable().iter().position(|byte| *byte == 0)?;
        if self.has_object(self.read, self.read + length + 1) {
            return None;
        }
        let text = self.readable()[..length].to_vec();
        let padded = (length + 1).next_multiple_of(4);
        self.read = if padded <= self.readable().len() { self.read + padded } else { self.capacity };
        Some(text)
    }

    /// Reads an interface token: its text, empty where none lies there.
    pub fn read_token(&mut self) -> Option<String> {
        let before = self.read;
        self.read_scalar(4);
        self.read_scalar(4);
        let Some(units) = self.read_units() else { return Some(String::new()) };
        let characters = char::decode_utf16(units.iter().copied().take_while(|unit| *unit != 0));
        let text: String = characters.flatten().collect();
        if text.is_empty() && !units.is_empty() {
            self.read = before;
            return None;
        }
        Some(text)
    }

    fn read_units(&mut self) -> Option<Vec<u16>> {
        let before = self.read;
        let count = self.read_scalar(4)?;
        let count = i32::from_le_bytes([count[0], count[1], count[2], count[3]]);
        if count < 0 || count == i32::MAX {
            return None;
        }
        let size = (2 * (count as usize + 1)).next_multiple_of(4);
        let units: Option<Vec<u16>> = self.read_buffer(size).map(|bytes| {
            bytes.chunks(2).take(count as usize + 1).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect()
        });
        let units = units.and_then(|mut units| (units.pop() == Some(0)).then_some(units));
        if units.is_none() {
            self.read = before;
        }
        units
    }

    /// Reads a stub or proxy.
    pub fn read_remote(&mut self) -> Option<u32> {
        match self.objects.get(&self.read).copied()? {
            Kept::Remote(number) => {
                self.read += OBJECT;
                Some(number)
            }
            Kept::FileDescriptor => {
                self.read += OBJECT;
                None
            }
        }
    }

    /// Reads a file descriptor; whether there is one.
    pub fn read_file_descriptor(&mut self) -> bool {
        let found = self.objects.get(&self.read).copied();
        self.read += found.map_or(0, |_| OBJECT);
        found == Some(Kept::FileDescriptor)
    }

    /// Sets the read cursor.
    pub fn rewind_read(&mut self, to: usize) -> bool {
        let is_within = to <= self.data.len();
        self.read = if is_within { to } else { self.read };
        is_within
    }

    /// Sets the write cursor.
    pub fn rewind_write(&mut self, to: usize) -> bool {
        let is_within = to <= self.data.len();
        if is_within {
            self.cut(to);
            self.received = self.received.map(|_| to);
        }
        is_within
    }

    /// Leaves nothing writable.
    pub fn close_to_writes(&mut self) {
        if self.received.is_none() && !self.data.is_empty() {
            self.capacity = self.data.len();
        }
    }

    /// Empties a received parcel that was passed on.
    pub fn clear_forwarded(&mut self) {
        self.cut(0);
        self.read = 0;
        self.received = self.received.map(|_| 0);
    }
}
