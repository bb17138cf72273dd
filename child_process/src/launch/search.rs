// SPDX-License-Identifier: Apache-2.0
//! Where a library's name is looked for.

use std::env;
use std::ffi::{CStr, CString, OsStr, c_void};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::sys::loader::{self, Module};

/// The variable whose directories come first.
pub(super) const PATH_VARIABLE: &str = "OHOS_NATIVE_LIB_PATH";

/// What a module is linked with that starts children.
const OWN_NAME: &CStr = c"libchild_process.so";

/// The directories that libraries are looked for in, before the dynamic loader looks for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SearchPath {
    directories: Vec<Directory>,
    /// Those that come last of all. The module that asks may be in one of them: where a call is the last thing that a function does,
    /// the address that it comes from is the caller's caller's.
    others: Vec<Directory>,
    /// Where the loader looks in this process but, with another main program, would not in a child.
    run_path: Vec<PathBuf>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Directory {
    path: PathBuf,
    reason: &'static str,
}

impl SearchPath {
    /// The search path as it is now for the module that the address lies in.
    pub(super) fn of_caller(caller: *const c_void) -> Self {
        let mut path = Self::of(
            env::var_os(PATH_VARIABLE).as_deref(),
            env::current_dir().ok().as_deref(),
            loader::module_at(caller).as_deref(),
            loader::executable().as_deref(),
        );
        path.run_path.extend(loader::run_path(Module::At(caller)));
        path.run_path.extend(loader::run_path(Module::Program));
        for module in loader::modules_that_need(OWN_NAME) {
            if let Some(directory) = module.file.parent() {
                path.add_other(directory, "directory of a module that needs libchild_process.so");
            }
            path.run_path.extend(module.run_path);
        }
        path
    }

    fn of(variable: Option<&OsStr>, current: Option<&Path>, caller: Option<&Path>, program: Option<&Path>) -> Self {
        let mut directories = Vec::new();
        for entry in variable.into_iter().flat_map(|value| value.as_bytes().split(|&byte| byte == b':')) {
            let entry = Path::new(OsStr::from_bytes(entry));
            if !entry.as_os_str().is_empty() {
                let path = current.map_or_else(|| entry.to_path_buf(), |current| current.join(entry));
                directories.push(Directory { path, reason: PATH_VARIABLE });
            }
        }
        if let Some(directory) = caller.and_then(Path::parent) {
            directories.push(Directory { path: directory.into(), reason: "directory of the calling module" });
        }
        if let Some(directory) = program.and_then(Path::parent) {
            directories.push(Directory { path: directory.into(), reason: "directory of the program" });
            directories.push(Directory { path: directory.join("lib"), reason: "lib in the directory of the program" });
        }
        let mut path = Self { directories, others: Vec::new(), run_path: Vec::new() };
        if let Some(above) = program.and_then(Path::parent).and_then(Path::parent) {
            path.add_other(&above.join("lib"), "lib beside the directory of the program");
        }
        path
    }

    fn add_other(&mut self, path: &Path, reason: &'static str) {
        if self.directories.iter().chain(&self.others).all(|known| known.path != path) {
            self.others.push(Directory { path: path.into(), reason });
        }
    }

    #[cfg(test)]
    pub(super) fn for_test(directories: &[&str], run_path: &[&str]) -> Self {
        let directory = |path: &&str| Directory { path: path.into(), reason: "test" };
        Self {
            directories: directories.iter().map(directory).collect(),
            others: Vec::new(),
            run_path: run_path.iter().map(PathBuf::from).collect(),
        }
    }

    /// The directories for the front of a child's loader path, in order.
    pub(super) fn directories(&self) -> impl Iterator<Item = &Path> {
        self.directories.iter().map(|directory| directory.path.as_path())
    }

    /// The directories for the end of a child's loader path, in order.
    pub(super) fn run_path(&self) -> impl Iterator<Item = &Path> {
        self.others.iter().map(|directory| directory.path.as_path()).chain(self.run_path.iter().map(PathBuf::as_path))
    }

    /// What the child is to load: the first file that exists, or the bare name for the loader to look for.
    pub(super) fn find(&self, library: &OsStr) -> Found {
        let name = Path::new(library);
        if name.is_absolute() {
            let tried = vec![Tried { path: name.into(), reason: "absolute path" }];
            return Found { load: c_name(library), tried, by_loader: false };
        }
        let mut tried = Vec::new();
        for directory in self.directories.iter().chain(&self.others) {
            let path = directory.path.join(name);
            // A directory of that name is no library, and must not hide one.
            let found = path.is_file().then(|| c_name(path.as_os_str()));
            tried.push(Tried { path, reason: directory.reason });
            if let Some(load) = found {
                return Found { load, tried, by_loader: false };
            }
        }
        Found { load: c_name(library), tried, by_loader: true }
    }
}

