//! What the crates of an app call of std that `wasm32-wasip1` has as stubs only.
//!
//! A look at the sources, not at what is compiled: a call may stand in code that
//! is never reached, or is not built for the target. Macros' output is not seen.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;

use crate::error::Result;
use crate::port::{Kind, Token, lex};

/// What can be done about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// The std facade has it.
    Facade,
    /// The host has nothing of the kind.
    None,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The file, relative to the package.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is called, such as `std::net::TcpStream::connect`.
    pub what: &'static str,
    /// What can be done about it.
    pub remedy: Remedy,
}

/// The calls, by their path.
const CALLS: [(&str, Remedy); 9] = [
    ("std::net::TcpStream::connect", Remedy::Facade),
    ("std::net::TcpStream::connect_timeout", Remedy::Facade),
    ("std::net::TcpListener::bind", Remedy::Facade),
    ("std::net::UdpSocket::bind", Remedy::Facade),
    ("std::net::ToSocketAddrs", Remedy::Facade),
    ("std::env::temp_dir", Remedy::Facade),
    ("std::thread::spawn", Remedy::None),
    ("std::thread::Builder::new", Remedy::None),
    ("std::process::Command::new", Remedy::None),
];

/// The calls in all sources of a package's folder.
///
/// # Errors
/// A file that cannot be read. One that is no Rust is left out.
pub fn package(folder: &Path) -> Result<Vec<Call>> {
    let mut calls = Vec::new();
    let sources = walkdir::WalkDir::new(folder.join("src")).sort_by_file_name();
    for entry in sources.into_iter().flatten() {
        let path = entry.path();
        if !path.is_file() || path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let failed = || format!("cannot read {}", path.display());
        let bytes = std::fs::read(path).with_context(failed)?;
        let Ok(text) = String::from_utf8(bytes) else {
            continue;
        };
        let name = path.strip_prefix(folder).unwrap_or(path);
        let name = name.to_string_lossy().replace('\\', "/");
        calls.extend(source(&name, &text));
    }
    Ok(calls)
}

/// The calls in one file.
fn source(file: &str, text: &str) -> Vec<Call> {
    // A cheap look first: most files name none of these.
    let mentions = |(what, _): &(&str, Remedy)| what.split("::").all(|part| text.contains(part));
    if !CALLS.iter().any(mentions) {
        return Vec::new();
    }
    let Ok(tokens) = lex(text) else {
        return Vec::new();
    };
    let skipped = tests(&tokens);
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    names.insert("std".to_owned(), vec!["std".to_owned()]);
    let mut paths: Vec<(Vec<String>, usize)> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if let Some(range) = skipped.iter().find(|range| range.contains(&at)) {
            at = range.end;
        } else if tokens[at].is_ident("use") {
            let mut found = Vec::new();
            let start = at;
            at = imports(&tokens, at + 1, &[], &mut found);
            for (name, path) in found {
                // A trait is called through the values that have it.
                if path.last().is_some_and(|last| last == "ToSocketAddrs") {
                    paths.push((path.clone(), start));
                }
                names.insert(name, path);
            }
        } else if let Kind::Ident(first) = &tokens[at].kind {
            let start = at;
            let mut path = vec![first.clone()];
            at += 1;
            while let Some(Kind::Ident(next)) = behind_colons(&tokens, at) {
                path.push(next.clone());
                at += 3;
            }
            paths.push((path, start));
        } else {
            at += 1;
        }
    }
    let mut calls = Vec::new();
    for (path, at) in paths {
        let Some(begin) = names.get(&path[0]) else {
            continue;
        };
        let full = [begin, &path[1..]].concat().join("::");
        if let Some((what, remedy)) = CALLS.iter().find(|(what, _)| *what == full) {
            let line = text[..tokens[at].range.start].matches('\n').count() + 1;
            calls.push(Call {
                file: file.to_owned(),
                line,
                what,
                remedy: *remedy,
            });
        }
    }
    calls.sort_by_key(|call| call.line);
    calls
}

/// The token behind `::` at `at`.
fn behind_colons(tokens: &[Token], at: usize) -> Option<&Kind> {
    let colons = tokens.get(at)?.is_punct(':') && tokens.get(at + 1)?.is_punct(':');
    colons
        .then(|| tokens.get(at + 2))
        .flatten()
        .map(|token| &token.kind)
}

