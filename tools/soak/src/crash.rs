// SPDX-License-Identifier: Apache-2.0
//! Ways in which a peer ends by itself.
#![allow(unsafe_code)] // crashes

use std::sync::atomic::Ordering;

use crate::shared::now;
use crate::world::world;

/// How many there are.
pub(crate) const WAYS: u32 = 6;

/// Crashes, where the driver has asked for it.
pub(crate) fn if_asked(in_handler: bool) {
    let world = world();
    let slot = &world.board.slots[world.me.slot];
    let asked = slot.crash.load(Ordering::SeqCst);
    // Every other way is for handlers only.
    if asked == 0 || (asked.is_multiple_of(2) && !in_handler) {
        return;
    }
    if slot.crash.swap(0, Ordering::SeqCst) != asked {
        return;
    }
    slot.died_at.store(now(), Ordering::SeqCst);
    match (asked - 1) / 2 % WAYS {
        0 => std::process::abort(),
        // SAFETY: none: the signal is what is wanted.
        1 => unsafe { std::ptr::without_provenance_mut::<u8>(16).write_volatile(1) },
        // SAFETY: takes a number and does not return.
        2 => unsafe { libc::_exit(3) },
        3 => std::process::exit(0),
        // SAFETY: takes numbers.
        4 => unsafe {
            libc::kill(libc::getpid(), libc::SIGKILL);
        },
        _ => {
            let program = c"/bin/true";
            // SAFETY: the text ends with NUL, and so does the list.
            unsafe {
                libc::execl(program.as_ptr(), program.as_ptr(), std::ptr::null::<libc::c_char>());
            }
        }
    }
}
