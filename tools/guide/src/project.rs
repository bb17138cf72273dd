// SPDX-License-Identifier: Apache-2.0
//! How the blocks of a guide become a project.

use std::path::Path;

use thiserror::Error;

use crate::cpp::Code;
use crate::markdown::{CodeBlock, code_blocks};

/// What makes a block part of the library that a child process loads.
const LIBRARY_FUNCTIONS: [&str; 2] = ["NativeChildProcess_OnConnect", "NativeChildProcess_MainProc"];
/// What starts a child process with a library, and what the names of its variants begin with.
const START_FUNCTION: &str = "OH_Ability_CreateNativeChildProcess";

/// Why a guide makes no project.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Problem {
    /// There is no code.
    #[error("there is no fenced code block in it that says it is C++ (```c++, ```cpp or ```c)")]
    NoCode,
    /// A fence is missing.
    #[error("the code block that begins on line {0} is not closed: a line with the closing fence is missing")]
    NotClosed(usize),
    /// The program has no beginning.
    #[error("no block defines main(), so there is no program to run")]
    NoMain,
    /// There is nothing for a child process to run.
    #[error("no block defines {0}, so there is no library for a child process to load")]
    NoLibraryFunction(&'static str),
    /// The library's name cannot be seen.
    #[error(
        "the name of the child's library could not be found: {START_FUNCTION} is called with no string literal, \
             and not just one string looks like libNAME.so; name it with --library"
    )]
    NoLibraryName,
    /// There are several names.
    #[error("{START_FUNCTION} is called with several libraries ({0}); choose one with --library")]
    SeveralLibraries(String),
    /// The library's name is no file name to build.
    #[error(
        "{0:?} cannot be built as a library: the name of a file is needed, of letters, digits and any of _ - + . only"
    )]
    LibraryName(String),
}

/// The files of a project that builds a guide's code, and what to tell of them.
#[derive(Debug)]
pub struct Project {
    /// The file name of the library that the program starts a child process with.
    pub library: String,
    /// The lines of the guide whose blocks make the library.
    pub library_lines: Vec<usize>,
    /// The lines of the guide whose blocks make the program.
    pub program_lines: Vec<usize>,
    /// Lines and languages of the blocks that are not C++.
    pub left_out: Vec<(usize, String)>,
    /// File names and what is in them.
    pub files: [(&'static str, String); 3],
}

impl Project {
    /// Makes a project of the guide `markdown`, which diagnostics will call `name`.
    ///
    /// The library gets every block but those that define main(), the program every block but those that define the
    /// functions of a child's library, both in the guide's order; a block that does both goes into both.
    pub fn new(markdown: &str, name: &Path, library: Option<String>) -> Result<Self, Problem> {
        let (blocks, others): (Vec<_>, Vec<_>) = code_blocks(markdown).into_iter().partition(CodeBlock::is_cpp);
        if blocks.is_empty() {
            return Err(Problem::NoCode);
        }
        if let Some(block) = blocks.iter().find(|block| !block.closed) {
            return Err(Problem::NotClosed(block.line));
        }
        let read: Vec<_> = blocks.iter().map(|block| Code::read(&block.code)).collect();
        for function in LIBRARY_FUNCTIONS {
            if !read.iter().any(|code| code.defines_function(function)) {
                return Err(Problem::NoLibraryFunction(function));
            }
        }
        if !read.iter().any(|code| code.defines_function("main")) {
            return Err(Problem::NoMain);
        }
        let library = library.map_or_else(|| library_name(&read), Ok)?;
        if !is_file_name(&library) {
            return Err(Problem::LibraryName(library));
        }

        let mut of_library = Vec::new();
        let mut of_program = Vec::new();
        for (block, code) in blocks.iter().zip(&read) {
            let library_only = LIBRARY_FUNCTIONS.iter().any(|function| code.defines_function(function));
            let program_only = code.defines_function("main");
            if library_only || !program_only {
                of_library.push(block);
            }
            if program_only || !library_only {
                of_program.push(block);
            }
        }
        let files = [
            ("CMakeLists.txt", cmake_lists(&library)),
            ("library.cpp", source(name, &of_library)),
            ("program.cpp", source(name, &of_program)),
        ];
        let lines = |blocks: &[&CodeBlock]| blocks.iter().map(|block| block.line).collect();
        Ok(Self {
            library,
            library_lines: lines(&of_library),
            program_lines: lines(&of_program),
            left_out: others.into_iter().map(|block| (block.line, block.language)).collect(),
            files,
        })
    }
}

fn library_name(read: &[Code]) -> Result<String, Problem> {
    let mut names: Vec<_> = read.iter().flat_map(|code| code.first_arguments(START_FUNCTION)).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() > 1 {
        return Err(Problem::SeveralLibraries(names.join(", ")));
    }
    if names.is_empty() {
        names = read
            .iter()
            .flat_map(Code::strings)
            .filter(|text| text.starts_with("lib") && text.ends_with(".so"))
            .collect();
        names.sort_unstable();
        names.dedup();
    }
    match names[..] {
        [name] => Ok(name.to_owned()),
        _ => Err(Problem::NoLibraryName),
    }
}

fn is_file_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '.'))
}

/// The blocks one after another, untouched; the compiler is told where in the guide each of them stands.
fn source(name: &Path, blocks: &[&CodeBlock]) -> String {
    let name: String = name
        .to_string_lossy()
        .chars()
        .map(|c| match c {
            '\\' => "\\\\".to_owned(),
            '"' => "\\\"".to_owned(),
            _ if c.is_control() => "?".to_owned(),
            _ => c.to_string(),
        })
        .collect();
    // The empty line keeps a block that ends in a backslash or without a line end to itself.
    blocks.iter().map(|block| format!("#line {} \"{name}\"\n{}\n\n", block.line, block.code)).collect()
}

