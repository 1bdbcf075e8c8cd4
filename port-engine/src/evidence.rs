//! Ports by evidence: rules for crates that nobody looked at.
//!
//! Such a port names no crate. It says what speaks for one: dependencies that a crate has,
//! and conditions in its sources that the port's rules switch. What it promises:
//!
//! * Only what is compiled for the guest counts: no optional dependency that is off, none
//!   in a table that is for other systems, no condition that is as true on the guest
//!   with the rules as without.
//! * A crate that says itself what is to be on WASI is left alone, unless it is asked for.
//! * The rules are those of any port, so that every condition and its opposite stay
//!   opposites, and other targets have what upstream has.

use std::collections::BTreeSet;

use anyhow::Context as _;
use cargo_metadata::{Dependency, DependencyKind, Package};
use globset::{Glob, GlobSet, GlobSetBuilder};
use semver::{Comparator, Op, Prerelease, Version, VersionReq};
use serde::Deserialize;

use super::condition::{Condition, can_hold_on_guest, differ_on_guest};
use super::error::Result;
use super::source::{PORT_FILE, Port};
use super::target::TARGET;
use super::tokens::lex_pattern;

/// Under what name the rules of a port are kept that one by evidence goes with.
const ALSO: &str = "also.toml";

/// The head `[evidence]` of a `port.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Evidence {
    /// The port's name, and the setting's that names further crates.
    pub name: String,
    /// What is said of a crate that is taken.
    pub says: String,
    /// Crates of which it is known, whatever speaks for or against them.
    #[serde(default)]
    pub crates: Vec<String>,
    /// Dependencies (globs) that speak for it. Crates of these names are never taken.
    #[serde(default)]
    pub(super) dependencies: Vec<String>,
    /// Features that speak for it, asked of a dependency that the crate has only where a
    /// predicate of the rules holds.
    #[serde(default)]
    pub(super) features: Vec<String>,
    /// Dependencies (globs) that speak for it where the crate has them on the guest with
    /// the rules and not without.
    #[serde(default)]
    pub(super) elsewhere: Vec<String>,
    /// Words: two items that are alike but for these, and are one for a predicate of the
    /// rules and one for its opposite, speak for a crate that has a dependency in a table
    /// with such a predicate.
    #[serde(default)]
    pub(super) differ_in: Vec<String>,
    /// Predicates that speak against it.
    #[serde(default)]
    pub(super) unless: Vec<String>,
}

impl Evidence {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        names(&self.dependencies).context("in the key `dependencies`")?;
        names(&self.elsewhere).context("in the key `elsewhere`")?;
        for text in &self.unless {
            condition(text).context("in the key `unless`")?;
        }
        Ok(())
    }
}

impl Port {
    /// What speaks for a crate; `None`: it is a port of one crate.
    pub fn evidence(&self) -> Option<&Evidence> {
        self.file.evidence.as_ref()
    }

    /// Which dependency of a package speaks for it, in words. `features` are those that
    /// the package is built with, and `is_taken` says of a dependency whether it is taken:
    /// what a crate uses of that on wasm only, or on other systems only, is no longer there.
    ///
    /// # Errors
    /// None for a port that was read.
    pub fn witness(
        &self,
        package: &Package,
        features: &BTreeSet<&str>,
        is_taken: impl Fn(&str) -> bool,
    ) -> Result<Option<String>> {
        let Some(evidence) = self.evidence() else {
            return Ok(None);
        };
        let browsers = names(&evidence.dependencies)?;
        if browsers.is_match(package.name.as_str()) {
            return Ok(None);
        }
        let elsewhere = names(&evidence.elsewhere)?;
        let rules = self.switches()?;
        for dependency in &package.dependencies {
            if dependency.kind != DependencyKind::Normal || !is_on(package, dependency, features) {
                continue;
            }
            let name = &dependency.name;
            let Some(table) = table(dependency) else {
                continue;
            };
            let switched = rules.switched(&table);
            let here = can_hold_on_guest(&table);
            let is_gated = differ_on_guest(&table, &switched);
            let asked = evidence.features.iter();
            let mut asked = asked.filter(|feature| dependency.features.contains(feature));
            if here && browsers.is_match(name) {
                return Ok(Some(format!("depends on {name}")));
            }
            if here
                && is_gated
                && let Some(feature) = asked.next()
            {
                return Ok(Some(format!("asks {name} for its feature `{feature}`")));
            }
            if is_gated && here && is_taken(name) {
                return Ok(Some(format!("has {name} on wasm only, which is taken")));
            }
            let is_known = elsewhere.is_match(name) || is_taken(name);
            if !here && can_hold_on_guest(&switched) && is_known {
                return Ok(Some(format!("has {name} on other systems only")));
            }
        }
        Ok(None)
    }

