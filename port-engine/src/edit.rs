//! Edits at a named item of a Rust file.

use anyhow::Context as _;

use super::error::{Fault, Miss};
use super::items::Item;
use super::rules::{EditKind, EditRule};
use super::tally::Tally;
use super::target::P1;
use super::tokens::{Edit, Kind, Token, bytes, edited, find_all, lex, lex_pattern};

/// The text of one file after the edit; its places are added to `tally`.
pub(super) fn carry_out(
    rule: &EditRule,
    file: &str,
    text: &str,
    tally: &mut Tally,
) -> Result<String, Fault> {
    let tokens = lex(text).with_context(|| file.to_string())?;
    let pattern = match &rule.edit {
        EditKind::Replace { tokens, .. } => lex_pattern(tokens).context("in the key `replace`")?,
        _ => Vec::new(),
    };
    let whole = || Item {
        all: 0..tokens.len(),
        inside: 0,
        body: None,
    };
    let mut scopes = Vec::new();
    if rule.items.is_empty() {
        scopes.push((None, vec![whole()]));
    }
    for path in &rule.items {
        match path.find(&tokens) {
            Ok(items) => scopes.push((Some(path), items)),
            Err(why) => tally.miss(path, why),
        }
    }
    let mut edits: Vec<Edit> = Vec::new();
    for (path, items) in scopes {
        let mut count = 0;
        for item in items {
            let places = at_item(&rule.edit, &pattern, text, &tokens, &item);
            let places = places.ok_or_else(|| Miss {
                file: file.to_string(),
                item: path.map(ToString::to_string),
                expected: "an item with a body".into(),
                found: "one without".into(),
            })?;
            for place in places {
                // Items may lie inside each other, and two paths name one item.
                if !place.iter().all(|edit| edits.contains(edit)) {
                    edits.extend(place);
                    count += 1;
                }
            }
        }
        tally.add(file, path, count);
    }
    Ok(edited(text, edits).with_context(|| file.to_string())?)
}

/// The edits of each place in one item; `None` where it lacks the body that the
/// edit needs.
fn at_item(
    edit: &EditKind,
    pattern: &[Kind],
    text: &str,
    tokens: &[Token],
    item: &Item,
) -> Option<Vec<Vec<Edit>>> {
    Some(match edit {
        EditKind::Replace { with, .. } => find_all(tokens, item.all.clone(), pattern)
            .iter()
            .map(|at| {
                vec![Edit {
                    range: bytes(tokens, at),
                    text: with.clone(),
                }]
            })
            .collect(),
        EditKind::Attribute(attribute) => {
            let at = tokens[item.all.start].range.start;
            let line = format!("{}\n{}", attribute.trim(), indent(text, at));
            vec![vec![insert(at, &line)]]
        }
        EditKind::Body(ours) => {
            let (open, close) = body(tokens, item)?;
            let ours = ours.trim_matches('\n');
            let both = format!("\n#[cfg({P1})]\n{{\n{ours}\n}}\n#[cfg(not({P1}))]\n{{");
            // On a line of its own: upstream's last line may end in a comment.
            vec![vec![insert(open, &both), insert(close, "\n}\n")]]
        }
        EditKind::Prelude(ours) => {
            let (open, _) = body(tokens, item)?;
            vec![vec![insert(
                open,
                &format!("\n{}\n", ours.trim_matches('\n')),
            )]]
        }
    })
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
    use super::super::matches::{Count, Matches};
    use super::super::rules::EditRule;
    use super::*;

    const FILE: &str = "src/lib.rs";

    fn rule(item: Option<&str>, edit: EditKind) -> EditRule {
        EditRule {
            files: vec![FILE.into()],
            items: item
                .iter()
                .map(|item| ItemPath::parse(item).unwrap())
                .collect(),
            matches: Matches::Always(Count::ONE),
            edit,
        }
    }

    fn replace(tokens: &str, with: &str) -> EditKind {
        EditKind::Replace {
            tokens: tokens.into(),
            with: with.into(),
        }
    }

    /// The text after the edit, which has to be at so many places.
    fn carry_out(rule: &EditRule, text: &str, expected: usize) -> Result<String, Fault> {
        let mut tally = Tally::default();
        let text = super::carry_out(rule, FILE, text, &mut tally)?;
        tally.check(FILE, &rule.items, Count::exactly(expected))?;
        Ok(text)
    }

    fn done(rule: &EditRule, text: &str, expected: usize) -> String {
        carry_out(rule, text, expected).unwrap()
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
            expected("an item with a body", "one without")
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
    fn several_items_are_edited_once_each() {
        let paths = ["fn f", "impl A > fn f", "fn g"];
        let rule = EditRule {
            items: paths.map(|path| ItemPath::parse(path).unwrap()).into(),
            ..rule(None, EditKind::Prelude("1;".into()))
        };
        let text = "impl A { fn f() {} } fn g() {}";
        // The second path names nothing that the first one does not.
        let missed = missed(&rule, text, 2);
        assert_eq!(missed.1, "none in `impl A > fn f`");
        let rule = EditRule {
            items: [0, 2].map(|at| rule.items[at].clone()).into(),
            ..rule
        };
        let out = done(&rule, text, 2);
        assert_eq!(out, "impl A { fn f() {\n1;\n} } fn g() {\n1;\n}");
    }

    #[test]
    fn edits_that_overlap_are_refused_with_both_places() {
        // Items lie inside each other here, so the second match begins in the first.
        let text = "fn f\nfn f\nfn f;";
        let rule = rule(Some("fn f"), replace("fn f fn f", "x"));
        let Err(Fault::Other(error)) = carry_out(&rule, text, 2) else {
            panic!("not refused");
        };
        let error = format!("{error:#}");
        for part in ["src/lib.rs", "line 1", "line 2", "overlap"] {
            assert!(error.contains(part), "{part}: {error}");
        }
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
