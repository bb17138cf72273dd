// SPDX-License-Identifier: Apache-2.0
//! The messages of a library with a copy of the log in it go through `libhilog_ndk.z.so`, whichever is loaded first, and
//! the copy writes them itself as long as there is none.
#![allow(unsafe_code)] // Loads libraries and calls their functions.

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::{Arguments, Trial};

/// What a process of a case does, and whether the callback is called.
const ROLES: [(&str, bool); 3] = [("alone", false), ("log library first", true), ("log library last", true)];

type SetCallback = unsafe extern "C" fn(Option<LogCallback>);
type LogCallback = unsafe extern "C" fn(c_int, c_int, c_uint, *const c_char, *const c_char);

/// Loads a library for as long as the process lives.
fn load(path: &Path) -> *mut c_void {
    let path = CString::new(path.as_os_str().as_encoded_bytes()).unwrap();
    // SAFETY: these are libraries of the project, whose constructors can run at any time.
    let library = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    assert!(!library.is_null(), "{path:?} cannot be loaded");
    library
}

fn symbol(library: *mut c_void, name: &CStr) -> *mut c_void {
    // SAFETY: the library is loaded for ever.
    let symbol = unsafe { libc::dlsym(library, name.as_ptr()) };
    assert!(!symbol.is_null(), "{name:?} is not there");
    symbol
}

fn speak(library: *mut c_void) {
    // SAFETY: this is the type of the function in examples/speaker.rs.
    let speak: extern "C" fn() = unsafe { std::mem::transmute(symbol(library, c"ipckit_example_speak")) };
    speak();
}

unsafe extern "C" fn callback(kind: c_int, level: c_int, domain: c_uint, tag: *const c_char, message: *const c_char) {
    // SAFETY: both are strings for the length of the call.
    let (tag, message) = unsafe { (CStr::from_ptr(tag), CStr::from_ptr(message)) };
    println!("{kind} {level} {domain:x} {} {}", tag.to_str().unwrap(), message.to_str().unwrap());
}

fn set_callback(log_library: *mut c_void) {
    // SAFETY: this is the type of the function in include/hilog/log.h.
    unsafe {
        let set_callback: SetCallback = std::mem::transmute(symbol(log_library, c"OH_LOG_SetCallback"));
        set_callback(Some(callback));
    }
}

/// What the processes of the cases do.
fn play(role: &str, log_library: &Path, speaker: &Path) {
    match role {
        "alone" => speak(load(speaker)),
        "log library first" => {
            set_callback(load(log_library));
            speak(load(speaker));
        }
        "log library last" => {
            let speaker = load(speaker);
            set_callback(load(log_library));
            speak(speaker);
        }
        _ => panic!("no such role: {role}"),
    }
}

/// A directory with the libraries under their installed names, removed when it goes out of scope.
struct Installed(PathBuf);

impl Installed {
    fn new() -> Self {
        let directory = std::env::temp_dir().join(format!(
            "ipckit-own-messages-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        std::fs::create_dir(&directory).unwrap();
        let installed = Self(directory);
        let dependencies = std::env::current_exe().unwrap().parent().unwrap().to_path_buf();
        std::fs::copy(dependencies.join("libhilog_ndk_z.so"), installed.log_library()).unwrap();
        std::fs::copy(dependencies.join("../examples/libspeaker.so"), installed.speaker()).unwrap();
        installed
    }

    fn log_library(&self) -> PathBuf {
        self.0.join("libhilog_ndk.z.so")
    }

    fn speaker(&self) -> PathBuf {
        self.0.join("libchild_process.so")
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

fn check(role: &str, calls_back: bool) {
    let installed = Installed::new();
    let output = Command::new(std::env::current_exe().unwrap())
        .args([role.as_ref(), installed.log_library().as_os_str(), installed.speaker().as_os_str()])
        .env_remove("IPCKIT_LOG_FILE")
        .env_remove("IPCKIT_LOG_LEVEL")
        .output()
        .unwrap();
    let (received, printed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{role}: {printed}");
    assert_eq!(received, if calls_back { "3 5 d001510 IPCKit spoken aloud\n" } else { "" }, "{role}");
    assert!(printed.ends_with(" W C01510/IPCKit: spoken aloud\n"), "{role}: {printed}");
    assert_eq!(printed.lines().count(), 1, "{role}: {printed}");
}

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    if let [_, role, log_library, speaker] = &arguments[..]
        && ROLES.iter().any(|(known, _)| known == role)
    {
        return play(role, log_library.as_ref(), speaker.as_ref());
    }
    let tests = ROLES.map(|(role, calls_back)| {
        Trial::test(role.replace(' ', "_"), move || {
            check(role, calls_back);
            Ok(())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), tests.into()).exit();
}
