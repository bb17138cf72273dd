// SPDX-License-Identifier: Apache-2.0
//! Writing to a parcel. A write that fails changes nothing that a getter shows, unless it says otherwise.

use std::ffi::CStr;
use std::io;
use std::os::fd::RawFd;

use super::object::{OBJECT_SIZE, Object, ObjectTable, Placed, RemoteKind};
use super::{MAX_CAPACITY, Parcel, WriteError, growth};
use crate::sys::{descriptor, large_buffers};

impl<O> Parcel<O> {
    /// Writes a scalar where that needs no growth and so cannot fail; `false` where [`Self::write_scalar`] has to look.
    #[inline]
    pub fn write_scalar_in_place<const N: usize>(&mut self, bytes: [u8; N]) -> bool {
        let end = self.data.len() + N;
        // What the memory holds is known to be enough; asking leaves no growth behind for the call to prepare for.
        let fits = end <= self.limit && end <= self.data.capacity();
        if fits {
            self.data.extend_from_slice(&bytes);
        }
        fits
    }

    /// Writes a scalar as it is.
    ///
    /// # Errors
    /// The parcel is read-only or full; no memory.
    pub fn write_scalar<const N: usize>(&mut self, bytes: [u8; N]) -> Result<(), WriteError> {
        self.make_room(N)?;
        self.data.extend_from_slice(&bytes);
        Ok(())
    }

    /// Writes a string with its NUL, padded with zeros to a multiple of 4.
    ///
    /// # Errors
    /// The parcel is read-only or full; no memory.
    #[inline]
    pub fn write_string(&mut self, string: &CStr) -> Result<(), WriteError> {
        self.write_padded(string.to_bytes_with_nul())
    }

    /// Writes bytes, padded with zeros to a multiple of 4.
    ///
    /// # Errors
    /// The parcel is full; no memory; it is read-only, and then it is cut at its write cursor, where a received parcel is empty.
    #[inline]
    pub fn write_buffer(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        let written = self.write_padded(bytes);
        if written.is_err() {
            self.cut_at_write_position();
        }
        written
    }

    /// Writes a stub or proxy, of which the parcel keeps the reference.
    ///
    /// # Errors
    /// The parcel is read-only or full; no memory.
    pub fn write_remote(&mut self, written_as: RemoteKind, object: O) -> Result<(), WriteError> {
        self.write_object(Object::Remote { written_as, object })
    }

    /// Writes a duplicate of a file descriptor, which the parcel keeps. A number that is none is an error like any other.
    ///
    /// # Errors
    /// The descriptor cannot be duplicated; the parcel is read-only or full; no memory.
    pub fn write_file_descriptor(&mut self, fd: RawFd) -> Result<(), WriteError> {
        let duplicate = descriptor::duplicate_number(fd).map_err(descriptor_error)?;
        self.write_object(Object::FileDescriptor(duplicate))
    }

    fn write_object(&mut self, object: Object<O>) -> Result<(), WriteError> {
        if !self.objects.reserve(1) {
            return Err(WriteError::NoMemory(size_of::<Placed<O>>()));
        }
        self.make_room(OBJECT_SIZE)?;
        let offset = self.next_offset();
        self.data.extend_from_slice(&object.placeholder());
        self.objects.push(Placed { offset, object });
        Ok(())
    }

    #[inline]
    fn write_padded(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        let padded = padded(bytes.len());
        self.make_room(padded)?;
        self.data.extend_from_slice(bytes);
        for _ in bytes.len()..padded {
            self.data.push(0);
        }
        Ok(())
    }

    /// Sees to it that `size` more bytes fit.
    #[inline]
    pub(super) fn make_room(&mut self, size: usize) -> Result<(), WriteError> {
        if self.data.len() + size <= self.limit { Ok(()) } else { self.grow(size) }
    }

    #[cold]
    fn grow(&mut self, size: usize) -> Result<(), WriteError> {
        self.check_limit(size)?;
        let need = self.data.len() + size;
        let capacity = growth::capacity_for(need);
        let allocated = self.data.capacity();
        if capacity > allocated {
            let allocation = growth::allocation_for(capacity, allocated);
            let no_memory = |_| WriteError::NoMemory(allocation);
            if self.data.is_empty() {
                let larger = large_buffers::take(allocation).map_err(no_memory)?;
                large_buffers::give_back(std::mem::replace(&mut self.data, larger));
            } else {
                self.data.try_reserve_exact(allocation - self.data.len()).map_err(no_memory)?;
            }
        }
        self.limit = capacity;
        Ok(())
    }

    /// Whether `size` more bytes may be written at all.
    fn check_limit(&self, size: usize) -> Result<(), WriteError> {
        if self.is_read_only() {
            return Err(WriteError::ReadOnly);
        }
        let need = self.data.len().saturating_add(size);
        if need > MAX_CAPACITY { Err(WriteError::Full { need }) } else { Ok(()) }
    }

    /// What a device does when it takes a refused write back: nothing to a parcel of one's own.
    #[cold]
    pub(super) fn cut_at_write_position(&mut self) {
        let position = self.write_position();
        self.data.truncate(position);
        self.objects.forget_behind(position);
    }

    fn next_offset(&self) -> u32 {
        u32::try_from(self.data.len()).expect("a parcel that is written to holds at most MAX_CAPACITY bytes")
    }
}

impl<O: Clone> Parcel<O> {
    /// Writes another parcel's data behind this one's, padded with zeros to a multiple of 4, and its objects with it.
    ///
    /// # Errors
    /// The parcel is read-only or full; no memory; a descriptor cannot be duplicated. An empty `other` always succeeds.
    pub fn append(&mut self, other: &Self) -> Result<(), WriteError> {
        if other.data.is_empty() {
            return Ok(());
        }
        let objects = self.objects_to_append(&other.objects, other.data.len())?;
        self.write_padded(&other.data)?;
        objects.into_iter().for_each(|object| self.objects.push(object));
        Ok(())
    }

    /// Writes the parcel's data behind itself, as [`Self::append`] would.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn append_itself(&mut self) -> Result<(), WriteError> {
        let size = self.data.len();
        if size == 0 {
            return Ok(());
        }
        let objects = self.objects_to_append(&self.objects, size)?;
        self.make_room(padded(size))?;
        self.data.extend_from_within(..);
        self.data.resize(size + padded(size), 0);
        objects.into_iter().for_each(|object| self.objects.push(object));
        Ok(())
    }

    /// Duplicates of `objects` for when their data of `size` bytes lies behind this parcel's.
    fn objects_to_append(&self, objects: &ObjectTable<O>, size: usize) -> Result<Vec<Placed<O>>, WriteError> {
        self.check_limit(padded(size))?;
        let no_memory = WriteError::NoMemory(objects.iter().len() * size_of::<Placed<O>>());
        let mut duplicates = Vec::new();
        duplicates.try_reserve_exact(objects.iter().len()).map_err(|_| no_memory)?;
        for (offset, object) in objects.iter() {
            let object = object.duplicate().map_err(descriptor_error)?;
            duplicates.push(Placed { offset: self.next_offset() + offset, object });
        }
        Ok(duplicates)
    }
}

fn descriptor_error(error: io::Error) -> WriteError {
    WriteError::FileDescriptor(error.raw_os_error().unwrap_or_default())
}

#[inline]
const fn padded(size: usize) -> usize {
    size.next_multiple_of(4)
}
