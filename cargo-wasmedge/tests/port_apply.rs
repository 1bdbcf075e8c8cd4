//! The port engine on small crates that the tests write themselves.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Barrier;
use std::time::SystemTime;

use cargo_wasmedge::error::{EXIT_PORT_DOES_NOT_APPLY, Error};
use cargo_wasmedge::port::{
    self, Layout, NOTICE_FILE, P1, PORT_FILE, Port, PortSource, Ported, Support, Upstream,
};
use proptest::prelude::*;
use semver::Version;
use sha2::{Digest as _, Sha256};

const MANIFEST: &str = r#"[package]
name = "toy"
version = "1.2.3"
edition = "2021"

[features]
net = ["dep:low"]

[dependencies.low]
version = "1"
optional = true

[target.'cfg(all(target_os = "wasi", not(target_env = "p1")))'.dependencies.wasi]
version = "0.2"

[lints.rust]
unused = "warn"
"#;

const LIB: &str = r#"//! A toy.
mod sys;

/// # #[cfg(target_env = "p1")]
#[cfg(not(target_env = "p1"))]
pub fn open() -> u8 {
    1 // one
}

pub fn flavor() -> u8 { 2 }
"#;

const SYS: &str =
    "#[cfg(any(unix, all(target_os = \"wasi\", not(target_env = \"p1\"))))]\nmod a {}\n";

/// An upstream crate, a place for ported ones, and the support crates.
struct Bench {
    temp: tempfile::TempDir,
    upstream: Upstream,
    support: Support,
}

impl Bench {
    fn new() -> Bench {
        Bench::with(&[
            ("Cargo.toml", MANIFEST),
            ("src/lib.rs", LIB),
            ("src/sys.rs", SYS),
            ("LICENSE", "A licence.\n"),
            (".cargo_vcs_info.json", "{}"),
            (".cargo-ok", "{\"v\":1}"),
        ])
    }

    /// An upstream crate in the folders that cargo's registry has.
    fn with(files: &[(&str, &str)]) -> Bench {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("registry/src/index/toy-1.2.3");
        for (path, text) in files {
            write(&dir.join(path), text.as_bytes());
        }
        Bench {
            upstream: Upstream {
                name: "toy".into(),
                version: Version::new(1, 2, 3),
                checksum: None,
                dir,
            },
            support: Support::embedded().unwrap(),
            temp,
        }
    }

    fn out(&self) -> PathBuf {
        self.temp.path().join("out")
    }

    fn apply(&self, port: &Port, layout: Layout) -> Result<Ported, Error> {
        port::apply(port, &self.upstream, &self.support, &self.out(), layout)
    }

    fn text(&self, ported: &Ported, path: &str) -> String {
        fs::read_to_string(ported.dir.join(path)).unwrap()
    }

    /// The error of a port that must not apply, and that nothing was written.
    fn mismatch(&self, rules: &str) -> port::Mismatch {
        let error = self.apply(&toy(rules), Layout::Vendor).unwrap_err();
        assert_eq!(error.exit_code(), EXIT_PORT_DOES_NOT_APPLY, "{error}");
        assert!(!self.out().join("toy").exists());
        let Error::Port(error) = error else {
            panic!("{error}");
        };
        *error.0
    }

    /// The text of a failure that is not about upstream.
    fn other(&self, rules: &str) -> String {
        match self.apply(&toy(rules), Layout::Vendor) {
            Err(Error::Other(error)) => format!("{error:#}"),
            other => panic!("{other:?}"),
        }
    }
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// A port of the toy with these rules; each `from = 'F'` finds a file.
fn toy(rules: &str) -> Port {
    let text = format!("[port]\ncrate = 'toy'\nversions = ['1.2']\nwhy = 'a toy'\n{rules}");
    let file = |path: &str, text: String| (path.to_string(), Cow::Owned(text.into_bytes()));
    let files = BTreeMap::from([
        file(PORT_FILE, text),
        file("overlay/own.rs", "// ours\n".into()),
    ]);
    Port::load(&PortSource {
        label: "toy".into(),
        files,
    })
    .unwrap_or_else(|error| panic!("{error:?}"))
}

fn rule(name: &str, rest: &str) -> String {
    format!("[[rule]]\nname = '{name}'\nwhy = 'because'\n{rest}\n")
}

fn open_rule(matches: &str) -> String {
    rule(
        "open",
        &format!(
            "kind = 'cfg'\npredicate = 'target_env = \"p1\"'\nbecomes = 'any()'\n\
             files = ['src/**/*.rs', 'Cargo.toml']\nmatches = {matches}"
        ),
    )
}

/// All files with content and time of change.
fn listing(dir: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    walkdir::WalkDir::new(dir)
        .into_iter()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let path = entry.path().to_path_buf();
            let bytes = fs::read(&path).unwrap_or_default();
            (path, (bytes, entry.metadata().unwrap().modified().unwrap()))
        })
        .collect()
}

