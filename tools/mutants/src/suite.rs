// SPDX-License-Identifier: Apache-2.0
//! Runs tests of the conformance suite, by its own program.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How long a test may take with a mutation, in seconds, unless the environment says otherwise. Without one the suite's own limit holds: a
/// slow machine is to be no failure.
const LIMIT: &str = "10";

/// The suite's program.
#[derive(Debug)]
pub(crate) struct Suite(PathBuf);

/// What became of some tests.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) passed: BTreeSet<String>,
    pub(crate) failed: BTreeSet<String>,
}

impl Suite {
    pub(crate) fn new(program: &Path) -> Self {
        Self(program.to_owned())
    }

    /// The names of its tests.
    pub(crate) fn tests(&self) -> io::Result<Vec<String>> {
        let output = Command::new(&self.0).arg("--list").stderr(Stdio::inherit()).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
    }

    /// Runs these tests with the mutation on, or without any.
    pub(crate) fn run(&self, mutation: Option<&str>, tests: &[String]) -> io::Result<Outcome> {
        let limit = std::env::var_os("CONFORMANCE_LIMIT").or_else(|| mutation.map(|_| LIMIT.into()));
        let output = Command::new(&self.0)
            .args(tests)
            .env("IPCKIT_MUTATION", mutation.unwrap_or_default())
            .env("IPCKIT_BEHAVIOUR", "documented")
            .envs(limit.map(|limit| ("CONFORMANCE_LIMIT", limit)))
            .env("CONFORMANCE_NO_STACKS", "1")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()?;
        let outcome = read(&String::from_utf8_lossy(&output.stdout));
        if outcome.passed.len() + outcome.failed.len() < tests.len() {
            return Err(io::Error::other(format!("it ended ({}) without a word on some of {tests:?}", output.status)));
        }
        Ok(outcome)
    }
}

/// Reads the line that the program prints for each test.
fn read(output: &str) -> Outcome {
    let mut outcome = Outcome::default();
    for line in output.lines() {
        let mut words = line.split(' ');
        match (words.next(), words.next()) {
            (Some("passed"), Some(test)) => outcome.passed.insert(test.to_owned()),
            (Some("FAILED"), Some(test)) => outcome.failed.insert(test.to_owned()),
            _ => continue,
        };
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_test_has_a_line() {
        let outcome =
            read("passed a.b (3 ms)\nFAILED a.c (4 ms): 1 of 2 checks failed\n2 tests, 1 failed\nfailed: a.c, 1\n");
        assert_eq!(outcome.passed, BTreeSet::from(["a.b".to_owned()]));
        assert_eq!(outcome.failed, BTreeSet::from(["a.c".to_owned()]));
    }
}
