// SPDX-License-Identifier: Apache-2.0
//! A channel without a runtime.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;

use ipc_capi::sys::epoll::Epoll;
use ipc_capi::sys::fork::ParentOnlyFd;
use ipc_capi::sys::socket::{self, Credentials};
use ipc_capi::transport::wire::{Address, Control, Introduction};
use ipc_capi::transport::{Channel, Ends, Own};

/// The room that a process has for received messages.
pub const ROOM: u64 = 1_040_384;

/// A channel whose peer's memory is made of these files, the descriptors that its peer gets, and the peer's end of its socket.
pub fn channel(files: &[OwnedFd]) -> (Channel, Vec<OwnedFd>, UnixDatagram) {
    let own = Arc::new(Own::create(Address([1; 16]), 0).expect("shared memory"));
    own.status.set_room(ROOM);
    let epoll = Arc::new(Epoll::new().expect("an epoll"));
    let (ours, theirs) = UnixDatagram::pair().expect("a pair of sockets");
    let socket = Arc::new(ParentOnlyFd::new(ours.into()));
    epoll.add(socket.fd(), 1).expect("a place in the epoll");
    let ends = Ends::greet(&own, socket.fd(), 3, Control::Hello).expect("a greeting");
    let mut own_files = Vec::new();
    socket::receive(theirs.as_fd(), &mut [0; Control::BYTES], &mut own_files).expect("the greeting");
    let credentials = Credentials { process: 1, user: 0 };
    let peer = Introduction::new(5, Address([2; 16]), 9);
    let channel = Channel::new(own, (epoll, 1), (socket, credentials), ends, peer, files).expect("a channel");
    (channel, own_files, theirs)
}