fn cmake_lists(library: &str) -> String {
    let (stem, suffix) = library.rsplit_once('.').map_or((library, ""), |(stem, _)| (stem, &library[stem.len()..]));
    format!(
        r#"# Made from a guide's code blocks by ipckit-guide.
cmake_minimum_required(VERSION 3.22)
project(guide LANGUAGES CXX)

set(CMAKE_CXX_STANDARD 17)
add_library(child_library SHARED library.cpp)
set_target_properties(child_library PROPERTIES PREFIX "" OUTPUT_NAME "{stem}" SUFFIX "{suffix}")
add_executable(program program.cpp)
foreach(target child_library program)
  target_link_libraries(${{target}} PUBLIC libipc_capi.so libchild_process.so libhilog_ndk.z.so)
endforeach()
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARED: &str = "#include <x.h>\nint shared;\n";
    const LIBRARY: &str =
        "extern \"C\" {\nX *NativeChildProcess_OnConnect() { return 0; }\nvoid NativeChildProcess_MainProc() {}\n}\n";
    const PROGRAM: &str = "int main() { return OH_Ability_CreateNativeChildProcess(\"libdemo.so\", f); }\n";

    fn guide(blocks: &[&str]) -> String {
        blocks.iter().map(|code| format!("text\n```c++\n{code}```\n")).collect()
    }

    fn project(markdown: &str) -> Result<Project, Problem> {
        Project::new(markdown, Path::new("guide.md"), None)
    }

    fn problem(markdown: &str) -> Problem {
        project(markdown).expect_err("this guide makes no project")
    }

    #[test]
    fn puts_each_block_where_it_belongs_untouched() {
        let text = format!("```txt\nlibx.so\n```\n{}", guide(&[SHARED, LIBRARY, PROGRAM]));
        let project = project(&text).expect("a whole guide");
        assert_eq!(project.library, "libdemo.so");
        assert_eq!((&project.library_lines[..], &project.program_lines[..]), (&[6, 11][..], &[6, 18][..]));
        assert_eq!(project.left_out, [(2, "txt".to_owned())]);
        let [(_, cmake), (_, library), (_, program)] = &project.files;
        assert!(cmake.contains("OUTPUT_NAME \"libdemo\" SUFFIX \".so\""), "{cmake}");
        assert_eq!(*library, format!("#line 6 \"guide.md\"\n{SHARED}\n\n#line 11 \"guide.md\"\n{LIBRARY}\n\n"));
        assert_eq!(*program, format!("#line 6 \"guide.md\"\n{SHARED}\n\n#line 18 \"guide.md\"\n{PROGRAM}\n\n"));
    }

    #[test]
    fn a_block_that_does_both_goes_into_both() {
        let project = project(&guide(&[&format!("{LIBRARY}{PROGRAM}")])).expect("a guide of one block");
        assert_eq!(project.library_lines, project.program_lines);
    }

    #[test]
    fn finds_a_library_name_that_is_not_in_the_call() {
        let program =
            "const char *NAME = \"libnamed.so\"; int main() { OH_Ability_CreateNativeChildProcess(NAME, f); }\n";
        assert_eq!(project(&guide(&[LIBRARY, program])).expect("one name").library, "libnamed.so");
        let two = format!("const char *OTHER = \"libother.so\";{program}");
        assert_eq!(problem(&guide(&[LIBRARY, &two])), Problem::NoLibraryName);
        let chosen = Project::new(&guide(&[LIBRARY, &two]), Path::new("g.md"), Some("libother.so".to_owned()));
        assert_eq!(chosen.expect("a name was given").library, "libother.so");
    }

    #[test]
    fn says_what_is_missing() {
        assert_eq!(problem(""), Problem::NoCode);
        assert_eq!(problem("```txt\nint main() {}\n```\n    int main() {}\n"), Problem::NoCode);
        assert_eq!(problem(&guide(&[SHARED, PROGRAM])), Problem::NoLibraryFunction("NativeChildProcess_OnConnect"));
        assert_eq!(problem(&guide(&[LIBRARY])), Problem::NoMain);
        assert_eq!(problem(&guide(&[LIBRARY, "int main() {}\n"])), Problem::NoLibraryName);
        let several = "int main() { OH_Ability_CreateNativeChildProcess(\"libb.so\", f); OH_Ability_CreateNativeChildProcess(\"liba.so\", f); }\n";
        assert_eq!(problem(&guide(&[LIBRARY, several])), Problem::SeveralLibraries("liba.so, libb.so".to_owned()));
        assert_eq!(problem("text\n\n```cpp\nint a;\n"), Problem::NotClosed(4));
    }

    #[test]
    fn refuses_a_library_name_that_leads_elsewhere() {
        for name in ["../libx.so", "/libx.so", "", ".so", "lib x.so", "lib\"x.so", "lib${x}.so"] {
            let made = Project::new(&guide(&[LIBRARY, PROGRAM]), Path::new("g.md"), Some(name.to_owned()));
            assert_eq!(made.expect_err("not a file name"), Problem::LibraryName(name.to_owned()));
        }
    }

    #[test]
    fn the_guides_name_cannot_break_out_of_its_string() {
        let made = Project::new(&guide(&[LIBRARY, PROGRAM]), Path::new("a\"b\\c\nd.md"), None).expect("a whole guide");
        let library = &made.files[1].1;
        assert!(library.starts_with("#line 3 \"a\\\"b\\\\c?d.md\"\n"), "{library}");
    }
}
