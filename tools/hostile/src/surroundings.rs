// SPDX-License-Identifier: Apache-2.0
//! What an attacker finds in its own process, without the library's help: memory that it shares with others, and sockets.
#![allow(unsafe_code, reason = "memory and sockets that the library has made")]

use std::fs;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicU32, Ordering};

/// What it can write of the memory that it shares with others.
pub struct Memory {
    pub start: *mut AtomicU32,
    pub words: usize,
    pub is_segment: bool,
}

impl Memory {
    pub fn word(&self, place: usize) -> &AtomicU32 {
        assert!(place < self.words);
        // SAFETY: within the mapping, which the library keeps as long as it knows the peer; where it is gone, this process ends, as an
        // attacker may.
        unsafe { &*self.start.add(place) }
    }

    /// All that is in it.
    pub fn words(&self) -> Vec<u32> {
        (0..self.words).map(|place| self.word(place).load(Ordering::Relaxed)).collect()
    }
}

fn parse(line: &str) -> Option<Memory> {
    let name = line.split_once("/memfd:ipckit-")?.1;
    let mut parts = line.split(' ');
    let (start, end) = parts.next()?.split_once('-')?;
    if !parts.next()?.contains('w') {
        return None;
    }
    let (start, end) = (usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?);
    let is_segment = name.starts_with("segment");
    Some(Memory { start: std::ptr::with_exposed_provenance_mut(start), words: (end - start) / 4, is_segment })
}

/// The segments, the status, the doorbells: its own ones and those of its peers.
pub fn memories() -> Vec<Memory> {
    fs::read_to_string("/proc/self/maps").unwrap_or_default().lines().filter_map(parse).collect()
}

/// Its sockets, those that it listens at among them.
pub fn sockets() -> Vec<RawFd> {
    let entries = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let is_socket = |entry: &fs::DirEntry| {
        fs::read_link(entry.path()).is_ok_and(|target| target.to_string_lossy().starts_with("socket:"))
    };
    entries.filter(is_socket).filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// Sends a packet, with so many copies of a descriptor, without waiting; whether it went out.
pub fn send(socket: RawFd, bytes: &[u8], descriptors: &[RawFd]) -> bool {
    let payload = size_of_val(descriptors) as u32;
    // SAFETY: pure arithmetic on a length.
    let (space, len) = unsafe { (libc::CMSG_SPACE(payload) as usize, libc::CMSG_LEN(payload) as usize) };
    let mut control = vec![0_u64; space.div_ceil(8)];
    let mut vector = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    // SAFETY: zeroes are a valid header; the control message fits the room that it is given, and all outlives the call.
    let sent = unsafe {
        let mut header: libc::msghdr = std::mem::zeroed();
        header.msg_iov = &mut vector;
        header.msg_iovlen = 1;
        if !descriptors.is_empty() {
            header.msg_control = control.as_mut_ptr().cast();
            header.msg_controllen = space as _;
            let message = libc::CMSG_FIRSTHDR(&header);
            (*message).cmsg_level = libc::SOL_SOCKET;
            (*message).cmsg_type = libc::SCM_RIGHTS;
            (*message).cmsg_len = len as _;
            std::ptr::copy_nonoverlapping(descriptors.as_ptr(), libc::CMSG_DATA(message).cast(), descriptors.len());
        }
        libc::sendmsg(socket, &header, libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL)
    };
    sent >= 0
}

/// A connection to where the process with this address listens.
pub fn connect(address: &[u8]) -> Option<RawFd> {
    let name = address.iter().fold("ipckit-".to_owned(), |name, byte| format!("{name}{byte:02x}"));
    // SAFETY: plain numbers.
    let socket =
        unsafe { libc::socket(libc::AF_UNIX, libc::SOCK_SEQPACKET | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC, 0) };
    if socket < 0 {
        return None;
    }
    // SAFETY: zeroes are a valid address.
    let mut to: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    to.sun_family = libc::AF_UNIX as libc::sa_family_t;
    for (place, byte) in to.sun_path[1..].iter_mut().zip(name.bytes()) {
        *place = byte.cast_signed() as libc::c_char;
    }
    let len = std::mem::offset_of!(libc::sockaddr_un, sun_path) + 1 + name.len();
    // SAFETY: the address is a local of at least so many bytes.
    if unsafe { libc::connect(socket, (&raw const to).cast(), len as libc::socklen_t) } < 0 {
        close(socket);
        return None;
    }
    Some(socket)
}

/// Closes a descriptor of the attacker's own.
pub fn close(descriptor: RawFd) {
    // SAFETY: an attacker may close what it likes.
    unsafe {
        libc::close(descriptor);
    }
}

/// Stops this process until somebody lets it go on.
pub fn stop() {
    // SAFETY: plain numbers.
    unsafe {
        libc::raise(libc::SIGSTOP);
    }
}
