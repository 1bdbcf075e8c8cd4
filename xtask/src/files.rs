//! The repository's files.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use tools_common::Repo;

/// The files that git tracks, and those that it would, by their paths in the repository.
///
/// # Errors
/// When git cannot be started, or lists none.
pub(crate) fn ours(repo: &Repo) -> Result<Vec<String>> {
    let mut git = Command::new("git");
    git.args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ])
    .current_dir(&repo.root);
    let output = git.output().context("cannot start git")?;
    ensure!(
        output.status.success(),
        "git cannot list the repository's files"
    );
    let names = String::from_utf8(output.stdout).context("a file name is not Unicode")?;
    let files: Vec<String> = names
        .split('\0')
        // What was deleted and is not committed yet is tracked still.
        .filter(|name| !name.is_empty() && repo.root.join(name).is_file())
        .map(str::to_owned)
        .collect();
    ensure!(files.len() > 20, "git lists too few files");
    Ok(files)
}
