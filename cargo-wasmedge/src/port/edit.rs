//! Edits at a named item of a Rust file.

use anyhow::Context as _;

use super::P1;
use super::error::{Fault, Miss, places};
use super::items::Item;
use super::rules::{EditKind, EditRule};
use super::tokens::{Edit, Token, bytes, edited, find_all, lex, lex_pattern};

/// The text after the edit, and the number of places.
pub(crate) fn carry_out(
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
