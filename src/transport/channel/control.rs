// SPDX-License-Identifier: Apache-2.0
//! The socket: control messages, descriptors, the end.

use std::fmt;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use super::Channel;
use crate::shm::atomics::Ordering;
use crate::sys::{order, socket};
use crate::transport::outbox::Backlog;
use crate::transport::wire::Control;

impl Channel {
    /// Sends a message on the socket, now or as soon as the peer has room for it.
    pub fn send_control(&self, message: Control, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        order::sent();
        let mut outbox = self.outbox.lock();
        if outbox.is_full() {
            ipckit_log::inner::error_once_a_second(format_args!(
                "process {} does not read what it is told, and is taken for dead",
                self.credentials.process
            ));
            outbox.hang_up();
        }
        if outbox.send(message, descriptors)? != Backlog::Nothing
            && let Some(socket) = outbox.socket()
        {
            self.epoll.want_writable(socket.fd(), self.key, true)?;
        }
        Ok(())
    }

    /// Sends what waited for the socket to become writable, and returns what still waits.
    pub fn flush_control(&self) -> io::Result<Backlog> {
        let mut outbox = self.outbox.lock();
        let backlog = outbox.flush()?;
        if let Some(socket) = outbox.socket() {
            self.epoll.want_writable(socket.fd(), self.key, backlog == Backlog::UntilWritable)?;
        }
        Ok(backlog)
    }

    /// Ends the connection because of what the peer does, which no version of this library does. Its hang-up tells of its death.
    pub fn give_up(&self, why: fmt::Arguments<'_>) {
        ipckit_log::error_once_a_second(format_args!("process {} is taken for dead: {why}", self.credentials.process));
        self.hang_up();
    }

    /// Has both ends see a hang-up. What has been received can still be read.
    pub fn hang_up(&self) {
        self.outbox.lock().hang_up();
    }

    /// Puts descriptors that have arrived where their message finds them; `false` where there are more than makes sense.
    pub fn add_descriptors(&self, transfer: u64, descriptors: Vec<OwnedFd>) -> bool {
        let makes_sense = self.descriptors.add(transfer, descriptors);
        self.end_holds();
        makes_sense
    }

    /// How many have arrived that no message has asked for.
    pub fn descriptors_waiting(&self) -> usize {
        self.descriptors.waiting()
    }

    fn end_holds(&self) {
        for held in [&self.requests_held, &self.nested_held, &self.async_held] {
            held.store(false, Ordering::SeqCst);
        }
    }

    /// Ends the connection, for the peer too, and closes the socket. No more descriptors will arrive.
    pub fn end_connection(&self) {
        if let Some(socket) = self.outbox.lock().close() {
            self.epoll.remove(socket.fd());
            // Whoever is just receiving may still have it.
            socket::shut_down(socket.fd());
        }
        self.descriptors.end();
        self.end_holds();
    }

    /// Waits until all has been received that a dead peer had sent on the socket.
    pub fn wait_for_end(&self) {
        self.descriptors.wait_for_end();
    }

    /// What the peer had sent has been taken in: descriptors that are left belong to nothing.
    pub fn close_descriptors(&self) {
        self.descriptors.set_unwanted();
    }

    /// Closes the `count` descriptors of a message that was refused, also those that are still on their way.
    pub fn refuse_descriptors(&self, transfer: u64, count: usize) {
        if !self.descriptors.refuse(transfer, count) {
            self.give_up(format_args!("it does not send the file descriptors of its messages"));
        }
    }

    /// The descriptors of a message, which the peer sends ahead of it; `None` where they are not here. Those of a reply are waited for, as
    /// the caller would be waiting anyway.
    pub fn take_descriptors(&self, transfer: u64, count: usize, is_reply: bool) -> Option<Vec<OwnedFd>> {
        self.descriptors.take(transfer, count, is_reply)
    }
}
