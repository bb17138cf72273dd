// SPDX-License-Identifier: Apache-2.0
//! A peer: a process that does what the driver says, a line at a time, and answers each with a line.
#![allow(unsafe_code)] // limits and signals of this process

use std::ffi::c_int;
use std::io::{BufRead as _, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::crash;
use crate::leaks::{self, Holdings};
use crate::library::{self, Parcel, Proxy, Reference, SUCCESS, Stub};
use crate::operations::{self, Operation};
use crate::service::{self, handle};
use crate::shared::{self, Board, THREADS, now};
use crate::world::{self, Who, fail, wait_until, world};

/// Workers: each peer's load can want one of every other peer at once.
const WORKERS: c_int = 32;

/// How the first peer, which knows all others, is known.
const FIRST: usize = 0;

static LOAD: AtomicBool = AtomicBool::new(false);
static BUSY: AtomicUsize = AtomicUsize::new(0);

/// What a script has begun, by the partner.
static BEGUN: Mutex<Vec<(usize, JoinHandle<String>)>> = Mutex::new(Vec::new());

/// What a peer is given.
pub(crate) struct Arguments<'a> {
    pub(crate) library: &'a Path,
    pub(crate) board: &'a Path,
    pub(crate) me: Who,
    pub(crate) seed: u64,
}

pub(crate) fn run(arguments: &Arguments<'_>) -> Result<(), String> {
    // SAFETY: numbers, and a limit that is a local. The peer ends with its driver, and dumps no core.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        libc::setrlimit(libc::RLIMIT_CORE, &none);
    }
    let board: &'static Board = shared::open(arguments.board).map_err(|error| format!("the board: {error}"))?;
    library::load(arguments.library).map_err(|error| format!("the library: {error}"))?;
    let started = library::start(WORKERS);
    if started != SUCCESS {
        return Err(format!("SetMaxWorkThreadNum: {started}"));
    }
    world::create(arguments.me, board, Stub::new(handle));
    for number in 0..THREADS {
        let random = fastrand::Rng::with_seed(arguments.seed.wrapping_add(number as u64));
        thread::spawn(move || load(number, random));
    }
    let base = Holdings::now();
    if arguments.me.slot == FIRST {
        answer("door none");
    } else {
        answer(&format!("door {}", library::to_hex(&Stub::new(handle).export())));
    }
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|error| format!("standard input: {error}"))?;
        let words: Vec<&str> = line.split_whitespace().collect();
        match obey(&words, base) {
            Some(text) => answer(&text),
            None => return Err(format!("what is {line:?}?")),
        }
    }
    Ok(())
}

