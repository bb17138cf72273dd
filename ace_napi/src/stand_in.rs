// SPDX-License-Identifier: Apache-2.0
//! The exported functions. Each leaves its arguments where they are and jumps to where its entry of a table points: to
//! Node's function, or to the answer without Node. So no signature needs to be known here.
#![allow(unsafe_code)] // Exports functions for C that jump to others.

use std::arch::naked_asm;
use std::ffi::CStr;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::functions::with_functions;
use crate::without_node;

macro_rules! define {
    ($($name:ident $(=> $answer:ident)?,)*) => {
        #[allow(non_camel_case_types)] // Node's names.
        enum Function { $($name,)* }

        pub(crate) const NAMES: &[&CStr] = &[$(
            match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => panic!("an identifier holds no NUL"),
            },
        )*];

        /// Where each function goes on.
        static TARGETS: [AtomicPtr<()>; NAMES.len()] = [$(AtomicPtr::new(answer!($($answer)?)),)*];

        $(
            #[unsafe(naked)]
            #[unsafe(no_mangle)]
            unsafe extern "C-unwind" fn $name() {
                // The first instruction marks a target of indirect jumps, for processors that insist. The number is for
                // `nobody`; the registers are free for the use of whoever stands between a caller and a function.
                #[cfg(target_arch = "x86_64")]
                naked_asm!(
                    "endbr64",
                    "mov r11d, {number}",
                    "jmp qword ptr [rip + {targets} + 8 * {number}]",
                    number = const Function::$name as usize,
                    targets = sym TARGETS,
                );
                #[cfg(target_arch = "aarch64")]
                naked_asm!(
                    "hint #34",
                    "mov w16, #{number}",
                    "adrp x17, {targets} + 8 * {number}",
                    "ldr x17, [x17, :lo12:{targets} + 8 * {number}]",
                    "br x17",
                    number = const Function::$name as usize,
                    targets = sym TARGETS,
                );
            }
        )*
    };
}

macro_rules! answer {
    () => {
        nobody as *mut ()
    };
    ($answer:ident) => {
        without_node::$answer as *mut ()
    };
}

with_functions!(define);

/// Goes on to the answer of all functions that have none of their own, with the function's number as the argument.
#[unsafe(naked)]
unsafe extern "C-unwind" fn nobody() {
    #[cfg(target_arch = "x86_64")]
    naked_asm!("endbr64", "mov edi, r11d", "jmp {}", sym without_node::fail);
    #[cfg(target_arch = "aarch64")]
    naked_asm!("hint #34", "mov w0, w16", "b {}", sym without_node::fail);
}

/// Has the function of this number go on to `target`.
///
/// # Safety
/// `target` is a function of the arguments and the result that Node-API gives the one of this number, and is never
/// unloaded.
pub(crate) unsafe fn direct(number: usize, target: *mut ()) {
    TARGETS[number].store(target, Ordering::Relaxed);
}
