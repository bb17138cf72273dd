// SPDX-License-Identifier: Apache-2.0
//! A doorbell page on the heap.

use std::fs::File;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::ptr::NonNull;

use crate::shm::layout::DoorbellPage;

#[derive(Debug)]
pub struct Mapping(Box<DoorbellPage>);

pub enum Writers {
    Everybody,
}

impl Mapping {
    pub fn shared(_file: BorrowedFd<'_>, _len: usize) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub fn start(&self) -> NonNull<u8> {
        NonNull::from(&*self.0).cast()
    }
}

pub fn create(_name: &str, len: usize, _writers: Writers) -> io::Result<(Mapping, OwnedFd)> {
    assert_eq!(len, size_of::<DoorbellPage>());
    Ok((Mapping(Box::default()), File::open("/dev/null")?.into()))
}
