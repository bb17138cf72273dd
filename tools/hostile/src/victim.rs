// SPDX-License-Identifier: Apache-2.0
//! Who is attacked: it serves everybody, and calls those who give it a stub.
#![allow(unsafe_code, reason = "a handler is given pointers")]

use std::ffi::{c_int, c_void};
use std::io::{BufRead, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock};

use anyhow::Result;

use crate::board::{Board, count};
use crate::library::{self, CParcel, Parcel, Proxy, SUCCESS, UNKNOWN_CODE};

/// A number; answers the next one.
pub const INCREASE: u32 = 1;
/// Bytes; answers them.
pub const ECHO: u32 = 2;
/// The number of an honest process, its key, and how many it has sent before; counted for it.
pub const NOTE: u32 = 3;
/// A descriptor to which a byte is to be written.
pub const WRITE: u32 = 4;
/// A stub to be called.
pub const BEFRIEND: u32 = 5;

static BOARD: OnceLock<&'static Board> = OnceLock::new();
/// The stubs to call, each thread's own.
static FRIENDS: [Mutex<Option<Arc<Proxy>>>; 2] = [const { Mutex::new(None) }; 2];

/// Counts a message for who has sent it. They come once, and in their order.
fn note(data: &Parcel) -> Option<()> {
    let number = usize::try_from(data.read_int32()?).ok()?;
    let honest = BOARD.get()?.honest.get(number)?;
    if data.read_int32()? != honest.key.load(Ordering::Relaxed) as i32 {
        return None;
    }
    let before = honest.noted.fetch_add(1, Ordering::Relaxed);
    if data.read_int32()? != before as i32 {
        count(&honest.wrong);
    }
    Some(())
}

extern "C" fn serve(code: u32, data: *const CParcel, reply: *mut CParcel, _: *mut c_void) -> c_int {
    // SAFETY: both are valid for the time of the call.
    let (data, reply) = unsafe { (Parcel::of_handler(data.cast_mut()), Parcel::of_handler(reply)) };
    match code {
        INCREASE => data.read_int32().map_or(UNKNOWN_CODE, |number| reply.write_int32(number.wrapping_add(1))),
        ECHO => reply.write_bytes(data.bytes()),
        NOTE => {
            note(&data);
            SUCCESS
        }
        WRITE => data.read_descriptor().map_or(UNKNOWN_CODE, |descriptor| {
            // SAFETY: what was read is this process's own now.
            let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
            // A peer may have sent anything, which may not take it: who asked will miss it.
            let _ = std::fs::File::from(descriptor).write(b"!");
            SUCCESS
        }),
        BEFRIEND => {
            let friend = data.read_proxy().map(Arc::new);
            let place = data.read_int32().unwrap_or(0);
            let before = std::mem::replace(&mut *lock(place as usize), friend);
            drop(before);
            SUCCESS
        }
        _ => UNKNOWN_CODE,
    }
}

fn lock(place: usize) -> std::sync::MutexGuard<'static, Option<Arc<Proxy>>> {
    FRIENDS[place % FRIENDS.len()].lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Whatever becomes of it: who is called may never answer, until it is dead.
fn call_friends(board: &Board, place: usize) {
    for number in 0.. {
        let friend = lock(place).clone();
        if let Some(friend) = friend {
            let (data, reply) = (Parcel::new(), Parcel::new());
            data.write_int32(number);
            friend.call(INCREASE, &data, &reply);
            reply.bytes();
            reply.read_proxy();
            friend.post(INCREASE, &data);
            count(&board.victim_calls);
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

/// Runs until its standard input ends. A line asks for a reference; `forget` lets go of whom it calls.
pub fn run(board: &'static Board) -> Result<()> {
    let _ = BOARD.set(board);
    for place in 0..FRIENDS.len() {
        std::thread::spawn(move || call_friends(board, place));
    }
    for line in std::io::stdin().lock().lines() {
        if line? == "forget" {
            (0..FRIENDS.len()).for_each(|place| drop(lock(place).take()));
            println!("done");
        } else {
            println!("{}", library::to_hex(&library::export(library::create_stub(serve)?)?));
        }
    }
    Ok(())
}
