//! Commands at the same time, and in the same target folder.

use std::fs::{self, File};

use crate::fake::{Fake, Guard, stderr, wait_for};

const NEW: &str = "1.97.1";

/// It ends by itself if the test is killed.
const UNTIL_GO: &str = "touch \"$FAKE_DIR/ready\"; n=0; \
    while [ ! -e \"$FAKE_DIR/go\" ] && [ $n -lt 2000 ]; do n=$((n+1)); sleep 0.02; done";

#[test]
fn apps_that_share_a_target_folder_have_lockfiles_of_their_own() {
    let fakes = [Fake::new(NEW), Fake::new(NEW)];
    let shared = fakes[0].path("shared");
    for round in 0..2 {
        for fake in &fakes {
            if round == 0 {
                fs::remove_file(fake.app().join("Cargo.lock")).unwrap();
            }
            let mut command = fake.command(["build"]);
            command.env("CARGO_TARGET_DIR", &shared);
            let output = command.output().unwrap();
            assert!(output.status.success());
            // The first time each is told where its versions are; then all is known.
            let kept = stderr(&output)
                .contains("note: the app has no Cargo.lock: its versions are kept in ");
            assert_eq!(kept, round == 0, "{}", stderr(&output));
            assert_eq!(fake.lock(), None);
        }
    }
    let resolved = fakes.each_ref().map(|fake| fake.read("resolved"));
    for lock in &resolved {
        assert_eq!(lock.lines().count(), 1, "resolved each time: {resolved:?}");
        assert!(lock.contains("/shared/wasmedge/the-app-"), "{lock}");
    }
    assert_ne!(resolved[0], resolved[1]);
}

#[test]
fn apps_that_share_a_target_folder_do_not_wait_for_each_other() {
    let (first, second) = (Fake::new(NEW), Fake::new(NEW));
    let shared = first.path("shared");
    let mut command = first.command(["build"]);
    command
        .env("CARGO_TARGET_DIR", &shared)
        .env("FAKE_METADATA", UNTIL_GO);
    let mut waits = first.start(command, "true");
    let mut command = second.command(["build"]);
    command.env("CARGO_TARGET_DIR", &shared);
    let mut goes_on = Guard(command.spawn().unwrap());
    wait_for("the other app", || goes_on.0.try_wait().unwrap().is_some());
    assert!(goes_on.0.wait().unwrap().success());
    assert!(
        waits.0.try_wait().unwrap().is_none(),
        "the test would prove nothing"
    );
    fs::write(first.path("go"), "").unwrap();
    assert!(waits.0.wait().unwrap().success());
}

#[test]
fn who_has_to_wait_is_told_for_whom() {
    for cargo in [NEW, "1.95.0"] {
        let fake = Fake::new(cargo);
        let mut command = fake.command(["build", "--features", "a b"]);
        command.env("FAKE_METADATA", UNTIL_GO);
        let mut first = fake.start(command, "true");
        let said = fake.path("said");
        let mut command = fake.command(["env"]);
        command.stderr(File::create(&said).unwrap());
        command.stdout(std::process::Stdio::null());
        let mut second = Guard(command.spawn().unwrap());
        wait_for("a line", || fake.read("said").contains('\n'));
        let line = format!(
            "    Blocking waiting for process {} (cargo wasmedge build --features 'a b'), which has the lockfiles in {}",
            first.0.id(),
            fake.app().join("target/wasmedge").display(),
        );
        assert!(
            fake.read("said").starts_with(&line),
            "{}",
            fake.read("said")
        );
        fs::write(fake.path("go"), "").unwrap();
        assert!(first.0.wait().unwrap().success());
        assert!(second.0.wait().unwrap().success());
    }
}
