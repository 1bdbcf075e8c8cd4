//! Rules of the kinds `dependency` and `feature`, and what every port does to `Cargo.toml`.

use port_engine::{Layout, NOTICE_FILE, P1};

use crate::toy::{Fixture, MANIFEST, open_rule, rule, toy};

#[test]
fn manifest_stands_alone_and_is_quiet() {
    let fixture = Fixture::new();
    let ported = fixture.apply(&toy(""), Layout::Vendor).unwrap();
    let manifest: toml::Table = fixture.text(&ported, "Cargo.toml").parse().unwrap();
    assert_eq!(manifest["workspace"], toml::Table::new().into());
    let lints: toml::Table = "[rust]\nwarnings = 'allow'".parse().unwrap();
    assert_eq!(manifest["lints"], lints.into());
}

#[test]
fn what_the_root_module_denies_is_allowed() {
    let root = "#![deny(warnings)]\n\nmod sys;\n";
    let fixture = Fixture::with(&[
        ("Cargo.toml", MANIFEST),
        ("src/lib.rs", root),
        ("src/sys.rs", root),
    ]);
    let ported = fixture.apply(&toy(""), Layout::Vendor).unwrap();
    let allowed = "#![allow(warnings)]\n\nmod sys;\n";
    assert_eq!(fixture.text(&ported, "src/lib.rs"), allowed);
    assert_eq!(fixture.text(&ported, "src/sys.rs"), root);
}

#[test]
fn licence_and_origin_stay_and_a_notice_is_added() {
    let mut fixture = Fixture::new();
    fixture.upstream.checksum = Some("abc123".into());
    let ported = fixture
        .apply(&toy(&open_rule("3")), Layout::Vendor)
        .unwrap();
    assert_eq!(fixture.text(&ported, "LICENSE"), "A licence.\n");
    assert_eq!(fixture.text(&ported, ".cargo_vcs_info.json"), "{}");
    assert!(!ported.dir.join(".cargo-ok").exists());
    let notice = fixture.text(&ported, NOTICE_FILE);
    for part in [
        "toy",
        "1.2.3",
        "abc123",
        "`open`: because",
        "src/sys.rs: 1 place",
        "a toy",
    ] {
        assert!(notice.contains(part), "{part}: {notice}");
    }
}

#[test]
fn other_dependencies_and_features() {
    let rules = [
        rule("dep", "kind = 'dependency'\ncrate = 'y'\nversion = '1.5'\nfeatures = ['z']\ndefault-features = false"),
        rule("feature", "kind = 'feature'\nfeature = 'net'\nadds = ['dep:y']"),
        rule("flag", "kind = 'feature'\ndependency = 'low'\nadds = ['more']"),
    ]
    .concat();
    let fixture = Fixture::new();
    let ported = fixture.apply(&toy(&rules), Layout::Vendor).unwrap();
    let manifest: toml::Table = fixture.text(&ported, "Cargo.toml").parse().unwrap();
    let y = &manifest["target"][&format!("cfg({P1})")]["dependencies"]["y"];
    let wanted: toml::Table = "version = '1.5'\ndefault-features = false\nfeatures = ['z']"
        .parse()
        .unwrap();
    assert_eq!(y, &toml::Value::Table(wanted));
    let strings = |value: &toml::Value| -> Vec<String> { value.clone().try_into().unwrap() };
    assert_eq!(strings(&manifest["features"]["net"]), ["dep:low", "dep:y"]);
    assert_eq!(
        strings(&manifest["dependencies"]["low"]["features"]),
        ["more"]
    );
}
