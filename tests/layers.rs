// SPDX-License-Identifier: Apache-2.0
//! The layer rule, held against the sources of the library.
//!
//! The sources are read as tokens, so comments and texts play no part, and what a macro's body says counts.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The layers, from the top down; each is a directory of `src/`.
const LAYERS: [&str; 7] = ["capi", "runtime", "object", "parcel", "transport", "shm", "sys"];

/// What only the host has; beside the layers, and used by some of them.
const HOST: &str = "host";
const MAY_USE_HOST: [&str; 4] = ["capi", "runtime", "object", "transport"];
const HOST_MAY_USE: [&str; 1] = ["sys"];

/// Where `OH_…` names, system calls and unsafe code belong.
const MAY_NAME_THE_C_API: [&str; 1] = ["capi"];
const MAY_USE_LIBC: [&str; 2] = ["capi", "sys"];
const MAY_BE_UNSAFE: [&str; 3] = ["capi", "shm", "sys"];

/// Files elsewhere that cannot do without unsafe code, each with the reason.
const UNSAFE_ELSEWHERE: &[(&str, &str)] = &[];

const RULE: &str = "\
The layer rule of this library:
  - capi → runtime → object → parcel → transport → shm → sys: a module uses its own layer and those below it, none above.
    Where a lower layer needs something of a higher one, let the higher one hand it in: as a value, a trait or a closure.
  - host, what only the host has, uses sys only, and is used by capi, runtime, object and transport.
  - Only capi names the C API (OH_…, OHIPC…): below it there are the project's own types and errors, which capi translates.
  - Only sys makes system calls; libc is named there, and in capi for the types of C. Add a thin safe function to sys.
  - Only capi, shm and sys hold unsafe code. Move what is unsafe there behind a safe function; where that truly cannot be,
    add the file and the reason to UNSAFE_ELSEWHERE in tests/layers.rs.";

/// One place that breaks the rule.
#[derive(Debug, PartialEq, Eq)]
struct Violation {
    file: String,
    line: usize,
    what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// What a file says that the rule is about, with the line it says it in.
#[derive(Debug, Default)]
struct Findings {
    /// Names right below the crate's root that are referred to; `None` for the root itself, which could hide any name.
    from_root: Vec<(Option<String>, usize)>,
    identifiers: Vec<(String, usize)>,
}

/// Reads one source file, which makes the module `module` (the names from the crate's root down).
fn findings(source: &str, module: &[String]) -> Findings {
    let tokens: TokenStream = source.parse().expect("a Rust source");
    let mut findings = Findings::default();
    scan(tokens, &mut module.to_vec(), &mut findings);
    findings
}

fn scan(tokens: TokenStream, module: &mut Vec<String>, findings: &mut Findings) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut index = 0;
    while index < tokens.len() {
        match &tokens[index] {
            TokenTree::Ident(ident) => {
                let (name, line) = (ident.to_string(), ident.span().start().line);
                match name.as_str() {
                    "crate" | "self" | "super" if !continues_a_path(&tokens, index) => {
                        follow_from(&tokens[index..], module, findings);
                    }
                    "mod" => {
                        if let (Some(TokenTree::Ident(inner)), Some(TokenTree::Group(body))) =
                            (tokens.get(index + 1), tokens.get(index + 2))
                        {
                            module.push(inner.to_string());
                            scan(body.stream(), module, findings);
                            module.pop();
                            index += 2;
                        }
                    }
                    _ => {}
                }
                findings.identifiers.push((name, line));
            }
            TokenTree::Group(group) => scan(group.stream(), module, findings),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
        index += 1;
    }
}

/// Whether a name stands behind `::`, so that the path it is in began before it.
fn continues_a_path(tokens: &[TokenTree], index: usize) -> bool {
    index >= 2 && is_path_separator(&tokens[index - 2..])
}

fn is_path_separator(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [TokenTree::Punct(first), TokenTree::Punct(second), ..] if first.as_char() == ':' && second.as_char() == ':')
}

/// Follows a path that begins with `crate`, `self` or `super`.
fn follow_from(tokens: &[TokenTree], module: &[String], findings: &mut Findings) {
    let base = match tokens[0].to_string().as_str() {
        "crate" => &[][..],
        "super" => &module[..module.len().saturating_sub(1)],
        _ => module,
    };
    let line = tokens[0].span().start().line;
    if is_path_separator(&tokens[1..]) {
        follow(&tokens[3..], base.to_vec(), findings);
    } else if base.is_empty() && renames(&tokens[1..]) {
        findings.from_root.push((None, line));
    }
}

