// SPDX-License-Identifier: Apache-2.0
//! What an actor is told to do, and what it answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A wrapper, a parcel or a recipient: its number in the whole program, given once.
pub type Id = u32;

/// One action, of an actor's main thread or within a handler. What it names may still be on its way: it is waited for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Action {
    /// Makes a stub, with its number as descriptor.
    CreateStub { stub: u32, wrapper: Id },
    /// Makes an empty parcel.
    CreateParcel { parcel: Id },
    /// Makes a death recipient.
    CreateRecipient { recipient: Id },
    /// Writes an object into a parcel, as a stub or as a proxy.
    Write { parcel: Id, wrapper: Id, as_stub: bool },
    /// Reads the next object, and keeps it or destroys it. 1 where there was one, else 0.
    Read { parcel: Id, keep: Option<Id>, as_stub: bool },
    /// Appends a parcel to another one, or to itself.
    Append { to: Id, from: Id },
    /// Sets the write cursor behind so many objects.
    RewindWrite { parcel: Id, objects: u32 },
    /// Sets the read cursor behind so many objects.
    RewindRead { parcel: Id, objects: u32 },
    /// Destroys a wrapper, a parcel or a recipient.
    Destroy { thing: Id },
    /// Sends a request with the code `number`. The reply is kept under an id, or destroyed.
    Send { via: Id, number: u32, data: Id, is_async: bool, reply: Option<Id> },
    /// Asks for the descriptor, which is to be the stub's number.
    Descriptor { via: Id, stub: u32 },
    /// Whether the stub's process is dead.
    IsDead { via: Id },
    /// Adds a recipient.
    AddRecipient { via: Id, recipient: Id },
    /// Removes a recipient.
    RemoveRecipient { via: Id, recipient: Id },
}

/// What the handler of one request does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Instruction {
    /// What its data is called while it runs.
    pub data: Id,
    /// What its reply is called while it runs.
    pub reply: Id,
    /// What it does.
    pub actions: Vec<Action>,
    /// What it returns.
    pub code: i32,
}

/// An order of the coordinator's.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Order {
    /// A request with this code will come.
    Prepare { number: u32, instruction: Instruction },
    /// Do this.
    Act(Action),
    /// Give bytes by which another process gets a proxy of this stub.
    Export { wrapper: Id },
    /// Make a proxy of such bytes.
    Import { bytes: Vec<u8>, wrapper: Id },
    /// Wait until the process of this proxy's stub is known to be dead.
    AwaitDeath { via: Id },
    /// Say what has happened so far.
    Report,
    /// Exit.
    Exit,
}

/// What an actor answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Answer {
    /// It is done.
    Done,
    /// The action gave this.
    Outcome(i32),
    /// The bytes of a reference.
    Reference(Vec<u8>),
    /// What has happened.
    Report(Report),
}

/// What has happened in a process since it began.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// How often the destroy callback of each stub has run.
    pub destroyed_stubs: BTreeMap<u32, u32>,
    /// What the actions of each request that has been handled gave.
    pub handled: BTreeMap<u32, Vec<i32>>,
    /// How often each recipient was told of a death.
    pub told: BTreeMap<Id, u32>,
    /// How often the destroy callback of each recipient has run.
    pub destroyed_recipients: BTreeMap<Id, u32>,
    /// What must not happen.
    pub violations: Vec<String>,
}

/// `OH_IPC_SUCCESS`.
pub const SUCCESS: i32 = 0;
/// `OH_IPC_PARCEL_WRITE_ERROR`.
pub const WRITE_ERROR: i32 = 1_901_001;
/// `OH_IPC_DEAD_REMOTE_OBJECT`.
pub const DEAD: i32 = 1_901_005;
/// `OH_IPC_INNER_ERROR`.
pub const INNER_ERROR: i32 = 1_901_007;
/// Bytes that an object takes in a parcel.
pub const OBJECT_BYTES: u32 = 24;
