//! Rules of kind `cfg`.

use port_engine::{Layout, P1};
use proptest::prelude::*;

use crate::toy::{Fixture, LIB, MANIFEST, SYS, open_rule, rule, toy};

#[test]
fn cfg_is_switched_in_sources_and_manifest() {
    let fixture = Fixture::new();
    let ported = fixture
        .apply(&toy(&open_rule("3")), Layout::Vendor)
        .unwrap();
    let lib = LIB.replace("#[cfg(not(target_env = \"p1\"))]", "#[cfg(not(any()))]");
    assert_eq!(fixture.text(&ported, "src/lib.rs"), lib);
    assert_eq!(
        fixture.text(&ported, "src/sys.rs"),
        SYS.replace("target_env = \"p1\"", "any()")
    );
    let manifest: toml::Table = fixture.text(&ported, "Cargo.toml").parse().unwrap();
    let target = manifest["target"].as_table().unwrap();
    let keys: Vec<&String> = target.keys().collect();
    assert_eq!(keys, ["cfg(all(target_os = \"wasi\", not(any())))"]);
    assert_eq!(ported.rules[0].count(), 3);
}

#[test]
fn cfg_inside_an_item_only() {
    let rest = "kind = 'cfg'\npredicate = 'target_env = \"p1\"'\nbecomes = 'any()'\n\
                files = ['src/*.rs']\nitem = 'fn open'\nmatches = 1";
    let fixture = Fixture::new();
    let ported = fixture
        .apply(&toy(&rule("one", rest)), Layout::Vendor)
        .unwrap();
    assert_eq!(fixture.text(&ported, "src/sys.rs"), SYS);
    assert!(fixture.text(&ported, "src/lib.rs").contains("not(any())"));
}

/// Two gates of the kind that upstream may or may not release.
const GATED: &str = "#[cfg(not(target_arch = \"wasm32\"))]\npub fn serve() {}\n\
                     #[cfg(target_arch = \"wasm32\")]\npub fn serve_not() {}\n";

/// A rule that opens both of them, or finds none.
fn open_both() -> String {
    let becomes = format!("all(target_arch = \"wasm32\", not({P1}))");
    rule(
        "both",
        &format!(
            "kind = 'cfg'\npredicate = 'target_arch = \"wasm32\"'\nbecomes = '{becomes}'\n\
             files = ['src/*.rs', 'src/serve/*.rs']\nmatches = '0 or 2'"
        ),
    )
}

#[test]
fn a_gate_that_may_be_there_is_opened_where_it_is() {
    let fixture = Fixture::with(&[("Cargo.toml", MANIFEST), ("src/lib.rs", GATED)]);
    let ported = fixture.apply(&toy(&open_both()), Layout::Vendor).unwrap();
    let text = fixture.text(&ported, "src/lib.rs");
    assert_eq!(text.matches("not(all(target_os").count(), 2, "{text}");
    assert_eq!(ported.rules[0].count(), 2);
}

#[test]
fn a_gate_that_is_not_there_is_no_mismatch_and_the_notice_says_so() {
    let fixture = Fixture::new();
    let ported = fixture.apply(&toy(&open_both()), Layout::Vendor).unwrap();
    assert_eq!(fixture.text(&ported, "src/lib.rs"), LIB);
    assert_eq!(ported.rules[0].count(), 0);
    let notice = fixture.text(&ported, port_engine::NOTICE_FILE);
    assert!(
        notice.contains("nothing to change in this release"),
        "{notice}"
    );
    // An edit may even lack its file.
    let rest = "kind = 'edit'\nfile = 'src/gone.rs'\nmatches = '0 or 1'\n\
                replace = { tokens = 'a', with = 'b' }";
    fixture
        .apply(&toy(&rule("edit", rest)), Layout::Vendor)
        .unwrap();
}

#[test]
fn half_of_a_gate_is_a_mismatch() {
    let half = GATED.replace("#[cfg(target_arch = \"wasm32\")]\n", "");
    let fixture = Fixture::with(&[("Cargo.toml", MANIFEST), ("src/lib.rs", &half)]);
    let mismatch = fixture.mismatch(&open_both());
    assert_eq!(mismatch.expected, "0 or 2 places");
    assert!(mismatch.found.starts_with("1 place "), "{}", mismatch.found);
}

/// A piece of Rust with the number of conditions in it; `@` stands for the predicate.
fn pieces() -> impl Strategy<Value = (&'static str, usize)> {
    prop_oneof![
        Just(("#[cfg(@)]\nmod a {}\n", 1)),
        Just((
            "#[cfg(any(unix,\n    all(x, not( @ )), @))] fn b() { let s = \"é\"; }\n",
            2
        )),
        Just((
            "#[cfg_attr(not(@), path = \"p\")] mod c { fn d() { cfg!(@) } }\n",
            2
        )),
        Just(("macro_rules! m { () => { #[cfg(@)] mod e {} } }\n", 1)),
        Just((
            "// #[cfg(target_env = \"p1\")]\n/* cfg!(target_env = \"p1\") */\n",
            0
        )),
        Just(("/// # #[cfg(target_env = \"p1\")] ü\nfn f() {}\n", 0)),
        Just(("const G: &str = r#\"#[cfg(target_env = \"p1\")]\"#;\n", 0)),
        Just(("\tfn   h  ( ) { 'x' ; b\"y\" }  \r\n\n", 0)),
    ]
}

/// The predicate as people may write it.
fn spellings() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("target_env = \"p1\""),
        Just("target_env=\"p1\""),
        Just("target_env\n  = /* env */ \"p1\""),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn exactly_the_conditions_change(
        pieces in prop::collection::vec((pieces(), spellings()), 0..12),
    ) {
        let mut upstream = String::new();
        let mut wanted = String::new();
        let mut count = 0;
        for ((piece, conditions), spelling) in pieces {
            upstream.push_str(&piece.replace('@', spelling));
            wanted.push_str(&piece.replace('@', "any()"));
            count += conditions;
        }
        let fixture = Fixture::with(&[("Cargo.toml", MANIFEST), ("src/lib.rs", &upstream)]);
        let rules = open_rule(&count.to_string()).replace(", 'Cargo.toml'", "");
        let ported = fixture.apply(&toy(&rules), Layout::Vendor).unwrap();
        prop_assert_eq!(fixture.text(&ported, "src/lib.rs"), wanted);
    }
}
