// SPDX-License-Identifier: Apache-2.0
//! `src/shm/ring.rs`: what is published is taken once, whole, in order. Beyond the crate's limits: not shown for rings of more than two
//! entries, nor for tickets that begin again at 0.
#![cfg(loom)]

use std::sync::Arc;

use loom::thread;
use models::check;
use models::shm::atomics::Ordering;
use models::shm::layout::{Record, RecordContent};
use models::shm::ring::{RingReader, RingWriter};
use models::shm::segment::entries;
use models::weakening::{Weakness, step};

#[derive(Default)]
struct Ring<const N: usize> {
    records: Vec<[Record; N]>,
    writer: RingWriter,
    reader: RingReader,
}

impl<const N: usize> Ring<N> {
    fn new() -> Arc<Self> {
        Arc::new(Self { records: vec![std::array::from_fn(|_| Record::default())], ..Self::default() })
    }

    fn publish(&self, number: u32) {
        self.writer.publish(entries(&self.records[0]), &RecordContent::numbered(number));
    }

    fn take(&self) -> Option<RecordContent> {
        self.reader.take(entries(&self.records[0]))
    }
}

fn published_then_taken(publish: Option<Weakness>, take: Option<Weakness>) {
    check(2, move || {
        let ring = Ring::<2>::new();
        let writer = thread::spawn({
            let ring = Arc::clone(&ring);
            move || (1..=2).for_each(|number| step(publish, || ring.publish(number)))
        });
        let mut expected = 1;
        for _ in 0..2 {
            if let Some(content) = step(take, || ring.take()) {
                assert_eq!(content, RecordContent::numbered(expected));
                expected += 1;
            }
        }
        writer.join().expect("the writer");
    });
}

#[test]
fn what_is_taken_is_what_was_published() {
    published_then_taken(None, None);
}

#[test]
#[should_panic = "assertion"]
fn without_release_an_old_content_is_taken() {
    published_then_taken(Some(Weakness::Relaxed), None);
}

#[test]
#[should_panic = "assertion"]
fn without_acquire_an_old_content_is_taken() {
    published_then_taken(None, Some(Weakness::Relaxed));
}

/// Two threads write, each one entry.
#[test]
fn writers_never_get_the_same_entry() {
    check(2, || {
        let ring = Ring::<2>::new();
        let writers = [1, 2].map(|number| {
            let ring = Arc::clone(&ring);
            thread::spawn(move || ring.publish(number))
        });
        writers.into_iter().for_each(|writer| writer.join().expect("a writer"));
        let mut numbers = [ring.take(), ring.take()].map(|content| content.expect("published").0[0]);
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 2]);
        assert_eq!(ring.take(), None);
    });
}

/// A way to take: the library's, or a broken one.
type Take = fn(&Ring<1>) -> Option<RecordContent>;

/// Two threads take; the writer uses the ring's only entry again as soon as the ticket has moved on: that an entry is free it can
/// learn by the answer to a later one.
fn taken_once_and_whole(take: Take) {
    check(2, move || {
        let ring = Ring::<1>::new();
        ring.publish(1);
        let taken = Arc::new(loom::sync::Mutex::new(Vec::new()));
        let take_some = |times: usize| {
            let (ring, taken) = (Arc::clone(&ring), Arc::clone(&taken));
            move || {
                for _ in 0..times {
                    if let Some(content) = take(&ring) {
                        taken.lock().expect("no panic").push(content);
                    }
                }
            }
        };
        let reader = thread::spawn(take_some(1));
        let writer = thread::spawn({
            let ring = Arc::clone(&ring);
            move || {
                if ring.reader.next_ticket() == 1 {
                    ring.publish(2);
                }
            }
        });
        take_some(2)();
        reader.join().expect("the other reader");
        writer.join().expect("the writer");
        let mut taken = taken.lock().expect("no panic").clone();
        taken.sort_unstable_by_key(|content| content.0);
        let expected = [1, 2].map(RecordContent::numbered);
        assert_eq!(*taken, expected[..taken.len()]);
    });
}

#[test]
fn an_entry_is_taken_once_and_whole() {
    taken_once_and_whole(Ring::take);
}

/// A copy of the code, with the copy of the content made after the ticket has moved on.
#[test]
#[should_panic = "assertion"]
fn a_content_copied_too_late_is_another_one() {
    taken_once_and_whole(|ring| {
        // The library's own step says which entry it was; what lies there by now is read after it.
        ring.take().map(|_| ring.records[0][0].content.copy())
    });
}

/// While somebody looks at a ring that always has an entry, others take and the writer uses the entries again.
fn seen_while_there(has_next: fn(&Ring<2>) -> bool) {
    check(2, move || {
        let ring = Ring::<2>::new();
        ring.publish(1);
        ring.publish(2);
        let looker = thread::spawn({
            let ring = Arc::clone(&ring);
            move || assert!(has_next(&ring), "there is an entry")
        });
        assert_eq!(ring.take(), Some(RecordContent::numbered(1)));
        ring.publish(3);
        looker.join().expect("the looker");
    });
}

#[test]
fn an_entry_that_is_there_is_seen() {
    seen_while_there(|ring| ring.reader.has_next(entries(&ring.records[0])));
}

/// A copy of the code without its second look at the ticket.
#[test]
#[should_panic = "there is an entry"]
fn without_a_second_look_at_the_ticket_it_is_not() {
    seen_while_there(|ring| {
        let ticket = ring.reader.next_ticket();
        ring.records[0][ticket as usize % 2].sequence.load(Ordering::Acquire) == ticket.wrapping_add(1)
    });
}
