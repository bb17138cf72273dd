// SPDX-License-Identifier: Apache-2.0
//! Runs a program: gives actors their orders, and compares what they report with what the model expects.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::actor::PATIENCE;
use crate::actors::Actor;
use crate::model::{Expected, Model, ProcessNumber, What};
use crate::orders::{Action, Answer, Order, Report, SUCCESS};
use crate::program::{Deed, PLACES, Pick, Program, Step};
use crate::resolve::{Planned, Resolver};

struct Run<'a> {
    actor_program: &'a Path,
    model: Model,
    /// By their process numbers; `None` where it has ended.
    actors: Vec<Option<Actor>>,
    places: [ProcessNumber; PLACES],
    /// What was done, for who reads of a failure.
    trace: Vec<String>,
}

/// Runs a program with processes of the actors' program.
///
/// # Errors
/// Something went otherwise than the model has it; the text says what, and after which actions.
pub fn run(program: &Program, actor: &Path) -> Result<(), String> {
    let places = [0, 1, 2];
    let mut run = Run { actor_program: actor, model: Model::default(), actors: Vec::new(), places, trace: Vec::new() };
    run.all(&program.0).map_err(|error| format!("{error}\nafter:\n  {}", run.trace.join("\n  ")))
}

impl Run<'_> {
    fn all(&mut self, steps: &[Step]) -> Result<(), String> {
        for place in 0..PLACES {
            self.start(place)?;
        }
        for step in steps {
            match step {
                Step::Together(deeds) => self.together(deeds)?,
                Step::Introduce { from, stub, to } => self.introduce_picked(*from, *stub, *to)?,
                Step::End { at, exits } => self.end(*at, *exits)?,
                Step::Start { at } if self.model.lives[self.places[*at]] => {}
                Step::Start { at } => self.start(*at)?,
                Step::Settle => self.settle()?,
            }
            self.look_for_too_early()?;
        }
        self.finish()
    }

    fn living(&self) -> Vec<ProcessNumber> {
        (0..self.actors.len()).filter(|process| self.actors[*process].is_some()).collect()
    }

    fn actor(&mut self, process: ProcessNumber) -> Result<&mut Actor, String> {
        self.actors[process].as_mut().ok_or_else(|| format!("process {process} has ended"))
    }

    fn note(&mut self, process: ProcessNumber, what: impl Debug) {
        self.trace.push(format!("{process}: {what:?}"));
    }

    fn ask(&mut self, process: ProcessNumber, order: &Order) -> Result<Answer, String> {
        self.actor(process)?.ask(order).map_err(|error| format!("process {process}, {order:?}: {error}"))
    }

    /// A process starts, with a stub of which the others get proxies.
    fn start(&mut self, place: usize) -> Result<(), String> {
        let process = self.model.start();
        self.actors.push(Some(Actor::start(self.actor_program).map_err(|error| error.to_string())?));
        self.places[place] = process;
        self.note(process, "starts");
        let (stub, wrapper) = self.model.add_stub(process);
        self.carry_out(process, vec![(Action::CreateStub { stub, wrapper }, Expected::Exactly(SUCCESS))])?;
        for other in self.living().into_iter().filter(|other| *other != process) {
            self.introduce(process, stub, wrapper, other)?;
        }
        Ok(())
    }

    fn introduce_picked(&mut self, from: usize, stub: Pick, to: usize) -> Result<(), String> {
        let [from, to] = [from, to].map(|place| self.places[place]);
        let own = self.model.things.iter().filter_map(|(id, thing)| match thing.what {
            What::Wrapper(stub) if thing.process == from && self.model.owner(stub) == from => Some((*id, stub)),
            _ => None,
        });
        let own: Vec<_> = own.collect();
        match own.get(usize::from(stub) % own.len().max(1)) {
            Some((wrapper, stub)) if self.model.lives[from] && self.model.lives[to] => {
                self.introduce(from, *stub, *wrapper, to)
            }
            _ => Ok(()),
        }
    }

    fn introduce(&mut self, from: ProcessNumber, stub: u32, wrapper: u32, to: ProcessNumber) -> Result<(), String> {
        let Answer::Reference(bytes) = self.ask(from, &Order::Export { wrapper })? else {
            return Err(format!("process {from} gives no reference"));
        };
        let proxy = self.model.add(to, What::Wrapper(stub));
        self.note(to, format_args!("gets {proxy}, of stub {stub}"));
        self.ask(to, &Order::Import { bytes, wrapper: proxy }).map(drop)
    }

    /// Deeds at the same time.
    fn together(&mut self, deeds: &[Deed]) -> Result<(), String> {
        let (first, mut taken) = (self.model.next_id(), BTreeSet::new());
        let mut planned: Vec<(ProcessNumber, Vec<Planned>)> = Vec::new();
        let mut prepared = Vec::new();
        for Deed { at, verb } in deeds {
            let process = self.places[*at];
            if self.model.lives[process] {
                let mut resolver = Resolver::new(&mut self.model, &taken, first);
                planned.push((process, resolver.resolve(process, verb)));
                let named = std::mem::take(&mut resolver.named);
                prepared.append(&mut resolver.prepared);
                taken.extend(named);
            }
        }
        for (process, number, instruction) in prepared {
            self.note(process, format_args!("is to handle {number}: {instruction:?}"));
            self.ask(process, &Order::Prepare { number, instruction })?;
        }
        for (process, actions) in &planned {
            for (action, _) in actions {
                self.note(*process, action);
                self.actor(*process)?.give(&Order::Act(action.clone()))?;
            }
        }
        for (process, actions) in planned {
            self.hear(process, actions)?;
        }
        Ok(())
    }

    fn carry_out(&mut self, process: ProcessNumber, actions: Vec<Planned>) -> Result<(), String> {
        for (action, _) in &actions {
            self.note(process, action);
            self.actor(process)?.give(&Order::Act(action.clone()))?;
        }
        self.hear(process, actions)
    }

    fn hear(&mut self, process: ProcessNumber, actions: Vec<Planned>) -> Result<(), String> {
        for (action, expected) in actions {
            let answer =
                self.actor(process)?.hear().map_err(|error| format!("process {process}, {action:?}: {error}"))?;
            let Answer::Outcome(outcome) = answer else {
                return Err(format!("process {process} answers {answer:?} to {action:?}"));
            };
            if !self.model.note_outcome(&expected, outcome) {
                return Err(format!("process {process}: {action:?} gave {outcome}, and not {expected:?}"));
            }
        }
        Ok(())
    }

    fn end(&mut self, place: usize, exits: bool) -> Result<(), String> {
        let process = self.places[place];
        if let Some(mut actor) = self.actors[process].take() {
            self.note(process, if exits { "exits" } else { "is killed" });
            if exits {
                actor.exit()?
            } else {
                actor.kill()?
            }
            self.model.end(process);
        }
        Ok(())
    }

    /// Asks all who live at once.
    fn reports(&mut self) -> Result<Vec<(ProcessNumber, Report)>, String> {
        let living = self.living();
        for process in &living {
            self.actor(*process)?.give(&Order::Report)?;
        }
        let mut reports = Vec::new();
        for process in living {
            match self.actor(process)?.hear()? {
                Answer::Report(report) => reports.push((process, report)),
                answer => return Err(format!("process {process} answers {answer:?}, and no report")),
            }
        }
        Ok(reports)
    }

    /// What has happened so far may happen.
    fn look_for_too_early(&mut self) -> Result<Vec<(ProcessNumber, Report)>, String> {
        let reports = self.reports()?;
        for (process, report) in &reports {
            if let Some(complaint) = self.model.complaint(*process, report) {
                return Err(format!("process {process}: {complaint}"));
            }
        }
        Ok(reports)
    }

    /// Waits until all has happened that is to happen.
    fn settle(&mut self) -> Result<(), String> {
        self.note(0, "all settle");
        self.await_deaths()?;
        let start = Instant::now();
        loop {
            let reports = self.look_for_too_early()?;
            let missing =
                |(process, report): &(ProcessNumber, Report)| Some((*process, self.model.missing(*process, report)?));
            let Some((process, missing)) = reports.iter().find_map(missing) else { break };
            if start.elapsed() > PATIENCE {
                return Err(format!("process {process}: {missing}"));
            }
            std::thread::sleep(Duration::from_micros(100));
        }
        self.model.note_settled();
        Ok(())
    }

    fn await_deaths(&mut self) -> Result<(), String> {
        let wrappers = self.model.things.iter().filter_map(|(id, thing)| match thing.what {
            What::Wrapper(stub) if !self.model.is_alive(stub) => Some((thing.process, self.model.owner(stub), *id)),
            _ => None,
        });
        for (process, owner, via) in wrappers.collect::<Vec<_>>() {
            if self.model.noticed.insert((process, owner)) {
                self.ask(process, &Order::AwaitDeath { via })?;
            }
        }
        Ok(())
    }

    /// Everything is let go of, all at once, and then nothing is left.
    fn finish(&mut self) -> Result<(), String> {
        self.settle()?;
        let mut orders: Vec<(ProcessNumber, Action)> = Vec::new();
        for entry in std::mem::take(&mut self.model.entries) {
            // A proxy of one's own for it, as there may be no wrapper any more, is not to be had; then a death tells it.
            let via = self.model.things.iter().find(|(_, thing)| {
                thing.process == entry.process && matches!(thing.what, What::Wrapper(stub) if stub == entry.stub)
            });
            let has_recipient = self.model.things.contains_key(&entry.recipient);
            match via {
                Some((via, _)) if has_recipient => {
                    orders.push((entry.process, Action::RemoveRecipient { via: *via, recipient: entry.recipient }));
                }
                _ => self.model.entries.push(entry),
            }
        }
        let things: Vec<_> = self.model.things.iter().map(|(id, thing)| (thing.process, *id)).collect();
        orders.extend(things.into_iter().map(|(process, thing)| (process, Action::Destroy { thing })));
        self.model.things.clear();
        self.model.sweep();
        for (process, action) in &orders {
            self.actor(*process)?.give(&Order::Act(action.clone()))?;
        }
        for (process, action) in orders {
            self.hear(process, vec![(action, Expected::Exactly(SUCCESS))])?;
        }
        self.settle()?;
        for place in 0..PLACES {
            self.end(place, true)?;
            self.settle()?;
        }
        Ok(())
    }
}
