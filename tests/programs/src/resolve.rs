// SPDX-License-Identifier: Apache-2.0
//! What a deed means as things stand: actions that name their things, and what the model expects of them.

use std::collections::BTreeSet;

use crate::model::{Entry, Expected, Model, Parcel, ProcessNumber, Thing, What};
use crate::orders::{Action, Id, Instruction, SUCCESS, WRITE_ERROR};
use crate::program::{Data, Pick, Request, Verb};

/// More objects than this are not put into a parcel: it has room for some thousands.
const MOST_OBJECTS: usize = 500;

/// An action, and what it gives.
pub type Planned = (Action, Expected);

/// Who does it: the main thread of a process, or a handler there.
struct Context {
    process: ProcessNumber,
    /// The handler's data and reply.
    given: Option<[Id; 2]>,
    /// It runs at any time from now on.
    is_async: bool,
}

/// Resolves one deed.
pub struct Resolver<'a> {
    model: &'a mut Model,
    /// What other deeds of the same step name.
    taken: &'a BTreeSet<Id>,
    /// What those make has ids from the first of these two up to the second.
    others: [Id; 2],
    /// What this deed names.
    pub named: BTreeSet<Id>,
    /// What handlers are to be told beforehand.
    pub prepared: Vec<(ProcessNumber, u32, Instruction)>,
}

impl<'a> Resolver<'a> {
    /// For a deed of a step that began when `first` was the next id, in which others name what is `taken`.
    pub fn new(model: &'a mut Model, taken: &'a BTreeSet<Id>, first: Id) -> Self {
        let others = [first, model.next_id()];
        Self { model, taken, others, named: BTreeSet::new(), prepared: Vec::new() }
    }

    /// What the main thread of a process does; nothing, where what the verb needs is not there.
    pub fn resolve(&mut self, process: ProcessNumber, verb: &Verb) -> Vec<Planned> {
        let planned = self.act(&Context { process, given: None, is_async: false }, verb).unwrap_or_default();
        self.model.sweep();
        planned
    }

    fn pick(&mut self, pick: Pick, process: ProcessNumber, fits: impl Fn(&Thing) -> bool) -> Option<Id> {
        let is_free = |id: &Id| !self.taken.contains(id) && !(self.others[0]..self.others[1]).contains(id);
        let fitting =
            self.model.things.iter().filter(|(id, thing)| thing.process == process && is_free(id) && fits(thing));
        let ids: Vec<_> = fitting.map(|(id, _)| *id).collect();
        let id = *ids.get(usize::from(pick) % ids.len().max(1))?;
        self.named.insert(id);
        Some(id)
    }

    fn pick_wrapper(&mut self, pick: Pick, process: ProcessNumber) -> Option<Id> {
        self.pick(pick, process, |thing| matches!(thing.what, What::Wrapper(_)))
    }

    fn pick_recipient(&mut self, pick: Pick, process: ProcessNumber) -> Option<Id> {
        self.pick(pick, process, |thing| matches!(thing.what, What::Recipient))
    }

    /// A parcel; in a handler every second one is what it was given, as far as that is there.
    fn pick_parcel(&mut self, pick: Pick, context: &Context, given: usize) -> Option<Id> {
        let given = context.given.map(|ids| ids[given]).filter(|id| self.model.things[id].uses == 0);
        match given {
            Some(id) if pick.is_multiple_of(2) || context.is_async => Some(id),
            _ => self.pick(pick / 2, context.process, |thing| matches!(thing.what, What::Parcel(_)) && thing.uses == 0),
        }
    }

