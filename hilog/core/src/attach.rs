// SPDX-License-Identifier: Apache-2.0
//! How the copies of this crate in several libraries of one process speak with one voice: each hands its messages to
//! `libhilog_ndk.z.so` where that is loaded, since the user's callback is there.
//!
//! Nothing is looked up when something is to be said: the loader's lock is held for as long as a library's constructors
//! run, and one of them may wait for the very thread that has something to say. So whoever is loaded later looks for the
//! others: a copy that is loaded looks for `libhilog_ndk.z.so`, and `libhilog_ndk.z.so` looks for copies.
#![allow(unsafe_code)] // Asks the dynamic loader for symbols and calls them.

use crate::environment::Path;
use crate::inner::Written;
use crate::message::{Message, OWN_DOMAIN};
use crate::repeats::Repeats;
use crate::{Level, clock, filter, keep_errno, no_cancellation, system};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::fmt::Arguments;
use std::sync::atomic::{AtomicPtr, Ordering};

/// What a [`Voice`] is to do with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Part {
    /// Give it to the user's callback and write it.
    Whole = 0,
    /// Write it, and return 1 where a callback is still to be given it.
    Line = 1,
    /// Give it to the callback.
    Callback = 2,
}

/// Takes a message of one of the libraries: its level, its text, and a [`Part`].
///
/// A user's callback can be called from it, and that can be C++ that throws.
pub type Voice = unsafe extern "C-unwind" fn(level: c_int, text: *const c_char, part: c_int) -> c_int;

/// The name under which `libhilog_ndk.z.so` exports its [`Voice`].
const VOICE: &CStr = c"ipckit_log_message";
/// The name of [`ipckit_log_attach`] in the other libraries.
const ATTACH: &CStr = c"ipckit_log_attach";
/// As the file is called when installed, and when cargo has built it.
const LOG_LIBRARIES: [&str; 2] = ["libhilog_ndk.z.so", "libhilog_ndk_z.so"];
const LIBRARIES_WITH_A_COPY: [&str; 3] = ["libipc_capi.so", "libchild_process.so", "libace_napi.z.so"];

static ATTACHED: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

pub(crate) fn say(level: Level, message: Arguments<'_>) {
    let _errno = keep_errno();
    if !filter::is_loggable(OWN_DOMAIN, level as i32) {
        return;
    }
    let _no_cancellation = no_cancellation();
    let message = Message::own(level, message);
    if hand_over(message.level, message.text.as_c_str(), Part::Whole).is_none() {
        message.print();
    }
}

/// Writes a message; what comes back is for the user's callback.
pub(crate) fn write(level: Level, message: Arguments<'_>) -> Option<Written> {
    let _errno = keep_errno();
    if !filter::is_loggable(OWN_DOMAIN, level as i32) {
        return None;
    }
    let _no_cancellation = no_cancellation();
    let message = Message::own(level, message);
    match hand_over(message.level, message.text.as_c_str(), Part::Line) {
        Some(0) => None,
        Some(_) => Some(Written::new(level, message.text.as_c_str())),
        None => {
            message.print();
            None
        }
    }
}

/// Hands a message to `libhilog_ndk.z.so`, where that is loaded.
pub(crate) fn hand_over(level: c_int, text: &CStr, part: Part) -> Option<c_int> {
    let voice = ATTACHED.load(Ordering::Acquire);
    if voice.is_null() {
        return None;
    }
    // SAFETY: only Voices are stored, and libhilog_ndk.z.so is never unloaded (it is linked with -z nodelete).
    unsafe {
        let voice: Voice = std::mem::transmute(voice);
        Some(voice(level, text.as_ptr(), part as c_int))
    }
}

pub(crate) fn say_once_a_second(level: Level, message: Arguments<'_>, say: fn(Level, Arguments<'_>)) {
    static REPEATS: Repeats = Repeats::new();
    if !filter::is_loggable(OWN_DOMAIN, level as i32) {
        return;
    }
    match REPEATS.admit(message, system::steady_time()) {
        Some(0) => say(level, message),
        Some(held) => say(level, format_args!("{message} (and {held} more like it)")),
        None => {}
    }
}

