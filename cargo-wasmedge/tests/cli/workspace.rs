//! Which packages of a workspace a command has to do with, and what is said of those
//! that no port covers.

use std::fs;

use crate::fake::{Fake, stderr};
use crate::packages::Packages;

const NEW: &str = "1.97.1";

/// A workspace: `one` has dependencies that bring a socket2 and a mio that no port
/// covers; `two` has none.
fn workspace() -> Fake {
    let fake = Fake::new(NEW);
    for member in ["one", "two"] {
        fs::create_dir_all(fake.app().join(member)).unwrap();
        fs::write(fake.app().join(member).join("Cargo.toml"), "[package]\n").unwrap();
    }
    let folder = fake.path("registry");
    Packages::new(&fake.app())
        .member(
            "one",
            "one",
            &[
                ("axum", "^0.6", "0.6.20"),
                ("mysql_async", "^0.34", "0.34.2"),
            ],
        )
        .member("two", "two", &[])
        .krate(
            ("axum", "0.6.20"),
            &folder,
            &[("axum-server", "^0.4", "0.4.7")],
        )
        .krate(
            ("axum-server", "0.4.7"),
            &folder,
            &[("socket2", "^0.3", "0.3.19")],
        )
        .krate(
            ("mysql_async", "0.34.2"),
            &folder,
            &[("socket2", "^0.3.1", "0.3.19"), ("mio", "^0.7", "0.7.14")],
        )
        .krate(("socket2", "0.3.19"), &folder, &[])
        .krate(("mio", "0.7.14"), &folder, &[])
        .write(&fake);
    // What is reached, by the packages that are selected.
    fake.script(
        "cargo-tree.sh",
        "echo \"$*\" >> \"$FAKE_DIR/tree-args\"\n\
         case \"$*\" in *'--package two'*) ;; *)\n\
         echo 'one v0.1.0 (/the app/one)'\n\
         echo 'axum v0.6.20'; echo 'axum-server v0.4.7'; echo 'socket2 v0.3.19'\n\
         echo 'mysql_async v0.34.2'; echo 'mio v0.7.14'; echo 'socket2 v0.3.19 (*)'\n\
         esac\n\
         echo 'two v0.1.0 (/the app/two)'",
    );
    fake
}

/// What a registry resolves a manifest to: a case of `sh` for each requirement.
fn registry(fake: &Fake, cases: &str) {
    let script = format!(
        "manifest=$(cat \"$3\")\n\
         package() {{ printf '[[package]]\\nname = \"%s\"\\nversion = \"%s\"\\nsource = \"r\"\\n' $1 $2; }}\n\
         asked() {{ printf '%s' \"$manifest\" | grep -A3 \"^.dependencies.$1\" | grep -qF \"version = \\\"$2\\\"\"; }}\n\
         {{\n{cases}\n}} > \"${{3%.toml}}.lock\""
    );
    fake.script("cargo-generate-lockfile.sh", &script);
}

#[test]
fn members_that_are_not_selected_do_not_count() {
    let fake = workspace();
    registry(&fake, "exit 1");
    let output = fake.run("check -p two", "true");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        fake.read("args")
            .ends_with("check\n--target\nwasm32-wasip1\n-p\ntwo\n")
    );
    for words in ["check", "check -p one", "check --workspace"] {
        let output = fake.run(words, "true");
        assert_eq!(
            output.status.code(),
            Some(98),
            "{words}: {}",
            stderr(&output)
        );
    }
    // cargo itself decides what is selected, from the user's words.
    let words = "check --workspace --exclude one --features x";
    fake.run(words, "true");
    let asked = fake.read("tree-args");
    let asked = asked.lines().last().unwrap();
    assert!(
        asked.contains("--features x --workspace --exclude one"),
        "{asked}"
    );
}

