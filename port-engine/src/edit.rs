//! Edits at a named item of a Rust file.

use anyhow::Context as _;

use super::error::{Fault, Miss, places};
use super::items::Item;
use super::rules::{EditKind, EditRule};
use super::target::P1;
use super::tokens::{Edit, Token, bytes, edited, find_all, lex, lex_pattern};

/// The text after the edit, and the number of places.
pub(super) fn carry_out(
    rule: &EditRule,
    text: &str,
    expected: usize,
) -> Result<(String, usize), Fault> {
    let tokens = lex(text).with_context(|| rule.file.clone())?;
    let miss = |found: String| {
        Fault::Miss(Miss {
            file: rule.file.clone(),
            item: rule.item.as_ref().map(ToString::to_string),
            expected: places(expected),
            found,
        })
    };
    let whole = || {
        vec![Item {
            all: 0..tokens.len(),
            inside: 0,
            body: None,
        }]
    };
    let items = match &rule.item {
        None => whole(),
        Some(path) => match path.find(&tokens) {
            Ok(items) => items,
            Err(_) if expected == 0 => Vec::new(),
            Err(none) => return Err(miss(none)),
        },
    };
    let mut edits = Vec::new();
    let mut count = 0;
    match &rule.edit {
        EditKind::Replace { tokens: old, with } => {
            let pattern = lex_pattern(old).context("in the key `replace`")?;
            for item in &items {
                for at in find_all(&tokens, item.all.clone(), &pattern) {
                    let edit = Edit {
                        range: bytes(&tokens, &at),
                        text: with.clone(),
                    };
                    // Items may lie inside each other.
                    if !edits.contains(&edit) {
                        edits.push(edit);
                        count += 1;
                    }
                }
            }
        }
        EditKind::Attribute(attribute) => {
            for item in &items {
                let at = tokens[item.all.start].range.start;
                edits.push(insert(
                    at,
                    &format!("{}\n{}", attribute.trim(), indent(text, at)),
                ));
                count += 1;
            }
        }
        EditKind::Body(ours) => {
            for item in &items {
                let (open, close) = body(&tokens, item).ok_or_else(|| miss(no_body()))?;
                let ours = ours.trim_matches('\n');
                edits.push(insert(
                    open,
                    &format!("\n#[cfg({P1})]\n{{\n{ours}\n}}\n#[cfg(not({P1}))]\n{{"),
                ));
                // On a line of its own: upstream's last line may end in a comment.
                edits.push(insert(close, "\n}\n"));
                count += 1;
            }
        }
        EditKind::Prelude(ours) => {
            for item in &items {
                let (open, _) = body(&tokens, item).ok_or_else(|| miss(no_body()))?;
                edits.push(insert(open, &format!("\n{}\n", ours.trim_matches('\n'))));
                count += 1;
            }
        }
    }
    if count != expected {
        return Err(miss(places(count)));
    }
    Ok((edited(text, edits), count))
}

fn no_body() -> String {
    "an item without a body".into()
}

fn insert(at: usize, text: &str) -> Edit {
    Edit {
        range: at..at,
        text: text.to_string(),
    }
}

/// The bytes behind the body's `{` and its inner attributes, and before its `}`.
fn body(tokens: &[Token], item: &Item) -> Option<(usize, usize)> {
    let open = item.body?;
    let close = tokens[open].pair;
    let mut last = open;
    while last + 3 < close
        && tokens[last + 1].is_punct('#')
        && tokens[last + 2].is_punct('!')
        && tokens[last + 3].is_open('[')
    {
        last = tokens[last + 3].pair;
    }
    Some((tokens[last].range.end, tokens[close].range.start))
}

