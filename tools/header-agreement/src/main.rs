// SPDX-License-Identifier: Apache-2.0
//! Writes the C header that a library's Rust sources amount to. Compiled in one unit with the hand-written header it
//! proves that the two agree; and every function that the library is to export must be in it.
//!
//! Usage: `header-agreement CONFIG MODULE SYMBOLS LIBRARY OUTPUT`: a `cbindgen.toml`, the file of the module that holds the
//! C face, a list of `library function` lines, which library of the list it is, and the header to write.
//!
//! A program of its own rather than a build script, so that only who runs the C tests compiles cbindgen; and cbindgen as
//! a library rather than its command, so that nobody has to install it and `Cargo.lock` says which one it is.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

/// Functions that the project's libraries export for each other: no header has them.
const PRIVATE_PREFIX: &str = "ipckit_";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [config, module, symbols, library, output] = arguments.as_slice() else {
        eprintln!("usage: header-agreement CONFIG MODULE SYMBOLS LIBRARY OUTPUT");
        return ExitCode::from(2);
    };
    match run(Path::new(config), Path::new(module), Path::new(symbols), library, Path::new(output)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("header-agreement: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(config: &Path, module: &Path, symbols: &Path, library: &str, output: &Path) -> Result<(), String> {
    let list = std::fs::read_to_string(symbols).map_err(|error| format!("{}: {error}", symbols.display()))?;
    let expected = expected_functions(&list, library);
    if expected.is_empty() {
        return Err(format!("{} lists no function of {library}", symbols.display()));
    }
    let config = cbindgen::Config::from_file(config)
        .map_err(|error| format!("cbindgen's configuration does not do: {error}"))?;
    let mut bindings = cbindgen::Builder::new()
        .with_config(config)
        .with_src(module)
        .generate()
        .map_err(|error| format!("cbindgen cannot read the sources: {error}"))?;
    bindings.functions.retain(|function| !function.extern_decl && !function.path.name().starts_with(PRIVATE_PREFIX));
    // Written before it is judged: what is wrong can be looked at.
    bindings.write_to_file(output);
    let found = bindings.dynamic_symbols_names().map(str::to_owned).collect();
    match disagreement(&expected, &found) {
        None => Ok(()),
        Some(message) => Err(format!("{library}: {message}")),
    }
}

/// The functions of one library among the lines of a list.
fn expected_functions(list: &str, library: &str) -> BTreeSet<String> {
    list.lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(listed, _)| *listed == library)
        .map(|(_, function)| function.trim().to_owned())
        .collect()
}

/// Says which functions only one side has and what to do about it; `None` where both have the same.
fn disagreement(expected: &BTreeSet<String>, found: &BTreeSet<String>) -> Option<String> {
    let mut message = String::new();
    for missing in expected.difference(found) {
        let _ = write!(message, "\n  {missing}: not found in the Rust sources");
    }
    for unexpected in found.difference(expected) {
        let _ = write!(message, "\n  {unexpected}: exported, but not one of the library's public functions");
    }
    if message.is_empty() {
        return None;
    }
    Some(format!(
        "the Rust sources do not have the public functions:{message}\n\
         Each is to be written out as `#[unsafe(no_mangle)] pub unsafe extern \"C\" fn`: cbindgen sees none that a macro \
         makes. A function for the project's own use gets a name with the prefix `{PRIVATE_PREFIX}`."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn only_the_functions_of_the_named_library_are_expected() {
        let list = "libone.so A\nlibtwo.so B\nlibone.so C\n";
        assert_eq!(expected_functions(list, "libone.so"), set(&["A", "C"]));
    }

    #[test]
    fn the_same_functions_are_no_disagreement() {
        assert_eq!(disagreement(&set(&["A", "B"]), &set(&["B", "A"])), None);
    }

    #[test]
    fn a_missing_and_an_unexpected_function_are_both_named() {
        let message = disagreement(&set(&["A", "B"]), &set(&["B", "C"])).expect("they disagree");
        assert!(message.contains("A: not found"), "{message}");
        assert!(message.contains("C: exported"), "{message}");
        assert!(!message.contains("B:"), "{message}");
    }

    /// The whole way, on a crate of one public, one private and one imported function.
    #[test]
    fn a_crate_becomes_a_header_of_its_public_functions() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        let write = |name: &str, text: &str| std::fs::write(path(name), text).expect("a file");
        write("cbindgen.toml", "language = \"C\"\nstyle = \"type\"\n[export]\nitem_types = [\"functions\"]\n");
        write("lib.rs", "mod face;\nunsafe extern \"C\" { fn imported(); }");
        write(
            "face.rs",
            "pub struct Thing; #[unsafe(no_mangle)] pub extern \"C\" fn ipckit_own(_: *const Thing) {}\n\
             #[unsafe(no_mangle)] pub unsafe extern \"C\" fn OH_Public(thing: *const Thing, count: u32) -> i64 { 0 }",
        );
        write("symbols.txt", "libthing.so OH_Public\n");
        let header = path("out.h");

        run(&path("cbindgen.toml"), &path("lib.rs"), &path("symbols.txt"), "libthing.so", &header).expect("agreement");

        let text = std::fs::read_to_string(&header).expect("the header");
        assert!(text.contains("int64_t OH_Public(const Thing *thing, uint32_t count);"), "{text}");
        assert!(!text.contains("ipckit_own") && !text.contains("imported"), "{text}");

        write("symbols.txt", "libthing.so OH_Public\nlibthing.so OH_Absent\n");
        let error = run(&path("cbindgen.toml"), &path("lib.rs"), &path("symbols.txt"), "libthing.so", &header)
            .expect_err("a function is missing");
        assert!(error.contains("OH_Absent: not found"), "{error}");
    }
}
