// SPDX-License-Identifier: Apache-2.0
//! A fault, for those who watch memory to report: else they are not on. It runs only where it is asked for.
#![allow(unsafe_code, reason = "it is the fault")]

#[test]
#[ignore = "it reads memory that is free"]
fn memory_is_read_that_is_free() {
    let word = Box::into_raw(Box::new(std::hint::black_box(7_u32)));
    // SAFETY: the first use is of memory that lives. The second one is not safe: that is what it is for.
    let sum = unsafe {
        drop(Box::from_raw(word));
        std::hint::black_box(word).read_volatile()
    };
    assert_ne!(std::hint::black_box(sum), u32::MAX);
}
