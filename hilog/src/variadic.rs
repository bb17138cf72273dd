// SPDX-License-Identifier: Apache-2.0
//! The two functions that take variable arguments.
#![allow(unsafe_code)] // Jumps to C, and is called back by it.

use crate::boundary::{self, LogLevel, LogType};
use ipckit_log::format::{Arguments, Kind, LongDouble, Options, Value, format};
use ipckit_log::{environment, keep_errno};
use std::arch::naked_asm;
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};

/// A `va_list` in a struct.
#[repr(C)]
struct ArgumentList {
    opaque: [u8; 0],
}

#[derive(Clone, Copy)]
#[repr(C)]
union RawValue {
    int: c_int,
    long: i64,
    double: f64,
    long_double: LongDouble,
    pointer: *const c_void,
}

/// The order is that of `enum ipckit_kind`.
fn kind_number(kind: Kind) -> c_int {
    match kind {
        Kind::Int => 0,
        Kind::Long => 1,
        Kind::Double => 2,
        Kind::LongDouble => 3,
        Kind::Pointer => 4,
    }
}

unsafe extern "C" {
    // Only ever jumped to: the types are in the header.
    fn ipckit_print_variadic();
    fn ipckit_print_list();
    fn ipckit_next_argument(arguments: *mut ArgumentList, kind: c_int, value: *mut RawValue);
    fn ipckit_print_long_double(
        buffer: *mut c_char,
        size: usize,
        directive: *const c_char,
        value: *const RawValue,
    ) -> c_int;
}

/// A function whose arguments Rust cannot name: it leaves them where they are and jumps to the C function that takes the
/// same. The first instruction marks it as a target of indirect jumps, for processors that insist.
macro_rules! jump {
    ($(#[$documentation:meta])* $name:ident => $target:ident) => {
        $(#[$documentation])*
        ///
        /// # Safety
        /// As for printf: the arguments are what the format needs.
        #[unsafe(naked)]
        #[unsafe(no_mangle)]
        pub unsafe extern "C-unwind" fn $name() {
            #[cfg(target_arch = "x86_64")]
            naked_asm!("endbr64", "jmp {}", sym $target);
            #[cfg(target_arch = "aarch64")]
            naked_asm!("hint #34", "b {}", sym $target);
        }
    };
}

jump! {
    /// `OH_LOG_Print` of `hilog/log.h`.
    OH_LOG_Print => ipckit_print_variadic
}
jump! {
    /// `OH_LOG_VPrint` of `hilog/log.h`.
    OH_LOG_VPrint => ipckit_print_list
}

/// A list that is in use.
struct List(*mut ArgumentList);

impl Arguments for List {
    unsafe fn next(&mut self, kind: Kind) -> Value {
        let mut value = RawValue { long_double: LongDouble([0; 16]) };
        // SAFETY: the list is in use by its function below; the caller says that it has an argument of this kind, which C
        // puts into the member that is then read.
        unsafe {
            ipckit_next_argument(self.0, kind_number(kind), &mut value);
            match kind {
                Kind::Int => Value::Int(value.int),
                Kind::Long => Value::Long(value.long),
                Kind::Double => Value::Double(value.double),
                Kind::LongDouble => Value::LongDouble(value.long_double),
                Kind::Pointer => Value::Pointer(value.pointer),
            }
        }
    }

    unsafe fn print_long_double(&self, value: LongDouble, directive: &CStr, buffer: &mut [u8]) -> i32 {
        let value = RawValue { long_double: value };
        // SAFETY: the directive converts one long double, says the caller; the buffer is as long as is said.
        unsafe { ipckit_print_long_double(buffer.as_mut_ptr().cast(), buffer.len(), directive.as_ptr(), &value) }
    }
}

/// What both functions come to, through C.
///
/// # Safety
/// `tag` and `fmt` are strings or NULL; `arguments` is a list that nobody else uses and that has what `fmt` needs.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn ipckit_log_vprint(
    kind: LogType,
    level: LogLevel,
    domain: c_uint,
    tag: *const c_char,
    fmt: *const c_char,
    arguments: *mut ArgumentList,
) -> c_int {
    let errno = keep_errno();
    // SAFETY: the caller's: fmt is a string.
    let text = || unsafe {
        let options = Options { hide_private: environment::privacy(), errno: errno.get() };
        format(CStr::from_ptr(fmt).to_bytes(), &mut List(arguments), options)
    };
    // SAFETY: the caller's: tag is a string or NULL.
    unsafe { boundary::log(kind, level, domain, (tag, usize::MAX), !fmt.is_null(), text) }
}
