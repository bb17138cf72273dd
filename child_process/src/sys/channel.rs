// SPDX-License-Identifier: Apache-2.0
//! The socket pair between a parent and a child: whole packets, in order, and a hang-up when either end is gone.
#![allow(unsafe_code)] // system calls

use std::ffi::c_int;
use std::io;
use std::iter;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

use ipckit_order as order;

use super::own_descriptor::OwnDescriptor;
use crate::mutation::Mutation;

/// Descriptors that one packet can carry, more than this library ever sends in one.
const MOST_DESCRIPTORS: usize = 32;

/// One end.
#[derive(Debug)]
pub(crate) struct Channel(OwnDescriptor);

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
        let end = |descriptor| out_of_the_way(descriptor).map(|descriptor| Self(OwnDescriptor::new(descriptor)));
        Ok((end(first)?, end(second)?))
    }

    /// The end that an open descriptor is.
    pub(crate) fn from_descriptor(descriptor: OwnedFd) -> Self {
        // SAFETY: takes numbers only.
        unsafe { libc::fcntl(descriptor.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC) };
        Self(OwnDescriptor::new(descriptor))
    }

    /// Sends one packet, without waiting for room.
    pub(crate) fn send(&self, packet: &[u8]) -> io::Result<()> {
        let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
        // SAFETY: the kernel reads the packet during the call only.
        let sent = unsafe { libc::send(self.number(), packet.as_ptr().cast(), packet.len(), flags) };
        order::hand_over(self);
        if sent == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Sends one packet and, with it, duplicates of descriptors by their numbers, without waiting for room.
    pub(crate) fn send_with(&self, packet: &[u8], descriptors: &[c_int]) -> io::Result<()> {
        assert!(descriptors.len() <= MOST_DESCRIPTORS);
        let mut content = libc::iovec { iov_base: packet.as_ptr().cast_mut().cast(), iov_len: packet.len() };
        let mut control = Control::new();
        let size = mem::size_of_val(descriptors);
        // SAFETY: the header and the buffer that it points to are locals that outlive the call. The buffer has room for
        // as many descriptors as were checked above, behind one header.
        let sent = unsafe {
            let mut message: libc::msghdr = mem::zeroed();
            message.msg_iov = &raw mut content;
            message.msg_iovlen = 1;
            if !descriptors.is_empty() {
                message.msg_control = control.0.as_mut_ptr().cast();
                message.msg_controllen = libc::CMSG_SPACE(size as u32) as _;
                let header = libc::CMSG_FIRSTHDR(&raw const message);
                (*header).cmsg_level = libc::SOL_SOCKET;
                (*header).cmsg_type = libc::SCM_RIGHTS;
                (*header).cmsg_len = libc::CMSG_LEN(size as u32) as _;
                ptr::copy_nonoverlapping(descriptors.as_ptr().cast(), libc::CMSG_DATA(header), size);
            }
            libc::sendmsg(self.number(), &raw const message, libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT)
        };
        // The first is the library's own.
        for number in descriptors.iter().skip(1) {
            // SAFETY: takes numbers only, and breaks the program's use of its descriptors on purpose.
            unsafe {
                if Mutation::GivenDescriptorsAreMoved.is_on() {
                    libc::close(*number);
                } else if Mutation::GivenDescriptorsStayOpen.is_on() {
                    libc::fcntl(*number, libc::F_DUPFD_CLOEXEC, 0);
                }
            }
        }
        order::hand_over(self);
        if sent == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Receives one packet without waiting. One that does not fit is an error. Descriptors that came with it are lost.
    pub(crate) fn receive(&self, buffer: &mut [u8]) -> io::Result<Received> {
        self.receive_with(buffer, &mut Vec::new())
    }

    /// Receives one packet and the descriptors that came with it, without waiting. One that does not fit, or whose
    /// descriptors this process has no room for, is an error.
    pub(crate) fn receive_with(&self, buffer: &mut [u8], descriptors: &mut Vec<OwnedFd>) -> io::Result<Received> {
        self.receive_as(libc::MSG_DONTWAIT, buffer, descriptors)
    }

    /// Waits for one packet, whatever the limit of the number of descriptors; nothing where the wait was interrupted. Descriptors that
    /// came with it are lost.
    pub(crate) fn await_packet(&self, buffer: &mut [u8]) -> io::Result<Received> {
        self.receive_as(0, buffer, &mut Vec::new())
    }

    fn receive_as(&self, flags: c_int, buffer: &mut [u8], descriptors: &mut Vec<OwnedFd>) -> io::Result<Received> {
        let flags = libc::MSG_TRUNC | libc::MSG_CMSG_CLOEXEC | flags;
        let mut content = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
        let mut control = Control::new();
        // SAFETY: the header and what it points to outlive the call. Descriptors that the kernel writes are new ones of ours.
        let (length, is_cut) = unsafe {
            let mut message: libc::msghdr = mem::zeroed();
            message.msg_iov = &raw mut content;
            message.msg_iovlen = 1;
            message.msg_control = control.0.as_mut_ptr().cast();
            message.msg_controllen = mem::size_of::<Control>() as _;
            let length = libc::recvmsg(self.number(), &raw mut message, flags);
            if length >= 0 {
                take_descriptors(&message, descriptors);
            }
            (length, message.msg_flags & libc::MSG_CTRUNC != 0)
        };
        match usize::try_from(length) {
            Ok(length) if length > 0 && is_cut => Err(io::Error::from_raw_os_error(libc::EMFILE)),
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

    /// How many descriptors the process can have more, up to `most`, as far as this one can tell.
    pub(crate) fn room_for_descriptors(&self, most: usize) -> usize {
        let duplicates = iter::from_fn(|| self.0.as_fd().try_clone_to_owned().ok()).take(most);
        duplicates.collect::<Vec<_>>().len()
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

    /// Whether the program has let it be.
    pub(crate) fn is_ours(&self) -> bool {
        self.0.is_ours()
    }

    fn number(&self) -> c_int {
        self.0.number()
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

/// Room for the control data of one packet.
#[repr(C, align(8))]
struct Control([u8; 64 + 4 * MOST_DESCRIPTORS]);

impl Control {
    fn new() -> Self {
        Self([0; 64 + 4 * MOST_DESCRIPTORS])
    }
}

/// # Safety
/// The kernel has filled the message in, and nobody has taken its descriptors.
unsafe fn take_descriptors(message: &libc::msghdr, descriptors: &mut Vec<OwnedFd>) {
    // SAFETY: the macros walk over what the kernel has written, which the caller vouches for.
    unsafe {
        let mut header = libc::CMSG_FIRSTHDR(message);
        while let Some(control) = header.as_ref() {
            if (control.cmsg_level, control.cmsg_type) == (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
                let size = control.cmsg_len - libc::CMSG_LEN(0) as usize;
                let numbers = libc::CMSG_DATA(header).cast::<c_int>();
                let taken = (0..size / mem::size_of::<c_int>()).map(|index| numbers.add(index).read_unaligned());
                descriptors.extend(taken.map(|number| OwnedFd::from_raw_fd(number)));
            }
            header = libc::CMSG_NXTHDR(message, header);
        }
    }
}

/// The descriptor itself or, where its number is one that means something in a child, a duplicate with a higher number.
fn out_of_the_way(descriptor: OwnedFd) -> io::Result<OwnedFd> {
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
    fn descriptors_come_with_the_packet_that_they_were_sent_with() {
        let (near, far) = Channel::pair().unwrap();
        let (one, other) = Channel::pair().unwrap();
        near.send_with(b"none", &[]).unwrap();
        near.send_with(b"both", &[one.number(), other.number()]).unwrap();
        drop(one);
        let (mut buffer, mut descriptors) = ([0; 16], Vec::new());
        assert_eq!(far.receive_with(&mut buffer, &mut descriptors).unwrap(), Received::Packet(4));
        assert!(descriptors.is_empty());
        assert_eq!(far.receive_with(&mut buffer, &mut descriptors).unwrap(), Received::Packet(4));
        assert_eq!(descriptors.len(), 2);
        let one = Channel::from_descriptor(descriptors.remove(0));
        one.send(b"through").unwrap();
        assert_eq!(other.receive(&mut buffer).unwrap(), Received::Packet(7));
    }

    #[test]
    fn a_descriptor_that_is_not_open_is_refused() {
        let (near, _far) = Channel::pair().unwrap();
        assert_eq!(near.send_with(b"x", &[i32::MAX]).unwrap_err().raw_os_error(), Some(libc::EBADF));
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
