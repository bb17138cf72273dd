// SPDX-License-Identifier: Apache-2.0
//! Through the kernel: Unix stream and seqpacket sockets, and a pair of pipes. A length goes in front of each message,
//! by one system call where the kernel takes it at once.

use std::fs::File;
use std::io::{ErrorKind, IoSlice, Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};

use anyhow::{Result, bail, ensure};
use nix::fcntl::OFlag;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

use super::{Caller, Kind, MOST_BYTES};
use crate::processes::{Child, numbers};

const LENGTH_BYTES: usize = 4;

/// An end of a connection that carries messages.
pub struct Framed {
    input: File,
    output: File,
    room: Vec<u8>,
}

impl Framed {
    pub fn new(input: OwnedFd, output: OwnedFd) -> Self {
        Self { input: input.into(), output: output.into(), room: vec![0; LENGTH_BYTES + MOST_BYTES] }
    }

    pub fn of_socket(socket: OwnedFd) -> Result<Self> {
        Ok(Self::new(socket.try_clone()?, socket))
    }

    pub fn send(&mut self, bytes: &[u8]) -> Result<()> {
        send_frame(&mut self.output, bytes)
    }

    /// The next message; `None` at the end of the connection.
    pub fn receive(&mut self) -> Result<Option<&[u8]>> {
        let mut filled = 0;
        let mut length = usize::MAX - LENGTH_BYTES;
        while filled < LENGTH_BYTES + length {
            match self.input.read(&mut self.room[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => bail!("the connection ended within a message"),
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
            if let Some(prefix) = self.room[..filled].first_chunk::<LENGTH_BYTES>() {
                length = u32::from_le_bytes(*prefix) as usize;
                ensure!(length <= MOST_BYTES, "a message of {length} bytes");
            }
        }
        Ok(Some(&self.room[LENGTH_BYTES..LENGTH_BYTES + length]))
    }
}

fn send_frame(output: &mut File, bytes: &[u8]) -> Result<()> {
    let length = (bytes.len() as u32).to_le_bytes();
    let sent = output.write_vectored(&[IoSlice::new(&length), IoSlice::new(bytes)])?;
    ensure!(sent >= LENGTH_BYTES, "{sent} bytes sent");
    output.write_all(&bytes[sent - LENGTH_BYTES..])?;
    Ok(())
}

/// Sends back what comes, until the connection ends.
pub fn serve_frames(mut end: Framed) -> Result<()> {
    let mut own = Vec::new();
    while let Some(message) = end.receive()? {
        own.clear();
        own.extend_from_slice(message);
        end.send(&own)?;
    }
    Ok(())
}

impl Caller for Framed {
    fn call(&mut self, request: &[u8], see: &mut dyn FnMut(&[u8])) -> Result<()> {
        self.send(request)?;
        let Some(reply) = self.receive()? else { bail!("the server is gone") };
        see(reply);
        Ok(())
    }
}

pub fn pair_of_sockets(kind: SockType) -> Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::Unix, kind, None, SockFlag::SOCK_CLOEXEC)?)
}

pub fn start(role: &str, kind: Kind) -> Result<(Box<dyn Caller>, Child)> {
    let (own, theirs) = match kind {
        Kind::Pipe => {
            let (from_server, to_caller) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
            let (from_caller, to_server) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
            (Framed::new(from_server, to_server), vec![from_caller, to_caller])
        }
        _ => {
            let kind = if kind == Kind::Stream { SockType::Stream } else { SockType::SeqPacket };
            let (own, theirs) = pair_of_sockets(kind)?;
            (Framed::of_socket(own)?, vec![theirs])
        }
    };
    let theirs: Vec<&OwnedFd> = theirs.iter().collect();
    let server = Child::start(role, &numbers(&theirs), &theirs)?;
    Ok((Box::new(own), server))
}

pub fn serve(arguments: &[String]) -> Result<()> {
    let mut ends = Vec::new();
    for number in arguments {
        // SAFETY: the caller of this program hands the descriptors over.
        ends.push(unsafe { OwnedFd::from_raw_fd(number.parse()?) });
    }
    let end = match (ends.pop(), ends.pop()) {
        (Some(output), Some(input)) => Framed::new(input, output),
        (Some(socket), None) => Framed::of_socket(socket)?,
        _ => bail!("no descriptor"),
    };
    serve_frames(end)
}
