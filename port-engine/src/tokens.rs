//! Rust source as a flat list of tokens with byte ranges, and edits by range.
//!
//! Matching tokens instead of text makes a rule blind to white space and to
//! comments, strings and documentation that only look like code; editing byte
//! ranges leaves everything else in the file as upstream wrote it.

use std::ops::Range;

use anyhow::{Context as _, anyhow};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// `(`, `[` or `{`.
    Open(char),
    /// `)`, `]` or `}`.
    Close(char),
    /// A word, keywords among them.
    Ident(String),
    /// One character of an operator, or a `,` and the like.
    Punct(char),
    /// A string, character or number, as it is written.
    Literal(String),
}

/// A token and where it stands.
#[derive(Debug, Clone)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Bytes in the source text.
    pub range: Range<usize>,
    /// Index of the matching bracket; the token's own index for others.
    pub pair: usize,
}

impl Token {
    /// Whether it is the word `name`.
    pub fn is_ident(&self, name: &str) -> bool {
        matches!(&self.kind, Kind::Ident(ident) if ident == name)
    }

    /// Whether it is this character.
    pub fn is_punct(&self, punct: char) -> bool {
        self.kind == Kind::Punct(punct)
    }

    /// Whether it opens this kind of bracket.
    pub fn is_open(&self, bracket: char) -> bool {
        self.kind == Kind::Open(bracket)
    }

    /// Whether it closes this kind of bracket.
    pub fn is_close(&self, bracket: char) -> bool {
        self.kind == Kind::Close(bracket)
    }
}

/// Lexes `text`.
///
/// # Errors
/// No Rust; with the line where the lexer gave up.
pub fn lex(text: &str) -> anyhow::Result<Vec<Token>> {
    // The lexer drops a byte order mark and counts from behind it.
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let skipped = text.len() - body.len();
    let stream: TokenStream = body.parse().map_err(|error: proc_macro2::LexError| {
        anyhow!(
            "not lexable as Rust near line {}: {error}",
            error.span().start().line
        )
    })?;
    let mut tokens = Vec::new();
    flatten(stream, skipped, &mut tokens);
    Ok(tokens)
}

/// Lexes a pattern from a port; an empty one is an error.
pub(super) fn lex_pattern(text: &str) -> anyhow::Result<Vec<Kind>> {
    let tokens = lex(text).with_context(|| format!("in the tokens `{text}`"))?;
    anyhow::ensure!(!tokens.is_empty(), "the tokens to look for are empty");
    Ok(tokens.into_iter().map(|token| token.kind).collect())
}

fn flatten(stream: TokenStream, skipped: usize, out: &mut Vec<Token>) {
    let shift = |range: Range<usize>| range.start + skipped..range.end + skipped;
    for tree in stream {
        let index = out.len();
        let (kind, range) = match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ('(', ')'),
                    Delimiter::Brace => ('{', '}'),
                    Delimiter::Bracket => ('[', ']'),
                    Delimiter::None => {
                        flatten(group.stream(), skipped, out);
                        continue;
                    }
                };
                out.push(Token {
                    kind: Kind::Open(open),
                    range: shift(group.span_open().byte_range()),
                    pair: index,
                });
                flatten(group.stream(), skipped, out);
                out[index].pair = out.len();
                out.push(Token {
                    kind: Kind::Close(close),
                    range: shift(group.span_close().byte_range()),
                    pair: index,
                });
                continue;
            }
            TokenTree::Ident(ident) => (Kind::Ident(ident.to_string()), ident.span()),
            TokenTree::Punct(punct) => (Kind::Punct(punct.as_char()), punct.span()),
            TokenTree::Literal(literal) => (Kind::Literal(literal.to_string()), literal.span()),
        };
        out.push(Token {
            kind,
            range: shift(range.byte_range()),
            pair: index,
        });
    }
}

/// Where `pattern` occurs in `tokens[within]`, without overlaps.
pub(super) fn find_all(
    tokens: &[Token],
    within: Range<usize>,
    pattern: &[Kind],
) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = within.start;
    while at + pattern.len() <= within.end {
        if same(&tokens[at..at + pattern.len()], pattern) {
            found.push(at..at + pattern.len());
            at += pattern.len();
        } else {
            at += 1;
        }
    }
    found
}

/// Whether `tokens` are exactly `pattern`.
pub(super) fn same(tokens: &[Token], pattern: &[Kind]) -> bool {
    tokens.len() == pattern.len() && tokens.iter().zip(pattern).all(|(t, p)| t.kind == *p)
}

/// The bytes from the first to the last of `tokens[at]`.
pub(super) fn bytes(tokens: &[Token], at: &Range<usize>) -> Range<usize> {
    tokens[at.start].range.start..tokens[at.end - 1].range.end
}

/// Whether a text can hold `pattern`: a cheap test that saves the lexing of most files.
pub(super) fn may_hold(text: &str, pattern: &[Kind]) -> bool {
    pattern.iter().all(|kind| match kind {
        Kind::Ident(word) | Kind::Literal(word) => text.contains(word.as_str()),
        Kind::Open(_) | Kind::Close(_) | Kind::Punct(_) => true,
    })
}

/// One replacement: these bytes become this text. An empty range inserts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    pub range: Range<usize>,
    pub text: String,
}

/// Carries out `edits`.
///
/// # Errors
/// Two of them overlap: both places are named.
pub(super) fn edited(text: &str, mut edits: Vec<Edit>) -> anyhow::Result<String> {
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let mut out =
        String::with_capacity(text.len() + edits.iter().map(|e| e.text.len()).sum::<usize>());
    let mut done = 0..0;
    for edit in edits {
        anyhow::ensure!(
            edit.range.start >= done.end,
            "two edits of one rule overlap: {} and {}",
            place(text, &done),
            place(text, &edit.range)
        );
        out.push_str(&text[done.end..edit.range.start]);
        out.push_str(&edit.text);
        done = edit.range;
    }
    out.push_str(&text[done.end..]);
    Ok(out)
}

/// Where a range is, for people.
fn place(text: &str, range: &Range<usize>) -> String {
    let line = text[..range.start].matches('\n').count() + 1;
    let words: Vec<&str> = text[range.clone()].split_whitespace().collect();
    match words.is_empty() {
        true => format!("an insertion at line {line}"),
        false => format!("`{}` at line {line}", words.join(" ")),
    }
}
