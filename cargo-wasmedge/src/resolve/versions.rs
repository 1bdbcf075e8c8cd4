//! Arithmetic with version requirements: which can hold together, and which
//! covered release is nearest to the one that an app has.
//!
//! A requirement is looked at as the interval of releases around all versions
//! that meet it. Pre-releases count as the release that they precede. So an
//! interval may be too wide, never too narrow: "apart" is certain, and all else
//! is left to cargo.

use std::collections::BTreeSet;

use anyhow::Context as _;
use semver::{Comparator, Op, Version, VersionReq};

use crate::error::Result;

/// Major, minor and patch.
type Release = (u64, u64, u64);

/// Major and minor.
type Minor = (u64, u64);

/// The releases from the first bound on and in front of the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    from: Release,
    /// `None`: there is no end.
    to: Option<Release>,
}

impl Interval {
    const ALL: Interval = Interval {
        from: (0, 0, 0),
        to: None,
    };
    const EMPTY: Interval = Interval {
        from: (0, 0, 0),
        to: Some((0, 0, 0)),
    };

    /// The releases around all versions that meet `req`.
    pub fn of(req: &VersionReq) -> Interval {
        // `<1.0.0` lets 1.0.0-beta in where another part of the requirement names
        // a pre-release of 1.0.0.
        let with_pre = req.comparators.iter().any(|each| !each.pre.is_empty());
        let parts = req.comparators.iter().map(|each| part(each, with_pre));
        parts.fold(Interval::ALL, Interval::and)
    }

    /// Whether the release of `version` is in it.
    pub fn contains(self, version: &Version) -> bool {
        let release = (version.major, version.minor, version.patch);
        self.from <= release && self.to.is_none_or(|to| release < to)
    }

    /// Whether no version can be in both.
    pub fn is_apart(self, other: Interval) -> bool {
        self.and(other).is_empty()
    }

    fn and(self, other: Interval) -> Interval {
        let to = match (self.to, other.to) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Interval {
            from: self.from.max(other.from),
            to,
        }
    }

    fn is_empty(self) -> bool {
        self.to.is_some_and(|to| to <= self.from)
    }

    /// Its last minor release, unless there is no end. Of a major release that is in
    /// it as a whole, [`u64::MAX`] stands for the last minor one.
    fn last_minor(self) -> Option<Minor> {
        self.to.map(|to| match to {
            (0, 0, _) => (0, 0),
            (major, 0, 0) => (major - 1, u64::MAX),
            (major, minor, 0) => (major, minor - 1),
            (major, minor, _) => (major, minor),
        })
    }

    /// Of its minor releases the nearest to `asked`.
    fn nearest_minor(self, asked: Minor) -> Minor {
        let first = (self.from.0, self.from.1);
        let last = self.last_minor();
        last.map_or(asked, |last| asked.min(last)).max(first)
    }
}

/// The releases around all versions that meet one part of a requirement.
fn part(comparator: &Comparator, with_pre: bool) -> Interval {
    let (major, minor, patch) = (comparator.major, comparator.minor, comparator.patch);
    let at = (major, minor.unwrap_or(0), patch.unwrap_or(0));
    // Everything that begins with the stated numbers.
    let stated = Interval {
        from: at,
        to: match (minor, patch) {
            (Some(_), Some(_)) => after_patch(at),
            (Some(minor), None) => after_minor((major, minor)),
            (None, _) => after_major(major),
        },
    };
    let on_from = |from| Interval { from, to: None };
    let up_to = |to| Interval {
        from: (0, 0, 0),
        to,
    };
    match comparator.op {
        Op::Exact | Op::Wildcard => stated,
        Op::Greater if !with_pre => stated.to.map_or(Interval::EMPTY, on_from),
        Op::Greater | Op::GreaterEq => on_from(at),
        Op::Less if !with_pre => up_to(Some(at)),
        Op::Less | Op::LessEq => up_to(stated.to),
        Op::Tilde => Interval {
            from: at,
            to: match minor {
                Some(minor) => after_minor((major, minor)),
                None => after_major(major),
            },
        },
        Op::Caret => Interval {
            from: at,
            to: match (major, minor, patch) {
                (0, Some(0), Some(_)) => after_patch(at),
                (0, Some(minor), _) => after_minor((0, minor)),
                _ => after_major(major),
            },
        },
        // The semver crate may learn others.
        _ => Interval::ALL,
    }
}

