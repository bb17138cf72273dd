// SPDX-License-Identifier: Apache-2.0
//! Reading from a parcel. A read that fails leaves the cursor where it is, unless it says otherwise.

use std::ffi::CStr;
use std::os::fd::OwnedFd;

use super::{OBJECT_SIZE, Object, Parcel, ReadError};
use crate::sys::descriptor;

impl<O> Parcel<O> {
    /// Reads a scalar of `N` bytes where none of the parcel's bytes belong to an object; `None` where [`Self::read_scalar`] has to look.
    #[inline]
    pub fn read_plain_scalar<const N: usize>(&self) -> Option<[u8; N]> {
        let position = self.read_position.get();
        if !self.objects.is_empty() {
            return None;
        }
        let bytes = self.data.get(position..)?.first_chunk()?;
        self.read_position.set(position + N);
        Some(*bytes)
    }

    /// Reads a scalar of `N` bytes.
    ///
    /// # Errors
    /// Too few bytes; bytes of an object, and then the cursor moves over the scalar all the same.
    pub fn read_scalar<const N: usize>(&self) -> Result<[u8; N], ReadError> {
        let position = self.read_position.get();
        let Some(bytes) = self.data.get(position..).and_then(|rest| rest.first_chunk()) else {
            return Err(self.too_few(N));
        };
        self.read_position.set(position + N);
        if self.objects.overlaps(position, position + N) {
            return Err(ReadError::OverlapsObject(position));
        }
        Ok(*bytes)
    }

    /// Reads `size` bytes; the cursor moves by just as many, not over padding.
    ///
    /// # Errors
    /// Too few bytes; bytes of an object.
    #[inline]
    pub fn read_buffer(&self, size: usize) -> Result<&[u8], ReadError> {
        let position = self.read_position.get();
        let Some(bytes) = self.data.get(position..).and_then(|rest| rest.get(..size)) else {
            return Err(self.too_few(size));
        };
        if self.objects.overlaps(position, position + size) {
            return Err(ReadError::OverlapsObject(position));
        }
        self.read_position.set(position + size);
        Ok(bytes)
    }

    /// Reads a string; the cursor moves behind its NUL and its padding. Where the padding would pass the end of the data the cursor
    /// moves to the capacity.
    ///
    /// # Errors
    /// No NUL in the readable bytes; bytes of an object.
    #[inline]
    pub fn read_string(&self) -> Result<&CStr, ReadError> {
        let position = self.read_position.get();
        let rest = self.data.get(position..).unwrap_or_default();
        let Ok(string) = CStr::from_bytes_until_nul(rest) else {
            return Err(ReadError::Unterminated(position));
        };
        let size = string.count_bytes() + 1;
        if self.objects.overlaps(position, position + size) {
            return Err(ReadError::OverlapsObject(position));
        }
        let padded = size.next_multiple_of(4);
        self.read_position.set(if padded <= rest.len() { position + padded } else { self.capacity() });
        Ok(string)
    }

    /// Reads a stub or proxy, whichever it was written as.
    ///
    /// # Errors
    /// No object begins at the cursor; it is a file descriptor, and then the cursor moves over it all the same.
    pub fn read_remote(&self) -> Result<&O, ReadError> {
        let position = self.read_position.get();
        let found = self.objects.at(position).ok_or(ReadError::NoObject(position))?;
        self.read_position.set(position + OBJECT_SIZE);
        match found {
            Object::Remote { object, .. } => Ok(object),
            Object::FileDescriptor(_) => Err(ReadError::OtherObject(position)),
        }
    }

    /// Reads a file descriptor: a new duplicate with each call, which programs that this process executes inherit.
    ///
    /// # Errors
    /// No object begins at the cursor; it is a stub or proxy, and then the cursor moves over it all the same; the descriptor cannot be
    /// duplicated.
    pub fn read_file_descriptor(&self) -> Result<OwnedFd, ReadError> {
        let position = self.read_position.get();
        let found = self.objects.at(position).ok_or(ReadError::NoObject(position))?;
        let duplicate = match found {
            Object::FileDescriptor(fd) => descriptor::duplicate_inheritable(fd)
                .map_err(|error| ReadError::FileDescriptor(error.raw_os_error().unwrap_or_default()))?,
            Object::Remote { .. } => {
                self.read_position.set(position + OBJECT_SIZE);
                return Err(ReadError::OtherObject(position));
            }
        };
        self.read_position.set(position + OBJECT_SIZE);
        Ok(duplicate)
    }

    #[cold]
    fn too_few(&self, wanted: usize) -> ReadError {
        ReadError::TooFew { wanted, position: self.read_position.get(), data_size: self.data.len() }
    }
}
