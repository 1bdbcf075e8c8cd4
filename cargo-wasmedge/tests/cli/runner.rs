//! The runner: how WasmEdge is started.

use std::process::{Command, Output};

use crate::fake::{Fake, Guard, stderr, wait_for};

/// Runs a program built into `profile`, as cargo would.
fn run(fake: &Fake, profile: &str, env: &[(&str, &str)]) -> Output {
    runner(fake, profile, env).output().unwrap()
}

/// The command for it.
fn runner(fake: &Fake, profile: &str, env: &[(&str, &str)]) -> Command {
    let folder = fake.app().join("target/wasm32-wasip1").join(profile);
    std::fs::create_dir_all(&folder).unwrap();
    let program = folder.join("app.wasm");
    // Whole at any time: another run may be reading it.
    let new = tempfile::NamedTempFile::new_in(&folder).unwrap();
    // A module of wasm, though an empty one.
    std::fs::write(&new, b"\0asm\x01\0\0\0").unwrap();
    new.persist(&program).unwrap();
    let relative = format!("target/wasm32-wasip1/{profile}/app.wasm");
    let mut command = fake.command([
        "wasmedge-runner",
        &relative,
        "--flag",
        "a b",
        "--",
        "--help",
    ]);
    command.env("CARGO_MANIFEST_DIR", fake.app());
    command.envs(env.iter().copied());
    command
}

fn args(fake: &Fake) -> Vec<String> {
    fake.read("wasmedge-args")
        .lines()
        .map(str::to_owned)
        .collect()
}

/// The values of an option.
fn values(fake: &Fake, option: &str) -> Vec<String> {
    let args = args(fake);
    let pairs = args.iter().zip(args.iter().skip(1));
    pairs
        .filter(|(name, _)| *name == option)
        .map(|(_, value)| value.clone())
        .collect()
}

#[test]
fn a_debug_build_is_interpreted() {
    let fake = Fake::new("1.97.1");
    let output = run(&fake, "debug", &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(fake.read("compiled"), "");
    let args = args(&fake);
    let program = args.iter().position(|arg| arg.ends_with(".wasm")).unwrap();
    assert_eq!(
        args[program..],
        [
            "target/wasm32-wasip1/debug/app.wasm",
            "--flag",
            "a b",
            "--",
            "--help"
        ]
    );
    assert!(!args.contains(&"--run-mode".to_owned()));
}

#[test]
fn an_optimised_build_is_compiled_once() {
    let fake = Fake::new("1.97.1");
    let first = run(&fake, "release", &[]);
    assert!(
        stderr(&first).contains("Compiling app.wasm ahead of time (WasmEdge 0.17.1)"),
        "{}",
        stderr(&first)
    );
    assert_eq!(values(&fake, "--run-mode"), ["aot"]);
    let compiled = args(&fake)
        .into_iter()
        .find(|arg| arg.ends_with("/app.wasm"))
        .unwrap();
    assert!(
        compiled.starts_with(fake.path("cache/aot").to_str().unwrap()),
        "{compiled}"
    );
    let second = run(&fake, "release", &[]);
    assert_eq!(stderr(&second), "");
    assert_eq!(fake.read("compiled").lines().count(), 1);
}

#[test]
fn two_runs_at_once_compile_once() {
    let fake = Fake::new("1.97.1");
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| assert!(run(&fake, "release", &[]).status.success()));
        }
    });
    assert_eq!(fake.read("compiled").lines().count(), 1);
}

#[test]
fn who_waits_for_another_compilation_says_so() {
    let fake = Fake::new("1.97.1");
    run(&fake, "release", &[]);
    // Its entry, as while it is being made.
    let entries = fake.path("cache/aot").read_dir().unwrap();
    let entry = entries.map(|entry| entry.unwrap().path()).next().unwrap();
    std::fs::remove_file(entry.join("app.wasm")).unwrap();
    let lock = std::fs::File::open(entry.join(".lock")).unwrap();
    lock.lock().unwrap();
    let said = std::fs::File::create(fake.path("said")).unwrap();
    let mut command = runner(&fake, "release", &[]);
    let mut waiting = Guard(command.stderr(said).spawn().unwrap());
    let waits = "Blocking while another process compiles app.wasm";
    wait_for("it to say so", || fake.read("said").contains(waits));
    lock.unlock().unwrap();
    assert!(waiting.0.wait().unwrap().success());
    assert_eq!(fake.read("compiled").lines().count(), 2);
}

#[test]
fn what_cannot_be_compiled_is_interpreted() {
    let fake = Fake::new("1.97.1");
    let script = fake.path("bin/wasmedge");
    let text = std::fs::read_to_string(&script).unwrap();
    let text = text.replace("cp \"$2\" \"$3\"; exit", "echo 'bad opcode'; exit 1");
    std::fs::write(&script, text).unwrap();
    let output = run(&fake, "release", &[]);
    assert!(output.status.success());
    let said = stderr(&output);
    assert!(
        said.contains("warning: app.wasm cannot be compiled ahead of time"),
        "{said}"
    );
    assert!(said.contains("bad opcode"), "{said}");
    assert!(values(&fake, "--run-mode").is_empty());
}

#[test]
fn aot_follows_the_setting() {
    let fake = Fake::new("1.97.1");
    run(&fake, "release", &[("CARGO_WASMEDGE_AOT", "never")]);
    assert_eq!(fake.read("compiled"), "");
    run(&fake, "debug", &[("CARGO_WASMEDGE_AOT", "always")]);
    assert_eq!(fake.read("compiled").lines().count(), 1);
}

