//! What reaches cargo, and what comes back.

use crate::fake::{Fake, LOCK, is_alive, signal, stderr, wait_for};
use crate::packages::Packages;

const NEW: &str = "1.97.1";
const OLD: &str = "1.95.0";

fn args(fake: &Fake) -> Vec<String> {
    fake.read("args").lines().map(str::to_owned).collect()
}

fn variable(fake: &Fake, name: &str) -> Option<String> {
    let env = fake.read("env");
    let line = env
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{name}=")));
    line.map(str::to_owned)
}

#[test]
fn arguments_reach_cargo_as_they_are() {
    let fake = Fake::new(NEW);
    let mut command = fake.command([
        "build",
        "--features",
        "a b",
        "",
        "--message-format=json",
        "--",
        "-x",
    ]);
    assert!(
        command
            .env("FAKE_CARGO", "true")
            .status()
            .unwrap()
            .success()
    );
    let args = args(&fake);
    assert_eq!(args[0], "--config");
    let lockfile = args[1].strip_prefix("resolver.lockfile-path=").unwrap();
    let folder = fake.app().join("target/wasmedge");
    assert!(
        lockfile[1..].starts_with(folder.to_str().unwrap()),
        "{args:?}"
    );
    assert!(lockfile.ends_with("/Cargo.lock\""), "{args:?}");
    assert_eq!(
        args[2..],
        [
            "build",
            "--target",
            "wasm32-wasip1",
            "--features",
            "a b",
            "",
            "--message-format=json",
            "--",
            "-x",
        ]
    );
}

#[test]
fn a_target_of_the_users_stands_alone() {
    let fake = Fake::new(NEW);
    assert!(
        fake.run("build --target x86_64-unknown-linux-gnu", "true")
            .status
            .success()
    );
    let args = args(&fake);
    let targets = args.iter().filter(|arg| *arg == "--target").count();
    assert_eq!(targets, 1, "{args:?}");
}

#[test]
fn an_older_cargo_gets_no_lockfile_path() {
    let fake = Fake::new(OLD);
    assert!(fake.run("build", "true").status.success());
    assert_eq!(args(&fake), ["build", "--target", "wasm32-wasip1"]);
}

#[test]
fn options_before_the_subcommand_are_handed_on() {
    let fake = Fake::new(OLD);
    assert!(
        fake.run("--offline --config a.b=1 -q build", "true")
            .status
            .success()
    );
    assert_eq!(
        args(&fake),
        [
            "--config",
            "a.b=1",
            "--offline",
            "build",
            "--target",
            "wasm32-wasip1"
        ]
    );
    assert_eq!(variable(&fake, "CARGO_TERM_QUIET").as_deref(), Some("true"));
}

/// cargo forgets a `--config` in front of the subcommand's name where one is behind it: the
/// ported crates were forgotten.
#[test]
fn our_configuration_stands_where_the_users_does() {
    let fake = Fake::new(NEW);
    let words = "build --config a.b=1 --config=c.toml -- --config d";
    assert!(fake.run(words, "true").status.success());
    let args = args(&fake);
    assert_eq!(args[..2], ["build", "--config"]);
    assert!(
        args[2].starts_with("resolver.lockfile-path="),
        "what is behind `build` counts: {args:?}"
    );
    let rest = "--target wasm32-wasip1 --config a.b=1 --config=c.toml -- --config d";
    assert_eq!(args[3..], rest.split(' ').collect::<Vec<_>>());
}

#[test]
fn what_is_the_programs_own_hides_nothing() {
    let fake = Fake::new(NEW);
    let output = fake.run("run -- --config d", "true");
    assert!(output.status.success());
    assert_eq!(args(&fake)[0], "--config");
}

#[test]
fn an_alias_gets_the_target_as_a_variable() {
    let fake = Fake::new(OLD);
    assert!(fake.run("my-alias --x", "true").status.success());
    assert_eq!(args(&fake), ["my-alias", "--x"]);
    assert_eq!(
        variable(&fake, "CARGO_BUILD_TARGET").as_deref(),
        Some("wasm32-wasip1")
    );
}

