//! How `setup` and `plugin` build it, with a script in the place of cargo.
#![cfg(target_os = "linux")]

use std::process::Output;

use super::{ABOUT, OTHER, library, plugin};
use crate::fake::{Fake, stderr};

/// Writes the library that a test has prepared to where cargo would, and keeps what it was
/// started with.
const BUILD: &str = r#"
args="$*"
while test "$1" != --target-dir; do test "$1" != --target || host="$2"; shift; done
echo "$args" >> "$FAKE_DIR/builds"
env > "$FAKE_DIR/build-env"
test -e Cargo.toml && test -e src/lib.rs || exit 1
cp Cargo.toml "$FAKE_DIR/built-manifest"
eval "$FAKE_BUILD"
mkdir -p "$2/$host/release"
cp "$FAKE_DIR/library" "$2/$host/release/libtokio_wasmedge_plugin.so"
"#;

/// A machine where the plugin can be built. The rustc that `cargo` uses is the script.
fn machine() -> Fake {
    let fake = Fake::new("1.97.1");
    fake.script("cargo-build.sh", BUILD);
    std::fs::write(fake.path("library"), plugin()).unwrap();
    fake
}

fn setup(fake: &Fake, env: &[(&str, &str)]) -> Output {
    let mut command = fake.command(["setup"]);
    command.envs(env.iter().copied()).output().unwrap()
}

fn builds(fake: &Fake) -> usize {
    fake.read("builds").lines().count()
}

fn built(fake: &Fake) -> Option<Vec<u8>> {
    std::fs::read(fake.path("cache/plugin/libtokio_wasmedge_plugin.so")).ok()
}

#[test]
fn setup_builds_the_plugin_with_the_users_cargo() {
    let fake = machine();
    let flags = [
        ("RUSTFLAGS", "-C nonsense"),
        ("CARGO_TARGET_DIR", "/no/such"),
    ];
    let output = setup(&fake, &flags);
    let said = stderr(&output);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("Building the plugin (rustc 1.95.0)"),
        "{said}"
    );
    let file = fake.path("cache/plugin/libtokio_wasmedge_plugin.so");
    let ready = format!("for WasmEdge 0.14 to 0.17 ({})", file.display());
    let line = said
        .lines()
        .find(|line| line.contains("Ready plugin"))
        .unwrap();
    assert!(
        line.ends_with(&ready) && line.contains("one epoll"),
        "{said}"
    );
    assert_eq!(built(&fake).unwrap(), plugin());
    // It was built once, without asking the registry, for this machine.
    let args = fake.read("builds");
    assert_eq!(args.lines().count(), 1);
    assert!(args.contains("--offline") && args.contains("--target x86_64-unknown-linux-gnu"));
    assert!(!fake.read("build-env").contains("RUSTFLAGS"));
    assert!(fake.read("built-manifest").contains("[workspace]"));
    // And nothing else is left.
    let left = fake.path("cache/plugin").read_dir().unwrap();
    let mut left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(
        left,
        [".lock", "built-from.json", "libtokio_wasmedge_plugin.so"]
    );
}

#[test]
fn it_is_built_anew_for_other_sources_and_another_rustc_only() {
    let fake = machine();
    setup(&fake, &[]);
    assert_eq!(builds(&fake), 1);
    let said = stderr(&setup(&fake, &[]));
    assert!(
        said.contains("Ready plugin") && !said.contains("Building"),
        "{said}"
    );
    assert_eq!(builds(&fake), 1);
    // What an earlier command left.
    let stamp = fake.path("cache/plugin/built-from.json");
    let text = std::fs::read_to_string(&stamp).unwrap();
    let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
    json["sources"] = "others".into();
    std::fs::write(&stamp, json.to_string()).unwrap();
    setup(&fake, &[]);
    assert_eq!(builds(&fake), 2);
    let rustc = fake.path("bin/rustc");
    let script = std::fs::read_to_string(&rustc).unwrap();
    std::fs::write(&rustc, script.replace("1.95.0", "1.96.0")).unwrap();
    setup(&fake, &[]);
    assert_eq!(builds(&fake), 3);
    // A library that was put in its place, or is gone.
    std::fs::write(fake.path("cache/plugin/libtokio_wasmedge_plugin.so"), "").unwrap();
    setup(&fake, &[]);
    std::fs::remove_file(fake.path("cache/plugin/libtokio_wasmedge_plugin.so")).unwrap();
    setup(&fake, &[]);
    assert_eq!(builds(&fake), 5);
    assert_eq!(built(&fake).unwrap(), plugin());
    // What an ended build left.
    let unfinished = fake.path("cache/plugin/.building-abc");
    std::fs::create_dir(&unfinished).unwrap();
    setup(&fake, &[]);
    assert!(!unfinished.exists());
    assert_eq!(builds(&fake), 5);
}

