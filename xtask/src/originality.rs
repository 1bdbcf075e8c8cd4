//! The check that the repository holds no run of upstream source.
//!
//! Every text file of the repository is compared with every text file of the
//! upstream crates that it has to do with. Lines are compared without white
//! space and comment marks, and lines of little content (brackets, `else`) are
//! passed over on both sides, so that a copy is found however it was reformatted.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use cargo_wasmedge::port::Ports;
use cargo_wasmedge::resolve::fetch::fetch;
use semver::VersionReq;
use tools_common::Repo;

use crate::files;
use crate::test::OLDER_TOKIO;

/// So many telling lines that are the same, one after the other, are a run.
const RUN: usize = 6;

/// A line tells something from so many letters and digits on.
const TELLING: usize = 8;

/// Crates that have no port and that something of ours might be copied from.
const ALSO: [(&str, &str); 4] = [
    ("hyper", "1"),
    ("mini-redis", "0.4"),
    ("tokio-stream", "0.1"),
    ("wasmedge_wasi_socket", "0.5"),
];

/// Files that upstream has as well, with the reason.
const SHARED: [(&str, &str); 1] = [("LICENSE", "the MIT licence, which has one text")];

/// Runs that cannot be written in another way: file, first line, reason.
const ALLOWED: [(&str, &str, &str); 2] = [
    (
        "mio-wasi/overlay/source_fd.rs",
        "fn register(",
        "the signatures of mio's trait `event::Source`",
    ),
    (
        "tokio/overlay/tcp_stream_fd.rs",
        "use super::TcpStream;",
        "implements std's AsRawFd and AsFd, each one line that forwards",
    ),
];

/// A run of lines of a file of ours that upstream has too.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Copy {
    ours: String,
    line: usize,
    upstream: String,
    upstream_line: usize,
}

/// Gives how many files were compared.
///
/// # Errors
/// The copies that were found, and I/O.
pub fn check(repo: &Repo) -> Result<usize> {
    let ours = our_files(repo)?;
    let wanted: HashSet<u64> = ours
        .iter()
        .flat_map(|(_, lines)| runs(lines).map(|(_, hash)| hash))
        .collect();
    let mut upstream: HashMap<u64, (String, usize)> = HashMap::new();
    let (mut crates, mut files) = (0, 0);
    for dir in upstream_folders(repo)? {
        crates += 1;
        let name = dir
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        for path in files_in(&dir)? {
            let Some(lines) = telling_lines(&path) else {
                continue;
            };
            files += 1;
            for (line, hash) in runs(&lines).filter(|(_, hash)| wanted.contains(hash)) {
                let shown = path.strip_prefix(&dir).unwrap_or(&path).display();
                upstream
                    .entry(hash)
                    .or_insert_with(|| (format!("{name}: {shown}"), line));
            }
        }
    }
    ensure!(files > crates, "the upstream crates hold no source files");
    let message = format!(
        "{} files with {files} files of {crates} upstream crates",
        ours.len()
    );
    repo.shell.status("Compared", message);

    let found = copies(&ours, &upstream);
    let listed: Vec<String> = found
        .iter()
        .map(|copy| {
            let Copy {
                ours,
                line,
                upstream,
                upstream_line,
            } = copy;
            format!("  {ours}:{line} is {upstream}:{upstream_line}")
        })
        .collect();
    ensure!(
        found.is_empty(),
        "upstream source in the repository ({RUN} lines or more):\n{}",
        listed.join("\n")
    );
    Ok(ours.len())
}

/// The first place of each run that is on both sides.
fn copies(ours: &[(String, Lines)], upstream: &HashMap<u64, (String, usize)>) -> Vec<Copy> {
    let mut found: Vec<Copy> = Vec::new();
    for (file, lines) in ours {
        let mut within = false;
        for (line, hash) in runs(lines) {
            let there = upstream.get(&hash);
            let first = lines
                .iter()
                .find(|(at, _)| *at == line)
                .map(|(_, text)| text);
            let is_allowed = ALLOWED.iter().any(|(allowed, start, _)| {
                allowed == file && first.is_some_and(|first| *first == squeezed(start))
            });
            // A long run is found once for each of its lines.
            if let (Some((upstream, upstream_line)), false) = (there, within || is_allowed) {
                found.push(Copy {
                    ours: file.clone(),
                    line,
                    upstream: upstream.clone(),
                    upstream_line: *upstream_line,
                });
            }
            within = there.is_some();
        }
    }
    found
}

/// Number and content of the lines that tell something.
type Lines = Vec<(usize, String)>;

fn telling_lines(path: &Path) -> Option<Lines> {
    let text = String::from_utf8(std::fs::read(path).ok()?).ok()?;
    Some(telling(&text))
}

