// SPDX-License-Identifier: Apache-2.0
//! Who holds what, and what follows from it.

use std::collections::{BTreeMap, BTreeSet};

use crate::orders::{DEAD, INNER_ERROR, Id, Report, SUCCESS};

/// A process, counted from the first that was started.
pub type ProcessNumber = usize;

/// A parcel of which only objects matter.
#[derive(Debug, Clone, Default)]
pub struct Parcel {
    /// The stubs whose references lie in its data.
    pub objects: Vec<u32>,
    /// All those of which it holds references: also of objects that were cut off.
    pub held: Vec<u32>,
    /// The object that is read next.
    pub cursor: usize,
    /// It was received.
    pub is_read_only: bool,
}

impl Parcel {
    /// As it arrives elsewhere.
    pub fn arrived(&self) -> Self {
        Self { objects: self.objects.clone(), held: self.objects.clone(), cursor: 0, is_read_only: true }
    }
}

/// What a thing is.
#[derive(Debug, Clone)]
pub enum What {
    /// A wrapper of the stub with this number.
    Wrapper(u32),
    Parcel(Parcel),
    Recipient,
}

/// Something that the user of the library has a pointer to.
#[derive(Debug, Clone)]
pub struct Thing {
    /// Whose it is.
    pub process: ProcessNumber,
    /// What it is.
    pub what: What,
    /// Requests that are under way with it: it is not to be destroyed or changed.
    pub uses: u32,
    /// It belongs to the library, which gave it to a handler.
    pub is_lent: bool,
}

/// A recipient that was added to a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub process: ProcessNumber,
    pub stub: u32,
    pub recipient: Id,
}

/// What an action gives.
#[derive(Debug, Clone)]
pub enum Expected {
    Exactly(i32),
    /// The death of the other process may have been noticed or not.
    Unsure(Unsure),
}

/// What is not known beforehand, and what follows.
#[derive(Debug, Clone)]
pub enum Unsure {
    /// One of these; nothing follows.
    OneOf([i32; 2]),
    /// The message was accepted, or not.
    SentToDead { data: Id },
    /// The recipient was added, or not.
    Added(Entry),
    /// The recipient was removed, or not.
    Removed(Entry),
}

#[derive(Debug, Clone)]
struct Stub {
    owner: ProcessNumber,
    is_destroyed: bool,
}

/// What is expected of all processes.
#[derive(Debug, Default)]
pub struct Model {
    /// Whether each process lives.
    pub lives: Vec<bool>,
    pub things: BTreeMap<Id, Thing>,
    pub entries: Vec<Entry>,
    /// Entries whose stubs have died and of which it is not known yet that they were told.
    pub untold: Vec<Entry>,
    /// Which stubs each process has appended: it keeps them until it ends.
    pub appended: BTreeSet<(ProcessNumber, u32)>,
    /// Which deaths a process is known to have noticed: the observer and the dead.
    pub noticed: BTreeSet<(ProcessNumber, ProcessNumber)>,
    stubs: Vec<Stub>,
    next_id: Id,
    next_request: u32,
    told: BTreeMap<Id, u32>,
    recipients: BTreeMap<Id, ProcessNumber>,
    handled: BTreeMap<u32, (ProcessNumber, Vec<i32>)>,
    /// Proxies whose death was told, and those of which a former proxy's was.
    told_proxies: BTreeSet<(ProcessNumber, u32)>,
    ever_told: BTreeSet<(ProcessNumber, u32)>,
    /// Proxies that know their descriptor, and those of which a former proxy did.
    described: BTreeSet<(ProcessNumber, u32)>,
    ever_described: BTreeSet<(ProcessNumber, u32)>,
}

impl Model {
    /// A process starts.
    pub fn start(&mut self) -> ProcessNumber {
        self.lives.push(true);
        self.lives.len() - 1
    }

    /// The id that comes next.
    pub fn next_id(&self) -> Id {
        self.next_id
    }

    /// A new thing.
    pub fn add(&mut self, process: ProcessNumber, what: What) -> Id {
        let id = self.next_id;
        self.next_id += 1;
        if matches!(what, What::Recipient) {
            self.recipients.insert(id, process);
        }
        self.things.insert(id, Thing { process, what, uses: 0, is_lent: false });
        id
    }

    /// A new stub, and its wrapper.
    pub fn add_stub(&mut self, process: ProcessNumber) -> (u32, Id) {
        let stub = self.stubs.len() as u32;
        self.stubs.push(Stub { owner: process, is_destroyed: false });
        (stub, self.add(process, What::Wrapper(stub)))
    }

    /// A new request's code.
    pub fn new_request(&mut self) -> u32 {
        self.next_request += 1;
        self.next_request
    }

    /// A request is handled, or will be.
    pub fn note_handled(&mut self, request: u32, process: ProcessNumber, outcomes: Vec<i32>) {
        self.handled.insert(request, (process, outcomes));
    }

    pub fn owner(&self, stub: u32) -> ProcessNumber {
        self.stubs[stub as usize].owner
    }

