// SPDX-License-Identifier: Apache-2.0
//! The handshake, from both sides: the answer is the one that the protocol has for what was said and shown, nothing stays of a handshake
//! that failed, and others are welcome all the time.
#![no_main]

use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::sync::OnceLock;

use ipc_capi::runtime;
use ipc_capi::shm::layout::{Segment, Status, VERSION};
use ipc_capi::sys::socket;
use ipc_capi::transport::wire::{Address, Control, Introduction, Reference, Refusal};
use ipckit_fuzz::input::Input;
use ipckit_fuzz::peer::{self, Event, Holdings, Peer, Shown};
use ipckit_fuzz::raw_memory::RawMemory;
use libfuzzer_sys::fuzz_target;

/// A descriptor to show in place of memory, and for how many bytes of memory it is good.
fn other_file(input: &mut Input<'_>) -> (OwnedFd, usize) {
    match input.byte() % 5 {
        0 => {
            let len =
                input.one_of(&[4096, size_of::<Status>(), 36_864, size_of::<Segment>() - 4096, size_of::<Segment>()]);
            (RawMemory::create(len).1, len)
        }
        1 => (std::fs::File::open("/dev/null").expect("/dev/null").into(), 0),
        2 => (std::os::unix::net::UnixDatagram::pair().expect("sockets").0.into(), 0),
        3 => {
            // SAFETY: a name with a NUL; the result is checked.
            let fd = unsafe { libc::memfd_create(c"ipckit-fuzz".as_ptr(), libc::MFD_CLOEXEC) };
            assert!(fd >= 0);
            // SAFETY: just opened, by nobody else's hand.
            let file = unsafe { std::fs::File::from_raw_fd(fd) };
            file.set_len(size_of::<Segment>() as u64).expect("a size");
            (file.into(), 0)
        }
        _ => (RawMemory::create(1).1, 1),
    }
}

/// What is shown, and whether a channel can be made of it.
fn show(input: &mut Input<'_>) -> (Vec<OwnedFd>, bool) {
    let mut files: Vec<_> = Shown::create().files.into_iter().zip([size_of::<Segment>(), 4096, 36_864]).collect();
    let needed = [size_of::<Segment>(), size_of::<Status>(), size_of::<ipc_capi::shm::layout::DoorbellPage>()];
    for _ in 0..input.below(3) {
        let other = other_file(input);
        match input.byte() % 4 {
            0 => drop(files.pop()),
            1 => files.push(other),
            _ => {
                let place = input.below(files.len().max(1));
                if let Some(file) = files.get_mut(place) {
                    *file = other;
                }
            }
        }
    }
    let is_good = files.len() == 3 && files.iter().zip(needed).all(|((_, len), needed)| *len >= needed);
    (files.into_iter().map(|(file, _)| file).collect(), is_good)
}

/// What is said: mostly an introduction, which may lie.
fn say(input: &mut Input<'_>, address: Address) -> Vec<u8> {
    let mut who = Introduction::new(input.short(), address, input.long());
    let mut bytes = match input.byte() {
        0..120 => Control::Hello(who).to_bytes(),
        120..160 => Control::Welcome(who).to_bytes(),
        160..190 => {
            who.version = input.int();
            Control::Hello(who).to_bytes()
        }
        190..210 => {
            who.address = Address([input.byte(); 16]);
            Control::Hello(who).to_bytes()
        }
        210..230 => {
            who.version = input.int();
            who.address.0[3] ^= input.byte();
            Control::Welcome(who).to_bytes()
        }
        230..240 => {
            let refusals = [Refusal::Version, Refusal::User, Refusal::Crossed, Refusal::Address, Refusal::Resources];
            Control::Refused(input.one_of(&refusals)).to_bytes()
        }
        _ => {
            let mut bytes = [0; Control::BYTES];
            let own = input.bytes(Control::BYTES);
            bytes[..own.len()].copy_from_slice(own);
            bytes
        }
    }
    .to_vec();
    match input.byte() {
        0..230 => {}
        230..245 => bytes.truncate(input.below(Control::BYTES)),
        _ => bytes.extend(input.bytes(9)),
    }
    bytes
}

