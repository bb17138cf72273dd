// SPDX-License-Identifier: Apache-2.0
//! D-Bus messages from peer to peer, by the crate zbus.

use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use anyhow::Result;
use nix::sys::socket::SockType;
use serde_bytes::{ByteBuf, Bytes};
use zbus::{Connection, Guid, block_on, connection::Builder, interface};

use super::{Caller, pair_of_sockets};
use crate::processes::{Child, numbers};

const PATH: &str = "/echo";
const INTERFACE: &str = "ipckit.Bench";

struct Echo;

#[interface(name = "ipckit.Bench")]
impl Echo {
    fn echo(&self, bytes: ByteBuf) -> ByteBuf {
        bytes
    }
}

struct Peer(Connection);

pub fn start(role: &str) -> Result<(Box<dyn Caller>, Child)> {
    let (own, theirs) = pair_of_sockets(SockType::Stream)?;
    let server = Child::start(role, &numbers(&[&theirs]), &[&theirs])?;
    let connection = block_on(Builder::unix_stream(UnixStream::from(own)).p2p().build())?;
    Ok((Box::new(Peer(connection)), server))
}

impl Caller for Peer {
    fn call(&mut self, request: &[u8], see: &mut dyn FnMut(&[u8])) -> Result<()> {
        let body = Bytes::new(request);
        let reply = block_on(self.0.call_method(None::<&str>, PATH, Some(INTERFACE), "Echo", &body))?;
        let body = reply.body();
        let bytes: &Bytes = body.deserialize()?;
        see(bytes);
        Ok(())
    }
}

pub fn serve(arguments: &[String]) -> Result<()> {
    // SAFETY: the caller of this program hands the descriptor over.
    let socket = unsafe { OwnedFd::from_raw_fd(arguments[0].parse()?) };
    block_on(async {
        let builder = Builder::unix_stream(UnixStream::from(socket)).server(Guid::generate()).p2p();
        let _connection = builder.serve_at(PATH, Echo).build().await?;
        std::future::pending::<Result<()>>().await
    })
}
