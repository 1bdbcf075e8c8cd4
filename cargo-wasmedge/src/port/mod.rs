//! The port engine: an upstream crate and a port's rules give a ported crate.
//!
//! Contract:
//!
//! * Input is an upstream crate as cargo unpacked it ([`Upstream`]) and a
//!   [`Port`]: `port.toml` with files of ours beside it. Nothing else of
//!   upstream is stored anywhere.
//! * Every rule states how many places it must find. One that finds another
//!   number fails the whole port ([`PortError`]); nothing is written then.
//! * Matching is by tokens, editing by byte ranges: what no rule names stays as
//!   upstream wrote it, byte for byte. `Cargo.toml` is the exception: it is
//!   always given an empty `[workspace]` and lints that are all allowed.
//! * Output is a folder that appears in one step. Its name (or its stamp) has
//!   the hash of everything that it was made from, the engine included, so a
//!   second run changes nothing, and two runs at once agree.
//!
//! One file per mechanism: `rules` (the format), `source` (ports), `upstream`,
//! `support` (host layer and facades), `tokens`, `cfg`, `items`, `edit`,
//! `manifest`, `apply`, `notice`, `write`, `diff`.

mod apply;
mod cfg;
mod diff;
mod edit;
mod error;
mod items;
mod manifest;
mod notice;
mod rules;
mod source;
mod support;
mod tokens;
mod upstream;
mod write;

use std::path::PathBuf;

use semver::Version;
use serde::{Deserialize, Serialize};

pub use apply::apply;
pub use diff::diff;
pub use error::{Mismatch, PortError};
pub use notice::FILE as NOTICE_FILE;
pub use rules::SuiteHead;
pub use source::{PORT_FILE, Port, PortSource, Ports, SUITE_FILE};
#[cfg(test)]
pub(crate) use support::PACKAGES;
pub(crate) use support::STAND_IN;
pub use support::Support;
pub(crate) use tokens::{Kind, Token, lex};
pub use upstream::{Upstream, checksum_in_lock};

/// The condition that every change in a ported crate is under.
pub const P1: &str = "all(target_os = \"wasi\", target_env = \"p1\")";

/// How many digits of a hash folder names show.
const HASH_SHOWN: usize = 12;

/// How folders are named in the output folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `CRATE-VERSION-HASH/`: versions and inputs side by side, for a cache.
    Cache,
    /// `CRATE/`: for people who keep the ported crates in their repository. A
    /// folder of ours that nobody touched is replaced when the input changed.
    Vendor,
}

/// A ported crate.
#[derive(Debug, Clone)]
pub struct Ported {
    /// The upstream crate's name, which the ported crate keeps.
    pub name: String,
    /// The upstream version, which the ported crate keeps.
    pub version: Version,
    /// The folder with its `Cargo.toml`.
    pub dir: PathBuf,
    /// Hash of everything that it was made from.
    pub input: String,
    /// Whether this call made it; otherwise it was there already.
    pub fresh: bool,
    /// What each rule did, in the order in which they were carried out.
    pub rules: Vec<RuleReport>,
}

/// What one rule did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleReport {
    /// The rule's name in `port.toml`.
    pub name: String,
    /// Its reason.
    pub why: String,
    /// The files that it changed or added.
    pub places: Vec<Place>,
}

impl RuleReport {
    /// The number of places in all files.
    pub fn count(&self) -> usize {
        self.places.iter().map(|place| place.count).sum()
    }
}

/// A file that a rule changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Path in the crate.
    pub file: String,
    /// The item, where the rule names one.
    pub item: Option<String>,
    /// The number of places in it.
    pub count: usize,
}
