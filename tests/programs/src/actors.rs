// SPDX-License-Identifier: Apache-2.0
//! The coordinator's end of an actor.

use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use crate::actor::PATIENCE;
use crate::orders::{Answer, Order};

/// A process of a program; killed with this value.
pub struct Actor {
    process: Child,
    orders: UnixStream,
    answers: BufReader<UnixStream>,
}

impl Actor {
    /// Starts one.
    ///
    /// # Errors
    /// The system gives no process or socket.
    pub fn start(program: &Path) -> std::io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        // Longer than an actor waits itself: it says more about what did not come.
        ours.set_read_timeout(Some(PATIENCE + Duration::from_secs(5)))?;
        let mut command = Command::new(program);
        command.stdin(OwnedFd::from(theirs)).env("IPCKIT_LATE_LOOKS", "2");
        if std::env::var_os("IPCKIT_LOG_LEVEL").is_none() {
            // Ends of processes are on purpose here; what is said of them would drown what matters.
            command.env("IPCKIT_LOG_LEVEL", "F");
        }
        let process = command.spawn()?;
        Ok(Self { process, answers: BufReader::new(ours.try_clone()?), orders: ours })
    }

    /// Gives an order, whose answer is to be waited for.
    ///
    /// # Errors
    /// The actor is gone.
    pub fn give(&mut self, order: &Order) -> Result<(), String> {
        let mut line = serde_json::to_vec(order).map_err(|error| error.to_string())?;
        line.push(b'\n');
        self.orders.write_all(&line).map_err(|error| format!("process {} takes no order: {error}", self.process.id()))
    }

    /// The answer to the oldest order that has none yet.
    ///
    /// # Errors
    /// The actor is gone, or gives none in time.
    pub fn hear(&mut self) -> Result<Answer, String> {
        let mut line = String::new();
        match self.answers.read_line(&mut line) {
            Ok(0) => Err(match self.wait() {
                Ok(status) => format!("process {} ended: {status}", self.process.id()),
                Err(error) => error,
            }),
            Ok(_) => serde_json::from_str(&line).map_err(|error| error.to_string()),
            Err(error) => Err(format!("process {} hangs: {error}", self.process.id())),
        }
    }

    /// Gives an order and waits for the answer.
    ///
    /// # Errors
    /// The actor is gone, or gives none in time.
    pub fn ask(&mut self, order: &Order) -> Result<Answer, String> {
        self.give(order)?;
        self.hear()
    }

    /// Kills it, and waits until it is gone.
    ///
    /// # Errors
    /// It cannot be.
    pub fn kill(&mut self) -> Result<(), String> {
        self.process.kill().and_then(|()| self.process.wait()).map(drop).map_err(|error| error.to_string())
    }

    /// Has it exit, and waits until it is gone.
    ///
    /// # Errors
    /// It does not, or with another status than 0.
    pub fn exit(&mut self) -> Result<(), String> {
        self.give(&Order::Exit)?;
        let status = self.wait()?;
        if status.success() { Ok(()) } else { Err(format!("process {} exited: {status}", self.process.id())) }
    }

    fn wait(&mut self) -> Result<ExitStatus, String> {
        let start = Instant::now();
        loop {
            match self.process.try_wait().map_err(|error| error.to_string())? {
                Some(status) => return Ok(status),
                None if start.elapsed() > PATIENCE => {
                    return Err(format!("process {} hangs at its end", self.process.id()));
                }
                None => std::thread::sleep(Duration::from_micros(200)),
            }
        }
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}
