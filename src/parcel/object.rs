// SPDX-License-Identifier: Apache-2.0
//! The objects in a parcel: what they are, where they lie.

use std::io;
use std::os::fd::OwnedFd;

use super::MalformedObjects;
use crate::sys::descriptor;

/// Bytes that an object takes in the data.
pub const OBJECT_SIZE: usize = 24;

const FLAGS: u32 = 0x17f;

/// Something in a parcel that is more than bytes.
#[derive(Debug)]
pub enum Object<O> {
    /// A stub or proxy.
    Remote {
        /// The call that wrote it. Either call reads it.
        written_as: RemoteKind,
        /// The parcel's own reference to it.
        object: O,
    },
    /// A file descriptor; the parcel's own duplicate.
    FileDescriptor(OwnedFd),
}

/// Checks that objects at these offsets lie whole within the bytes of a message, one behind the other.
///
/// # Errors
/// They do not.
pub fn check_places(offsets: impl Iterator<Item = u32>, data_size: usize) -> Result<(), MalformedObjects> {
    let mut free = 0;
    for offset in offsets {
        let (start, end) = (offset as usize, offset as usize + OBJECT_SIZE);
        if start < free || end > data_size {
            return Err(MalformedObjects { offset, data_size });
        }
        free = end;
    }
    Ok(())
}

/// Which of the two calls wrote a remote object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemoteKind {
    /// Written as a stub.
    Stub,
    /// Written as a proxy.
    Proxy,
}

/// An object and the offset in the data at which its [`OBJECT_SIZE`] bytes begin.
#[derive(Debug)]
pub struct Placed<O> {
    /// Offset of its first byte.
    pub offset: u32,
    /// The object.
    pub object: Object<O>,
}

impl<O> Placed<O> {
    fn start(&self) -> usize {
        self.offset as usize
    }

    fn end(&self) -> usize {
        self.offset as usize + OBJECT_SIZE
    }
}

impl<O> Object<O> {
    /// The bytes that stand for it in the data: type, flags, handle, cookie. Handle and cookie are zero: the object itself is kept
    /// beside the data, and an address or a number of this process would mean nothing to a peer.
    pub(super) fn placeholder(&self) -> [u8; OBJECT_SIZE] {
        let kind: u32 = match self {
            Self::Remote { written_as: RemoteKind::Stub, .. } => 0x7362_2a85,
            Self::Remote { written_as: RemoteKind::Proxy, .. } => 0x7368_2a85,
            Self::FileDescriptor(_) => 0x6664_2a85,
        };
        let mut bytes = [0; OBJECT_SIZE];
        bytes[..4].copy_from_slice(&kind.to_le_bytes());
        bytes[4..8].copy_from_slice(&FLAGS.to_le_bytes());
        bytes
    }
}

impl<O: Clone> Object<O> {
    /// Another reference to the same object; a file descriptor is duplicated.
    ///
    /// # Errors
    /// The descriptor could not be duplicated.
    pub fn duplicate(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Remote { written_as, object } => Self::Remote { written_as: *written_as, object: object.clone() },
            Self::FileDescriptor(fd) => Self::FileDescriptor(descriptor::duplicate(fd)?),
        })
    }
}

/// The objects of one parcel: first those that can be read, in the order in which they lie in the data, then the remote objects that
/// were cut off and wait for the parcel's end. So cutting needs no memory and runs no code of the user.
pub(super) struct ObjectTable<O> {
    entries: Vec<Placed<O>>,
    live: usize,
}

impl<O> ObjectTable<O> {
    pub(super) const fn new() -> Self {
        Self { entries: Vec::new(), live: 0 }
    }

    pub(super) fn from_message(entries: Vec<Placed<O>>, data_size: usize) -> Result<Self, MalformedObjects> {
        check_places(entries.iter().map(|entry| entry.offset), data_size)?;
        Ok(Self { live: entries.len(), entries })
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Makes room for so many more; `false` where there is no memory.
    pub(super) fn reserve(&mut self, more: usize) -> bool {
        self.entries.try_reserve(more).is_ok()
    }

    /// Adds one that lies behind all others. Allocates unless [`Self::reserve`] did.
    pub(super) fn push(&mut self, entry: Placed<O>) {
        debug_assert!(self.live().last().is_none_or(|last| last.end() <= entry.start()), "objects are added in order");
        let last = self.entries.len();
        self.entries.push(entry);
        self.entries.swap(self.live, last);
        self.live += 1;
    }

    /// Forgets those that do not lie whole below `end`. References to remote objects live on as long as the parcel; file descriptors are
    /// closed.
    #[inline]
    pub(super) fn forget_behind(&mut self, end: usize) {
        if !self.is_empty() {
            self.search_behind(end);
        }
    }

    #[inline(never)]
    fn search_behind(&mut self, end: usize) {
        self.live = self.live().partition_point(|entry| entry.end() <= end);
        let is_descriptor = |entry: &mut Placed<O>| matches!(entry.object, Object::FileDescriptor(_));
        self.entries.extract_if(self.live.., is_descriptor).for_each(drop);
    }

    /// The object whose first byte lies at `offset`.
    pub(super) fn at(&self, offset: usize) -> Option<&Object<O>> {
        let index = self.live().binary_search_by_key(&offset, Placed::start).ok()?;
        Some(&self.entries[index].object)
    }

    /// Whether any of the bytes from `start` to before `end` belongs to an object.
    #[inline]
    pub(super) fn overlaps(&self, start: usize, end: usize) -> bool {
        !self.is_empty() && self.search_overlap(start, end)
    }

    #[inline(never)]
    fn search_overlap(&self, start: usize, end: usize) -> bool {
        let first_behind_start = self.live().partition_point(|entry| entry.end() <= start);
        self.live().get(first_behind_start).is_some_and(|entry| entry.start() < end)
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (u32, &Object<O>)> {
        self.live().iter().map(|entry| (entry.offset, &entry.object))
    }

    fn live(&self) -> &[Placed<O>] {
        &self.entries[..self.live]
    }
}