#[test]
fn cfg_is_switched_in_sources_and_manifest() {
    let bench = Bench::new();
    let ported = bench.apply(&toy(&open_rule("3")), Layout::Vendor).unwrap();
    let lib = LIB.replace("#[cfg(not(target_env = \"p1\"))]", "#[cfg(not(any()))]");
    assert_eq!(bench.text(&ported, "src/lib.rs"), lib);
    assert_eq!(
        bench.text(&ported, "src/sys.rs"),
        SYS.replace("target_env = \"p1\"", "any()")
    );
    let manifest: toml::Table = bench.text(&ported, "Cargo.toml").parse().unwrap();
    let target = manifest["target"].as_table().unwrap();
    let keys: Vec<&String> = target.keys().collect();
    assert_eq!(keys, ["cfg(all(target_os = \"wasi\", not(any())))"]);
    assert_eq!(ported.rules[0].count(), 3);
}

#[test]
fn cfg_inside_an_item_only() {
    let rest = "kind = 'cfg'\npredicate = 'target_env = \"p1\"'\nbecomes = 'any()'\n\
                files = ['src/*.rs']\nitem = 'fn open'\nmatches = 1";
    let bench = Bench::new();
    let ported = bench
        .apply(&toy(&rule("one", rest)), Layout::Vendor)
        .unwrap();
    assert_eq!(bench.text(&ported, "src/sys.rs"), SYS);
    assert!(bench.text(&ported, "src/lib.rs").contains("not(any())"));
}

#[test]
fn manifest_stands_alone_and_is_quiet() {
    let bench = Bench::new();
    let ported = bench.apply(&toy(""), Layout::Vendor).unwrap();
    let manifest: toml::Table = bench.text(&ported, "Cargo.toml").parse().unwrap();
    assert_eq!(manifest["workspace"], toml::Table::new().into());
    let lints: toml::Table = "[rust]\nwarnings = 'allow'".parse().unwrap();
    assert_eq!(manifest["lints"], lints.into());
}

