// SPDX-License-Identifier: Apache-2.0
//! Uses each of the crates for what it is there for. A step that fails is a panic.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::io::{PipeReader, PipeWriter, Read};
use std::os::fd::AsRawFd;
use std::ptr;
use std::sync::Mutex;
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use hilog_sys::{LogLevel, LogType, OH_LOG_IsLoggable, OH_LOG_Print, OH_LOG_PrintMsg, OH_LOG_SetCallback};
use ohos_abilitykit_sys::childprocess::*;
use ohos_ipckit_sys::cparcel::*;
use ohos_ipckit_sys::cremote_object::*;
use ohos_ipckit_sys::cskeleton::OH_IPCSkeleton_GetCallingPid;
use ohos_sys_opaque_types::{OHIPCParcel, OHIPCRemoteProxy};

const ADD: u32 = 1;
const END: u32 = 2;
const TAG: &CStr = c"crates";
const DOMAIN: c_uint = 0x0201;
/// Far longer than a child's start takes.
const PATIENCE: Duration = Duration::from_secs(60);

static LOGGED: Mutex<Vec<String>> = Mutex::new(Vec::new());
static STARTED: Mutex<Option<Sender<(c_int, usize)>>> = Mutex::new(None);

fn main() {
    a_log_line();
    a_parcel();
    a_stub_of_this_process();
    children();
    functions_in_children();
    println!("parcel, stub, log and all children: all as they should be");
}

unsafe extern "C" fn on_log(_: LogType, level: LogLevel, domain: c_uint, tag: *const c_char, message: *const c_char) {
    // SAFETY: the library passes texts that are good for this call.
    let (tag, message) = unsafe { (CStr::from_ptr(tag), CStr::from_ptr(message)) };
    if tag == TAG {
        LOGGED.lock().unwrap().push(format!("{} {domain:x} {}", level.0, message.to_str().unwrap()));
    }
}

fn a_log_line() {
    // SAFETY: terminated texts, and the arguments that the format needs.
    unsafe {
        assert!(OH_LOG_IsLoggable(DOMAIN, TAG.as_ptr(), LogLevel::LOG_INFO));
        OH_LOG_SetCallback(Some(on_log));
        let format = c"%{public}s and %{public}d";
        assert!(
            OH_LOG_Print(
                LogType::LOG_APP,
                LogLevel::LOG_WARN,
                DOMAIN,
                TAG.as_ptr(),
                format.as_ptr(),
                c"one".as_ptr(),
                2
            ) > 0
        );
        assert!(OH_LOG_PrintMsg(LogType::LOG_APP, LogLevel::LOG_INFO, DOMAIN, TAG.as_ptr(), c"100%s".as_ptr()) > 0);
        OH_LOG_SetCallback(None);
    }
    assert_eq!(*LOGGED.lock().unwrap(), ["5 201 one and 2", "4 201 100%s"]);
}

fn a_parcel() {
    // SAFETY: a parcel from here to its end, and variables that outlive the calls.
    unsafe {
        let parcel = OH_IPCParcel_Create();
        assert_eq!(OH_IPCParcel_WriteInt32(parcel, -7), 0);
        assert_eq!(OH_IPCParcel_WriteString(parcel, c"text".as_ptr()), 0);
        assert_eq!(OH_IPCParcel_WriteDouble(parcel, 0.5), 0);
        let (mut number, mut fraction) = (0, 0.0);
        assert_eq!((OH_IPCParcel_ReadInt32(parcel, &mut number), number), (0, -7));
        assert_eq!(CStr::from_ptr(OH_IPCParcel_ReadString(parcel)), c"text");
        assert_eq!((OH_IPCParcel_ReadDouble(parcel, &mut fraction), fraction), (0, 0.5));
        assert_ne!(OH_IPCParcel_ReadInt32(parcel, &mut number), 0);
        OH_IPCParcel_Destroy(parcel);
    }
}

unsafe extern "C" fn subtract(
    code: u32,
    data: *const OHIPCParcel,
    reply: *mut OHIPCParcel,
    offset: *mut c_void,
) -> c_int {
    let (mut a, mut b) = (0, 0);
    // SAFETY: the library passes parcels that are good for this call, and the offset that it was given.
    unsafe {
        if code != ADD || OH_IPCSkeleton_GetCallingPid() != u64::from(std::process::id()) {
            return 1909001;
        }
        OH_IPCParcel_ReadInt32(data, &mut a);
        OH_IPCParcel_ReadInt32(data, &mut b);
        OH_IPCParcel_WriteInt32(reply, a - b + *offset.cast::<i32>())
    }
}

