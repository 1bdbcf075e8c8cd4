//! Items that a crate has twice: once for other systems, once for wasm, and alike but for
//! some words.
//!
//! `Send` is such a word: what a browser's functions give cannot be sent, so crates that
//! have those in mind leave it out there. What a host of wasip1 gives can be.

use super::condition::Condition;
use super::tokens::{Kind, Token};

/// Whether two items that follow each other are alike but for `words`, and stand under
/// conditions of which one is the other's opposite. `whole` are the conditions, with
/// where they begin and end.
pub(super) fn differ_in(
    tokens: &[Token],
    whole: &[(std::ops::Range<usize>, Condition)],
    words: &[String],
) -> bool {
    whole.windows(2).any(|pair| {
        let [(one_at, one), (other_at, other)] = pair else {
            return false;
        };
        let opposites = is_not(one, other) || is_not(other, one);
        if !opposites {
            return false;
        }
        let (Some(one), Some(other)) = (head(tokens, one_at.end), head(tokens, other_at.end))
        else {
            return false;
        };
        one != other && without(one, words) == without(other, words)
    })
}

fn is_not(one: &Condition, other: &Condition) -> bool {
    matches!(one, Condition::Not(inner) if **inner == *other)
}

/// What stands behind the condition that ends at `at`: the attributes of a `cfg_attr`, or
/// the item of a `cfg`, up to its body or its end. `None`: it is in no attribute.
fn head(tokens: &[Token], at: usize) -> Option<Vec<&Kind>> {
    let is = |at: usize, close: char| tokens.get(at).is_some_and(|token| token.is_close(close));
    let mut at = match tokens.get(at)?.is_punct(',') {
        true => at + 1,
        false if is(at, ')') && is(at + 1, ']') => at + 2,
        false => return None,
    };
    let mut found = Vec::new();
    // How many `<` are open.
    let mut depth = 0;
    while let Some(token) = tokens.get(at) {
        match token.kind {
            Kind::Open('{') | Kind::Close(_) | Kind::Punct(';') => break,
            Kind::Punct(',') if depth == 0 => break,
            Kind::Punct('<') => depth += 1,
            Kind::Punct('>') if !tokens[at - 1].is_punct('-') => depth -= 1,
            _ => {}
        }
        // What is inside of brackets belongs to it, commas too.
        let end = token.pair.max(at);
        found.extend(tokens[at..=end].iter().map(|token| &token.kind));
        at = end + 1;
    }
    Some(found)
}

/// Without the words and what joins them to others.
fn without<'a>(kinds: Vec<&'a Kind>, words: &[String]) -> Vec<&'a Kind> {
    let is_left = |kind: &&Kind| match kind {
        Kind::Ident(word) => !words.contains(word),
        Kind::Punct(punct) => !matches!(punct, '+' | ':' | '?'),
        // Of `async_trait(?Send)`.
        Kind::Open(bracket) | Kind::Close(bracket) => !matches!(bracket, '(' | ')'),
        Kind::Literal(_) => true,
    };
    kinds.into_iter().filter(is_left).collect()
}

#[cfg(test)]
mod tests {
    use super::super::cfg;
    use super::super::tokens::lex;
    use super::*;

    fn differ(text: &str) -> bool {
        let tokens = lex(text).unwrap();
        let whole = cfg::conditions(&tokens, 0..tokens.len()).into_iter();
        let whole = whole.map(|at| {
            let kinds: Vec<Kind> = tokens[at.clone()].iter().map(|t| t.kind.clone()).collect();
            (at, Condition::parse(&kinds).unwrap())
        });
        let whole: Vec<_> = whole.collect();
        differ_in(&tokens, &whole, &["Send".to_owned(), "Sync".to_owned()])
    }

    #[test]
    fn items_that_can_be_sent_on_other_systems_only() {
        for alike in [
            "#[cfg(not(web))] pub trait Maybe: Send {} #[cfg(web)] pub trait Maybe {}",
            "#[cfg(web)] type F<T> = Box<dyn Fn(T)>;\n\
             #[cfg(not(web))] type F<T> = Box<dyn Fn(T) + Send + Sync>;",
            "enum E { #[cfg(not(web))] #[error(\"a\")] A(Box<dyn Error + Send>), \
             #[cfg(web)] #[error(\"a\")] A(Box<dyn Error>), }",
            "#[cfg(not(web))] fn f<A, E: Error + Send>(e: E) -> A { a() }\n\
             #[cfg(web)] fn f<A, E: Error>(e: E) -> A { b() }",
            "#[cfg_attr(web, async_trait(?Send))] #[cfg_attr(not(web), async_trait)] impl A {}",
        ] {
            assert!(differ(alike), "{alike}");
        }
        for other in [
            "#[cfg(not(web))] pub trait Maybe {} #[cfg(web)] pub trait Maybe {}",
            "#[cfg(not(web))] pub trait Maybe: Send {} #[cfg(page)] pub trait Maybe {}",
            "#[cfg(not(web))] fn f(a: u8) -> impl Send {} #[cfg(web)] fn f() {}",
            "#[cfg(not(web))] use a::Send; #[cfg(web)] use b::Send;",
            "fn f() { if cfg!(web) { g::<Send>() } else if cfg!(not(web)) { g() } }",
        ] {
            assert!(!differ(other), "{other}");
        }
    }
}
