//! What of a source is not compiled for the target, whatever features a build has: items
//! and files under a condition such as `cfg(unix)` or `cfg(test)`.
//!
//! A look, not an expansion: what it does not understand counts as compiled.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::std_calls::Scope;
use crate::port::{Kind, Token, lex};

/// Modules inside of modules that are followed up to the crate's root.
const DEPTH: usize = 16;

/// Words with which items begin. In them a comma may stand where no bracket is; what
/// begins with something else ends at one.
const ITEMS: [&str; 17] = [
    "async",
    "const",
    "enum",
    "extern",
    "fn",
    "impl",
    "let",
    "macro_rules",
    "mod",
    "pub",
    "static",
    "struct",
    "trait",
    "type",
    "union",
    "unsafe",
    "use",
];

/// The tokens that are not compiled.
pub(super) fn ranges(tokens: &[Token], scope: Scope) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        if !tokens[at].is_punct('#') {
            continue;
        }
        let is_inner = is(tokens, at + 1, |token| token.is_punct('!'));
        let open = at + 1 + usize::from(is_inner);
        let is_cfg = is(tokens, open, |token| token.is_open('['))
            && is(tokens, open + 1, |token| token.is_ident("cfg"))
            && is(tokens, open + 2, |token| token.is_open('('));
        if !is_cfg || holds(tokens, open + 3, scope) != Some(false) {
            continue;
        }
        match is_inner {
            // Of the whole file.
            true if at == 0 => {
                found.push(0..tokens.len());
                return found;
            }
            true => {}
            false => found.push(at..end_of_item(tokens, tokens[open].pair + 1)),
        }
    }
    found
}

/// Whether a file is in a module that is not compiled. `root` is its package's folder.
pub(super) fn file(root: &Path, path: &Path, scope: Scope) -> bool {
    let mut path = path.to_owned();
    for _ in 0..DEPTH {
        let Some((name, parents)) = parents(root, &path) else {
            return false;
        };
        let Some((parent, tokens)) = parents.into_iter().find_map(read) else {
            return false;
        };
        let gated = ranges(&tokens, scope);
        let declares = |at: &usize| {
            tokens[*at].is_ident("mod")
                && is(&tokens, at + 1, |token| token.is_ident(&name))
                && is(&tokens, at + 2, |token| token.is_punct(';'))
        };
        let mut declared = (0..tokens.len()).filter(declares).peekable();
        let is_declared = declared.peek().is_some();
        if is_declared && declared.all(|at| gated.iter().any(|range| range.contains(&at))) {
            return true;
        }
        path = parent;
    }
    false
}

/// The module that a file is, and the files that may declare it. `None`: it is a root.
fn parents(root: &Path, path: &Path) -> Option<(String, Vec<PathBuf>)> {
    let name = path.file_stem()?.to_str()?;
    if matches!(name, "lib" | "main") {
        return None;
    }
    let mut folder = path.parent()?;
    let mut module = name;
    if name == "mod" {
        module = folder.file_name()?.to_str()?;
        folder = folder.parent()?;
    }
    if !folder.starts_with(root) {
        return None;
    }
    let beside = ["mod.rs", "lib.rs", "main.rs"].map(|file| folder.join(file));
    let mut parents = beside.to_vec();
    parents.push(folder.with_extension("rs"));
    parents.retain(|parent| parent != path);
    Some((module.to_owned(), parents))
}

fn read(path: PathBuf) -> Option<(PathBuf, Vec<Token>)> {
    let text = std::fs::read_to_string(&path).ok()?;
    Some((path, lex(&text).ok()?))
}

/// Where the item ends that begins at `at`, maybe with further attributes.
fn end_of_item(tokens: &[Token], mut at: usize) -> usize {
    while is(tokens, at, |token| token.is_punct('#'))
        && is(tokens, at + 1, |token| token.is_open('['))
    {
        at = tokens[at + 1].pair + 1;
    }
    let is_item = ITEMS
        .iter()
        .any(|word| is(tokens, at, |token| token.is_ident(word)));
    while let Some(token) = tokens.get(at) {
        match token.kind {
            Kind::Close(_) => return at,
            Kind::Punct(';') => return at + 1,
            Kind::Punct(',') if !is_item => return at + 1,
            Kind::Open('{') => return token.pair + 1,
            _ => at = token.pair.max(at) + 1,
        }
    }
    tokens.len()
}

