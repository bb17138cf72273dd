// SPDX-License-Identifier: Apache-2.0
//! How a parcel's capacity grows, as its getters show it, and how much is allocated for it.

/// The largest capacity of a parcel, in bytes.
pub const MAX_CAPACITY: usize = 204_800;

const SMALLEST: usize = 64;
const PAGE: usize = 4096;

/// The capacity that a parcel shows once it has grown to hold `need` bytes, at most [`MAX_CAPACITY`].
pub(super) fn capacity_for(need: usize) -> usize {
    debug_assert!(need <= MAX_CAPACITY, "the caller refuses larger ones");
    if need <= PAGE { need.next_power_of_two().max(SMALLEST) } else { (need / PAGE * PAGE + PAGE).min(MAX_CAPACITY) }
}

/// How much to allocate for that capacity where `allocated` is too little. Above a page the shown capacity grows by pages, which
/// would copy the data each time; the allocation doubles.
pub(super) fn allocation_for(capacity: usize, allocated: usize) -> usize {
    if allocated < PAGE { capacity } else { (2 * allocated).clamp(capacity, MAX_CAPACITY) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacity_doubles_up_to_a_page_and_then_grows_by_pages() {
        let table = [
            (1, 64),
            (64, 64),
            (65, 128),
            (128, 128),
            (129, 256),
            (2048, 2048),
            (2049, 4096),
            (4095, 4096),
            (4096, 4096),
            (4097, 8192),
            (8191, 8192),
            (8192, 12_288),
            (196_608, 200_704),
            (200_703, 200_704),
            (200_704, 204_800),
            (204_799, 204_800),
            (204_800, 204_800),
        ];
        for (need, capacity) in table {
            assert_eq!(capacity_for(need), capacity, "for {need} bytes");
        }
    }

    #[test]
    fn an_allocation_holds_the_capacity_and_never_exceeds_the_limit() {
        let mut allocated = 0;
        let mut steps = 0;
        for need in 1..=MAX_CAPACITY {
            let capacity = capacity_for(need);
            if capacity > allocated {
                allocated = allocation_for(capacity, allocated);
                steps += 1;
            }
            assert!((capacity..=MAX_CAPACITY).contains(&allocated), "for {need} bytes");
        }
        assert!(steps <= 13, "a parcel filled byte by byte was moved {steps} times");
    }
}
