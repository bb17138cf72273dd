// SPDX-License-Identifier: Apache-2.0
//! The child's environment: the parent's, with the loader told where to look and what to load first.

use std::env;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use ipckit_log::Once;

use super::search::SearchPath;
use crate::sys::loader;

const LOADER_PATH: &str = "LD_LIBRARY_PATH";
const PRELOAD: &str = "LD_PRELOAD";

/// The environment of a child, for exec, as the process's own stands now.
pub(super) fn for_child(path: &SearchPath, own_directory: Option<&Path>) -> Vec<CString> {
    let changes = [
        (LOADER_PATH, loader_path(path, env::var_os(LOADER_PATH).as_deref(), own_directory)),
        (PRELOAD, preload(env::var_os(PRELOAD).as_deref(), &loader::loaded_modules())),
    ];
    let kept = env::vars_os().filter(|(name, _)| !changes.iter().any(|(changed, _)| name == changed));
    let changed = changes.iter().map(|(name, value)| (OsString::from(name), value.clone()));
    kept.chain(changed.filter(|(_, value)| !value.is_empty())).filter_map(|(name, value)| entry(name, &value)).collect()
}

fn entry(name: OsString, value: &OsStr) -> Option<CString> {
    let mut entry = name.into_vec();
    entry.push(b'=');
    entry.extend_from_slice(value.as_bytes());
    CString::new(entry).ok()
}

/// The directories where libraries are looked for, what was there before, then those that only this program's run path
/// names, and this library's own, for a child whose library was linked without one.
fn loader_path(path: &SearchPath, before: Option<&OsStr>, own_directory: Option<&Path>) -> OsString {
    let before = before.filter(|value| !value.is_empty());
    let before = before.into_iter().flat_map(|value| value.as_bytes().split(|byte| b":;".contains(byte)));
    let mut entries: Vec<&[u8]> = Vec::new();
    let ours = |path: &'_ &Path| !path.as_os_str().as_bytes().iter().any(|byte| b":;".contains(byte));
    let mut add = |entry| {
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    };
    path.directories().filter(ours).for_each(|directory| add(directory.as_os_str().as_bytes()));
    before.for_each(&mut add);
    path.run_path().chain(own_directory).filter(ours).for_each(|directory| add(directory.as_os_str().as_bytes()));
    OsString::from_vec(entries.join(&b':'))
}

/// Runtimes that have to be loaded before all else, which a library that needs one cannot do from within a child's start.
const EARLY_RUNTIMES: [&str; 8] = [
    "libasan.so",
    "libtsan.so",
    "liblsan.so",
    "libhwasan.so",
    "libclang_rt.asan",
    "libclang_rt.tsan",
    "libclang_rt.lsan",
    "libclang_rt.hwasan",
];

/// Runtimes of languages whose functions an early runtime takes over as it starts, or else ends the process when they are used.
const LANGUAGE_RUNTIMES: [&str; 3] = ["libstdc++.so", "libc++abi.so", "libc++.so"];

fn is_one_of(module: &Path, names: &[&str]) -> bool {
    let file = module.file_name().unwrap_or_default().to_string_lossy();
    names.iter().any(|name| file.starts_with(name))
}

/// The early runtimes of this process, what they want to find, then what was there before: an early runtime refuses to be loaded
/// behind anything else.
fn preload(before: Option<&OsStr>, modules: &[PathBuf]) -> OsString {
    let before = before.unwrap_or_default();
    let of = |names| modules.iter().filter(move |module| is_one_of(module, names));
    if of(&EARLY_RUNTIMES).next().is_none() {
        return before.into();
    }
    let mut entries: Vec<&[u8]> =
        of(&EARLY_RUNTIMES).chain(of(&LANGUAGE_RUNTIMES)).map(|module| module.as_os_str().as_bytes()).collect();
    for entry in before.as_bytes().split(|byte| b": ".contains(byte)) {
        // Named as the loader looks for it, it is a runtime that is loaded and has its place already.
        let is_runtime = |names| is_one_of(Path::new(OsStr::from_bytes(entry)), names);
        if !entry.is_empty()
            && !entries.contains(&entry)
            && !is_runtime(&EARLY_RUNTIMES)
            && !is_runtime(&LANGUAGE_RUNTIMES)
        {
            entries.push(entry);
        }
    }
    OsString::from_vec(entries.join(&b':'))
}

