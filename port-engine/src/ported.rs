//! What carrying out a port gives.

use std::path::PathBuf;

use semver::Version;
use serde::{Deserialize, Serialize};

/// How many digits of a hash folder names show.
pub(super) const HASH_SHOWN: usize = 12;

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

impl Ported {
    /// Whether the rules found nothing to change, so that upstream's own will do.
    pub fn is_unchanged(&self) -> bool {
        self.rules.iter().all(|rule| rule.count() == 0)
    }
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
