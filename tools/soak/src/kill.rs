// SPDX-License-Identifier: Apache-2.0
//! Peers under load are killed, stopped and crashed at random moments.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use crate::crash;
use crate::operations::Operation;
use crate::process::{Peer, Said, Setting, describe, sockets_there};
use crate::shared::{Board, SLOTS, Shared, now};
use crate::world::Who;

/// The first peers are never killed: they see all deaths, and what those leave behind adds up.
const IMMORTAL: usize = 2;
/// Of the places, so many are used.
const USED: usize = 7;
/// Room for messages: more than the load can have under way.
const ROOM: &str = "33554432";
/// Between two things that happen to peers, at the most.
const MOST_PAUSE: Duration = Duration::from_millis(24);
/// How long a peer is stopped at the most.
const MOST_STOP: u64 = 60;
/// What takes longer than this hangs, also beside much other work.
const HANG: Duration = Duration::from_secs(150);
/// So often everything ceases, and what peers hold is looked at.
const KILLS_A_ROUND: u64 = 250;

/// How much there is to be.
pub(crate) struct Plan {
    pub(crate) kills: u64,
    pub(crate) time: Duration,
    pub(crate) seed: u64,
}

/// An answer that is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Door,
    Adopted(Who),
    Met(Who),
    Parted(Who),
    Other,
}

/// What is at a place.
enum Place {
    Empty,
    /// A process, and what is known of it.
    Peer(Box<Running>),
    /// One is dead, and so many others have not parted from it.
    Gone {
        who: Who,
        since: Instant,
        left: usize,
    },
}

struct Running {
    peer: Peer,
    answers: VecDeque<Answer>,
    /// Since when it has not answered.
    asked: Instant,
    adopted: bool,
    /// It has been killed, or asked to crash, at that time.
    doomed: Option<Instant>,
    /// When it is to be continued.
    stopped: Option<Instant>,
}

#[derive(Default)]
struct Counts {
    kills: u64,
    crashes: u64,
    stops: u64,
    hangs: u64,
    leaks_looked_for: u64,
}

struct Driver<'a> {
    plan: &'a Plan,
    library: &'a Path,
    board: Shared<Board>,
    said: (Sender<Said>, Receiver<Said>),
    places: [Place; SLOTS],
    last_incarnation: u64,
    random: fastrand::Rng,
    counts: Counts,
    sockets: Vec<String>,
    /// Bytes of the heap of each immortal, at the first look and the last, and the deaths before them.
    heaps: Vec<[Option<(u64, u64)>; 2]>,
}

/// Runs the trial; whether all was well.
pub(crate) fn run(library: &Path, plan: &Plan) -> io::Result<bool> {
    println!("seed {}: {} kills, {} s at the most", plan.seed, plan.kills, plan.time.as_secs());
    let mut driver = Driver {
        plan,
        library,
        board: Shared::create("soak-board")?,
        said: channel(),
        places: std::array::from_fn(|_| Place::Empty),
        last_incarnation: 0,
        random: fastrand::Rng::with_seed(plan.seed),
        counts: Counts::default(),
        sockets: Vec::new(),
        heaps: vec![[None; 2]; IMMORTAL],
    };
    let start = Instant::now();
    let finished = driver.soak(start)?;
    Ok(driver.report(start.elapsed(), finished))
}

