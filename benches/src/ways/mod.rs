// SPDX-License-Identifier: Apache-2.0
//! The ways of IPC that are measured: each is a server in a process of its own, which sends back the bytes it gets, and
//! a caller. On each side the bytes are copied in and out once, where the way does not spare that.

mod bare;
#[cfg(feature = "iceoryx2")]
mod iceoryx;
mod ipc_channels;
mod kernel;
mod messages;
mod own;

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::processes::{Child, Placement};

pub use kernel::{Framed, pair_of_sockets, serve_frames};
pub use own::{
    ECHO, GIVE_STUBS, MESSAGES_SEEN, REMEMBER_MESSAGE, STAMP, STAMPS_BYTES, START_OF_MESSAGES, start_server,
};

/// The largest request, in bytes.
pub const MOST_BYTES: usize = 200_000;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Library,
    BareLooking,
    BareSleeping,
    Stream,
    Seqpacket,
    Pipe,
    IceoryxWaiting,
    IceoryxPolling,
    IpcChannel,
    Zbus,
}

impl Kind {
    pub const ALL: [Self; 10] = [
        Self::Library,
        Self::BareLooking,
        Self::BareSleeping,
        Self::Stream,
        Self::Seqpacket,
        Self::Pipe,
        Self::IceoryxWaiting,
        Self::IceoryxPolling,
        Self::IpcChannel,
        Self::Zbus,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Library => "libipc_capi.so",
            Self::BareLooking => "futex, looks 50 µs",
            Self::BareSleeping => "futex, sleeps at once",
            Self::Stream => "Unix stream socket",
            Self::Seqpacket => "Unix seqpacket socket",
            Self::Pipe => "pipe pair",
            Self::IceoryxWaiting => "iceoryx2, waiting",
            Self::IceoryxPolling => "iceoryx2, polling",
            Self::IpcChannel => "ipc-channel",
            Self::Zbus => "zbus, peer to peer",
        }
    }

    fn role(self) -> String {
        format!("{self:?}")
    }

    /// Whether it can be measured so: two that poll on one processor each wait until the other's time is over.
    pub fn works(self, placement: Placement) -> bool {
        self != Self::IceoryxPolling || placement == Placement::TwoCores
    }
}

/// The calling side of a way.
pub trait Caller {
    /// Sends a request, and shows the reply.
    fn call(&mut self, request: &[u8], see: &mut dyn FnMut(&[u8])) -> Result<()>;

    /// Comes before calls: a server that polls must not do so while others are measured.
    fn begin(&mut self, _server: &mut Child) -> Result<()> {
        Ok(())
    }

    /// Comes after calls.
    fn end(&mut self) -> Result<()> {
        Ok(())
    }
}

/// A way that is ready for calls.
pub struct Way {
    pub kind: Kind,
    caller: Box<dyn Caller>,
    server: Child,
    sequence: u64,
}

impl Way {
    /// Starts the server and connects to it; `None` where this program was built without it.
    pub fn start(kind: Kind, library: &Path) -> Result<Option<Self>> {
        let role = kind.role();
        let started: Result<(Box<dyn Caller>, Child)> = match kind {
            Kind::Library => own::start(library),
            Kind::BareLooking | Kind::BareSleeping => bare::start(&role, kind == Kind::BareLooking),
            Kind::Stream | Kind::Seqpacket | Kind::Pipe => kernel::start(&role, kind),
            #[cfg(feature = "iceoryx2")]
            Kind::IceoryxWaiting | Kind::IceoryxPolling => iceoryx::start(&role, kind == Kind::IceoryxWaiting),
            #[cfg(not(feature = "iceoryx2"))]
            Kind::IceoryxWaiting | Kind::IceoryxPolling => return Ok(None),
            Kind::IpcChannel => ipc_channels::start(&role),
            Kind::Zbus => messages::start(&role),
        };
        let (caller, server) = started.with_context(|| format!("cannot start {}", kind.name()))?;
        Ok(Some(Self { kind, caller, server, sequence: 0 }))
    }

    pub fn server(&self) -> i32 {
        self.server.id()
    }

    pub fn begin(&mut self) -> Result<()> {
        self.caller.begin(&mut self.server)
    }

    pub fn end(&mut self) -> Result<()> {
        self.caller.end()
    }

    /// A call with a request that no other has, whose reply has to be that: length, number and last byte are looked at.
    pub fn call(&mut self, request: &mut [u8]) -> Result<()> {
        self.sequence += 1;
        let number = self.sequence.to_le_bytes();
        request[..8].copy_from_slice(&number);
        let (length, last) = (request.len(), request[request.len() - 1]);
        let mut right = false;
        self.caller
            .call(request, &mut |reply| {
                right = reply.len() == length && reply[..8] == number && reply[length - 1] == last
            })
            .with_context(|| format!("a call through {}", self.kind.name()))?;
        ensure!(right, "{} gave back something else than was sent", self.kind.name());
        Ok(())
    }

    /// Calls with changing bytes, and every byte of the replies is compared.
    pub fn verify(&mut self, size: usize) -> Result<()> {
        self.begin()?;
        for seed in 0..20u8 {
            let request: Vec<u8> = (0..size).map(|index| (index as u8).wrapping_mul(31).wrapping_add(seed)).collect();
            let mut right = false;
            self.caller.call(&request, &mut |reply| right = reply == request)?;
            ensure!(right, "{} gave back other bytes than were sent ({size} bytes)", self.kind.name());
        }
        self.end()
    }
}

/// Runs the server that `Way::start` starts, until it is killed.
pub fn serve(role: &str, arguments: &[String]) -> Result<()> {
    let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.role() == role) else { bail!("no such role: {role}") };
    match kind {
        Kind::Library => own::serve(arguments),
        Kind::BareLooking | Kind::BareSleeping => bare::serve(arguments, kind == Kind::BareLooking),
        Kind::Stream | Kind::Seqpacket | Kind::Pipe => kernel::serve(arguments),
        #[cfg(feature = "iceoryx2")]
        Kind::IceoryxWaiting | Kind::IceoryxPolling => iceoryx::serve(arguments, kind == Kind::IceoryxWaiting),
        #[cfg(not(feature = "iceoryx2"))]
        Kind::IceoryxWaiting | Kind::IceoryxPolling => bail!("this program was built without iceoryx2"),
        Kind::IpcChannel => ipc_channels::serve(arguments),
        Kind::Zbus => messages::serve(arguments),
    }
}

/// Removes what ways leave behind whose servers are killed.
pub fn clean_up() {
    #[cfg(feature = "iceoryx2")]
    iceoryx::clean_up();
}
