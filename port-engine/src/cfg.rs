//! Finding a cfg predicate wherever it is a condition, and switching it.

use std::ops::Range;

use anyhow::Context as _;

use super::rules::CfgRule;
use super::tally::Tally;
use super::tokens::{Edit, Kind, Token, bytes, edited, lex};

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
/// Conditions are `cfg(…)`, `cfg!(…)`, the first argument of `cfg_attr(…)` and what
/// stands before the `=>`s of `cfg_select!`, at any depth, so inside macro definitions
/// and invocations too. An operand is a whole condition or a whole argument of `all`,
/// `any` or `not`: looking for `unix` does not find `unix` in `std::os::unix`. A comma
/// behind the last argument makes no difference. The `cfg(…)` of a `doc(cfg(…))` is no
/// condition: it only labels documentation.
pub(super) fn find(
    tokens: &[Token],
    within: Range<usize>,
    predicate: &[Kind],
) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for condition in conditions(tokens, within) {
        operand(tokens, condition, predicate, &mut found);
    }
    found
}

/// Where whole conditions are in `tokens[within]`.
pub(super) fn conditions(tokens: &[Token], within: Range<usize>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = within.start;
    while at < within.end {
        if let Some(open) = condition_at(tokens, at, within.end) {
            let close = tokens[open].pair;
            if tokens[at].is_ident("cfg_attr") {
                // The attributes behind the first comma may hold conditions of their own.
                let first = operands(tokens, open + 1..close).into_iter().next();
                at = first.as_ref().map_or(open + 1, |range| range.end);
                found.extend(first);
            } else {
                found.extend(operands(tokens, open + 1..close));
                at = close + 1;
            }
        } else if let Some(open) = select_at(tokens, at, within.end) {
            found.extend(selected(tokens, open));
            // The arms may hold conditions of their own.
            at = open + 1;
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

/// The index of the bracket when `cfg_select!` starts at `at`.
fn select_at(tokens: &[Token], at: usize, end: usize) -> Option<usize> {
    let starts = at + 2 < end && tokens[at].is_ident("cfg_select") && tokens[at + 1].is_punct('!');
    (starts && matches!(tokens[at + 2].kind, Kind::Open(_))).then_some(at + 2)
}

/// The conditions of the `cfg_select!` whose bracket is at `open`.
fn selected(tokens: &[Token], open: usize) -> Vec<Range<usize>> {
    let close = tokens[open].pair;
    let mut found = Vec::new();
    let mut start = open + 1;
    while let Some(arrow) = arrow(tokens, start..close) {
        found.push(start..arrow);
        start = arrow + 2;
        // An arm is a block, or ends with a comma.
        let is_block = start < close && tokens[start].is_open('{');
        while start < close && !tokens[start].is_punct(',') {
            start = tokens[start].pair.max(start) + 1;
            if is_block {
                break;
            }
        }
        if start < close && tokens[start].is_punct(',') {
            start += 1;
        }
    }
    found.retain(|range| !range.is_empty());
    found
}

/// Where the next `=>` of this level is.
fn arrow(tokens: &[Token], within: Range<usize>) -> Option<usize> {
    let mut at = within.start;
    while at + 1 < within.end {
        if tokens[at].is_punct('=') && tokens[at + 1].is_punct('>') {
            return Some(at);
        }
        at = tokens[at].pair.max(at) + 1;
    }
    None
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
    if is_same(&tokens[at.clone()], predicate) {
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

/// Whether two conditions have the same tokens, but for a comma behind the last argument.
fn is_same(tokens: &[Token], predicate: &[Kind]) -> bool {
    let kinds: Vec<&Kind> = tokens.iter().map(|token| &token.kind).collect();
    without_last_commas(&kinds).eq(without_last_commas(&Vec::from_iter(predicate)))
}

fn without_last_commas<'a>(kinds: &[&'a Kind]) -> impl Iterator<Item = &'a Kind> {
    let is_last = |pair: &[&Kind]| *pair[0] == Kind::Punct(',') && *pair[1] == Kind::Close(')');
    let end = [&Kind::Close(')')];
    let all = [kinds, &end[..]].concat();
    let kept: Vec<&Kind> = all
        .windows(2)
        .filter(|pair| !is_last(pair))
        .map(|pair| pair[0])
        .collect();
    kept.into_iter()
}

#[cfg(test)]
mod tests {
    use super::super::condition::{Condition, World};
    use super::super::tokens::{bytes, edited, lex, lex_pattern};
    use super::{Edit, find};

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

    #[test]
    fn arms_of_cfg_select() {
        let text = r#"
            cfg_select! {
                target_env = "p1" => { #[cfg(target_env = "p1")] mod a; }
                all(unix, not(target_env = "p1")) => f(x, target_env = "p1"),
                _ => { let target_env = "p1"; }
            }
            fn f() -> u8 { cfg_select!(any(target_env = "p1") => 1, _ => 2) }
            macro_rules! cfg_select { () => {} }
        "#;
        assert_eq!(found(text), 4);
    }

    #[test]
    fn a_comma_behind_the_last_argument_makes_no_difference() {
        let text = "#[cfg(all(\n    unix,\n    any(a, b,),\n))] mod a; #[cfg(any(all(unix, any(a, b)), c,))] mod b;";
        assert_eq!(count(text, "all(unix, any(a, b))"), 2);
        assert_eq!(count(text, "all(unix, any(a, b,),)"), 2);
        assert_eq!(count("#[cfg(all(unix, b))] mod a;", "all(unix)"), 0);
    }

    /// A condition with `predicate` in it switched.
    fn switched(condition: &str, predicate: &str, becomes: &str) -> Condition {
        let text = format!("cfg({condition})");
        let tokens = lex(&text).unwrap();
        let predicate = lex_pattern(predicate).unwrap();
        let places = find(&tokens, 0..tokens.len(), &predicate);
        let edits = places.iter().map(|at| Edit {
            range: bytes(&tokens, at),
            text: becomes.to_string(),
        });
        let text = edited(&text, edits.collect()).unwrap();
        let inner = text.strip_prefix("cfg(").unwrap();
        parsed(inner.strip_suffix(')').unwrap())
    }

    fn parsed(text: &str) -> Condition {
        Condition::parse(&lex_pattern(text).unwrap()).unwrap()
    }

    /// The targets that conditions tell apart, each with a feature off and on.
    fn worlds() -> Vec<(bool, World)> {
        let targets: [(bool, &[&str]); 5] = [
            (
                false,
                &["target_family = \"unix\"", "target_os = \"linux\""],
            ),
            (false, &["target_family = \"windows\""]),
            (false, &["target_arch = \"wasm32\""]),
            (false, &["target_arch = \"wasm32\"", "target_os = \"wasi\""]),
            (
                true,
                &[
                    "target_arch = \"wasm32\"",
                    "target_os = \"wasi\"",
                    "target_env = \"p1\"",
                ],
            ),
        ];
        let mut all = Vec::new();
        for (is_guest, words) in targets {
            for feature in [false, true] {
                let mut world: World = words.iter().map(|word| (word.to_string(), true)).collect();
                world.insert("feature = \"f\"".into(), feature);
                all.push((is_guest, world));
            }
        }
        all
    }

    /// Conditions around a place, `@`, which is plain, negated, nested and both.
    const AROUND: [&str; 7] = [
        "@",
        "not(@)",
        "all(@, feature = \"f\")",
        "not(any(feature = \"f\", all(target_os = \"wasi\", @)))",
        "any(not(all(not(@), target_arch = \"wasm32\")), target_os = \"linux\")",
        "all(not(not(@)), any(@, feature = \"f\"))",
        "any(@, not(@))",
    ];

    /// Predicates, with what they become.
    const SWITCHES: [(&str, &str); 5] = [
        ("target_env = \"p1\"", "any()"),
        (
            "unix",
            "any(unix, all(target_os = \"wasi\", target_env = \"p1\"))",
        ),
        (
            "target_arch = \"wasm32\"",
            "all(target_arch = \"wasm32\", not(all(target_os = \"wasi\", target_env = \"p1\")))",
        ),
        (
            "feature = \"f\"",
            "all(feature = \"f\", not(target_env = \"p1\"))",
        ),
        (
            "all(unix, not(target_os = \"linux\"))",
            "any(all(unix, not(target_os = \"linux\")), target_env = \"p1\")",
        ),
    ];

    #[test]
    fn a_condition_and_its_negation_stay_opposites() {
        for (predicate, becomes) in SWITCHES {
            for around in AROUND {
                let condition = around.replace('@', predicate);
                let yes = switched(&condition, predicate, becomes);
                let no = switched(&format!("not({condition})"), predicate, becomes);
                for (_, world) in worlds() {
                    assert_ne!(
                        yes.holds(&world),
                        no.holds(&world),
                        "{condition}, {world:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_switch_is_seen_by_the_guest_only_and_there_as_if_the_predicate_had_changed() {
        for (predicate, becomes) in SWITCHES {
            for around in AROUND {
                let condition = around.replace('@', predicate);
                let before = parsed(&condition);
                let after = switched(&condition, predicate, becomes);
                for (is_guest, world) in worlds() {
                    let told = format!("{condition}, {world:?}");
                    if !is_guest {
                        assert_eq!(before.holds(&world), after.holds(&world), "{told}");
                    }
                    // The truth table: `@` is a word of its own, with the new value.
                    let mut world = world;
                    world.insert("at".into(), parsed(becomes).holds(&world));
                    let wanted = parsed(&around.replace('@', "at"));
                    // Where the predicate is nowhere else.
                    if !around.contains(predicate) {
                        assert_eq!(after.holds(&world), wanted.holds(&world), "{told}");
                    }
                }
            }
        }
    }

    #[test]
    fn alternatives_that_exclude_each_other_still_do() {
        // Two implementations of which upstream takes one, and a third for the rest.
        let one = "all(target_os = \"wasi\", feature = \"f\")";
        let two = "all(not(all(target_os = \"wasi\", feature = \"f\")), target_arch = \"wasm32\")";
        for (predicate, becomes, on_guest) in [
            // Of a word that both use: what is shut in one is opened in the other.
            (
                "feature = \"f\"",
                "all(feature = \"f\", not(target_env = \"p1\"))",
                [false, true],
            ),
            // Of a word that only the second has: both are shut.
            (
                "all(target_os = \"wasi\", feature = \"f\")",
                "any(all(target_os = \"wasi\", feature = \"f\"), target_env = \"p1\")",
                [true, false],
            ),
        ] {
            let one = switched(one, predicate, becomes);
            let two = switched(two, predicate, becomes);
            for (is_guest, world) in worlds() {
                let holds = [one.holds(&world), two.holds(&world)];
                assert_ne!(holds, [true, true], "{predicate}, {world:?}");
                if is_guest {
                    assert_eq!(holds, on_guest, "{predicate}, {world:?}");
                }
            }
        }
    }
}
