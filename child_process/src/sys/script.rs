// SPDX-License-Identifier: Apache-2.0
//! Programs made of nothing but system calls, for a process that shares its creator's memory.
//!
//! Such a process has no thread-local storage of its own, so it can run neither libc nor ordinary Rust, let alone code
//! that a sanitizer has instrumented. It runs a table of steps instead, in a dozen instructions that use no stack.
#![allow(unsafe_code)] // the interpreter is assembly

use std::arch::naked_asm;
use std::ffi::c_int;
use std::io;
use std::ptr;
use std::sync::atomic::{AtomicIsize, Ordering};

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
compile_error!("native child processes need a few instructions of assembly, written for x86_64 and aarch64 so far");

/// A system call and where to go on after it.
#[repr(C)]
pub(super) struct Step {
    number: usize,
    arguments: [usize; 6],
    result: AtomicIsize,
    on_error: *const Step,
    on_zero: *const Step,
    on_positive: *const Step,
}

/// Stands in a step's result until its system call has returned; no system call returns it.
const PENDING: isize = isize::MIN;

/// The successors of a step, by the sign of its result.
pub(super) struct Next {
    pub(super) on_error: *const Step,
    pub(super) on_zero: *const Step,
    pub(super) on_positive: *const Step,
}

impl Next {
    /// One successor after success, another after an error.
    pub(super) fn after(success: *const Step, on_error: *const Step) -> Self {
        Self { on_error, on_zero: success, on_positive: success }
    }
}

impl Step {
    pub(super) fn new(number: libc::c_long, arguments: &[usize], next: Next) -> Self {
        let mut all = [0; 6];
        all[..arguments.len()].copy_from_slice(arguments);
        Self {
            number: number as usize,
            arguments: all,
            result: AtomicIsize::new(PENDING),
            on_error: next.on_error,
            on_zero: next.on_zero,
            on_positive: next.on_positive,
        }
    }

    /// Whether the step's system call has returned.
    pub(super) fn is_done(&self) -> bool {
        self.result.load(Ordering::Acquire) != PENDING
    }

    /// What the step's system call failed with.
    pub(super) fn error(&self) -> Option<io::Error> {
        match self.result.load(Ordering::Acquire) {
            PENDING => None,
            result if result < 0 => Some(io::Error::from_raw_os_error(-result as c_int)),
            _ => None,
        }
    }
}

/// Clones the calling thread into a process that runs the steps from `first` on, with the pid file descriptor that the
/// flags ask for. The result is the new process and its descriptor (no number where the flags do not ask).
///
/// # Safety
/// The steps, and all that their arguments point to, stay as they are until the new process has ended, in memory that it
/// sees. The last step never returns. Every signal that can be blocked is blocked on the calling thread.
pub(super) unsafe fn clone_into(flags: c_int, first: *const Step) -> io::Result<(libc::pid_t, c_int)> {
    let mut pidfd: c_int = -1;
    // SAFETY: the clone writes `pidfd` before it returns here; the rest is the caller's promise.
    let result = unsafe { clone_and_run(flags as usize, ptr::from_mut(&mut pidfd), first) };
    if result < 0 {
        return Err(io::Error::from_raw_os_error(-result as c_int));
    }
    Ok((result as libc::pid_t, pidfd))
}

/// Returns to the cloner only. The clone keeps its stack pointer but never uses the stack, which goes on being the cloner's.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
unsafe extern "C" fn clone_and_run(flags: usize, pidfd: *mut c_int, first: *const Step) -> isize {
    naked_asm!(
        "mov r9, rdx",
        "mov rdx, rsi",
        "xor esi, esi",
        "xor r10d, r10d",
        "xor r8d, r8d",
        "mov eax, {clone}",
        "syscall",
        "test rax, rax",
        "jz 2f",
        "ret",
        "2:",
        "mov rbx, r9",
        "3:",
        "mov rax, [rbx + {number}]",
        "mov rdi, [rbx + {arguments}]",
        "mov rsi, [rbx + {arguments} + 8]",
        "mov rdx, [rbx + {arguments} + 16]",
        "mov r10, [rbx + {arguments} + 24]",
        "mov r8, [rbx + {arguments} + 32]",
        "mov r9, [rbx + {arguments} + 40]",
        "syscall",
        "mov [rbx + {result}], rax",
        "test rax, rax",
        "js 4f",
        "jz 5f",
        "mov rbx, [rbx + {on_positive}]",
        "jmp 3b",
        "4:",
        "mov rbx, [rbx + {on_error}]",
        "jmp 3b",
        "5:",
        "mov rbx, [rbx + {on_zero}]",
        "jmp 3b",
        clone = const libc::SYS_clone,
        number = const std::mem::offset_of!(Step, number),
        arguments = const std::mem::offset_of!(Step, arguments),
        result = const std::mem::offset_of!(Step, result),
        on_error = const std::mem::offset_of!(Step, on_error),
        on_zero = const std::mem::offset_of!(Step, on_zero),
        on_positive = const std::mem::offset_of!(Step, on_positive),
    )
}