/// What the object makes of two numbers.
///
/// # Safety
/// The proxy is one.
unsafe fn ask(proxy: *const OHIPCRemoteProxy, code: u32, a: i32, b: i32) -> Result<i32, c_int> {
    let option = OH_IPC_MessageOption {
        mode: OH_IPC_RequestMode::OH_IPC_REQUEST_MODE_SYNC,
        timeout: 0,
        reserved: ptr::null_mut(),
    };
    let mut answer = 0;
    // SAFETY: the caller's, and parcels from here to their end.
    let result = unsafe {
        let (data, reply) = (OH_IPCParcel_Create(), OH_IPCParcel_Create());
        OH_IPCParcel_WriteInt32(data, a);
        OH_IPCParcel_WriteInt32(data, b);
        let result = OH_IPCRemoteProxy_SendRequest(proxy, code, data, reply, &option);
        if result == 0 && code == ADD {
            OH_IPCParcel_ReadInt32(reply, &mut answer);
        }
        OH_IPCParcel_Destroy(data);
        OH_IPCParcel_Destroy(reply);
        result
    };
    if result == 0 { Ok(answer) } else { Err(result) }
}

fn a_stub_of_this_process() {
    let mut offset = 100;
    // SAFETY: everything lives until the stub is destroyed.
    unsafe {
        let stub = OH_IPCRemoteStub_Create(c"subtract".as_ptr(), Some(subtract), None, (&raw mut offset).cast());
        let parcel = OH_IPCParcel_Create();
        assert_eq!(OH_IPCParcel_WriteRemoteStub(parcel, stub), 0);
        let proxy = OH_IPCParcel_ReadRemoteProxy(parcel);
        assert_eq!(ask(proxy, ADD, 9, 4), Ok(105));
        assert_eq!(ask(proxy, END, 9, 4), Err(1909001));
        assert_eq!(OH_IPCRemoteProxy_IsRemoteDead(proxy), 0);
        OH_IPCRemoteProxy_Destroy(proxy);
        OH_IPCParcel_Destroy(parcel);
        OH_IPCRemoteStub_Destroy(stub);
    }
}

fn tell(code: c_int, proxy: usize) {
    STARTED.lock().unwrap().as_ref().unwrap().send((code, proxy)).unwrap();
}

unsafe extern "C" fn on_started(code: c_int, proxy: *mut ohos_native_child_process_sys::OHIPCRemoteProxy) {
    tell(code, proxy as usize);
}

unsafe extern "C" fn on_started_by_ability(code: c_int, proxy: *mut OHIPCRemoteProxy) {
    tell(code, proxy as usize);
}

/// One child by each of the two crates that have the function.
fn children() {
    let library = c"libpublished_crates_child.so".as_ptr();
    let (sender, started) = mpsc::channel();
    *STARTED.lock().unwrap() = Some(sender);
    // SAFETY: a terminated name, callbacks that stay, and what they were given.
    unsafe {
        assert_eq!(ohos_native_child_process_sys::OH_Ability_CreateNativeChildProcess(library, Some(on_started)), 0);
        sum_of_child(started.recv_timeout(PATIENCE).unwrap());
        let by_ability = ohos_abilitykit_sys::childprocess::OH_Ability_CreateNativeChildProcess;
        assert_eq!(by_ability(library, Some(on_started_by_ability)), 0);
        sum_of_child(started.recv_timeout(PATIENCE).unwrap());
    }
}

static ENDS: Mutex<Option<Sender<(i32, i32)>>> = Mutex::new(None);

unsafe extern "C" fn on_exit(pid: i32, signal: i32) {
    ENDS.lock().unwrap().as_ref().unwrap().send((pid, signal)).unwrap();
}

/// A pipe's reading end, and what a child is given: a text, and the writing end under a name.
struct Gift {
    reading: PipeReader,
    _writing: PipeWriter,
    node: NativeChildProcess_Fd,
}

impl Gift {
    fn new() -> Self {
        let (reading, writing) = std::io::pipe().unwrap();
        let node = NativeChildProcess_Fd {
            fdName: c"out".as_ptr().cast_mut(),
            fd: writing.as_raw_fd(),
            next: ptr::null_mut(),
        };
        Self { reading, _writing: writing, node }
    }

    fn arguments(&mut self) -> NativeChildProcess_Args {
        let text = c"a text".as_ptr().cast_mut();
        NativeChildProcess_Args { entryParams: text, fdList: NativeChildProcess_FdList { head: &raw mut self.node } }
    }

