// SPDX-License-Identifier: Apache-2.0
//! `native_child_process.h`.
#![allow(unsafe_code)] // reads the caller's pointers and calls the caller's callbacks
#![allow(non_camel_case_types, non_snake_case)] // the names of C

mod arguments;
mod configs;
mod error_code;

use std::arch::naked_asm;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};
use std::sync::Arc;

use ipckit_order::{LibraryCode, UsersCode};
use ipckit_threads::thread::NoCancellation;

use self::arguments::{IsolationMode, NativeChildProcess_Args, NativeChildProcess_Options};
use self::configs::Ability_ChildProcessConfigs;
use self::error_code::Ability_NativeChildProcess_ErrCode;
use crate::child;
use crate::launch::{self, Configuration, ExitCallback, Failure, Given};
use crate::mutation::Mutation;
use crate::sys::arguments as current_arguments;
use crate::sys::ipc::RemoteProxy;

use Ability_NativeChildProcess_ErrCode as ErrorCode;

/// A proxy as C knows it.
pub type OHIPCRemoteProxy = RemoteProxy;

/// Told the outcome of a Create.
pub type OH_Ability_OnNativeChildProcessStarted =
    Option<unsafe extern "C-unwind" fn(errCode: c_int, remoteProxy: *mut OHIPCRemoteProxy)>;

/// Told the end of a child made by Start.
pub type OH_Ability_OnNativeChildProcessExit = Option<unsafe extern "C-unwind" fn(pid: i32, signal: i32)>;

/// Starts a child process and connects to it; `native_child_process.h` has the whole contract.
///
/// Libraries are looked for beside the calling module, which the return address tells: so this only adds it as an argument.
///
/// # Safety
/// `libName` is NULL or a C string; `onProcessStarted` is NULL or a function of its type that may be called until the outcome
/// has been told.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub unsafe extern "C" fn OH_Ability_CreateNativeChildProcess(
    libName: *const c_char,
    onProcessStarted: OH_Ability_OnNativeChildProcessStarted,
) -> c_int {
    #[cfg(target_arch = "x86_64")]
    naked_asm!("mov rdx, [rsp]", "jmp {create}", create = sym create);
    #[cfg(target_arch = "aarch64")]
    naked_asm!("mov x2, x30", "b {create}", create = sym create);
}

/// Starts a child process as configured and connects to it; `native_child_process.h` has the whole contract.
///
/// # Safety
/// As [`OH_Ability_CreateNativeChildProcess`]; `configs` is NULL or a configuration that no other thread uses meanwhile.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub unsafe extern "C" fn OH_Ability_CreateNativeChildProcessWithConfigs(
    libName: *const c_char,
    configs: *mut Ability_ChildProcessConfigs,
    onProcessStarted: OH_Ability_OnNativeChildProcessStarted,
) -> Ability_NativeChildProcess_ErrCode {
    #[cfg(target_arch = "x86_64")]
    naked_asm!("mov rcx, [rsp]", "jmp {create}", create = sym create_with_configs);
    #[cfg(target_arch = "aarch64")]
    naked_asm!("mov x3, x30", "b {create}", create = sym create_with_configs);
}

/// Starts a child process that runs a function; `native_child_process.h` has the whole contract.
///
/// All registers for arguments are taken; the caller's address goes where `options.reserved` is, which means nothing.
///
/// # Safety
/// `entry` is NULL or a C string; `args` holds NULLs, C strings and a list that ends with NULL, and nobody changes them
/// meanwhile; `pid` is NULL or can be written.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub unsafe extern "C" fn OH_Ability_StartNativeChildProcess(
    entry: *const c_char,
    args: NativeChildProcess_Args,
    options: NativeChildProcess_Options,
    pid: *mut i32,
) -> Ability_NativeChildProcess_ErrCode {
    #[cfg(target_arch = "x86_64")]
    naked_asm!("mov r8, [rsp]", "jmp {start}", start = sym start);
    #[cfg(target_arch = "aarch64")]
    naked_asm!("mov x4, x30", "b {start}", start = sym start);
}

/// Starts a child process as configured that runs a function; `native_child_process.h` has the whole contract.
///
/// # Safety
/// As [`OH_Ability_StartNativeChildProcess`]; `configs` is NULL or a configuration that no other thread uses meanwhile.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub unsafe extern "C" fn OH_Ability_StartNativeChildProcessWithConfigs(
    entry: *const c_char,
    args: NativeChildProcess_Args,
    configs: *mut Ability_ChildProcessConfigs,
    pid: *mut i32,
) -> Ability_NativeChildProcess_ErrCode {
    #[cfg(target_arch = "x86_64")]
    naked_asm!("mov r9, [rsp]", "jmp {start}", start = sym start_with_configs);
    #[cfg(target_arch = "aarch64")]
    naked_asm!("mov x5, x30", "b {start}", start = sym start_with_configs);
}

