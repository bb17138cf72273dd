// SPDX-License-Identifier: Apache-2.0
//! As much of C++ as it takes to tell what a piece of code defines and which string a call is given.

/// A token; spaces, comments, preprocessor lines and character literals are none.
#[derive(Debug, PartialEq, Eq)]
enum Token<'a> {
    /// An identifier, a keyword or a number.
    Word(&'a str),
    /// What stands between the quotes of a string literal.
    Text(&'a str),
    /// Any other character.
    Sign(char),
}

/// What was learnt of a piece of code.
pub struct Code<'a> {
    tokens: Vec<Token<'a>>,
}

impl<'a> Code<'a> {
    /// Reads `source`, which may be any text.
    pub fn read(source: &'a str) -> Self {
        let mut tokens = Vec::new();
        let mut rest = source;
        let mut line_start = true;
        while let Some(first) = rest.chars().next() {
            let (token, length) = match first {
                '\n' => (None, 1),
                '#' if line_start => (None, preprocessor_length(rest)),
                _ if rest.starts_with("//") => (None, rest.find('\n').unwrap_or(rest.len())),
                _ if rest.starts_with("/*") => (None, rest[2..].find("*/").map_or(rest.len(), |end| end + 4)),
                _ if rest.starts_with("R\"") => raw_string(rest),
                '"' => {
                    let length = quoted_length(rest, '"');
                    (Some(Token::Text(rest[1..length].strip_suffix('"').unwrap_or(&rest[1..length]))), length)
                }
                '\'' => (None, quoted_length(rest, '\'')),
                _ if is_word(first) => {
                    let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                    (Some(Token::Word(&rest[..length])), length)
                }
                _ if first.is_whitespace() => (None, first.len_utf8()),
                _ => (Some(Token::Sign(first)), first.len_utf8()),
            };
            line_start = first == '\n' || (line_start && first.is_whitespace());
            tokens.extend(token);
            rest = &rest[length..];
        }
        Self { tokens }
    }

    /// Whether a function of this name is defined: the name, parameters and a body, not a call, a declaration or a member.
    pub fn defines_function(&self, name: &str) -> bool {
        self.words(name).any(|at| {
            let member = matches!(
                at.checked_sub(1).and_then(|before| self.tokens.get(before)),
                Some(Token::Sign(':' | '.' | '>'))
            );
            !member && self.end_of_parameters(at + 1).is_some_and(|end| self.body_follows(end))
        })
    }

    /// The string literals that are the first argument of a call of a function whose name begins with `prefix`.
    pub fn first_arguments(&self, prefix: &str) -> Vec<&'a str> {
        self.tokens
            .windows(3)
            .filter_map(|window| match window {
                [Token::Word(name), Token::Sign('('), Token::Text(text)] if name.starts_with(prefix) => Some(*text),
                _ => None,
            })
            .collect()
    }

    /// Every string literal.
    pub fn strings(&self) -> impl Iterator<Item = &'a str> {
        self.tokens.iter().filter_map(|token| if let Token::Text(text) = token { Some(*text) } else { None })
    }

    fn words(&self, name: &str) -> impl Iterator<Item = usize> {
        self.tokens.iter().enumerate().filter(move |(_, token)| **token == Token::Word(name)).map(|(at, _)| at)
    }

    /// The index behind the parenthesis that closes the one at `open`.
    fn end_of_parameters(&self, open: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for (at, token) in self.tokens.iter().enumerate().skip(open) {
            match token {
                Token::Sign('(') => depth += 1,
                Token::Sign(')') => depth = depth.checked_sub(1)?,
                _ => {}
            }
            if depth == 0 {
                return (at > open).then_some(at + 1);
            }
        }
        None
    }

    /// Whether a body begins at `at`, after no more than words (noexcept) and a trailing result type.
    fn body_follows(&self, at: usize) -> bool {
        let signature = |token: &&Token| matches!(token, Token::Word(_) | Token::Sign('-' | '>' | '*' | '&' | ':'));
        self.tokens.iter().skip(at).find(|token| !signature(token)) == Some(&Token::Sign('{'))
    }
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// The length of a preprocessor line, with the lines it goes on on.
fn preprocessor_length(source: &str) -> usize {
    let mut length = 0;
    for line in source.split_inclusive('\n') {
        length += line.len();
        if !line.trim_end_matches(['\r', '\n']).ends_with('\\') {
            // The line end itself is left for the caller to see.
            return length - usize::from(line.ends_with('\n'));
        }
    }
    length
}

/// The length of a literal between two of `quote`; one that is not closed ends with its line.
fn quoted_length(source: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in source.char_indices().skip(1) {
        match c {
            '\n' if !escaped => return at,
            _ if c == quote && !escaped => return at + 1,
            _ => escaped = c == '\\' && !escaped,
        }
    }
    source.len()
}

fn raw_string(source: &str) -> (Option<Token<'_>>, usize) {
    let after_quote = &source[2..];
    let Some((delimiter, text)) = after_quote.split_once('(') else { return (None, source.len()) };
    let end = format!("){delimiter}\"");
    let length = text.find(&end).unwrap_or(text.len());
    let whole = (2 + delimiter.len() + 1 + length + end.len()).min(source.len());
    (Some(Token::Text(&text[..length])), whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_definitions_but_not_what_looks_like_them() {
        for (source, defined) in [
            ("int main() { return 0; }", true),
            ("int main(int argc, char *argv[])\n{\n", true),
            ("auto main(int, char**) -> int {}", true),
            ("int main(void) noexcept\n{", true),
            ("int main(int (*f)(int)) {}", true),
            ("int main();", false),
            ("return main(1);", false),
            ("// int main() {}\n", false),
            ("/* int main() {} */", false),
            ("\"int main() {}\"", false),
            ("R\"x(int main() {})x\"", false),
            ("#define M int main() {}\n", false),
            ("#define M \\\n int main() {}\n", false),
            ("  #  define M int main() {}\n", false),
            ("void Server::main() {}", false),
            ("int domain() {}", false),
            ("int main", false),
            ("int main(", false),
            ("main)", false),
            ("char c = '\"'; int main() {}", true),
            ("const char *s = \"a\\\"b\"; int main() {}", true),
            ("const char *s = \"not closed\nint main() {}", true),
            ("int million = 1'000'000;\nint main() {}", true),
        ] {
            assert_eq!(Code::read(source).defines_function("main"), defined, "{source:?}");
        }
    }

    #[test]
    fn finds_the_first_argument_of_a_call() {
        let code = Code::read(
            "x = Create(\"liba.so\", f); // Create(\"libb.so\")\nCreateWith( \"libc.so\" );Other(\"d\"); Create(e);",
        );
        assert_eq!(code.first_arguments("Create"), ["liba.so", "libc.so"]);
        assert_eq!(code.strings().collect::<Vec<_>>(), ["liba.so", "libc.so", "d"]);
    }

    #[test]
    fn survives_every_beginning_of_a_source() {
        let text = "#if 1 \\\r\n'\\''é\"\\\"\" R\"(x)\" R\"é(y)é\" R\"z /* * / */ // \n int main ( ( ) { ) } u8\"ü\\";
        for (end, _) in text.char_indices() {
            Code::read(&text[..end]).defines_function("main");
        }
    }
}
