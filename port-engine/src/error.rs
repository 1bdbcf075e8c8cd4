//! Why a port does not apply.

use std::fmt;
use std::path::{Path, PathBuf};

/// Why there is no ported crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A rule found another number of places than it states: upstream changed, or
    /// the unpacked copy was altered.
    #[error(transparent)]
    Mismatch(#[from] Box<Mismatch>),
    /// Anything else: a malformed port, a file that is not Rust, I/O.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Error::Other(error.into())
    }
}

/// Result with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A rule that does not find what it states.
#[derive(Debug, Clone)]
pub struct Mismatch {
    /// The upstream crate.
    pub krate: String,
    /// Its version.
    pub version: semver::Version,
    /// The folder of the upstream files that were read.
    pub dir: PathBuf,
    /// The rule's name in `port.toml`.
    pub rule: String,
    /// The upstream file, or the globs of a rule that looks at many files.
    pub file: String,
    /// The item inside the file, where the rule names one.
    pub item: Option<String>,
    /// What the rule states.
    pub expected: String,
    /// What the upstream crate holds.
    pub found: String,
    /// Files of the registry's copy that differ from the crate's archive.
    /// `None` when there is no archive to compare with.
    pub altered: Option<Vec<String>>,
}

impl Mismatch {
    /// One sentence: what to do now.
    pub fn help(&self) -> String {
        let refetch = format!(
            "run `rm -r {}` and then `cargo fetch`",
            shell_quoted(&self.dir)
        );
        let changed =
            "upstream changed: see CONTRIBUTING.md, \"Support a new upstream release\"".to_string();
        match &self.altered {
            Some(files) if files.is_empty() => changed,
            Some(files) => format!(
                "the unpacked copy differs from the crate's archive in {}: {refetch}",
                some_of(files)
            ),
            None => format!("{changed}; or the unpacked copy was altered: {refetch}"),
        }
    }
}

impl std::error::Error for Mismatch {}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the port of {} {} does not apply: rule `{}`, {}",
            self.krate, self.version, self.rule, self.file
        )?;
        if let Some(item) = &self.item {
            write!(f, ", `{item}`")?;
        }
        write!(
            f,
            ": expected {}, found {}\n  help: {}",
            self.expected,
            self.found,
            self.help()
        )
    }
}

fn shell_quoted(path: &Path) -> String {
    let text = path.display().to_string();
    shlex::try_quote(&text).map_or_else(|_| text.clone(), |quoted| quoted.into_owned())
}

fn some_of(files: &[String]) -> String {
    const SHOWN: usize = 3;
    let mut text = files[..files.len().min(SHOWN)].join(", ");
    if files.len() > SHOWN {
        text.push_str(&format!(" and {} more", files.len() - SHOWN));
    }
    text
}

/// What one rule reports; crate, version and rule are added later.
#[derive(Debug)]
pub(super) struct Miss {
    pub file: String,
    pub item: Option<String>,
    pub expected: String,
    pub found: String,
}

/// How carrying out one rule fails.
#[derive(Debug)]
pub(super) enum Fault {
    /// The rule does not fit this upstream crate.
    Miss(Miss),
    /// The port is malformed or a file cannot be read.
    Other(anyhow::Error),
}

impl From<Miss> for Fault {
    fn from(miss: Miss) -> Self {
        Fault::Miss(miss)
    }
}

impl From<anyhow::Error> for Fault {
    fn from(error: anyhow::Error) -> Self {
        Fault::Other(error)
    }
}

/// `1 place`, `2 places`.
pub(super) fn places(count: usize) -> String {
    format!("{count} place{}", if count == 1 { "" } else { "s" })
}