#[test]
fn licence_and_origin_stay_and_a_notice_is_added() {
    let mut bench = Bench::new();
    bench.upstream.checksum = Some("abc123".into());
    let ported = bench.apply(&toy(&open_rule("3")), Layout::Vendor).unwrap();
    assert_eq!(bench.text(&ported, "LICENSE"), "A licence.\n");
    assert_eq!(bench.text(&ported, ".cargo_vcs_info.json"), "{}");
    assert!(!ported.dir.join(".cargo-ok").exists());
    let notice = bench.text(&ported, NOTICE_FILE);
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
fn facade_goes_to_the_end_of_the_library() {
    let rules = rule("facade", "kind = 'facade'\nfacade = 'std'");
    let bench = Bench::new();
    let ported = bench.apply(&toy(&rules), Layout::Vendor).unwrap();
    let lib = bench.text(&ported, "src/lib.rs");
    let added = lib.strip_prefix(LIB).unwrap();
    assert!(added.contains(&format!("#[cfg({P1})]")), "{added}");
    assert!(
        added.contains("extern crate wasmedge_std as std;"),
        "{added}"
    );
    assert_dependency(&bench, &ported, "wasmedge_std", "../wasmedge_std");
}

/// The dependency for the guest has this path, and a crate is there.
fn assert_dependency(bench: &Bench, ported: &Ported, krate: &str, path: &str) {
    let manifest: toml::Table = bench.text(ported, "Cargo.toml").parse().unwrap();
    let guest = &manifest["target"][&format!("cfg({P1})")];
    assert_eq!(guest["dependencies"][krate]["path"].as_str(), Some(path));
    let text = bench.text(ported, &format!("{path}/Cargo.toml"));
    let manifest: toml::Table = text.parse().unwrap();
    assert_eq!(manifest["package"]["name"].as_str(), Some(krate));
}

#[test]
fn cache_layout_has_one_place_for_support_crates() {
    let rules = rule(
        "host",
        "kind = 'dependency'\ncrate = 'wasmedge_wasi_socket'",
    );
    let bench = Bench::new();
    let ported = bench.apply(&toy(&rules), Layout::Cache).unwrap();
    let folder = format!("support-{}", &bench.support.hash()[..12]);
    let path = format!("../{folder}/wasmedge_wasi_socket");
    assert_dependency(&bench, &ported, "wasmedge_wasi_socket", &path);
    let name = ported.dir.file_name().unwrap().to_str().unwrap();
    assert_eq!(name, format!("toy-1.2.3-{}", &ported.input[..12]));
    // The facades find the host layer beside them.
    let text = fs::read_to_string(bench.out().join(&folder).join("wasmedge_std/Cargo.toml"));
    assert!(!text.unwrap().contains("../../"));
}

#[test]
fn support_crates_resolve_as_packages() {
    let bench = Bench::new();
    let dir = bench.support.unpack(&bench.out(), Layout::Vendor).unwrap();
    for package in [
        "wasmedge_wasi_socket",
        "wasmedge_std",
        "wasmedge_libc",
        "wasmedge_random",
    ] {
        let out = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()))
            // What they depend on may have to be fetched.
            .args(["metadata", "--format-version=1", "--manifest-path"])
            .arg(dir.join(package).join("Cargo.toml"))
            .output()
            .unwrap();
        assert!(
            out.status.success(),
            "{}",
            String::from_utf8_lossy(&out.stderr)
        );
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
    let bench = Bench::new();
    let ported = bench.apply(&toy(&rules), Layout::Vendor).unwrap();
    let manifest: toml::Table = bench.text(&ported, "Cargo.toml").parse().unwrap();
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
    let bench = Bench::new();
    let ported = bench.apply(&toy(&rules), Layout::Vendor).unwrap();
    let lib = format!("{}\nmod ours;\n", LIB.replace("{ 2 }", "{ 3 }"));
    assert_eq!(bench.text(&ported, "src/lib.rs"), lib);
    assert_eq!(bench.text(&ported, "src/ours.rs"), "// ours\n");
    assert_eq!(bench.text(&ported, "src/sys.rs"), "// ours\n");
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
    let bench = Bench::new();
    let ported = bench.apply(&toy(&rules), Layout::Vendor).unwrap();
    assert_eq!(ported.rules.len(), 1);
    assert_eq!(ported.rules[0].name, "new");
    let count = "[{ versions = '<1.2.3', count = 9 }, { versions = '>=1.2.3', count = 3 }]";
    bench.apply(&toy(&open_rule(count)), Layout::Cache).unwrap();
}

#[test]
fn a_wrong_count_says_where_and_how_many() {
    let bench = Bench::new();
    let mismatch = bench.mismatch(&open_rule("4"));
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
    let bench = Bench::new();
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
        let mismatch = bench.mismatch(&rule("miss", rest));
        assert_eq!(mismatch.rule, "miss", "{rest}");
        assert_eq!(mismatch.file, file, "{rest}");
        assert_eq!(mismatch.found, found, "{rest}");
    }
}