impl Driver<'_> {
    /// `false` where something hung.
    fn soak(&mut self, start: Instant) -> io::Result<bool> {
        let mut next = Instant::now();
        let mut next_look = KILLS_A_ROUND;
        loop {
            let ends = self.deaths() >= self.plan.kills || start.elapsed() >= self.plan.time;
            if ends || self.deaths() >= next_look {
                next_look = self.deaths() + KILLS_A_ROUND;
                if !self.look_after_all(ends)? {
                    return Ok(false);
                }
                if ends {
                    return Ok(true);
                }
            }
            self.listen(next.saturating_duration_since(Instant::now()));
            if !self.tend()? {
                return Ok(false);
            }
            if Instant::now() >= next {
                next = Instant::now() + MOST_PAUSE.mul_f64(self.random.f64());
                self.strike();
            }
        }
    }

    fn deaths(&self) -> u64 {
        self.counts.kills + self.counts.crashes
    }

    // ---- what happens to peers ----

    /// Kills, stops or crashes some peer.
    fn strike(&mut self) {
        let slot = self.random.usize(..USED);
        let (choice, crash) = (self.random.u32(..20), self.random.u32(..2 * crash::WAYS));
        let stop = Duration::from_millis(self.random.u64(..MOST_STOP));
        // Now and then one dies that has hardly begun.
        let young_too = self.random.u32(..5) == 0;
        let Place::Peer(running) = &mut self.places[slot] else { return };
        if running.doomed.is_some() || (!running.adopted && !young_too) {
            return;
        }
        let board = self.board.memory;
        if choice >= 15 {
            if running.stopped.is_none() {
                board.stops.fetch_add(1, Ordering::SeqCst);
                board.stopped.fetch_add(1, Ordering::SeqCst);
                running.peer.signal(libc::SIGSTOP);
                running.stopped = Some(Instant::now() + stop);
                self.counts.stops += 1;
            }
        } else if slot >= IMMORTAL {
            running.doomed = Some(Instant::now());
            if choice < 3 && running.adopted {
                board.slots[slot].crash.store(crash + 1, Ordering::SeqCst);
            } else {
                kill(board, &running.peer);
            }
        }
    }

    /// Looks after what is due; `false` where something hangs.
    fn tend(&mut self) -> io::Result<bool> {
        let board = self.board.memory;
        for slot in 0..USED {
            match &mut self.places[slot] {
                Place::Empty => self.start(slot)?,
                Place::Gone { who, since, left: 0 } => {
                    let (who, late) = (*who, since.elapsed() > HANG);
                    if self.is_settled(who) || late {
                        if late {
                            self.fail(&format!("messages that {who:?} had sent are not handled"));
                        }
                        self.places[slot] = Place::Empty;
                    }
                }
                Place::Gone { .. } => {}
                Place::Peer(running) => {
                    if running.stopped.is_some_and(|until| Instant::now() >= until) {
                        running.peer.signal(libc::SIGCONT);
                        running.stopped = None;
                        board.stopped.fetch_sub(1, Ordering::SeqCst);
                        board.stops.fetch_add(1, Ordering::SeqCst);
                    }
                    // What was to crash by itself did not come to it.
                    if running.doomed.is_some_and(|since| since.elapsed() > Duration::from_secs(1)) {
                        kill(board, &running.peer);
                    }
                    if let Some(status) = running.peer.child.try_wait()? {
                        self.bury(slot, status);
                    }
                }
            }
        }
        Ok(!self.hangs())
    }

    fn start(&mut self, slot: usize) -> io::Result<()> {
        self.last_incarnation += 1;
        let who = Who { slot, incarnation: self.last_incarnation };
        let board = self.board.memory;
        let place = &board.slots[slot];
        place.crash.store(0, Ordering::SeqCst);
        place.doing.iter().for_each(|doing| doing.operation.store(0, Ordering::SeqCst));
        place.incarnation.store(who.incarnation, Ordering::SeqCst);
        place.died_at.store(0, Ordering::SeqCst);
        for other in 0..SLOTS {
            board.pair(slot, other).begin(who.incarnation);
            board.pair(other, slot).begin(board.slots[other].incarnation.load(Ordering::SeqCst));
        }
        let path = self.board.path();
        let setting = Setting { library: self.library, board: &path, said: &self.said.0, room: Some(ROOM) };
        let peer = Peer::start(&setting, who, self.plan.seed ^ (who.incarnation << 16), None)?;
        self.places[slot] = Place::Peer(Box::new(Running {
            peer,
            answers: [Answer::Door].into(),
            asked: Instant::now(),
            adopted: false,
            doomed: None,
            stopped: None,
        }));
        Ok(())
    }

    /// A process has ended.
    fn bury(&mut self, slot: usize, status: ExitStatus) {
        let Place::Peer(running) = std::mem::replace(&mut self.places[slot], Place::Empty) else { return };
        let board = self.board.memory;
        let who = running.peer.who;
        if running.stopped.is_some() {
            board.stopped.fetch_sub(1, Ordering::SeqCst);
            board.stops.fetch_add(1, Ordering::SeqCst);
        }
        if running.doomed.is_none() {
            self.fail(&format!("{who:?} has ended by itself: {}", describe(status)));
        }
        let was_killed = describe(status) == format!("signal {}", libc::SIGKILL);
        *(if was_killed { &mut self.counts.kills } else { &mut self.counts.crashes }) += 1;
        board.slots[slot].died_at.fetch_max(1, Ordering::SeqCst);
        self.sockets.extend(running.peer.socket());
        let mut left = 0;
        for place in &mut self.places {
            if let Place::Peer(other) = place {
                other.ask(&format!("gone {} {}", who.slot, who.incarnation), Answer::Parted(who));
                left += 1;
            }
            // Who has died too does not part from it any more.
        }
        for answer in running.answers {
            self.parted(answer);
        }
        self.places[slot] = Place::Gone { who, since: Instant::now(), left };
    }

    /// All that the dead peer's messages were accepted for has been handled, by those that live.
    fn is_settled(&self, who: Who) -> bool {
        (0..USED).all(|receiver| {
            let pair = self.board.memory.pair(who.slot, receiver);
            !matches!(self.places[receiver], Place::Peer(_)) || pair.handled() >= pair.accepted.load(Ordering::SeqCst)
        })
    }

    fn parted(&mut self, answer: Answer) {
        let Answer::Parted(dead) = answer else { return };
        if let Place::Gone { who, left, .. } = &mut self.places[dead.slot]
            && *who == dead
        {
            *left -= 1;
        }
    }

    // ---- what peers say ----

    /// Takes what peers say, until nothing comes for so long.
    fn listen(&mut self, time: Duration) {
        let mut wait = time;
        loop {
            match self.said.1.recv_timeout(wait) {
                Ok((who, Some(line))) => self.hear(who, &line),
                Ok((_, None)) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
            }
            wait = Duration::ZERO;
        }
    }

    fn hear(&mut self, who: Who, line: &str) {
        let Place::Peer(running) = &mut self.places[who.slot] else { return };
        if running.peer.who != who {
            return;
        }
        running.asked = Instant::now();
        let Some(answer) = running.answers.pop_front() else {
            return self.fail(&format!("{who:?} says {line:?}, which nobody has asked for"));
        };
        match (answer, line.split_once(' ').unwrap_or((line, ""))) {
            (Answer::Door, ("door", door)) => {
                running.peer.door = Some(door.to_owned());
                let line = format!("adopt {} {} {door}", who.slot, who.incarnation);
                match &mut self.places[0] {
                    Place::Peer(first) if who.slot != 0 => first.ask(&line, Answer::Adopted(who)),
                    _ => self.introduce(who),
                }
            }
            (Answer::Adopted(new), ("met", _)) => self.introduce(new),
            (Answer::Adopted(other) | Answer::Met(other), _) if line != "met" => {
                // That can only be because one of them is dead.
                let died_at = |who: Who| {
                    let slot = &self.board.memory.slots[who.slot];
                    slot.incarnation.load(Ordering::SeqCst) != who.incarnation
                        || slot.died_at.load(Ordering::SeqCst) != 0
                };
                if !died_at(other) && !died_at(who) {
                    self.fail(&format!("{who:?} does not get to know {other:?}: {line}"));
                }
            }
            (Answer::Parted(_), ("parted", _)) => self.parted(answer),
            (Answer::Other, ("settled", heap)) if who.slot < IMMORTAL => {
                let heap = (self.counts.kills + self.counts.crashes, heap.parse().unwrap_or(0));
                let [first, last] = &mut self.heaps[who.slot];
                first.get_or_insert(heap);
                *last = Some(heap);
            }
            (Answer::Met(_) | Answer::Other, _) => {}
            (answer, _) => self.fail(&format!("{who:?} says {line:?}, asked for {answer:?}")),
        }
    }

    /// Has all peers know a new one.
    fn introduce(&mut self, new: Who) {
        let meet = |who: Who| format!("meet {} {}", who.slot, who.incarnation);
        // It may be dead already, and the others have parted from it.
        if !matches!(&self.places[new.slot], Place::Peer(running) if running.peer.who == new) {
            return;
        }
        let mut known = Vec::new();
        for place in &mut self.places[1..] {
            if let Place::Peer(other) = place
                && other.adopted
                && new.slot != 0
            {
                other.ask(&meet(new), Answer::Met(new));
                known.push(other.peer.who);
            }
        }
        let Place::Peer(running) = &mut self.places[new.slot] else { return };
        running.adopted = true;
        for other in known {
            running.ask(&meet(other), Answer::Met(other));
        }
        running.ask("load 1", Answer::Other);
    }

    // ---- quiet ----

    /// Waits until everybody lives, is idle, and holds no more than it has to.
    fn look_after_all(&mut self, ends: bool) -> io::Result<bool> {
        let is_whole = |place: &Place| matches!(place, Place::Peer(running) if running.is_at_rest());
        if !self.until(|driver| driver.places[..USED].iter().all(is_whole))? {
            return Ok(false);
        }
        let idle = |driver: &Self| {
            let handled = |pair: &crate::shared::Pair| pair.handled() >= pair.accepted.load(Ordering::SeqCst);
            let all_handled = driver.board.memory.pairs.iter().flatten().all(handled);
            all_handled && driver.places[..USED].iter().all(is_whole)
        };
        for line in ["load 0".to_owned(), format!("settle {}", USED - 1)] {
            self.ask_all(&line);
            if !self.until(idle)? {
                return Ok(false);
            }
        }
        self.counts.leaks_looked_for += USED as u64;
        if !ends {
            let calls = self.board.memory.calls.load(Ordering::SeqCst);
            let heaps: Vec<_> = self.heaps.iter().filter_map(|heap| heap[1]).map(|(_, heap)| heap).collect();
            println!("{} deaths, {} stops, {calls} calls, heaps {heaps:?}", self.deaths(), self.counts.stops);
            self.ask_all("load 1");
            return Ok(true);
        }
        for place in &mut self.places {
            let Place::Peer(mut running) = std::mem::replace(place, Place::Empty) else { continue };
            running.peer.ask("exit");
            self.sockets.extend(running.peer.socket());
            let status = running.peer.child.wait()?;
            if !status.success() {
                self.board.memory.failures.fetch_add(1, Ordering::SeqCst);
                eprintln!("FAILURE: {:?} ends with {}", running.peer.who, describe(status));
            }
        }
        let left = sockets_there(&self.sockets);
        if !left.is_empty() {
            self.fail(&format!("sockets are left: {left:?}"));
        }
        Ok(true)
    }

    fn ask_all(&mut self, line: &str) {
        for place in &mut self.places {
            if let Place::Peer(running) = place {
                running.ask(line, Answer::Other);
            }
        }
    }

    /// Waits for something; `false` where something hangs.
    fn until(&mut self, is_so: impl Fn(&Self) -> bool) -> io::Result<bool> {
        let start = Instant::now();
        while !is_so(self) {
            self.listen(Duration::from_millis(1));
            if !self.tend()? {
                return Ok(false);
            }
            if start.elapsed() > 2 * HANG {
                self.counts.hangs += 1;
                self.tell_all("it does not become quiet");
                return Ok(false);
            }
        }
        Ok(true)
    }

    // ---- what is wrong ----

    fn fail(&self, what: &str) {
        self.board.memory.failures.fetch_add(1, Ordering::SeqCst);
        eprintln!("FAILURE at {}: {what}", now() / 1_000_000);
    }

    fn hangs(&mut self) -> bool {
        let late = |since: u64| Duration::from_nanos(now().saturating_sub(since)) > HANG;
        let mut hanging = Vec::new();
        for place in &self.places {
            let Place::Peer(running) = place else { continue };
            if !running.answers.is_empty() && running.asked.elapsed() > HANG {
                hanging.push(format!(
                    "{:?} does not answer, asked for {:?}",
                    running.peer.who,
                    running.answers.front()
                ));
            }
            for doing in &self.board.memory.slots[running.peer.who.slot].doing {
                let operation = doing.operation.load(Ordering::SeqCst);
                if operation != 0 && late(doing.since.load(Ordering::SeqCst)) {
                    let (name, partner) = (Operation::name(operation - 1), doing.partner.load(Ordering::SeqCst));
                    hanging.push(format!("{:?} hangs in {name} with place {partner}", running.peer.who));
                }
            }
        }
        self.counts.hangs += hanging.len() as u64;
        if !hanging.is_empty() {
            self.tell_all(&hanging.join("\n"));
        }
        !hanging.is_empty()
    }

    fn tell_all(&self, what: &str) {
        eprintln!("HANG at {}: {what}", now() / 1_000_000);
        for place in &self.places {
            match place {
                Place::Empty => {}
                Place::Gone { who, left, .. } => eprintln!("{who:?} is gone, {left} have not parted from it"),
                Place::Peer(running) => {
                    eprintln!("{:?}, process {}, answers {:?}", running.peer.who, running.peer.id(), running.answers);
                    running.peer.tell_threads();
                }
            }
        }
    }

    fn report(&self, time: Duration, finished: bool) -> bool {
        let (board, counts) = (self.board.memory, &self.counts);
        let failures = board.failures.load(Ordering::SeqCst);
        let count = |number: &std::sync::atomic::AtomicU64| number.load(Ordering::SeqCst);
        println!("kills {}, crashes {}, stops {}, in {} s", counts.kills, counts.crashes, counts.stops, time.as_secs());
        println!("calls {}, of which {} met a death", count(&board.calls), count(&board.dead));
        println!("looks for leaks {}", counts.leaks_looked_for);
        for (slot, heap) in self.heaps.iter().enumerate() {
            if let [Some((before, first)), Some((after, last))] = heap
                && after > before
            {
                let growth = (*last as f64 - *first as f64) / (after - before) as f64;
                println!("heap of peer {slot}: {growth:.1} bytes more for each of {} deaths", after - before);
            }
        }
        println!(
            "longest return after a death {:.1} ms, of {} that were under way",
            count(&board.longest) as f64 / 1e6,
            count(&board.measured)
        );
        println!("failures {failures}, hangs {}", counts.hangs);
        finished && failures == 0 && counts.hangs == 0
    }
}

impl Running {
    fn ask(&mut self, line: &str, answer: Answer) {
        if self.answers.is_empty() {
            self.asked = Instant::now();
        }
        self.answers.push_back(answer);
        self.peer.ask(line);
    }

    fn is_at_rest(&self) -> bool {
        self.adopted && self.doomed.is_none() && self.stopped.is_none() && self.answers.is_empty()
    }
}

/// From now on it counts as dead.
fn kill(board: &Board, peer: &Peer) {
    let died_at = &board.slots[peer.who.slot].died_at;
    let _ = died_at.compare_exchange(0, now(), Ordering::SeqCst, Ordering::SeqCst);
    peer.signal(libc::SIGKILL);
}
