//! `cargo wasmedge test`: what becomes of a test that panics, and of those behind it.

use std::process::Output;

use crate::fake::{Fake, stderr};

/// The runner, as cargo starts it when `subcommand` is at work.
fn run(fake: &Fake, subcommand: &str, file: &str, env: &[(&str, &str)]) -> Output {
    let folder = fake.app().join("target/wasm32-wasip1/debug/deps");
    std::fs::create_dir_all(&folder).unwrap();
    let program = folder.join(file);
    std::fs::write(&program, b"\0asm\x01\0\0\0").unwrap();
    let mut command = fake.command([subcommand]);
    let script = "$CARGO_TARGET_WASM32_WASIP1_RUNNER \"$FAKE_PROGRAM\"";
    command
        .env("FAKE_CARGO", script)
        .env("FAKE_PROGRAM", program)
        .env("CARGO_MANIFEST_DIR", fake.app())
        .envs(env.iter().copied());
    command.output().unwrap()
}

fn tells_libtest(fake: &Fake) -> Option<String> {
    let args = fake.read("wasmedge-args");
    let value = args
        .lines()
        .find_map(|arg| arg.strip_prefix("RUST_TEST_NOCAPTURE="));
    value.map(str::to_owned)
}

#[test]
fn libtest_keeps_nothing_back_that_a_panic_would_take_along() {
    let fake = Fake::new("1.97.1");
    for (subcommand, expected) in [("test", Some("1")), ("t", Some("1")), ("run", None)] {
        run(&fake, subcommand, "app-1.wasm", &[]);
        assert_eq!(tells_libtest(&fake).as_deref(), expected, "{subcommand}");
    }
    run(&fake, "test", "app-1.wasm", &[("RUST_TEST_NOCAPTURE", "0")]);
    assert_eq!(
        tells_libtest(&fake).as_deref(),
        Some("0"),
        "the user's wish"
    );
}

#[test]
fn after_a_trap_it_is_said_what_did_not_run() {
    let fake = Fake::new("1.97.1");
    let says = |subcommand: &str, file: &str, guest: &str| {
        let output = run(&fake, subcommand, file, &[("FAKE_GUEST", guest)]);
        let code: i32 = guest.strip_prefix("exit ").unwrap().parse().unwrap();
        assert_eq!(output.status.code(), Some(code));
        stderr(&output)
            .contains("those behind it did not run\n  help: `cargo wasmedge nextest run`")
    };
    assert!(says("test", "app-1.wasm", "exit 134"));
    assert!(!says("test", "app-1.wasm", "exit 101"), "libtest's own");
    assert!(!says("test", "app-1.wasm", "exit 0"));
    assert!(!says("run", "app-1.wasm", "exit 134"), "no tests");
    assert!(
        !says("test", "rust_out.wasm", "exit 134"),
        "nextest runs no doctests"
    );
}

#[test]
fn doctests_are_interpreted() {
    let fake = Fake::new("1.97.1");
    let folder = fake.path("rustdoctest");
    std::fs::create_dir_all(&folder).unwrap();
    let program = folder.join("rust_out.wasm");
    std::fs::write(&program, b"\0asm\x01\0\0\0").unwrap();
    let mut command = fake.command(["wasmedge-runner"]);
    assert!(command.arg(&program).status().unwrap().success());
    assert_eq!(fake.read("compiled"), "");
    let mut always = fake.command(["wasmedge-runner"]);
    always.arg(program).env("CARGO_WASMEDGE_AOT", "always");
    assert!(always.status().unwrap().success());
    assert_eq!(fake.read("compiled").lines().count(), 1);
}
