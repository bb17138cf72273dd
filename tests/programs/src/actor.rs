// SPDX-License-Identifier: Apache-2.0
//! An actor: carries out orders and instructions, and remembers what happened.
#![allow(unsafe_code, reason = "calls the library's C functions")]

use std::collections::{BTreeMap, HashMap};
use std::ffi::{CString, c_int, c_void};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::FromRawFd;
use std::os::unix::net::UnixStream;
use std::ptr::{null, null_mut};
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::c_face::*;
use crate::orders::{Action, Answer, Id, Instruction, OBJECT_BYTES, Order, Report, SUCCESS};

/// How long is waited for what has to come.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What an outcome is where the descriptor is another one.
const WRONG_DESCRIPTOR: i32 = -1;

#[derive(Clone, Copy)]
enum Thing {
    Stub(Pointer),
    Proxy(Pointer),
    Parcel(Pointer),
    Recipient(Pointer),
}

impl Thing {
    fn pointer(self) -> Pointer {
        match self {
            Self::Stub(pointer) | Self::Proxy(pointer) | Self::Parcel(pointer) | Self::Recipient(pointer) => pointer,
        }
    }
}

#[derive(Default)]
struct State {
    things: HashMap<Id, Thing>,
    instructions: BTreeMap<u32, Instruction>,
    report: Report,
}

// SAFETY: what the library's pointers point to may be used by any thread; the model has no two of them change the same at once.
unsafe impl Send for State {}

static STATE: LazyLock<Mutex<State>> = LazyLock::new(Mutex::default);
static CHANGED: Condvar = Condvar::new();

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn violation(what: String) {
    state().report.violations.push(what);
}

fn put(id: Id, thing: Thing) {
    if thing.pointer().is_null() {
        return violation(format!("{id} is NULL"));
    }
    state().things.insert(id, thing);
    CHANGED.notify_all();
}

/// What has this id, as soon as it is there.
fn find(id: Id) -> Thing {
    let start = Instant::now();
    let mut state = state();
    loop {
        if let Some(thing) = state.things.get(&id) {
            return *thing;
        }
        let Some(left) = PATIENCE.checked_sub(start.elapsed()) else {
            eprintln!("{id} did not come");
            std::process::abort();
        };
        state = CHANGED.wait_timeout(state, left).unwrap_or_else(std::sync::PoisonError::into_inner).0;
    }
}

fn pointer(id: Id) -> Pointer {
    find(id).pointer()
}

extern "C-unwind" fn on_request(code: u32, data: Pointer, reply: Pointer, stub: *mut c_void) -> c_int {
    let stub = stub as usize as u32;
    let instruction = {
        let mut state = state();
        if state.report.destroyed_stubs.contains_key(&stub) {
            state.report.violations.push(format!("stub {stub}, which is destroyed, got request {code}"));
        }
        let Some(instruction) = state.instructions.remove(&code) else {
            state.report.violations.push(format!("request {code} came twice, or to the wrong process"));
            return SUCCESS;
        };
        state.things.insert(instruction.data, Thing::Parcel(data));
        state.things.insert(instruction.reply, Thing::Parcel(reply));
        instruction
    };
    let outcomes = instruction.actions.iter().map(act).collect();
    let mut state = state();
    state.things.remove(&instruction.data);
    state.things.remove(&instruction.reply);
    state.report.handled.insert(code, outcomes);
    instruction.code
}

extern "C-unwind" fn on_stub_destroyed(stub: *mut c_void) {
    *state().report.destroyed_stubs.entry(stub as usize as u32).or_default() += 1;
}

extern "C-unwind" fn on_death(recipient: *mut c_void) {
    *state().report.told.entry(recipient as usize as Id).or_default() += 1;
}

extern "C-unwind" fn on_recipient_destroyed(recipient: *mut c_void) {
    *state().report.destroyed_recipients.entry(recipient as usize as Id).or_default() += 1;
}

thread_local! {
    static TEXT: std::cell::RefCell<Vec<u8>> = const { std::cell::RefCell::new(Vec::new()) };
}

extern "C-unwind" fn text_buffer(size: i32) -> *mut c_void {
    TEXT.with_borrow_mut(|text| {
        text.resize(size as usize, 0);
        text.as_mut_ptr().cast()
    })
}