    /// Whether the stub's process lives.
    pub fn is_alive(&self, stub: u32) -> bool {
        self.lives[self.owner(stub)]
    }

    /// The stub behind a wrapper. Panics where it is none.
    pub fn stub_of(&self, wrapper: Id) -> u32 {
        match self.things[&wrapper].what {
            What::Wrapper(stub) => stub,
            _ => panic!("{wrapper} is no wrapper"),
        }
    }

    /// A parcel. Panics where it is none.
    pub fn parcel(&mut self, id: Id) -> &mut Parcel {
        match self.things.get_mut(&id).map(|thing| &mut thing.what) {
            Some(What::Parcel(parcel)) => parcel,
            _ => panic!("{id} is no parcel"),
        }
    }

    fn holds(&self, process: ProcessNumber, stub: u32) -> bool {
        let is_here = |entry: &Entry| entry.process == process && entry.stub == stub;
        self.appended.contains(&(process, stub))
            || self.entries.iter().chain(&self.untold).any(is_here)
            || self.things.values().filter(|thing| thing.process == process).any(|thing| match &thing.what {
                What::Wrapper(of) => *of == stub,
                What::Parcel(parcel) => parcel.held.contains(&stub),
                What::Recipient => false,
            })
    }

    /// Takes note of what nobody holds any more. To be called when nothing is under way.
    pub fn sweep(&mut self) {
        let living: Vec<_> = (0..self.lives.len()).filter(|process| self.lives[*process]).collect();
        for stub in 0..self.stubs.len() as u32 {
            if !living.iter().any(|process| self.holds(*process, stub)) {
                self.stubs[stub as usize].is_destroyed = true;
            }
        }
        self.forget_proxies();
    }

    /// Takes note of proxies that are gone: another one of the same stub will know nothing of what they knew.
    pub fn forget_proxies(&mut self) {
        let known = self.told_proxies.union(&self.described).copied();
        let gone: Vec<_> = known.filter(|(process, stub)| !self.holds(*process, *stub)).collect();
        for proxy in gone {
            self.told_proxies.remove(&proxy);
            self.described.remove(&proxy);
        }
    }

    /// A process ends, with all it holds.
    pub fn end(&mut self, process: ProcessNumber) {
        self.lives[process] = false;
        self.things.retain(|_, thing| thing.process != process);
        self.appended.retain(|(by, _)| *by != process);
        self.handled.retain(|_, (by, _)| *by != process);
        self.recipients.retain(|_, of| *of != process);
        self.entries.retain(|entry| entry.process != process);
        self.untold.retain(|entry| entry.process != process);
        for entry in std::mem::take(&mut self.entries) {
            if self.owner(entry.stub) == process { self.expect_told(entry) } else { self.entries.push(entry) }
        }
        self.sweep();
    }

    fn expect_told(&mut self, entry: Entry) {
        *self.told.entry(entry.recipient).or_default() += 1;
        self.untold.push(entry);
    }

    // ---- what depends on deaths ----

    fn has_noticed(&self, process: ProcessNumber, stub: u32) -> bool {
        self.noticed.contains(&(process, self.owner(stub)))
    }

    /// A request to a dead one.
    pub fn send_to_dead(&self, process: ProcessNumber, stub: u32, is_async: bool, data: Id) -> Expected {
        if is_async && !self.has_noticed(process, stub) {
            return Expected::Unsure(Unsure::SentToDead { data });
        }
        Expected::Exactly(DEAD)
    }

    /// Whether it is dead.
    pub fn is_dead(&self, process: ProcessNumber, stub: u32) -> Expected {
        match (self.is_alive(stub), self.has_noticed(process, stub)) {
            (true, _) => Expected::Exactly(0),
            (false, true) => Expected::Exactly(1),
            (false, false) => Expected::Unsure(Unsure::OneOf([0, 1])),
        }
    }

    /// A proxy is asked for its descriptor.
    pub fn describe(&mut self, process: ProcessNumber, stub: u32) -> Expected {
        let proxy = (process, stub);
        if self.is_alive(stub) {
            self.described.insert(proxy);
            self.ever_described.insert(proxy);
        }
        match (self.described.contains(&proxy), self.ever_described.contains(&proxy)) {
            (true, _) => Expected::Exactly(SUCCESS),
            // What a message that was not handled yet carries may have kept the former proxy.
            (false, true) => Expected::Unsure(Unsure::OneOf([SUCCESS, DEAD])),
            (false, false) => Expected::Exactly(DEAD),
        }
    }

    /// A recipient is added.
    pub fn add_recipient(&mut self, entry: Entry) -> Expected {
        let proxy = (entry.process, entry.stub);
        if self.owner(entry.stub) == entry.process || self.told_proxies.contains(&proxy) {
            return Expected::Exactly(INNER_ERROR);
        }
        if self.is_alive(entry.stub) {
            self.entries.push(entry);
            return Expected::Exactly(SUCCESS);
        }
        let is_being_told = self.untold.iter().any(|untold| (untold.process, untold.stub) == proxy);
        if is_being_told || self.ever_told.contains(&proxy) {
            return Expected::Unsure(Unsure::Added(entry));
        }
        self.expect_told(entry);
        Expected::Exactly(SUCCESS)
    }

