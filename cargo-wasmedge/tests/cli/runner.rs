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
    // Below a hidden folder, which the test's is: WasmEdge would leave that part out.
    expected.push(format!(".{app}:{app}"));
    let mut dirs = values(&fake, "--dir");
    // Where the machine trusts anybody.
    dirs.retain(|dir| !dir.starts_with("/etc/ssl:"));
    assert_eq!(dirs, expected);
}

#[test]
fn certificates_that_the_user_names_are_where_the_program_is_told() {
    let fake = Fake::new("1.97.1");
    let mine = fake.path("mine.pem");
    std::fs::write(&mine, "mine").unwrap();
    let variable = ("SSL_CERT_FILE", mine.to_str().unwrap());
    let told = |fake: &Fake| -> Vec<String> {
        let env = values(fake, "--env").into_iter();
        env.filter(|entry| entry.starts_with("SSL_CERT_")).collect()
    };
    run(&fake, "debug", &[variable]);
    assert_eq!(told(&fake), ["SSL_CERT_FILE=/etc/ssl/cert.pem"]);
    let dirs = values(&fake, "--dir");
    let ssl = dirs.iter().find_map(|dir| dir.strip_prefix("/etc/ssl:"));
    let folder = ssl.and_then(|ssl| ssl.strip_suffix(":readonly")).unwrap();
    let copy = std::fs::read_to_string(format!("{folder}/cert.pem")).unwrap();
    assert_eq!(copy, "mine");

    // Who opens the folder, or says what it is called there, is not overruled.
    let opened = ("CARGO_WASMEDGE_DIRS", "/etc/ssl:/elsewhere");
    run(&fake, "debug", &[variable, opened]);
    assert_eq!(told(&fake), [format!("SSL_CERT_FILE={}", mine.display())]);
    assert!(values(&fake, "--dir").contains(&"/etc/ssl:/elsewhere".to_owned()));
    let named = ("CARGO_WASMEDGE_ENV", "SSL_CERT_FILE=/data/mine.pem");
    run(&fake, "debug", &[variable, named]);
    assert_eq!(told(&fake), ["SSL_CERT_FILE=/data/mine.pem"]);
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
fn a_program_sees_the_users_environment_less_the_machines_own() {
    let fake = Fake::new("1.97.1");
    fake.manifest(
        "[package.metadata.wasmedge]\nenv = [\"HOME\", \"MODE=test run\"]\ntmp = false\n",
    );
    let variables = [
        ("RUST_LOG", "trace"),
        ("NEXTEST_RUN_ID", "1"),
        ("DATABASE_URL", "postgres://a:b@c/d?e=f,g"),
        ("EMPTY", ""),
        ("CARGO_REGISTRY_TOKEN", "secret"),
        ("SSH_AUTH_SOCK", "secret"),
    ];
    run(&fake, "debug", &variables);
    let has = |entry: &str| values(&fake, "--env").contains(&entry.to_owned());
    for expected in [
        "RUST_LOG=trace",
        "NEXTEST_RUN_ID=1",
        "DATABASE_URL=postgres://a:b@c/d?e=f,g",
        "EMPTY=",
        "MODE=test run",
    ] {
        assert!(has(expected), "{expected} is not in {:?}", args(&fake));
    }
    assert!(has(&format!("HOME={}", fake.path("home").display())));
    let all = args(&fake).join(" ");
    assert!(!all.contains("secret") && !all.contains("PATH="), "{all}");

    let off = ("CARGO_WASMEDGE_INHERIT_ENV", "false");
    run(&fake, "debug", &[&variables[..], &[off]].concat());
    assert!(has("RUST_LOG=trace") && has("MODE=test run"));
    assert!(!args(&fake).join(" ").contains("DATABASE_URL"));
}

#[test]
fn a_list_in_a_variable_may_be_toml() {
    let fake = Fake::new("1.97.1");
    run(
        &fake,
        "debug",
        &[("CARGO_WASMEDGE_ENV", "[\"A=1\", \"B=two words\"]")],
    );
    let env = values(&fake, "--env");
    assert!(env.contains(&"A=1".to_owned()) && env.contains(&"B=two words".to_owned()));
    let output = run(&fake, "debug", &[("CARGO_WASMEDGE_ENV", "[A=1]")]);
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.contains("bad value of CARGO_WASMEDGE_ENV"), "{said}");
    assert!(said.contains("is one of TOML: [\"A\", \"B\"]"), "{said}");
}

#[test]
fn verbose_names_the_users_variables_without_their_values() {
    let fake = Fake::new("1.97.1");
    let verbose = ("CARGO_WASMEDGE_VERBOSE", "true");
    let output = run(&fake, "debug", &[("PASSWORD", "secret"), verbose]);
    let said = stderr(&output);
    assert!(said.contains("app.wasm --flag"), "{said}");
    assert!(
        said.contains("PASSWORD") && !said.contains("secret"),
        "{said}"
    );
    assert!(values(&fake, "--env").contains(&"PASSWORD=secret".to_owned()));
}

