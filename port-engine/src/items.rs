//! Finding a named item in a token list.
//!
//! Items are found by their keyword and name, not by parsing, so they are
//! found inside macro invocations (`cfg_net! { … }`) as well.

use std::fmt;
use std::ops::Range;

use anyhow::{Context as _, bail};

use super::tokens::{Kind, Token, lex_pattern, same};

/// The path of an item: segments from the outside in, written with ` > ` between.
#[derive(Debug, Clone)]
pub struct ItemPath {
    text: String,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone)]
struct Segment {
    text: String,
    keyword: Keyword,
    /// The name, or for `impl` and `use` the tokens that follow.
    name: Vec<Kind>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keyword {
    Fn,
    Mod,
    Struct,
    Enum,
    Trait,
    Macro,
    Impl,
    Const,
    Static,
    Use,
    Call,
}

const KEYWORDS: [(&str, Keyword); 11] = [
    ("fn", Keyword::Fn),
    ("mod", Keyword::Mod),
    ("struct", Keyword::Struct),
    ("enum", Keyword::Enum),
    ("trait", Keyword::Trait),
    ("macro", Keyword::Macro),
    ("impl", Keyword::Impl),
    ("const", Keyword::Const),
    ("static", Keyword::Static),
    ("use", Keyword::Use),
    ("call", Keyword::Call),
];

/// An item that was found; all ranges are token indices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// The whole item with its attributes, visibility and closing `;` or `}`.
    pub all: Range<usize>,
    /// Where the search for items inside it starts.
    pub inside: usize,
    /// Index of the `{` of the body, where there is one.
    pub body: Option<usize>,
}

impl ItemPath {
    /// Reads `impl Foo for Bar > fn baz`.
    ///
    /// # Errors
    /// An unknown keyword, a missing name.
    pub fn parse(text: &str) -> anyhow::Result<ItemPath> {
        let segments = split(text)
            .into_iter()
            .map(Segment::parse)
            .collect::<anyhow::Result<Vec<_>>>()
            .with_context(|| format!("in the item `{text}`"))?;
        Ok(ItemPath {
            text: text.to_string(),
            segments,
        })
    }

    /// All items with this path; the error says which segment was not found.
    pub(super) fn find(&self, tokens: &[Token]) -> Result<Vec<Item>, String> {
        let mut scopes: Vec<Range<usize>> = std::iter::once(0..tokens.len()).collect();
        let mut items: Vec<Item> = Vec::new();
        for segment in &self.segments {
            items.clear();
            for scope in &scopes {
                for at in scope.clone() {
                    if let Some(item) = segment.item_at(tokens, at, scope.end)
                        && !items.contains(&item)
                    {
                        items.push(item);
                    }
                }
            }
            if items.is_empty() {
                return Err(format!("no `{}`", segment.text));
            }
            scopes = items.iter().map(|i| i.inside..i.all.end).collect();
        }
        Ok(items)
    }
}

impl fmt::Display for ItemPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Cuts at ` > ` where a keyword follows: generics of an `impl` may hold ` > ` too.
fn split(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut start = 0;
    for (at, separator) in text.match_indices(" > ") {
        let rest = text[at + separator.len()..].trim_start();
        if KEYWORDS
            .iter()
            .any(|(word, _)| starts_with_word(rest, word))
        {
            out.push(text[start..at].trim());
            start = at + separator.len();
        }
    }
    out.push(text[start..].trim());
    out
}

fn starts_with_word(text: &str, word: &str) -> bool {
    text.strip_prefix(word)
        .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
}

impl Segment {
    fn parse(text: &str) -> anyhow::Result<Segment> {
        let Some((word, keyword)) = KEYWORDS
            .into_iter()
            .find(|(word, _)| starts_with_word(text, word))
        else {
            let known: Vec<&str> = KEYWORDS.iter().map(|(word, _)| *word).collect();
            bail!("`{text}` starts with none of: {}", known.join(", "));
        };
        let name = lex_pattern(&text[word.len()..])
            .with_context(|| format!("`{word}` needs a name behind it"))?;
        if !matches!(keyword, Keyword::Impl | Keyword::Use)
            && !matches!(name.as_slice(), [Kind::Ident(_)])
        {
            bail!("`{text}`: behind `{word}` stands one name");
        }
        Ok(Segment {
            text: text.to_string(),
            keyword,
            name,
        })
    }

