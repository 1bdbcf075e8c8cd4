//! A bare git repository, written by `git fast-import`: contents reach it as they are,
//! whatever the user's configuration and the crates' `.gitattributes` say.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::Branch;
use crate::epoch::Epoch;

/// Who made the commits: nobody's name and address, so that they are the same for all.
const AUTHOR: &str = "cargo xtask release <release@localhost>";

/// Files by path (with `/`).
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// A repository that is being written.
#[derive(Debug)]
pub(super) struct Repository {
    folder: PathBuf,
    import: Child,
    input: BufWriter<ChildStdin>,
    branches: Vec<String>,
}

impl Repository {
    /// An empty repository. The last one of `branches` is what a clone shows.
    ///
    /// # Errors
    /// git cannot be started, or cannot write there.
    pub(super) fn create(folder: &Path, branches: &[String]) -> Result<Repository> {
        let head = branches.last().context("no branches")?;
        let mut init = git();
        init.args(["init", "--quiet", "--bare", "--template="])
            .arg(format!("--initial-branch={head}"))
            .arg(folder);
        let status = init.status().context("cannot start git")?;
        ensure!(status.success(), "git cannot make {}", folder.display());
        let mut import = git()
            .arg("-C")
            .arg(folder)
            // One thread: how contents are packed does not depend on the machine.
            .args(["-c", "pack.threads=1", "fast-import", "--quiet", "--force"])
            .stdin(Stdio::piped())
            .spawn()
            .context("cannot start git")?;
        let input = import.stdin.take().expect("it is piped");
        Ok(Repository {
            folder: folder.to_owned(),
            import,
            input: BufWriter::new(input),
            branches: Vec::new(),
        })
    }

    /// Adds a branch with one commit, and a tag that names it.
    ///
    /// # Errors
    /// git no longer reads; a path that it could not take.
    pub(super) fn add(
        &mut self,
        branch: &str,
        tag: &str,
        message: &str,
        epoch: Epoch,
        files: &Files,
    ) -> Result<()> {
        let out = &mut self.input;
        let (seconds, length) = (epoch.0, message.len());
        write!(
            out,
            "commit refs/heads/{branch}\n\
             author {AUTHOR} {seconds} +0000\n\
             committer {AUTHOR} {seconds} +0000\n\
             data {length}\n{message}\n"
        )?;
        for (path, bytes) in files {
            ensure!(
                !path.contains(['\n', '"', '\\']),
                "`{path}` cannot be in a branch"
            );
            write!(out, "M 100644 inline {path}\ndata {}\n", bytes.len())?;
            out.write_all(bytes)?;
            out.write_all(b"\n")?;
        }
        write!(out, "\nreset refs/tags/{tag}\nfrom refs/heads/{branch}\n\n")?;
        self.branches.push(branch.to_owned());
        Ok(())
    }

    /// Waits until all is written.
    ///
    /// # Errors
    /// git refuses something.
    pub(super) fn finish(mut self) -> Result<Vec<Branch>> {
        self.input.flush()?;
        drop(self.input);
        let status = self.import.wait()?;
        ensure!(
            status.success(),
            "git cannot write {}",
            self.folder.display()
        );
        let mut made = Vec::new();
        for name in self.branches {
            let mut rev_parse = git();
            rev_parse.arg("-C").arg(&self.folder).args([
                "rev-parse",
                "--verify",
                &format!("refs/heads/{name}"),
            ]);
            let output = rev_parse.output()?;
            ensure!(output.status.success(), "git has no branch {name}");
            let commit = String::from_utf8(output.stdout)?.trim().to_owned();
            made.push(Branch { name, commit });
        }
        Ok(made)
    }
}

/// git, without the user's configuration and the variables that a hook would have.
fn git() -> Command {
    let mut git = Command::new("git");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GIT_") {
            git.env_remove(&name);
        }
    }
    git.env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    git
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(folder: &Path, content: &[u8], epoch: u64) -> Vec<Branch> {
        let names = ["a".to_owned(), "b".to_owned()];
        let mut repository = Repository::create(folder, &names).unwrap();
        for name in &names {
            let files = Files::from([
                ("Cargo.toml".to_owned(), content.to_vec()),
                (
                    ".gitattributes".to_owned(),
                    b"* text=auto eol=lf\n".to_vec(),
                ),
                (format!("src/{name}.rs"), b"one\r\ntwo\r\n".to_vec()),
            ]);
            let tag = format!("v1-{name}");
            repository
                .add(name, &tag, "why\n", Epoch(epoch), &files)
                .unwrap();
        }
        repository.finish().unwrap()
    }

    fn said(folder: &Path, args: &[&str]) -> String {
        let output = git().arg("-C").arg(folder).args(args).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn commits_depend_on_content_and_time_alone() {
        let temp = tempfile::tempdir().unwrap();
        let at = |name: &str| temp.path().join(name);
        let first = made(&at("1"), b"x", 1_700_000_000);
        assert_eq!(first, made(&at("2"), b"x", 1_700_000_000));
        assert_ne!(first, made(&at("3"), b"y", 1_700_000_000));
        assert_ne!(first, made(&at("4"), b"x", 1_700_000_001));
        let files = |name: &str| {
            let walk = walkdir::WalkDir::new(at(name)).sort_by_file_name();
            let files = walk.into_iter().map(|entry| entry.unwrap().into_path());
            let files = files.filter(|path| path.is_file());
            files
                .map(|path| {
                    let bytes = std::fs::read(&path).unwrap();
                    (path.strip_prefix(at(name)).unwrap().to_owned(), bytes)
                })
                .collect::<Vec<_>>()
        };
        assert!(files("1") == files("2"));
    }

    #[test]
    fn contents_are_as_they_were_and_a_tag_keeps_the_commit() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("patch.git");
        let branches = made(&folder, b"x", 1_700_000_000);
        assert_eq!(said(&folder, &["show", "a:src/a.rs"]), "one\r\ntwo\r\n");
        let tagged = said(&folder, &["rev-parse", "v1-b"]);
        assert_eq!(tagged.trim(), branches[1].commit);
        assert_eq!(said(&folder, &["symbolic-ref", "HEAD"]), "refs/heads/b\n");
        // One does not lead to the other.
        assert_eq!(said(&folder, &["rev-list", "--count", "b"]), "1\n");
    }
}