#[test]
fn dev_dependencies_count_where_they_are_compiled() {
    let fake = workspace();
    let script = fs::read_to_string(fake.path("bin/cargo-tree.sh")).unwrap();
    let script = script.replace("--package two", "--edges normal,build ");
    fs::write(fake.path("bin/cargo-tree.sh"), script).unwrap();
    registry(&fake, "exit 1");
    for (words, code) in [
        ("build", 0),
        ("check --all-targets", 98),
        ("test --offline", 98),
    ] {
        let output = fake.run(words, "true");
        assert_eq!(
            output.status.code(),
            Some(code),
            "{words}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn what_only_looks_at_the_graph_is_not_stopped() {
    let fake = workspace();
    for words in ["metadata --no-deps", "env"] {
        let output = fake.run(words, "true");
        assert_eq!(
            output.status.code(),
            Some(0),
            "{words}: {}",
            stderr(&output)
        );
    }
    let said = stderr(&fake.run("env", "true"));
    assert!(
        said.starts_with("warning: 2 crates are not supported\n"),
        "{said}"
    );
}

#[test]
fn all_are_named_with_the_dependency_of_the_users_and_what_helps() {
    let fake = workspace();
    // axum works since 0.7, mysql_async in 0.37 only.
    registry(
        &fake,
        "package socket2 0.6.5\n\
         if asked axum '*'; then package axum 0.8.6\n\
         elif asked axum '<0.8.0'; then package axum 0.7.9\n\
         elif asked axum '<0.7.0' || asked axum '^0.6'; then\n\
         package axum 0.6.20; package socket2 0.3.19\n\
         elif asked mysql_async '*'; then package mysql_async 0.37.1\n\
         elif asked mysql_async '<0.37.0'; then package mysql_async 0.36.2; package socket2 0.3.19\n\
         elif asked mysql_async '^0.34'; then\n\
         package mysql_async 0.34.2; package socket2 0.3.19; package mio 0.7.14\n\
         else exit 1; fi",
    );
    let output = fake.run("check -p one", "true");
    assert_eq!(output.status.code(), Some(98));
    assert_eq!(
        stderr(&output),
        "     Looking for releases of axum, mysql_async that work\n\
         error: 2 crates are not supported\n  \
           mio 0.7.14: the port covers >=0.8.4, <0.9.0 or >=1.2.0, <1.3.0\n    \
             one -> mysql_async 0.34.2 -> mio 0.7.14 (mysql_async requires `^0.7`)\n  \
           socket2 0.3.19: the port covers >=0.4.10, <0.5.0 or >=0.5.10, <0.6.0 or >=0.6.3, <0.7.0\n    \
             one -> axum 0.6.20 -> axum-server 0.4.7 -> socket2 0.3.19 (axum-server requires `^0.3`)\n    \
             one -> mysql_async 0.34.2 -> socket2 0.3.19 (mysql_async requires `^0.3.1`)\n  \
           help: `axum = \"0.8\"` in one/Cargo.toml: axum works from 0.7 on\n  \
           help: `mysql_async = \"0.37\"` in one/Cargo.toml: mysql_async 0.37.1 works\n"
    );
    assert_eq!(fake.read("args"), "", "cargo was started");
}

#[test]
fn what_helps_is_what_the_registry_has() {
    let fake = workspace();
    registry(
        &fake,
        // A compatible release works; of the other, not even the newest.
        "if asked axum '^0.6'; then package axum 0.6.21; package socket2 0.6.5\n\
         elif asked mysql_async '*'; then package mysql_async 0.40.0; package mio 0.7.14\n\
         else package mysql_async 0.34.2; package mio 0.7.14; fi",
    );
    let said = stderr(&fake.run("check", "true"));
    for help in [
        "help: cargo update -p axum@0.6.20: axum 0.6.21 works\n",
        "help: do without mysql_async in one/Cargo.toml: no release of it works, not even 0.40.0\n",
    ] {
        assert!(said.contains(help), "{said}");
    }

    // The same axum works with a newer crate in between.
    registry(&fake, "package axum 0.6.20; package mysql_async 0.34.2");
    let said = stderr(&fake.run("check", "true"));
    let help = "help: cargo update -p axum-server@0.4.7\n";
    assert!(said.contains(help), "{said}");

    registry(&fake, "echo 'error: no network' >&2; exit 101");
    let said = stderr(&fake.run("check", "true"));
    let help =
        "help: a newer axum in one/Cargo.toml (which one works, cannot be looked up: no network)\n";
    assert!(said.contains(help), "{said}");

    let said = stderr(&fake.run("check --offline", "true"));
    let help =
        "help: a newer axum in one/Cargo.toml (which one works, cannot be looked up: offline)\n";
    assert!(said.contains(help), "{said}");
}

#[test]
fn a_member_that_pins_a_version_for_others_is_named_though_not_selected() {
    let fake = workspace();
    let folder = fake.path("registry");
    Packages::new(&fake.app())
        .member("one", "one", &[("tokio", "=1.40.0", "1.40.0")])
        .member("two", "two", &[("tokio", "^1", "1.40.0")])
        .krate(("tokio", "1.40.0"), &folder, &[])
        .write(&fake);
    fake.script(
        "cargo-tree.sh",
        "echo 'two v0.1.0 (/the app/two)'; echo 'tokio v1.40.0'",
    );
    let output = fake.run("check -p two", "true");
    assert_eq!(output.status.code(), Some(98));
    let said = stderr(&output);
    assert!(
        said.starts_with("error: tokio 1.40.0 is not supported: the port covers "),
        "{said}"
    );
    let (_, rest) = said.split_once('\n').unwrap();
    assert_eq!(
        rest,
        "  one -> tokio 1.40.0 (one requires `=1.40.0`)\n  \
           help: `tokio = \"1.54\"` in one/Cargo.toml\n"
    );
}

#[test]
fn a_port_that_does_not_apply_is_no_obstacle_where_nobody_uses_it() {
    let fake = workspace();
    // tokio as no release is: a folder with a manifest alone.
    let folder = fake.path("registry/tokio-1.54.1");
    fs::create_dir_all(&folder).unwrap();
    fs::write(
        folder.join("Cargo.toml"),
        "[package]\nname = \"tokio\"\nversion = \"1.54.1\"\n",
    )
    .unwrap();
    Packages::new(&fake.app())
        .member("one", "one", &[("tokio", "^1", "1.54.1")])
        .member("two", "two", &[])
        .krate(("tokio", "1.54.1"), &folder, &[])
        .write(&fake);
    let lock = "version = 4\n[[package]]\nname = \"tokio\"\nversion = \"1.54.1\"\n\
                source = \"registry+https://github.com/rust-lang/crates.io-index\"\n\
                checksum = \"00\"\n";
    fs::write(fake.app().join("Cargo.lock"), lock).unwrap();
    let tree = "case \"$*\" in *'--package two'*) ;; *) echo 'tokio v1.54.1';; esac";
    fake.script("cargo-tree.sh", tree);
    let output = fake.run("check -p two", "true");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let output = fake.run("check -p one", "true");
    assert_ne!(
        output.status.code(),
        Some(0),
        "the test would prove nothing"
    );
    let said = stderr(&output);
    let way = "note: the app has it so: one -> tokio 1.54.1\nerror: the port of tokio 1.54.1";
    assert!(said.starts_with(way), "{said}");
}