/// Whether `as` follows, or, after `extern crate`, `self`: both make another name for what came before.
fn renames(rest: &[TokenTree]) -> bool {
    matches!(rest.first(), Some(TokenTree::Ident(next)) if *next == "as" || *next == "self")
}

/// Follows a path or a tree of a `use` behind the `::` after `base`.
fn follow(rest: &[TokenTree], mut base: Vec<String>, findings: &mut Findings) {
    match rest.first() {
        Some(TokenTree::Group(tree)) if tree.delimiter() == Delimiter::Brace => {
            let tree: Vec<TokenTree> = tree.stream().into_iter().collect();
            for branch in tree.split(|token| matches!(token, TokenTree::Punct(comma) if comma.as_char() == ',')) {
                follow(branch, base.clone(), findings);
            }
        }
        Some(TokenTree::Ident(name)) if *name == "super" => {
            let line = name.span().start().line;
            base.pop();
            if is_path_separator(&rest[1..]) {
                follow(&rest[3..], base, findings);
            } else if base.is_empty() {
                findings.from_root.push((None, line));
            }
        }
        Some(TokenTree::Ident(name)) if base.is_empty() => {
            let line = name.span().start().line;
            findings.from_root.push(((*name != "self").then(|| name.to_string()), line));
        }
        Some(TokenTree::Punct(star)) if base.is_empty() && star.as_char() == '*' => {
            findings.from_root.push((None, star.span().start().line));
        }
        _ => {}
    }
}

/// Whether a module of `from` may use one of `to`.
fn may_use(from: &str, to: &str) -> bool {
    if from == to {
        return true;
    }
    if from == HOST {
        return HOST_MAY_USE.contains(&to);
    }
    if to == HOST {
        return MAY_USE_HOST.contains(&from);
    }
    let depth = |layer: &str| LAYERS.iter().position(|known| *known == layer);
    matches!((depth(from), depth(to)), (Some(from), Some(to)) if from < to)
}

/// Checks one file. `file` is its path below `src/`, with slashes.
fn check(file: &str, source: &str, unsafe_elsewhere: &[(&str, &str)]) -> Vec<Violation> {
    let module = module_of(file);
    let layer = module.first().map_or("the crate's root", String::as_str);
    let mut violations = Vec::new();
    let mut violation = |line, what| violations.push(Violation { file: format!("src/{file}"), line, what });
    if module.first().is_some_and(|name| name != HOST && !LAYERS.contains(&name.as_str())) {
        violation(1, format!("{layer} is none of the layers"));
        return violations;
    }
    let findings = findings(source, &module);
    // The root only declares the layers.
    for (target, line) in findings.from_root.iter().filter(|_| !module.is_empty()) {
        match target {
            None => violation(*line, format!("{layer} makes the crate's root usable under another name")),
            Some(target) if !may_use(layer, target) => violation(*line, format!("{layer} uses {target}")),
            Some(_) => {}
        }
    }
    for (identifier, line) in &findings.identifiers {
        let name = identifier.trim_start_matches("r#");
        if (name.starts_with("OH_") || name.starts_with("OHIPC")) && !MAY_NAME_THE_C_API.contains(&layer) {
            violation(*line, format!("{layer} names {name} of the C API"));
        }
        if name == "libc" && !MAY_USE_LIBC.contains(&layer) {
            violation(*line, format!("{layer} names libc"));
        }
        if name == "unsafe"
            && !MAY_BE_UNSAFE.contains(&layer)
            && !unsafe_elsewhere.iter().any(|(allowed, _)| *allowed == file)
        {
            violation(*line, format!("{layer} holds unsafe code"));
        }
    }
    violations
}

/// The module that a file below `src/` makes: none for `lib.rs`, `[transport, room]` for `transport/room.rs`.
fn module_of(file: &str) -> Vec<String> {
    let path = file.strip_suffix(".rs").expect("a Rust source");
    let mut module: Vec<String> = path.split('/').map(str::to_owned).collect();
    if module.last().is_some_and(|last| last == "mod") || module == ["lib"] {
        module.pop();
    }
    module
}

fn sources() -> Vec<(String, String)> {
    fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).expect("a directory of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                collect(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let below = path.strip_prefix(&root).expect("a path below src").to_str().expect("a name in UTF-8");
            (below.to_owned(), fs::read_to_string(&path).expect("a readable source"))
        })
        .collect()
}

#[test]
fn the_sources_keep_the_layer_rule() {
    let violations: Vec<String> = sources()
        .iter()
        .flat_map(|(file, source)| check(file, source, UNSAFE_ELSEWHERE))
        .map(|violation| violation.to_string())
        .collect();
    assert!(violations.is_empty(), "\n{}\n\n{RULE}\n", violations.join("\n"));
}