#[test]
fn commands_that_do_not_build_are_left_alone() {
    for words in ["add tokio --offline", "update", "build --help", "version"] {
        let fake = Fake::new(OLD);
        assert!(fake.run(words, "true").status.success());
        assert_eq!(args(&fake), words.split_whitespace().collect::<Vec<_>>());
        assert!(
            !fake.app().join("target").exists(),
            "{words} left something behind"
        );
    }
}

#[test]
fn our_flag_behind_a_subcommand_is_no_argument_of_cargos() {
    for (words, help) in [
        ("run --wasmedge 0.14", "--wasmedge 0.14 run"),
        ("test name --wasmedge=0.14", "--wasmedge 0.14 test"),
        ("build --wasmedge", "--wasmedge VERSION build"),
    ] {
        let fake = Fake::new(NEW);
        let output = fake.run(words, "true");
        let name = words.split(' ').next().unwrap();
        let expected = format!(
            "error: `--wasmedge` is no flag of `cargo {name}`: it stands before the subcommand\n  \
             help: cargo wasmedge {help}\n"
        );
        assert_eq!(stderr(&output), expected, "{words}");
        assert!(args(&fake).is_empty(), "{words}: cargo was started");
    }
    // The program's own is the program's.
    for words in ["run -- --wasmedge 0.14", "run word --wasmedge 0.14"] {
        let fake = Fake::new(NEW);
        assert!(fake.run(words, "true").status.success(), "{words}");
    }
}

#[test]
fn commands_that_would_build_for_this_machine_are_refused() {
    for (words, help) in [
        ("install --path .", "help: cargo wasmedge build --release"),
        ("install ripgrep", "or for a native program: cargo install"),
        (
            "package",
            "help: cargo package, or cargo wasmedge package --no-verify",
        ),
        ("publish --dry-run", "help: cargo publish, or"),
    ] {
        let fake = Fake::new(NEW);
        let output = fake.run(words, "true");
        assert_eq!(output.status.code(), Some(1), "{words}");
        let said = stderr(&output);
        assert!(said.starts_with("error: `cargo "), "{words}: {said}");
        assert!(said.contains(help), "{words}: {said}");
        assert!(args(&fake).is_empty(), "{words}: cargo was started");
    }
    for words in [
        "install --list",
        "package --list",
        "publish --no-verify",
        "install -h",
    ] {
        let fake = Fake::new(NEW);
        assert!(fake.run(words, "true").status.success(), "{words}");
        assert_eq!(args(&fake), words.split_whitespace().collect::<Vec<_>>());
    }
}

#[test]
fn what_another_program_installs_is_native() {
    for words in [
        "install x",
        "--locked --color never publish",
        "-C dir add y",
    ] {
        let fake = Fake::new(NEW);
        let call = format!("FAKE_CARGO=true exec \"$CARGO\" {words}");
        fake.script("cargo-other", &call);
        assert!(fake.run("other", "").status.success());
        assert_eq!(args(&fake), words.split_whitespace().collect::<Vec<_>>());
        assert_eq!(variable(&fake, "CARGO_BUILD_TARGET"), None, "{words}");
    }
}

#[test]
fn another_programs_subcommand_gets_a_cargo_that_knows_the_overrides() {
    let fake = Fake::new(NEW);
    let script = fake.path("bin/cargo-other");
    std::fs::write(
        &script,
        "#!/bin/sh\necho \"$@\" > \"$FAKE_DIR/other\"\nFAKE_CARGO='exit 5' \"$CARGO\" build --x\n",
    )
    .unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    assert_eq!(fake.run("other run --flag", "").status.code(), Some(5));
    assert_eq!(fake.read("other"), "other run --flag\n");
    let args = args(&fake);
    assert_eq!(args[0], "--config");
    assert!(args[1].starts_with("resolver.lockfile-path="), "{args:?}");
    assert_eq!(args[2..], ["build", "--x"]);
    assert_eq!(
        variable(&fake, "CARGO_BUILD_TARGET").as_deref(),
        Some("wasm32-wasip1")
    );
    // Build scripts are to see the real cargo.
    let real = fake.path("bin/cargo");
    assert_eq!(variable(&fake, "CARGO").as_deref(), real.to_str());
}

