// SPDX-License-Identifier: Apache-2.0
//! Makes a project that builds out of the C++ code blocks of a Markdown guide, without changing a byte of the code.
//!
//! A guide shows a program that starts a native child process and the library that the child loads. Which is which follows
//! from what a block defines: a block with `main` belongs to the program, one with `NativeChildProcess_OnConnect` or
//! `NativeChildProcess_MainProc` to the library, every other block to both; the order is the guide's. The library's
//! file name is the one that the program starts the child with.

mod cpp;
mod markdown;
mod project;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, io};

use thiserror::Error;

use crate::project::{Problem, Project};

const USAGE: &str = "usage: ipckit-guide [--library NAME.so] GUIDE.md DIRECTORY
Writes CMakeLists.txt, library.cpp and program.cpp with the guide's C++ code, untouched, into DIRECTORY.
  --library NAME.so   the child's library, where the guide does not tell its name";

#[derive(Debug, Error)]
enum Failure {
    #[error("{0}\n{USAGE}")]
    Arguments(String),
    #[error("cannot read {0}: {1}")]
    Read(PathBuf, io::Error),
    #[error("cannot write {0}: {1}")]
    Write(PathBuf, io::Error),
    #[error("{0}: {1}")]
    Guide(PathBuf, Problem),
}

struct Arguments {
    guide: PathBuf,
    directory: PathBuf,
    library: Option<String>,
}

impl Arguments {
    /// `None` where help was asked for.
    fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Option<Self>, lexopt::Error> {
        use lexopt::prelude::{Long, Short, Value, ValueExt as _};
        let mut places = Vec::new();
        let mut library = None;
        let mut parser = lexopt::Parser::from_args(arguments);
        while let Some(argument) = parser.next()? {
            match argument {
                Long("library") => library = Some(parser.value()?.string()?),
                Long("help") | Short('h') => return Ok(None),
                Value(place) if places.len() < 2 => places.push(PathBuf::from(place)),
                _ => return Err(argument.unexpected()),
            }
        }
        let directory = places.pop();
        match (places.pop(), directory) {
            (Some(guide), Some(directory)) => Ok(Some(Self { guide, directory, library })),
            _ => Err("a guide and a directory are needed".into()),
        }
    }
}

/// Does what the arguments ask for and returns what to print.
fn run(arguments: impl IntoIterator<Item = OsString>) -> Result<String, Failure> {
    let Some(arguments) = Arguments::parse(arguments).map_err(|error| Failure::Arguments(error.to_string()))? else {
        return Ok(USAGE.to_owned());
    };
    let read_failed = |error| Failure::Read(arguments.guide.clone(), error);
    let markdown = fs::read_to_string(&arguments.guide).map_err(read_failed)?;
    let name = fs::canonicalize(&arguments.guide).map_err(read_failed)?;
    let project = Project::new(&markdown, &name, arguments.library)
        .map_err(|problem| Failure::Guide(arguments.guide.clone(), problem))?;
    write(&arguments.directory, &project)?;
    Ok(describe(&project))
}

fn write(directory: &Path, project: &Project) -> Result<(), Failure> {
    fs::create_dir_all(directory).map_err(|error| Failure::Write(directory.to_owned(), error))?;
    for (name, content) in &project.files {
        let path = directory.join(name);
        fs::write(&path, content).map_err(|error| Failure::Write(path, error))?;
    }
    Ok(())
}

fn describe(project: &Project) -> String {
    let list = |lines: &[usize]| lines.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let mut text = format!(
        "{}: the code at lines {}\nprogram: the code at lines {}",
        project.library,
        list(&project.library_lines),
        list(&project.program_lines)
    );
    for (line, language) in &project.left_out {
        let language = if language.is_empty() { "no language" } else { language };
        let _ = write!(text, "\nleft out: line {line} ({language})");
    }
    text
}

fn main() -> ExitCode {
    match run(std::env::args_os().skip(1)) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("ipckit-guide: {failure}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_with(arguments: &[&Path]) -> Result<String, Failure> {
        run(arguments.iter().map(|argument| argument.as_os_str().to_owned()))
    }

    #[test]
    fn writes_a_project_and_says_what_is_in_it() {
        let place = tempfile::tempdir().expect("a directory");
        let guide = place.path().join("guide.md");
        let code = "void *NativeChildProcess_OnConnect() { return 0; }\nvoid NativeChildProcess_MainProc() {}\n";
        let main = "int main() { OH_Ability_CreateNativeChildProcess(\"libx.so\", 0); }\n";
        fs::write(&guide, format!("```\na\n```\n```c++\n{code}```\n```c++\n{main}```\n")).expect("a guide");
        let directory = place.path().join("new/project");
        let said = run_with(&[&guide, &directory]).expect("a whole guide");
        assert_eq!(said, "libx.so: the code at lines 5\nprogram: the code at lines 9\nleft out: line 2 (no language)");
        for (name, expected) in [("library.cpp", code), ("program.cpp", main), ("CMakeLists.txt", "child_library")] {
            let written = fs::read_to_string(directory.join(name)).expect(name);
            assert!(written.contains(expected), "{name}: {written}");
        }
    }

    #[test]
    fn says_what_is_wrong_with_its_arguments_and_files() {
        let place = tempfile::tempdir().expect("a directory");
        let guide = place.path().join("guide.md");
        fs::write(&guide, b"\xff\xfe").expect("a guide that is no text");
        let failure = |arguments: &[&Path]| run_with(arguments).expect_err("bad arguments").to_string();
        assert!(failure(&[&guide]).contains("a guide and a directory are needed"));
        assert!(failure(&[&guide, &guide, &guide]).contains("usage: "));
        assert!(failure(&[Path::new("--library")]).contains("usage: "));
        assert!(failure(&[&guide, place.path()]).starts_with("cannot read "));
        assert!(failure(&[&place.path().join("none.md"), place.path()]).starts_with("cannot read "));
    }

    #[test]
    fn help_is_no_failure() {
        assert_eq!(run_with(&[Path::new("--help")]).expect("help"), USAGE);
    }
}