    fn act(&mut self, context: &Context, verb: &Verb) -> Option<Vec<Planned>> {
        const DATA: usize = 0;
        const REPLY: usize = 1;
        let process = context.process;
        let is_for_async = matches!(
            verb,
            Verb::CreateStub | Verb::CreateParcel | Verb::CreateRecipient | Verb::Read { .. } | Verb::Append { .. }
        );
        if context.is_async && !is_for_async {
            return None;
        }
        let (action, expected) = match *verb {
            Verb::CreateStub => {
                let (stub, wrapper) = self.model.add_stub(process);
                (Action::CreateStub { stub, wrapper }, Expected::Exactly(SUCCESS))
            }
            Verb::CreateParcel => {
                let parcel = self.model.add(process, What::Parcel(Parcel::default()));
                (Action::CreateParcel { parcel }, Expected::Exactly(SUCCESS))
            }
            Verb::CreateRecipient => {
                let recipient = self.model.add(process, What::Recipient);
                (Action::CreateRecipient { recipient }, Expected::Exactly(SUCCESS))
            }
            Verb::Write { parcel, wrapper, as_stub, moves } => {
                let parcel = self.pick_parcel(parcel, context, REPLY)?;
                let wrapper = self.pick_wrapper(wrapper, process)?;
                let written = (Action::Write { parcel, wrapper, as_stub }, self.write(parcel, wrapper)?);
                return Some(std::iter::once(written).chain(moves.then(|| self.destroy(wrapper)).flatten()).collect());
            }
            Verb::Read { parcel, keeps, as_stub } => {
                let parcel = self.pick_parcel(parcel, context, DATA)?;
                let known = self.model.parcel(parcel);
                let object = known.objects.get(known.cursor).copied();
                known.cursor += usize::from(object.is_some());
                let keep = object.filter(|_| keeps).map(|stub| self.model.add(process, What::Wrapper(stub)));
                (Action::Read { parcel, keep, as_stub }, Expected::Exactly(object.is_some().into()))
            }
            Verb::Append { from, .. } if context.is_async => {
                let from = self.pick_parcel(from, context, DATA)?;
                let to = self.model.add(process, What::Parcel(Parcel::default()));
                let created = (Action::CreateParcel { parcel: to }, Expected::Exactly(SUCCESS));
                return Some(vec![created, (Action::Append { to, from }, self.append(process, to, from)?)]);
            }
            Verb::Append { to, from } => {
                let (to, from) = (self.pick_parcel(to, context, REPLY)?, self.pick_parcel(from, context, DATA)?);
                (Action::Append { to, from }, self.append(process, to, from)?)
            }
            Verb::RewindWrite { parcel, objects } => {
                let parcel = self.pick_parcel(parcel, context, REPLY)?;
                let known = self.model.parcel(parcel);
                let objects = usize::from(objects) % (known.objects.len() + 1);
                known.objects.truncate(objects);
                (Action::RewindWrite { parcel, objects: objects as u32 }, Expected::Exactly(SUCCESS))
            }
            Verb::RewindRead { parcel, objects } => {
                let parcel = self.pick_parcel(parcel, context, DATA)?;
                let known = self.model.parcel(parcel);
                known.cursor = usize::from(objects) % (known.objects.len() + 1);
                (Action::RewindRead { parcel, objects: known.cursor as u32 }, Expected::Exactly(SUCCESS))
            }
            Verb::Destroy { thing } => {
                let thing = self.pick(thing, process, |_| true)?;
                return self.destroy(thing).map(|planned| vec![planned]);
            }
            Verb::Send(ref request) => return self.send(context, request),
            Verb::Descriptor { via } => {
                let via = self.pick_wrapper(via, process)?;
                let stub = self.model.stub_of(via);
                (Action::Descriptor { via, stub }, self.model.describe(process, stub))
            }
            Verb::IsDead { via } => {
                let via = self.pick_wrapper(via, process)?;
                (Action::IsDead { via }, self.model.is_dead(process, self.model.stub_of(via)))
            }
            Verb::AddRecipient { via, recipient } => {
                let (via, recipient) = (self.pick_wrapper(via, process)?, self.pick_recipient(recipient, process)?);
                let entry = Entry { process, stub: self.model.stub_of(via), recipient };
                (Action::AddRecipient { via, recipient }, self.model.add_recipient(entry))
            }
            Verb::RemoveRecipient { via, recipient } => {
                let (via, recipient) = (self.pick_wrapper(via, process)?, self.pick_recipient(recipient, process)?);
                let entry = Entry { process, stub: self.model.stub_of(via), recipient };
                (Action::RemoveRecipient { via, recipient }, self.model.remove_recipient(entry))
            }
        };
        self.model.forget_proxies();
        let is_sure = matches!(expected, Expected::Exactly(_));
        (is_sure || context.given.is_none()).then(|| vec![(action, expected)])
    }

    /// Nothing where it is in use, or is not to be destroyed by who uses it.
    fn destroy(&mut self, thing: Id) -> Option<Planned> {
        self.model.things.get(&thing).filter(|thing| thing.uses == 0 && !thing.is_lent)?;
        self.model.things.remove(&thing);
        self.model.forget_proxies();
        Some((Action::Destroy { thing }, Expected::Exactly(SUCCESS)))
    }

    fn write(&mut self, parcel: Id, wrapper: Id) -> Option<Expected> {
        let stub = self.model.stub_of(wrapper);
        let parcel = self.model.parcel(parcel);
        if parcel.is_read_only {
            return Some(Expected::Exactly(WRITE_ERROR));
        }
        if parcel.objects.len() >= MOST_OBJECTS {
            return None;
        }
        parcel.objects.push(stub);
        parcel.held.push(stub);
        Some(Expected::Exactly(SUCCESS))
    }

    fn append(&mut self, process: ProcessNumber, to: Id, from: Id) -> Option<Expected> {
        let objects = self.model.parcel(from).objects.clone();
        let to = self.model.parcel(to);
        if to.is_read_only && !objects.is_empty() {
            return Some(Expected::Exactly(WRITE_ERROR));
        }
        if to.objects.len() + objects.len() > MOST_OBJECTS {
            return None;
        }
        to.objects.extend(&objects);
        to.held.extend(&objects);
        self.model.appended.extend(objects.into_iter().map(|stub| (process, stub)));
        Some(Expected::Exactly(SUCCESS))
    }

