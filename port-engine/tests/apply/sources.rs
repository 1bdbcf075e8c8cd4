//! Rules of the kinds `own-file`, `append` and `edit`.

use port_engine::Layout;

use crate::toy::{Fixture, LIB, open_rule, rule, toy};

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
