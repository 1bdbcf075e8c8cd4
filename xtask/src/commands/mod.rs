//! The check that every command that the documents show works.
//!
//! A document shows commands in code blocks of the kind `console`, behind `$ `. They are
//! run in the order of the document, in a folder that begins empty; a comment above a
//! block says where else its commands are checked (see [`document`]).

mod document;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use semver::VersionReq;
use tools_common::repo::quiet_environment;
use tools_common::{Repo, Tools};

use crate::files;
use document::{Block, Checked};

/// Runs the commands of all documents of the repository.
///
/// # Errors
/// A command that fails, a comment that says nothing we know, and I/O.
pub(crate) fn check(repo: &Repo) -> Result<()> {
    // All are read first: a wrong comment is told before anything is run.
    let documents = documents(repo)?;
    let tools = Tools::set_up(repo, &[VersionReq::STAR])?;
    for (name, blocks) in &documents {
        run_document(repo, &tools, name, blocks)?;
    }
    Ok(())
}

/// The documents of the repository, with their blocks of commands.
fn documents(repo: &Repo) -> Result<Vec<(String, Vec<Block>)>> {
    let mut documents = Vec::new();
    for name in files::ours(repo)? {
        if name.ends_with(".md") {
            let text = fs::read_to_string(repo.root.join(&name))
                .with_context(|| format!("cannot read {name}"))?;
            let blocks = document::blocks(&name, &text)?;
            documents.push((name, blocks));
        }
    }
    Ok(documents)
}

fn run_document(repo: &Repo, tools: &Tools, name: &str, blocks: &[Block]) -> Result<()> {
    // Not in the target folder: cargo would take the app for a member of our
    // workspace.
    let temp = tempfile::tempdir()?;
    let mut folder = temp.path().to_owned();
    let run_here = blocks.iter().filter(|block| block.checked == Checked::Run);
    for (line, command) in run_here.flat_map(|block| &block.commands) {
        folder = run(repo, tools, &folder, command)
            .with_context(|| format!("{name}:{line}: `{command}`"))?;
    }
    Ok(())
}

/// Runs a command in `folder`; gives the folder that the next one starts in.
fn run(repo: &Repo, tools: &Tools, folder: &Path, command: &str) -> Result<PathBuf> {
    let words = shlex::split(command).context("a quote is not closed")?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut process = match words[..] {
        ["cd", to] => return Ok(folder.join(to)),
        ["cargo", "wasmedge", ..] => Command::new(&tools.cargo_wasmedge),
        // README.md says that this one needs a toolchain that has the target.
        ["cargo", .., "wasm32-wasip1"] => tools.plain_cargo(tools.newest()),
        ["cargo", ..] => repo.cargo::<&str>([]),
        _ => bail!(
            "only `cd` and `cargo` are run\n  help: where is it checked? Put \
             `<!-- checked: elsewhere: REASON -->` directly above the block"
        ),
    };
    quiet_environment(&mut process);
    process.args(&words[1..]).current_dir(folder);
    repo.shell.status("Running", command);
    let output = process
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", words[0]))?;
    ensure!(
        output.status.success(),
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(folder.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_of_the_repository_are_found_and_understood() {
        let documents = documents(&Repo::open().unwrap()).unwrap();
        let readme = documents.iter().find(|(name, _)| name == "README.md");
        assert!(readme.is_some_and(|(_, blocks)| !blocks.is_empty()));
    }
}
