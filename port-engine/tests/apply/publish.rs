//! The folder that appears in one step.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Barrier;

use port_engine::{Layout, Port, Upstream, apply};
use proptest::prelude::*;

use crate::toy::{Fixture, MANIFEST, assert_only, listing, open_rule, rule, toy, write};

#[test]
fn a_second_run_changes_nothing() {
    for layout in [Layout::Cache, Layout::Vendor] {
        let fixture = Fixture::new();
        let rules = open_rule("3") + &rule("facade", "kind = 'facade'\nfacade = 'libc'");
        let first = fixture.apply(&toy(&rules), layout).unwrap();
        let before = listing(&fixture.out());
        let second = fixture.apply(&toy(&rules), layout).unwrap();
        assert!(first.fresh && !second.fresh);
        assert_eq!(second.rules, first.rules);
        assert_eq!(second.dir, first.dir);
        assert_eq!(listing(&fixture.out()), before);
    }
}

#[test]
fn every_input_counts() {
    let mut fixture = Fixture::new();
    let port = toy(&open_rule("3"));
    let mut seen = vec![fixture.apply(&port, Layout::Cache).unwrap().dir];
    let mut check = |fixture: &Fixture, port: &Port| {
        let ported = fixture.apply(port, Layout::Cache).unwrap();
        assert!(ported.fresh && !seen.contains(&ported.dir));
        seen.push(ported.dir);
    };
    write(&fixture.upstream.dir.join("README.md"), b"new");
    check(&fixture, &port);
    fixture.upstream.checksum = Some("1".into());
    check(&fixture, &port);
    check(
        &fixture,
        &toy(&open_rule("3").replace("because", "therefore")),
    );
}

#[test]
fn vendored_crates_follow_their_input() {
    let fixture = Fixture::new();
    fixture.apply(&toy(""), Layout::Vendor).unwrap();
    // What a build inside leaves behind is no reason to keep the old one.
    write(&fixture.out().join("toy/target/debug/x"), b"");
    write(&fixture.out().join("toy/Cargo.lock"), b"");
    let ported = fixture
        .apply(&toy(&open_rule("3")), Layout::Vendor)
        .unwrap();
    assert!(ported.fresh);
    assert!(fixture.text(&ported, "src/sys.rs").contains("any()"));
    assert_only(&fixture.out(), &["toy"]);
}

#[test]
fn what_is_not_ours_or_was_edited_is_left_alone() {
    let fixture = Fixture::new();
    write(&fixture.out().join("toy/notes.txt"), b"mine");
    let text = fixture.other("");
    assert!(
        text.contains("in the way") && text.contains("help:"),
        "{text}"
    );
    assert_eq!(
        fs::read(fixture.out().join("toy/notes.txt")).unwrap(),
        b"mine"
    );

    let fixture = Fixture::new();
    let ported = fixture.apply(&toy(""), Layout::Vendor).unwrap();
    write(&ported.dir.join("src/lib.rs"), b"// mine");
    let text = fixture.other(&open_rule("3"));
    assert!(text.contains("was changed"), "{text}");
    assert_eq!(fixture.text(&ported, "src/lib.rs"), "// mine");
    assert_only(&fixture.out(), &["toy"]);
}

#[test]
fn threads_at_once_agree() {
    for layout in [Layout::Cache, Layout::Vendor] {
        let fixture = Fixture::new();
        let port = toy(&(open_rule("3") + &rule("facade", "kind = 'facade'\nfacade = 'std'")));
        if layout == Layout::Vendor {
            // Everyone wants to replace this one.
            fixture.apply(&toy(""), layout).unwrap();
        }
        let barrier = Barrier::new(8);
        let dirs: Vec<PathBuf> = std::thread::scope(|scope| {
            let run = || {
                barrier.wait();
                fixture.apply(&port, layout).unwrap().dir
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(run)).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert!(dirs.iter().all(|dir| *dir == dirs[0]));
        assert!(!fixture.apply(&port, layout).unwrap().fresh);
        let hidden = |name: &str| name.starts_with('.');
        let left = fs::read_dir(fixture.out()).unwrap();
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
    let fixture = Fixture::new();
    let upstream = Upstream {
        dir: dir.into(),
        ..fixture.upstream
    };
    let port = toy(&open_rule("3"));
    apply(
        &port,
        &upstream,
        &fixture.support,
        Path::new(&out),
        Layout::Cache,
    )
    .unwrap();
}

#[test]
fn processes_at_once_agree() {
    let fixture = Fixture::new();
    let start = || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "publish::process"])
            .env(CHILD_OUT, fixture.out())
            .env(CHILD_UPSTREAM, &fixture.upstream.dir)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap()
    };
    let children: Vec<_> = (0..4).map(|_| start()).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let ported = fixture.apply(&toy(&open_rule("3")), Layout::Cache).unwrap();
    assert!(!ported.fresh);
    assert_only(
        &fixture.out(),
        &[ported.dir.file_name().unwrap().to_str().unwrap()],
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_port_without_rules_keeps_every_file(
        files in prop::collection::btree_map(
            "[a-z]{1,8}(/[a-z]{1,8}\\.rs)?", prop::collection::vec(any::<u8>(), 0..200), 0..6),
    ) {
        let fixture = Fixture::with(&[("Cargo.toml", MANIFEST)]);
        // In a folder of their own, numbered, so that no name is in the way of another.
        let files: BTreeMap<String, Vec<u8>> = files.into_iter().enumerate()
            .map(|(number, (path, bytes))| (format!("src/{number}/{path}"), bytes)).collect();
        for (path, bytes) in &files {
            write(&fixture.upstream.dir.join(path), bytes);
        }
        let ported = fixture.apply(&toy(""), Layout::Vendor).unwrap();
        for (path, bytes) in &files {
            prop_assert_eq!(&fs::read(ported.dir.join(path)).unwrap(), bytes);
        }
        let count = listing(&ported.dir).keys().filter(|path| path.is_file()).count();
        // Cargo.toml, the notice and the stamp.
        prop_assert_eq!(count, files.len() + 3);
    }
}