fn c_name(name: &OsStr) -> CString {
    CString::new(name.as_bytes()).expect("texts from C and from the environment hold no NUL")
}

/// The outcome of a search.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// What is handed to the dynamic loader.
    pub(super) load: CString,
    tried: Vec<Tried>,
    by_loader: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Tried {
    path: PathBuf,
    reason: &'static str,
}

/// Every place that was tried, for a user who wonders why a library was not found.
impl fmt::Display for Found {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Tried { path, reason }) in self.tried.iter().enumerate() {
            write!(formatter, "{}{} ({reason})", if index == 0 { "" } else { ", " }, path.display())?;
        }
        if self.by_loader {
            write!(formatter, ", the dynamic loader's own search (LD_LIBRARY_PATH, run paths, system directories)")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A directory of its own for a test, gone afterwards.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(test: &str) -> Self {
            let path = env::temp_dir().join(format!("ipckit-search-{}-{test}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn file(&self, path: &str) -> PathBuf {
            let path = self.0.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, b"").unwrap();
            path
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn search_path(root: &Path) -> SearchPath {
        let variable = format!("{}/first::relative", root.display());
        let (caller, program) = (root.join("caller/libcaller.so"), root.join("program/main"));
        SearchPath::of(Some(variable.as_ref()), Some(root), Some(&caller), Some(&program))
    }

    fn loaded(found: &Found) -> &Path {
        Path::new(OsStr::from_bytes(found.load.as_bytes()))
    }

    #[test]
    fn directories_come_in_the_documented_order() {
        let path = search_path(Path::new("/r"));
        let directories: Vec<_> = path.directories().collect();
        let expected = ["/r/first", "/r/relative", "/r/caller", "/r/program", "/r/program/lib"];
        assert_eq!(directories, expected.map(Path::new));
        // Where the system's own libraries may be, which must not come before those of the user's LD_LIBRARY_PATH.
        assert_eq!(path.run_path().collect::<Vec<_>>(), [Path::new("/r/lib")]);
    }

    #[test]
    fn the_first_file_that_exists_is_found() {
        let scratch = Scratch::new("first");
        let path = search_path(&scratch.0);
        for place in [
            "lib/libx.so",
            "program/lib/libx.so",
            "program/libx.so",
            "caller/libx.so",
            "relative/libx.so",
            "first/libx.so",
        ] {
            let file = scratch.file(place);
            assert_eq!(loaded(&path.find("libx.so".as_ref())), file);
        }
    }

    #[test]
    fn other_modules_directories_come_last_and_once() {
        let scratch = Scratch::new("others");
        let mut path = search_path(&scratch.0);
        for directory in ["other", "caller", "other"] {
            path.add_other(&scratch.0.join(directory), "test");
        }
        assert_eq!(path.run_path().collect::<Vec<_>>(), [scratch.0.join("lib"), scratch.0.join("other")]);
        for place in ["other/libx.so", "lib/libx.so", "program/lib/libx.so"] {
            let file = scratch.file(place);
            assert_eq!(loaded(&path.find("libx.so".as_ref())), file);
        }
        assert!(path.find("liby.so".as_ref()).to_string().contains("other/liby.so (test)"));
    }

    #[test]
    fn a_directory_of_the_librarys_name_does_not_hide_it() {
        let scratch = Scratch::new("directory");
        fs::create_dir_all(scratch.0.join("first/libx.so")).unwrap();
        let file = scratch.file("caller/libx.so");
        assert_eq!(loaded(&search_path(&scratch.0).find("libx.so".as_ref())), file);
    }

    #[test]
    fn what_is_nowhere_is_left_to_the_loader_and_every_place_is_named() {
        let found = search_path(Path::new("/nowhere")).find("sub/libx.so".as_ref());
        assert_eq!(loaded(&found), Path::new("sub/libx.so"));
        let places = found.to_string();
        for place in ["first", "relative", "caller", "program", "program/lib"] {
            assert!(places.contains(&format!("/nowhere/{place}/sub/libx.so (")), "{places}");
        }
        assert!(places.contains("LD_LIBRARY_PATH"), "{places}");
    }

    #[test]
    fn an_absolute_path_is_taken_as_it_is() {
        let found = search_path(Path::new("/nowhere")).find("/else/where/libx.so".as_ref());
        assert_eq!(loaded(&found), Path::new("/else/where/libx.so"));
        assert_eq!(found.to_string(), "/else/where/libx.so (absolute path)");
    }

    #[test]
    fn with_nothing_known_the_loader_searches_alone() {
        let path = SearchPath::of(None, None, None, None);
        assert_eq!(path.directories().count(), 0);
        assert_eq!(loaded(&path.find("libx.so".as_ref())), Path::new("libx.so"));
    }
}
