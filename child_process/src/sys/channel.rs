// SPDX-License-Identifier: Apache-2.0
//! The socket pair between a parent and a child: whole packets, in order, and a hang-up when either end is gone.
#![allow(unsafe_code)] // system calls

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use ipckit_order as order;

/// One end.
#[derive(Debug)]
pub(crate) struct Channel(OwnedFd);

/// What there was to receive.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// A packet of this many bytes.
    Packet(usize),
    /// Nothing so far.
    Nothing,
    /// The other end is gone, or has sent a packet without content, which nobody does.
    End,
}

impl Channel {
    /// Two connected ends. Neither has the number of a standard descriptor or of a child's channel, or outlives an exec.
    pub(crate) fn pair() -> io::Result<(Self, Self)> {
        let mut numbers = [-1; 2];
        // SAFETY: the kernel writes two numbers into the array.
        if unsafe {
            libc::socketpair(libc::AF_UNIX, libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC, 0, numbers.as_mut_ptr())
        } == -1
        {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel has just made these two for us.
        let [first, second] = numbers.map(|number| unsafe { OwnedFd::from_raw_fd(number) });
        Ok((Self(out_of_the_way(first)?), Self(out_of_the_way(second)?)))
    }

    /// The end that an open descriptor is.
    pub(crate) fn from_descriptor(descriptor: OwnedFd) -> Self {
        // SAFETY: takes numbers only.
        unsafe { libc::fcntl(descriptor.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC) };
        Self(descriptor)
    }

    /// Sends one packet, without waiting for room.
    pub(crate) fn send(&self, packet: &[u8]) -> io::Result<()> {
        let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
        // SAFETY: the kernel reads the packet during the call only.
        let sent = unsafe { libc::send(self.number(), packet.as_ptr().cast(), packet.len(), flags) };
        order::hand_over(self);
        if sent == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Receives one packet without waiting. One that does not fit is an error. Descriptors that came with it are lost.
    pub(crate) fn receive(&self, buffer: &mut [u8]) -> io::Result<Received> {
        let flags = libc::MSG_TRUNC | libc::MSG_DONTWAIT;
        // SAFETY: the kernel writes at most the buffer's length.
        let length = unsafe { libc::recv(self.number(), buffer.as_mut_ptr().cast(), buffer.len(), flags) };
        match usize::try_from(length) {
            Ok(0) => Ok(Received::End),
            Ok(length) if length <= buffer.len() => Ok(Received::Packet(length)),
            Ok(length) => Err(io::Error::other(format!("a packet of {length} bytes, more than are allowed"))),
            Err(_) => {
                let error = io::Error::last_os_error();
                match error.kind() {
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(Received::Nothing),
                    io::ErrorKind::ConnectionReset => Ok(Received::End),
                    _ => Err(error),
                }
            }
        }
    }

    /// Refuses what the other end might still send.
    pub(crate) fn stop_receiving(&self) {
        // SAFETY: takes numbers only.
        unsafe { libc::shutdown(self.number(), libc::SHUT_RD) };
    }

    /// Ends the talk for both ends.
    pub(crate) fn hang_up(&self) {
        // SAFETY: takes numbers only.
        unsafe { libc::shutdown(self.number(), libc::SHUT_RDWR) };
        order::hand_over(self);
    }

    fn number(&self) -> c_int {
        self.0.as_raw_fd()
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        // Another thread may have used it last.
        order::take_over(self);
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The descriptor itself or, where its number is one that means something in a child, a duplicate with a higher number.
pub(super) fn out_of_the_way(descriptor: OwnedFd) -> io::Result<OwnedFd> {
    const FIRST_FREE: c_int = super::guardian::CHANNEL_NUMBER + 1;
    if descriptor.as_raw_fd() >= FIRST_FREE {
        return Ok(descriptor);
    }
    // SAFETY: takes numbers only, and what it returns is a descriptor of our own.
    unsafe {
        match libc::fcntl(descriptor.as_raw_fd(), libc::F_DUPFD_CLOEXEC, FIRST_FREE) {
            -1 => Err(io::Error::last_os_error()),
            number => Ok(OwnedFd::from_raw_fd(number)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::poll::{self, Interest};

    #[test]
    fn packets_arrive_whole_and_in_order() {
        let (near, far) = Channel::pair().unwrap();
        near.send(b"one").unwrap();
        near.send(b"two, longer").unwrap();
        let mut buffer = [0; 16];
        assert_eq!(far.receive(&mut buffer).unwrap(), Received::Packet(3));
        assert_eq!(&buffer[..3], b"one");
        assert_eq!(far.receive(&mut buffer).unwrap(), Received::Packet(11));
        assert_eq!(&buffer[..11], b"two, longer");
        assert_eq!(far.receive(&mut buffer).unwrap(), Received::Nothing);
    }

    #[test]
    fn what_was_sent_arrives_before_the_end() {
        let (near, far) = Channel::pair().unwrap();
        near.send(b"last words").unwrap();
        drop(near);
        let mut buffer = [0; 16];
        assert_eq!(far.receive(&mut buffer).unwrap(), Received::Packet(10));
        // A process that another test creates may hold a copy for a moment.
        poll::wait(&[(far.as_fd(), Interest::HangUp)], None);
        assert_eq!(far.receive(&mut buffer).unwrap(), Received::End);
    }

    #[test]
    fn a_packet_that_does_not_fit_is_an_error() {
        let (near, far) = Channel::pair().unwrap();
        near.send(&[7; 17]).unwrap();
        assert!(far.receive(&mut [0; 16]).unwrap_err().to_string().contains("17 bytes"));
    }

    #[test]
    fn an_end_that_stopped_receiving_still_sends() {
        let (near, far) = Channel::pair().unwrap();
        near.stop_receiving();
        assert_eq!(far.send(b"unwanted").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        near.send(b"reply").unwrap();
        assert_eq!(far.receive(&mut [0; 16]).unwrap(), Received::Packet(5));
    }

    #[test]
    fn no_end_has_a_number_that_means_something_in_a_child() {
        let (near, far) = Channel::pair().unwrap();
        for end in [near, far] {
            assert!(end.as_fd().as_raw_fd() > super::super::guardian::CHANNEL_NUMBER);
        }
    }
}
