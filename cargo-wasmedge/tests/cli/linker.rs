//! The linker that cargo is given, and what it says.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::fake::{Fake, stderr};

const VARIABLE: &str = "CARGO_TARGET_WASM32_WASIP1_LINKER";

/// The linker that cargo gets.
fn linker(fake: &Fake, args: &str) -> Option<PathBuf> {
    let output = fake.run(args, "true");
    assert!(output.status.success(), "{}", stderr(&output));
    let env = fake.read("env");
    let prefix = format!("{VARIABLE}=");
    let line = env.lines().find_map(|line| line.strip_prefix(&prefix));
    line.map(PathBuf::from)
}

/// Links as rustc would, with a linker that does `script`.
fn link(fake: &Fake, script: &str, args: &[&str]) -> Output {
    fake.script("wasm-ld", script);
    let linker = linker(fake, "build").unwrap();
    std::process::Command::new(linker)
        .args(args)
        .env("FAKE_DIR", fake.path(""))
        .output()
        .unwrap()
}

#[test]
fn the_linker_that_is_there_is_started_under_its_name() {
    let fake = Fake::new("1.97.1");
    let linker = linker(&fake, "build").unwrap();
    assert_eq!(linker, fake.app().join("target/wasmedge/linker/wasm-ld"));
    let log = "for arg in \"$@\"; do printf '%s\\n' \"$arg\"; done > \"$FAKE_DIR/linked\"";
    let args = [
        "-flavor", "wasm", "--config", "-q", "--help", "--", "a b.o", "-o", "",
    ];
    let output = link(&fake, log, &args);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stderr(&output), "");
    let linked = fake.read("linked");
    let more = linked.strip_prefix(&(args.join("\n") + "\n")).unwrap();
    assert!(more.starts_with("--why-extract="), "{more}");
    assert_eq!(more.lines().count(), 1, "{more}");
}

#[test]
fn an_undefined_symbol_is_explained_below_the_linkers_own_words() {
    let fake = Fake::new("1.97.1");
    let said = "wasm-ld: error: /t/libsys-0123456789abcdef.rlib(x.o): undefined symbol: f";
    let output = link(&fake, &format!("echo '{said}' >&2; exit 3"), &[]);
    assert_eq!(output.status.code(), Some(3));
    let text = stderr(&output);
    assert!(text.starts_with(&format!("{said}\n")), "{text}");
    assert!(text.contains("`f`, called in the crate `sys`"), "{text}");
}

#[test]
fn c_code_does_not_make_keys_of_the_hosts_random_numbers() {
    let fake = Fake::new("1.97.1");
    let answers = "for arg in \"$@\"; do case \"$arg\" in --why-extract=*) \
        printf '/t/libsys-0123456789abcdef.rlib(x.o)\\t/s/libc.a(getentropy.c.obj)\\tgetentropy\\n' \
        > \"${arg#*=}\";; esac; done";
    let args = ["-flavor", "wasm", "a.o"];
    let output = link(&fake, answers, &args);
    assert_eq!(output.status.code(), Some(1));
    let text = stderr(&output);
    assert!(
        text.contains("`getentropy`, called in the crate `sys`"),
        "{text}"
    );
    assert!(text.contains("weak-random = true"), "{text}");

    // Who accepts them by the setting gets them.
    let mut command = fake.command(["build"]);
    let command = command.env("CARGO_WASMEDGE_WEAK_RANDOM", "true");
    let output = command.env("FAKE_CARGO", "true").output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let env = fake.read("env");
    assert!(
        env.contains("CARGO_WASMEDGE_LINKS_WEAK_RANDOM=1\n"),
        "{env}"
    );
}

#[test]
fn a_warning_stays_as_it_is() {
    let fake = Fake::new("1.97.1");
    let output = link(&fake, "echo 'wasm-ld: warning: x' >&2", &[]);
    assert!(output.status.success());
    assert_eq!(stderr(&output), "wasm-ld: warning: x\n");
}

#[test]
fn rustc_may_not_allow_undefined_symbols_and_the_user_may() {
    let fake = Fake::new("1.97.1");
    let log = "echo \"$@\" > \"$FAKE_DIR/linked\"";
    link(&fake, log, &["--allow-undefined", "a.o"]);
    assert_eq!(fake.read("linked"), "a.o\n");
    link(&fake, log, &["a.o", "--allow-undefined"]);
    assert_eq!(fake.read("linked"), "a.o --allow-undefined\n");
}

/// The made-up rustc with a linker of its own, as rustup's toolchains have.
fn with_rust_lld(fake: &Fake) -> PathBuf {
    let folder = "sysroot/lib/rustlib/x86_64-unknown-linux-gnu/bin";
    std::fs::create_dir_all(fake.path(folder)).unwrap();
    let lld = fake.path(folder).join("rust-lld");
    std::fs::write(&lld, "").unwrap();
    lld
}

#[test]
fn a_linker_that_cargo_is_configured_with_is_not_replaced() {
    let fake = Fake::new("1.97.1");
    with_rust_lld(&fake);
    let given = || {
        let mut command = fake.command(["build"]);
        let output = command.env_remove(VARIABLE).env("FAKE_CARGO", "true");
        assert!(output.output().unwrap().status.success());
        let env = fake.read("env");
        env.lines()
            .find_map(|line| Some(line.strip_prefix(VARIABLE)?[1..].to_owned()))
    };
    let ours = fake.app().join("target/wasmedge/linker/rust-lld");
    assert_eq!(given().as_deref().map(Path::new), Some(ours.as_path()));
    let script = std::fs::read_to_string(ours).unwrap();
    assert!(script.contains("/bin/rust-lld"), "{script}");
    std::fs::create_dir(fake.app().join(".cargo")).unwrap();
    let config = "[target.wasm32-wasip1]\nlinker = \"my-ld\"\n";
    std::fs::write(fake.app().join(".cargo/config.toml"), config).unwrap();
    assert_eq!(given(), None);
}
