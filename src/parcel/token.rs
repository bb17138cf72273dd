// SPDX-License-Identifier: Apache-2.0
//! The interface token: two integers, a count of UTF-16 units, the units, a NUL unit, padding.

use super::{MAX_TEXT, Parcel, ReadError, WriteError, text};

/// The first integer of a token; the second is zero.
const MARK: u32 = 0x100;

impl<O> Parcel<O> {
    /// Writes an interface token from the bytes of its UTF-8, well-formed or not.
    ///
    /// # Errors
    /// The text is empty or too long or its last character cut short; the parcel is full, and then its capacity may have grown; no
    /// memory; the parcel is read-only, and then it is cut at its write cursor, where a received parcel is empty.
    pub fn write_interface_token(&mut self, text: &[u8]) -> Result<(), WriteError> {
        if text.is_empty() || text.len() > MAX_TEXT {
            return Err(WriteError::TokenLength(text.len()));
        }
        if text.is_ascii() && !text.contains(&0) {
            self.write_units(text.iter().map(|byte| u16::from(*byte)))
        } else {
            self.write_units(text::utf16_from(text)?.into_iter())
        }
    }

    fn write_units(&mut self, units: impl ExactSizeIterator<Item = u16>) -> Result<(), WriteError> {
        let head = self.data.len();
        let size = (2 * (units.len() + 1)).next_multiple_of(4);
        // A device grows the parcel number by number, and may end with another capacity than if it grew once.
        for part in [4, 8, 12, 12 + size] {
            if let Err(error) = self.make_room(part) {
                self.cut_at_write_position();
                return Err(error);
            }
        }
        self.data.resize(head + 12 + size, 0);
        let (numbers, rest) = self.data[head..].split_at_mut(12);
        numbers[..4].copy_from_slice(&MARK.to_le_bytes());
        numbers[8..].copy_from_slice(&(units.len() as u32).to_le_bytes());
        for (place, unit) in rest.as_chunks_mut().0.iter_mut().zip(units) {
            *place = unit.to_le_bytes();
        }
        Ok(())
    }

    /// Reads an interface token. Where none lies the two integers and the count are skipped as far as they are there, and the text is
    /// empty.
    ///
    /// # Errors
    /// The token has units but no character, or there is no memory; the cursor is put back.
    pub fn read_interface_token(&self) -> Result<String, ReadError> {
        let position = self.read_position();
        // Whatever the two integers are, or whether they are there: the text alone tells callers what they have.
        let _ = self.read_scalar::<4>();
        let _ = self.read_scalar::<4>();
        let Some(units) = self.read_units() else { return Ok(String::new()) };
        let text = text::utf8_from(units.iter().map(|unit| u16::from_le_bytes(*unit)));
        match text {
            Some(text) if text.is_empty() && !units.is_empty() => {
                self.read_position.set(position);
                Err(ReadError::TokenText(position))
            }
            Some(text) => Ok(text),
            None => {
                self.read_position.set(position);
                Err(ReadError::NoMemory(3 * units.len()))
            }
        }
    }

    /// The units of the string at the cursor. Where none lies the count is skipped if it is negative or the largest, and nothing
    /// otherwise.
    fn read_units(&self) -> Option<&[[u8; 2]]> {
        let position = self.read_position();
        let count = i32::from_le_bytes(self.read_scalar().ok()?);
        if count == i32::MAX {
            return None;
        }
        let units = usize::try_from(count).ok()?;
        let string = self.read_buffer((2 * (units + 1)).next_multiple_of(4)).ok().and_then(|bytes| {
            let (string, rest) = bytes.as_chunks().0.split_at(units);
            (rest[0] == [0, 0]).then_some(string)
        });
        if string.is_none() {
            self.read_position.set(position);
        }
        string
    }
}