#[test]
fn an_altered_upstream_file_is_told_from_a_new_release() {
    let mut bench = Bench::new();
    let archive = packed(&bench.upstream.dir);
    bench.upstream.checksum = Some(format!("{:x}", Sha256::digest(&archive)));
    let registry = bench.temp.path().join("registry");
    write(&registry.join("cache/index/toy-1.2.3.crate"), &archive);
    // Unaltered: a rule that does not hold means that upstream changed.
    let mismatch = bench.mismatch(&open_rule("4"));
    assert_eq!(mismatch.altered.as_deref(), Some(&[][..]));
    assert!(!mismatch.to_string().contains("cargo fetch"), "{mismatch}");

    write(&bench.upstream.dir.join("src/sys.rs"), b"mod b {}\n");
    let mismatch = bench.mismatch(&open_rule("3"));
    assert_eq!(mismatch.rule, "open");
    assert_eq!(mismatch.altered, Some(vec!["src/sys.rs".to_string()]));
    let text = mismatch.to_string();
    assert!(
        text.contains("src/sys.rs") && text.contains("cargo fetch"),
        "{text}"
    );

    // An archive that is not the lockfile's proves nothing.
    bench.upstream.checksum = Some("0".repeat(64));
    assert_eq!(bench.mismatch(&open_rule("3")).altered, None);
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
    let bench = Bench::with(&[
        ("Cargo.toml", MANIFEST),
        ("src/lib.rs", "fn f() { target_env( \"p1\"\n"),
    ]);
    let text = bench.other(&open_rule("1"));
    for part in ["toy 1.2.3", "`open`", "src/lib.rs"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let append = rule("end", "kind = 'append'\nfile = 'Cargo.toml'\ntext = 'x'");
    assert!(bench.other(&append).contains("\"dependency\""));
    let bench = Bench::with(&[("src/lib.rs", "")]);
    assert!(bench.other("").contains("cargo fetch"));
}

#[test]
fn a_second_run_changes_nothing() {
    for layout in [Layout::Cache, Layout::Vendor] {
        let bench = Bench::new();
        let rules = open_rule("3") + &rule("facade", "kind = 'facade'\nfacade = 'libc'");
        let first = bench.apply(&toy(&rules), layout).unwrap();
        let before = listing(&bench.out());
        let second = bench.apply(&toy(&rules), layout).unwrap();
        assert!(first.fresh && !second.fresh);
        assert_eq!(second.rules, first.rules);
        assert_eq!(second.dir, first.dir);
        assert_eq!(listing(&bench.out()), before);
    }
}

#[test]
fn every_input_counts() {
    let mut bench = Bench::new();
    let port = toy(&open_rule("3"));
    let mut seen = vec![bench.apply(&port, Layout::Cache).unwrap().dir];
    let mut check = |bench: &Bench, port: &Port| {
        let ported = bench.apply(port, Layout::Cache).unwrap();
        assert!(ported.fresh && !seen.contains(&ported.dir));
        seen.push(ported.dir);
    };
    write(&bench.upstream.dir.join("README.md"), b"new");
    check(&bench, &port);
    bench.upstream.checksum = Some("1".into());
    check(&bench, &port);
    check(
        &bench,
        &toy(&open_rule("3").replace("because", "therefore")),
    );
}

#[test]
fn vendored_crates_follow_their_input() {
    let bench = Bench::new();
    bench.apply(&toy(""), Layout::Vendor).unwrap();
    // What a build inside leaves behind is no reason to keep the old one.
    write(&bench.out().join("toy/target/debug/x"), b"");
    write(&bench.out().join("toy/Cargo.lock"), b"");
    let ported = bench.apply(&toy(&open_rule("3")), Layout::Vendor).unwrap();
    assert!(ported.fresh);
    assert!(bench.text(&ported, "src/sys.rs").contains("any()"));
    assert_only(&bench.out(), &["toy"]);
}

fn assert_only(dir: &Path, names: &[&str]) {
    let mut found: Vec<String> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, names);
}

#[test]
fn what_is_not_ours_or_was_edited_is_left_alone() {
    let bench = Bench::new();
    write(&bench.out().join("toy/notes.txt"), b"mine");
    let text = bench.other("");
    assert!(
        text.contains("in the way") && text.contains("to mend it"),
        "{text}"
    );
    assert_eq!(
        fs::read(bench.out().join("toy/notes.txt")).unwrap(),
        b"mine"
    );

    let bench = Bench::new();
    let ported = bench.apply(&toy(""), Layout::Vendor).unwrap();
    write(&ported.dir.join("src/lib.rs"), b"// mine");
    let text = bench.other(&open_rule("3"));
    assert!(text.contains("was changed"), "{text}");
    assert_eq!(bench.text(&ported, "src/lib.rs"), "// mine");
    assert_only(&bench.out(), &["toy"]);
}

