// SPDX-License-Identifier: Apache-2.0
//! Rings of records: written by the threads of one process, taken from by the threads of another.
//!
//! Both counters are private: the writer's in the writing process, the reader's in the reading one. A reader knows by an
//! entry's sequence word that it is there; that an entry is free again, the writer knows by other means (its call has been
//! answered, or the reader's published ticket), before it takes the ticket.
#![allow(unsafe_code)] // record contents in shared memory

use super::atomics::{AtomicU32, Ordering};
use super::layout::{Record, RecordContent};
use super::segment::{copy_content, prefetch_for_write, write_content};
use crate::sys::fault_point::FaultPoint;
use crate::sys::order;

/// The records of a ring, in a segment.
#[derive(Clone, Copy)]
pub struct Entries<'a, const N: usize>(pub(super) &'a [Record; N]);

impl<'a, const N: usize> Entries<'a, N> {
    fn entry(self, ticket: u32) -> &'a Record {
        const { assert!(N.is_power_of_two()) };
        &self.0[ticket as usize % N]
    }
}

/// How far ahead of what is written the memory of entries is fetched.
const PREFETCHED: u32 = 8;

/// The writing end. Shared by the threads of the process that owns the segment.
#[derive(Debug, Default)]
pub struct RingWriter {
    next: AtomicU32,
}

impl RingWriter {
    /// Publishes `content` in the next entry, whose last content the reader is known to have taken.
    ///
    /// Between the two steps in here the entry holds up those behind it, so the content is to be ready before.
    pub fn publish<const N: usize>(&self, entries: Entries<'_, N>, content: &RecordContent) -> u32 {
        let ticket = self.next.fetch_add(1, Ordering::Relaxed);
        self.publish_as(ticket, entries, content);
        ticket
    }

    /// The same for who keeps all others from publishing meanwhile.
    pub fn publish_alone<const N: usize>(&self, entries: Entries<'_, N>, content: &RecordContent) {
        let ticket = self.next.load(Ordering::Relaxed);
        self.next.store(ticket.wrapping_add(1), Ordering::Relaxed);
        // The reader's processor still has what lay there; by the time that this place's turn comes, it is here.
        prefetch_for_write(entries.entry(ticket.wrapping_add(PREFETCHED)));
        self.publish_as(ticket, entries, content);
    }

    #[inline]
    fn publish_as<const N: usize>(&self, ticket: u32, entries: Entries<'_, N>, content: &RecordContent) {
        let record = entries.entry(ticket);
        order::take_over_inside(record);
        // SAFETY: the ticket gives the entry to this thread alone, the segment is this process's own, and the reader does not
        // look at the content before the store below.
        FaultPoint::RecordWritten.around(|| unsafe { write_content(record, content) });
        order::hand_over_inside(record);
        FaultPoint::RecordPublished.around(|| record.sequence.store(ticket.wrapping_add(1), Ordering::Release));
    }

    /// The ticket of the next entry to be published.
    pub fn next_ticket(&self) -> u32 {
        self.next.load(Ordering::Relaxed)
    }
}

/// Why no entry was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTaken {
    /// There is none.
    Nothing,
    /// The next one is not wanted yet.
    Unwanted,
}

/// The reading end. Shared by the threads of the process that the ring speaks to.
#[derive(Debug, Default)]
pub struct RingReader {
    next: AtomicU32,
}

impl RingReader {
    /// Takes the next entry, if there is one; no other thread gets the same.
    #[inline]
    pub fn take<const N: usize>(&self, entries: Entries<'_, N>) -> Option<RecordContent> {
        self.take_if(entries, |_| true).ok()
    }

    /// The same where it `is_wanted` now. That is asked of the copy that is returned.
    #[inline]
    pub fn take_if<const N: usize>(
        &self,
        entries: Entries<'_, N>,
        is_wanted: impl Fn(&RecordContent) -> bool,
    ) -> Result<RecordContent, NotTaken> {
        loop {
            let (ticket, record) = self.find_next(entries).ok_or(NotTaken::Nothing)?;
            // The copy comes first: once the ticket has moved on, the writer may learn that the entry is free.
            let content = copy_content(record);
            if !is_wanted(&content) {
                // A copy of an entry that others have taken meanwhile says nothing.
                if self.next.load(Ordering::Acquire) == ticket {
                    return Err(NotTaken::Unwanted);
                }
                continue;
            }
            // Where another thread was faster, the copy is worth nothing: the entry may have been used again while it was made.
            let taken = self.next.compare_exchange(ticket, ticket.wrapping_add(1), Ordering::AcqRel, Ordering::Relaxed);
            if taken.is_ok() {
                return Ok(content);
            }
        }
    }

    /// Goes on behind the entry that [`Self::peek`] gave a copy of, for who keeps all others from taking since.
    pub fn take_peeked(&self) {
        self.next.store(self.next.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release);
    }

    /// Whether there is an entry to take.
    #[inline]
    pub fn has_next<const N: usize>(&self, entries: Entries<'_, N>) -> bool {
        self.find_next(entries).is_some()
    }

    /// A copy of the next entry, if there is one, which another thread may take meanwhile.
    pub fn peek<const N: usize>(&self, entries: Entries<'_, N>) -> Option<RecordContent> {
        self.find_next(entries).map(|(_, record)| copy_content(record))
    }

    /// The next entry and its ticket.
    #[inline]
    fn find_next<'a, const N: usize>(&self, entries: Entries<'a, N>) -> Option<(u32, &'a Record)> {
        let mut ticket = self.next.load(Ordering::Acquire);
        loop {
            let record = entries.entry(ticket);
            if record.sequence.load(Ordering::Acquire) == ticket.wrapping_add(1) {
                return Some((ticket, record));
            }
            // Others may have taken this entry meanwhile, and the writer have used it again: that does not mean that there is none.
            let now = self.next.load(Ordering::Acquire);
            if now == ticket {
                return None;
            }
            ticket = now;
        }
    }

    /// The ticket of the next entry to be taken.
    pub fn next_ticket(&self) -> u32 {
        self.next.load(Ordering::Acquire)
    }
}
