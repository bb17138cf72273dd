// SPDX-License-Identifier: Apache-2.0
//! Tables of what this process has numbered itself.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A table by numbers that this process has given one after the other. Nobody else chooses what is in it, so that a hash which a peer could
/// foresee does no harm, and each request saves the time of a better one.
pub(super) type ByNumber<T> = HashMap<u64, T, BuildHasherDefault<Numbers>>;

/// Spreads numbers that follow each other.
#[derive(Debug, Default)]
pub(super) struct Numbers(u64);

impl Hasher for Numbers {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        // 2^64 by the golden ratio, made odd. The table takes the high bits and the low ones.
        let spread = (self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = spread ^ (spread >> 32);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::{BuildHasher, BuildHasherDefault};

    use super::*;

    #[test]
    fn numbers_in_a_row_fall_into_different_places() {
        let hashes = BuildHasherDefault::<Numbers>::default();
        for (name, place) in [("low", 0), ("high", 57)] {
            let places: HashSet<u64> = (1..=128_u64).map(|number| (hashes.hash_one(number) >> place) & 127).collect();
            assert!(places.len() > 64, "{name} bits: {}", places.len());
        }
    }
}
