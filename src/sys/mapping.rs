// SPDX-License-Identifier: Apache-2.0
//! Memory that processes share: a memfd, mapped.
#![allow(unsafe_code)] // mmap

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;

use memfd::{FileSeal, MemfdOptions};

use super::{fork, process};

/// A mapping of a memfd; unmapped when dropped, though not by a forked child: there the range may be something else by then.
#[derive(Debug)]
pub struct Mapping {
    start: NonNull<u8>,
    len: usize,
    generation: u32,
}

// SAFETY: the mapping is plain memory, at home in the process and not in a thread; what may be done with it at the same time
// is up to the types laid over it.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    fn map(file: BorrowedFd<'_>, len: usize, protection: i32) -> io::Result<Self> {
        // SAFETY: a fresh mapping at an address of the kernel's choice touches nothing that exists.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), len, protection, libc::MAP_SHARED, file.as_raw_fd(), 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or_else(|| io::Error::other("mapped at address zero"))?;
        Ok(Self { start, len, generation: fork::generation() })
    }

    /// Maps `len` bytes of somebody else's memfd for reading only.
    pub fn read_only(file: BorrowedFd<'_>, len: usize) -> io::Result<Self> {
        check_sealed(file, len)?;
        Self::map(file, len, libc::PROT_READ)
    }

    /// Maps `len` bytes of a memfd that several processes write.
    pub fn shared(file: BorrowedFd<'_>, len: usize) -> io::Result<Self> {
        check_sealed(file, len)?;
        Self::map(file, len, libc::PROT_READ | libc::PROT_WRITE)
    }

    /// The first byte; it is page-aligned.
    pub fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// Whether a process that forked this one made it: then there may be nothing here, or something else.
    pub fn is_inherited(&self) -> bool {
        self.generation != fork::generation()
    }

    fn keep_from_forked_child(&self) {
        // SAFETY: the range is this mapping's own; the advice changes nothing in this process.
        unsafe {
            libc::madvise(self.start.as_ptr().cast(), self.len, libc::MADV_DONTFORK);
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if self.is_inherited() {
            return;
        }
        // SAFETY: the range is this mapping's own, and with the last owner of it nobody points into it any more.
        unsafe {
            libc::munmap(self.start.as_ptr().cast(), self.len);
        }
    }
}

/// A file that could shrink under a mapping would end this process by SIGBUS: a size that is sealed cannot. Neither can it run out of memory
/// as huge pages can, which are not to be had when a hole that was made in them is read.
fn check_sealed(file: BorrowedFd<'_>, len: usize) -> io::Result<()> {
    // SAFETY: the call takes a descriptor and no pointer.
    let seals = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GET_SEALS) };
    if seals < 0 || seals & libc::F_SEAL_SHRINK == 0 {
        return Err(io::Error::other("the peer's shared memory is not sealed against shrinking"));
    }
    // SAFETY: zeroes are a valid place for fstatfs to write to.
    let mut system: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: the local outlives the call.
    if unsafe { libc::fstatfs(file.as_raw_fd(), &mut system) } < 0 {
        return Err(io::Error::last_os_error());
    }
    if system.f_type != libc::TMPFS_MAGIC {
        return Err(io::Error::other("the peer's shared memory is of a kind that is not agreed"));
    }
    // SAFETY: a zeroed stat is a valid place for fstat to write to.
    let mut stat: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: the stat is a local that outlives the call.
    if unsafe { libc::fstat(file.as_raw_fd(), &mut stat) } < 0 {
        return Err(io::Error::last_os_error());
    }
    if usize::try_from(stat.st_size).is_ok_and(|size| size >= len) {
        Ok(())
    } else {
        Err(io::Error::other("the peer's shared memory is smaller than agreed"))
    }
}

/// Who may write a memfd besides its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writers {
    /// Nobody: once the owner has mapped it, it is sealed against every further writable mapping.
    OwnerOnly,
    /// Whoever gets the descriptor.
    Everybody,
}

fn system_error(error: memfd::Error) -> io::Error {
    match error {
        memfd::Error::Create(error) | memfd::Error::AddSeals(error) | memfd::Error::GetSeals(error) => error,
    }
}

/// A file that grew beyond the limit of file sizes would end this process by SIGXFSZ.
fn check_file_limit(len: usize) -> io::Result<()> {
    let is_enough = process::limit(libc::RLIMIT_FSIZE) >= len as u64;
    if is_enough { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::EFBIG)) }
}

/// A new zero-filled memfd of `len` bytes and its writable mapping. A forked child does not inherit the mapping.
pub fn create(name: &str, len: usize, writers: Writers) -> io::Result<(Mapping, OwnedFd)> {
    check_file_limit(len)?;
    let file = MemfdOptions::default().close_on_exec(true).allow_sealing(true).create(name).map_err(system_error)?;
    file.as_file().set_len(len as u64)?;
    let mapping = Mapping::map(file.as_file().as_fd(), len, libc::PROT_READ | libc::PROT_WRITE)?;
    let mut seals = vec![FileSeal::SealShrink, FileSeal::SealGrow];
    if writers == Writers::OwnerOnly {
        seals.push(FileSeal::SealFutureWrite);
    }
    seals.push(FileSeal::SealSeal);
    file.add_seals(&seals).map_err(system_error)?;
    mapping.keep_from_forked_child();
    Ok((mapping, file.into_file().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_else_can_map_an_owners_memory_writable() {
        let (mapping, file) = create("test", 4096, Writers::OwnerOnly).expect("a memfd");
        assert!(Mapping::shared(file.as_fd(), 4096).is_err());
        let reader = Mapping::read_only(file.as_fd(), 4096).expect("a read-only mapping");
        // SAFETY: the mapping is 4096 bytes long and nobody else knows it.
        unsafe { mapping.start().as_ptr().write(7) };
        // SAFETY: as above; both mappings are of the same page.
        assert_eq!(unsafe { reader.start().as_ptr().read() }, 7);
    }

    #[test]
    fn a_file_that_could_shrink_is_refused() {
        let file = MemfdOptions::default().allow_sealing(true).create("test").expect("a memfd");
        file.as_file().set_len(4096).expect("a size");
        assert!(Mapping::read_only(file.as_file().as_fd(), 4096).is_err());
    }

    #[test]
    fn huge_pages_are_refused() {
        let huge =
            MemfdOptions::default().allow_sealing(true).hugetlb(Some(memfd::HugetlbSize::Huge2MB)).create("test");
        // Where the kernel has none, nobody can send any.
        let Ok(file) = huge else { return };
        file.as_file().set_len(2 << 20).expect("a size");
        file.add_seals(&[FileSeal::SealShrink]).expect("seals");
        assert!(Mapping::read_only(file.as_file().as_fd(), 4096).is_err());
    }

    #[test]
    fn a_file_that_is_too_small_is_refused() {
        let (_mapping, file) = create("test", 4096, Writers::Everybody).expect("a memfd");
        assert!(Mapping::shared(file.as_fd(), 8192).is_err());
        assert!(Mapping::shared(file.as_fd(), 4096).is_ok());
    }
}
