// SPDX-License-Identifier: Apache-2.0
//! The stubs of this process that other processes may ask for.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::sync::{Arc, Weak};

use crate::sys::lock::Mutex;

use super::Stub;
use super::by_number::ByNumber;
use crate::sys::{fork, process};
use crate::transport::wire::{Address, Reference};

#[derive(Default)]
struct Tables {
    known: ByNumber<Known>,
    /// Stubs that nobody but a reference on its way holds: the first who asks for them gets them.
    passed_on: HashMap<u64, Arc<Stub>>,
    /// Stubs whose references others are passing on.
    lent: HashMap<Way, HashMap<u64, Lent>>,
}

/// From whom to whom references are on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Way {
    /// Who passes them on.
    pub from: Address,
    /// Who is to get them.
    pub to: Address,
}

/// A stub that has left the process, and what whoever asks for it has to know: random bytes of the system, of this stub alone, in which
/// neither its number nor another one's secret shows.
struct Known {
    stub: Weak<Stub>,
    secret: u64,
}

/// References to one stub on one way.
struct Lent {
    stub: Arc<Stub>,
    count: u64,
}

/// The stubs that have left the process, by their numbers.
pub struct Exports {
    address: Address,
    generation: u32,
    own: Weak<Exports>,
    tables: Mutex<Tables>,
}

impl Exports {
    /// The table of the process that listens at `address`.
    pub fn new(address: Address) -> Arc<Self> {
        Arc::new_cyclic(|own| Self {
            address,
            generation: fork::generation(),
            own: Weak::clone(own),
            tables: Mutex::default(),
        })
    }

    /// A reference to the stub, by which other processes can ask for it as long as it lives.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn reference(&self, stub: &Arc<Stub>) -> io::Result<Reference> {
        let object = stub.number();
        // A stub inherited by fork remembers the parent's table; then this table keeps a dead entry until the process ends.
        stub.set_exports(&self.own);
        let secret = match self.tables.lock().known.entry(object) {
            Entry::Occupied(known) => known.get().secret,
            Entry::Vacant(place) => {
                let secret = process::random().map(u64::from_ne_bytes)?;
                place.insert(Known { stub: Arc::downgrade(stub), secret }).secret
            }
        };
        Ok(Reference { address: self.address, object, secret })
    }

    /// A reference that keeps the stub alive until somebody has asked for it.
    ///
    /// # Errors
    /// As [`Self::reference`].
    pub fn pass_on(&self, stub: Arc<Stub>) -> io::Result<Reference> {
        let reference = self.reference(&stub)?;
        self.tables.lock().passed_on.insert(reference.object, stub);
        Ok(reference)
    }

    /// The stub that a reference names, with what kept it alive so far; `None` where it is gone or the secret is wrong.
    pub fn find(&self, object: u64, secret: u64) -> Option<Arc<Stub>> {
        let tables = self.tables.lock();
        tables.known.get(&object).filter(|known| known.secret == secret)?.stub.upgrade()
    }

    /// Keeps a stub until a reference has arrived that is being passed on.
    pub fn lend(&self, stub: Arc<Stub>, way: Way) {
        let mut tables = self.tables.lock();
        let lent = tables.lent.entry(way).or_default().entry(stub.number()).or_insert(Lent { stub, count: 0 });
        lent.count += 1;
    }

    /// The reference has arrived, or did not go out. Returns what need not be kept any more.
    #[must_use]
    pub fn end_lend(&self, object: u64, way: Way) -> Option<Arc<Stub>> {
        let mut tables = self.tables.lock();
        let of_way = tables.lent.get_mut(&way)?;
        let lent = of_way.get_mut(&object)?;
        lent.count -= 1;
        if lent.count > 0 {
            return None;
        }
        let lent = of_way.remove(&object);
        if of_way.is_empty() {
            tables.lent.remove(&way);
        }
        lent.map(|lent| lent.stub)
    }

    /// Nothing more will arrive on this way. Returns what need not be kept any more.
    #[must_use]
    pub fn end_way(&self, way: Way) -> Vec<Arc<Stub>> {
        let lent = self.tables.lock().lent.remove(&way).unwrap_or_default();
        lent.into_values().map(|lent| lent.stub).collect()
    }

    /// The process `to` is dead. Returns what need not be kept any more.
    #[must_use]
    pub fn end_all_lends(&self, to: Address) -> Vec<Arc<Stub>> {
        let ended = self.tables.lock().lent.extract_if(|way, _| way.to == to).collect::<Vec<_>>();
        ended.into_iter().flat_map(|(_, lent)| lent.into_values()).map(|lent| lent.stub).collect()
    }

    /// To whom the process `from` is passing references on.
    pub fn lent_by(&self, from: Address) -> Vec<Address> {
        self.tables.lock().lent.keys().filter(|way| way.from == from).map(|way| way.to).collect()
    }

    /// Ends the wait for somebody to ask for a stub that was passed on.
    #[must_use]
    pub fn arrived(&self, object: u64) -> Option<Arc<Stub>> {
        self.tables.lock().passed_on.remove(&object)
    }

    pub(super) fn forget(&self, object: u64) {
        if self.generation == fork::generation() {
            self.tables.lock().known.remove(&object);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ptr::NonNull;

    use super::*;
    use crate::object::{Parcel, RequestHandler};

    struct Silent;

    impl RequestHandler for Silent {
        fn handle(&self, _code: u32, _data: NonNull<Parcel>, _reply: NonNull<Parcel>) -> i32 {
            0
        }
    }

    fn way(from: u8, to: u8) -> Way {
        Way { from: Address([from; 16]), to: Address([to; 16]) }
    }

    #[test]
    fn what_one_process_passes_on_does_not_end_what_another_does() {
        let exports = Exports::new(Address([0; 16]));
        let stub = Stub::new("test".to_owned(), Box::new(Silent));
        for lend in [way(1, 3), way(1, 3), way(2, 3), way(1, 4)] {
            exports.lend(Arc::clone(&stub), lend);
        }
        assert!(exports.end_lend(stub.number(), way(1, 3)).is_none());
        assert!(exports.end_lend(stub.number(), way(1, 3)).is_some());
        assert!(exports.end_lend(stub.number(), way(1, 3)).is_none());
        assert_eq!(exports.lent_by(Address([1; 16])), [Address([4; 16])]);
        assert_eq!(exports.end_way(way(1, 4)).len(), 1);
        assert_eq!(Arc::strong_count(&stub), 2, "the second process still passes it on");
        assert_eq!(exports.end_all_lends(Address([3; 16])).len(), 1);
        assert_eq!(Arc::strong_count(&stub), 1);
    }
}
