// SPDX-License-Identifier: Apache-2.0
//! Sees the conformance suite fail. Each mutation of `src/host/mutation_list.rs` breaks one property of the library; the tests named there
//! have to fail with it, and none may fail without.

mod list;
mod suite;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::list::{MUTATIONS, Mutation};
use crate::suite::{Outcome, Suite};

const USAGE: &str = "usage: ipckit-mutants [--survey] [MUTATION]... PROGRAM
Runs the suite, the program `conformance` with libraries built for it, without a mutation, and then with each mutation, or
with these, the tests that have to fail.
  --survey   with each mutation the whole suite, and tells which tests failed with it, and which never did";

/// Tests that one run of the program gets: few, so that those that hang do so beside each other.
const TESTS_A_RUN: usize = 8;

struct Arguments {
    program: PathBuf,
    mutations: Vec<&'static Mutation>,
    survey: bool,
}

impl Arguments {
    fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, lexopt::Error> {
        use lexopt::prelude::{Long, Value, ValueExt as _};
        let (mut survey, mut values) = (false, Vec::new());
        let mut parser = lexopt::Parser::from_args(arguments);
        while let Some(argument) = parser.next()? {
            match argument {
                Long("survey") => survey = true,
                Value(value) => values.push(value),
                _ => return Err(argument.unexpected()),
            }
        }
        let program = values.pop().ok_or("PROGRAM is missing")?.into();
        let mut mutations = Vec::new();
        for value in values {
            let name = value.string()?;
            let known = MUTATIONS.iter().find(|mutation| mutation.name == name);
            mutations.push(known.ok_or_else(|| format!("there is no mutation {name}"))?);
        }
        if mutations.is_empty() {
            mutations.extend(MUTATIONS);
        }
        Ok(Self { program, mutations, survey })
    }
}

/// The tests that have to run with a mutation, or with none.
struct Task {
    mutation: Option<&'static Mutation>,
    tests: Vec<String>,
}

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args_os().skip(1)) {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("ipckit-mutants: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("ipckit-mutants: cannot run {}: {error}", arguments.program.display());
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> io::Result<bool> {
    let suite = Suite::new(&arguments.program);
    let all = suite.tests()?;
    let sound = run_task(&suite, &[Task { mutation: None, tests: all.clone() }], |_, _| {})?;
    println!("without a mutation: {} of {} tests passed", sound[0].passed.len(), all.len());
    for test in &all {
        if !sound[0].passed.contains(test) {
            println!("  fails: {test}");
        }
    }
    let named = |mutation: &Mutation| mutation.tests.iter().map(|test| (*test).to_owned()).collect();
    let tasks: Vec<_> = arguments
        .mutations
        .iter()
        .map(|mutation| Task {
            mutation: Some(mutation),
            tests: if arguments.survey { all.clone() } else { named(mutation) },
        })
        .collect();
    let outcomes = run_task(&suite, &tasks, |task, outcome| report(arguments.survey, task, outcome))?;
    if arguments.survey {
        tell_what_never_failed(&all, &outcomes);
    }
    let survived = tasks.iter().zip(&outcomes).filter(|(task, outcome)| !survivors(task, outcome).is_empty()).count();
    println!("{} mutations, {survived} survived by a test that has to fail", tasks.len());
    Ok(sound[0].passed.len() == all.len() && survived == 0)
}

/// The tests that have to fail with the task's mutation and did not.
fn survivors<'a>(task: &'a Task, outcome: &Outcome) -> Vec<&'a str> {
    let tests = task.mutation.map_or(&[][..], |mutation| mutation.tests);
    tests.iter().copied().filter(|test| !outcome.failed.contains(*test)).collect()
}

fn report(survey: bool, task: &Task, outcome: &Outcome) {
    let Some(mutation) = task.mutation else { return };
    let survivors = survivors(task, outcome);
    let red = mutation.tests.len() - survivors.len();
    println!(
        "{:8} {:32} {red} of {} red  {}",
        if survivors.is_empty() { "ok" } else { "SURVIVED" },
        mutation.name,
        mutation.tests.len(),
        mutation.what.trim()
    );
    for test in survivors {
        println!("         survived: {test}");
    }
    if survey {
        for test in &outcome.failed {
            println!("         red: {test}");
        }
    }
}

fn tell_what_never_failed(all: &[String], outcomes: &[Outcome]) {
    let failed: BTreeSet<_> = outcomes.iter().flat_map(|outcome| &outcome.failed).collect();
    println!("{} of {} tests failed with some mutation; never did:", failed.len(), all.len());
    for test in all.iter().filter(|test| !failed.contains(test)) {
        println!("  {test}");
    }
}

/// Runs all tasks, several tests at once; `done` is told of each that is through.
fn run_task(suite: &Suite, tasks: &[Task], done: impl Fn(&Task, &Outcome) + Sync) -> io::Result<Vec<Outcome>> {
    let runs: Vec<(usize, &[String])> = tasks
        .iter()
        .enumerate()
        .flat_map(|(task, of)| of.tests.chunks(TESTS_A_RUN).map(move |tests| (task, tests)))
        .collect();
    let outcomes: Vec<_> = tasks.iter().map(|_| Mutex::new(Outcome::default())).collect();
    let next = AtomicUsize::new(0);
    let work = || -> io::Result<()> {
        while let Some((task, tests)) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mutation = tasks[*task].mutation.map(|mutation| mutation.name);
            let outcome = suite.run(mutation, tests)?;
            let mut sum = outcomes[*task].lock().expect("no thread panics with it");
            sum.passed.extend(outcome.passed);
            sum.failed.extend(outcome.failed);
            if sum.passed.len() + sum.failed.len() == tasks[*task].tests.len() {
                done(&tasks[*task], &sum);
            }
        }
        Ok(())
    };
    let workers = 4 * thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("no worker panics"))
    })?;
    Ok(outcomes.into_iter().map(|outcome| outcome.into_inner().expect("no thread panics with it")).collect())
}
