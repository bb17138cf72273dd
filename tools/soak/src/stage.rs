// SPDX-License-Identifier: Apache-2.0
//! Peers that do what a script says, one step at a time, while one of them is to die.

use std::collections::VecDeque;
use std::ffi::c_int;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use crate::library::{DEAD, DEAD_BEHIND, SUCCESS};
use crate::process::{Peer, Said, Setting, describe, sockets_there};
use crate::service::UNKNOWN;
use crate::shared::{Board, FaultPage, Shared, now};
use crate::world::Who;

/// Peers in a script.
pub(crate) const ROLES: usize = 5;
/// How long a peer may take for one thing.
const PATIENCE: Duration = Duration::from_secs(240);

pub(crate) struct Stage {
    pub(crate) board: Shared<Board>,
    pub(crate) pages: Vec<Shared<FaultPage>>,
    said: (Sender<Said>, Receiver<Said>),
    peers: [Option<Peer>; ROLES],
    lines: [VecDeque<String>; ROLES],
    ended: [bool; ROLES],
    sockets: Vec<String>,
    /// Who is to die in it; they may be found dead.
    pub(crate) victim: Option<usize>,
    /// The longest time from the victim's death to the return of a call.
    pub(crate) longest: Option<u64>,
    /// What was not as it has to be.
    pub(crate) complaints: Vec<String>,
}

impl Stage {
    pub(crate) fn new(victim: Option<usize>) -> io::Result<Self> {
        let board: Shared<Board> = Shared::create("soak-board")?;
        let pages = (0..ROLES).map(|_| Shared::create("soak-faults")).collect::<io::Result<_>>()?;
        for slot in 0..ROLES {
            board.memory.slots[slot].incarnation.store(slot as u64 + 1, Ordering::SeqCst);
            let dead = u64::from(victim == Some(slot));
            board.memory.slots[slot].died_at.store(dead, Ordering::SeqCst);
            (0..ROLES).for_each(|other| board.memory.pair(slot, other).begin(slot as u64 + 1));
        }
        Ok(Self {
            board,
            pages,
            said: channel(),
            peers: std::array::from_fn(|_| None),
            lines: std::array::from_fn(|_| VecDeque::new()),
            ended: [false; ROLES],
            sockets: Vec::new(),
            victim,
            longest: None,
            complaints: Vec::new(),
        })
    }

    pub(crate) fn complain(&mut self, what: String) {
        self.complaints.push(what);
    }

    /// Starts all; each one's door.
    pub(crate) fn start(&mut self, library: &Path) -> io::Result<Vec<Option<String>>> {
        let board = self.board.path();
        for slot in 0..ROLES {
            let setting = Setting { library, board: &board, said: &self.said.0, room: None };
            let who = Who { slot, incarnation: slot as u64 + 1 };
            self.peers[slot] = Some(Peer::start(&setting, who, 0, Some(&self.pages[slot].path()))?);
        }
        let doors = (0..ROLES).map(|slot| {
            let door = self.answer(slot)?.strip_prefix("door ")?.to_owned();
            let peer = self.peers[slot].as_mut()?;
            peer.door = Some(door.clone());
            self.sockets.extend(peer.socket());
            Some(door)
        });
        Ok(doors.collect())
    }

    /// Whether a peer has not ended.
    pub(crate) fn lives(&self, slot: usize) -> bool {
        !self.ended[slot]
    }

    /// When the victim has died, if it has.
    pub(crate) fn died_at(&self) -> Option<u64> {
        let happened = self.pages[self.victim?].memory.happened.load(Ordering::SeqCst);
        (happened != 0).then_some(happened)
    }

    pub(crate) fn signal(&self, slot: usize, signal: c_int) {
        if let Some(peer) = self.peers[slot].as_ref().filter(|_| !self.ended[slot]) {
            peer.signal(signal);
        }
    }

    pub(crate) fn is_stopped(&self, slot: usize) -> bool {
        self.ended[slot] || self.peers[slot].as_ref().is_none_or(Peer::is_stopped)
    }

    /// Says something to a peer, whose answer is to be taken later.
    pub(crate) fn tell(&mut self, slot: usize, line: &str) {
        if let Some(peer) = self.peers[slot].as_mut() {
            peer.ask(line);
        }
    }

