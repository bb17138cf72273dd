// SPDX-License-Identifier: Apache-2.0
//! Bytes in a file that only has a descriptor, for what is too long for a packet.
#![allow(unsafe_code)] // system calls

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::fs::FileExt;

/// A file with this content.
pub(crate) fn with_content(content: &[u8]) -> io::Result<File> {
    check_file_limit(content.len())?;
    // SAFETY: a constant text; what comes back is a descriptor of our own.
    let mut file = unsafe {
        match libc::memfd_create(c"ipckit-child-arguments".as_ptr(), libc::MFD_CLOEXEC) {
            -1 => return Err(io::Error::last_os_error()),
            number => File::from_raw_fd(number),
        }
    };
    file.write_all(content)?;
    Ok(file)
}

/// A file that grew beyond the limit of file sizes would end this process by SIGXFSZ.
fn check_file_limit(len: usize) -> io::Result<()> {
    let mut limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: the limit is a local that outlives the call.
    unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, &raw mut limit) };
    if limit.rlim_cur < len as u64 { Err(io::Error::from_raw_os_error(libc::EFBIG)) } else { Ok(()) }
}

/// The whole content, wherever the file's position is.
pub(crate) fn content(file: OwnedFd) -> io::Result<Vec<u8>> {
    let file = File::from(file);
    let mut content = vec![0; file.metadata()?.len() as usize];
    file.read_exact_at(&mut content, 0)?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        for bytes in [b"".to_vec(), vec![7; 200_000]] {
            assert_eq!(content(with_content(&bytes).unwrap().into()).unwrap(), bytes);
        }
    }
}
