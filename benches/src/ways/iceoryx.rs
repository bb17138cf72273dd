// SPDX-License-Identifier: Apache-2.0
//! The crate iceoryx2: requests and responses in shared memory. Waiting, each side notifies the other by an event;
//! polling, both look all the time.

use std::fs;
use std::path::PathBuf;

use anyhow::{Result, bail};
use iceoryx2::config::Config;
use iceoryx2::node::Node;
use iceoryx2::port::client::Client;
use iceoryx2::port::listener::Listener;
use iceoryx2::port::notifier::Notifier;
use iceoryx2::port::server::Server;
use iceoryx2::prelude::*;

use super::{Caller, MOST_BYTES};
use crate::processes::{Child, answer, orders};

type Bytes = [u8];

/// All that a run makes has its process id in its name.
fn mark(run: u32) -> String {
    format!("ipckit_bench_{run}_")
}

fn directory(run: u32) -> PathBuf {
    std::env::temp_dir().join(mark(run))
}

fn node(run: u32) -> Result<Node<ipc::Service>> {
    set_log_level(LogLevel::Error);
    let mut config = Config::default();
    config.global.prefix = FileName::new(mark(run).as_bytes())?;
    config.global.set_root_path(&Path::new(directory(run).to_string_lossy().as_bytes())?);
    // The signals of this program are its own.
    Ok(NodeBuilder::new()
        .config(&config)
        .signal_handling_mode(SignalHandlingMode::Disabled)
        .create::<ipc::Service>()?)
}

pub fn clean_up() {
    let run = std::process::id();
    let _ = fs::remove_dir_all(directory(run));
    for entry in fs::read_dir("/dev/shm").into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&mark(run)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

struct Events {
    notifier: Notifier<ipc::Service>,
    listener: Listener<ipc::Service>,
}

fn events(node: &Node<ipc::Service>, own: &str, theirs: &str) -> Result<Events> {
    let listen = node.service_builder(&own.try_into()?).event().open_or_create()?;
    let notify = node.service_builder(&theirs.try_into()?).event().open_or_create()?;
    Ok(Events { notifier: notify.notifier_builder().create()?, listener: listen.listener_builder().create()? })
}

struct Iceoryx {
    _node: Node<ipc::Service>,
    client: Client<ipc::Service, Bytes, (), Bytes, ()>,
    events: Option<Events>,
}

pub fn start(role: &str, waiting: bool) -> Result<(Box<dyn Caller>, Child)> {
    let run = std::process::id();
    let mut server = Child::start(role, &[run.to_string()], &[])?;
    server.hear()?;
    let node = node(run)?;
    let service = node.service_builder(&role.try_into()?).request_response::<Bytes, Bytes>().open()?;
    let client = service.client_builder().initial_max_slice_len(MOST_BYTES).create()?;
    let events = if waiting { Some(events(&node, "to the caller", "to the server")?) } else { None };
    Ok((Box::new(Iceoryx { _node: node, client, events }), server))
}

impl Caller for Iceoryx {
    fn call(&mut self, request: &[u8], see: &mut dyn FnMut(&[u8])) -> Result<()> {
        let pending = self.client.loan_slice_uninit(request.len())?.write_from_slice(request).send()?;
        if let Some(events) = &self.events {
            events.notifier.notify()?;
        }
        loop {
            if let Some(response) = pending.receive()? {
                see(response.payload());
                return Ok(());
            }
            match &self.events {
                Some(events) => {
                    events.listener.blocking_wait(|_| {})?;
                }
                None => std::hint::spin_loop(),
            }
        }
    }

    fn begin(&mut self, server: &mut Child) -> Result<()> {
        if self.events.is_none() {
            server.tell("poll")?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        // An empty request ends the polling.
        if self.events.is_none() { self.call(&[], &mut |_| ()) } else { Ok(()) }
    }
}

/// Answers one request if there is one: its length.
fn answer_one(server: &Server<ipc::Service, Bytes, (), Bytes, ()>) -> Result<Option<usize>> {
    let Some(request) = server.receive()? else { return Ok(None) };
    let length = request.payload().len();
    request.loan_slice_uninit(length)?.write_from_slice(request.payload()).send()?;
    Ok(Some(length))
}

pub fn serve(arguments: &[String], waiting: bool) -> Result<()> {
    let node = node(arguments[0].parse()?)?;
    let role = if waiting { "IceoryxWaiting" } else { "IceoryxPolling" };
    let service = node.service_builder(&role.try_into()?).request_response::<Bytes, Bytes>().create()?;
    let server = service.server_builder().initial_max_slice_len(MOST_BYTES).create()?;
    let events = if waiting { Some(events(&node, "to the server", "to the caller")?) } else { None };
    answer("ready");
    if let Some(events) = events {
        loop {
            events.listener.blocking_wait(|_| {})?;
            while answer_one(&server)?.is_some() {
                events.notifier.notify()?;
            }
        }
    }
    for order in orders() {
        if order != "poll" {
            bail!("unknown order {order:?}");
        }
        while answer_one(&server)? != Some(0) {
            std::hint::spin_loop();
        }
    }
    Ok(())
}