    /// The item whose keyword stands at `at`.
    fn item_at(&self, tokens: &[Token], at: usize, end: usize) -> Option<Item> {
        let name_at = |index: usize| index < end && same(&tokens[index..index + 1], &self.name);
        let simple = |word: &str| tokens[at].is_ident(word) && name_at(at + 1);
        let (inside, stop, body) = match self.keyword {
            Keyword::Fn => with_body(tokens, simple("fn").then_some(at + 2)?, end)?,
            Keyword::Mod => with_body(tokens, simple("mod").then_some(at + 2)?, end)?,
            Keyword::Struct => with_body(tokens, simple("struct").then_some(at + 2)?, end)?,
            Keyword::Enum => with_body(tokens, simple("enum").then_some(at + 2)?, end)?,
            Keyword::Trait => with_body(tokens, simple("trait").then_some(at + 2)?, end)?,
            Keyword::Const => to_semicolon(tokens, simple("const").then_some(at + 2)?, end)?,
            Keyword::Static => {
                let mutable = tokens[at].is_ident("static")
                    && at + 1 < end
                    && tokens[at + 1].is_ident("mut")
                    && name_at(at + 2);
                let from = if mutable { at + 3 } else { at + 2 };
                to_semicolon(tokens, (mutable || simple("static")).then_some(from)?, end)?
            }
            Keyword::Use => {
                let found = (tokens[at].is_ident("use") && begins_item(tokens, at))
                    .then(|| to_semicolon(tokens, at + 1, end))??;
                same(&tokens[at + 1..found.1 - 1], &self.name).then_some(found)?
            }
            Keyword::Impl => {
                let found = (tokens[at].is_ident("impl") && begins_item(tokens, at))
                    .then(|| with_body(tokens, at + 1, end))??;
                let body = found.2?;
                same(&tokens[at + 1..body], &self.name).then_some(found)?
            }
            Keyword::Macro => {
                let named = tokens[at].is_ident("macro_rules")
                    && at + 1 < end
                    && tokens[at + 1].is_punct('!')
                    && name_at(at + 2);
                group_and_semicolon(tokens, named.then_some(at + 3)?, end)?
            }
            Keyword::Call => {
                let named = name_at(at) && at + 1 < end && tokens[at + 1].is_punct('!');
                group_and_semicolon(tokens, named.then_some(at + 2)?, end)?
            }
        };
        Some(Item {
            all: start(tokens, at)..stop,
            inside,
            body,
        })
    }
}

type Extent = (usize, usize, Option<usize>);

/// An item that ends with `{ … }` or `;`.
fn with_body(tokens: &[Token], from: usize, end: usize) -> Option<Extent> {
    let mut at = from;
    while at < end {
        let token = &tokens[at];
        if token.is_punct(';') {
            return Some((from, at + 1, None));
        }
        if token.is_open('{') {
            // A brace inside the signature is a const generic argument.
            let next = tokens.get(token.pair + 1);
            let argument = next.is_some_and(|t| t.is_punct('>') || t.is_punct(','));
            if !argument {
                return Some((from, token.pair + 1, Some(at)));
            }
        }
        if matches!(token.kind, Kind::Close(_)) {
            return None;
        }
        at = token.pair.max(at) + 1;
    }
    None
}

fn to_semicolon(tokens: &[Token], from: usize, end: usize) -> Option<Extent> {
    let mut at = from;
    while at < end && !matches!(tokens[at].kind, Kind::Close(_)) {
        if tokens[at].is_punct(';') {
            return Some((from, at + 1, None));
        }
        at = tokens[at].pair.max(at) + 1;
    }
    None
}

