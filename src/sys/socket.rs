// SPDX-License-Identifier: Apache-2.0
//! Unix sockets that carry whole messages with descriptors, and tell who is at the other end.
#![allow(unsafe_code)] // system calls

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::OnceLock;

use super::fault_point::FaultPoint;

/// Descriptors that one message can carry; the kernel's number.
pub const DESCRIPTORS_A_MESSAGE: usize = 253;

/// Who made the other end of a connection, by the kernel's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credentials {
    /// The process.
    pub process: u32,
    /// Its effective user at that moment.
    pub user: u32,
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Makes the sockets of a process that has left the network namespace of those it talks to.
static MAKER: OnceLock<extern "C" fn() -> libc::c_int> = OnceLock::new();

/// Has every new socket come from this function, which yields a descriptor or a negative error number. The first call counts.
pub fn set_maker(maker: extern "C" fn() -> libc::c_int) {
    MAKER.get_or_init(|| maker);
}

fn new_socket() -> io::Result<OwnedFd> {
    if let Some(maker) = MAKER.get() {
        let result = maker();
        if result < 0 {
            return Err(io::Error::from_raw_os_error(-result));
        }
        // SAFETY: the maker gives every descriptor away.
        return Ok(unsafe { OwnedFd::from_raw_fd(result) });
    }
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: the call takes no pointer.
    let fd = check(unsafe { libc::socket(libc::AF_UNIX, kind, 0) })?;
    // SAFETY: the kernel has just handed this descriptor to us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The address of a name in the abstract namespace, and its length.
fn abstract_address(name: &[u8]) -> io::Result<(libc::sockaddr_un, libc::socklen_t)> {
    // SAFETY: a zeroed address is a valid one.
    let mut address: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    address.sun_family = libc::AF_UNIX as libc::sa_family_t;
    let place = address.sun_path.get_mut(1..=name.len()).ok_or(io::ErrorKind::InvalidInput)?;
    for (to, from) in place.iter_mut().zip(name) {
        *to = from.cast_signed();
    }
    let len = std::mem::offset_of!(libc::sockaddr_un, sun_path) + 1 + name.len();
    Ok((address, len as libc::socklen_t))
}

/// A listening socket of the abstract name `name`, which vanishes with its last descriptor.
pub fn listen(name: &[u8]) -> io::Result<OwnedFd> {
    const WAITING_CONNECTIONS: i32 = 4096;
    let socket = new_socket()?;
    let (address, len) = abstract_address(name)?;
    // SAFETY: the address is a local of at least `len` bytes that outlives the call.
    check(unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), len) })?;
    // SAFETY: the call takes no pointer.
    check(FaultPoint::Listening.around(|| unsafe { libc::listen(socket.as_raw_fd(), WAITING_CONNECTIONS) }))?;
    Ok(socket)
}

/// Connects to the abstract name `name`. `WouldBlock` where too many wait there already.
pub fn connect(name: &[u8]) -> io::Result<OwnedFd> {
    let socket = new_socket()?;
    let (address, len) = abstract_address(name)?;
    // SAFETY: the address is a local of at least `len` bytes that outlives the call.
    let connect = || unsafe { libc::connect(socket.as_raw_fd(), (&raw const address).cast(), len) };
    check(FaultPoint::Connected.around(connect))?;
    Ok(socket)
}

/// The next waiting connection; `WouldBlock` where there is none.
pub fn accept(listener: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let flags = libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: null pointers say that the peer's address is not wanted.
    let take = || unsafe { libc::accept4(listener.as_raw_fd(), std::ptr::null_mut(), std::ptr::null_mut(), flags) };
    let fd = check(FaultPoint::Accepted.around(take))?;
    // SAFETY: the kernel has just handed this descriptor to us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Who made the other end: for an accepted socket who connected, for a connected one who listens.
pub fn peer_credentials(socket: BorrowedFd<'_>) -> io::Result<Credentials> {
    let mut credentials = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut len = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: both pointers are to locals that outlive the call, and `len` is the size of the first.
    check(unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut credentials).cast(),
            &mut len,
        )
    })?;
    Ok(Credentials { process: credentials.pid.cast_unsigned(), user: credentials.uid })
}

/// Whether the other end has hung up, and nothing that it had sent is left.
pub fn has_ended(socket: BorrowedFd<'_>) -> bool {
    let mut byte = 0_u8;
    let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
    // SAFETY: at most one byte is written, to the local.
    unsafe { libc::recv(socket.as_raw_fd(), (&raw mut byte).cast(), 1, flags) == 0 }
}

/// Ends the connection in both directions; the other end sees a hang-up.
pub fn shut_down(socket: BorrowedFd<'_>) {
    // SAFETY: the call takes no pointer.
    FaultPoint::ShutDown.around(|| unsafe { libc::shutdown(socket.as_raw_fd(), libc::SHUT_RDWR) });
}

/// Room for the control message of [`DESCRIPTORS_A_MESSAGE`] descriptors, aligned as its header must be.
#[repr(C, align(8))]
struct ControlRoom([u8; 16 + DESCRIPTORS_A_MESSAGE * 4 + 12]);

