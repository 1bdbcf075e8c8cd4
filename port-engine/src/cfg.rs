//! Finding a cfg predicate wherever it is a condition, and switching it.

use std::ops::Range;

use anyhow::Context as _;

use super::rules::CfgRule;
use super::tally::Tally;
use super::tokens::{Edit, Kind, Token, bytes, edited, lex, same};

/// The text of one file with the rule's predicate switched, or `None` where it has
/// no place; the places are added to `tally`.
pub(super) fn switch(
    rule: &CfgRule,
    predicate: &[Kind],
    file: &str,
    text: &str,
    tally: &mut Tally,
) -> anyhow::Result<Option<String>> {
    let tokens = lex(text).with_context(|| file.to_string())?;
    let mut scopes = Vec::new();
    if rule.items.is_empty() {
        scopes.push((None, 0..tokens.len()));
    }
    for path in &rule.items {
        let items = path.find(&tokens).unwrap_or_default();
        scopes.extend(items.into_iter().map(|item| (Some(path), item.all)));
    }
    let mut found: Vec<Range<usize>> = Vec::new();
    for (path, scope) in scopes {
        let before = found.len();
        for at in find(&tokens, scope, predicate) {
            // Items may lie inside each other.
            if !found.contains(&at) {
                found.push(at);
            }
        }
        tally.add(file, path, found.len() - before);
    }
    if found.is_empty() {
        return Ok(None);
    }
    let edits = found.iter().map(|at| Edit {
        range: bytes(&tokens, at),
        text: rule.becomes.clone(),
    });
    Ok(Some(edited(text, edits.collect())?))
}

/// Where `predicate` is an operand of a condition in `tokens[within]`.
///
/// Conditions are `cfg(…)`, `cfg!(…)` and the first argument of `cfg_attr(…)`,
/// at any depth, so inside macro definitions and invocations too. An operand is
/// a whole condition or a whole argument of `all`, `any` or `not`: looking for
/// `unix` does not find `unix` in `std::os::unix`. The `cfg(…)` of a
/// `doc(cfg(…))` is no condition: it only labels documentation.
pub(super) fn find(
    tokens: &[Token],
    within: Range<usize>,
    predicate: &[Kind],
) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = within.start;
    while at < within.end {
        if let Some(open) = condition_at(tokens, at, within.end) {
            let close = tokens[open].pair;
            if tokens[at].is_ident("cfg_attr") {
                // The attributes behind the first comma may hold conditions of their own.
                let first = operands(tokens, open + 1..close).into_iter().next();
                let end = first.as_ref().map_or(open + 1, |range| range.end);
                if let Some(first) = first {
                    operand(tokens, first, predicate, &mut found);
                }
                at = end;
            } else {
                for each in operands(tokens, open + 1..close) {
                    operand(tokens, each, predicate, &mut found);
                }
                at = close + 1;
            }
        } else if let Some(close) = doc_at(tokens, at, within.end) {
            at = close + 1;
        } else {
            at += 1;
        }
    }
    found
}

/// The index of the `(` when a condition starts at `at`.
fn condition_at(tokens: &[Token], at: usize, end: usize) -> Option<usize> {
    let is_open = |index: usize| index < end && tokens[index].is_open('(');
    if tokens[at].is_ident("cfg") {
        if is_open(at + 1) {
            return Some(at + 1);
        }
        if at + 1 < end && tokens[at + 1].is_punct('!') && is_open(at + 2) {
            return Some(at + 2);
        }
    }
    (tokens[at].is_ident("cfg_attr") && is_open(at + 1)).then_some(at + 1)
}

/// The index of the `)` when `doc(cfg(` starts at `at`.
fn doc_at(tokens: &[Token], at: usize, end: usize) -> Option<usize> {
    let label = at + 3 < end
        && tokens[at].is_ident("doc")
        && tokens[at + 1].is_open('(')
        && tokens[at + 2].is_ident("cfg")
        && tokens[at + 3].is_open('(');
    label.then(|| tokens[at + 1].pair)
}

/// `tokens[within]` cut at the commas of its own level.
fn operands(tokens: &[Token], within: Range<usize>) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut start = within.start;
    let mut at = within.start;
    while at < within.end {
        if tokens[at].is_punct(',') {
            out.push(start..at);
            start = at + 1;
        }
        at = tokens[at].pair.max(at) + 1;
    }
    out.push(start..within.end);
    out.retain(|range| !range.is_empty());
    out
}