#[test]
fn the_working_directory_is_preopened_under_both_names() {
    let fake = Fake::new("1.97.1");
    let resolver = ("CARGO_WASMEDGE_RESOLVER", "host");
    run(&fake, "debug", &[("TMPDIR", "/nowhere/at/all"), resolver]);
    let app = fake.app().canonicalize().unwrap();
    let app = app.display();
    let mut expected = vec![".:.".to_owned()];
    if cfg!(target_os = "linux") {
        // What getrandom is seeded from.
        let folder = "/proc/sys/kernel/random";
        expected.push(format!("{folder}:{folder}:readonly"));
    }
    expected.push(format!("{app}:{app}"));
    assert_eq!(values(&fake, "--dir"), expected);
}

#[test]
fn a_program_finds_the_hosts_name_servers_in_its_own_etc() {
    let fake = Fake::new("1.97.1");
    run(&fake, "debug", &[]);
    let dirs = values(&fake, "--dir");
    let etc = dirs.iter().find_map(|dir| dir.strip_prefix("/etc:"));
    let Ok(servers) = std::fs::read("/etc/resolv.conf") else {
        assert_eq!(etc, None, "there is nothing to hand over");
        return;
    };
    let folder = etc.and_then(|etc| etc.strip_suffix(":readonly")).unwrap();
    let copy = std::fs::read(format!("{folder}/resolv.conf")).unwrap();
    assert_eq!(copy, servers);
}

#[test]
fn unix_sockets_are_allowed_by_the_setting_only() {
    let allowed = |fake: &Fake, variables: &[(&str, &str)]| {
        run(fake, "debug", variables);
        let args = args(fake);
        let program = args.iter().position(|arg| arg.ends_with("app.wasm"));
        let flag = args.iter().position(|arg| arg == "--allow-af-unix");
        assert!(flag.is_none() || flag < program, "{args:?}");
        // Warnings of the host's would be in the program's output.
        let quiet = values(fake, "--log-level") == ["error"];
        assert_eq!(quiet, flag.is_some(), "{args:?}");
        flag.is_some()
    };
    let fake = Fake::new("1.97.1");
    let variable = "CARGO_WASMEDGE_ALLOW_AF_UNIX";
    assert!(!allowed(&fake, &[]));
    assert!(allowed(&fake, &[(variable, "true")]));
    fake.manifest("[package.metadata.wasmedge]\nallow-af-unix = true\n");
    assert!(allowed(&fake, &[]));
    assert!(!allowed(&fake, &[(variable, "false")]));
}

#[test]
fn variables_that_are_the_guests_business_are_passed() {
    let fake = Fake::new("1.97.1");
    fake.manifest(
        "[package.metadata.wasmedge]\nenv = [\"HOME\", \"MODE=test run\"]\ntmp = false\n",
    );
    run(
        &fake,
        "debug",
        &[
            ("RUST_LOG", "trace"),
            ("NEXTEST_RUN_ID", "1"),
            ("CARGO_REGISTRY_TOKEN", "secret"),
            ("SECRET", "secret"),
        ],
    );
    let env = values(&fake, "--env");
    for expected in ["RUST_LOG=trace", "NEXTEST_RUN_ID=1", "MODE=test run"] {
        assert!(
            env.contains(&expected.to_owned()),
            "{expected} is not in {env:?}"
        );
    }
    assert!(env.contains(&format!("HOME={}", fake.path("home").display())));
    assert!(!env.iter().any(|entry| entry.contains("secret")), "{env:?}");
}

#[test]
fn a_variable_wins_over_the_package_and_that_over_the_workspace() {
    let fake = Fake::new("1.97.1");
    fake.manifest(
        "[package.metadata.wasmedge]\nenv = [\"FROM=package\"]\n\
         [workspace]\n[workspace.metadata.wasmedge]\nenv = [\"FROM=workspace\"]\nwasmedge-args = [\"--x\"]\n",
    );
    let from = |env: &[(&str, &str)]| {
        run(&fake, "debug", env);
        let all = values(&fake, "--env");
        all.into_iter()
            .filter(|entry| entry.starts_with("FROM="))
            .collect::<Vec<_>>()
    };
    assert_eq!(from(&[]), ["FROM=package"]);
    assert_eq!(
        from(&[("CARGO_WASMEDGE_ENV", "FROM=variable")]),
        ["FROM=variable"]
    );
    assert!(
        args(&fake).contains(&"--x".to_owned()),
        "the workspace still decides what others leave open"
    );
    fake.manifest("[workspace]\n[workspace.metadata.wasmedge]\nenv = [\"FROM=workspace\"]\n");
    assert_eq!(from(&[]), ["FROM=workspace"]);
}

#[test]
fn the_guests_exit_code_is_ours() {
    let fake = Fake::new("1.97.1");
    assert_eq!(
        run(&fake, "debug", &[("FAKE_GUEST", "exit 134")])
            .status
            .code(),
        Some(134)
    );
}

#[test]
fn the_flag_wins_over_all() {
    let fake = Fake::new("1.97.1");
    fake.manifest("[package.metadata.wasmedge]\nwasmedge = \"0.14\"\n");
    // Only 0.17.1 is there.
    let mut command = fake.command(["run"]);
    command
        .env_remove("CARGO_WASMEDGE_WASMEDGE")
        .env("FAKE_CARGO", "true");
    assert_eq!(command.output().unwrap().status.code(), Some(96));
    let mut command = fake.command(["--wasmedge", "0.17", "run"]);
    assert_eq!(
        command
            .env("FAKE_CARGO", "true")
            .output()
            .unwrap()
            .status
            .code(),
        Some(0)
    );
}