/// Otherwise a layer that moves away would be a layer that breaks no rule.
#[test]
fn every_layer_has_sources() {
    let sources = sources();
    for layer in LAYERS.iter().chain([&HOST]) {
        let found = sources.iter().any(|(file, _)| module_of(file).first().is_some_and(|first| first == layer));
        assert!(found, "src/ has no {layer}: if it was renamed, LAYERS in tests/layers.rs has to know");
    }
}

#[test]
fn every_exception_is_needed() {
    let sources = sources();
    for (file, reason) in UNSAFE_ELSEWHERE {
        assert!(!reason.is_empty(), "{file} is an exception without a reason");
        let (_, source) = sources.iter().find(|(known, _)| known == file).expect("an exception is a file that exists");
        assert!(!check(file, source, &[]).is_empty(), "{file} is no exception any more: take it off UNSAFE_ELSEWHERE");
    }
}

/// The scanner itself: what it has to find, and what it has to leave alone.
mod scanner {
    use super::*;

    fn complaints(file: &str, source: &str) -> Vec<String> {
        check(file, source, &[]).into_iter().map(|violation| violation.to_string()).collect()
    }

    #[track_caller]
    fn assert_complaint(file: &str, source: &str, expected: &str) {
        assert_eq!(complaints(file, source), [expected], "in: {source}");
    }

    #[track_caller]
    fn assert_fine(file: &str, source: &str) {
        assert_eq!(complaints(file, source), [""; 0], "in: {source}");
    }

    #[test]
    fn a_layer_may_use_what_lies_below_it() {
        for (above, from) in LAYERS.iter().enumerate() {
            for (below, to) in LAYERS.iter().enumerate() {
                let found = complaints(&format!("{from}/mod.rs"), &format!("use crate::{to}::Thing;"));
                assert_eq!(found.is_empty(), above <= below, "{from} uses {to}: {found:?}");
            }
        }
    }

    #[test]
    fn host_stands_beside_the_layers() {
        for layer in LAYERS {
            let uses_host = complaints(&format!("{layer}/mod.rs"), "use crate::host::Name;").is_empty();
            assert_eq!(uses_host, ["capi", "runtime", "object", "transport"].contains(&layer), "{layer} uses host");
            let used_by_host = complaints("host/names.rs", &format!("use crate::{layer}::Thing;")).is_empty();
            assert_eq!(used_by_host, layer == "sys", "host uses {layer}");
        }
    }

    #[test]
    fn upward_uses_are_found_in_every_form() {
        let expected = "src/shm/ring.rs:1: shm uses transport";
        for source in [
            "use crate::transport::Channel;",
            "use crate::transport;",
            "pub(crate) use crate::transport::*;",
            "use crate::{sys::futex, transport::Channel};",
            "use crate::{sys, transport::{Channel, room::Room}};",
            "use super::super::transport::Channel;",
            "use super::{super::transport::Channel, layout};",
            "use self::super::super::transport::Channel;",
            "fn f(channel: &crate::transport::Channel) {}",
            "fn f() { let room = [crate::transport::room(); 2]; }",
            "macro_rules! channel { () => { $crate::transport::Channel } }",
            "mod inner { use super::super::super::transport::Channel; }",
            "mod inner { mod more { fn f() { crate::transport::f() } } }",
            "#[cfg(test)] mod tests { use crate::transport::Channel; }",
            "#[derive(Debug)] struct S { #[cfg(test)] channel: Option<crate::transport::Channel> }",
        ] {
            assert_complaint("shm/ring.rs", source, expected);
        }
        assert_complaint("shm/mod.rs", "use super::transport::Channel;", "src/shm/mod.rs:1: shm uses transport");
        assert_complaint("shm.rs", "use super::transport::Channel;", "src/shm.rs:1: shm uses transport");
        assert_complaint("shm/ring.rs", "\n\nuse crate::object::Stub;", "src/shm/ring.rs:3: shm uses object");
    }

    #[test]
    fn every_upward_use_is_found() {
        let found = complaints("sys/futex.rs", "use crate::{capi, shm::Ring};\nfn f() { crate::host::g() }");
        assert_eq!(
            found,
            [
                "src/sys/futex.rs:1: sys uses capi",
                "src/sys/futex.rs:1: sys uses shm",
                "src/sys/futex.rs:2: sys uses host"
            ]
        );
    }