#[test]
fn a_cargo_that_knows_the_overrides_puts_them_where_the_callers_are() {
    let cases = [
        ("build --x y", 0),
        ("--config a=1 build --x", 0),
        ("build --x --config a=1 -- b", 2),
        ("--color never build --config=a b", 3),
        ("build -- --config a", 0),
    ];
    for (call, at) in cases {
        let fake = Fake::new(NEW);
        let script = format!("FAKE_CARGO=true \"$CARGO\" {call}");
        fake.script("cargo-other", &script);
        assert!(fake.run("other", "").status.success());
        let mut args = args(&fake);
        assert_eq!(args.remove(at), "--config", "{call}");
        let ours = args.remove(at);
        assert!(
            ours.starts_with("resolver.lockfile-path="),
            "{call}: {ours}"
        );
        assert_eq!(args, call.split(' ').collect::<Vec<_>>());
    }
}

#[test]
fn cargos_exit_code_is_ours() {
    for version in [OLD, NEW] {
        for code in [0, 1, 101, 134] {
            let fake = Fake::new(version);
            let status = fake.run("test", &format!("exit {code}")).status;
            assert_eq!(status.code(), Some(code), "cargo {version}");
        }
    }
}

#[test]
fn a_missing_c_compiler_is_told_again_behind_a_build_that_fails() {
    for version in [OLD, NEW] {
        let run = |words: &str, script: &str| {
            let fake = Fake::new(version);
            has_c(&fake);
            let output = fake.run(words, script);
            let said = stderr(&output);
            assert!(said.contains("warning: no C compiler"), "{said}");
            let last = said.lines().last().unwrap().trim().to_owned();
            (output.status.code(), last)
        };
        let help = "help: cargo wasmedge setup --c";
        let fails = "echo 'a thousand lines' >&2; exit 101";
        assert_eq!(run("build", fails), (Some(101), help.to_owned()));
        // A program's own end is none of this business.
        for code in [0, 1, 134] {
            let ends = format!("echo ended >&2; exit {code}");
            assert_eq!(run("run", &ends), (Some(code), "ended".to_owned()));
        }
    }
}

/// Lets `cargo metadata` say that the app has a crate that compiles C, for which there is
/// no compiler.
fn has_c(fake: &Fake) {
    fake.script("clang", "exit 1");
    Packages::new(&fake.app())
        .member("app", "", &[("native", "^1", "1.0.0")])
        .krate(
            ("native", "1.0.0"),
            &fake.path("native"),
            &[("cc", "^1", "1.0.0")],
        )
        .krate(("cc", "1.0.0"), &fake.path("cc"), &[])
        .write(fake);
    // What builds with it.
    let file = fake.path("metadata.json");
    let mut metadata: serde_json::Value =
        serde_json::from_str(&fake.read("metadata.json")).unwrap();
    metadata["resolve"]["nodes"][1]["deps"][0]["dep_kinds"][0]["kind"] = "build".into();
    std::fs::write(file, metadata.to_string()).unwrap();
}

#[test]
fn a_signal_that_ends_cargo_shows_in_the_exit_code() {
    let fake = Fake::new(OLD);
    assert_eq!(fake.run("run", "kill -9 $$").status.code(), Some(128 + 9));
}

