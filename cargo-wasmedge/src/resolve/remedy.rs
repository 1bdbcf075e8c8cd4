//! Which release of a dependency of the user's does without what no port covers.
//!
//! Only a resolved graph can tell. So a throw-away package that depends on the
//! release is resolved with the user's cargo, as an update would be; nothing is
//! downloaded but what the registry's index says.

use std::time::{Duration, Instant};

use cargo_metadata::{Dependency, Package};
use semver::{Comparator, Op, Version, VersionReq};

use super::fetch::{Probe, ProbeDependency, StartCargo};
use super::versions;
use crate::error::Result;
use crate::port::Ports;

/// No question is asked after this time: the user waits for an error message.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many incompatible releases are looked at from the newest downwards.
const LINES: usize = 4;

/// What mends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Remedy {
    /// This release does, and the user's requirement allows it.
    Update(Version),
    /// These do, from the first to the newest; the user's requirement allows none.
    Require { oldest: Version, newest: Version },
    /// The newest release, this one, does not.
    None(Option<Version>),
    /// Cargo cannot tell now. Why.
    Unknown(String),
}

/// What a try of a release ends with.
enum Try {
    Works(Version),
    Fails(Option<Version>),
    Unknown(String),
}

/// What is asked.
pub(super) struct Question<'a> {
    pub(super) cargo: StartCargo<'a>,
    pub(super) offline: bool,
    pub(super) ports: &'a Ports,
    /// The user's dependency.
    pub(super) package: &'a Package,
    /// As it stands in the user's manifest.
    pub(super) declared: &'a Dependency,
    /// The crates that no port covers.
    pub(super) unsupported: &'a [&'a str],
    /// When the user began to wait.
    pub(super) since: Instant,
}

impl Question<'_> {
    /// Looks for the oldest and the newest release that do without.
    ///
    /// # Errors
    /// cargo cannot be started; I/O.
    pub(super) fn ask(&self) -> Result<Remedy> {
        if self.offline {
            return Ok(Remedy::Unknown("offline".to_owned()));
        }
        if self.is_late() {
            return Ok(Remedy::Unknown("it takes too long".to_owned()));
        }
        match self.try_out(&self.declared.req)? {
            Try::Works(version) => return Ok(Remedy::Update(version)),
            Try::Fails(_) => {}
            Try::Unknown(why) => return Ok(Remedy::Unknown(why)),
        }
        let newest = match self.try_out(&VersionReq::STAR)? {
            Try::Works(version) => version,
            Try::Fails(version) => return Ok(Remedy::None(version)),
            Try::Unknown(why) => return Ok(Remedy::Unknown(why)),
        };
        let mut oldest = newest.clone();
        for _ in 0..LINES {
            if self.is_late() {
                break;
            }
            let Try::Works(version) = self.try_out(&before(&oldest))? else {
                break;
            };
            if version <= self.package.version {
                break;
            }
            oldest = version;
        }
        Ok(Remedy::Require { oldest, newest })
    }

    fn is_late(&self) -> bool {
        self.since.elapsed() > PATIENCE
    }

    /// The newest release that meets `req`, with covered releases of the crates
    /// beside it: whoever depends on others brings a second one in, or does not
    /// resolve.
    fn try_out(&self, req: &VersionReq) -> Result<Try> {
        let name = self.package.name.as_str();
        let mut covered = Vec::new();
        for krate in self.unsupported {
            let requirements = self.ports.get(krate).map(|port| port.requirements());
            let newest = requirements.and_then(versions::newest_of);
            covered.extend(newest.map(|req| ProbeDependency::plain(krate, req)));
        }
        let declared = |features: &[String]| ProbeDependency {
            default_features: self.declared.uses_default_features,
            features: features.to_vec(),
            ..ProbeDependency::plain(name, req)
        };
        // Another release may not have the features.
        let mut tries = vec![declared(&self.declared.features)];
        if !self.declared.features.is_empty() {
            tries.push(declared(&[]));
        }
        let mut said = String::new();
        for dependency in tries {
            let dependencies = std::iter::once(dependency).chain(covered.iter().cloned());
            let probe = Probe::new(dependencies)?;
            let output = probe.generate_lockfile(self.cargo, false)?;
            if !output.status.success() {
                said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
                continue;
            }
            let locked = probe.locked_packages()?;
            let is_uncovered = |(krate, version): &&(String, Version)| {
                let port = self.ports.get(krate);
                self.unsupported.contains(&krate.as_str())
                    && port.is_some_and(|port| !port.supports(version))
            };
            let found = locked.iter().filter(|(krate, _)| krate == name);
            let found = found.map(|(_, version)| version).max().cloned();
            return Ok(
                match (found, locked.iter().any(|each| is_uncovered(&each))) {
                    (Some(version), false) => Try::Works(version),
                    (found, _) => Try::Fails(found),
                },
            );
        }
        // Alone it resolves, unless the registry is out of reach.
        let alone = Probe::new([ProbeDependency::plain(name, req)])?;
        let output = alone.generate_lockfile(self.cargo, false)?;
        if !output.status.success() {
            let line = said.lines().next().unwrap_or_default();
            return Ok(Try::Unknown(line.trim_start_matches("error: ").to_owned()));
        }
        let locked = alone.locked_packages()?;
        let found = locked.into_iter().filter(|(krate, _)| krate == name);
        Ok(Try::Fails(found.map(|(_, version)| version).max()))
    }
}

/// The releases before all that are compatible with `version`.
fn before(version: &Version) -> VersionReq {
    let (major, minor, patch) = match (version.major, version.minor) {
        (0, 0) => (0, 0, version.patch),
        (0, minor) => (0, minor, 0),
        (major, _) => (major, 0, 0),
    };
    let less = Comparator {
        op: Op::Less,
        major,
        minor: Some(minor),
        patch: Some(patch),
        pre: semver::Prerelease::EMPTY,
    };
    VersionReq {
        comparators: vec![less],
    }
}

/// A version as a manifest asks for it: `0.8`, `1`.
pub(super) fn line_of(version: &Version) -> String {
    match (version.major, version.minor) {
        (0, 0) => version.to_string(),
        (0, minor) => format!("0.{minor}"),
        (major, _) => major.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_releases_before_a_line_are_those_that_it_does_not_allow() {
        for (version, line, inside, outside) in [
            ("0.8.6", "0.8", "0.7.9", "0.8.0"),
            ("2.3.4", "2", "1.9.9", "2.0.0"),
            ("0.0.3", "0.0.3", "0.0.2", "0.0.3"),
        ] {
            let version: Version = version.parse().unwrap();
            assert_eq!(line_of(&version), line);
            assert!(line.parse::<VersionReq>().unwrap().matches(&version));
            let before = before(&version);
            assert!(before.matches(&inside.parse().unwrap()), "{before}");
            assert!(!before.matches(&outside.parse().unwrap()), "{before}");
        }
    }
}
