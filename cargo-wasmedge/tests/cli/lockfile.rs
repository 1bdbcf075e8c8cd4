//! The app's lockfile with a cargo that cannot use another one.

use std::os::unix::process::ExitStatusExt as _;

use rustix::process::Signal;

use crate::fake::{Fake, LOCK, is_alive, signal, stderr, wait_for};

const OLD: &str = "1.95.0";

const CHANGE_AND_WAIT: &str = "echo changed > Cargo.lock; sleep 60 & echo $! > \"$FAKE_DIR/pid\"; \
    trap 'kill $!; exit 1' INT TERM HUP; touch \"$FAKE_DIR/ready\"; wait";

#[test]
fn it_is_the_same_after_success_and_failure() {
    for code in [0, 101] {
        let fake = Fake::new(OLD);
        let output = fake.run("build", &format!("echo changed > Cargo.lock; exit {code}"));
        assert_eq!(output.status.code(), Some(code));
        assert_eq!(fake.lock().as_deref(), Some(LOCK));
        // And whoever changed it in the meantime spoils nothing for the next time.
        assert!(fake.run("build", "true").status.success());
        assert_eq!(fake.read("lock-seen"), format!("{LOCK}resolved\n"));
    }
}

#[test]
fn it_is_the_same_when_cargo_cannot_resolve() {
    let fake = Fake::new(OLD);
    let mut command = fake.command(["build"]);
    let output = command.env("FAKE_METADATA_FAILS", "1").output().unwrap();
    assert_eq!(output.status.code(), Some(101));
    let said = stderr(&output);
    assert!(said.ends_with("\nerror: said by cargo\n"), "{said}");
    assert_eq!(fake.lock().as_deref(), Some(LOCK));
}

#[test]
fn it_is_the_same_after_each_signal_and_no_child_is_left() {
    for (sent, number) in [(Signal::INT, 2), (Signal::TERM, 15), (Signal::HUP, 1)] {
        let fake = Fake::new(OLD);
        let mut guard = fake.start(fake.command(["build"]), CHANGE_AND_WAIT);
        assert_eq!(
            fake.lock().as_deref(),
            Some("changed\n"),
            "the test would prove nothing"
        );
        signal(guard.0.id(), sent);
        let status = guard.0.wait().unwrap();
        assert_eq!(status.signal(), Some(number), "ends as without us");
        assert_eq!(fake.lock().as_deref(), Some(LOCK));
        wait_for("cargo's child to end", || !is_alive(&fake.read("pid")));
    }
}

#[test]
fn why_it_is_replaced_is_said_once() {
    let fake = Fake::new(OLD);
    let note = "note: this cargo knows no lockfile but Cargo.lock";
    let said = stderr(&fake.run("build", "true"));
    assert!(said.starts_with(note), "{said}");
    assert!(said.contains("help: cargo 1.97 or newer"), "{said}");
    assert_eq!(stderr(&fake.run("build", "true")), "");
    // A newer one has no reason to.
    assert_eq!(stderr(&Fake::new("1.97.0").run("build", "true")), "");
}

#[test]
fn it_is_put_back_at_once_when_we_are_killed() {
    let fake = Fake::new(OLD);
    let mut guard = fake.start(fake.command(["build"]), CHANGE_AND_WAIT);
    assert_eq!(
        fake.lock().as_deref(),
        Some("changed\n"),
        "the test would prove nothing"
    );
    guard.0.kill().unwrap();
    guard.0.wait().unwrap();
    wait_for("the lockfile", || fake.lock().as_deref() == Some(LOCK));
    // And nothing goes on with another one.
    assert!(!is_alive(&fake.read("pid")), "cargo's child is left");
}

#[test]
#[cfg(target_os = "linux")]
fn it_is_put_back_by_any_later_command_when_all_of_it_was_killed() {
    for words in ["build", "version", "doctor"] {
        let fake = Fake::new(OLD);
        let mut guard = fake.start(fake.command(["build"]), CHANGE_AND_WAIT);
        let watches = process_with(&fake.path("cache/journals")).unwrap();
        signal(watches.parse().unwrap(), Signal::KILL);
        guard.0.kill().unwrap();
        guard.0.wait().unwrap();
        // cargo ends with the command, and so its child.
        wait_for("cargo's child to end", || !is_alive(&fake.read("pid")));
        assert_eq!(
            fake.lock().as_deref(),
            Some("changed\n"),
            "the test would prove nothing"
        );
        let output = fake.run(words, "true");
        let said = stderr(&output);
        assert!(
            said.contains("an earlier run was killed: restored"),
            "{words}: {said}"
        );
        assert_eq!(fake.lock().as_deref(), Some(LOCK), "{words}");
    }
}

/// The process that has this path among its arguments.
#[cfg(target_os = "linux")]
fn process_with(path: &std::path::Path) -> Option<String> {
    let path = path.to_str().unwrap();
    let mut processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes.find_map(|process| {
        let pid = process.file_name().into_string().ok()?;
        let args = std::fs::read(process.path().join("cmdline")).ok()?;
        let args = String::from_utf8_lossy(&args);
        args.contains(path).then_some(pid)
    })
}

#[test]
fn it_is_put_back_when_a_built_program_starts() {
    let fake = Fake::new(OLD);
    let program = fake.app().join("app.wasm");
    std::fs::write(&program, "wasm").unwrap();
    let runner = "echo changed > Cargo.lock; $CARGO_TARGET_WASM32_WASIP1_RUNNER app.wasm";
    let mut command = fake.command(["run"]);
    command.env("CARGO_WASMEDGE_AOT", "never");
    command.env("FAKE_GUEST", "touch \"$FAKE_DIR/ready\"; exec sleep 60");
    let _guard = fake.start(command, runner);
    wait_for("the lockfile", || fake.lock().as_deref() == Some(LOCK));
    // And another one need not wait for the program to end.
    assert!(fake.run("build", "true").status.success());
}

#[test]
fn with_locked_the_apps_own_is_checked() {
    let fake = Fake::new(OLD);
    let mut command = fake.command(["build", "--locked"]);
    let output = command
        .env("FAKE_METADATA_FAILS", "1")
        .env("FAKE_CARGO", "true")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(101));
    assert_eq!(fake.read("args"), "", "cargo build was started");
}

#[test]
fn two_at_once_take_turns_also_with_other_folders() {
    let fake = Fake::new(OLD);
    let script = "test ! -e \"$FAKE_DIR/inside\" || exit 9; touch \"$FAKE_DIR/inside\"; sleep 0.3; \
                  echo changed > Cargo.lock; rm \"$FAKE_DIR/inside\"";
    let mut first = fake.command(["build"]);
    let elsewhere = fake.path("elsewhere");
    let mut second = fake.command(["build", "--target-dir", elsewhere.to_str().unwrap()]);
    second.env("CARGO_WASMEDGE_HOME", fake.path("another cache"));
    let mut first = first.env("FAKE_CARGO", script).spawn().unwrap();
    let mut second = second.env("FAKE_CARGO", script).spawn().unwrap();
    assert!(first.wait().unwrap().success());
    assert!(second.wait().unwrap().success());
    assert_eq!(fake.lock().as_deref(), Some(LOCK));
}
