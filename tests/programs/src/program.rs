// SPDX-License-Identifier: Apache-2.0
//! Programs as they are made up: in terms of what is there when a step comes, so that a step can be left out and the rest still makes sense.

use proptest::prelude::*;

/// One of the things that are there, counted modulo how many there are.
pub type Pick = u16;

/// How many processes there are at a time.
pub const PLACES: usize = 3;

/// A step of a program.
#[derive(Debug, Clone)]
pub enum Step {
    /// Deeds at the same time, none of which names what another one names.
    Together(Vec<Deed>),
    /// One process gets a proxy of another one's stub, or a wrapper of its own, without a third.
    Introduce { from: usize, stub: Pick, to: usize },
    /// A process ends.
    End { at: usize, exits: bool },
    /// Where one has ended another one starts.
    Start { at: usize },
    /// All that is to happen has happened.
    Settle,
}

/// What the main thread of a process does.
#[derive(Debug, Clone)]
pub struct Deed {
    /// Which process.
    pub at: usize,
    /// What it does.
    pub verb: Verb,
}

/// What a main thread or a handler does. In a handler, every second parcel is its data or its reply.
#[derive(Debug, Clone)]
pub enum Verb {
    CreateStub,
    CreateParcel,
    CreateRecipient,
    /// The wrapper may be destroyed at once: so the reference moves.
    Write {
        parcel: Pick,
        wrapper: Pick,
        as_stub: bool,
        moves: bool,
    },
    Read {
        parcel: Pick,
        keeps: bool,
        as_stub: bool,
    },
    Append {
        to: Pick,
        from: Pick,
    },
    RewindWrite {
        parcel: Pick,
        objects: Pick,
    },
    RewindRead {
        parcel: Pick,
        objects: Pick,
    },
    Destroy {
        thing: Pick,
    },
    Send(Request),
    Descriptor {
        via: Pick,
    },
    IsDead {
        via: Pick,
    },
    AddRecipient {
        via: Pick,
        recipient: Pick,
    },
    RemoveRecipient {
        via: Pick,
        recipient: Pick,
    },
}

/// A request, and what its handler does. That of an asynchronous one only takes its data apart.
#[derive(Debug, Clone)]
pub struct Request {
    /// The wrapper that it goes through.
    pub via: Pick,
    /// What it carries.
    pub data: Data,
    /// How it is sent.
    pub is_async: bool,
    /// Whether the wrapper that it goes through is destroyed right after.
    pub lets_go: bool,
    /// Whether the caller keeps the reply.
    pub keeps_reply: bool,
    /// What the handler returns.
    pub code: i32,
    /// What the handler does.
    pub handler: Vec<Verb>,
}

/// What a request carries.
#[derive(Debug, Clone)]
pub enum Data {
    /// A parcel that is there.
    Parcel(Pick),
    /// A new one with these objects, which is destroyed afterwards; before that the wrappers, where the references are to move.
    Of { wrappers: Vec<Pick>, moves: bool },
}

fn request(handler: impl Strategy<Value = Verb>) -> impl Strategy<Value = Request> {
    let data = prop_oneof![
        1 => any::<Pick>().prop_map(Data::Parcel),
        2 => (prop::collection::vec(any::<Pick>(), 0..3), any::<bool>())
            .prop_map(|(wrappers, moves)| Data::Of { wrappers, moves }),
    ];
    let code = prop_oneof![5 => Just(0), 1 => 1_909_000..1_910_000];
    let verbs = prop::collection::vec(handler, 0..4);
    let flags = (prop::bool::weighted(0.3), prop::bool::weighted(0.2), any::<bool>());
    (any::<Pick>(), data, flags, code, verbs).prop_map(|(via, data, flags, code, handler)| {
        let (is_async, lets_go, keeps_reply) = flags;
        Request { via, data, is_async, lets_go, keeps_reply, code, handler }
    })
}

fn simple_verb() -> impl Strategy<Value = Verb> {
    let pick = any::<Pick>;
    prop_oneof![
        2 => Just(Verb::CreateStub),
        1 => Just(Verb::CreateParcel),
        1 => Just(Verb::CreateRecipient),
        4 => (pick(), pick(), any::<bool>(), any::<bool>())
            .prop_map(|(parcel, wrapper, as_stub, moves)| Verb::Write { parcel, wrapper, as_stub, moves }),
        4 => (pick(), prop::bool::weighted(0.8), any::<bool>())
            .prop_map(|(parcel, keeps, as_stub)| Verb::Read { parcel, keeps, as_stub }),
        1 => (pick(), pick()).prop_map(|(to, from)| Verb::Append { to, from }),
        1 => (pick(), pick()).prop_map(|(parcel, objects)| Verb::RewindWrite { parcel, objects }),
        1 => (pick(), pick()).prop_map(|(parcel, objects)| Verb::RewindRead { parcel, objects }),
        6 => pick().prop_map(|thing| Verb::Destroy { thing }),
        1 => pick().prop_map(|via| Verb::Descriptor { via }),
        1 => pick().prop_map(|via| Verb::IsDead { via }),
        2 => (pick(), pick()).prop_map(|(via, recipient)| Verb::AddRecipient { via, recipient }),
        1 => (pick(), pick()).prop_map(|(via, recipient)| Verb::RemoveRecipient { via, recipient }),
    ]
}

fn verb() -> impl Strategy<Value = Verb> {
    simple_verb().prop_recursive(
        3,
        12,
        3,
        |inner| prop_oneof![3 => simple_verb(), 4 => request(inner).prop_map(Verb::Send)],
    )
}

fn step() -> impl Strategy<Value = Step> {
    let at = 0..PLACES;
    let deed = (at.clone(), verb()).prop_map(|(at, verb)| Deed { at, verb });
    prop_oneof![
        30 => prop::collection::vec(deed, 1..4).prop_map(Step::Together),
        2 => (at.clone(), any::<Pick>(), at.clone()).prop_map(|(from, stub, to)| Step::Introduce { from, stub, to }),
        1 => (at.clone(), any::<bool>()).prop_map(|(at, exits)| Step::End { at, exits }),
        1 => at.prop_map(|at| Step::Start { at }),
        2 => Just(Step::Settle),
    ]
}

/// What three processes do.
#[derive(Debug, Clone)]
pub struct Program(pub(crate) Vec<Step>);

/// Programs of up to so many steps.
pub fn programs(steps: usize) -> impl Strategy<Value = Program> {
    prop::collection::vec(step(), 1..=steps).prop_map(Program)
}
