//! What the crates of an app call of std that `wasm32-wasip1` has as stubs only.
//!
//! A look at the sources, not at what is compiled: a call may stand in code that
//! is never reached, or that a feature leaves out. Macros' output is not seen.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cargo_metadata::Package;

use super::gated;
use crate::error::Result;
use crate::port::{Kind, Token, lex};

/// What can be done about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// The std facade has it.
    Facade,
    /// A wait that lets other tasks go on with the facade, and spins without. Libraries
    /// have it for threads, so it says something of the app's own code only.
    Waits,
    /// No call, but a type that is another one on the std facade.
    Type,
    /// The host has nothing of the kind.
    None,
}

/// What of a package is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// What its dependents compile: its library and programs, without their tests.
    Library,
    /// Tests, examples and benchmarks, too.
    Everything,
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

impl Call {
    /// What a path of [`Call::what`] stands for, in some file; `None`: nothing is known
    /// of such a path.
    pub(super) fn of(what: &str, file: String, line: usize) -> Option<Call> {
        let (what, remedy) = CALLS.iter().find(|(each, _)| *each == what).copied()?;
        Some(Call {
            file,
            line,
            what,
            remedy,
        })
    }

    /// Whether it makes or names a socket, whose type is another one on the facade: who
    /// takes it has to mean the same type.
    pub(super) fn is_of_socket(&self) -> bool {
        let mut types = CALLS.iter().filter(|(_, remedy)| *remedy == Remedy::Type);
        types.any(|(each, _)| self.what.starts_with(each))
    }
}

/// How sources are looked at, as a text: what was found in another way is stale.
pub(super) fn how() -> String {
    /// To be raised when the same sources give other calls.
    const VERSION: u32 = 1;
    format!("{VERSION} {}", CALLS.map(|(what, _)| what).join(" "))
}

/// The calls, by their path. A type stands for what is named through it.
const CALLS: [(&str, Remedy); 16] = [
    ("std::net::TcpStream::connect", Remedy::Facade),
    ("std::net::TcpStream::connect_timeout", Remedy::Facade),
    ("std::net::TcpListener::bind", Remedy::Facade),
    ("std::net::UdpSocket::bind", Remedy::Facade),
    ("std::net::ToSocketAddrs", Remedy::Facade),
    ("std::env::temp_dir", Remedy::Facade),
    ("std::env::split_paths", Remedy::Facade),
    ("std::env::join_paths", Remedy::Facade),
    ("std::thread::park", Remedy::Waits),
    ("std::thread::park_timeout", Remedy::Waits),
    ("std::thread::spawn", Remedy::None),
    ("std::thread::Builder::new", Remedy::None),
    ("std::process::Command::new", Remedy::None),
    ("std::net::TcpStream", Remedy::Type),
    ("std::net::TcpListener", Remedy::Type),
    ("std::net::UdpSocket", Remedy::Type),
];

/// The calls in the sources of a package, by file and line.
///
/// # Errors
/// A file that cannot be read. One that is no Rust is left out.
pub fn package(package: &Package, scope: Scope) -> Result<Vec<Call>> {
    let mut all = Vec::new();
    for file in files(package, scope) {
        all.extend(in_file(package, &file, scope, |_| true)?);
    }
    Ok(all)
}

/// The first call with one of these remedies. Looks no further, and closely only at files that may
/// have one.
///
/// # Errors
/// As [`package`].
pub fn first(package: &Package, scope: Scope, remedies: &[Remedy]) -> Result<Option<Call>> {
    for file in files(package, scope) {
        let calls = in_file(package, &file, scope, |other| remedies.contains(&other))?;
        if let Some(call) = calls
            .into_iter()
            .find(|call| remedies.contains(&call.remedy))
        {
            return Ok(Some(call));
        }
    }
    Ok(None)
}

/// The sources of a package.
fn files(package: &Package, scope: Scope) -> impl Iterator<Item = PathBuf> {
    let root = root(package).to_owned();
    // A folder may be inside of another one.
    let mut seen = BTreeSet::new();
    let folders = folders(package, &root, scope).into_iter();
    let entries = folders.flat_map(move |folder| {
        // A package inside of this one is looked at by itself, and what was built is
        // no source.
        let root = root.clone();
        let is_foreign = move |path: &Path| {
            path != root && (path.join("Cargo.toml").is_file() || path.ends_with("target"))
        };
        let entries = walkdir::WalkDir::new(folder).sort_by_file_name();
        entries
            .into_iter()
            .filter_entry(move |entry| !entry.file_type().is_dir() || !is_foreign(entry.path()))
            .flatten()
    });
    entries
        .map(walkdir::DirEntry::into_path)
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter(move |path| path.is_file() && seen.insert(path.clone()))
}

