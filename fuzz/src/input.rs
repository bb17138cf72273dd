// SPDX-License-Identifier: Apache-2.0
//! The fuzzer's bytes as decisions. Where they end, every further one is the smallest.

use arbitrary::Unstructured;

/// Bytes that are read from the front.
pub struct Input<'a>(Unstructured<'a>);

impl<'a> Input<'a> {
    /// Decisions of these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(Unstructured::new(bytes))
    }

    /// Whether there are no more.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A number of 8 bits.
    pub fn byte(&mut self) -> u8 {
        self.0.arbitrary().unwrap_or(0)
    }

    /// A number of 16 bits.
    pub fn short(&mut self) -> u16 {
        self.0.arbitrary().unwrap_or(0)
    }

    /// A number of 32 bits.
    pub fn int(&mut self) -> u32 {
        self.0.arbitrary().unwrap_or(0)
    }

    /// A number of 64 bits.
    pub fn long(&mut self) -> u64 {
        self.0.arbitrary().unwrap_or(0)
    }

    /// A yes or no.
    pub fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        if end <= 256 { usize::from(self.byte()) % end } else { self.int() as usize % end }
    }

    /// One of these.
    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// A size: small, in the middle, or about `limit`.
    pub fn size(&mut self, limit: usize) -> usize {
        match self.byte() {
            small @ 0..200 => usize::from(small).min(limit),
            200..240 => usize::from(self.short()).min(limit),
            _ => (limit + 8).saturating_sub(usize::from(self.byte())),
        }
    }

    /// At most so many of the bytes that are left.
    pub fn bytes(&mut self, most: usize) -> &'a [u8] {
        let count = most.min(self.0.len());
        self.0.bytes(count).unwrap_or_default()
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        self.bytes(usize::MAX)
    }

    /// `len` bytes, the same from the same decisions, of which the first few are the fuzzer's own.
    pub fn data(&mut self, len: usize) -> Vec<u8> {
        let own = len.min(usize::from(self.byte() % 64));
        let mut data = self.bytes(own).to_vec();
        let filler = self.byte();
        data.resize(len, filler);
        data
    }
}
