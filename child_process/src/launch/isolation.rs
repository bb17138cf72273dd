// SPDX-License-Identifier: Apache-2.0
//! Which directories of its parent an isolated child does not see.

use std::env;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::search::SearchPath;
use crate::mutation::Mutation;

/// What tells where a process keeps what is its own.
const PRIVATE: [&str; 2] = ["XDG_RUNTIME_DIR", "HOME"];

/// What names files and directories that a child's libraries need, separated by colons or blanks.
const NEEDED: [&str; 3] = ["LD_LIBRARY_PATH", "LD_PRELOAD", "IPCKIT_LOG_FILE"];

/// The private directories that exist and that hold nothing which the child needs: these files, or a directory where
/// libraries are looked for.
pub(super) fn hidden_directories(path: &SearchPath, needed: &[&CStr]) -> Vec<CString> {
    let private: Vec<PathBuf> = PRIVATE.iter().filter_map(env::var_os).map(PathBuf::from).collect();
    hide(&private, &all_needed(path, needed))
}

/// The files, where libraries are looked for (also by the loader alone), and what the environment names.
fn all_needed(path: &SearchPath, needed: &[&CStr]) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> =
        needed.iter().map(|file| Path::new(OsStr::from_bytes(file.to_bytes())).into()).collect();
    all.extend(path.directories().chain(path.run_path()).map(Path::to_path_buf));
    for value in NEEDED.iter().filter_map(env::var_os) {
        all.extend(value.as_bytes().split(|byte| b":; ".contains(byte)).map(|entry| OsStr::from_bytes(entry).into()));
    }
    all
}

fn hide(private: &[PathBuf], needed: &[PathBuf]) -> Vec<CString> {
    let real = |path: &PathBuf| fs::canonicalize(path).ok().filter(|_| path.is_absolute());
    let needed: Vec<PathBuf> =
        needed.iter().filter(|path| path.is_absolute()).map(|path| real_as_far_as_it_is_there(path)).collect();
    let mut hidden: Vec<PathBuf> = Vec::new();
    for directory in private.iter().filter_map(real).filter(|directory| directory.is_dir()) {
        let is_in_it =
            |needed: &&PathBuf| needed.starts_with(&directory) && !Mutation::NeededDirectoriesAreHidden.is_on();
        match needed.iter().find(is_in_it) {
            Some(needed) => ipckit_log::info(format_args!(
                "an isolated child process goes on seeing {}, where it needs {}",
                directory.display(),
                needed.display()
            )),
            None => hidden.push(directory),
        }
    }
    hidden.into_iter().filter_map(|directory| CString::new(OsString::from(directory).into_vec()).ok()).collect()
}

/// The path without symbolic links; what of it is not there stays as it is.
fn real_as_far_as_it_is_there(path: &Path) -> PathBuf {
    let real = path.ancestors().find_map(|part| Some((part, fs::canonicalize(part).ok()?)));
    real.and_then(|(part, real)| Some(real.join(path.strip_prefix(part).ok()?))).unwrap_or_else(|| path.to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_libraries_come_from_is_needed() {
        let all = all_needed(&SearchPath::for_test(&["/searched"], &["/run_path"]), &[c"/file"]);
        for needed in ["/file", "/searched", "/run_path"] {
            assert!(all.contains(&needed.into()), "{needed}");
        }
    }

    #[test]
    fn a_directory_is_hidden_unless_something_in_it_is_needed() {
        let root = env::temp_dir().canonicalize().unwrap().join(format!("ipckit-isolation-{}", std::process::id()));
        let (home, runtime) = (root.join("home"), root.join("runtime"));
        fs::create_dir_all(home.join("project")).unwrap();
        fs::create_dir_all(&runtime).unwrap();
        std::os::unix::fs::symlink(home.join("project"), root.join("link")).unwrap();
        let private = [home.clone(), runtime.clone(), root.join("nowhere"), "relative".into()];
        let text = |path: &Path| CString::new(path.as_os_str().as_bytes()).unwrap();
        let both = vec![text(&home), text(&runtime)];
        assert_eq!(hide(&private, &[]), both);
        assert_eq!(hide(&private, &["/usr/lib".into(), "home/libx.so".into(), root.join("homework")]), both);
        for needed in ["home/libx.so", "home/project/lib", "link/libx.so"] {
            assert_eq!(hide(&private, &[root.join(needed)]), [text(&runtime)], "{needed}");
        }
        assert_eq!(hide(&["/".into()], &["/lib".into()]), [] as [CString; 0]);
        fs::remove_dir_all(root).unwrap();
    }
}