    /// The next answer of a peer; `None` where it has ended.
    pub(crate) fn answer(&mut self, slot: usize) -> Option<String> {
        let start = Instant::now();
        loop {
            if let Some(line) = self.lines[slot].pop_front() {
                return Some(line);
            }
            if self.ended[slot] {
                return None;
            }
            match self.said.1.recv_timeout(PATIENCE.saturating_sub(start.elapsed())) {
                Ok((who, Some(line))) => self.lines[who.slot].push_back(line),
                Ok((who, None)) => self.ended[who.slot] = true,
                Err(_) => {
                    self.complain(format!("HANG: peer {slot} does not answer"));
                    for peer in self.peers.iter().flatten() {
                        eprintln!("peer {}, process {}", peer.who.slot, peer.id());
                        peer.tell_threads();
                    }
                    self.ended[slot] = true;
                    return None;
                }
            }
        }
    }

    /// Says something to a peer and waits for what it says.
    pub(crate) fn ask(&mut self, slot: usize, line: &str) -> Option<String> {
        if self.ended[slot] {
            return None;
        }
        self.tell(slot, line);
        self.answer(slot)
    }

    /// Has a peer do something with another one, and sees whether the result is one that may be.
    pub(crate) fn act(&mut self, slot: usize, operation: &str, partner: usize) {
        if let Some(done) = self.ask(slot, &format!("do {operation} {partner}")) {
            self.check(slot, partner, operation, &done);
        }
    }

    /// `done`: result, begin and end.
    fn check(&mut self, slot: usize, partner: usize, operation: &str, done: &str) {
        let numbers: Vec<u64> = done.split(' ').skip(1).map_while(|word| word.parse().ok()).collect();
        let [result, began, ended] = numbers[..] else {
            return self.complain(format!("peer {slot} says {done:?} of {operation}"));
        };
        let died_at = self.died_at();
        let is_death = [DEAD, DEAD_BEHIND, UNKNOWN].map(|code| code as u64).contains(&result);
        if result != SUCCESS as u64 && !(is_death && died_at.is_some()) {
            self.complain(format!("{operation} of {slot} with {partner} gave {result}"));
        }
        if let Some(died_at) = died_at
            && (is_death || Some(partner) == self.victim)
            && began < died_at
            && died_at < ended
        {
            self.longest = self.longest.max(Some(ended - died_at));
        }
    }

    /// The ends of what peers have begun.
    pub(crate) fn join(&mut self, slot: usize) {
        let Some(joined) = self.ask(slot, "join") else { return };
        for done in joined.trim_start_matches("joined").split(';').map(str::trim).filter(|done| !done.is_empty()) {
            self.check(slot, ROLES, "hold", done);
        }
    }

    /// Waits until something is so, as far as it can be.
    pub(crate) fn wait_until(&mut self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        while !is_so(self) {
            if start.elapsed() > PATIENCE {
                return self.complain(format!("HANG: {what}"));
            }
            std::thread::sleep(Duration::from_micros(500));
        }
    }

    /// Kills a peer that is not the victim.
    pub(crate) fn kill(&mut self, slot: usize) {
        self.board.memory.slots[slot].died_at.store(now(), Ordering::SeqCst);
        self.signal(slot, libc::SIGKILL);
        self.bury(slot);
    }

    /// Waits for the end of one that is dead, or about to.
    pub(crate) fn bury(&mut self, slot: usize) {
        let Some(mut peer) = self.peers[slot].take() else { return };
        self.ended[slot] = true;
        match peer.child.wait() {
            Ok(status) if status.signal() == Some(libc::SIGKILL) => {}
            Ok(status) => self.complain(format!("peer {slot} has ended by itself: {}", describe(status))),
            Err(error) => self.complain(format!("peer {slot}: {error}")),
        }
    }

    /// Has all that live end in peace, and sees that nothing is left of anybody.
    pub(crate) fn end(&mut self) {
        for slot in 0..ROLES {
            self.tell(slot, "exit");
        }
        for slot in 0..ROLES {
            let Some(mut peer) = self.peers[slot].take() else { continue };
            match peer.child.wait() {
                Ok(status) if status.success() => {}
                Ok(status) => self.complain(format!("peer {slot} ends with {}", describe(status))),
                Err(error) => self.complain(format!("peer {slot}: {error}")),
            }
        }
        let left = sockets_there(&self.sockets);
        if !left.is_empty() {
            self.complain(format!("sockets are left: {left:?}"));
        }
        let failures = self.board.memory.failures.load(Ordering::SeqCst);
        if failures != 0 {
            self.complain(format!("{failures} failures, as said above"));
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for peer in self.peers.iter_mut().flatten() {
            let _ = peer.child.kill();
            let _ = peer.child.wait();
        }
    }
}
