// SPDX-License-Identifier: Apache-2.0
//! A script is played again and again, and each time one peer dies at another one of the library's own steps.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::shared::{DIE, FaultPage, FaultPoint, STOP, Shared};
use crate::stage::{ROLES, Stage};

/// Knows everybody, and passes them on to each other. It never dies.
const FIRST: usize = 0;
const CALLER: usize = 1;
const SERVER: usize = 2;
const MIDDLEMAN: usize = 3;
/// Is killed by the driver, so that the others' ways of noticing a death are among the steps.
const GUEST: usize = 4;

const NAMES: [&str; ROLES] = ["first", "caller", "server", "middleman", "guest"];
const VICTIMS: [usize; 3] = [CALLER, SERVER, MIDDLEMAN];

/// Stubs that make more messages than a socket takes when they are let go of at once.
const MANY: usize = 500;

/// What the peers do: who, what, with whom.
const SCRIPT: &[(usize, &str, usize)] = &[
    (CALLER, "echo/0", SERVER),
    (CALLER, "echo/1000", SERVER),
    (CALLER, "echo/200000", SERVER),
    (CALLER, "slow/4", SERVER),
    (CALLER, "note/0/0", SERVER),
    (CALLER, "note/0/0", SERVER),
    (CALLER, "note/60000/2000", SERVER),
    (CALLER, "note/60000/2000", SERVER),
    (CALLER, "note/60000/2000", SERVER),
    (CALLER, "note/60000/2000", SERVER),
    (CALLER, "call_back/0", SERVER),
    (CALLER, "call_back/3", SERVER),
    (CALLER, "forward/2", MIDDLEMAN),
    (CALLER, "forward_async/2", MIDDLEMAN),
    (CALLER, "give_proxy/2", MIDDLEMAN),
    (CALLER, "forward/4", MIDDLEMAN),
    (CALLER, "give_stubs/4", SERVER),
    (CALLER, "descriptors/2", SERVER),
    (CALLER, "descriptors_async/2", SERVER),
    (CALLER, "post_back", SERVER),
    (CALLER, "watch", SERVER),
    (CALLER, "describe", SERVER),
    (CALLER, "unaligned/2", MIDDLEMAN),
    (SERVER, "slow/1000", CALLER),
    (SERVER, "note/60000/1000", MIDDLEMAN),
    (SERVER, "note/60000/1000", MIDDLEMAN),
    (SERVER, "note/60000/1000", MIDDLEMAN),
    (SERVER, "forward/3", CALLER),
    (SERVER, "forward_async/1", MIDDLEMAN),
    (SERVER, "unaligned/3", CALLER),
    (SERVER, "descriptors/1", CALLER),
    (SERVER, "call_back/1", MIDDLEMAN),
    (MIDDLEMAN, "echo/200000", SERVER),
    (MIDDLEMAN, "slow/4", CALLER),
    (MIDDLEMAN, "note/60000/1000", CALLER),
    (MIDDLEMAN, "note/60000/1000", CALLER),
    (MIDDLEMAN, "note/60000/1000", CALLER),
    (MIDDLEMAN, "forward_async/1", SERVER),
    (MIDDLEMAN, "give_proxy/1", SERVER),
    (MIDDLEMAN, "unaligned/1", SERVER),
    (MIDDLEMAN, "call_back/2", CALLER),
    (MIDDLEMAN, "descriptors_async/1", CALLER),
];

/// Where a peer dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Case {
    victim: usize,
    place: usize,
    passing: u64,
}

impl Case {
    fn name(self) -> String {
        let side = if self.place.is_multiple_of(2) { "before" } else { "after" };
        format!("{}/{}/{side}/{}", NAMES[self.victim], FaultPoint::NAMES[self.place / 2], self.passing)
    }

    /// From its name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let mut words = name.split('/');
        let victim = words.next()?;
        let victim = VICTIMS.into_iter().find(|known| NAMES[*known] == victim)?;
        let point = words.next()?;
        let point = FaultPoint::NAMES.iter().position(|known| *known == point)?;
        let side = usize::from(words.next()? == "after");
        Some(Self { victim, place: 2 * point + side, passing: words.next()?.parse().ok()? })
    }
}