    /// What the child has written, when nobody can write any more.
    fn said(self) -> String {
        let Self { mut reading, _writing: writing, .. } = self;
        drop(writing);
        let mut text = String::new();
        reading.read_to_string(&mut text).unwrap();
        text
    }
}

/// All functions of the newest interface: a child of Start and one that is configured, one that is killed, and their ends.
fn functions_in_children() {
    let report = c"libpublished_crates_child.so:report".as_ptr();
    let (sender, ends) = mpsc::channel();
    *ENDS.lock().unwrap() = Some(sender);
    let (starts, started) = mpsc::channel();
    *STARTED.lock().unwrap() = Some(starts);
    // SAFETY: terminated texts, a configuration from here to its end, and callbacks that stay.
    unsafe {
        assert!(OH_Ability_IsNativeChildProcessSupported());
        assert!(OH_Ability_GetCurrentChildProcessArgs().is_null());
        assert_eq!(OH_Ability_RegisterNativeChildProcessExitCallback(Some(on_exit)), Ok(()));
        let mut pid = 0;

        let options = NativeChildProcess_Options {
            isolationMode: NativeChildProcess_IsolationMode::NCP_ISOLATION_MODE_NORMAL,
            reserved: 0,
        };
        let mut gift = Gift::new();
        assert_eq!(OH_Ability_StartNativeChildProcess(report, gift.arguments(), options, &mut pid), Ok(()));
        assert!(gift.said().ends_with(" a text"));
        assert_eq!(ends.recv_timeout(PATIENCE).unwrap(), (pid, 0));

        let configs = OH_Ability_CreateChildProcessConfigs();
        assert_eq!(OH_Ability_ChildProcessConfigs_SetProcessName(configs, c"reporter".as_ptr()), Ok(()));
        assert_eq!(
            OH_Ability_ChildProcessConfigs_SetProcessName(configs, c"no name".as_ptr()),
            Err(Ability_NativeChildProcessErrorCode::INVALID_PARAM)
        );
        let isolated = NativeChildProcess_IsolationMode::NCP_ISOLATION_MODE_ISOLATED;
        assert_eq!(OH_Ability_ChildProcessConfigs_SetIsolationMode(configs, isolated), Ok(()));
        assert_eq!(OH_Ability_ChildProcessConfigs_SetIsolationUid(configs, true), Ok(()));
        let mut gift = Gift::new();
        assert_eq!(OH_Ability_StartNativeChildProcessWithConfigs(report, gift.arguments(), configs, &mut pid), Ok(()));
        assert!(gift.said().ends_with(":reporter a text"));
        assert_eq!(ends.recv_timeout(PATIENCE).unwrap(), (pid, 0));

        let library = c"libpublished_crates_child.so".as_ptr();
        assert_eq!(
            OH_Ability_CreateNativeChildProcessWithConfigs(library, configs, Some(on_started_by_ability)),
            Ok(())
        );
        sum_of_child(started.recv_timeout(PATIENCE).unwrap());
        assert_eq!(OH_Ability_DestroyChildProcessConfigs(configs), Ok(()));

        let wait = c"libpublished_crates_child.so:wait".as_ptr();
        let mut gift = Gift::new();
        assert_eq!(OH_Ability_StartNativeChildProcess(wait, gift.arguments(), options, &mut pid), Ok(()));
        assert_eq!(OH_Ability_KillChildProcess(pid), Ok(()));
        assert_eq!(ends.recv_timeout(PATIENCE).unwrap(), (pid, 9));
        assert_eq!(OH_Ability_KillChildProcess(-1), Err(Ability_NativeChildProcessErrorCode::INVALID_PID));
        assert_eq!(OH_Ability_UnregisterNativeChildProcessExitCallback(Some(on_exit)), Ok(()));
        assert_eq!(
            OH_Ability_UnregisterNativeChildProcessExitCallback(Some(on_exit)),
            Err(Ability_NativeChildProcessErrorCode::CALLBACK_NOT_EXIST)
        );
    }
}

/// # Safety
/// What a start callback was given, once.
unsafe fn sum_of_child((code, proxy): (c_int, usize)) {
    assert_eq!(code, 0);
    let proxy = proxy as *mut OHIPCRemoteProxy;
    // SAFETY: the caller's.
    unsafe {
        assert_eq!(ask(proxy, ADD, 2, 3), Ok(5));
        assert!(ask(proxy, END, 0, 0).is_ok());
        OH_IPCRemoteProxy_Destroy(proxy);
    }
}
