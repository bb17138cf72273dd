// SPDX-License-Identifier: Apache-2.0
//! A fault on purpose, behind a word that only a fuzzer finds which sees what the code compares: a read beyond the end of an allocation,
//! which only a sanitizer sees. `./run fuzz` expects it to be found.
#![no_main]

use libfuzzer_sys::fuzz_target;

/// What an input has to begin with.
const WORD: &[u8] = b"fault";

fuzz_target!(|input: &[u8]| {
    for (expected, found) in WORD.iter().zip(input) {
        if expected != found {
            return;
        }
    }
    if input.len() >= WORD.len() {
        let allocation = vec![0_u8; 16].into_boxed_slice();
        let beyond = std::hint::black_box(allocation.as_ptr()).wrapping_add(16);
        // SAFETY: none: this is the fault.
        std::hint::black_box(unsafe { beyond.read_volatile() });
    }
});