/// Reads the import tree at `at`; gives where it ends. Names with their paths go
/// into `found`; only those of std.
fn imports(
    tokens: &[Token],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<(String, Vec<String>)>,
) -> usize {
    let mut path = prefix.to_vec();
    let is = |at: usize, punct: char| tokens.get(at).is_some_and(|token| token.is_punct(punct));
    while at < tokens.len() {
        match &tokens[at].kind {
            Kind::Ident(word) if word == "as" => {
                if let Some(Kind::Ident(name)) = tokens.get(at + 1).map(|token| &token.kind) {
                    add(name, &path, found);
                }
                return at + 2;
            }
            Kind::Ident(word) if word == "self" && !path.is_empty() => at += 1,
            Kind::Ident(word) => {
                path.push(word.clone());
                at += 1;
            }
            Kind::Open('{') => {
                let end = tokens[at].pair;
                at += 1;
                while at < end {
                    at = imports(tokens, at, &path, found);
                    while at < end && is(at, ',') {
                        at += 1;
                    }
                }
                return end + 1;
            }
            Kind::Punct(':') => at += 1,
            _ => break,
        }
    }
    if let Some(last) = path.last() {
        add(&last.clone(), &path, found);
    }
    // Never stands still, whatever was found.
    match is(at, ',') || tokens.get(at).is_some_and(|token| token.is_close('}')) {
        true => at,
        false => at + 1,
    }
}

fn add(name: &str, path: &[String], found: &mut Vec<(String, Vec<String>)>) {
    if path.first().is_some_and(|first| first == "std") {
        found.push((name.to_owned(), path.to_vec()));
    }
}

/// The tokens of items behind `#[cfg(test)]`.
fn tests(tokens: &[Token]) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        let attribute = tokens[at].is_punct('#')
            && tokens
                .get(at + 2)
                .is_some_and(|token| token.is_ident("cfg"))
            && tokens
                .get(at + 4)
                .is_some_and(|token| token.is_ident("test"));
        if !attribute {
            continue;
        }
        let mut end = tokens[at + 1].pair + 1;
        while end < tokens.len() && !tokens[end].is_punct(';') && !tokens[end].is_open('{') {
            end = tokens[end].pair.max(end) + 1;
        }
        end = tokens.get(end).map_or(end, |token| token.pair.max(end)) + 1;
        found.push(at..end);
    }
    found
}

#[cfg(test)]
mod unit {
    use super::*;

    fn found(text: &str) -> Vec<(usize, &'static str)> {
        let calls = source("src/lib.rs", text);
        calls.iter().map(|call| (call.line, call.what)).collect()
    }

    #[test]
    fn calls_are_found_through_every_kind_of_import() {
        let connect = "std::net::TcpStream::connect";
        for text in [
            "fn f() { std::net::TcpStream::connect(a); }",
            "use std::net::TcpStream; fn f() { TcpStream::connect(a); }",
            "use std::net; fn f() { net::TcpStream::connect(a); }",
            "use std::{fmt, net::{self, IpAddr}}; fn f() { net::TcpStream::connect(a); }",
            "use std::net::{IpAddr, TcpStream as Stream}; fn f() { Stream::connect(a); }",
            "use ::std::net::TcpStream; fn f() { TcpStream::connect(a); }",
        ] {
            assert_eq!(found(text), [(1, connect)], "{text}");
        }
        assert_eq!(
            found("use std::{env, thread};\nfn f() {\n  env::temp_dir();\n  thread::spawn(g);\n}"),
            [(3, "std::env::temp_dir"), (4, "std::thread::spawn")]
        );
        let names = "use std::net::ToSocketAddrs;\nfn f() { name.to_socket_addrs(); }";
        assert_eq!(found(names), [(1, "std::net::ToSocketAddrs")]);
    }

    #[test]
    fn what_only_looks_like_it_is_not_found() {
        for text in [
            "use tokio::net::TcpStream; fn f() { TcpStream::connect(a); }",
            "use std::net::IpAddr; use tokio::net::TcpStream; fn f() { TcpStream::connect(a); }",
            "// std::net::TcpStream::connect\nconst S: &str = \"std::env::temp_dir\";",
            "#[cfg(test)]\nmod tests { fn f() { std::env::temp_dir(); } }",
            "fn f() { my::std::env::temp_dir(); }",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
