// SPDX-License-Identifier: Apache-2.0
//! The faults that the library can be built with, and the tests that have to fail with each.

/// A fault.
#[derive(Debug)]
pub(crate) struct Mutation {
    /// What `IPCKIT_MUTATION` calls it.
    pub(crate) name: &'static str,
    /// What it breaks.
    pub(crate) what: &'static str,
    /// Tests that have to fail with it.
    pub(crate) tests: &'static [&'static str],
}

macro_rules! mutations {
    ({ $($(#[doc = $what:literal])+ $name:ident: $($test:literal),+;)+ }) => {
        /// All of them.
        pub(crate) const MUTATIONS: &[Mutation] =
            &[$(Mutation { name: stringify!($name), what: concat!($($what),+), tests: &[$($test),+] }),+];
    };
}

include!("../../../src/host/mutation_list.rs");

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    /// The tests of the suite by their names, as the harness makes them: file and name.
    fn tests_of_the_suite() -> BTreeSet<String> {
        let mut tests = BTreeSet::new();
        for entry in fs::read_dir(root().join("c-tests/conformance")).expect("the suite") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|extension| extension == "cpp") {
                let source = fs::read_to_string(&path).expect("a source");
                let file = path.file_stem().expect("a name").to_string_lossy().into_owned();
                let names = source.split("\nTEST(").skip(1).filter_map(|rest| rest.split_once(','));
                tests.extend(names.map(|(name, _)| format!("{file}.{}", name.trim())));
            }
        }
        tests
    }

    fn rust_sources(directory: &Path, text: &mut String) {
        for entry in fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                rust_sources(&path, text);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text.push_str(&fs::read_to_string(&path).expect("a source"));
            }
        }
    }

    #[test]
    fn every_test_that_is_named_exists() {
        let known = tests_of_the_suite();
        assert!(known.len() > 300, "found {} tests", known.len());
        for mutation in MUTATIONS {
            for test in mutation.tests {
                assert!(known.contains(*test), "{} names {test}, which is not there", mutation.name);
            }
        }
    }

    /// Tests that are not named, and why.
    fn exceptions() -> BTreeMap<String, String> {
        let lines = include_str!("../without_mutation.txt").lines().filter(|line| !line.starts_with('#'));
        lines
            .map(|line| line.split_once(": ").expect("a test and a reason"))
            .map(|(a, b)| (a.into(), b.into()))
            .collect()
    }

    #[test]
    fn a_test_that_no_mutation_names_is_an_exception_with_a_reason() {
        let named: BTreeSet<_> =
            MUTATIONS.iter().flat_map(|mutation| mutation.tests).map(|test| (*test).to_owned()).collect();
        let exceptions = exceptions();
        let not_named: BTreeSet<_> = tests_of_the_suite().difference(&named).cloned().collect();
        let listed: BTreeSet<_> = exceptions.keys().cloned().collect();
        let missing: Vec<_> = not_named.difference(&listed).collect();
        assert!(
            missing.is_empty(),
            "write a mutation, or a reason in tools/mutants/without_mutation.txt, for {missing:?}"
        );
        let surplus: Vec<_> = listed.difference(&not_named).collect();
        assert!(surplus.is_empty(), "tools/mutants/without_mutation.txt has more than there is: {surplus:?}");
        assert!(exceptions.values().all(|reason| reason.ends_with('.')), "each has a reason");
    }

    #[test]
    fn every_file_of_the_suite_has_its_mutations() {
        let file = |test: &str| test.split('.').next().map(str::to_owned);
        let named: BTreeSet<_> = MUTATIONS.iter().flat_map(|mutation| mutation.tests).map(|test| file(test)).collect();
        let all: BTreeSet<_> = tests_of_the_suite().iter().map(|test| file(test)).collect();
        // What the harness itself can do is no property of the library, nor that a sanitizer reports.
        let of_the_suite = |file: &&String| !["harness_itself", "sanitizer_faults"].contains(&file.as_str());
        let missing: Vec<_> = all.difference(&named).flatten().filter(of_the_suite).collect();
        assert!(missing.is_empty(), "no mutation names a test of {missing:?}");
    }

    #[test]
    fn every_mutation_has_one_name_and_breaks_something() {
        let names: BTreeSet<_> = MUTATIONS.iter().map(|mutation| mutation.name).collect();
        assert_eq!(names.len(), MUTATIONS.len());
        let mut sources = String::new();
        rust_sources(&root().join("src"), &mut sources);
        rust_sources(&root().join("child_process/src"), &mut sources);
        for name in names {
            let asked = [format!("Mutation::{name}.is_on()"), format!("Mutation::{name})")];
            assert!(asked.iter().any(|text| sources.contains(text)), "nothing asks for {name}");
        }
    }
}
