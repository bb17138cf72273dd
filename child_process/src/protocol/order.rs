// SPDX-License-Identifier: Apache-2.0
//! What a parent tells a child.

use std::ffi::{CStr, CString};

use super::{Meaningless, texts};

/// What a parent tells a child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order {
    /// Load this library, by path or by a name for the loader, and do with it what the task says.
    Begin { task: Task, library: CString, surroundings: Surroundings },
    /// The parent has a proxy now, or has given up trying.
    Imported,
}

/// What a child is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// Connect the library to the parent and run its main procedure.
    Connect,
    /// Run a function with what the parent gives it: a [`super::Gift`] in a file, and descriptors, come along.
    Run,
}

/// What a child sees to before it loads anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Surroundings {
    pub(crate) nice: i32,
    pub(crate) isolation: Option<Isolation>,
}

/// What is kept from an isolated child.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Isolation {
    /// Whether it sees itself as another user.
    pub(crate) other_user: bool,
    /// Directories that it finds empty.
    pub(crate) hidden: Vec<CString>,
}

const BEGIN: u8 = 1;
const IMPORTED: u8 = 2;

const RUN: u8 = 1;
const ISOLATED: u8 = 2;
const OTHER_USER: u8 = 4;

impl Order {
    pub(crate) fn to_packet(&self) -> Vec<u8> {
        let Self::Begin { task, library, surroundings } = self else { return vec![IMPORTED] };
        let isolation = surroundings.isolation.as_ref();
        let mut flags = if *task == Task::Run { RUN } else { 0 };
        flags |= isolation.map_or(0, |isolation| ISOLATED | if isolation.other_user { OTHER_USER } else { 0 });
        let hidden = isolation.into_iter().flat_map(|isolation| &isolation.hidden);
        let texts = [library].into_iter().chain(hidden).flat_map(|text| text.to_bytes_with_nul());
        [BEGIN, flags].into_iter().chain(surroundings.nice.to_ne_bytes()).chain(texts.copied()).collect()
    }

    pub(crate) fn from_packet(packet: &[u8]) -> Result<Self, Meaningless> {
        let meaningless = || Meaningless::packet(packet);
        match packet.split_first().ok_or_else(meaningless)? {
            (&BEGIN, content) => Self::begin(content).ok_or_else(meaningless),
            (&IMPORTED, []) => Ok(Self::Imported),
            _ => Err(meaningless()),
        }
    }

    fn begin(content: &[u8]) -> Option<Self> {
        let (&flags, content) = content.split_first()?;
        let (&nice, content) = content.split_first_chunk()?;
        let mut texts = texts(content)?.map(CStr::to_owned);
        let library = texts.next()?;
        let hidden: Vec<_> = texts.collect();
        let isolation = (flags & ISOLATED != 0).then_some(Isolation { other_user: flags & OTHER_USER != 0, hidden });
        let task = if flags & RUN == 0 { Task::Connect } else { Task::Run };
        Some(Self::Begin { task, library, surroundings: Surroundings { nice: i32::from_ne_bytes(nice), isolation } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_arrive_as_they_were_sent() {
        let isolations = [
            None,
            Some(Isolation::default()),
            Some(Isolation { other_user: true, hidden: vec![c"/home/somebody".into(), c"/run/user/1".into()] }),
        ];
        for isolation in isolations {
            for task in [Task::Connect, Task::Run] {
                let surroundings = Surroundings { nice: -3, isolation: isolation.clone() };
                let order = Order::Begin { task, library: c"/lib/libx.so".into(), surroundings };
                assert_eq!(Order::from_packet(&order.to_packet()), Ok(order));
            }
        }
        assert_eq!(Order::from_packet(&Order::Imported.to_packet()), Ok(Order::Imported));
    }

    #[test]
    fn an_order_without_a_terminated_library_means_nothing() {
        for library in [b"libx".as_slice(), b"lib\0x", b""] {
            let packet = [&[BEGIN, 0, 0, 0, 0, 0], library].concat();
            assert!(Order::from_packet(&packet).is_err(), "{library:?}");
        }
        assert!(Order::from_packet(&[BEGIN, 0, 0]).is_err());
        assert!(Order::from_packet(&[IMPORTED, 0]).is_err());
    }
}