fn root(package: &Package) -> &Path {
    let folder = package.manifest_path.parent();
    folder.map_or(Path::new(""), |folder| folder.as_std_path())
}

fn in_file(
    package: &Package,
    path: &Path,
    scope: Scope,
    wanted: impl Fn(Remedy) -> bool,
) -> Result<Vec<Call>> {
    let failed = || format!("cannot read {}", path.display());
    let bytes = std::fs::read(path).with_context(failed)?;
    let Ok(text) = String::from_utf8(bytes) else {
        return Ok(Vec::new());
    };
    let name = path.strip_prefix(root(package)).unwrap_or(path);
    let name = name.to_string_lossy().replace('\\', "/");
    let calls = source(&name, &text, scope, wanted);
    let is_gated = !calls.is_empty() && gated::file(root(package), path, scope);
    Ok(match is_gated {
        true => Vec::new(),
        false => calls,
    })
}

/// The folders with the package's sources: those of its targets.
fn folders(package: &Package, root: &Path, scope: Scope) -> BTreeSet<PathBuf> {
    let mut folders = BTreeSet::from([root.join("src")]);
    for target in &package.targets {
        let is_built = match scope {
            Scope::Library => !target.is_test() && !target.is_example() && !target.is_bench(),
            Scope::Everything => true,
        };
        if is_built
            && !target.is_custom_build()
            && let Some(folder) = target.src_path.parent()
        {
            folders.insert(folder.as_std_path().to_owned());
        }
    }
    folders
}

/// The calls in one file, if it has one that is `wanted`.
fn source(file: &str, text: &str, scope: Scope, wanted: impl Fn(Remedy) -> bool) -> Vec<Call> {
    // A cheap look first: most files name none of these.
    let mentions = |what: &str| what.rsplit("::").all(|part| text.contains(part));
    if !CALLS
        .iter()
        .any(|(what, remedy)| wanted(*remedy) && mentions(what))
    {
        return Vec::new();
    }
    let Ok(tokens) = lex(text) else {
        return Vec::new();
    };
    let skipped = gated::ranges(&tokens, scope);
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
        let is_type = |what: &str| {
            let inner = full.strip_prefix(what);
            inner.is_some_and(|inner| inner.is_empty() || inner.starts_with("::"))
        };
        let called = CALLS.iter().find(|(what, _)| *what == full);
        let named = || {
            let mut types = CALLS.iter().filter(|(_, remedy)| *remedy == Remedy::Type);
            types.find(|(what, _)| is_type(what))
        };
        if let Some((what, remedy)) = called.or_else(named) {
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

#[cfg(test)]
mod unit {
    use super::*;

    fn found(text: &str) -> Vec<(usize, &'static str)> {
        let calls = source("src/lib.rs", text, Scope::Library, |_| true);
        let calls = calls.iter().filter(|call| call.remedy != Remedy::Type);
        calls.map(|call| (call.line, call.what)).collect()
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
    fn a_type_is_found_however_it_is_named() {
        for text in [
            "fn f(s: std::net::TcpListener) {}",
            "use std::net::TcpListener; fn f(s: TcpListener) {}",
            "use std::net; fn f() { net::TcpListener::from(fd); }",
            "cfg_net! { use std::net; fn f(s: &net::TcpListener) {} }",
        ] {
            let calls = source("src/lib.rs", text, Scope::Library, |_| true);
            let found: Vec<_> = calls.iter().map(|call| (call.what, call.remedy)).collect();
            assert_eq!(found, [("std::net::TcpListener", Remedy::Type)], "{text}");
        }
        let other = "use tokio::net::TcpListener; use std::net::IpAddr; fn f(s: TcpListener) {}";
        assert_eq!(source("src/lib.rs", other, Scope::Library, |_| true), []);
    }

    #[test]
    fn tests_count_where_everything_does() {
        let text = "#[cfg(test)]\nmod tests { fn f() { std::env::temp_dir(); } }";
        assert_eq!(source("src/lib.rs", text, Scope::Library, |_| true), []);
        assert_eq!(
            source("src/lib.rs", text, Scope::Everything, |_| true)[0].line,
            2
        );
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