fn group_and_semicolon(tokens: &[Token], at: usize, end: usize) -> Option<Extent> {
    let token = tokens.get(at).filter(|_| at < end)?;
    let Kind::Open(bracket) = token.kind else {
        return None;
    };
    let after = token.pair + 1;
    let semicolon = after < end && tokens[after].is_punct(';');
    let body = (bracket == '{').then_some(at);
    Some((at + 1, after + usize::from(semicolon), body))
}

const QUALIFIERS: [&str; 7] = [
    "pub", "async", "unsafe", "const", "extern", "default", "auto",
];

/// Whether an item can begin at `at`: `impl` in a type or a signature does not.
fn begins_item(tokens: &[Token], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|index| &tokens[index]) else {
        return true;
    };
    match &before.kind {
        Kind::Open('{') | Kind::Close('}') | Kind::Punct(';') => true,
        // An attribute, `pub(super)`, or the repetition of a macro.
        Kind::Close(']') => attribute_at(tokens, before.pair).is_some(),
        Kind::Close(')') => before.pair > 0 && tokens[before.pair - 1].is_ident("pub"),
        Kind::Punct('*') => at >= 2 && tokens[at - 2].is_close(')'),
        Kind::Ident(word) => QUALIFIERS.contains(&word.as_str()),
        _ => false,
    }
}

/// The `#` of the attribute, inner or outer, whose `[` is at `open`.
fn attribute_at(tokens: &[Token], open: usize) -> Option<usize> {
    let inner = open >= 2 && tokens[open - 1].is_punct('!') && tokens[open - 2].is_punct('#');
    outer_attribute_at(tokens, open).or_else(|| inner.then(|| open - 2))
}

fn outer_attribute_at(tokens: &[Token], open: usize) -> Option<usize> {
    (open >= 1 && tokens[open - 1].is_punct('#')).then(|| open - 1)
}