#[cfg(unix)]
#[test]
fn arguments_that_are_not_unicode_arrive() {
    use std::os::unix::ffi::OsStrExt as _;

    let fake = Fake::new("1.97.1");
    let program = fake.path("app.wasm");
    std::fs::write(&program, b"\0asm\x01\0\0\0").unwrap();
    let mut command = fake.command(["wasmedge-runner".as_ref(), program.as_os_str()]);
    let odd = std::ffi::OsStr::from_bytes(b"\xff");
    let output = command
        .args([odd, "".as_ref(), "-".as_ref()])
        .env("CARGO_WASMEDGE_AOT", "never")
        .env("NAME", odd)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let bytes = std::fs::read(fake.path("wasmedge-args")).unwrap();
    assert!(bytes.ends_with(b"app.wasm\n\xff\n\n-\n"), "{bytes:?}");
    let has = |wanted: &[u8]| bytes.windows(wanted.len()).any(|part| part == wanted);
    assert!(has(b"\nNAME=\xff\n"), "{bytes:?}");
}

/// A closed pipe is then an error of the write, and does not end WasmEdge.
#[cfg(target_os = "linux")]
#[test]
fn wasmedge_ignores_sigpipe_as_rust_programs_do() {
    let fake = Fake::new("1.97.1");
    let guest = ("FAKE_GUEST", "grep SigIgn /proc/self/status");
    let output = run(&fake, "debug", &[guest]);
    let said = String::from_utf8(output.stdout).unwrap();
    let mask = said.trim_start_matches("SigIgn:").trim();
    let mask = u64::from_str_radix(mask, 16).unwrap();
    let sigpipe = 1 << (rustix::process::Signal::PIPE.as_raw() - 1);
    assert_ne!(mask & sigpipe, 0, "{said}");
}

/// WASI cannot tell `/dev/null` from a terminal.
#[cfg(unix)]
#[test]
fn standard_input_is_never_the_null_device() {
    let fake = Fake::new("1.97.1");
    // `Fake` gives the command `/dev/null`.
    let guest = ("FAKE_GUEST", "test ! -c /dev/stdin && wc -c");
    let output = run(&fake, "debug", &[guest]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "0");
}

/// Writes a debug build whose function has this name, and runs it in `folder`.
fn run_named(fake: &Fake, folder: &str, function: &str, env: &[(&str, &str)]) -> String {
    let folder = fake.app().join("target/wasm32-wasip1").join(folder);
    std::fs::create_dir_all(&folder).unwrap();
    let program = folder.join("app.wasm");
    let module = wat::parse_str(format!("(module (func ${function}))")).unwrap();
    std::fs::write(&program, module).unwrap();
    let mut command = fake.command(["wasmedge-runner".as_ref(), program.as_os_str()]);
    stderr(&command.envs(env.iter().copied()).output().unwrap())
}

#[test]
fn a_debug_build_that_does_tls_is_said_to_be_interpreted() {
    let fake = Fake::new("1.97.1");
    let tls = "_ZN6rustls6client4send17h0E";
    let said = run_named(&fake, "debug", tls, &[]);
    assert!(said.starts_with("note: app.wasm is a debug build, and interpreted"));
    assert!(said.contains("aot = \"always\""), "{said}");
    let silent = [
        ("debug", "main", &[][..]),
        ("debug", tls, &[("CARGO_TERM_QUIET", "true")]),
        ("debug", tls, &[("CARGO_WASMEDGE_AOT", "never")]),
        // Tests: one note each would be many.
        ("debug/deps", tls, &[]),
        ("debug", tls, &[("NEXTEST", "1")]),
    ];
    for (folder, function, env) in silent {
        let said = run_named(&fake, folder, function, env);
        assert_eq!(said, "", "{folder} {function} {env:?}");
    }
    let compiled = run_named(&fake, "debug", tls, &[("CARGO_WASMEDGE_AOT", "always")]);
    assert!(!compiled.contains("note:"), "{compiled}");
}

/// WasmEdge itself speaks of a data section then.
#[cfg(target_os = "linux")]
#[test]
fn too_small_a_limit_of_address_space_is_said() {
    let fake = Fake::new("1.97.1");
    let program = fake.path("app.wasm");
    std::fs::write(&program, b"\0asm\x01\0\0\0").unwrap();
    let said = |limit: &str| {
        let ours = fake.command(["wasmedge-runner".as_ref(), program.as_os_str()]);
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &format!("ulimit -v {limit}; exec \"$@\""), "sh"]);
        shell.arg(ours.get_program()).args(ours.get_args());
        shell.env_clear().env("CARGO_WASMEDGE_AOT", "never");
        shell.envs(
            ours.get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        stderr(&shell.output().unwrap())
    };
    let warning = "warning: the limit of address space is 8000 MiB";
    let small = said("8192000");
    assert!(
        small.starts_with(warning) && small.contains("ulimit -v unlimited"),
        "{small}"
    );
    assert_eq!(said("unlimited"), "");
}

/// cargo tells the runner nothing of its flag.
#[test]
fn quiet_behind_the_subcommand_quiets_the_runner() {
    let fake = Fake::new("1.97.1");
    let quiet = |args: &str| {
        assert!(fake.run(args, "true").status.success());
        fake.read("env").contains("CARGO_TERM_QUIET=true")
    };
    assert!(quiet("run -q") && quiet("--quiet run"));
    assert!(!quiet("run") && !quiet("run -- -q"));
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
