// SPDX-License-Identifier: Apache-2.0
//! The code blocks of a Markdown text.

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

/// A fenced code block.
#[derive(Debug, PartialEq, Eq)]
pub struct CodeBlock {
    /// The line of the Markdown text, from 1, on which the code begins.
    pub line: usize,
    /// The first word after the fence, in lower case; empty where there is none.
    pub language: String,
    /// The code, byte for byte, less the indentation or quotation marks that belong to what it stands in.
    pub code: String,
    /// Whether a fence ends the block, not merely the end of what it stands in.
    pub closed: bool,
}

impl CodeBlock {
    /// Whether the block says that it is C++ or C.
    pub fn is_cpp(&self) -> bool {
        matches!(self.language.as_str(), "c++" | "cpp" | "cxx" | "cc" | "c")
    }
}

/// All fenced code blocks, in order.
pub fn code_blocks(markdown: &str) -> Vec<CodeBlock> {
    let mut blocks = Vec::new();
    let mut open: Option<CodeBlock> = None;
    for (event, range) in Parser::new(markdown).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                open = Some(CodeBlock {
                    line: markdown[..range.start].matches('\n').count() + 2,
                    language: info.split([' ', '\t', ',', '{']).next().unwrap_or_default().to_lowercase(),
                    code: String::new(),
                    closed: ends_with_fence(&markdown[range]),
                });
            }
            Event::Text(text) => {
                if let Some(block) = &mut open {
                    // The parser leaves the carriage return of a line end out of its texts.
                    if text.starts_with('\n') && markdown[..range.start].ends_with('\r') {
                        block.code.push('\r');
                    }
                    block.code.push_str(&text);
                }
            }
            Event::End(TagEnd::CodeBlock) => blocks.extend(open.take()),
            _ => {}
        }
    }
    blocks
}

/// Whether the last line of a block, which begins with its opening fence, is a fence that closes it.
fn ends_with_fence(block: &str) -> bool {
    let mut lines = block.lines();
    let opening = lines.next().unwrap_or_default();
    let mark = opening.chars().next().unwrap_or('`');
    let length = |line: &str| line.chars().take_while(|c| *c == mark).count();
    lines.next_back().is_some_and(|line| {
        let closing = line.trim_start_matches([' ', '\t', '>']).trim_end();
        length(closing) >= length(opening) && closing.chars().all(|c| c == mark)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only_block(markdown: &str) -> CodeBlock {
        let mut blocks = code_blocks(markdown);
        assert_eq!(blocks.len(), 1, "{markdown:?}");
        blocks.remove(0)
    }

    #[test]
    fn takes_the_blocks_in_order_with_language_and_line() {
        let blocks =
            code_blocks("# A\n\n```c++\nint a;\n```\ntext `inline`\n~~~C++ title=x\nint b;\n~~~\n```\nplain\n```\n");
        let seen: Vec<_> =
            blocks.iter().map(|block| (block.line, block.language.as_str(), block.code.as_str())).collect();
        assert_eq!(seen, [(4, "c++", "int a;\n"), (8, "c++", "int b;\n"), (11, "", "plain\n")]);
    }

    #[test]
    fn tells_cpp_from_other_languages() {
        for (language, cpp) in
            [("c++", true), ("C++", true), ("cpp", true), ("C", true), ("txt", false), ("", false), ("cmake", false)]
        {
            assert_eq!(only_block(&format!("```{language}\nx\n```\n")).is_cpp(), cpp, "{language:?}");
        }
    }

    #[test]
    fn keeps_every_byte_of_the_code() {
        for code in [
            "",
            "\n",
            "int a;\n",
            "\tint a;  \n\n\n  // é \u{0}? &amp; \\x <b>\n",
            "char *s = \"``\"; // ``` not a fence\n",
            "int a;\r\n\r\n\r\n  int b;\r\n",
            "int a;\r\nint b;\n",
            "#define A \\\n  1\n",
        ] {
            assert_eq!(only_block(&format!("text\n\n````c++\n{code}````\n")).code, code);
        }
    }

    #[test]
    fn takes_off_only_what_belongs_to_a_list_or_quotation() {
        assert_eq!(only_block("1. step\n\n   ```cpp\n   int a;\n\n     int b;\n   ```\n").code, "int a;\n\n  int b;\n");
        assert_eq!(only_block("- a\n  - b\n    ```cpp\r\n    int a;\r\n    ```\r\n").code, "int a;\r\n");
        assert_eq!(only_block("> ```c\n> int a;\n>\n>   int b;\n> ```\n").code, "int a;\n\n  int b;\n");
        assert_eq!(only_block("- ```c\n\tint a;\n  ```\n").code, "  int a;\n");
    }

    #[test]
    fn tells_whether_a_block_is_closed() {
        for (markdown, closed) in [
            ("```c\nint a;\n```\n", true),
            ("```c\n```", true),
            ("> ```c\n> int a;\n> ```\n", true),
            ("- ~~~c\n  int a;\n  ~~~~\n", true),
            ("```c\nint a;\n", false),
            ("```c", false),
            ("````c\nint a;\n```\n", false),
            ("```c\nint a;\n~~~\n", false),
            ("```c\nint a;\n``` no\n", false),
            ("> ```c\n> int a;\n\ntext\n", false),
        ] {
            assert_eq!(only_block(markdown).closed, closed, "{markdown:?}");
        }
    }

    #[test]
    fn survives_every_beginning_of_a_text() {
        let text = "- a\r\n\r\n  ```c++\r\n\tint é;\r\n  ```\r\n\n> ~~~cpp {x}\n> y\n\n```\n\u{feff}<!-- ```c\n-->\n[a]: ```\n";
        for (end, _) in text.char_indices() {
            code_blocks(&text[..end]);
        }
    }
}
