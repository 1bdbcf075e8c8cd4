//! Tests of `format`.

use semver::Version;

use super::format::PortFile;
use super::matches::Count;
use super::rules::Action;

const HEAD: &str = "[port]\ncrate = \"x\"\nversions = [\"1.2\"]\nwhy = \"w\"\n";

fn parse(rule: &str) -> anyhow::Result<PortFile> {
    PortFile::parse(&format!(
        "{HEAD}[[rule]]\nname = \"a-rule\"\nwhy = \"w\"\n{rule}"
    ))
}

fn error(rule: &str) -> String {
    format!("{:#}", parse(rule).unwrap_err())
}

#[test]
fn every_kind_parses() {
    for rule in [
        "kind = 'cfg'\npredicate = 'unix'\nbecomes = 'any(unix, target_env = \"p1\")'\nfiles = ['src/**/*.rs']\nmatches = 1",
        "kind = 'facade'\nfacade = 'std'",
        "kind = 'dependency'\ncrate = 'wasmedge_wasi_socket'",
        "kind = 'dependency'\ncrate = 'y'\nversion = '1'\nfeatures = ['z']\ndefault-features = false",
        "kind = 'append'\nfile = 'src/lib.rs'\ntext = 'x'",
        "kind = 'append'\nfile = 'src/lib.rs'\nfrom = 'overlay/x.rs'",
        "kind = 'own-file'\nfile = 'src/a.rs'\nfrom = 'overlay/a.rs'\nreplaces = true",
        "kind = 'cfg'\npredicate = 'unix'\nbecomes = 'any(unix, target_env = \"p1\")'\nfiles = ['a.rs']\nitems = ['fn f', 'mod m']\nmatches = 2",
        "kind = 'own-file'\nfile = 'src/a.rs'\nfrom = 'a.rs'\nreplaces = false\nmodule = 'a'\nvisibility = 'pub'\ncfg = 'unix'",
        "kind = 'edit'\nfiles = ['src/*.rs']\nitems = ['fn f', 'fn g']\nmatches = 2\nbody = 'x'",
        "kind = 'edit'\nfile = 'src/a.rs'\nitem = 'fn f'\nbody = 'x'",
        "kind = 'edit'\nfile = 'src/a.rs'\nitem = 'fn f'\nprelude = 'x'",
        "kind = 'edit'\nfile = 'src/a.rs'\nitem = 'fn f'\nattribute = '#[x]'",
        "kind = 'edit'\nfile = 'src/a.rs'\nreplace = { tokens = 'a', with = 'b' }\nmatches = 2",
        "kind = 'feature'\nfeature = 'net'\nadds = ['dep:x']",
        "kind = 'feature'\ndependency = 'mio'\nadds = ['x']",
    ] {
        parse(rule).unwrap_or_else(|error| panic!("{rule}: {error:#}"));
    }
}

#[test]
fn unknown_keys_are_named() {
    assert!(error("kind = 'facade'\nfacade = 'std'\nfasade = 'std'").contains("fasade"));
    let port = PortFile::parse(&format!("{HEAD}whyy = 'w'\n")).unwrap_err();
    assert!(format!("{port:#}").contains("whyy"), "{port:#}");
    let kind = error("kind = 'patch'");
    assert!(kind.contains("patch"), "{kind}");
}

#[test]
fn keys_of_other_kinds_are_named() {
    let text = error("kind = 'facade'\nfacade = 'std'\nmatches = 1");
    assert!(
        text.contains("a-rule") && text.contains("`matches`"),
        "{text}"
    );
}

#[test]
fn missing_and_contradicting_keys() {
    assert!(
        error("kind = 'cfg'\nbecomes = 'any()'\nfiles = ['a']\nmatches = 1")
            .contains("`predicate`")
    );
    assert!(error("kind = 'edit'\nfile = 'a'\nitem = 'fn f'").contains("exactly one"));
    assert!(
        error("kind = 'edit'\nfile = 'a'\nitem = 'fn f'\nbody = 'x'\nprelude = 'x'")
            .contains("exactly one")
    );
    assert!(error("kind = 'edit'\nfile = 'a'\nbody = 'x'").contains("`item`"));
    assert!(error("kind = 'own-file'\nfile = 'a'\nfrom = 'b'").contains("`replaces`"));
}

#[test]
fn paths_stay_inside() {
    for path in ["../a.rs", "/a.rs", "a/../../b.rs", "", "./a.rs"] {
        let text = error(&format!("kind = 'append'\nfile = '{path}'\ntext = 'x'"));
        assert!(text.contains("`file`"), "{path}: {text}");
    }
}

#[test]
fn names_are_unique_kebab_case() {
    let twice = "kind = 'facade'\nfacade = 'std'\n[[rule]]\nname = 'a-rule'\nwhy = 'w'\nkind = 'facade'\nfacade = 'libc'";
    assert!(error(twice).contains("two rules"));
    for name in ["", "A", "a_b", "a--b", "-a"] {
        let text =
            format!("{HEAD}[[rule]]\nname = '{name}'\nwhy = 'w'\nkind = 'facade'\nfacade = 'std'");
        assert!(PortFile::parse(&text).is_err(), "{name:?}");
    }
}