fn telling(text: &str) -> Lines {
    let mut lines = Lines::new();
    for (at, line) in text.lines().enumerate() {
        let squeezed = squeezed(line.trim().trim_start_matches(['/', '!', '*', '#']));
        if squeezed.chars().filter(|c| c.is_alphanumeric()).count() >= TELLING {
            lines.push((at + 1, squeezed));
        }
    }
    lines
}

fn squeezed(line: &str) -> String {
    line.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Every run of [`RUN`] lines: where it begins, and its hash.
fn runs(lines: &Lines) -> impl Iterator<Item = (usize, u64)> + '_ {
    lines.windows(RUN).map(|window| {
        let mut hasher = DefaultHasher::new();
        for (_, line) in window {
            line.hash(&mut hasher);
        }
        (window[0].0, hasher.finish())
    })
}

/// The text files of the repository that may hold something of upstream's.
fn our_files(repo: &Repo) -> Result<Vec<(String, Lines)>> {
    let mut files = Vec::new();
    for name in files::ours(repo)? {
        let is_shared = SHARED.iter().any(|(shared, _)| *shared == name);
        // What a link points to is listed where it is.
        let is_link = repo.root.join(&name).is_symlink();
        // Made by cargo, from what registries say.
        if is_shared || is_link || name.ends_with(".lock") {
            continue;
        }
        if let Some(lines) = telling_lines(&repo.root.join(&name)) {
            files.push((name, lines));
        }
    }
    Ok(files)
}

/// The folders of the upstream crates: the newest release that each requirement
/// allows, of tokio that of every minor release.
fn upstream_folders(repo: &Repo) -> Result<Vec<PathBuf>> {
    let ports = Ports::from_dir(&repo.root)?;
    let mut wanted: Vec<(String, VersionReq)> = Vec::new();
    for port in ports.iter() {
        for requirement in port.requirements() {
            wanted.push((port.krate().to_owned(), requirement.clone()));
        }
    }
    let minors = OLDER_TOKIO.map(|minor| ("tokio", minor));
    for (name, requirement) in minors.into_iter().chain(ALSO) {
        wanted.push((name.to_owned(), requirement.parse()?));
    }
    let cargo = repo.cargo::<&str>([]).get_program().to_owned();
    let mut folders = BTreeSet::new();
    for (name, requirement) in wanted {
        let upstream = fetch(&|| Command::new(&cargo), &name, &requirement, false)?;
        folders.insert(upstream.dir);
    }
    Ok(folders.into_iter().collect())
}

fn files_in(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut todo = vec![dir.to_owned()];
    while let Some(dir) = todo.pop() {
        let entries = dir
            .read_dir()
            .with_context(|| format!("cannot read {}", dir.display()))?;
        for entry in entries {
            let entry = entry?;
            match entry.file_type()?.is_dir() {
                true => todo.push(entry.path()),
                false => files.push(entry.path()),
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UPSTREAM: &str = "\
fn connect(address: Address) -> Result {
    let socket = Socket::open(address)?;
    if socket.is_ready() {
        return Ok(socket);
    }
    socket.wait_until_ready()?;
    socket.check_for_errors()?;
    Ok(socket)
}
fn another_function() {}
fn and_one_more() {}
";

    fn found(ours: &str) -> Vec<usize> {
        let upstream = runs(&telling(UPSTREAM))
            .map(|(line, hash)| (hash, ("upstream".to_owned(), line)))
            .collect();
        let ours = [("ours".to_owned(), telling(ours))];
        copies(&ours, &upstream)
            .iter()
            .map(|copy| copy.line)
            .collect()
    }

    #[test]
    fn a_copy_is_found_however_it_is_formatted() {
        assert_eq!(found(UPSTREAM), [1]);
        let commented: String = UPSTREAM
            .lines()
            .map(|line| format!("//   {line}\n\n"))
            .collect();
        assert_eq!(found(&commented), [1]);
        let in_a_patch = format!("body = '''\n{}'''", UPSTREAM.replace("    ", "\t"));
        assert_eq!(found(&in_a_patch), [2]);
    }

    #[test]
    fn short_runs_are_no_copy() {
        let first = |count: usize| -> String {
            UPSTREAM
                .lines()
                .take(count)
                .map(|line| format!("{line}\n"))
                .collect()
        };
        // One of the first seven lines is a bracket.
        assert_eq!(found(&format!("{}fn of_ours() {{}}\n", first(7))), [1]);
        assert_eq!(found(&format!("{}fn of_ours() {{}}\n", first(6))), [0; 0]);
        let mixed = UPSTREAM.replace("return Ok", "let other = 1;\n return Ok");
        assert_eq!(found(&mixed), [5]);
    }

    #[test]
    fn brackets_tell_nothing() {
        assert_eq!(found(&"}\n);\n} else {\n".repeat(20)), [0; 0]);
    }
}