/// The item's first token: walks back over qualifiers, then attributes.
fn start(tokens: &[Token], keyword: usize) -> usize {
    let mut first = keyword;
    while first > 0 {
        let before = &tokens[first - 1];
        first = match &before.kind {
            Kind::Ident(word) if QUALIFIERS.contains(&word.as_str()) => first - 1,
            // `extern "C"`
            Kind::Literal(_) if first >= 2 && tokens[first - 2].is_ident("extern") => first - 2,
            // `pub(super)`
            Kind::Close(')') if before.pair > 0 && tokens[before.pair - 1].is_ident("pub") => {
                before.pair - 1
            }
            // `std::thread_local!`
            Kind::Punct(':')
                if first >= 3
                    && tokens[first - 2].is_punct(':')
                    && matches!(tokens[first - 3].kind, Kind::Ident(_)) =>
            {
                first - 3
            }
            _ => break,
        };
    }
    while first > 0 && tokens[first - 1].is_close(']') {
        match outer_attribute_at(tokens, tokens[first - 1].pair) {
            Some(hash) => first = hash,
            None => break,
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use super::super::tokens::{bytes, lex};
    use super::ItemPath;

    /// The texts of the items that `path` names.
    fn found<'a>(text: &'a str, path: &str) -> Vec<&'a str> {
        let tokens = lex(text).unwrap();
        let items = ItemPath::parse(path).unwrap().find(&tokens);
        let items = items.unwrap_or_default();
        let texts = items.iter().map(|item| &text[bytes(&tokens, &item.all)]);
        texts.collect()
    }

    #[test]
    fn each_keyword() {
        let items = [
            ("fn a", "fn a<T>(x: [u8; 3]) -> Vec<T> where T: Copy { x; }"),
            ("fn b", "fn b(&self);"),
            ("mod m", "mod m;"),
            ("mod n", "mod n { mod o; }"),
            ("struct S", "struct S(u8, u16);"),
            ("struct T", "struct T<'a> { a: &'a str }"),
            ("enum E", "enum E { A, B { c: u8 } }"),
            ("trait R", "trait R: Sized { fn f() {} }"),
            (
                "macro cfg_x",
                "macro_rules! cfg_x { ($($i:item)*) => { $($i)* } }",
            ),
            ("macro y", "macro_rules! y ( () => {} );"),
            ("const C", "const C: [u8; 2] = { [1, 2] };"),
            ("static Z", "static Z: u8 = 1;"),
            ("static M", "static mut M: u8 = 1;"),
            ("use std::{io, fmt}", "use std::{io, fmt};"),
            ("call thread_local", "thread_local! { static T: u8 = 1; }"),
            ("call log", "log!(\"x\");"),
            ("impl<T> From<T> for X<T>", "impl<T> From<T> for X<T> { }"),
        ];
        let text: Vec<&str> = items.iter().map(|(_, text)| *text).collect();
        let text = text.join("\n");
        for (path, item) in items {
            assert_eq!(found(&text, path), [item], "{path}");
        }
    }

    #[test]
    fn attributes_visibility_and_qualifiers_belong_to_the_item() {
        let item =
            "/// Docs.\n#[cfg(unix)]\n#[inline]\npub(super) const unsafe extern \"C\" fn f() {}";
        let text = format!("#![allow(x)]\nuse a;\n{item}\nfn g() {{}}");
        assert_eq!(found(&text, "fn f"), [item]);
    }

    #[test]
    fn the_first_item_after_inner_attributes() {
        assert_eq!(found("#![no_std]\nuse a::b;", "use a::b"), ["use a::b;"]);
        assert_eq!(found("//! Docs.\nimpl A {}", "impl A"), ["impl A {}"]);
    }

    #[test]
    fn inside_macro_invocations() {
        let text = "cfg_net! { impl A { pub fn f() {} } }";
        assert_eq!(found(text, "impl A > fn f"), ["pub fn f() {}"]);
        assert_eq!(found(text, "call cfg_net > fn f"), ["pub fn f() {}"]);
    }

    #[test]
    fn paths_narrow_the_search() {
        let text = "impl A { fn f() { 1 } } impl B for A { fn f() { 2 } } fn f() { 3 }";
        assert_eq!(found(text, "fn f").len(), 3);
        assert_eq!(found(text, "impl B for A > fn f"), ["fn f() { 2 }"]);
        assert_eq!(
            found("mod a { mod a { fn f() {} } }", "mod a > mod a > fn f").len(),
            1
        );
    }

    #[test]
    fn a_separator_inside_generics() {
        let text = "impl < T > A < Vec < T > > { fn f() {} }";
        assert_eq!(
            found(text, "impl < T > A < Vec < T > > > fn f"),
            ["fn f() {}"]
        );
        assert_eq!(found(text, "impl<T> A<Vec<T>> > fn f"), ["fn f() {}"]);
    }

    #[test]
    fn uses_of_a_name_are_not_items() {
        let text = "fn g() -> impl A { f(); self.f(); let x: fn(u8) = f; m::c!(); impl_a! {} }";
        assert!(found(text, "fn f").is_empty());
        assert!(found(text, "impl A").is_empty());
        assert!(found("fn g(x: impl A) {}", "impl A").is_empty());
    }

    #[test]
    fn a_brace_in_a_type_is_not_the_body() {
        let text = "fn f() -> A<{ 1 + 1 }> { x }";
        assert_eq!(found(text, "fn f"), [text]);
    }

    #[test]
    fn the_segment_that_is_missing_is_named() {
        let tokens = lex("impl A { fn f() {} }").unwrap();
        let find = |path| ItemPath::parse(path).unwrap().find(&tokens).unwrap_err();
        assert_eq!(find("impl A > fn g"), "no `fn g`");
        assert_eq!(find("impl B > fn f"), "no `impl B`");
    }

    #[test]
    fn malformed_paths() {
        for path in [
            "",
            "fn",
            "function f",
            "fn f g",
            "fn f >",
            "mod a::b",
            "struct \"",
        ] {
            assert!(ItemPath::parse(path).is_err(), "{path:?}");
        }
    }
}
