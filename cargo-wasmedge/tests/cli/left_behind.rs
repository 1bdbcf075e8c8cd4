//! What is left when a command is killed: no program may run on.

use rustix::process::Signal;

use crate::fake::{Fake, is_alive, signal, wait_for};

/// One cargo that is given a lockfile's path, and one that is not: with the first one
/// `cargo wasmedge` becomes cargo, with the second one it waits.
const CARGOS: [&str; 2] = ["1.97.1", "1.95.0"];

/// What cargo does to run a program: it becomes the runner.
const RUNS: &str = "exec \"$CARGO_TARGET_WASM32_WASIP1_RUNNER_BIN\" wasmedge-runner app.wasm";

/// What it does to test: it waits for the runner.
const TESTS: &str = "echo $$ > \"$FAKE_DIR/cargo\"; \
    \"$CARGO_TARGET_WASM32_WASIP1_RUNNER_BIN\" wasmedge-runner app.wasm; true";

/// A server that nobody asks to end.
const SERVES: &str = "echo $$ > \"$FAKE_DIR/guest\"; touch \"$FAKE_DIR/ready\"; exec sleep 60";

/// Starts `cargo wasmedge SUBCOMMAND`, kills the process whose id is in the file
/// `killed` (the command itself without one), and waits for the guest to end.
fn no_guest_is_left(cargo: &str, subcommand: &str, script: &str, killed: Option<&str>) {
    let fake = Fake::new(cargo);
    std::fs::write(fake.app().join("app.wasm"), b"\0asm\x01\0\0\0").unwrap();
    let mut command = fake.command([subcommand]);
    command.env("FAKE_GUEST", SERVES);
    command.env(
        "CARGO_TARGET_WASM32_WASIP1_RUNNER_BIN",
        env!("CARGO_BIN_EXE_cargo-wasmedge"),
    );
    let mut guard = fake.start(command, script);
    let guest = fake.read("guest");
    assert!(is_alive(&guest), "the test would prove nothing");
    match killed {
        Some(file) => signal(fake.read(file).trim().parse().unwrap(), Signal::KILL),
        None => guard.0.kill().unwrap(),
    }
    guard.0.wait().unwrap();
    wait_for("the guest to end", || !is_alive(&guest));
}

#[test]
fn a_killed_run_leaves_no_guest() {
    for cargo in CARGOS {
        no_guest_is_left(cargo, "run", RUNS, None);
    }
}

#[test]
fn a_killed_test_leaves_no_guest() {
    for cargo in CARGOS {
        no_guest_is_left(cargo, "test", TESTS, None);
    }
}

#[test]
fn a_killed_cargo_leaves_no_guest() {
    for cargo in CARGOS {
        no_guest_is_left(cargo, "test", TESTS, Some("cargo"));
    }
}

/// As natively: who starts a program with plain cargo may leave it running.
#[test]
fn without_the_command_above_a_program_outlives_its_parent() {
    let fake = Fake::new("1.97.1");
    std::fs::write(fake.app().join("app.wasm"), b"\0asm\x01\0\0\0").unwrap();
    let mut shell = fake.command([""; 0]);
    shell.env("FAKE_GUEST", SERVES);
    let mut parent = std::process::Command::new("/bin/sh");
    parent.args(["-c", "\"$0\" wasmedge-runner app.wasm & exit 0"]);
    parent.arg(env!("CARGO_BIN_EXE_cargo-wasmedge"));
    parent.current_dir(fake.app()).env_clear();
    for (name, value) in shell.get_envs() {
        parent.env(name, value.unwrap());
    }
    assert!(parent.status().unwrap().success());
    wait_for("the guest to start", || fake.path("ready").exists());
    let guest = fake.read("guest");
    // A signal that the kernel sends with the parent's end would be there by now.
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert!(is_alive(&guest));
    signal(guest.trim().parse().unwrap(), Signal::KILL);
}
