// SPDX-License-Identifier: Apache-2.0
//! Messages and descriptors on a channel's socket: their bytes, their order however the other side reads, and what becomes of descriptors.
#![no_main]

use std::collections::{HashMap, VecDeque};
use std::io::{PipeReader, PipeWriter, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixDatagram;

use ipc_capi::shm::layout::{DoorbellPage, Segment, Status};
use ipc_capi::sys::socket;
use ipc_capi::transport::Channel;
use ipc_capi::transport::wire::{Ancestor, Control, ObjectRecord, Reference};
use ipckit_fuzz::channel::channel;
use ipckit_fuzz::input::Input;
use ipckit_fuzz::raw_memory::RawMemory;
use libfuzzer_sys::fuzz_target;

/// What travels as bytes means the same after the journey.
fn check_bytes(bytes: &[u8]) {
    if let Some(message) = Control::from_bytes(bytes) {
        assert_eq!(bytes.len(), Control::BYTES);
        assert_eq!(Control::from_bytes(&message.to_bytes()), Some(message));
    }
    if let Some(bytes) = bytes.first_chunk::<{ Reference::BYTES }>() {
        assert_eq!(Reference::from_bytes(bytes).to_bytes(), *bytes);
    }
    if let Some(bytes) = bytes.first_chunk::<{ Ancestor::BYTES }>() {
        assert_eq!(Ancestor::from_bytes(bytes).to_bytes(), *bytes);
    }
    if let Some(record) = bytes.first_chunk::<{ ObjectRecord::BYTES }>().and_then(ObjectRecord::from_bytes) {
        assert_eq!(ObjectRecord::from_bytes(&record.to_bytes()), Some(record));
    }
}

/// What is known of the descriptors of one message.
#[derive(Debug, PartialEq, Eq)]
enum Transfer {
    Kept(usize),
    Refused(usize),
}

/// What a channel is to do with descriptors.
#[derive(Default)]
struct Descriptors {
    transfers: HashMap<u64, Transfer>,
    has_ended: bool,
    is_unwanted: bool,
}

impl Descriptors {
    fn kept(&self) -> usize {
        self.transfers.values().map(|transfer| if let Transfer::Kept(count) = transfer { *count } else { 0 }).sum()
    }

    fn add(&mut self, number: u64, count: usize) {
        match self.transfers.entry(number).or_insert(Transfer::Kept(0)) {
            Transfer::Kept(kept) => *kept += count,
            Transfer::Refused(missing) if *missing > count => *missing -= count,
            Transfer::Refused(_) => drop(self.transfers.remove(&number)),
        }
    }

    fn refuse(&mut self, number: u64, count: usize) {
        let here = match self.transfers.remove(&number) {
            Some(Transfer::Kept(kept)) => kept,
            _ => 0,
        };
        if here < count && !self.has_ended {
            self.transfers.insert(number, Transfer::Refused(count - here));
        }
    }

    /// How many a message gets that asks for so many; `None` where they are not all here.
    fn take(&mut self, number: u64, count: usize) -> Option<usize> {
        match self.transfers.get(&number) {
            Some(Transfer::Kept(kept)) if *kept >= count => {
                let kept = *kept;
                self.transfers.remove(&number);
                Some(kept)
            }
            _ => None,
        }
    }

    fn close_unwanted(&mut self) {
        if self.has_ended && self.is_unwanted {
            self.transfers.clear();
        }
    }
}

/// How many descriptors of a pipe's writing end are open is not to be known, but whether any is.
struct Pipe {
    reader: PipeReader,
    writer: PipeWriter,
}

impl Pipe {
    fn some(&self, count: usize) -> Vec<OwnedFd> {
        (0..count).map(|_| self.writer.try_clone().expect("a descriptor").into()).collect()
    }

    fn check_closed(mut self) {
        drop(self.writer);
        // SAFETY: a descriptor that is open, and plain numbers.
        unsafe { libc::fcntl(std::os::fd::AsRawFd::as_raw_fd(&self.reader), libc::F_SETFL, libc::O_NONBLOCK) };
        let read = self.reader.read(&mut [0]).expect("a descriptor is left open");
        assert_eq!(read, 0);
    }
}

/// Reads what the channel sent, in the order in which it did.
fn read_some(socket: &UnixDatagram, sent: &mut VecDeque<(Control, usize)>, most: usize) {
    for _ in 0..most {
        let (mut bytes, mut files) = ([0; Control::BYTES + 1], Vec::new());
        let Ok(len) = socket::receive(socket.as_fd(), &mut bytes, &mut files) else { return };
        let (message, count) = sent.pop_front().expect("nothing comes that was not sent");
        assert_eq!((Control::from_bytes(&bytes[..len]), files.len()), (Some(message), count));
    }
}

fn message(input: &mut Input<'_>) -> Control {
    let mut bytes = [0; Control::BYTES];
    let own = input.bytes(Control::BYTES);
    bytes[..own.len()].copy_from_slice(own);
    bytes[0] %= 13;
    Control::from_bytes(&bytes).unwrap_or(Control::AskRoom)
}

fn operate(input: &mut Input<'_>, channel: &Channel, pipe: &Pipe, model: &mut Descriptors) {
    let number = u64::from(input.byte() % 4);
    match input.byte() % 8 {
        0..3 => {
            let count = input.below(6);
            let makes_sense = channel.add_descriptors(number, pipe.some(count));
            assert_eq!(makes_sense, count > 0, "{count} descriptors, with {} kept", model.kept());
            if count > 0 {
                model.add(number, count);
            }
        }
        3 => {
            let count = input.below(8);
            channel.refuse_descriptors(number, count);
            model.refuse(number, count);
        }
        4..7 => {
            let count = input.below(8);
            let taken = channel.take_descriptors(number, count, false);
            assert_eq!(taken.map(|taken| taken.len()), model.take(number, count));
        }
        _ if input.byte() > 200 => {
            channel.close_descriptors();
            model.is_unwanted = true;
            model.close_unwanted();
        }
        _ => {}
    }
    assert_eq!(channel.descriptors_waiting(), model.kept());
}

fuzz_target!(|bytes: &[u8]| {
    check_bytes(bytes);
    let mut input = Input::new(bytes);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let pipe = Pipe { reader, writer };
    let sizes = [size_of::<Segment>(), size_of::<Status>(), size_of::<DoorbellPage>()];
    let files = sizes.map(|size| RawMemory::create(size).1);
    let (channel, _, socket) = channel(&files);
    let mut model = Descriptors::default();
    let mut sent = VecDeque::new();
    while !input.is_empty() {
        match input.byte() % 8 {
            0 | 1 if !model.has_ended => {
                let message = message(&mut input);
                let files = pipe.some(input.below(4));
                let borrowed: Vec<_> = files.iter().map(AsFd::as_fd).collect();
                channel.send_control(message, &borrowed).expect("sent or kept");
                sent.push_back((message, files.len()));
            }
            2 => read_some(&socket, &mut sent, input.below(20)),
            3 if !model.has_ended => drop(channel.flush_control().expect("sent or kept")),
            4 if input.byte() > 220 => {
                channel.end_connection();
                model.has_ended = true;
                model.close_unwanted();
            }
            _ => operate(&mut input, &channel, &pipe, &mut model),
        }
    }
    // The other side reads all, and gets all.
    while !model.has_ended && !sent.is_empty() {
        let before = sent.len();
        read_some(&socket, &mut sent, usize::MAX);
        channel.flush_control().expect("sent or kept");
        assert!(sent.len() < before, "{before} messages are kept though the other side reads");
    }
    drop((channel, socket));
    pipe.check_closed();
});