/// The first release behind this one. The numbers carry: there are requirements
/// with the largest number there is, to say "no upper bound".
fn after_patch((major, minor, patch): Release) -> Option<Release> {
    match patch.checked_add(1) {
        Some(patch) => Some((major, minor, patch)),
        None => after_minor((major, minor)),
    }
}

fn after_minor((major, minor): Minor) -> Option<Release> {
    match minor.checked_add(1) {
        Some(minor) => Some((major, minor, 0)),
        None => after_major(major),
    }
}

fn after_major(major: u64) -> Option<Release> {
    major.checked_add(1).map(|major| (major, 0, 0))
}

/// Whether no version can meet both, as far as that is plain to see.
pub fn are_apart(a: &VersionReq, b: &VersionReq) -> bool {
    Interval::of(a).is_apart(Interval::of(b))
}

/// One requirement that holds when all do.
///
/// # Errors
/// There are more parts than the semver crate takes.
pub fn all_of(first: &VersionReq, others: &[&VersionReq]) -> Result<VersionReq> {
    let mut all: BTreeSet<String> = BTreeSet::new();
    for req in std::iter::once(first).chain(others.iter().copied()) {
        all.extend(req.comparators.iter().map(ToString::to_string));
    }
    let text = all.into_iter().collect::<Vec<_>>().join(", ");
    if text.is_empty() {
        return Ok(VersionReq::STAR);
    }
    Ok(text
        .parse()
        .with_context(|| format!("cannot combine requirements: {text}"))?)
}

/// The requirement among `covered` for the minor release that is nearest to
/// `version`, narrowed to that minor release. Of two equally near ones it is the
/// newer.
pub fn nearest(covered: &[VersionReq], version: &Version) -> VersionReq {
    let asked = (version.major, version.minor);
    let nearest = covered
        .iter()
        .map(|req| (req, Interval::of(req)))
        .filter(|(_, interval)| !interval.is_empty())
        .map(|(req, interval)| (req, interval.nearest_minor(asked)))
        .min_by_key(|(_, minor)| {
            let distance = line(*minor).abs_diff(line(asked));
            (distance, std::cmp::Reverse(*minor))
        });
    match nearest {
        // Which of a whole major release is the last, only the registry knows.
        Some((req, (_, u64::MAX))) => req.clone(),
        Some((req, minor)) => narrowed(req, minor),
        None => VersionReq::STAR,
    }
}

/// Minor releases in a line, so that they have a distance: all of a major release
/// before the first of the next.
fn line((major, minor): Minor) -> u128 {
    (u128::from(major) << u64::BITS) + u128::from(minor)
}

fn narrowed(req: &VersionReq, (major, minor): Minor) -> VersionReq {
    let mut narrowed = req.clone();
    let tilde = Comparator {
        op: Op::Tilde,
        major,
        minor: Some(minor),
        patch: None,
        pre: semver::Prerelease::EMPTY,
    };
    if !narrowed.comparators.contains(&tilde) {
        narrowed.comparators.insert(0, tilde);
    }
    narrowed
}

/// The requirement among `covered` for the newest releases.
pub fn newest_of(covered: &[VersionReq]) -> Option<&VersionReq> {
    let intervals = covered.iter().map(|req| (req, Interval::of(req)));
    let newest = intervals
        .filter(|(_, interval)| !interval.is_empty())
        .max_by_key(|(_, interval)| (interval.to.is_none(), interval.to));
    newest.map(|(req, _)| req)
}