/// What came of a script.
struct Played {
    reached: bool,
    longest: Option<u64>,
    complaints: Vec<String>,
    /// How often each place was passed, by role.
    passed: Vec<Vec<u64>>,
}

/// Plays the script once.
fn play(library: &Path, case: Option<Case>) -> io::Result<Played> {
    let mut stage = Stage::new(case.map(|case| case.victim))?;
    if let Some(case) = case {
        let page = stage.pages[case.victim].memory;
        page.place.store(case.place as u32, Ordering::SeqCst);
        page.passing.store(case.passing, Ordering::SeqCst);
        page.action.store(DIE, Ordering::SeqCst);
    }
    // Who stops before its hello, so that two of them cross.
    let stopper = if stage.victim == Some(CALLER) { MIDDLEMAN } else { CALLER };
    let doors = stage.start(library)?;
    for (slot, door) in doors.iter().enumerate().skip(1) {
        if let Some(door) = door {
            let _ = stage.ask(FIRST, &format!("adopt {slot} {} {door}", slot + 1));
        }
    }
    let references = cross(&mut stage, stopper, CALLER + MIDDLEMAN - stopper);
    for (slot, other) in [(CALLER, SERVER), (SERVER, CALLER), (MIDDLEMAN, SERVER), (SERVER, MIDDLEMAN)] {
        let _ = stage.ask(slot, &format!("meet {other} {}", other + 1));
    }
    for slot in VICTIMS {
        let _ = stage.ask(slot, &format!("meet {GUEST} {}", GUEST + 1));
        let _ = stage.ask(GUEST, &format!("meet {slot} {}", slot + 1));
    }
    let holds = [
        (CALLER, SERVER),
        (CALLER, MIDDLEMAN),
        (SERVER, CALLER),
        (MIDDLEMAN, SERVER),
        (FIRST, SERVER),
        (FIRST, CALLER),
        (FIRST, MIDDLEMAN),
    ];
    for (slot, other) in holds {
        let _ = stage.ask(slot, &format!("begin hold {other}"));
    }
    stage.wait_until("calls are not handled", |stage| {
        stage.died_at().is_some() || stage.board.memory.held.load(Ordering::SeqCst) == holds.len() as u64
    });
    for (slot, operation, partner) in SCRIPT {
        stage.act(*slot, operation, *partner);
    }
    for (slot, partner) in [(CALLER, SERVER), (SERVER, MIDDLEMAN), (MIDDLEMAN, CALLER)] {
        fill_socket(&mut stage, slot, partner);
    }
    // Until all that looked for work sleep.
    thread::sleep(Duration::from_millis(5));
    // What the guest passes on is on its way when it dies.
    for (slot, operation) in [(MIDDLEMAN, "forward_async/1"), (CALLER, "forward_async/2")] {
        stage.signal(slot, libc::SIGSTOP);
        stage.act(GUEST, operation, slot);
    }
    stage.kill(GUEST);
    stage.signal(MIDDLEMAN, libc::SIGCONT);
    stage.signal(CALLER, libc::SIGCONT);
    for slot in 0..GUEST {
        let _ = stage.ask(slot, &format!("gone {GUEST} {}", GUEST + 1));
    }
    for (slot, operation, partner) in &SCRIPT[..5] {
        stage.act(*slot, operation, *partner);
    }
    // From here on nobody is to die.
    stage.pages.iter().for_each(|page| page.memory.action.store(0, Ordering::SeqCst));
    let counts =
        |page: &Shared<FaultPage>| page.memory.passed.iter().map(|count| count.load(Ordering::SeqCst)).collect();
    let passed: Vec<Vec<u64>> = stage.pages.iter().map(counts).collect();
    look_after(&mut stage, &references);
    Ok(Played {
        reached: stage.died_at().is_some(),
        longest: stage.longest,
        passed,
        complaints: std::mem::take(&mut stage.complaints),
    })
}