    /// Whether it is worth a look at the sources of a package that no dependency speaks
    /// for: a table of its manifest has a predicate of the rules.
    ///
    /// # Errors
    /// None for a port that was read.
    pub fn may_have_twins(&self, package: &Package) -> Result<bool> {
        if self.evidence().is_none_or(|of| of.differ_in.is_empty()) {
            return Ok(false);
        }
        let rules = self.switches()?;
        let mut tables = package.dependencies.iter().filter_map(table);
        Ok(tables.any(|table| rules.concern(&table)))
    }

    /// This port for one release of a crate, together with the rules that `also` has.
    ///
    /// # Errors
    /// Both have a rule of one name.
    pub fn for_release(&self, krate: &str, version: &Version, also: Option<&Port>) -> Result<Port> {
        let mut port = self.clone();
        port.file.krate = krate.to_owned();
        port.add_release(version);
        if let Some(also) = also {
            for rule in &also.file.rules {
                let is_taken = self.file.rules.iter().any(|own| own.name == rule.name);
                if is_taken {
                    let (one, two) = (self.label(), also.label());
                    let error = anyhow::anyhow!("{one} and {two} have a rule `{}`", rule.name);
                    return Err(error.into());
                }
                port.file.rules.push(rule.clone());
            }
            let text = also.source.file(PORT_FILE)?.to_vec();
            port.source.files.insert(ALSO.to_owned(), text.into());
            port.rule_files.push(ALSO);
        }
        Ok(port)
    }

    /// Has it cover one more release.
    pub(super) fn add_release(&mut self, version: &Version) {
        let comparator = Comparator {
            op: Op::Exact,
            major: version.major,
            minor: Some(version.minor),
            patch: Some(version.patch),
            pre: Prerelease::clone(&version.pre),
        };
        self.file.versions.push(VersionReq {
            comparators: vec![comparator],
        });
    }
}

/// Whether a dependency is had with these features of the package.
fn is_on(package: &Package, dependency: &Dependency, features: &BTreeSet<&str>) -> bool {
    let name = dependency.rename.as_ref().unwrap_or(&dependency.name);
    let asks = |ask: &String| {
        ask.strip_prefix("dep:") == Some(name)
            || ask.split_once('/').is_some_and(|(of, _)| of == name)
    };
    let mut asked = package
        .features
        .iter()
        .filter(|(feature, _)| features.contains(feature.as_str()))
        .flat_map(|(_, asked)| asked);
    !dependency.optional || features.contains(name.as_str()) || asked.any(asks)
}

/// The condition of the table that a dependency is in; `None`: it is for another target.
fn table(dependency: &Dependency) -> Option<Condition> {
    match &dependency.target {
        None => Some(Condition::Fixed(true)),
        Some(target) => platform(&target.to_string()),
    }
}

/// What a key of `[target]` says.
pub(super) fn platform(key: &str) -> Option<Condition> {
    match key
        .strip_prefix("cfg(")
        .and_then(|key| key.strip_suffix(')'))
    {
        Some(text) => condition(text).ok(),
        None => (key == TARGET).then_some(Condition::Fixed(true)),
    }
}

pub(super) fn condition(text: &str) -> anyhow::Result<Condition> {
    Condition::parse(&lex_pattern(text)?)
}

fn names(globs: &[String]) -> anyhow::Result<GlobSet> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        set.add(Glob::new(glob)?);
    }
    Ok(set.build()?)
}