    /// A recipient is removed.
    pub fn remove_recipient(&mut self, entry: Entry) -> Expected {
        if let Some(place) = self.entries.iter().position(|known| *known == entry) {
            self.entries.remove(place);
            return Expected::Exactly(SUCCESS);
        }
        if self.untold.contains(&entry) && !self.has_noticed(entry.process, entry.stub) {
            return Expected::Unsure(Unsure::Removed(entry));
        }
        Expected::Exactly(INNER_ERROR)
    }

    /// Takes note of what an action gave. `false` where that is not as expected.
    pub fn note_outcome(&mut self, expected: &Expected, outcome: i32) -> bool {
        match *expected {
            Expected::Exactly(code) => return outcome == code,
            Expected::Unsure(Unsure::OneOf(codes)) => return codes.contains(&outcome),
            Expected::Unsure(Unsure::SentToDead { data }) => {
                if outcome == SUCCESS {
                    self.note_passed_on(data);
                }
                return [SUCCESS, DEAD].contains(&outcome);
            }
            Expected::Unsure(Unsure::Added(entry)) => {
                if outcome == SUCCESS {
                    self.expect_told(entry);
                }
            }
            Expected::Unsure(Unsure::Removed(entry)) => {
                let place = self.untold.iter().position(|known| *known == entry);
                if let (SUCCESS, Some(place)) = (outcome, place) {
                    self.untold.remove(place);
                    *self.told.entry(entry.recipient).or_default() -= 1;
                }
            }
        }
        [SUCCESS, INNER_ERROR].contains(&outcome)
    }

    /// A parcel was sent to another process: a received one is empty then.
    pub fn note_passed_on(&mut self, data: Id) {
        if let Some(Thing { what: What::Parcel(parcel), .. }) = self.things.get_mut(&data)
            && parcel.is_read_only
        {
            parcel.objects.clear();
            parcel.cursor = 0;
        }
    }

    // ---- reports ----

    /// What has happened in a process and must not have.
    pub fn complaint(&self, process: ProcessNumber, report: &Report) -> Option<String> {
        if let Some(violation) = report.violations.first() {
            return Some(violation.clone());
        }
        for (stub, times) in &report.destroyed_stubs {
            if !self.stubs[*stub as usize].is_destroyed {
                return Some(format!("stub {stub} is destroyed, and is held"));
            }
            if *times != 1 {
                return Some(format!("stub {stub} is destroyed {times} times"));
            }
        }
        for (request, outcomes) in &report.handled {
            match self.handled.get(request) {
                Some((by, expected)) if *by == process && expected == outcomes => {}
                expected => return Some(format!("request {request} gave {outcomes:?}, and not {expected:?}")),
            }
        }
        for (recipient, times) in &report.told {
            let expected = self.told.get(recipient).copied().unwrap_or(0);
            if *times > expected {
                return Some(format!("recipient {recipient} was told {times} times, and not {expected} times"));
            }
        }
        for (recipient, times) in &report.destroyed_recipients {
            let is_added = self.entries.iter().any(|entry| entry.recipient == *recipient);
            if is_added || self.things.contains_key(recipient) {
                return Some(format!("recipient {recipient} is destroyed, and is held"));
            }
            if *times != 1 {
                return Some(format!("recipient {recipient} is destroyed {times} times"));
            }
        }
        None
    }

    /// What is still to happen in a process.
    pub fn missing(&self, process: ProcessNumber, report: &Report) -> Option<String> {
        for (stub, Stub { owner, is_destroyed }) in self.stubs.iter().enumerate() {
            if *owner == process && *is_destroyed && !report.destroyed_stubs.contains_key(&(stub as u32)) {
                return Some(format!("nobody holds stub {stub}, and it is not destroyed"));
            }
        }
        for (request, (by, _)) in &self.handled {
            if *by == process && !report.handled.contains_key(request) {
                return Some(format!("request {request} is not handled"));
            }
        }
        for (recipient, of) in &self.recipients {
            let expected = self.told.get(recipient).copied().unwrap_or(0);
            let times = report.told.get(recipient).copied().unwrap_or(0);
            if *of == process && times != expected {
                return Some(format!("recipient {recipient} was told {times} times, and not {expected} times"));
            }
            let is_added = self.entries.iter().any(|entry| entry.recipient == *recipient);
            let is_held = is_added || self.things.contains_key(recipient);
            if *of == process && !is_held && !report.destroyed_recipients.contains_key(recipient) {
                return Some(format!("nobody holds recipient {recipient}, and it is not destroyed"));
            }
        }
        None
    }

    /// Nothing is missing.
    pub fn note_settled(&mut self) {
        for entry in std::mem::take(&mut self.untold) {
            self.told_proxies.insert((entry.process, entry.stub));
            self.ever_told.insert((entry.process, entry.stub));
        }
        self.sweep();
    }
}