/// Connects to the runtime and says something.
fn as_who_connects(input: &mut Input<'_>) {
    let address = peer::new_address();
    let listener = socket::listen(&address.socket_name()).expect("a name of its own");
    let socket = peer::connect();
    let bytes = say(input, address);
    let (files, is_good) = show(input);
    let listens = input.byte() < 230;
    if !listens {
        drop(listener);
    }
    if bytes.is_empty() {
        // An empty message is an end.
        drop(socket);
        return;
    }
    let files: Vec<_> = files.iter().map(AsFd::as_fd).collect();
    assert!(peer::send(socket.as_fd(), &bytes, &files));
    let answers = match Control::from_bytes(&bytes) {
        Some(Control::Hello(who)) if who.version != VERSION => vec![refused(Refusal::Version)],
        Some(Control::Hello(who)) if who.address != address || !listens => vec![refused(Refusal::Address)],
        Some(Control::Hello(_)) if is_good => vec!["Welcome".to_owned()],
        Some(Control::Hello(_)) => vec!["Welcome".to_owned(), refused(Refusal::Resources)],
        _ => Vec::new(),
    };
    for expected in &answers {
        assert_eq!(describe(peer::next_event(socket.as_fd())), *expected);
    }
    if answers == ["Welcome"] {
        // The channel is up, and another hello for the same address is not the one to use.
        let second = peer::connect();
        let hello = Control::Hello(Introduction::new(0, address, 0)).to_bytes();
        assert!(peer::send(second.as_fd(), &hello, &files));
        assert_eq!(describe(peer::next_event(second.as_fd())), refused(Refusal::Crossed));
        assert_eq!(describe(peer::next_event(second.as_fd())), "End");
        assert!(peer::send(socket.as_fd(), &Control::AskRoom.to_bytes(), &[]));
        assert_eq!(describe(peer::next_event(socket.as_fd())), "RoomInUse");
    } else {
        assert_eq!(describe(peer::next_event(socket.as_fd())), "End");
    }
}

/// The runtime meets a reference, connects, and is answered something.
fn as_who_is_connected_to(input: &mut Input<'_>) {
    let address = peer::new_address();
    let listener = socket::listen(&address.socket_name()).expect("a name of its own");
    let reference = Reference { address, object: input.long(), secret: input.long() };
    let process = peer::runtime();
    let importer = std::thread::spawn(move || runtime::import(process, reference).is_some());
    let socket = loop {
        match socket::accept(listener.as_fd()) {
            Ok(socket) => break socket,
            Err(_) => std::thread::yield_now(),
        }
    };
    let Event::Message(Control::Hello(who), files) = peer::next_event(socket.as_fd()) else {
        panic!("who connects says hello first")
    };
    assert_eq!((who.version, who.address, files.len()), (VERSION, process.own.address, 3));
    let bytes = say(input, address);
    let (files, is_good) = show(input);
    let files: Vec<_> = files.iter().map(AsFd::as_fd).collect();
    let answer = Control::from_bytes(&bytes);
    let is_welcome =
        matches!(answer, Some(Control::Welcome(who)) if who.version == VERSION && who.address == address) && is_good;
    if !bytes.is_empty() {
        assert!(peer::send(socket.as_fd(), &bytes, &files));
    }
    let mut grants = false;
    if is_welcome {
        let Event::Message(Control::Acquire { object, secret, .. }, _) = peer::next_event(socket.as_fd()) else {
            panic!("who has met a reference asks for its object")
        };
        assert_eq!((object, secret), (reference.object, reference.secret));
        grants = input.flag();
        assert!(peer::send(socket.as_fd(), &Control::Acquired { object, granted: grants }.to_bytes(), &[]));
        if grants {
            // The proxy goes at once, and gives its share back.
            assert_eq!(describe(peer::next_event(socket.as_fd())), "Release");
        }
    }
    drop(socket);
    drop(listener);
    assert_eq!(importer.join().expect("it returns"), grants);
}

fn refused(why: Refusal) -> String {
    format!("Refused({why:?})")
}

/// A message without its details, but for those of a refusal.
fn describe(event: Event) -> String {
    match event {
        Event::End => "End".to_owned(),
        Event::Message(Control::Refused(why), _) => refused(why),
        Event::Message(message, _) => {
            let text = format!("{message:?}");
            text.split([' ', '(']).next().unwrap_or_default().to_owned()
        }
    }
}

/// Others are welcome.
fn others_are_welcome(before: &Holdings) {
    let other = Peer::connect();
    assert!(other.tell(Control::AskRoom, &[]));
    assert_eq!(describe(peer::next_event(other.socket.as_fd())), "RoomInUse");
    drop(other);
    peer::wait_for(before);
}

fuzz_target!(|bytes: &[u8]| {
    static BEFORE: OnceLock<Holdings> = OnceLock::new();
    let before = BEFORE.get_or_init(|| {
        let before = peer::holdings();
        drop(Peer::connect());
        peer::wait_for(&before);
        before
    });
    let mut input = Input::new(bytes);
    if input.flag() {
        as_who_connects(&mut input)
    } else {
        as_who_is_connected_to(&mut input)
    }
    peer::wait_for(before);
    if input.byte() % 8 == 1 {
        others_are_welcome(before);
    }
});
