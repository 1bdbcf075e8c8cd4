//! Which releases of a crate there are, and which of them are built.
//!
//! cargo asks the registry, so the user's configuration holds. What it then keeps of the
//! registry's index is read from its cache folder.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use cargo_wasmedge::resolve::fetch::newest_release;
use crates_index::SparseIndex;
use semver::{Version, VersionReq};
use tools_common::Tools;

/// A release that the registry has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Published {
    pub(crate) version: Version,
    pub(crate) yanked: bool,
}

/// All releases, the oldest first.
///
/// # Errors
/// cargo cannot ask the registry, or keeps its index in a way that is not known here.
pub(crate) fn published(tools: &Tools, name: &str) -> Result<Vec<Published>> {
    let cargo = || Command::new(&tools.rust.cargo);
    let newest = newest_release(&cargo, name, &VersionReq::STAR, false)?;
    // A configured registry stands in a folder of its own; the one that cargo has just
    // read has the release that it found.
    let indexes = home::cargo_home()?.join("registry/index");
    for entry in
        fs::read_dir(&indexes).with_context(|| format!("cannot read {}", indexes.display()))?
    {
        // The address is for asking the registry, which is cargo's part here.
        let index = SparseIndex::at_path(entry?.path(), String::new());
        let Ok(krate) = index.crate_from_cache(name) else {
            continue;
        };
        let mut found = Vec::new();
        for release in krate.versions() {
            found.push(Published {
                version: release
                    .version()
                    .parse()
                    .with_context(|| format!("a release of {name}"))?,
                yanked: release.is_yanked(),
            });
        }
        found.sort_by(|a, b| a.version.cmp(&b.version));
        if found
            .iter()
            .any(|release| Some(&release.version) == newest.as_ref())
        {
            return Ok(found);
        }
    }
    bail!(
        "{} has no index with the releases of {name}",
        indexes.display()
    )
}

/// What is built of a crate.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) versions: Vec<Version>,
    /// Covered, and yanked: cargo refuses them to a new app.
    pub(crate) yanked: Vec<Version>,
}

impl Choice {
    /// Of each minor release the first and the last that is covered, or all of them.
    pub(crate) fn of(
        releases: &[Published],
        is_covered: impl Fn(&Version) -> bool,
        all: bool,
    ) -> Choice {
        let mut choice = Choice::default();
        let mut minors: Vec<Vec<Version>> = Vec::new();
        for release in releases
            .iter()
            .filter(|release| is_covered(&release.version))
        {
            let version = release.version.clone();
            if release.yanked {
                choice.yanked.push(version);
                continue;
            }
            let is_same =
                |other: &Version| (other.major, other.minor) == (version.major, version.minor);
            match minors.last_mut() {
                Some(minor) if is_same(&minor[0]) => minor.push(version),
                _ => minors.push(vec![version]),
            }
        }
        for mut minor in minors {
            if !all && minor.len() > 2 {
                minor.drain(1..minor.len() - 1);
            }
            choice.versions.extend(minor);
        }
        choice
    }
}

/// The requirements that no release meets which was not yanked.
pub(crate) fn without_a_release(covered: &[VersionReq], releases: &[Published]) -> Vec<VersionReq> {
    let is_met = |req: &&VersionReq| {
        releases
            .iter()
            .any(|r| !r.yanked && req.matches(&r.version))
    };
    covered.iter().filter(|req| !is_met(req)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn releases(texts: &[&str]) -> Vec<Published> {
        let release = |text: &&str| Published {
            version: text.trim_end_matches('!').parse().unwrap(),
            yanked: text.ends_with('!'),
        };
        texts.iter().map(release).collect()
    }

    fn chosen(texts: &[&str], covered: &str, all: bool) -> (Vec<String>, Vec<String>) {
        let covered: VersionReq = covered.parse().unwrap();
        let choice = Choice::of(&releases(texts), |version| covered.matches(version), all);
        let shown = |versions: Vec<Version>| versions.iter().map(Version::to_string).collect();
        (shown(choice.versions), shown(choice.yanked))
    }

    #[test]
    fn first_and_last_of_each_minor_without_what_was_yanked() {
        let all = [
            "1.0.0!", "1.0.1", "1.0.2", "1.0.3", "1.1.0", "1.2.0", "1.2.1!", "2.0.0",
        ];
        let (built, yanked) = chosen(&all, "1", false);
        assert_eq!(built, ["1.0.1", "1.0.3", "1.1.0", "1.2.0"]);
        assert_eq!(yanked, ["1.0.0", "1.2.1"]);
        let (built, _) = chosen(&all, ">=1.0.2, <1.2.0", false);
        assert_eq!(built, ["1.0.2", "1.0.3", "1.1.0"]);
        let (built, _) = chosen(&all, "1", true);
        assert_eq!(built, ["1.0.1", "1.0.2", "1.0.3", "1.1.0", "1.2.0"]);
    }

    #[test]
    fn a_claim_without_a_release_is_told() {
        let covered = ["~1.0", "~1.1", "~1.2"].map(|req| req.parse().unwrap());
        let empty = without_a_release(&covered, &releases(&["1.0.0", "1.1.0!"]));
        assert_eq!(empty, covered[1..]);
    }
}