/// Makes this copy hand over its messages from now on. Exported by each library that has a copy.
///
/// # Safety
/// `voice` is never unloaded.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ipckit_log_attach(voice: Voice) {
    ATTACHED.store(voice as *mut c_void, Ordering::Release);
}

/// Looks whether `libhilog_ndk.z.so` is loaded, and has this copy hand over its messages if so.
///
/// Libraries need not call it: it happens when they are loaded, and `libhilog_ndk.z.so` finds them when it comes later.
/// A program with a copy in it, which `libhilog_ndk.z.so` cannot find, calls it after it has loaded others' libraries.
pub fn look_for_log_library() {
    if let Some(voice) = symbol_of_loaded(&LOG_LIBRARIES, VOICE) {
        ATTACHED.store(voice, Ordering::Release);
    }
}

/// Has the copies that are loaded already hand over their messages; for `libhilog_ndk.z.so` when it is loaded.
///
/// # Safety
/// `voice` is never unloaded.
pub unsafe fn attach_loaded_copies(voice: Voice) {
    for library in LIBRARIES_WITH_A_COPY {
        if let Some(attach) = symbol_of_loaded(&[library], ATTACH) {
            // SAFETY: what these libraries export under this name is ipckit_log_attach; the caller vouches for voice.
            unsafe {
                let attach: unsafe extern "C" fn(Voice) = std::mem::transmute(attach);
                attach(voice);
            }
        }
    }
}

#[used]
// SAFETY: the section holds functions that take nothing that is needed here, and the loader calls them once.
#[unsafe(link_section = ".init_array")]
static AT_LOAD: extern "C" fn() = at_load;

extern "C" fn at_load() {
    extern "C" fn before_fork() {
        clock::prepare_for_fork();
    }
    system::remember_process(before_fork);
    look_for_log_library();
}

/// A symbol of a library that is loaded. The loader is asked for it by the path that it has loaded it from: it would look
/// for a bare name in all the directories of the library path, only to find it not loaded.
fn symbol_of_loaded(file_names: &[&str], symbol: &CStr) -> Option<*mut c_void> {
    let path = path_of_loaded(file_names)?;
    // SAFETY: both strings are NUL-terminated. With RTLD_NOLOAD no code is loaded or run. The library stays open.
    let found = unsafe {
        let library = libc::dlopen(path.as_c_str().as_ptr(), libc::RTLD_NOLOAD | libc::RTLD_LAZY);
        if library.is_null() { library } else { libc::dlsym(library, symbol.as_ptr()) }
    };
    (!found.is_null()).then_some(found)
}

fn path_of_loaded(file_names: &[&str]) -> Option<Path> {
    struct Search<'a> {
        file_names: &'a [&'a str],
        path: Path,
    }
    unsafe extern "C" fn look(info: *mut libc::dl_phdr_info, _size: usize, search: *mut c_void) -> c_int {
        // SAFETY: dl_iterate_phdr passes a description that is valid for this call, with a NUL-terminated name or none,
        // and the pointer that it was given, below.
        let (name, search) = unsafe {
            let name = (*info).dlpi_name;
            (if name.is_null() { c"" } else { CStr::from_ptr(name) }, &mut *search.cast::<Search<'_>>())
        };
        let file_name = name.to_bytes().rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        let is_it = search.file_names.iter().any(|wanted| wanted.as_bytes() == file_name);
        if is_it {
            search.path = Path::from_bytes(name.to_bytes());
        }
        c_int::from(is_it)
    }
    let mut search = Search { file_names, path: Path::new() };
    // SAFETY: look gets the search it expects, which outlives the call.
    let found = unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut search).cast()) };
    (found != 0 && !search.path.is_cut()).then_some(search.path)
}

#[cfg(test)]
mod tests {
    use super::{path_of_loaded, symbol_of_loaded};

    #[test]
    fn finds_what_is_loaded_and_nothing_else() {
        assert!(path_of_loaded(&["libc.so.6"]).is_some());
        assert!(path_of_loaded(&["libnowhere.so"]).is_none());
        assert!(symbol_of_loaded(&["libnowhere.so", "libc.so.6"], c"getpid").is_some());
        assert!(symbol_of_loaded(&["libc.so.6"], c"ipckit_nothing").is_none());
    }
}