/// Returns to the cloner only. The clone keeps its stack pointer but never uses the stack, which goes on being the cloner's.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
unsafe extern "C" fn clone_and_run(flags: usize, pidfd: *mut c_int, first: *const Step) -> isize {
    naked_asm!(
        "mov x9, x2",
        "mov x2, x1",
        "mov x1, xzr",
        "mov x3, xzr",
        "mov x4, xzr",
        "mov x8, #{clone}",
        "svc #0",
        "cbz x0, 3f",
        "ret",
        "3:",
        "ldr x8, [x9, #{number}]",
        "ldr x0, [x9, #({arguments})]",
        "ldr x1, [x9, #({arguments} + 8)]",
        "ldr x2, [x9, #({arguments} + 16)]",
        "ldr x3, [x9, #({arguments} + 24)]",
        "ldr x4, [x9, #({arguments} + 32)]",
        "ldr x5, [x9, #({arguments} + 40)]",
        "svc #0",
        "str x0, [x9, #{result}]",
        "cmp x0, #0",
        "b.lt 4f",
        "b.eq 5f",
        "ldr x9, [x9, #{on_positive}]",
        "b 3b",
        "4:",
        "ldr x9, [x9, #{on_error}]",
        "b 3b",
        "5:",
        "ldr x9, [x9, #{on_zero}]",
        "b 3b",
        clone = const libc::SYS_clone,
        number = const std::mem::offset_of!(Step, number),
        arguments = const std::mem::offset_of!(Step, arguments),
        result = const std::mem::offset_of!(Step, result),
        on_error = const std::mem::offset_of!(Step, on_error),
        on_zero = const std::mem::offset_of!(Step, on_zero),
        on_positive = const std::mem::offset_of!(Step, on_positive),
    )
}

/// Whether the process runs under valgrind, which knows clones that are threads, forks or vforks, and ends the program at any other.
#[cfg(target_arch = "x86_64")]
pub(super) fn runs_on_valgrind() -> bool {
    let request: [usize; 6] = [VALGRIND_RUNNING_ON, 0, 0, 0, 0, 0];
    let answer: usize;
    // SAFETY: valgrind's documented no-operation: the rotations add up to whole turns and the exchange is with itself.
    // Valgrind reads the six words and answers in rdx.
    unsafe {
        std::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") request.as_ptr(),
            inout("rdx") 0_usize => answer,
        );
    }
    answer != 0
}

/// Whether the process runs under valgrind, which knows clones that are threads, forks or vforks, and ends the program at any other.
#[cfg(target_arch = "aarch64")]
pub(super) fn runs_on_valgrind() -> bool {
    let request: [usize; 6] = [VALGRIND_RUNNING_ON, 0, 0, 0, 0, 0];
    let answer: usize;
    // SAFETY: valgrind's documented no-operation: the rotations add up to whole turns and the combination is with itself.
    // Valgrind reads the six words and answers in x3.
    unsafe {
        std::arch::asm!(
            "ror x12, x12, #3",
            "ror x12, x12, #13",
            "ror x12, x12, #51",
            "ror x12, x12, #61",
            "orr x10, x10, x10",
            inout("x3") 0_usize => answer,
            in("x4") request.as_ptr(),
        );
    }
    answer != 0
}

const VALGRIND_RUNNING_ON: usize = 0x1001;