/// What a child made by Start was given; `native_child_process.h` has the whole contract.
#[unsafe(no_mangle)]
pub extern "C" fn OH_Ability_GetCurrentChildProcessArgs() -> *mut NativeChildProcess_Args {
    current_arguments::current().cast()
}

/// Has a function called when children end; `native_child_process.h` has the whole contract.
///
/// # Safety
/// `onProcessExit` is NULL or may be called on any thread until it has been taken back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_Ability_RegisterNativeChildProcessExitCallback(
    onProcessExit: OH_Ability_OnNativeChildProcessExit,
) -> Ability_NativeChildProcess_ErrCode {
    const NAME: &str = "OH_Ability_RegisterNativeChildProcessExitCallback";
    enter(NAME, || {
        let Some(callback) = onProcessExit else { return refuse(NAME, "onProcessExit is NULL") };
        let call = Arc::new(move |pid, signal| {
            let _users = UsersCode::begin();
            // SAFETY: who registered it has promised that it may be called.
            unsafe { callback(pid, signal) }
        });
        launch::add_exit_callback(ExitCallback { key: callback as usize, call });
        ErrorCode::NoError
    })
}

/// Takes such a function back; `native_child_process.h` has the whole contract.
#[unsafe(no_mangle)]
pub extern "C" fn OH_Ability_UnregisterNativeChildProcessExitCallback(
    onProcessExit: OH_Ability_OnNativeChildProcessExit,
) -> Ability_NativeChildProcess_ErrCode {
    const NAME: &str = "OH_Ability_UnregisterNativeChildProcessExitCallback";
    enter(NAME, || match onProcessExit {
        None => refuse(NAME, "onProcessExit is NULL"),
        Some(callback) if launch::remove_exit_callback(callback as usize) => ErrorCode::NoError,
        Some(_) => ErrorCode::CallbackNotExist,
    })
}

/// Kills a child; `native_child_process.h` has the whole contract.
#[unsafe(no_mangle)]
pub extern "C" fn OH_Ability_KillChildProcess(pid: i32) -> Ability_NativeChildProcess_ErrCode {
    const NAME: &str = "OH_Ability_KillChildProcess";
    enter(NAME, || {
        if pid > 0 && (launch::kill(pid) || Mutation::StrangersCountAsKilled.is_on()) {
            return ErrorCode::NoError;
        }
        ipckit_log::warn(format_args!("{NAME}: {pid} is no living child of this process; nobody is killed"));
        ErrorCode::InvalidPid
    })
}

/// Whether this process may have children; `native_child_process.h` has the whole contract.
#[unsafe(no_mangle)]
pub extern "C" fn OH_Ability_IsNativeChildProcessSupported() -> bool {
    !child::is_child()
}

unsafe extern "C" fn create(
    library: *const c_char,
    on_started: OH_Ability_OnNativeChildProcessStarted,
    caller: *const c_void,
) -> c_int {
    const NAME: &str = "OH_Ability_CreateNativeChildProcess";
    // SAFETY: the caller vouches for both.
    let body = || unsafe { create_configured(NAME, library, &Configuration::default(), on_started, caller) };
    enter(NAME, body) as c_int
}

unsafe extern "C" fn create_with_configs(
    library: *const c_char,
    configs: *mut Ability_ChildProcessConfigs,
    on_started: OH_Ability_OnNativeChildProcessStarted,
    caller: *const c_void,
) -> ErrorCode {
    const NAME: &str = "OH_Ability_CreateNativeChildProcessWithConfigs";
    enter(NAME, || {
        // SAFETY: the caller vouches for it.
        let Some(configs) = (unsafe { configs.as_ref() }) else { return refuse(NAME, "configs is NULL") };
        // SAFETY: the caller vouches for both.
        unsafe { create_configured(NAME, library, &configs.0, on_started, caller) }
    })
}

unsafe fn create_configured(
    function: &str,
    library: *const c_char,
    configuration: &Configuration,
    on_started: OH_Ability_OnNativeChildProcessStarted,
    caller: *const c_void,
) -> ErrorCode {
    let Some(on_started) = on_started else { return refuse(function, "onProcessStarted is NULL") };
    if library.is_null() {
        return refuse(function, "libName is NULL");
    }
    // SAFETY: the caller's text, which stays as it is during the call.
    let library = unsafe { CStr::from_ptr(library) };
    if library.is_empty() || library.to_bytes().windows(3).any(|part| part == b"../") {
        return refuse(function, &format!("libName is empty or contains ../: {library:?}"));
    }
    if child::is_child() {
        return refuse_in_child(function);
    }
    let tell = move |outcome: Result<NonNull<RemoteProxy>, Failure>| {
        let (code, proxy) = match outcome {
            Ok(proxy) => (ErrorCode::NoError, proxy.as_ptr()),
            Err(failure) => (failure.into(), ptr::null_mut()),
        };
        let _users = UsersCode::begin();
        // SAFETY: the caller of Create has promised that it may be called. The callee owns the proxy.
        unsafe { on_started(code as c_int, proxy) };
    };
    let created = launch::create(library, caller, configuration, Box::new(tell));
    created.map_or_else(ErrorCode::from, |()| ErrorCode::NoError)
}

