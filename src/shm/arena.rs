// SPDX-License-Identifier: Apache-2.0
//! Which parts of an arena are free. It lives in the owner's private memory: a peer sees only offsets.

use std::collections::BTreeMap;

use super::layout::ARENA_BYTES;

/// Blocks begin at multiples of this, so that two never share a cache line.
const GRAIN: u32 = 64;

/// From this size on, blocks may rotate through the arena.
pub const ROTATE_FROM: usize = 64 * 1024;

/// How far the large blocks rotate: more than a processor's second-level cache.
const ROTATE_OVER: u32 = 1_600 * 1024;

/// The free parts of one arena.
#[derive(Debug)]
pub struct Arena {
    /// Free ranges, their lengths by their starts; neighbours are always merged.
    free: BTreeMap<u32, u32>,
    rotate: u32,
}

/// A block of the arena; to be given back with [`Arena::free`].
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    offset: u32,
    len: u32,
}

impl Block {
    /// Where the block begins.
    pub fn offset(&self) -> u32 {
        self.offset
    }
}

impl Default for Arena {
    fn default() -> Self {
        Self { free: BTreeMap::from([(0, ARENA_BYTES as u32)]), rotate: 0 }
    }
}

impl Arena {
    /// A block of at least `len` bytes; `None` where no free range is that long. A long one comes from where none was lately, where `rotates`:
    /// memory that a peer on another processor has just read still lies in the cache of that one. On the same processor it lies in this one's.
    pub fn allocate(&mut self, len: usize, rotates: bool) -> Option<Block> {
        let rotates = rotates && len >= ROTATE_FROM;
        let len = u32::try_from(len).ok()?.checked_next_multiple_of(GRAIN)?.max(GRAIN);
        let found = if rotates {
            let from = self.rotate;
            self.first_fit(from, len).filter(|start| start + len <= ROTATE_OVER).or_else(|| self.first_fit(0, len))
        } else {
            self.first_fit(0, len)
        }?;
        self.take(found, len);
        if rotates {
            self.rotate = found + len;
        }
        Some(Block { offset: found, len })
    }

    /// The lowest place from `from` on with `len` free bytes.
    fn first_fit(&self, from: u32, len: u32) -> Option<u32> {
        let before = self.free.range(..from).next_back();
        before.into_iter().chain(self.free.range(from..)).find_map(|(start, free)| {
            let begin = (*start).max(from);
            (begin.checked_add(len)? <= start + free).then_some(begin)
        })
    }

    fn take(&mut self, begin: u32, len: u32) {
        let Some((start, free)) = self.free.range(..=begin).next_back().map(|(start, free)| (*start, *free)) else {
            return;
        };
        self.free.remove(&start);
        if begin > start {
            self.free.insert(start, begin - start);
        }
        let (end, free_end) = (begin + len, start + free);
        if free_end > end {
            self.free.insert(end, free_end - end);
        }
    }

    /// Takes a block back.
    pub fn free(&mut self, block: Block) {
        let (mut start, mut len) = (block.offset, block.len);
        if let Some((before, free)) = self.free.range(..start).next_back().map(|(before, free)| (*before, *free))
            && before + free == start
        {
            self.free.remove(&before);
            start = before;
            len += free;
        }
        if let Some(after) = self.free.remove(&(start + len)) {
            len += after;
        }
        self.free.insert(start, len);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_blocks_are_reused_at_once() {
        let mut arena = Arena::default();
        let block = arena.allocate(1000, true).expect("room");
        let first = block.offset();
        arena.free(block);
        assert_eq!(arena.allocate(100, true).expect("room").offset(), first);
    }

    #[test]
    fn large_blocks_rotate() {
        let mut arena = Arena::default();
        let mut places = std::collections::BTreeSet::new();
        for _ in 0..20 {
            let block = arena.allocate(200_000, true).expect("room");
            places.insert(block.offset());
            arena.free(block);
        }
        assert!(places.len() >= 7, "{places:?}");
        assert!(places.iter().all(|offset| *offset < ROTATE_OVER));
    }

    #[test]
    fn large_blocks_are_reused_at_once_where_that_is_better() {
        let mut arena = Arena::default();
        for _ in 0..3 {
            let block = arena.allocate(200_000, false).expect("room");
            assert_eq!(block.offset(), 0);
            arena.free(block);
        }
    }

    #[test]
    fn blocks_never_overlap_and_all_room_comes_back() {
        let mut arena = Arena::default();
        let mut blocks: Vec<Block> = Vec::new();
        let mut state = 1_u64;
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let random = (state >> 33) as usize;
            if random.is_multiple_of(3) && !blocks.is_empty() {
                arena.free(blocks.swap_remove(random / 3 % blocks.len()));
            } else if let Some(block) = arena.allocate(random % 70_000, random.is_multiple_of(2)) {
                let (start, end) = (block.offset, block.offset + block.len);
                assert!(end as usize <= ARENA_BYTES);
                assert!(blocks.iter().all(|other| end <= other.offset || other.offset + other.len <= start));
                blocks.push(block);
            }
        }
        blocks.into_iter().for_each(|block| arena.free(block));
        assert_eq!(arena.free, BTreeMap::from([(0, ARENA_BYTES as u32)]));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut arena = Arena::default();
        assert_eq!(arena.allocate(ARENA_BYTES + 1, true), None);
        assert_eq!(arena.allocate(usize::MAX, true), None);
        assert!(arena.allocate(ARENA_BYTES, true).is_some());
        assert_eq!(arena.allocate(1, true), None);
    }
}
