//! Version requirements as ranges of minor releases.

use semver::{Comparator, Op, Prerelease, Version, VersionReq};

/// The requirement of the covered minor release that is nearest to `version`: of
/// two equally near ones the newer. Where any minor release of the nearest major
/// one is covered, the requirement as it stands.
pub(super) fn nearest(covered: &[VersionReq], version: &Version) -> VersionReq {
    let asked = (version.major, version.minor);
    let mut best: Option<((i128, i128), VersionReq)> = None;
    for req in covered {
        let (low, high) = minors(req);
        let near = match high {
            Some(high) if asked > high => high,
            // Without an upper bound everything from `low` on is inside.
            _ if asked >= low => asked,
            _ => low,
        };
        let rank = (-(place(near) - place(asked)).abs(), place(near));
        if best.as_ref().is_none_or(|(other, _)| rank > *other) {
            best = Some((rank, narrowed(req, near)));
        }
    }
    best.map_or(VersionReq::STAR, |(_, req)| req)
}

/// A minor release on a line on which major releases are further apart than any
/// two minor ones.
fn place((major, minor): Minor) -> i128 {
    (i128::from(major) << 32) + i128::from(minor.min(LAST_MINOR))
}

/// The requirement for one minor release of those that `req` allows.
fn narrowed(req: &VersionReq, (major, minor): Minor) -> VersionReq {
    let mut narrowed = req.clone();
    let tilde = Comparator {
        op: Op::Tilde,
        major,
        minor: Some(minor),
        patch: None,
        pre: Prerelease::EMPTY,
    };
    if minor != LAST_MINOR && !narrowed.comparators.contains(&tilde) {
        narrowed.comparators.insert(0, tilde);
    }
    narrowed
}

/// `>=1.51, <1.55` as cargo prints it, without the tilde of a bare minor.
pub(super) fn readable(req: &VersionReq) -> String {
    match req.comparators.as_slice() {
        [one] if one.op == Op::Tilde && one.patch.is_none() => match one.minor {
            Some(minor) => format!("{}.{minor}.x", one.major),
            None => format!("{}.x", one.major),
        },
        _ => req.to_string(),
    }
}

/// Major and minor number.
type Minor = (u64, u64);

/// Stands for the last minor release of a major one, whichever that is.
const LAST_MINOR: u64 = u32::MAX as u64;

/// The first minor of a requirement, and the last where there is one.
fn minors(req: &VersionReq) -> (Minor, Option<Minor>) {
    let mut low = (0, 0);
    let mut high: Option<Minor> = None;
    for each in &req.comparators {
        let at = (each.major, each.minor.unwrap_or(0));
        // The minor in front of an upper bound that excludes `at` itself.
        let before = |at: Minor| match at {
            (0, 0) => (0, 0),
            (major, 0) => (major - 1, LAST_MINOR),
            (major, minor) => (major, minor - 1),
        };
        let (from, to) = match each.op {
            Op::Exact | Op::Tilde | Op::Wildcard => {
                let whole_major = each.minor.is_none();
                (
                    Some(at),
                    Some(if whole_major { (at.0, LAST_MINOR) } else { at }),
                )
            }
            Op::Greater | Op::GreaterEq => (Some(at), None),
            Op::Less if each.patch.unwrap_or(0) == 0 => (None, Some(before(at))),
            Op::Less | Op::LessEq => (None, Some(at)),
            Op::Caret if at.0 == 0 => (Some(at), Some(at)),
            Op::Caret => (Some(at), Some((at.0, LAST_MINOR))),
            _ => (None, None),
        };
        low = from.map_or(low, |from| low.max(from));
        high = match (high, to) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nearest_of(covered: &[&str], asked: &str) -> VersionReq {
        let covered: Vec<VersionReq> = covered.iter().map(|req| req.parse().unwrap()).collect();
        nearest(&covered, &asked.parse().unwrap())
    }

    #[test]
    fn nearest_of_a_whole_major_release_is_all_of_it() {
        for covered in ["^1", ">=1.0.0, <2.0.0", "1.*"] {
            for asked in ["2.0.0", "3.7.1", "9.0.0"] {
                let found = nearest_of(&[covered], asked);
                assert!(found.matches(&Version::new(1, 8, 1)), "{covered}: {found}");
                assert!(
                    !found.matches(&asked.parse().unwrap()),
                    "{covered}: {found}"
                );
            }
        }
        let found = nearest_of(&["^1", "^4"], "3.0.0");
        assert!(found.matches(&Version::new(4, 0, 5)), "{found}");
    }
}