fn header(bytes: &mut libc::iovec, control: &mut ControlRoom, control_len: usize) -> libc::msghdr {
    // SAFETY: a zeroed header is a valid empty one.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_iov = bytes;
    header.msg_iovlen = 1;
    if control_len > 0 {
        header.msg_control = (&raw mut control.0).cast();
        header.msg_controllen = control_len as _;
    }
    header
}

/// Sends one message with its descriptors (at most [`DESCRIPTORS_A_MESSAGE`]); all or nothing. `WouldBlock` where the
/// receiver does not keep up.
pub fn send(socket: BorrowedFd<'_>, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut control = ControlRoom([0; _]);
    let payload = size_of_val(descriptors);
    let mut vector = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    // SAFETY: pure arithmetic on a length.
    let control_len = if descriptors.is_empty() { 0 } else { unsafe { libc::CMSG_SPACE(payload as u32) as usize } };
    if control_len > size_of::<ControlRoom>() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let header = header(&mut vector, &mut control, control_len);
    if !descriptors.is_empty() {
        // SAFETY: the header names `control_len` bytes of `control`, which hold this one control message by CMSG_SPACE; the
        // array lives until the call below is over.
        unsafe {
            let message = libc::CMSG_FIRSTHDR(&header);
            (*message).cmsg_level = libc::SOL_SOCKET;
            (*message).cmsg_type = libc::SCM_RIGHTS;
            (*message).cmsg_len = libc::CMSG_LEN(payload as u32) as _;
            let numbers: *mut libc::c_int = libc::CMSG_DATA(message).cast();
            for (place, fd) in descriptors.iter().enumerate() {
                numbers.add(place).write_unaligned(fd.as_raw_fd());
            }
        }
    }
    loop {
        // SAFETY: the header and what it points to are locals and borrows that outlive the call.
        let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), &header, libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT) };
        if sent >= 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// Receives one message into `bytes`, its descriptors (close-on-exec) into `descriptors`, and returns its length: 0 where the
/// other end is closed. A message longer than `bytes` is `InvalidData`; one whose descriptors did not all arrive is an error too.
pub fn receive(socket: BorrowedFd<'_>, bytes: &mut [u8], descriptors: &mut Vec<OwnedFd>) -> io::Result<usize> {
    let mut control = ControlRoom([0; _]);
    let mut vector = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    let mut header = header(&mut vector, &mut control, size_of::<ControlRoom>());
    let flags = libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC;
    let len = loop {
        // SAFETY: the header and what it points to are locals and borrows that outlive the call.
        let len = unsafe { libc::recvmsg(socket.as_raw_fd(), &mut header, flags) };
        if let Ok(len) = usize::try_from(len) {
            break len;
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    };
    // SAFETY: the kernel has filled `control` in as the header says, and both live on; each number in it is a fresh descriptor
    // of this process that nobody else knows.
    unsafe {
        let mut message = libc::CMSG_FIRSTHDR(&header);
        while !message.is_null() {
            if (*message).cmsg_level == libc::SOL_SOCKET && (*message).cmsg_type == libc::SCM_RIGHTS {
                let payload = (*message).cmsg_len as usize - libc::CMSG_LEN(0) as usize;
                let numbers: *const libc::c_int = libc::CMSG_DATA(message).cast();
                for place in 0..payload / size_of::<libc::c_int>() {
                    descriptors.push(OwnedFd::from_raw_fd(numbers.add(place).read_unaligned()));
                }
            }
            message = libc::CMSG_NXTHDR(&header, message);
        }
    }
    if header.msg_flags & libc::MSG_CTRUNC != 0 && descriptors.len() < DESCRIPTORS_A_MESSAGE {
        return Err(io::Error::from_raw_os_error(libc::EMFILE));
    }
    if header.msg_flags & libc::MSG_CTRUNC != 0 {
        return Err(io::Error::other("it came with more file descriptors than a message can have"));
    }
    if header.msg_flags & libc::MSG_TRUNC != 0 {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(len)
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn a_message_arrives_whole_with_its_descriptors_and_the_senders_credentials() {
        let name = b"ipckit-test-socket-1";
        let listener = listen(name).expect("a listener");
        let client = connect(name).expect("a connection");
        let server = accept(listener.as_fd()).expect("the connection");
        send(client.as_fd(), b"hello", &[listener.as_fd(), client.as_fd()]).expect("sent");
        let mut bytes = [0; 16];
        let mut descriptors = Vec::new();
        assert_eq!(receive(server.as_fd(), &mut bytes, &mut descriptors).expect("received"), 5);
        assert_eq!(&bytes[..5], b"hello");
        assert_eq!(descriptors.len(), 2);
        let credentials = peer_credentials(server.as_fd()).expect("credentials");
        assert_eq!(credentials.process, std::process::id());
        drop(client);
        drop(descriptors);
        assert_eq!(receive(server.as_fd(), &mut bytes, &mut Vec::new()).expect("end"), 0);
    }

    #[test]
    fn a_message_that_does_not_fit_is_refused() {
        let name = b"ipckit-test-socket-2";
        let listener = listen(name).expect("a listener");
        let client = connect(name).expect("a connection");
        let server = accept(listener.as_fd()).expect("the connection");
        send(client.as_fd(), b"hello", &[]).expect("sent");
        let error = receive(server.as_fd(), &mut [0; 3], &mut Vec::new()).expect_err("too long");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
