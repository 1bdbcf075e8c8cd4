//! How many places a rule must find, and for which releases.

use std::fmt;

use anyhow::{Context as _, bail};
use semver::{Version, VersionReq};

use super::error::places;

/// How many places a rule must find in one release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    /// So many.
    places: usize,
    /// Or none at all, where upstream does not have what the rule is for.
    or_none: bool,
    /// Or any other number, of a crate that nobody looked at.
    or_other: bool,
}

impl Count {
    pub const ONE: Count = Count::exactly(1);

    pub const fn exactly(places: usize) -> Count {
        Count {
            places,
            or_none: false,
            or_other: false,
        }
    }

    /// Whether that many places will do.
    pub fn allows(self, found: usize) -> bool {
        found == self.places || self.or_none && found == 0 || self.or_other
    }

    /// Reads `3`, `"0 or 3"` or `"any"`.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(value: toml::Value) -> anyhow::Result<Count> {
        let text = match value {
            toml::Value::String(text) => text,
            number => return Ok(Count::exactly(number.try_into()?)),
        };
        if text == "any" {
            return Ok(Count {
                places: 0,
                or_none: true,
                or_other: true,
            });
        }
        let places = text.strip_prefix("0 or ").and_then(|n| n.parse().ok());
        match places {
            Some(places @ 1..) => Ok(Count {
                places,
                or_none: true,
                or_other: false,
            }),
            _ => bail!(
                "`{text}` is no count: a number, \"0 or 3\" for all places or none, \
                 or \"any\""
            ),
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.or_other {
            return f.write_str("any number of places");
        }
        let or_none = if self.or_none { "0 or " } else { "" };
        write!(f, "{or_none}{}", places(self.places))
    }
}

/// The counts of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Matches {
    Always(Count),
    /// The first entry whose requirement holds.
    PerVersion(Vec<(VersionReq, Count)>),
}

impl Matches {
    pub fn for_version(&self, version: &Version) -> Option<Count> {
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
    fn none_will_do_only_where_the_count_says_so() {
        let count = |text: &str| Count::parse(text.into());
        let both = count("0 or 3").unwrap();
        let allowed: Vec<usize> = (0..6).filter(|n| both.allows(*n)).collect();
        assert_eq!(allowed, [0, 3]);
        assert_eq!(both.to_string(), "0 or 3 places");
        let any = count("any").unwrap();
        assert!((0..6).all(|n| any.allows(n)));
        let three = Count::parse(3.into()).unwrap();
        assert!(three.allows(3) && !three.allows(0));
        for text in ["3", "0 or 0", "0 or", "1 or 3", "0 or -1", "0 or 3 or 4"] {
            assert!(count(text).is_err(), "{text}");
        }
        assert!(Count::parse((-1).into()).is_err());
    }

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
