// SPDX-License-Identifier: Apache-2.0
//! Where the program that children run is, and what they are called.

use std::env;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::fmt::Write as _;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::mutation::Mutation;

/// Names the launcher in place of the usual ones.
const LAUNCHER_VARIABLE: &str = "IPCKIT_NATIVE_CHILD";

/// From the directory of `libchild_process.so`: a build tree, then an install with and without a level for the architecture.
const PLACES: [&str; 3] = [
    "ipckit_native_child",
    "../libexec/ipckit-host/ipckit_native_child",
    "../../libexec/ipckit-host/ipckit_native_child",
];

/// The launcher's path; the error names every place tried.
pub(super) fn find(own_library: Option<&Path>) -> Result<PathBuf, String> {
    match env::var_os(LAUNCHER_VARIABLE) {
        Some(path) => check(PathBuf::from(path)),
        None => find_beside(own_library),
    }
}

fn check(path: PathBuf) -> Result<PathBuf, String> {
    if path.is_file() {
        return Ok(path);
    }
    Err(format!("{LAUNCHER_VARIABLE} names {}, where there is no file", path.display()))
}

fn find_beside(own_library: Option<&Path>) -> Result<PathBuf, String> {
    let mut tried = String::new();
    // The library may be reached by a symbolic link, with the launcher beside the link or beside the file.
    let real = own_library.and_then(|library| library.canonicalize().ok());
    for library in [own_library, real.as_deref()].into_iter().flatten() {
        for place in PLACES {
            let path = library.parent().unwrap_or(Path::new("/")).join(place);
            if path.is_file() {
                return Ok(path);
            }
            let _ = write!(tried, "{}, ", path.display());
        }
    }
    Err(format!(
        "the program that child processes run was not found; tried {tried}and {LAUNCHER_VARIABLE} is not set: install \
         ipckit_native_child beside libchild_process.so or name it there"
    ))
}

/// The child's argv[0]: the parent's, then the name that was chosen or else one made of the library's and a number.
pub(super) fn process_name(parent: Option<OsString>, chosen: Option<&CStr>, library: &OsStr, number: usize) -> CString {
    let mut name = parent.unwrap_or_default().into_vec();
    name.push(b':');
    match chosen {
        Some(chosen) => name.extend_from_slice(chosen.to_bytes()),
        None => {
            name.extend_from_slice(b"Native_");
            name.extend_from_slice(stem(library));
            if !Mutation::ChildrenShareAName.is_on() {
                name.extend_from_slice(number.to_string().as_bytes());
            }
        }
    }
    CString::new(name).expect("texts from C and argv hold no NUL")
}

fn stem(library: &OsStr) -> &[u8] {
    let name = Path::new(library).file_name().unwrap_or(library).as_bytes();
    name.strip_suffix(b".so").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_parents_with_the_librarys_stem_and_a_number() {
        let name = |library: &str| process_name(Some("./app".into()), None, library.as_ref(), 7);
        assert_eq!(name("libx.so").as_c_str(), c"./app:Native_libx7");
        assert_eq!(name("/a/b/libx.z.so").as_c_str(), c"./app:Native_libx.z7");
        assert_eq!(name("plain").as_c_str(), c"./app:Native_plain7");
        assert_eq!(process_name(None, None, "libx.so".as_ref(), 1).as_c_str(), c":Native_libx1");
        let chosen = process_name(Some("./app".into()), Some(c"reader_1"), "libx.so".as_ref(), 1);
        assert_eq!(chosen.as_c_str(), c"./app:reader_1");
    }

    #[test]
    fn a_launcher_that_is_nowhere_is_an_error_with_every_place() {
        let error = find_beside(Some(Path::new("/nowhere/lib/libchild_process.so"))).unwrap_err();
        for place in PLACES {
            assert!(error.contains(&format!("/nowhere/lib/{place}, ")), "{error}");
        }
        assert!(error.contains(LAUNCHER_VARIABLE));
        assert!(find_beside(None).is_err());
    }

    #[test]
    fn a_launcher_named_in_vain_is_an_error_with_its_path() {
        let error = check("/nowhere/launcher".into()).unwrap_err();
        assert!(error.contains("/nowhere/launcher") && error.contains(LAUNCHER_VARIABLE), "{error}");
    }
}
