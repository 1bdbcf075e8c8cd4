//! How many places a rule must find, and for which releases.

use anyhow::Context as _;
use semver::{Version, VersionReq};

/// How many places a rule must find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Matches {
    Always(usize),
    /// The first entry whose requirement holds.
    PerVersion(Vec<(VersionReq, usize)>),
}

impl Matches {
    pub fn for_version(&self, version: &Version) -> Option<usize> {
        match self {
            Matches::Always(count) => Some(*count),
            Matches::PerVersion(list) => list
                .iter()
                .find(|(requirement, _)| requirement.matches(version))
                .map(|(_, count)| *count),
        }
    }
}

/// A semver requirement as ports write it.
///
/// Like cargo's, except that a bare `1.2` means `~1.2`: that minor and no
/// other, because each minor release has to be tried before it is supported.
pub(super) fn requirement(text: &str) -> anyhow::Result<VersionReq> {
    let strict: Vec<String> = text
        .split(',')
        .map(str::trim)
        .map(|part| {
            if part.starts_with(|c: char| c.is_ascii_digit()) {
                format!("~{part}")
            } else {
                part.to_string()
            }
        })
        .collect();
    VersionReq::parse(&strict.join(", "))
        .with_context(|| format!("`{text}` is not a version requirement"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_minor_is_that_minor_only() {
        let holds = |req: &str, version| {
            requirement(req)
                .unwrap()
                .matches(&Version::parse(version).unwrap())
        };
        assert!(holds("1.2", "1.2.9") && !holds("1.2", "1.3.0"));
        assert!(holds("^1.2", "1.3.0"));
        assert!(holds(">=0.6.3, <0.7", "0.6.5") && !holds(">=0.6.3, <0.7", "0.6.2"));
        assert!(requirement("one").is_err());
    }
}