/// Two peers connect to each other at the same time. What they gave away for that is returned.
fn cross(stage: &mut Stage, stopper: usize, other: usize) -> Vec<String> {
    let mut give = |slot: usize| Some(stage.ask(slot, "export")?.strip_prefix("reference ")?.to_owned());
    let (of_stopper, of_other) = (give(stopper), give(other));
    if let (Some(of_stopper), Some(of_other)) = (&of_stopper, &of_other) {
        let page = stage.pages[stopper].memory;
        let hello = 2 * FaultPoint::HelloSent as usize;
        page.place.store(hello as u32, Ordering::SeqCst);
        page.passing.store(page.passed[hello].load(Ordering::SeqCst) + 1, Ordering::SeqCst);
        page.action.store(STOP, Ordering::SeqCst);
        stage.tell(stopper, &format!("import {other} {} {of_other}", other + 1));
        stage.wait_until("nobody stops", |stage| stage.is_stopped(stopper));
        page.action.store(0, Ordering::SeqCst);
        let hellos = |stage: &Stage| stage.pages[other].memory.passed[hello + 1].load(Ordering::SeqCst);
        let before = hellos(stage);
        stage.tell(other, &format!("import {stopper} {} {of_stopper}", stopper + 1));
        stage.wait_until("nobody says hello", |stage| hellos(stage) > before || stage.died_at().is_some());
        stage.signal(stopper, libc::SIGCONT);
        let _ = (stage.answer(stopper), stage.answer(other));
    }
    of_stopper.into_iter().chain(of_other).collect()
}

/// A peer says more than the other one's socket takes, while that does not read.
fn fill_socket(stage: &mut Stage, slot: usize, partner: usize) {
    stage.act(slot, &format!("keep/{MANY}"), partner);
    stage.signal(partner, libc::SIGSTOP);
    stage.act(slot, "let_go", partner);
    stage.signal(partner, libc::SIGCONT);
}

/// Sees what the survivors have noticed, and what they hold.
fn look_after(stage: &mut Stage, references: &[String]) {
    let victim = stage.victim.filter(|_| stage.died_at().is_some());
    if let Some(victim) = victim {
        stage.bury(victim);
    }
    let survivors: Vec<usize> = (0..GUEST).filter(|slot| Some(*slot) != victim && stage.lives(*slot)).collect();
    if survivors.len() + usize::from(victim.is_some()) != GUEST {
        stage.complain("others than the victim have ended".into());
    }
    for slot in &survivors {
        if let Some(victim) = victim {
            let _ = stage.ask(*slot, &format!("expect_end {victim}"));
            let _ = stage.ask(*slot, &format!("gone {victim} {}", victim + 1));
        }
    }
    stage.board.memory.released.store(1, Ordering::SeqCst);
    survivors.iter().for_each(|slot| stage.join(*slot));
    for receiver in &survivors {
        for sender in 0..ROLES {
            let (receiver, pair) = (*receiver, stage.board.memory.pair(sender, *receiver));
            let accepted = pair.accepted.load(Ordering::SeqCst);
            stage.wait_until("accepted messages are not handled", |_| pair.handled() >= accepted);
            if survivors.contains(&sender) && pair.handled() != accepted {
                stage.complain(format!(
                    "{} of {accepted} messages of {sender} are handled at {receiver}",
                    pair.handled()
                ));
            }
        }
    }
    for slot in &survivors {
        for other in survivors.iter().filter(|other| *other != slot) {
            // Who died in the middle of an introduction is the only one who is not known.
            if *slot != FIRST && *other != FIRST && victim.is_none() {
                stage.act(*slot, "echo/1000", *other);
            }
            for known in [FIRST, *other] {
                if known != *slot {
                    stage.act(*slot, "echo/4", known);
                    stage.act(*slot, "note/4/0", known);
                }
            }
        }
    }
    for reference in references {
        let _ = stage.ask(FIRST, &format!("forget {reference}"));
    }
    for slot in &survivors {
        let _ = stage.ask(*slot, &format!("settle {}", survivors.len() - 1));
    }
    stage.end();
}