#[test]
fn threads_at_once_agree() {
    for layout in [Layout::Cache, Layout::Vendor] {
        let bench = Bench::new();
        let port = toy(&(open_rule("3") + &rule("facade", "kind = 'facade'\nfacade = 'std'")));
        if layout == Layout::Vendor {
            // Everyone wants to replace this one.
            bench.apply(&toy(""), layout).unwrap();
        }
        let barrier = Barrier::new(8);
        let dirs: Vec<PathBuf> = std::thread::scope(|scope| {
            let run = || {
                barrier.wait();
                bench.apply(&port, layout).unwrap().dir
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(run)).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert!(dirs.iter().all(|dir| *dir == dirs[0]));
        assert!(!bench.apply(&port, layout).unwrap().fresh);
        let hidden = |name: &str| name.starts_with('.');
        let left = fs::read_dir(bench.out()).unwrap();
        let mut names = left.map(|entry| entry.unwrap().file_name());
        assert!(!names.any(|name| hidden(&name.to_string_lossy())));
    }
}

const CHILD_OUT: &str = "PORT_APPLY_TEST_OUT";
const CHILD_UPSTREAM: &str = "PORT_APPLY_TEST_UPSTREAM";

/// One of the processes of [`processes_at_once_agree`].
#[test]
#[ignore = "started by processes_at_once_agree"]
fn process() {
    let given = |name| std::env::var_os(name).expect("set by the test that starts this");
    let (out, dir) = (given(CHILD_OUT), given(CHILD_UPSTREAM));
    let bench = Bench::new();
    let upstream = Upstream {
        dir: dir.into(),
        ..bench.upstream
    };
    let port = toy(&open_rule("3"));
    port::apply(
        &port,
        &upstream,
        &bench.support,
        Path::new(&out),
        Layout::Cache,
    )
    .unwrap();
}

#[test]
fn processes_at_once_agree() {
    let bench = Bench::new();
    let start = || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "process"])
            .env(CHILD_OUT, bench.out())
            .env(CHILD_UPSTREAM, &bench.upstream.dir)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap()
    };
    let children: Vec<_> = (0..4).map(|_| start()).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let ported = bench.apply(&toy(&open_rule("3")), Layout::Cache).unwrap();
    assert!(!ported.fresh);
    assert_only(
        &bench.out(),
        &[ported.dir.file_name().unwrap().to_str().unwrap()],
    );
}

#[test]
fn diff_shows_what_a_port_does() {
    let rules = open_rule("3")
        + &rule(
            "own",
            "kind = 'own-file'\nfile = 'src/ours.rs'\nfrom = 'overlay/own.rs'\nreplaces = false",
        );
    let bench = Bench::new();
    let ported = bench.apply(&toy(&rules), Layout::Vendor).unwrap();
    let diff = port::diff(&bench.upstream.dir, &ported.dir).unwrap();
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
        assert!(diff.lines().any(|each| each == line), "{line}: {diff}");
    }
    for absent in ["LICENSE", ".cargo-ok", ".wasmedge-port"] {
        assert!(!diff.contains(absent), "{absent}: {diff}");
    }
    assert_eq!(port::diff(&ported.dir, &ported.dir).unwrap(), "");
}

#[test]
fn checksums_come_from_the_lockfile() {
    let lock = "version = 4\n[[package]]\nname = 'a'\nversion = '1.0.0'\nchecksum = 'c1'\n\
                [[package]]\nname = 'a'\nversion = '2.0.0'\nchecksum = 'c2'\n\
                [[package]]\nname = 'mine'\nversion = '1.0.0'\n";
    let of = |name, major| port::checksum_in_lock(lock, name, &Version::new(major, 0, 0)).unwrap();
    assert_eq!(of("a", 2).as_deref(), Some("c2"));
    assert_eq!(of("mine", 1), None);
    assert_eq!(of("b", 1), None);
    assert!(port::checksum_in_lock("no [ toml", "a", &Version::new(1, 0, 0)).is_err());
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
    fn a_port_without_rules_keeps_every_file(
        files in prop::collection::btree_map(
            "[a-z]{1,8}(/[a-z]{1,8}\\.rs)?", prop::collection::vec(any::<u8>(), 0..200), 0..6),
    ) {
        let bench = Bench::with(&[("Cargo.toml", MANIFEST)]);
        // In a folder of their own, numbered, so that no name is in the way of another.
        let files: BTreeMap<String, Vec<u8>> = files.into_iter().enumerate()
            .map(|(number, (path, bytes))| (format!("src/{number}/{path}"), bytes)).collect();
        for (path, bytes) in &files {
            write(&bench.upstream.dir.join(path), bytes);
        }
        let ported = bench.apply(&toy(""), Layout::Vendor).unwrap();
        for (path, bytes) in &files {
            prop_assert_eq!(&fs::read(ported.dir.join(path)).unwrap(), bytes);
        }
        let count = listing(&ported.dir).keys().filter(|path| path.is_file()).count();
        // Cargo.toml, the notice and the stamp.
        prop_assert_eq!(count, files.len() + 3);
    }

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
        let bench = Bench::with(&[("Cargo.toml", MANIFEST), ("src/lib.rs", &upstream)]);
        let rules = open_rule(&count.to_string()).replace(", 'Cargo.toml'", "");
        let ported = bench.apply(&toy(&rules), Layout::Vendor).unwrap();
        prop_assert_eq!(bench.text(&ported, "src/lib.rs"), wanted);
    }
}