#[test]
fn with_a_new_cargo_the_process_becomes_cargo() {
    let fake = Fake::new(NEW);
    let guard = fake.start(
        fake.command(["run"]),
        "echo $$ > \"$FAKE_DIR/pid\"; touch \"$FAKE_DIR/ready\"; exec sleep 60",
    );
    let pid = fake.read("pid");
    assert_eq!(pid.trim(), guard.0.id().to_string());
    signal(guard.0.id(), rustix::process::Signal::TERM);
    let mut guard = guard;
    let status = guard.0.wait().unwrap();
    assert_eq!(
        std::os::unix::process::ExitStatusExt::signal(&status),
        Some(15)
    );
    wait_for("the child to end", || !is_alive(&pid));
    assert_eq!(fake.lock().as_deref(), Some(LOCK));
}

#[test]
fn stdout_is_cargos_alone() {
    let fake = Fake::new(NEW);
    fake.manifest("[package.metadata.wasmedge]\nnonsense = 1\n");
    let output = fake.run("-v run", "echo '{}'");
    assert_eq!(output.stdout, b"{}\n");
    let said = stderr(&output);
    assert!(said.contains("Running `"), "-v shows the command: {said}");
}

#[test]
fn unknown_keys_are_warned_about_with_file_and_key() {
    let fake = Fake::new(NEW);
    fake.manifest("[package.metadata.wasmedge]\naott = \"never\"\n");
    let output = fake.run("build", "true");
    assert!(output.status.success());
    let expected = format!(
        "warning: unused key `package.metadata.wasmedge.aott` in {} (did you mean `aot`?)\n",
        fake.app().join("Cargo.toml").display()
    );
    assert_eq!(stderr(&output), expected);
}

#[test]
fn color_is_used_when_asked_for_and_not_otherwise() {
    let fake = Fake::new(NEW);
    fake.manifest("[package.metadata.wasmedge]\nnonsense = 1\n");
    let said = |args: &str| stderr(&fake.run(args, "true")).contains('\x1b');
    assert!(!said("build"), "stderr is no terminal");
    assert!(said("--color always build"));
    assert!(!said("--color never build"));
    let mut command = fake.command(["--color", "auto", "build"]);
    let output = command
        .env("NO_COLOR", "1")
        .env("FAKE_CARGO", "true")
        .output()
        .unwrap();
    assert!(!stderr(&output).contains('\x1b'));
}

#[test]
fn without_cargo_lock_and_cargo_failing_none_appears() {
    let fake = Fake::new(OLD);
    std::fs::remove_file(fake.app().join("Cargo.lock")).unwrap();
    let output = fake.run("build", "exit 101");
    assert_eq!(output.status.code(), Some(101));
    assert_eq!(fake.lock(), None);
}

#[test]
fn our_flags_are_variables_of_every_cargo_that_is_started() {
    for words in ["build", "update", "my-alias"] {
        let fake = Fake::new(NEW);
        let flags = format!("--color never -v -q --wasmedge 0.17 {words}");
        assert!(fake.run(&flags, "true").status.success());
        for (name, value) in [
            ("CARGO_TERM_COLOR", "never"),
            ("CARGO_TERM_QUIET", "true"),
            ("CARGO_WASMEDGE_VERBOSE", "true"),
            ("CARGO_WASMEDGE_WASMEDGE", "0.17"),
        ] {
            assert_eq!(variable(&fake, name).as_deref(), Some(value), "{words}");
        }
        // Relative paths in variables start where the user is.
        let app = fake.app().canonicalize().unwrap();
        let base = variable(&fake, "CARGO_WASMEDGE_BASE");
        assert_eq!(base.as_deref(), app.to_str(), "{words}");
    }
}

#[test]
fn programs_that_know_nothing_of_the_toolchain_find_it() {
    let fake = Fake::new(NEW);
    assert!(fake.run("build", "true").status.success());
    let linker = variable(&fake, "CARGO_TARGET_WASM32_WASIP1_LINKER").unwrap();
    let script = std::fs::read_to_string(linker).unwrap();
    let linker = fake.path("bin/wasm-ld").display().to_string();
    assert!(script.contains(&linker), "{script}");
    let cargo = fake.path("bin/cargo");
    assert_eq!(variable(&fake, "CARGO").as_deref(), cargo.to_str());
}
