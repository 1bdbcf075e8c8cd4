//! How rows went: kept in a file each, so that a run of a few updates the page.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use tools_common::Repo;

use crate::cause::Cause;

/// How a row went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Class {
    /// Prints what it prints natively.
    RunsRight,
    /// Passes `cargo wasmedge check`, and was not run, or not compared.
    Checks,
    /// Runs to its end, and prints something else.
    Differs,
    /// Ends with an error, or does not end.
    FailsAtRun,
    /// Every crate compiles; the linker finds something missing.
    DoesNotLink,
    DoesNotBuild,
    DoesNotResolve,
    /// Nothing to judge: it fails natively, too.
    FailsNatively,
}

impl Class {
    /// As on the page.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Class::RunsRight => "runs right",
            Class::Checks => "passes check, not compared",
            Class::Differs => "builds, prints something else",
            Class::FailsAtRun => "fails at run",
            Class::DoesNotLink => "does not link",
            Class::DoesNotBuild => "does not build",
            Class::DoesNotResolve => "does not resolve",
            Class::FailsNatively => "fails natively, too",
        }
    }

    /// Whether `cargo wasmedge check` passes.
    pub(crate) fn checks(self) -> bool {
        !matches!(
            self,
            Class::DoesNotBuild | Class::DoesNotResolve | Class::FailsNatively
        )
    }
}

/// How a row went under one WasmEdge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) class: Class,
    /// The first line that says what is wrong, or why it was not run.
    pub(crate) error: Option<String>,
    /// A guess.
    pub(crate) cause: Option<Cause>,
}

impl Outcome {
    pub(crate) fn right() -> Outcome {
        Outcome {
            class: Class::RunsRight,
            error: None,
            cause: None,
        }
    }

    pub(crate) fn new(class: Class, error: impl Into<String>) -> Outcome {
        Outcome {
            class,
            error: Some(error.into()),
            cause: None,
        }
    }
}

/// The latest results of a row.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// The day of the latest run.
    pub(crate) day: String,
    /// The releases of what the app depends on, but for tokio.
    pub(crate) crates: BTreeMap<String, String>,
    /// How many crates are in its graph.
    pub(crate) graph: usize,
    /// What it prints natively.
    pub(crate) native: Option<String>,
    /// By the version of WasmEdge.
    pub(crate) outcomes: BTreeMap<String, Outcome>,
}

/// Where results are kept.
#[derive(Debug)]
pub(crate) struct Results {
    folder: PathBuf,
}

impl Results {
    pub(crate) fn of(repo: &Repo) -> Results {
        Results {
            folder: repo.target.join("sweep/results"),
        }
    }

    fn path(&self, row: &str) -> PathBuf {
        self.folder.join(format!("{row}.json"))
    }

    /// The latest results of a row; `None` when it never ran.
    ///
    /// # Errors
    /// When they cannot be read: delete the file, then.
    pub(crate) fn kept(&self, row: &str) -> Result<Option<Kept>> {
        let path = self.path(row);
        if !path.is_file() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path)?;
        let kept = serde_json::from_str(&text)
            .with_context(|| format!("{}: delete it", path.display()))?;
        Ok(Some(kept))
    }

    pub(crate) fn keep(&self, row: &str, kept: &Kept) -> Result<()> {
        fs::create_dir_all(&self.folder)?;
        let path = self.path(row);
        fs::write(&path, serde_json::to_string_pretty(kept)?)
            .with_context(|| format!("cannot write {}", path.display()))
    }
}
