//! The ported crates for people who use plain cargo: a git repository with a branch for
//! each covered release of tokio, which `[patch.crates-io]` names.
//!
//! Which releases are in them is pinned ([`pins`]), so that a release can be made again. A
//! commit depends on its content and the release alone: its id is the same each time.

mod git;
pub mod pins;
mod readme;
mod tree;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use cargo_wasmedge::port::{Ports, Support};
use cargo_wasmedge::shell::Shell;
use semver::Version;

use crate::epoch::Epoch;
use pins::Pins;

/// The repository's name in the output folder.
pub const REPOSITORY: &str = "patch.git";

/// The tag that keeps a branch's commit of the release `tag`.
pub fn tag(tag: &str, branch: &str) -> String {
    format!("{tag}-{branch}")
}

/// A branch that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// `tokio-1.54`.
    pub name: String,
    /// The commit's id.
    pub commit: String,
}

/// Makes the repository in `folder`, with the ports of the checkout in `root`.
///
/// # Errors
/// A crate cannot be had or is not the pinned one, a port does not apply, or git fails.
pub fn make(
    root: &Path,
    folder: &Path,
    pins: &Pins,
    version: &Version,
    epoch: Epoch,
    shell: &Shell,
) -> Result<Vec<Branch>> {
    let ports = Ports::from_dir(root)?;
    let support = Support::from_dir(root)?;
    let cargo = || Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let mut repository = git::Repository::create(folder, &pins.branches())?;
    let mut crates = tree::Crates {
        cargo: &cargo,
        ports: &ports,
        support: &support,
        made: BTreeMap::new(),
    };
    for branch in pins.branches() {
        shell.status("Porting", format_args!("the branch {branch}"));
        let tree = tree::of_branch(&branch, pins, &mut crates)
            .with_context(|| format!("the branch {branch}"))?;
        let message = format!("{branch}: ported with cargo-wasmedge {version}\n");
        repository.add(
            &branch,
            &tag(&format!("v{version}"), &branch),
            &message,
            epoch,
            &tree,
        )?;
    }
    repository.finish()
}