fn operand(tokens: &[Token], at: Range<usize>, predicate: &[Kind], found: &mut Vec<Range<usize>>) {
    if same(&tokens[at.clone()], predicate) {
        found.push(at);
        return;
    }
    let mut index = at.start;
    while index < at.end {
        let pair = tokens[index].pair;
        if pair > index {
            for inner in operands(tokens, index + 1..pair) {
                operand(tokens, inner, predicate, found);
            }
            index = pair;
        }
        index += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::super::tokens::{bytes, lex, lex_pattern};
    use super::find;

    /// How many places are found for `target_env = "p1"`.
    fn found(text: &str) -> usize {
        count(text, r#"target_env = "p1""#)
    }

    fn count(text: &str, predicate: &str) -> usize {
        let tokens = lex(text).unwrap();
        let predicate = lex_pattern(predicate).unwrap();
        let places = find(&tokens, 0..tokens.len(), &predicate);
        for place in &places {
            assert!(bytes(&tokens, place).end <= text.len());
        }
        places.len()
    }

    #[test]
    fn attributes() {
        assert_eq!(found(r#"#[cfg(target_env = "p1")] fn f() {}"#), 1);
        assert_eq!(found(r#"#![cfg(target_env = "p1")]"#), 1);
        assert_eq!(found("#[cfg(target_env=\n  \"p1\")] mod a;"), 1);
    }

    #[test]
    fn nested_in_not_all_any() {
        let text = r#"#[cfg(any(unix, all(target_os = "wasi", not(target_env = "p1")), not(any(x, target_env = "p1"))))] use a;"#;
        assert_eq!(found(text), 2);
    }

    #[test]
    fn only_the_condition_of_cfg_attr() {
        let text =
            r#"#[cfg_attr(not(target_env = "p1"), path = "a.rs", doc(alias = "p1"))] mod a;"#;
        assert_eq!(found(text), 1);
        assert_eq!(
            found(r#"#[cfg_attr(docsrs, doc(cfg(target_env = "p1")))] mod a;"#),
            0
        );
        assert_eq!(
            found(r#"#[cfg_attr(a, cfg_attr(target_env = "p1", b))] mod a;"#),
            1
        );
        assert_eq!(found(r#"#[cfg_attr(a, cfg(target_env = "p1"))] mod a;"#), 1);
    }

    #[test]
    fn cfg_macro() {
        assert_eq!(found(r#"fn f() -> bool { cfg!(target_env = "p1") }"#), 1);
        assert_eq!(
            found(r#"fn f() { if cfg ! (not(target_env = "p1")) { g() } }"#),
            1
        );
    }

    #[test]
    fn macro_definitions_and_invocations() {
        let text = r#"
            macro_rules! cfg_net {
                ($($item:item)*) => { $( #[cfg(all(feature = "net", not(target_env = "p1")))] $item )* }
            }
            cfg_net! { #[cfg(target_env = "p1")] pub mod net; }
        "#;
        assert_eq!(found(text), 2);
    }

    #[test]
    fn text_that_only_looks_like_it() {
        let text = r##"
            // #[cfg(target_env = "p1")]
            /* #[cfg(target_env = "p1")] */
            /// # #[cfg(target_env = "p1")]
            //! #[cfg(target_env = "p1")]
            const A: &str = "#[cfg(target_env = \"p1\")]";
            const B: &str = r#"cfg!(target_env = "p1")"#;
        "##;
        // The inner doc comment needs an item around it to be Rust, but it lexes.
        assert_eq!(found(text), 0);
    }

    #[test]
    fn not_outside_conditions() {
        assert_eq!(
            found(r#"fn f(target_env: &str) { let target_env = "p1"; g(target_env = "p1") }"#),
            0
        );
        assert_eq!(count("use std::os::unix; #[cfg(unix)] mod a;", "unix"), 1);
    }

    #[test]
    fn whole_operands_only() {
        assert_eq!(
            count(r#"#[cfg(target_env = "p1")] mod a;"#, "target_env"),
            0
        );
        assert_eq!(
            count(
                "#[cfg(all(unix, not(loom)))] mod a;",
                "all(unix, not(loom))"
            ),
            1
        );
        assert_eq!(
            count("#[cfg(all(unix, not(loom), x))] mod a;", "unix, not(loom)"),
            0
        );
        assert_eq!(
            count(
                r#"#[cfg(target_env = "p12")] mod a;"#,
                r#"target_env = "p1""#
            ),
            0
        );
    }
}