    #[test]
    fn the_root_may_not_hide_a_layer() {
        let expected = "src/sys/mod.rs:1: sys makes the crate's root usable under another name";
        for source in [
            "use crate::*;",
            "use crate as root;",
            "use crate::{self as root};",
            "use super as root;",
            "use super::*;",
            "extern crate self as root;",
            "mod inner { use super::super as root; }",
        ] {
            assert_complaint("sys/mod.rs", source, expected);
        }
        assert_complaint("sys/mod.rs", "use crate::elsewhere::f;", "src/sys/mod.rs:1: sys uses elsewhere");
    }

    #[test]
    fn uses_within_a_layer_are_fine() {
        for source in [
            "use super::layout::Layout;",
            "use super::*;",
            "use self::parts::Part; mod parts { use super::*; use super::super::layout; }",
            "pub(in crate::shm) struct S; pub(super) struct T; pub(crate) struct U;",
            "struct S; impl S { fn f(self) -> Self { self } }",
            "use std::{self, transport::Channel}; use other::transport::super_::S;",
            "use crate::{shm::{self, layout::*}, sys::{futex, memory}};",
        ] {
            assert_fine("shm/ring.rs", source);
        }
    }

    #[test]
    fn a_source_outside_the_layers_is_found() {
        assert_complaint("utilities/mod.rs", "", "src/utilities/mod.rs:1: utilities is none of the layers");
        assert_complaint("helper.rs", "", "src/helper.rs:1: helper is none of the layers");
        assert_fine("lib.rs", "pub mod capi; pub mod sys;");
    }

    #[test]
    fn the_c_api_is_named_by_the_c_face_alone() {
        let source = "fn f(code: OH_IPC_RequestMode) {}";
        assert_complaint(
            "object/stub.rs",
            source,
            "src/object/stub.rs:1: object names OH_IPC_RequestMode of the C API",
        );
        assert_complaint("lib.rs", "use OHIPCParcel;", "src/lib.rs:1: the crate's root names OHIPCParcel of the C API");
        assert_fine("capi/cparcel.rs", source);
    }

    #[test]
    fn libc_is_for_system_calls_and_the_types_of_c() {
        let source = "fn f() -> i32 { libc::getpid() }";
        assert_complaint("transport/channel.rs", source, "src/transport/channel.rs:1: transport names libc");
        assert_complaint("shm/mod.rs", "use libc as c;", "src/shm/mod.rs:1: shm names libc");
        assert_complaint("shm/mod.rs", "use r#libc::getpid;", "src/shm/mod.rs:1: shm names libc");
        assert_fine("sys/process.rs", source);
        assert_fine("capi/mod.rs", "use libc::c_int;");
    }

    #[test]
    fn unsafe_code_has_its_places() {
        let expected = "src/runtime/mod.rs:1: runtime holds unsafe code";
        for source in [
            "fn f() { unsafe { g() } }",
            "unsafe impl Send for S {}",
            "#[unsafe(no_mangle)] fn f() {}",
            "macro_rules! m { () => { unsafe { g() } } }",
        ] {
            assert_complaint("runtime/mod.rs", source, expected);
            assert_fine("shm/mod.rs", source);
        }
        let allowed = check("runtime/mod.rs", "unsafe fn f() {}", &[("runtime/mod.rs", "a reason")]);
        assert_eq!(allowed, []);
        let other = check("runtime/pool.rs", "unsafe fn f() {}", &[("runtime/mod.rs", "a reason")]);
        assert_eq!(other.len(), 1);
    }

    #[test]
    fn comments_and_texts_say_nothing() {
        for source in [
            "// use crate::capi::x; unsafe libc OH_IPC\nfn f() {}",
            "/* unsafe /* nested */ libc::getpid() crate::capi::x */ fn f() {}",
            "//! What [`crate::capi`] does with `OH_IPCParcel_Create`, which is unsafe.\n/// libc\nfn f() {}",
            r####"const S: &str = "use crate::capi; unsafe { libc::getpid() } OH_X";"####,
            r####"const S: &str = r#"unsafe "crate::capi::x" libc OH_X"#; const C: char = '"'; fn f<'a>(_: &'a u8) {}"####,
            r####"const S: &[u8] = b"unsafe libc OH_X"; const T: &str = "\" unsafe libc";"####,
        ] {
            assert_fine("parcel/mod.rs", source);
        }
        assert_complaint(
            "parcel/mod.rs",
            "/* unsafe */ const S: &str = \"unsafe\"; unsafe fn f() {} // unsafe",
            "src/parcel/mod.rs:1: parcel holds unsafe code",
        );
    }
}