/// The white space in front of `at` on its line; none when there is code.
fn indent(text: &str, at: usize) -> &str {
    let line = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let before = &text[line..at];
    if before.trim().is_empty() { before } else { "" }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::super::items::ItemPath;
    use super::super::rules::Matches;
    use super::*;

    fn rule(item: Option<&str>, edit: EditKind) -> EditRule {
        EditRule {
            file: "src/lib.rs".into(),
            item: item.map(|item| ItemPath::parse(item).unwrap()),
            matches: Matches::Always(1),
            edit,
        }
    }

    fn replace(tokens: &str, with: &str) -> EditKind {
        EditKind::Replace {
            tokens: tokens.into(),
            with: with.into(),
        }
    }

    fn done(rule: &EditRule, text: &str, expected: usize) -> String {
        carry_out(rule, text, expected).unwrap().0
    }

    fn missed(rule: &EditRule, text: &str, expected: usize) -> (String, String) {
        match carry_out(rule, text, expected) {
            Err(Fault::Miss(miss)) => (miss.expected, miss.found),
            other => panic!("{other:?}"),
        }
    }

    /// Compiles `text` natively, and with the guest's half switched on.
    fn assert_compiles(text: &str) {
        for text in [text.to_string(), text.replace(P1, "all()")] {
            let dir = tempfile::tempdir().unwrap();
            let file = dir.path().join("lib.rs");
            std::fs::write(&file, &text).unwrap();
            let out = Command::new(std::env::var_os("RUSTC").unwrap_or("rustc".into()))
                .args([
                    "--crate-type=lib",
                    "--emit=metadata",
                    "--edition=2021",
                    "-Awarnings",
                ])
                .arg("--out-dir")
                .arg(dir.path())
                .arg(&file)
                .output()
                .unwrap();
            let errors = String::from_utf8_lossy(&out.stderr);
            assert!(out.status.success(), "{errors}\n{text}");
        }
    }

    #[test]
    fn body_keeps_both_halves() {
        let text = "pub fn f(x: u8) -> u8 {\n    #![allow(unused)]\n    let y = x; // why\n    y // tail\n}\npub fn g() {}\n";
        let rule = rule(Some("fn f"), EditKind::Body("    x + 1".into()));
        let out = done(&rule, text, 1);
        assert!(
            out.contains("    let y = x; // why\n    y // tail\n"),
            "{out}"
        );
        assert!(out.ends_with("\npub fn g() {}\n"), "{out}");
        assert_eq!(out.matches("x + 1").count(), 1);
        assert_compiles(&out);
    }

    #[test]
    fn body_of_one_line_and_of_a_comment() {
        for text in [
            "pub fn f() -> u8 { 1 }",
            "pub fn f() -> u8 { 1 // one\n}",
            "pub async fn f() -> u8 { 1 }",
        ] {
            assert_compiles(&done(
                &rule(Some("fn f"), EditKind::Body("2".into())),
                text,
                1,
            ));
        }
    }

    #[test]
    fn prelude_comes_first() {
        let text = "pub fn f(x: u8) -> u8 { x }";
        let prelude = format!("#[cfg({P1})]\nlet x = x + 1;");
        let out = done(&rule(Some("fn f"), EditKind::Prelude(prelude)), text, 1);
        assert!(
            out.find("let x").unwrap() < out.find(" x }").unwrap(),
            "{out}"
        );
        assert_compiles(&out);
    }

    #[test]
    fn attribute_stands_in_front_of_docs_with_the_same_indent() {
        let text = "mod m {\n    /// Docs.\n    #[inline]\n    pub fn f() {}\n}\n";
        let out = done(
            &rule(Some("fn f"), EditKind::Attribute("#[cfg(all())]".into())),
            text,
            1,
        );
        assert_eq!(
            out,
            "mod m {\n    #[cfg(all())]\n    /// Docs.\n    #[inline]\n    pub fn f() {}\n}\n"
        );
        assert_compiles(&out);
    }

    #[test]
    fn replace_is_blind_to_white_space_and_stays_in_the_item() {
        let text = "fn f() { a::b(); a ::\n b(1) } fn g() { a::b() } // a::b\n";
        let out = done(&rule(Some("fn f"), replace("a :: b", "c::d")), text, 2);
        assert_eq!(
            out,
            "fn f() { c::d(); c::d(1) } fn g() { a::b() } // a::b\n"
        );
    }

    #[test]
    fn replace_matches_groups() {
        let text = "fn f() { g( &x , 1 ); g(&x, 2) }";
        let out = done(&rule(Some("fn f"), replace("g(&x, 1)", "h()")), text, 1);
        assert_eq!(out, "fn f() { h(); g(&x, 2) }");
    }

    #[test]
    fn replace_without_an_item_takes_the_file() {
        let out = done(
            &rule(None, replace("a", "b")),
            "\u{feff}use a;\nmod é { use a; }",
            2,
        );
        assert_eq!(out, "\u{feff}use b;\nmod é { use b; }");
    }

    #[test]
    fn counts_must_hold() {
        let text = "fn f() { a; a; }";
        let expected = |n: &str, found: &str| (n.to_string(), found.to_string());
        assert_eq!(
            missed(&rule(Some("fn f"), replace("a", "b")), text, 3),
            expected("3 places", "2 places")
        );
        assert_eq!(
            missed(&rule(Some("fn g"), replace("a", "b")), text, 1),
            expected("1 place", "no `fn g`")
        );
        assert_eq!(
            missed(
                &rule(Some("fn f"), EditKind::Body("1".into())),
                "trait T { fn f(); }",
                1
            ),
            expected("1 place", "an item without a body")
        );
        let twice = "impl A { fn f() {} } impl B { fn f() {} }";
        assert_eq!(
            missed(
                &rule(Some("fn f"), EditKind::Prelude("1;".into())),
                twice,
                1
            ),
            expected("1 place", "2 places")
        );
    }

    #[test]
    fn a_file_that_is_not_rust_is_named() {
        let fault = carry_out(&rule(Some("fn f"), replace("a", "b")), "fn f() {\n (\n", 1);
        let Err(Fault::Other(error)) = fault else {
            panic!("{fault:?}");
        };
        assert!(
            format!("{error:#}").contains("src/lib.rs: not lexable"),
            "{error:#}"
        );
    }
}
