// SPDX-License-Identifier: Apache-2.0
//! The crate ipc-channel: a channel of bytes for each direction.

use anyhow::Result;
use ipc_channel::ipc::{IpcBytesReceiver, IpcBytesSender, IpcOneShotServer, IpcSender, bytes_channel};

use super::Caller;
use crate::processes::Child;

type Ends = (IpcBytesSender, IpcBytesReceiver);

struct Channels {
    sender: IpcBytesSender,
    receiver: IpcBytesReceiver,
}

pub fn start(role: &str) -> Result<(Box<dyn Caller>, Child)> {
    let (meeting, name) = IpcOneShotServer::<Ends>::new()?;
    let server = Child::start(role, &[name], &[])?;
    let (_, (sender, receiver)) = meeting.accept().map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok((Box::new(Channels { sender, receiver }), server))
}

impl Caller for Channels {
    fn call(&mut self, request: &[u8], see: &mut dyn FnMut(&[u8])) -> Result<()> {
        self.sender.send(request)?;
        let reply = self.receiver.recv().map_err(|error| anyhow::anyhow!("{error}"))?;
        see(&reply);
        Ok(())
    }
}

pub fn serve(arguments: &[String]) -> Result<()> {
    let meeting = IpcSender::<Ends>::connect(arguments[0].clone())?;
    let (to_server, requests) = bytes_channel()?;
    let (replies, from_server) = bytes_channel()?;
    meeting.send((to_server, from_server)).map_err(|error| anyhow::anyhow!("{error}"))?;
    while let Ok(request) = requests.recv() {
        replies.send(&request)?;
    }
    Ok(())
}
