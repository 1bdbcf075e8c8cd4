//! Finding a cfg predicate wherever it is a condition.

use std::ops::Range;

use super::tokens::{Kind, Token, same};

/// Where `predicate` is an operand of a condition in `tokens[within]`.
///
/// Conditions are `cfg(…)`, `cfg!(…)` and the first argument of `cfg_attr(…)`,
/// at any depth, so inside macro definitions and invocations too. An operand is
/// a whole condition or a whole argument of `all`, `any` or `not`: looking for
/// `unix` does not find `unix` in `std::os::unix`. The `cfg(…)` of a
/// `doc(cfg(…))` is no condition: it only labels documentation.
pub(crate) fn find(
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

/// The index of the `)` when `doc(` starts at `at`.
fn doc_at(tokens: &[Token], at: usize, end: usize) -> Option<usize> {
    (tokens[at].is_ident("doc") && at + 1 < end && tokens[at + 1].is_open('('))
        .then(|| tokens[at + 1].pair)
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
