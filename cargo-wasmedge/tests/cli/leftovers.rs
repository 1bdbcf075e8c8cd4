//! What the older forks for WasmEdge left in an app: doctor lists it, and a build that
//! cannot go on names it.

use std::fs;

use serde_json::Value;

use crate::fake::{Fake, stderr};
use crate::packages::Packages;

const PATCH: &str = "[patch.crates-io]\n\
    tokio = { git = \"https://github.com/second-state/wasi_tokio.git\", branch = \"v1.36.x\" }\n\
    log = { git = \"https://github.com/rust-lang/log\" }\n";

const NOTE: &str = "note: patch.crates-io.tokio is left from an older fork for WasmEdge, which is \
                    not needed any more: cargo wasmedge doctor says what to delete\n";

/// An app as the guides to the forks make it.
fn forked() -> Fake {
    let fake = Fake::new("1.97.1");
    fake.manifest(PATCH);
    fs::create_dir_all(fake.app().join(".cargo")).unwrap();
    let config = "[build]\ntarget = \"wasm32-wasi\"\n\
                  rustflags = [\"--cfg\", \"wasmedge\", \"--cfg\", \"tokio_unstable\"]\n\
                  [target.wasm32-wasi]\nrunner = \"wasmedge\"\n";
    fs::write(fake.app().join(".cargo/config.toml"), config).unwrap();
    let std = fake.path("hyper_wasi");
    fs::create_dir_all(std.join("src")).unwrap();
    // It calls what the target has not, which is no news of a fork.
    fs::write(
        std.join("src/lib.rs"),
        "fn f() { std::thread::spawn(|| ()); }",
    )
    .unwrap();
    Packages::new(&fake.app())
        .member(
            "app",
            "",
            &[
                ("hyper_wasi", "^0.15", "0.15.2"),
                ("wasmedge_wasi_socket", "=0.4.3", "0.4.3"),
            ],
        )
        .krate(("hyper_wasi", "0.15.2"), &std, &[])
        .krate(("wasmedge_wasi_socket", "0.4.3"), &fake.path("socket"), &[])
        .write(&fake);
    fake
}

/// The checks that are no `ok`: name, detail and help.
fn warnings(fake: &Fake) -> Vec<[String; 3]> {
    let mut command = fake.command(["doctor", "--json"]);
    let output = command.env("RUSTFLAGS", "--cfg wasmedge").output().unwrap();
    let checks: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let checks = checks.iter().filter(|check| check["status"] == "warn");
    let ours = checks
        .filter(|check| !["C for wasm32", "plugin"].contains(&check["name"].as_str().unwrap()));
    ours.map(|check| ["name", "detail", "mend"].map(|key| text(&check[key])))
        .collect()
}

#[test]
fn doctor_lists_them_with_what_to_do() {
    let target = "Rust has had no target of this name since 1.84";
    let keep = "delete it; keep tokio_unstable if the app itself uses what tokio calls unstable";
    let expected = [
        [
            "patch.crates-io.tokio",
            "Cargo.toml: an older fork for WasmEdge (second-state/wasi_tokio)",
            "delete the line: upstream's releases work",
        ],
        [
            "hyper_wasi",
            "Cargo.toml: a fork of hyper, which is used without a port",
            "`hyper = \"0.14\"` in its place",
        ],
        [
            "wasmedge_wasi_socket",
            "Cargo.toml: `=0.4.3` is used as published",
            "`wasmedge_wasi_socket = \"0.5.5\"`, or std's and tokio's sockets in its place",
        ],
        [
            "build.target",
            ".cargo/config.toml: plain cargo builds everything for wasm32-wasi, without ports",
            "delete the key: `cargo wasmedge` chooses the target itself",
        ],
        [
            "target.wasm32-wasi",
            &format!(".cargo/config.toml: {target}"),
            "delete the table: `cargo wasmedge` starts WasmEdge itself",
        ],
        [
            "build.rustflags",
            ".cargo/config.toml: `--cfg wasmedge --cfg tokio_unstable` is for the older forks only",
            keep,
        ],
        [
            "RUSTFLAGS",
            "a variable: `--cfg wasmedge` is for the older forks only",
            "delete it",
        ],
    ];
    assert_eq!(
        warnings(&forked()),
        expected.map(|row| row.map(str::to_owned))
    );
}

#[test]
fn doctor_lists_them_where_cargo_resolves_nothing() {
    let fake = forked();
    let mut command = fake.command(["doctor"]);
    let output = command.env("FAKE_METADATA_FAILS", "1").output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains("delete the line"), "{stdout}");
    assert!(stdout.contains("WasmEdge "), "{stdout}");
    assert!(stderr(&output).contains("error: said by cargo"));
    assert_eq!(output.status.code(), Some(101));
}

#[test]
fn a_build_for_which_cargo_resolves_nothing_names_one() {
    let build = |fake: &Fake, fails: &str| {
        let mut command = fake.command(["build"]);
        command.env("FAKE_CARGO", "true");
        command.env("FAKE_METADATA_FAILS", fails);
        stderr(&command.output().unwrap())
    };
    assert_eq!(
        build(&forked(), "1"),
        format!("error: said by cargo\n{NOTE}")
    );
    // What works, and what fails for other reasons, is left alone.
    assert!(!build(&forked(), "").contains("fork"));
    assert_eq!(build(&Fake::new("1.97.1"), "1"), "error: said by cargo\n");
}