unsafe extern "C" fn start(
    entry: *const c_char,
    args: NativeChildProcess_Args,
    options: NativeChildProcess_Options,
    pid: *mut i32,
) -> ErrorCode {
    const NAME: &str = "OH_Ability_StartNativeChildProcess";
    enter(NAME, || {
        let Some(mode) = IsolationMode::from_number(options.isolationMode) else {
            return refuse(NAME, &format!("options.isolationMode {} is none of the modes", options.isolationMode));
        };
        let configuration = Configuration { is_isolated: mode == IsolationMode::Isolated, ..Configuration::default() };
        let caller = ptr::without_provenance(options.reserved as usize);
        // SAFETY: the caller vouches for the pointers.
        unsafe { start_configured(NAME, entry, &args, &configuration, pid, caller) }
    })
}

unsafe extern "C" fn start_with_configs(
    entry: *const c_char,
    args: NativeChildProcess_Args,
    configs: *mut Ability_ChildProcessConfigs,
    pid: *mut i32,
    caller: *const c_void,
) -> ErrorCode {
    const NAME: &str = "OH_Ability_StartNativeChildProcessWithConfigs";
    enter(NAME, || {
        // SAFETY: the caller vouches for it.
        let Some(configs) = (unsafe { configs.as_ref() }) else { return refuse(NAME, "configs is NULL") };
        // SAFETY: the caller vouches for the pointers.
        unsafe { start_configured(NAME, entry, &args, &configs.0, pid, caller) }
    })
}

unsafe fn start_configured(
    function: &str,
    entry: *const c_char,
    args: &NativeChildProcess_Args,
    configuration: &Configuration,
    pid: *mut i32,
    caller: *const c_void,
) -> ErrorCode {
    if entry.is_null() || pid.is_null() {
        return refuse(function, if pid.is_null() { "pid is NULL" } else { "entry is NULL" });
    }
    // SAFETY: the caller's text, which stays as it is during the call.
    let entry = unsafe { CStr::from_ptr(entry) };
    let Some((library, main)) = split_entry(entry) else {
        return refuse(function, &format!("entry is not library:function: {entry:?}"));
    };
    if child::is_child() {
        return refuse_in_child(function);
    }
    // SAFETY: the caller vouches for what args points to.
    let given = unsafe { Given::check(main, args.parameters(), args.descriptors()) };
    let given = match given {
        Ok(given) => given,
        Err(error) => {
            ipckit_log::error(format_args!("{function}: {error}"));
            return error.into();
        }
    };
    match launch::start(&library, caller, &given, configuration) {
        Ok(started) => {
            // SAFETY: the caller vouches for it.
            unsafe { pid.write(started) };
            ErrorCode::NoError
        }
        Err(error) => error.into(),
    }
}

/// Splits at the last colon.
fn split_entry(entry: &CStr) -> Option<(CString, &CStr)> {
    let colon = entry.to_bytes().iter().rposition(|&byte| byte == b':')?;
    let library = CString::new(&entry.to_bytes()[..colon]).ok()?;
    Some((library, CStr::from_bytes_with_nul(&entry.to_bytes_with_nul()[colon + 1..]).ok()?))
}

fn refuse(function: &str, reason: &str) -> ErrorCode {
    ipckit_log::error(format_args!("{function}: {reason}"));
    ErrorCode::InvalidParam
}

fn refuse_in_child(function: &str) -> ErrorCode {
    ipckit_log::error(format_args!("{function}: this is a native child process, which cannot have children itself"));
    ErrorCode::AlreadyInChild
}

/// Runs the body of an exported function: no cancellation in it, and no panic out of it.
fn enter(function: &str, body: impl FnOnce() -> ErrorCode) -> ErrorCode {
    let _library = LibraryCode::begin();
    let _not_cancellable = NoCancellation::begin();
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| {
        ipckit_log::error(format_args!("{function}: internal error; this is a fault of the library, please report it"));
        ErrorCode::Internal
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_split_at_its_last_colon() {
        let split = |entry| split_entry(entry).map(|(library, function)| (library, function.to_owned()));
        assert_eq!(split(c"libx.so:Main"), Some((c"libx.so".into(), c"Main".into())));
        assert_eq!(split(c"a:b:c:d"), Some((c"a:b:c".into(), c"d".into())));
        assert_eq!(split(c":"), Some((c"".into(), c"".into())));
        assert_eq!(split(c"libx.so"), None);
        assert_eq!(split(c""), None);
    }
}
