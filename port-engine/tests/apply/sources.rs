//! Rules of the kinds `own-file`, `append` and `edit`.

use port_engine::{Error, Layout};

use crate::toy::{Fixture, LIB, open_rule, rule, toy, toy_with};

#[test]
fn own_files_appends_and_edits() {
    let rules = [
        // Written first, carried out last.
        rule("end", "kind = 'append'\nfile = 'src/lib.rs'\ntext = 'mod ours;'"),
        rule("own", "kind = 'own-file'\nfile = 'src/ours.rs'\nfrom = 'overlay/own.rs'\nreplaces = false"),
        rule("instead", "kind = 'own-file'\nfile = 'src/sys.rs'\nfrom = 'overlay/own.rs'\nreplaces = true"),
        rule("flavor", "kind = 'edit'\nfile = 'src/lib.rs'\nitem = 'fn flavor'\nreplace = { tokens = '2', with = '3' }"),
    ]
    .concat();
    let fixture = Fixture::new();
    let ported = fixture.apply(&toy(&rules), Layout::Vendor).unwrap();
    let lib = format!("{}\nmod ours;\n", LIB.replace("{ 2 }", "{ 3 }"));
    assert_eq!(fixture.text(&ported, "src/lib.rs"), lib);
    assert_eq!(fixture.text(&ported, "src/ours.rs"), "// ours\n");
    assert_eq!(fixture.text(&ported, "src/sys.rs"), "// ours\n");
    let order: Vec<&str> = ported.rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(order, ["flavor", "own", "instead", "end"]);
}

#[test]
fn rules_for_other_versions_are_left_out() {
    let rules = [
        rule(
            "old",
            "versions = '<1.2.3'\nkind = 'append'\nfile = 'src/lib.rs'\ntext = 'old'",
        ),
        rule(
            "new",
            "versions = '>=1.2.3'\nkind = 'append'\nfile = 'src/lib.rs'\ntext = 'new'",
        ),
    ]
    .concat();
    let fixture = Fixture::new();
    let ported = fixture.apply(&toy(&rules), Layout::Vendor).unwrap();
    assert_eq!(ported.rules.len(), 1);
    assert_eq!(ported.rules[0].name, "new");
    let count = "[{ versions = '<1.2.3', count = 9 }, { versions = '>=1.2.3', count = 3 }]";
    fixture
        .apply(&toy(&open_rule(count)), Layout::Cache)
        .unwrap();
}

#[test]
fn an_own_file_is_declared_where_upstream_declares_its_neighbours() {
    let own = |name: &str, rest: &str| {
        let text = format!("kind = 'own-file'\nfrom = 'overlay/own.rs'\nreplaces = false\n{rest}");
        rule(name, &text)
    };
    let rules = [
        own("root", "file = 'src/ours.rs'\nmodule = 'ours'"),
        own(
            "deep",
            "file = 'src/sys/wasi.rs'\nmodule = 'imp'\nvisibility = 'pub(crate)'\ncfg = 'x'",
        ),
        // Carried out before: the declaration is not lost.
        rule(
            "instead",
            "kind = 'own-file'\nfile = 'src/sys.rs'\nfrom = 'overlay/own.rs'\nreplaces = true",
        ),
    ]
    .concat();
    let fixture = Fixture::new();
    let ported = fixture.apply(&toy(&rules), Layout::Vendor).unwrap();
    let lib = format!("{LIB}\nmod ours;\n");
    assert_eq!(fixture.text(&ported, "src/lib.rs"), lib);
    assert_eq!(
        fixture.text(&ported, "src/sys.rs"),
        "// ours\n\n#[cfg(x)]\n#[path = \"wasi.rs\"]\npub(crate) mod imp;\n"
    );
    let files: Vec<&str> = ported.rules[1]
        .places
        .iter()
        .map(|p| p.file.as_str())
        .collect();
    assert_eq!(files, ["src/ours.rs", "src/lib.rs"]);

    let lost = own("lost", "file = 'src/gone/ours.rs'\nmodule = 'ours'");
    let mismatch = Fixture::new().mismatch(&lost);
    assert_eq!(mismatch.file, "src/gone/mod.rs or src/gone.rs");
}

#[test]
fn a_folder_brings_all_of_its_files() {
    let rules = rule(
        "own",
        "kind = 'own-file'\nfile = 'src/new/'\nfrom = 'own/'\nreplaces = false",
    );
    let port = |inner: &str| {
        let files = [
            ("own/mod.rs", "mod a;\n"),
            ("own/a/b.rs", inner),
            ("owner.rs", "x"),
        ];
        toy_with(&rules, &files)
    };
    let fixture = Fixture::new();
    let ported = fixture.apply(&port("// b\n"), Layout::Vendor).unwrap();
    let places = ported.rules[0].places.iter();
    let places: Vec<&str> = places.map(|place| place.file.as_str()).collect();
    assert_eq!(places, ["src/new/a/b.rs", "src/new/mod.rs"]);
    assert_eq!(fixture.text(&ported, "src/new/a/b.rs"), "// b\n");
    assert_eq!(fixture.text(&ported, "src/new/mod.rs"), "mod a;\n");

    // All that is in the folder counts as input.
    let other = Fixture::new()
        .apply(&port("// c\n"), Layout::Vendor)
        .unwrap();
    assert_ne!(other.input, ported.input);
}

#[test]
fn a_folder_takes_no_file_of_upstreams_place() {
    let rules = rule(
        "own",
        "kind = 'own-file'\nfile = 'src/'\nfrom = 'own/'\nreplaces = false",
    );
    let port = toy_with(&rules, &[("own/a.rs", ""), ("own/sys.rs", "")]);
    let fixture = Fixture::new();
    let Err(Error::Mismatch(mismatch)) = fixture.apply(&port, Layout::Vendor) else {
        panic!("upstream has a src/sys.rs");
    };
    assert_eq!(mismatch.file, "src/sys.rs");
    assert!(!fixture.out().join("toy").exists());
}

#[test]
fn one_rule_edits_several_files_and_items() {
    let rules = |matches: &str| {
        rule(
            "several",
            &format!(
                "kind = 'edit'\nfiles = ['src/*.rs']\nitems = ['fn flavor', 'mod a']\n\
                 attribute = '#[ours]'\nmatches = {matches}"
            ),
        )
    };
    let fixture = Fixture::new();
    let ported = fixture.apply(&toy(&rules("2")), Layout::Vendor).unwrap();
    assert!(
        fixture
            .text(&ported, "src/lib.rs")
            .contains("#[ours]\npub fn flavor")
    );
    assert!(
        fixture
            .text(&ported, "src/sys.rs")
            .starts_with("#[ours]\n#[cfg(any(unix")
    );
    let mismatch = Fixture::new().mismatch(&rules("3"));
    assert_eq!(
        mismatch.found,
        "2 places (1 in src/lib.rs, 1 in src/sys.rs)"
    );
    let mismatch = Fixture::new().mismatch(&rules("2").replace("'mod a'", "'mod b'"));
    assert_eq!(mismatch.found, "no `mod b`");
    let mismatch = Fixture::new().mismatch(&rules("2").replace("src/*.rs'", "src/gone.rs'"));
    assert_eq!(mismatch.found, "no such file");
}
