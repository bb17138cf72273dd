// SPDX-License-Identifier: Apache-2.0
//! The guide extractor: any text, and guides whose blocks are known.
#![no_main]

#[path = "../../tools/guide/src/cpp.rs"]
mod cpp;
#[path = "../../tools/guide/src/markdown.rs"]
mod markdown;
#[path = "../../tools/guide/src/project.rs"]
mod project;

use std::path::Path;

use ipckit_fuzz::input::Input;
use libfuzzer_sys::fuzz_target;

use cpp::Code;
use markdown::code_blocks;
use project::Project;

const FUNCTIONS: [&str; 3] = ["main", "NativeChildProcess_OnConnect", "NativeChildProcess_MainProc"];

/// Whatever the text is: each line of code stands in it where the block says, and a project has all of the code.
fn anything(text: &str) {
    // A lone carriage return ends a line of Markdown, and none of C++.
    let lines: Vec<&str> = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
    let is_plain = !lines.iter().any(|line| line.contains('\r')) && !text.ends_with('\r');
    for block in code_blocks(text) {
        assert!(!block.language.contains([' ', '\t', ',', '{']) && block.language == block.language.to_lowercase());
        if is_plain {
            for (number, code) in (block.line - 1..).zip(block.code.lines()) {
                let line = lines.get(number).unwrap_or_else(|| panic!("there is no line {}", number + 1));
                assert!(line.ends_with(code.trim_start()), "line {}: {line:?} is not {code:?}", number + 1);
            }
        }
        read(&block.code);
    }
    read(text);
    project(text);
}

fn read(source: &str) {
    let code = Code::read(source);
    for function in FUNCTIONS {
        assert!(!code.defines_function(function) || source.contains(function));
    }
    let strings: Vec<_> = code.strings().collect();
    assert!(strings.iter().all(|text| source.contains(text)));
    assert!(code.first_arguments("OH_").iter().all(|text| strings.contains(text)));
}

fn project(text: &str) {
    let Ok(project) = Project::new(text, Path::new("a\"\n\\guide.md"), None) else { return };
    let Project { library, library_lines, program_lines, files: [(_, cmake), (_, child), (_, program)], .. } = &project;
    assert!(library.chars().all(|c| c.is_ascii_alphanumeric() || "_-+.".contains(c)), "{library}");
    assert!(cmake.contains(library.rsplit_once('.').map_or(&library[..], |(stem, _)| stem)));
    let blocks: Vec<_> = code_blocks(text).into_iter().filter(|block| block.is_cpp()).collect();
    for (lines, file) in [(library_lines, child), (program_lines, program)] {
        let mut rest = &file[..];
        for line in lines {
            let block = blocks.iter().find(|block| block.line == *line).expect("a block of the guide");
            let expected = format!("#line {line} \"a\\\"?\\\\guide.md\"\n{}\n\n", block.code);
            rest = rest.strip_prefix(&expected).expect("the block, untouched, behind the one before");
        }
        assert_eq!(rest, "");
    }
    assert!(blocks.iter().all(|block| library_lines.contains(&block.line) || program_lines.contains(&block.line)));
    assert!(blocks.iter().all(|block| block.closed));
    let without = project.left_out.len() + blocks.len();
    assert_eq!(without, code_blocks(text).len());
}

/// What a guide is made of, and what is in its blocks.
const PIECES: [&str; 16] = [
    "int main() { return 0; }\n",
    "OH_Ability_CreateNativeChildProcess(\"libx.so\", f);\n",
    "void NativeChildProcess_MainProc() {}\n",
    "X *NativeChildProcess_OnConnect() { return 0; }\n",
    "int main();\n",
    "// int main() {}\n",
    "#define A \\\n",
    "R\"(",
    ")\"\n",
    "/*\n",
    "*/\n",
    "\"libx.so\"\n",
    "\t``\n",
    "~~~ ~\n",
    "\r\n",
    "\n",
];

/// Blocks that are put into a guide are found in it, byte for byte.
fn known(input: &mut Input<'_>) {
    let mut text = String::new();
    let mut expected = Vec::new();
    for _ in 0..input.below(5) {
        text.push_str(input.one_of(&["", "Text\n\n", "# `a`\n\n", "> quoted\n\n", "- item\n\n***\n\n", "\n\n"]));
        let mut code: String = (0..input.below(9)).map(|_| input.one_of(&PIECES)).collect();
        let own = String::from_utf8_lossy(input.bytes(12)).replace('\r', "");
        code.push_str(&own);
        if !code.is_empty() && !code.ends_with('\n') {
            code.push('\n');
        }
        let mark = input.one_of(&['`', '~']);
        let fence: String = std::iter::repeat_n(mark, 5 + input.below(4)).collect();
        if code.contains(&fence[..5]) {
            return;
        }
        let language = input.one_of(&["c++", "cpp", "c", "C++", "", "txt", "cpp title=x"]);
        text.push_str(&format!("{fence}{language}\n"));
        let line = text.matches('\n').count() + 1;
        text.push_str(&format!("{code}{fence}\n\n"));
        expected.push((line, code));
    }
    let found: Vec<_> = code_blocks(&text).into_iter().map(|block| (block.line, block.code)).collect();
    assert_eq!(found, expected, "{text:?}");
    assert!(code_blocks(&text).iter().all(|block| block.closed));
    project(&text);
}

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input::new(bytes);
    match input.byte() {
        b'K' => known(&mut input),
        _ => {
            if let Ok(text) = std::str::from_utf8(bytes) {
                anything(text);
            }
        }
    }
});