    fn send(&mut self, context: &Context, request: &Request) -> Option<Vec<Planned>> {
        let process = context.process;
        let via = self.pick_wrapper(request.via, process)?;
        let stub = self.model.stub_of(via);
        let owner = self.model.owner(stub);
        let mut planned = Vec::new();
        // Destroying it for a move would leave nothing to send through.
        self.set_uses(via, self.model.things[&via].uses + 1);
        let (data, is_new) = match &request.data {
            Data::Parcel(pick) => (self.pick_parcel(*pick, context, 0), false),
            Data::Of { wrappers, moves } => (Some(self.fill_parcel(process, wrappers, *moves, &mut planned)), true),
        };
        self.set_uses(via, self.model.things[&via].uses - 1);
        let data = data?;
        let number = self.model.new_request();
        let (expected, reply) = if self.model.is_alive(stub) {
            self.send_to_live([via, data], owner, process, number, request)
        } else {
            (self.model.send_to_dead(process, stub, request.is_async, data), Parcel::default())
        };
        if context.given.is_some() && !matches!(expected, Expected::Exactly(_)) {
            // What was made for it stays; it is the handler's process that would have to look whether the message was accepted.
            return Some(planned);
        }
        let reply = (request.keeps_reply && !request.is_async).then(|| self.model.add(process, What::Parcel(reply)));
        let is_async = request.is_async;
        planned.push((Action::Send { via, number, data, is_async, reply }, expected));
        planned.extend(request.lets_go.then(|| self.destroy(via)).flatten());
        if is_new {
            self.model.things.remove(&data);
            self.model.forget_proxies();
            planned.push((Action::Destroy { thing: data }, Expected::Exactly(SUCCESS)));
        }
        Some(planned)
    }

    /// A new parcel with these objects.
    fn fill_parcel(
        &mut self,
        process: ProcessNumber,
        wrappers: &[Pick],
        moves: bool,
        planned: &mut Vec<Planned>,
    ) -> Id {
        let parcel = self.model.add(process, What::Parcel(Parcel::default()));
        planned.push((Action::CreateParcel { parcel }, Expected::Exactly(SUCCESS)));
        for pick in wrappers {
            if let Some(wrapper) = self.pick_wrapper(*pick, process)
                && let Some(expected) = self.write(parcel, wrapper)
            {
                planned.push((Action::Write { parcel, wrapper, as_stub: pick.is_multiple_of(2) }, expected));
                planned.extend(moves.then(|| self.destroy(wrapper)).flatten());
            }
        }
        parcel
    }

    /// What a request to a live process gives, and its reply.
    fn send_to_live(
        &mut self,
        [via, data]: [Id; 2],
        owner: ProcessNumber,
        process: ProcessNumber,
        number: u32,
        request: &Request,
    ) -> (Expected, Parcel) {
        let is_direct = owner == process;
        let used = [via, data].map(|id| (id, self.model.things[&id].uses));
        used.iter().for_each(|(id, uses)| self.set_uses(*id, uses + 1));
        // A direct call hands the caller's own parcels over: while it runs, they go by the handler's names alone.
        let original = is_direct.then(|| self.model.things.remove(&data)).flatten();
        let parcel = match &original {
            Some(Thing { what: What::Parcel(parcel), .. }) => parcel.clone(),
            _ => self.model.parcel(data).arrived(),
        };
        let given = [parcel, Parcel::default()].map(|parcel| self.lend(owner, parcel));
        let context = Context { process: owner, given: Some(given), is_async: request.is_async && !is_direct };
        let planned: Vec<_> =
            request.handler.iter().flat_map(|verb| self.act(&context, verb).unwrap_or_default()).collect();
        let outcomes = planned.iter().map(|(_, expected)| match expected {
            Expected::Exactly(outcome) => *outcome,
            Expected::Unsure(_) => unreachable!("handlers do only what is sure"),
        });
        self.model.note_handled(number, owner, outcomes.collect());
        let [handled, reply] = given.map(|id| std::mem::take(self.model.parcel(id)));
        given.iter().for_each(|id| drop(self.model.things.remove(id)));
        if let Some(original) = original {
            self.model.things.insert(data, Thing { what: What::Parcel(handled), ..original });
        }
        used.iter().for_each(|(id, uses)| self.set_uses(*id, *uses));
        self.model.forget_proxies();
        let actions = planned.into_iter().map(|(action, _)| action).collect();
        let instruction = Instruction { data: given[0], reply: given[1], actions, code: request.code };
        self.prepared.push((owner, number, instruction));
        if is_direct {
            return (Expected::Exactly(request.code), reply);
        }
        self.model.note_passed_on(data);
        let code = if request.is_async { SUCCESS } else { request.code };
        let brings_reply = code == SUCCESS && !reply.objects.is_empty();
        (Expected::Exactly(code), if brings_reply { reply.arrived() } else { Parcel::default() })
    }

    fn lend(&mut self, process: ProcessNumber, parcel: Parcel) -> Id {
        let id = self.model.add(process, What::Parcel(parcel));
        if let Some(thing) = self.model.things.get_mut(&id) {
            thing.is_lent = true;
        }
        id
    }

    fn set_uses(&mut self, id: Id, uses: u32) {
        if let Some(thing) = self.model.things.get_mut(&id) {
            thing.uses = uses;
        }
    }
}
