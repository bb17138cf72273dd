// SPDX-License-Identifier: Apache-2.0
//! The parcel: bytes, two cursors, and the objects among the bytes.
//!
//! A parcel of one's own is written to and grows; a received one is read-only. Reads take `&self` and move the read cursor,
//! so what they return may be kept while reading on. No parcel may be used by two threads at once.

mod error;
mod growth;
mod object;
mod read;
mod text;
mod token;
mod write;

use std::cell::Cell;

use crate::sys::large_buffers;
use crate::transport::room::Reservation;

pub use error::{MalformedObjects, ReadError, RewindError, WriteError};
pub use growth::MAX_CAPACITY;
pub use object::{OBJECT_SIZE, Object, Placed, RemoteKind, check_places};
pub use text::{MAX_TEXT, TextError, through_utf16};

use object::ObjectTable;

/// A parcel that may hold remote objects of type `O`.
pub struct Parcel<O> {
    /// What was written so far.
    data: Vec<u8>,
    /// How far writes go without further question: the capacity of a parcel of one's own, nothing for a received one.
    limit: usize,
    /// May lie beyond the end of the data, after the data was cut.
    read_position: Cell<usize>,
    objects: ObjectTable<O>,
    origin: Origin,
}

/// Where a parcel's bytes came from.
enum Origin {
    /// The parcel's user writes them. The write position is the end of the data.
    Written,
    /// A message of `size` bytes. The room it takes is given back with the parcel.
    Received { size: usize, write_position: usize, _room: Option<Reservation> },
}

impl<O> Parcel<O> {
    /// An empty parcel to write to. Allocates nothing.
    #[inline]
    pub const fn new() -> Self {
        Self {
            data: Vec::new(),
            limit: 0,
            read_position: Cell::new(0),
            objects: ObjectTable::new(),
            origin: Origin::Written,
        }
    }

    /// A read-only parcel with the bytes and objects of a message, whose room it holds until it is dropped.
    ///
    /// To replace what an existing parcel holds, assign this to it, and drop the old value where no reference to the parcel is
    /// left: dropping its objects may run code of the user.
    ///
    /// # Errors
    /// Objects that do not lie whole within the bytes, one behind the other.
    pub fn received(
        bytes: Vec<u8>,
        objects: Vec<Placed<O>>,
        room: Option<Reservation>,
    ) -> Result<Self, MalformedObjects> {
        Ok(Self {
            limit: 0,
            objects: ObjectTable::from_message(objects, bytes.len())?,
            origin: Origin::Received { size: bytes.len(), write_position: 0, _room: room },
            data: bytes,
            read_position: Cell::new(0),
        })
    }

    /// Bytes of data.
    #[inline]
    pub fn data_size(&self) -> usize {
        self.data.len()
    }

    /// Bytes that the parcel claims to have room for. Its memory may have more.
    #[inline]
    fn capacity(&self) -> usize {
        match self.origin {
            Origin::Written => self.limit,
            Origin::Received { size, .. } => size,
        }
    }

    /// Bytes from the write cursor to the capacity.
    #[inline]
    pub fn writable_bytes(&self) -> usize {
        self.capacity() - self.write_position()
    }

    /// Bytes from the read cursor to the end of the data; 0 where the cursor lies beyond it.
    #[inline]
    pub fn readable_bytes(&self) -> usize {
        self.data.len().saturating_sub(self.read_position.get())
    }

    /// The read cursor.
    #[inline]
    pub fn read_position(&self) -> usize {
        self.read_position.get()
    }

    /// The write cursor.
    #[inline]
    pub fn write_position(&self) -> usize {
        match self.origin {
            Origin::Written => self.data.len(),
            Origin::Received { write_position, .. } => write_position,
        }
    }

    /// Whether the parcel was received and takes no writes.
    #[inline]
    pub fn is_read_only(&self) -> bool {
        matches!(self.origin, Origin::Received { .. })
    }

    /// Whether it was never written to and holds no message.
    pub fn is_fresh(&self) -> bool {
        self.limit == 0 && !self.is_read_only()
    }

    /// All the bytes, wherever the cursors are.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.data
    }

    /// The objects in the order in which they lie in the data, each with the offset of its bytes.
    pub fn objects(&self) -> impl ExactSizeIterator<Item = (u32, &Object<O>)> {
        self.objects.iter()
    }

    /// Sets the read cursor.
    ///
    /// # Errors
    /// A position beyond the data.
    #[inline]
    pub fn rewind_read_position(&self, position: usize) -> Result<(), RewindError> {
        if position > self.data.len() {
            return Err(RewindError { position, data_size: self.data.len() });
        }
        self.read_position.set(position);
        Ok(())
    }

    /// Sets the write cursor and cuts the data off there. Objects that are cut are no longer found; the parcel keeps its references to
    /// stubs and proxies until it is dropped, and closes file descriptors. The read cursor stays.
    ///
    /// # Errors
    /// A position beyond the data.
    #[inline]
    pub fn rewind_write_position(&mut self, position: usize) -> Result<(), RewindError> {
        if position > self.data.len() {
            return Err(RewindError { position, data_size: self.data.len() });
        }
        self.data.truncate(position);
        self.objects.forget_behind(position);
        if let Origin::Received { write_position, .. } = &mut self.origin {
            *write_position = position;
        }
        Ok(())
    }

    /// Leaves no writable bytes behind what a parcel of one's own holds; a further write grows it. An empty one stays as it is.
    pub fn close_to_writes(&mut self) {
        if matches!(self.origin, Origin::Written) && !self.data.is_empty() {
            self.limit = self.data.len();
        }
    }

    /// Empties a received parcel that was passed on to somebody else. It keeps its room, and its references to stubs and proxies, until
    /// it is dropped.
    pub fn clear_forwarded(&mut self) {
        self.data.clear();
        self.objects.forget_behind(0);
        self.read_position.set(0);
        if let Origin::Received { write_position, .. } = &mut self.origin {
            *write_position = 0;
        }
    }
}

impl<O> Drop for Parcel<O> {
    #[inline]
    fn drop(&mut self) {
        large_buffers::give_back(std::mem::take(&mut self.data));
    }
}

impl<O> Default for Parcel<O> {
    fn default() -> Self {
        Self::new()
    }
}