/// Whether the condition at `at` holds on the target; `None`: it depends.
fn holds(tokens: &[Token], at: usize, scope: Scope) -> Option<bool> {
    let Kind::Ident(word) = &tokens.get(at)?.kind else {
        return None;
    };
    if is(tokens, at + 1, |token| token.is_open('(')) {
        let end = tokens[at + 1].pair;
        let mut operands = Vec::new();
        let mut next = at + 2;
        while next < end {
            operands.push(holds(tokens, next, scope));
            while next < end && !tokens[next].is_punct(',') {
                next = tokens[next].pair.max(next) + 1;
            }
            next += 1;
        }
        let has = |value: Option<bool>| operands.contains(&value);
        return match word.as_str() {
            "not" => operands.first().copied().flatten().map(|holds| !holds),
            "all" if has(Some(false)) => Some(false),
            "all" if has(None) => None,
            "all" => Some(true),
            "any" if has(Some(true)) => Some(true),
            "any" if has(None) => None,
            "any" => Some(false),
            _ => None,
        };
    }
    let value = match tokens.get(at + 2).map(|token| &token.kind) {
        Some(Kind::Literal(value)) if tokens[at + 1].is_punct('=') => value.trim_matches('"'),
        _ => "",
    };
    match (word.as_str(), value) {
        // Tests of the app's own are built, those of others are not.
        ("test", _) => (scope == Scope::Library).then_some(false),
        ("unix" | "windows", _) => Some(false),
        ("target_os", os) => Some(os == "wasi"),
        ("target_env", env) => Some(env == "p1"),
        ("target_arch", arch) => Some(arch == "wasm32"),
        ("target_family", family) => Some(family == "wasm"),
        _ => None,
    }
}

fn is(tokens: &[Token], at: usize, what: impl Fn(&Token) -> bool) -> bool {
    tokens.get(at).is_some_and(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether `call` is left in the text.
    fn is_compiled(text: &str, scope: Scope) -> bool {
        let tokens = lex(text).unwrap();
        let gated = ranges(&tokens, scope);
        let mut calls = (0..tokens.len()).filter(|at| tokens[*at].is_ident("call"));
        calls.any(|at| !gated.iter().any(|range| range.contains(&at)))
    }

    #[test]
    fn what_cannot_hold_on_the_target_is_left_out() {
        for condition in [
            "test",
            "unix",
            "windows",
            "all(test, feature = \"x\")",
            "all(feature = \"x\", any(unix, windows))",
            "not(target_arch = \"wasm32\")",
            "not(any(feature = \"x\", target_family = \"wasm\"))",
            "target_os = \"linux\"",
        ] {
            let text = format!("#[cfg({condition})]\n#[inline]\npub fn f<A, B>(a: A) {{ call() }}");
            assert!(!is_compiled(&text, Scope::Library), "{condition}");
        }
    }

    #[test]
    fn what_may_hold_counts() {
        for condition in [
            "feature = \"x\"",
            "any(unix, feature = \"x\")",
            "not(windows)",
            "not(test)",
            "target_os = \"wasi\"",
            "wasm_browser",
            "any(target_arch = \"wasm32\", unix)",
        ] {
            let text = format!("#[cfg({condition})] fn f() {{ call() }}");
            assert!(is_compiled(&text, Scope::Library), "{condition}");
        }
        let text = "#[cfg(test)] mod tests { fn f() { call() } }";
        assert!(is_compiled(text, Scope::Everything));
    }

    #[test]
    fn no_more_is_left_out_than_the_item() {
        for text in [
            "fn f() { S { #[cfg(unix)] a: 1, b: call() } }",
            "fn f() { match x { #[cfg(unix)] 1 => 2, _ => call() } }",
            "fn f() { #[cfg(unix)] { a() } call() }",
            "fn f() { #[cfg(unix)] let a = 1; call() }",
            "fn f(#[cfg(unix)] a: u8) { call() }",
            "#[cfg(unix)] use a::b; fn f() { call() }",
            "#[cfg(unix)] mod m; fn f() { call() }",
        ] {
            assert!(is_compiled(text, Scope::Library), "{text}");
        }
        for text in [
            "#[cfg(unix)] fn f<A, B>() where A: X, B: Y { call() }",
            "fn f() { S { #[cfg(unix)] a: call(), b: 1 } }",
            "cfg_if! { if #[cfg(unix)] { fn f() { call() } } }",
            "#![cfg(unix)] fn f() { call() }",
        ] {
            assert!(!is_compiled(text, Scope::Library), "{text}");
        }
    }

    #[test]
    fn a_file_is_left_out_with_its_module() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path();
        let write = |file: &str, text: &str| {
            let path = root.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            path
        };
        write(
            "src/lib.rs",
            "#[cfg(test)] mod tests; mod a; mod b; #[cfg(unix)] mod sys; #[cfg(windows)] mod sys;",
        );
        write("src/a.rs", "#[cfg(unix)] mod unix; mod wasi;");
        write("src/b/mod.rs", "#[cfg(test)] mod tests;");
        write("src/tests/mod.rs", "mod deep;");
        for (file, gated) in [
            ("src/tests/mod.rs", true),
            ("src/tests/deep.rs", true),
            ("src/a/unix.rs", true),
            ("src/b/tests.rs", true),
            ("src/sys.rs", true),
            ("src/a.rs", false),
            ("src/a/wasi.rs", false),
            ("src/b/mod.rs", false),
            ("src/undeclared.rs", false),
            ("src/lib.rs", false),
        ] {
            let path = root.join(file);
            assert_eq!(self::file(root, &path, Scope::Library), gated, "{file}");
        }
    }
}