/// What to do about a sanitizer's runtime that is part of the program itself and so cannot be loaded into a child.
pub(super) fn advice_on_sanitizers() -> Option<&'static str> {
    let is_programs_own = |symbol: &CStr| {
        let module = loader::module_that_defines(symbol);
        module.is_some() && module == loader::executable()
    };
    SANITIZERS.into_iter().any(is_programs_own).then_some(
        "this program has a sanitizer's runtime linked into it, which a child cannot load: what is built for the sanitizer fails \
         there; link the program and the library with -shared-libsan, or with gcc without -static-lib…san",
    )
}

/// Gives that advice once, before a child comes upon it.
pub(super) fn advise_on_sanitizers_once() {
    static SAID: Once = Once::new();
    if SAID.first()
        && let Some(advice) = advice_on_sanitizers()
    {
        ipckit_log::warn(format_args!("native child processes: {advice}"));
    }
}

/// A symbol of the runtime of each sanitizer.
const SANITIZERS: [&CStr; 7] = [
    c"__asan_init",
    c"__tsan_init",
    c"__msan_init",
    c"__hwasan_init",
    c"__ubsan_handle_type_mismatch_v1",
    c"__ubsan_handle_type_mismatch_v1_abort",
    c"__ubsan_handle_add_overflow",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_kept_and_every_name_is_there_once() {
        let environment = for_child(&SearchPath::of_caller(std::ptr::null()), None);
        let name = |entry: &CString| entry.as_bytes().split(|&byte| byte == b'=').next().unwrap_or_default().to_vec();
        let mut names: Vec<_> = environment.iter().map(name).collect();
        for (kept, _) in env::vars_os() {
            assert!(names.contains(&kept.clone().into_vec()), "{kept:?}");
        }
        names.sort();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
        let paths = environment.iter().find(|entry| name(entry) == LOADER_PATH.as_bytes()).unwrap();
        let program = loader::executable().unwrap();
        assert!(paths.to_string_lossy().contains(&*program.parent().unwrap().to_string_lossy()));
    }

    #[test]
    fn the_loader_path_keeps_what_was_there_and_names_nothing_twice() {
        let path = SearchPath::for_test(&["/a", "/b:c", "/b"], &["/run", "/a"]);
        let value = loader_path(&path, Some("/old;/b:".as_ref()), Some(Path::new("/own")));
        assert_eq!(value, "/a:/b:/old::/run:/own");
        assert_eq!(loader_path(&path, Some("".as_ref()), None), "/a:/b:/run");
    }

    #[test]
    fn runtimes_that_must_come_first_are_preloaded_once() {
        let modules = ["/u/libstdc++.so.6", "/u/libasan.so.8", "/u/libubsan.so.1", "/l/libc.so.6"].map(PathBuf::from);
        assert_eq!(preload(None, &modules), "/u/libasan.so.8:/u/libstdc++.so.6");
        assert_eq!(preload(Some("/p.so".as_ref()), &modules), "/u/libasan.so.8:/u/libstdc++.so.6:/p.so");
        for before in ["/p.so /u/libasan.so.8", "/u/libasan.so.8:/p.so", "libasan.so.8:/p.so:libstdc++.so.6:"] {
            assert_eq!(preload(Some(before.as_ref()), &modules), "/u/libasan.so.8:/u/libstdc++.so.6:/p.so", "{before}");
        }
    }

    #[test]
    fn nothing_is_preloaded_without_such_a_runtime() {
        let modules = ["/u/libstdc++.so.6", "/u/libubsan.so.1"].map(PathBuf::from);
        assert_eq!(preload(None, &modules), "");
        assert_eq!(preload(Some("/p.so".as_ref()), &modules), "/p.so");
    }
}
