//! Rules that do not find what they state.

use std::path::Path;

use semver::Version;
use sha2::{Digest as _, Sha256};

use crate::toy::{Fixture, MANIFEST, listing, open_rule, rule, write};

#[test]
fn a_wrong_count_says_where_and_how_many() {
    let fixture = Fixture::new();
    let mismatch = fixture.mismatch(&open_rule("4"));
    assert_eq!(mismatch.krate, "toy");
    assert_eq!(mismatch.version, Version::new(1, 2, 3));
    assert_eq!(mismatch.rule, "open");
    assert_eq!(mismatch.expected, "4 places");
    assert!(mismatch.found.starts_with("3 places"), "{}", mismatch.found);
    assert!(
        mismatch.found.contains("1 in src/sys.rs"),
        "{}",
        mismatch.found
    );
    let text = mismatch.to_string();
    for part in [
        "toy 1.2.3",
        "`open`",
        "src/**/*.rs",
        "CONTRIBUTING.md",
        "cargo fetch",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn every_kind_fails_on_a_miss() {
    let fixture = Fixture::new();
    for (rest, file, found) in [
        (
            "kind = 'edit'\nfile = 'src/lib.rs'\nitem = 'fn gone'\nbody = '1'",
            "src/lib.rs",
            "no `fn gone`",
        ),
        (
            "kind = 'edit'\nfile = 'src/gone.rs'\nitem = 'fn f'\nbody = '1'",
            "src/gone.rs",
            "no such file",
        ),
        (
            "kind = 'append'\nfile = 'src/gone.rs'\ntext = '1'",
            "src/gone.rs",
            "no such file",
        ),
        (
            "kind = 'own-file'\nfile = 'src/gone.rs'\nfrom = 'overlay/own.rs'\nreplaces = true",
            "src/gone.rs",
            "no such file",
        ),
        (
            "kind = 'own-file'\nfile = 'src/sys.rs'\nfrom = 'overlay/own.rs'\nreplaces = false",
            "src/sys.rs",
            "one",
        ),
        (
            "kind = 'feature'\nfeature = 'gone'\nadds = ['x']",
            "Cargo.toml",
            "no such feature",
        ),
        (
            "kind = 'feature'\ndependency = 'gone'\nadds = ['x']",
            "Cargo.toml",
            "0 places",
        ),
        (
            "kind = 'edit'\nfile = 'src/lib.rs'\nitem = 'fn open'\nbody = '1'\nmatches = [{ versions = '1.3', count = 1 }]",
            "src/lib.rs",
            "none",
        ),
    ] {
        let mismatch = fixture.mismatch(&rule("miss", rest));
        assert_eq!(mismatch.rule, "miss", "{rest}");
        assert_eq!(mismatch.file, file, "{rest}");
        assert_eq!(mismatch.found, found, "{rest}");
    }
}

#[test]
fn an_altered_upstream_file_is_told_from_a_new_release() {
    let mut fixture = Fixture::new();
    let archive = packed(&fixture.upstream.dir);
    fixture.upstream.checksum = Some(format!("{:x}", Sha256::digest(&archive)));
    let registry = fixture.temp.path().join("registry");
    write(&registry.join("cache/index/toy-1.2.3.crate"), &archive);
    // Unaltered: a rule that does not hold means that upstream changed.
    let mismatch = fixture.mismatch(&open_rule("4"));
    assert_eq!(mismatch.altered.as_deref(), Some(&[][..]));
    assert!(!mismatch.to_string().contains("cargo fetch"), "{mismatch}");

    write(&fixture.upstream.dir.join("src/sys.rs"), b"mod b {}\n");
    let mismatch = fixture.mismatch(&open_rule("3"));
    assert_eq!(mismatch.rule, "open");
    assert_eq!(mismatch.altered, Some(vec!["src/sys.rs".to_string()]));
    let text = mismatch.to_string();
    assert!(
        text.contains("src/sys.rs") && text.contains("cargo fetch"),
        "{text}"
    );

    // An archive that is not the lockfile's proves nothing.
    fixture.upstream.checksum = Some("0".repeat(64));
    assert_eq!(fixture.mismatch(&open_rule("3")).altered, None);
}

/// A `.crate` of the folder, as cargo packs it.
fn packed(dir: &Path) -> Vec<u8> {
    let gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(gz);
    for (path, _) in listing(dir).into_iter().filter(|(path, _)| path.is_file()) {
        let inner = path.strip_prefix(dir).unwrap();
        if inner != Path::new(".cargo-ok") {
            let name = Path::new("toy-1.2.3").join(inner);
            tar.append_path_with_name(&path, name).unwrap();
        }
    }
    tar.into_inner().unwrap().finish().unwrap()
}

#[test]
fn malformed_rules_and_files_are_not_upstreams_fault() {
    let fixture = Fixture::with(&[
        ("Cargo.toml", MANIFEST),
        ("src/lib.rs", "fn f() { target_env( \"p1\"\n"),
    ]);
    let text = fixture.other(&open_rule("1"));
    for part in ["toy 1.2.3", "`open`", "src/lib.rs"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let append = rule("end", "kind = 'append'\nfile = 'Cargo.toml'\ntext = 'x'");
    assert!(fixture.other(&append).contains("\"dependency\""));
    let fixture = Fixture::with(&[("src/lib.rs", "")]);
    assert!(fixture.other("").contains("cargo fetch"));
}

#[test]
fn edits_that_overlap_name_the_rule_and_both_places() {
    let fixture = Fixture::with(&[
        ("Cargo.toml", MANIFEST),
        ("src/lib.rs", "fn f\nfn f\nfn f;\n"),
    ]);
    let edit = "kind = 'edit'\nfile = 'src/lib.rs'\nitem = 'fn f'\nmatches = 2\n\
                replace = { tokens = 'fn f fn f', with = 'x' }";
    let text = fixture.other(&rule("twice", edit));
    for part in [
        "`twice`",
        "src/lib.rs",
        "`fn f fn f` at line 1",
        "at line 2",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}