fn answer(text: &str) {
    // A driver that is gone takes this process with it.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

fn obey(words: &[&str], base: Holdings) -> Option<String> {
    let number = |place: usize| words.get(place)?.parse::<u64>().ok();
    let who = || Some(Who { slot: number(1)? as usize, incarnation: number(2)? });
    Some(match *words.first()? {
        "adopt" => adopt(who()?, words.get(3)?),
        "meet" => meet(who()?),
        "import" => import(who()?, &library::from_hex(words.get(3)?)?),
        "export" => format!("reference {}", library::to_hex(&Stub::new(handle).export())),
        "forget" => {
            drop(Proxy::import(&library::from_hex(words.get(1)?)?));
            "forgotten".to_owned()
        }
        "gone" => {
            world().part(who()?);
            "parted".to_owned()
        }
        "load" => set_load(number(1)? != 0),
        "settle" => settle(base, number(1)? as usize),
        "do" => perform(Operation::parse(words.get(1)?)?, number(2)? as usize),
        "begin" => {
            let (operation, partner) = (Operation::parse(words.get(1)?)?, number(2)? as usize);
            let thread = thread::spawn(move || perform(operation, partner));
            BEGUN.lock().unwrap_or_else(PoisonError::into_inner).push((partner, thread));
            "begun".to_owned()
        }
        "join" => {
            let begun = std::mem::take(&mut *BEGUN.lock().unwrap_or_else(PoisonError::into_inner));
            let done = begun.into_iter().map(|(_, thread)| thread.join().unwrap_or_else(|_| "panic".to_owned()));
            format!("joined {}", done.collect::<Vec<_>>().join(";"))
        }
        "expect_end" => {
            let partner = number(1)? as usize;
            let has_ended = |(with, thread): &(usize, JoinHandle<String>)| *with != partner || thread.is_finished();
            let all_ended = || BEGUN.lock().unwrap_or_else(PoisonError::into_inner).iter().all(has_ended);
            if !wait_until(all_ended) {
                fail(&format!("a call that waits for place {partner}, which is dead, does not return"));
            }
            "ended".to_owned()
        }
        "exit" => std::process::exit(0),
        _ => return None,
    })
}

/// Lets another peer in by its door, and makes this one known to it.
fn adopt(who: Who, door: &str) -> String {
    let Some(door) = library::from_hex(door).and_then(|reference| Proxy::import(&reference)) else {
        return "dead".to_owned();
    };
    let (data, reply) = (Parcel::new(), Parcel::new());
    let me = world().me;
    data.write_number(me.slot as u64).write_number(me.incarnation).write_stub(&world().root);
    if door.call(service::OPEN, &data, &reply) != SUCCESS {
        return "dead".to_owned();
    }
    match reply.read_proxy() {
        Some(proxy) => {
            world().meet(who, proxy);
            "met".to_owned()
        }
        None => {
            fail("a peer's door leads nowhere");
            "dead".to_owned()
        }
    }
}

/// Gets another peer's proxy from itself.
fn import(who: Who, reference: &Reference) -> String {
    let reply = Parcel::new();
    let result = Proxy::import(reference).map(|door| door.call(service::ROOT, &Parcel::new(), &reply));
    match reply.read_proxy().filter(|_| result == Some(SUCCESS)) {
        Some(proxy) => {
            world().meet(who, proxy);
            "met".to_owned()
        }
        None => "dead".to_owned(),
    }
}

/// Gets another peer's proxy from the first one.
fn meet(who: Who) -> String {
    let Some(first) = world().partner(FIRST) else { return "alone".to_owned() };
    let (data, reply) = (Parcel::new(), Parcel::new());
    data.write_number(who.slot as u64).write_number(0);
    let result = first.proxy.call(service::GIVE_PROXY, &data, &reply);
    if result != SUCCESS || reply.read_number() != Some(who.incarnation) {
        return format!("no {result}");
    }
    match reply.read_proxy() {
        Some(proxy) => {
            world().meet(who, proxy);
            "met".to_owned()
        }
        None => {
            fail("the first peer gave nothing");
            "no".to_owned()
        }
    }
}

fn set_load(on: bool) -> String {
    LOAD.store(on, Ordering::SeqCst);
    if !on && !wait_until(|| BUSY.load(Ordering::SeqCst) == 0) {
        fail("the load does not cease");
    }
    "loaded".to_owned()
}

/// With nothing under way: sees whether the dead have left anything here.
fn settle(base: Holdings, peers: usize) -> String {
    world().check_watches();
    let most = base.with_peers(peers);
    if !wait_until(|| Holdings::now().is_within(most)) {
        fail(&format!("a leak: {:?}, and {most:?} at the most", Holdings::now()));
        std::env::var_os("SOAK_SHOW_LEAKS").inspect(|_| show());
    }
    format!("settled {}", leaks::heap())
}

fn show() {
    for entry in std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten() {
        eprintln!("  {:?} → {:?}", entry.file_name(), std::fs::read_link(entry.path()));
    }
    eprintln!("{}", std::fs::read_to_string("/proc/self/maps").unwrap_or_default());
}

/// Does an operation of a script: its result, when it began and when it ended.
fn perform(operation: Operation, partner: usize) -> String {
    let Some(partner) = world().partner(partner) else { return format!("done {} 0 0", library::DEAD) };
    let began = now();
    let outcome = operations::run(operation, &partner);
    format!("done {} {began} {}", outcome.result, now())
}

/// Makes calls as long as that is asked for.
fn load(number: usize, mut random: fastrand::Rng) {
    const MOST_PAUSE: u64 = 2000;
    loop {
        BUSY.fetch_add(1, Ordering::SeqCst);
        if LOAD.load(Ordering::SeqCst) {
            do_something(number, &mut random);
        }
        BUSY.fetch_sub(1, Ordering::SeqCst);
        crash::if_asked(false);
        thread::sleep(Duration::from_micros(random.u64(..MOST_PAUSE)));
    }
}

fn do_something(number: usize, random: &mut fastrand::Rng) {
    let world = world();
    let partners = world.partners();
    if partners.is_empty() {
        return;
    }
    let partner = &partners[random.usize(..partners.len())];
    let operation = Operation::random(random);
    let doing = &world.board.slots[world.me.slot].doing[number];
    let stops = world.board.stops.load(Ordering::SeqCst);
    let mut undisturbed = world.board.stopped.load(Ordering::SeqCst) == 0;
    let began = now();
    doing.partner.store(partner.who.slot as u32, Ordering::SeqCst);
    doing.since.store(began, Ordering::SeqCst);
    doing.operation.store(operation.number() + 1, Ordering::SeqCst);
    let outcome = operations::run(operation, partner);
    doing.operation.store(0, Ordering::SeqCst);
    let ended = now();
    undisturbed &= world.board.stops.load(Ordering::SeqCst) == stops;
    let deaths: Vec<_> = outcome.involved.iter().filter_map(|who| world.died_at(*who)).collect();
    // Where somebody was stopped meanwhile, that is what took so long. A death after the end has kept nobody waiting.
    for died_at in deaths.into_iter().filter(|died_at| undisturbed && (began..=ended).contains(died_at)) {
        world.board.note_return(ended - died_at);
    }
}