#[test]
fn counts_per_version() {
    let rule = "kind = 'edit'\nfile = 'a'\nitem = 'fn f'\nbody = 'x'\nmatches = [{ versions = '>=1.2.0, <1.2.3', count = 8 }, { versions = '>=1.2.3', count = 9 }]";
    let file = parse(rule).unwrap();
    let Action::Edit(edit) = &file.rules[0].action else {
        panic!("not an edit");
    };
    let count = |version| edit.matches.for_version(&Version::parse(version).unwrap());
    assert_eq!(count("1.2.0"), Some(Count::exactly(8)));
    assert_eq!(count("1.2.2"), Some(Count::exactly(8)));
    assert_eq!(count("1.2.3"), Some(Count::exactly(9)));
    assert_eq!(count("1.1.9"), None);
}

#[test]
fn a_condition_stays_what_it_is_on_other_targets() {
    let cfg = |predicate: &str, becomes: &str| {
        parse(&format!(
            "kind = 'cfg'\nfiles = ['a']\nmatches = 1\n\
             predicate = '{predicate}'\nbecomes = '{becomes}'"
        ))
    };
    let guest = "all(target_os = \"wasi\", target_env = \"p1\")";
    cfg("unix", &format!("any(unix, {guest})")).unwrap();
    cfg("wasm", &format!("all(wasm, not({guest}))")).unwrap();
    for (predicate, becomes, told) in [
        ("unix", "any()", "target_family = \"unix\""),
        ("wasm", "all(wasm, target_os = \"unknown\")", "`wasm` holds"),
        ("wasm", "not(wasm)", "other targets"),
        (
            "unix",
            "any(unix, target_os = \"wasi\")",
            "target_os = \"wasi\"",
        ),
        ("all(unix", "unix", "`predicate`"),
        ("unix", "any(unix, b(c))", "`becomes`"),
    ] {
        let error = format!("{:#}", cfg(predicate, becomes).unwrap_err());
        assert!(error.contains(told) && error.contains("a-rule"), "{error}");
    }
}

#[test]
fn several_files_and_items_are_counted() {
    let edit = "kind = 'edit'\nbody = 'x'\n";
    for rest in [
        "files = ['a']\nitem = 'fn f'",
        "file = 'a'\nitems = ['fn f', 'fn g']",
    ] {
        assert!(error(&format!("{edit}{rest}")).contains("`matches`"));
    }
    for rest in [
        "file = 'a'\nfiles = ['a']\nitem = 'fn f'",
        "item = 'fn f'",
        "files = []\nitem = 'fn f'",
    ] {
        assert!(error(&format!("{edit}{rest}")).contains("exactly one of `file` and `files`"));
    }
    for rest in ["item = 'fn f'\nitems = ['fn f']", "items = []"] {
        let text = error(&format!("{edit}file = 'a'\n{rest}"));
        assert!(text.contains("exactly one of `item` and `items`"), "{text}");
    }
}

#[test]
fn a_module_is_declared_whole_or_not_at_all() {
    let own = |rest: &str| {
        error(&format!(
            "kind = 'own-file'\nfile = 'a.rs'\nfrom = 'b.rs'\n{rest}"
        ))
    };
    for (rest, part) in [
        ("replaces = true\nmodule = 'a'", "too much"),
        ("replaces = false\ncfg = 'unix'", "`module`"),
        ("replaces = false\nvisibility = 'pub'", "`module`"),
        ("replaces = false\nmodule = 'a b'", "no name"),
        ("replaces = false\nmodule = 'a'\ncfg = '('", "`cfg`"),
        ("replaces = false\nmodule = 'a'\nvisibility = 'x'", "`pub`"),
    ] {
        assert!(own(rest).contains(part), "{rest}: {}", own(rest));
    }
}

#[test]
fn an_unknown_key_is_told_with_those_that_are_known() {
    let text = error("kind = 'append'\nfile = 'a'\ntext = 'x'\nzzz = 1");
    assert!(
        text.contains("`zzz`") && text.contains("`name`, `why`, `kind`, `versions`, `file`"),
        "{text}"
    );
}

#[test]
fn counts_that_are_none_are_refused() {
    let cfg = "kind = 'cfg'\nfiles = ['a']\npredicate = 'x'\nbecomes = 'y'\n";
    for matches in ["'one'", "-1", "[1]", "[{ versions = '1.2' }]"] {
        let text = error(&format!("{cfg}matches = {matches}"));
        assert!(text.contains("`matches`"), "{matches}: {text}");
    }
}

#[test]
fn a_folder_is_one_on_both_sides_and_new() {
    let own = |rest: &str| error(&format!("kind = 'own-file'\n{rest}"));
    for (rest, part) in [
        (
            "file = 'a/'\nfrom = 'b.rs'\nreplaces = false",
            "ends with `/`",
        ),
        (
            "file = 'a.rs'\nfrom = 'b/'\nreplaces = false",
            "ends with `/`",
        ),
        ("file = 'a/'\nfrom = 'b/'\nreplaces = true", "are new"),
        (
            "file = 'a/'\nfrom = 'b/'\nreplaces = false\nmodule = 'a'",
            "are new",
        ),
        ("file = '/'\nfrom = '/'\nreplaces = false", "relative path"),
        (
            "file = '../'\nfrom = 'b/'\nreplaces = false",
            "relative path",
        ),
    ] {
        assert!(own(rest).contains(part), "{rest}: {}", own(rest));
    }
}