/// The newest covered release, as a manifest would ask for it.
pub fn newest(covered: &[VersionReq]) -> String {
    let Some(req) = newest_of(covered) else {
        return VersionReq::STAR.to_string();
    };
    let interval = Interval::of(req);
    match (interval.last_minor(), req.comparators.first()) {
        (Some((major, minor)), _) if minor != u64::MAX => format!("{major}.{minor}"),
        // What is the last, only the registry knows: cargo takes it for any of these.
        (_, Some(first)) => match first.minor {
            Some(minor) => format!("{}.{minor}", first.major),
            None => first.major.to_string(),
        },
        (_, None) => req.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn req(text: &str) -> VersionReq {
        text.parse().unwrap()
    }

    fn reqs(texts: &[&str]) -> Vec<VersionReq> {
        texts.iter().map(|text| req(text)).collect()
    }

    #[test]
    fn requirements_that_no_version_can_meet_together() {
        for (a, b) in [
            ("=1.40.0", "~1.51"),
            ("<1.50", ">=1.51, <1.55"),
            ("^0.8", "^1.2"),
            ("^0.5.3", ">=0.6.3, <0.7"),
            (">=1.55", "~1.54"),
            (">1.54", "~1.54"),
        ] {
            assert!(are_apart(&req(a), &req(b)), "{a} and {b}");
            assert!(are_apart(&req(b), &req(a)), "{b} and {a}");
        }
        for (a, b) in [
            ("1", "~1.51"),
            ("1.40", "~1.51"),
            ("=1.51.3", "~1.51"),
            ("*", "~1.51"),
            ("<=1.51", "~1.51"),
            (">1.54.1", "~1.54"),
            ("0.6", ">=0.6.3, <0.7"),
        ] {
            assert!(!are_apart(&req(a), &req(b)), "{a} and {b}");
            assert!(!are_apart(&req(b), &req(a)), "{b} and {a}");
        }
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        const MAX: u64 = u64::MAX;
        for op in ["=", ">", ">=", "<", "<=", "~", "^", ""] {
            for version in [
                format!("{MAX}"),
                format!("{MAX}.{MAX}"),
                format!("{MAX}.{MAX}.{MAX}"),
                format!("1.{MAX}.{MAX}"),
                format!("0.0.{MAX}"),
                format!("0.{MAX}"),
            ] {
                let req = req(&format!("{op}{version}"));
                let inside = Version::new(1, MAX, MAX);
                assert!(Interval::of(&req).contains(&inside) || !req.matches(&inside));
                let covered = [req];
                nearest(&covered, &inside);
                newest(&covered);
            }
        }
        let last = req(&format!("<=1.2.{MAX}"));
        assert!(are_apart(&last, &req("1.3")) && !are_apart(&last, &req("1.2")));
        assert!(Interval::of(&req(&format!(">{MAX}.{MAX}.{MAX}"))).is_empty());
    }

    #[test]
    fn pre_releases_are_not_lost_at_the_bounds() {
        for (requirement, version) in [
            ("<1.0.0-beta", "1.0.0-alpha"),
            (">1.0.0-alpha", "1.0.0"),
            (">=1.0.0-alpha, <1.0.0", "1.0.0-beta"),
            (">1.0.0-alpha, <1.0.0-gamma", "1.0.0-beta"),
        ] {
            let version: Version = version.parse().unwrap();
            assert!(req(requirement).matches(&version), "{requirement}");
            let interval = Interval::of(&req(requirement));
            assert!(interval.contains(&version), "{requirement}");
        }
    }

    fn number() -> impl Strategy<Value = u64> {
        prop_oneof![4 => 0..4_u64, 1 => (u64::MAX - 1)..=u64::MAX]
    }

    fn pre() -> impl Strategy<Value = &'static str> {
        prop_oneof![4 => Just(""), 1 => Just("-0"), 1 => Just("-alpha"), 1 => Just("-beta.1")]
    }

    fn any_version() -> impl Strategy<Value = Version> {
        (number(), number(), number(), pre())
            .prop_map(|(a, b, c, pre)| format!("{a}.{b}.{c}{pre}").parse().unwrap())
    }

    fn comparator() -> impl Strategy<Value = String> {
        let op = proptest::sample::select(vec!["", "=", ">", ">=", "<", "<=", "~", "^"]);
        (op, number(), number(), number(), pre(), 0..5).prop_map(|(op, a, b, c, pre, form)| {
            match form {
                0 => format!("{op}{a}"),
                1 => format!("{op}{a}.{b}"),
                2 => format!("{a}.*"),
                _ => format!("{op}{a}.{b}.{c}{pre}"),
            }
        })
    }

    fn any_req() -> impl Strategy<Value = VersionReq> {
        proptest::collection::vec(comparator(), 1..4)
            .prop_map(|parts| parts.join(", ").parse().unwrap())
    }

    proptest! {
        #[test]
        fn every_version_that_meets_a_requirement_is_in_its_interval(
            req in any_req(),
            version in any_version(),
        ) {
            prop_assert!(!req.matches(&version) || Interval::of(&req).contains(&version));
        }

        #[test]
        fn what_one_version_meets_is_not_apart(
            a in any_req(),
            b in any_req(),
            version in any_version(),
        ) {
            prop_assert!(!(a.matches(&version) && b.matches(&version) && are_apart(&a, &b)));
        }

        #[test]
        fn the_nearest_is_covered(
            covered in proptest::collection::vec(any_req(), 1..4),
            asked in any_version(),
            version in any_version(),
        ) {
            let nearest = nearest(&covered, &asked);
            let is_covered = covered.iter().any(|req| req.matches(&version));
            let is_empty = |req: &VersionReq| Interval::of(req).is_empty();
            prop_assert!(!nearest.matches(&version) || is_covered || covered.iter().all(is_empty));
        }
    }

    #[test]
    fn combined_requirements_hold_together() {
        let both = all_of(
            &req("~1.51"),
            &[&req("1.40"), &req(">=1.51.2, <2"), &req("1.40")],
        )
        .unwrap();
        assert!(both.matches(&Version::new(1, 51, 2)));
        assert!(!both.matches(&Version::new(1, 51, 1)));
        assert!(!both.matches(&Version::new(1, 52, 2)));
        assert_eq!(all_of(&VersionReq::STAR, &[]).unwrap(), VersionReq::STAR);
    }

    #[test]
    fn nearest_of_a_list_of_minors() {
        let covered = reqs(&["~1.51", "~1.52", "~1.54"]);
        for (asked, wanted) in [
            ("1.40.0", "~1.51"),
            ("1.51.9", "~1.51"),
            ("1.53.0", "~1.54"),
            ("1.60.1", "~1.54"),
            ("0.2.25", "~1.51"),
            ("2.0.0", "~1.54"),
        ] {
            let found = nearest(&covered, &asked.parse().unwrap());
            assert_eq!(found, req(wanted), "{asked}");
        }
    }

    #[test]
    fn nearest_keeps_the_bounds_of_a_range() {
        let version = |text: &str| -> Version { text.parse().unwrap() };
        let found = nearest(&reqs(&[">=0.6.3, <0.7"]), &version("0.6.0"));
        assert!(found.matches(&version("0.6.5")) && !found.matches(&version("0.6.2")));
        assert!(!found.matches(&version("0.7.0")));
        let found = nearest(&reqs(&[">=1.51, <1.55"]), &version("1.70.0"));
        assert!(found.matches(&version("1.54.2")), "{found}");
        assert!(!found.matches(&version("1.53.2")), "{found}");
        let inside = nearest(&reqs(&[">=1.51, <1.55"]), &version("1.52.0"));
        assert!(inside.matches(&version("1.52.3")) && !inside.matches(&version("1.53.0")));
    }

    #[test]
    fn nearest_of_a_whole_major_release_is_all_of_it() {
        for covered in ["^1", ">=1.0.0, <2.0.0", "1.*"] {
            for asked in ["2.0.0", "3.7.1", "9.0.0"] {
                let asked: Version = asked.parse().unwrap();
                let found = nearest(&reqs(&[covered]), &asked);
                assert!(found.matches(&Version::new(1, 8, 1)), "{covered}: {found}");
                assert!(!found.matches(&asked), "{covered}: {found}");
            }
        }
        let found = nearest(&reqs(&["^1", "^4"]), &Version::new(3, 0, 0));
        assert!(found.matches(&Version::new(4, 0, 5)), "{found}");
    }

    #[test]
    fn the_newest_is_named_as_a_manifest_would() {
        assert_eq!(newest(&reqs(&["~1.51", "~1.54"])), "1.54");
        assert_eq!(newest(&reqs(&[">=1.51, <1.55"])), "1.54");
        assert_eq!(newest(&reqs(&["^0.5.1", ">=0.6.3, <0.7"])), "0.6");
        assert_eq!(newest(&reqs(&["^1"])), "1");
        assert_eq!(newest(&reqs(&[">=1.51"])), "1.51");
    }
}
