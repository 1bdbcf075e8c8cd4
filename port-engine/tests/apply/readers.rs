//! What reads: differences and lockfiles.

use port_engine::{Layout, checksum_in_lock, diff};
use semver::Version;

use crate::toy::{Fixture, open_rule, rule, toy};

#[test]
fn diff_shows_what_a_port_does() {
    let rules = open_rule("3")
        + &rule(
            "own",
            "kind = 'own-file'\nfile = 'src/ours.rs'\nfrom = 'overlay/own.rs'\nreplaces = false",
        );
    let fixture = Fixture::new();
    let ported = fixture.apply(&toy(&rules), Layout::Vendor).unwrap();
    let shown = diff(&fixture.upstream.dir, &ported.dir).unwrap();
    for line in [
        "--- a/src/lib.rs",
        "+++ b/src/lib.rs",
        "-#[cfg(not(target_env = \"p1\"))]",
        "+#[cfg(not(any()))]",
        "--- /dev/null",
        "+++ b/src/ours.rs",
        "+// ours",
        " pub fn open() -> u8 {",
    ] {
        assert!(shown.lines().any(|each| each == line), "{line}: {shown}");
    }
    for absent in ["LICENSE", ".cargo-ok", ".wasmedge-port"] {
        assert!(!shown.contains(absent), "{absent}: {shown}");
    }
    assert_eq!(diff(&ported.dir, &ported.dir).unwrap(), "");
}

#[test]
fn checksums_come_from_the_lockfile() {
    let lock = "version = 4\n[[package]]\nname = 'a'\nversion = '1.0.0'\nchecksum = 'c1'\n\
                [[package]]\nname = 'a'\nversion = '2.0.0'\nchecksum = 'c2'\n\
                [[package]]\nname = 'mine'\nversion = '1.0.0'\n";
    let of = |name, major| checksum_in_lock(lock, name, &Version::new(major, 0, 0)).unwrap();
    assert_eq!(of("a", 2).as_deref(), Some("c2"));
    assert_eq!(of("mine", 1), None);
    assert_eq!(of("b", 1), None);
    assert!(checksum_in_lock("no [ toml", "a", &Version::new(1, 0, 0)).is_err());
}
