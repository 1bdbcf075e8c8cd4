//! Rules of kind `facade`, and support crates beside the ported one.

use std::fs;

use port_engine::{Layout, P1};

use crate::toy::{Fixture, LIB, assert_dependency, rule, toy};

#[test]
fn facade_goes_to_the_end_of_the_library() {
    let rules = rule("facade", "kind = 'facade'\nfacade = 'std'");
    let fixture = Fixture::new();
    let ported = fixture.apply(&toy(&rules), Layout::Vendor).unwrap();
    let lib = fixture.text(&ported, "src/lib.rs");
    let added = lib.strip_prefix(LIB).unwrap();
    assert!(added.contains(&format!("#[cfg({P1})]")), "{added}");
    assert!(added.contains("extern crate toy_std as std;"), "{added}");
    assert_dependency(&fixture, &ported, "toy_std", "../toy_std");
}

#[test]
fn cache_layout_has_one_place_for_support_crates() {
    let rules = rule("host", "kind = 'dependency'\ncrate = 'host'");
    let fixture = Fixture::new();
    let ported = fixture.apply(&toy(&rules), Layout::Cache).unwrap();
    let folder = format!("support-{}", &fixture.support.hash()[..12]);
    let path = format!("../{folder}/host");
    assert_dependency(&fixture, &ported, "host", &path);
    let name = ported.dir.file_name().unwrap().to_str().unwrap();
    assert_eq!(name, format!("toy-1.2.3-{}", &ported.input[..12]));
    // The facades find the host layer beside them.
    let text = fs::read_to_string(fixture.out().join(&folder).join("toy_std/Cargo.toml"));
    assert!(!text.unwrap().contains("../../"));
}

#[test]
fn what_no_support_crate_is_says_so() {
    let fixture = Fixture::new();
    let facade = fixture.other(&rule("facade", "kind = 'facade'\nfacade = 'core'"));
    assert!(facade.contains("only of: libc, std"), "{facade}");
    for rest in ["crate = 'y'", "crate = 'host'\nversion = '1'"] {
        let text = fixture.other(&rule("dep", &format!("kind = 'dependency'\n{rest}")));
        assert!(
            text.contains("`version`") && text.contains("host, toy_libc, toy_std"),
            "{text}"
        );
    }
}