/// What is to be tried.
pub(crate) struct Plan {
    /// So many cases, evenly spread, or all.
    pub(crate) sample: Option<usize>,
    /// This one only, so many times.
    pub(crate) only: Option<(Case, usize)>,
    /// Scripts that are played beside each other.
    pub(crate) jobs: usize,
}

/// First and later passings.
fn passings(count: u64) -> Vec<u64> {
    let mut passings = vec![1, count.div_ceil(3), (2 * count).div_ceil(3), count];
    passings.dedup();
    passings.retain(|passing| *passing != 0);
    passings
}

/// Runs the trial; whether all was well.
pub(crate) fn run(library: &Path, plan: &Plan) -> io::Result<bool> {
    let mut passed = vec![vec![0_u64; 2 * FaultPoint::ALL.len()]; ROLES];
    let mut complaints = 0;
    let add = |passed: &mut Vec<Vec<u64>>, played: &Played| {
        for (sum, counts) in passed.iter_mut().flatten().zip(played.passed.iter().flatten()) {
            *sum = (*sum).max(*counts);
        }
    };
    let mut tell = |name: &str, played: &Played| {
        for complaint in &played.complaints {
            println!("FAILED {name}: {complaint}");
        }
        complaints += usize::from(!played.complaints.is_empty());
    };
    // Without a death: what is passed, and that all is well.
    for _ in 0..3 {
        let played = play(library, None)?;
        tell("without a death", &played);
        add(&mut passed, &played);
    }
    let cases = match plan.only {
        Some((case, times)) => vec![case; times],
        None => {
            let mut cases = Vec::new();
            for point in 0..FaultPoint::ALL.len() {
                for (place, victim) in
                    [2 * point, 2 * point + 1].into_iter().flat_map(|place| VICTIMS.map(|victim| (place, victim)))
                {
                    let passings = passings(passed[victim][place]);
                    cases.extend(passings.into_iter().map(|passing| Case { victim, place, passing }));
                }
            }
            let all = cases.len();
            let wanted = plan.sample.unwrap_or(all).min(all);
            (0..wanted).map(|number| cases[number * all / wanted]).collect()
        }
    };
    let (next, results) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let work = || -> io::Result<()> {
        loop {
            let number = next.fetch_add(1, Ordering::SeqCst);
            let Some(case) = cases.get(number) else { return Ok(()) };
            // Not every step is passed as often each time.
            const TRIES: usize = 6;
            for _ in 0..TRIES {
                let played = play(library, Some(*case))?;
                let ends = played.reached || !played.complaints.is_empty();
                results.lock().expect("no thread panics with it").insert(number, played);
                if ends {
                    break;
                }
            }
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..plan.jobs).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("no thread panics"))
    })?;
    let results = results.into_inner().expect("no thread panics with it");
    let mut died = vec![0_usize; 2 * FaultPoint::ALL.len()];
    let (mut deaths, mut longest) = (0, 0);
    for (number, played) in &results {
        tell(&cases[*number].name(), played);
        add(&mut passed, played);
        deaths += usize::from(played.reached);
        died[cases[*number].place] += usize::from(played.reached);
        longest = longest.max(played.longest.unwrap_or(0));
    }
    let names = |is_so: &dyn Fn(usize) -> bool| {
        let places = (0..FaultPoint::ALL.len()).filter(|point| is_so(*point));
        places.map(|point| FaultPoint::NAMES[point]).collect::<Vec<_>>().join(", ")
    };
    let never = names(&|point| passed.iter().all(|counts| counts[2 * point] == 0));
    let survived = names(&|point| died[2 * point] == 0 || died[2 * point + 1] == 0);
    println!("{} steps, {} cases, {deaths} deaths", FaultPoint::ALL.len(), cases.len());
    println!("longest return after a death {:.1} ms", longest as f64 / 1e6);
    if !never.is_empty() {
        println!("FAILED: never passed: {never}");
    }
    let is_whole = plan.sample.is_none() && plan.only.is_none();
    if is_whole && !survived.is_empty() {
        println!("FAILED: nobody has died before and after: {survived}");
    }
    println!("failures {complaints}");
    Ok(complaints == 0 && never.is_empty() && (!is_whole || survived.is_empty()) && deaths > 0)
}