fn number(of: u32) -> *mut c_void {
    of as usize as *mut c_void
}

fn act(action: &Action) -> i32 {
    match *action {
        Action::CreateStub { stub, wrapper } => {
            let descriptor = CString::new(stub.to_string()).expect("no NUL");
            // SAFETY: the callbacks take the number that goes with them.
            let pointer =
                unsafe { OH_IPCRemoteStub_Create(descriptor.as_ptr(), on_request, on_stub_destroyed, number(stub)) };
            put(wrapper, Thing::Stub(pointer));
            SUCCESS
        }
        Action::CreateParcel { parcel } => {
            // SAFETY: takes nothing.
            put(parcel, Thing::Parcel(unsafe { OH_IPCParcel_Create() }));
            SUCCESS
        }
        Action::CreateRecipient { recipient } => {
            // SAFETY: the callbacks take the number that goes with them.
            let pointer = unsafe { OH_IPCDeathRecipient_Create(on_death, on_recipient_destroyed, number(recipient)) };
            put(recipient, Thing::Recipient(pointer));
            SUCCESS
        }
        Action::Write { parcel, wrapper, as_stub } => {
            let write = if as_stub { OH_IPCParcel_WriteRemoteStub } else { OH_IPCParcel_WriteRemoteProxy };
            // SAFETY: both are alive, and nobody else uses the parcel.
            unsafe { write(pointer(parcel), pointer(wrapper)) }
        }
        Action::Read { parcel, keep, as_stub } => read(pointer(parcel), keep, as_stub),
        // SAFETY: both are alive, and nobody else uses them.
        Action::Append { to, from } => unsafe { OH_IPCParcel_Append(pointer(to), pointer(from)) },
        Action::RewindWrite { parcel, objects } => {
            // SAFETY: it is alive, and nobody else uses it.
            unsafe { OH_IPCParcel_RewindWritePosition(pointer(parcel), objects * OBJECT_BYTES) }
        }
        Action::RewindRead { parcel, objects } => {
            // SAFETY: as above.
            unsafe { OH_IPCParcel_RewindReadPosition(pointer(parcel), objects * OBJECT_BYTES) }
        }
        Action::Destroy { thing } => {
            let found = find(thing);
            state().things.remove(&thing);
            // SAFETY: nobody else uses it, now or later.
            unsafe {
                match found {
                    Thing::Stub(stub) => OH_IPCRemoteStub_Destroy(stub),
                    Thing::Proxy(proxy) => OH_IPCRemoteProxy_Destroy(proxy),
                    Thing::Parcel(parcel) => OH_IPCParcel_Destroy(parcel),
                    Thing::Recipient(recipient) => OH_IPCDeathRecipient_Destroy(recipient),
                }
            }
            SUCCESS
        }
        Action::Send { via, number, data, is_async, reply } => send(via, number, data, is_async, reply),
        Action::Descriptor { via, stub } => {
            let (mut text, mut len) = (null_mut(), 0);
            // SAFETY: it is alive; the allocator gives memory of this thread's, which lasts.
            let code = unsafe {
                OH_IPCRemoteProxy_GetInterfaceDescriptor(pointer(via), &raw mut text, &raw mut len, text_buffer)
            };
            let expected = format!("{stub}\0").into_bytes();
            if code == SUCCESS && TEXT.with_borrow(|text| *text != expected) { WRONG_DESCRIPTOR } else { code }
        }
        // SAFETY: it is alive.
        Action::IsDead { via } => unsafe { OH_IPCRemoteProxy_IsRemoteDead(pointer(via)) },
        Action::AddRecipient { via, recipient } => {
            // SAFETY: both are alive.
            unsafe { OH_IPCRemoteProxy_AddDeathRecipient(pointer(via), pointer(recipient)) }
        }
        Action::RemoveRecipient { via, recipient } => {
            // SAFETY: both are alive.
            unsafe { OH_IPCRemoteProxy_RemoveDeathRecipient(pointer(via), pointer(recipient)) }
        }
    }
}