#[test]
fn where_it_cannot_be_built_set_up_goes_on_and_says_why() {
    let other = library(OTHER, ABOUT, "version() ");
    let cases: [(&str, &[u8], &str); 4] = [
        (
            "echo 'error: linker `cc` not found' >&2; echo 'error: could not' >&2; exit 101",
            b"",
            "linker `cc` not found",
        ),
        ("exit 7", b"", "exit status: 7"),
        ("", b"", "what was built is not the plugin `tokio_wasmedge`"),
        (
            "",
            &other,
            "what was built is for another machine (riscv64)",
        ),
    ];
    for (script, content, why) in cases {
        let fake = machine();
        std::fs::write(fake.path("library"), content).unwrap();
        let output = setup(&fake, &[("FAKE_BUILD", script)]);
        let said = stderr(&output);
        assert!(output.status.success(), "{said}");
        let line = format!(
            "warning: programs run without WasmEdge's plugin, which cannot be built: {why}"
        );
        assert_eq!(
            said.lines().filter(|said| **said == line).count(),
            1,
            "{said}"
        );
        assert!(said.contains("Ready WasmEdge 0.17.1"), "{said}");
        assert_eq!(built(&fake), None);
        assert_eq!(builds(&fake), 1);
    }
}

#[test]
fn a_rustc_that_is_too_old_is_said_before_anything_is_built() {
    let fake = machine();
    let rustc = fake.path("bin/rustc");
    let script = std::fs::read_to_string(&rustc).unwrap();
    std::fs::write(&rustc, script.replace("1.95.0", "1.80.1")).unwrap();
    let said = stderr(&setup(&fake, &[]));
    assert!(
        said.contains("cannot be built: rustc 1.80.1 is too old, 1.95 is needed\n"),
        "{said}"
    );
    assert_eq!(builds(&fake), 0);
}

#[test]
fn the_registry_is_asked_where_libc_is_not_here() {
    let fake = machine();
    let script = "case \"$args\" in *--offline*) \
                  echo 'error: no matching package, you are using offline mode' >&2; exit 101;; esac";
    let output = setup(&fake, &[("FAKE_BUILD", script)]);
    assert!(
        stderr(&output).contains("Ready plugin"),
        "{}",
        stderr(&output)
    );
    assert_eq!(builds(&fake), 2);
    assert_eq!(built(&fake).unwrap(), plugin());
}

#[test]
fn it_is_not_built_for_who_does_not_want_it() {
    let fake = machine();
    let said = stderr(&setup(&fake, &[("CARGO_WASMEDGE_PLUGIN", "never")]));
    assert!(
        said.contains("Skipping the plugin: the setting `plugin` is `never`"),
        "{said}"
    );
    let output = fake.command(["setup", "--no-rust"]).output().unwrap();
    assert!(output.status.success() && !stderr(&output).contains("plugin"));
    assert_eq!(builds(&fake), 0);
}

#[test]
fn setup_says_what_crates_with_c_parts_need() {
    let fake = machine();
    let line = "TLS by ring, aws-lc or OpenSSL, SQLite) need: cargo wasmedge setup --c";
    let said = |env: &[(&str, &str)]| stderr(&setup(&fake, env)).contains(line);
    // No clang of the machine's.
    let path = [("PATH", fake.path("bin").display().to_string())];
    let bare = [(path[0].0, &*path[0].1)];
    for tool in [
        "sed", "cp", "mkdir", "cat", "env", "test", "printf", "echo", "sleep",
    ] {
        if let Ok(real) = which::which(tool) {
            let _ = std::os::unix::fs::symlink(real, fake.path("bin").join(tool));
        }
    }
    assert!(said(&bare));
    let chosen = ("CC_wasm32_wasip1", "/my/clang");
    assert!(!said(&[bare[0], chosen]));
}

#[test]
fn the_library_is_written_for_another_machine() {
    let fake = machine();
    let write = |args: &[&str]| {
        let mut command = fake.command(["plugin", "out"]);
        command.args(args).output().unwrap()
    };
    let output = write(&[]);
    let said = stderr(&output);
    assert!(output.status.success(), "{said}");
    let file = fake.app().join("out/libtokio_wasmedge_plugin.so");
    assert_eq!(std::fs::read(&file).unwrap(), plugin());
    let written = format!("Written {} (for WasmEdge 0.14 to 0.17)", file.display());
    assert!(said.contains(&written), "{said}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let folder = file.parent().unwrap().display().to_string();
    let line = format!("WASMEDGE_PLUGIN_PATH='{folder}' wasmedge …");
    assert!(printed.starts_with(&line), "{printed}");
    assert_eq!(printed.lines().count(), 1);
    assert_eq!(builds(&fake), 1);

    // It is not built again, and one library is for all.
    for version in ["0.14.1", "0.17"] {
        assert!(write(&["--wasmedge", version]).status.success());
    }
    assert_eq!(builds(&fake), 1);
    let output = write(&["--wasmedge", "0.13"]);
    assert!(!output.status.success());
    let said = stderr(&output);
    assert!(
        said.contains("is for WasmEdge 0.14 to 0.17, and not for 0.13"),
        "{said}"
    );
}

#[test]
fn what_cannot_be_built_cannot_be_written() {
    let fake = machine();
    let mut command = fake.command(["plugin", "out"]);
    let output = command.env("FAKE_BUILD", "exit 7").output().unwrap();
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(96), "{said}");
    assert!(
        said.contains("cannot be built here: exit status: 7\n  help: "),
        "{said}"
    );
    assert!(!fake.app().join("out").exists());
}

#[test]
fn the_doctor_knows_what_setup_has_built() {
    let fake = machine();
    setup(&fake, &[]);
    let output = fake.command(["doctor"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("libtokio_wasmedge_plugin.so, of this command's sources)"),
        "{said}"
    );
}