fn read(parcel: Pointer, keep: Option<Id>, as_stub: bool) -> i32 {
    // SAFETY: it is alive, and nobody else uses it.
    let thing = unsafe {
        if as_stub {
            Thing::Stub(OH_IPCParcel_ReadRemoteStub(parcel))
        } else {
            Thing::Proxy(OH_IPCParcel_ReadRemoteProxy(parcel))
        }
    };
    match (thing, keep) {
        (thing, _) if thing.pointer().is_null() => return 0,
        (thing, Some(id)) => put(id, thing),
        // SAFETY: it was just made, for this function.
        (Thing::Stub(stub), None) => unsafe { OH_IPCRemoteStub_Destroy(stub) },
        // SAFETY: as above.
        (thing, None) => unsafe { OH_IPCRemoteProxy_Destroy(thing.pointer()) },
    }
    1
}

fn send(via: Id, number: u32, data: Id, is_async: bool, keep: Option<Id>) -> i32 {
    let option = MessageOption { mode: is_async.into(), timeout: 0, reserved: null_mut() };
    let option = if is_async { &raw const option } else { null() };
    let (proxy, data) = (pointer(via), pointer(data));
    // SAFETY: all are alive, and nobody else changes the parcels.
    let (code, reply) = unsafe {
        let reply = if is_async { null_mut() } else { OH_IPCParcel_Create() };
        (OH_IPCRemoteProxy_SendRequest(proxy, number, data, reply, option), reply)
    };
    match keep {
        Some(id) => put(id, Thing::Parcel(reply)),
        // SAFETY: it is NULL, or was made above.
        None => unsafe { OH_IPCParcel_Destroy(reply) },
    }
    code
}

/// Bytes by which another process gets a proxy; the wrapper stays as it is.
fn export(wrapper: Id) -> Vec<u8> {
    let mut bytes = vec![0; REFERENCE_BYTES];
    // SAFETY: the wrapper is alive; what is made of it is made and ended here.
    let code = unsafe {
        let parcel = OH_IPCParcel_Create();
        OH_IPCParcel_WriteRemoteStub(parcel, pointer(wrapper));
        let another = OH_IPCParcel_ReadRemoteStub(parcel);
        OH_IPCParcel_Destroy(parcel);
        let code = ipckit_reference_export(another, bytes.as_mut_ptr());
        OH_IPCRemoteStub_Destroy(another);
        code
    };
    if code != SUCCESS {
        violation(format!("exporting {wrapper} gave {code}"));
    }
    bytes
}

fn await_death(via: Id) {
    let (start, proxy) = (Instant::now(), pointer(via));
    // SAFETY: it is alive.
    while unsafe { OH_IPCRemoteProxy_IsRemoteDead(proxy) } == 0 {
        if start.elapsed() > PATIENCE {
            return violation(format!("the process of {via} is dead, and IsRemoteDead gives 0"));
        }
        std::thread::yield_now();
    }
}

fn report() -> Report {
    let lost = ipckit_lost_wake_ups();
    if lost > 0 {
        violation(format!("{lost} wake-ups were lost"));
    }
    state().report.clone()
}

fn carry_out(order: Order) -> Answer {
    match order {
        Order::Prepare { number, instruction } => {
            state().instructions.insert(number, instruction);
        }
        Order::Act(action) => return Answer::Outcome(act(&action)),
        Order::Export { wrapper } => return Answer::Reference(export(wrapper)),
        Order::Import { bytes, wrapper } => {
            // SAFETY: so many bytes there are.
            put(wrapper, Thing::Proxy(unsafe { ipckit_reference_import(bytes.as_ptr()) }));
        }
        Order::AwaitDeath { via } => await_death(via),
        Order::Report => return Answer::Report(report()),
        Order::Exit => std::process::exit(0),
    }
    Answer::Done
}

/// Carries out orders until there are no more.
pub fn serve() {
    // SAFETY: standard input is a socket that nobody else in this process uses.
    let socket = unsafe { UnixStream::from_raw_fd(0) };
    let mut answers = socket.try_clone().expect("a descriptor");
    for line in BufReader::new(socket).lines() {
        let Ok(line) = line else { return };
        let order = serde_json::from_str(&line).expect("an order");
        let mut answer = serde_json::to_vec(&carry_out(order)).expect("an answer");
        answer.push(b'\n');
        if answers.write_all(&answer).is_err() {
            return;
        }
    }
}
