//! The setting `unwind`: which compiler cargo is given, and what it does.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::Output;

use crate::fake::{Fake, stderr};

/// An app on a machine with a rustc of this version, which prints how it was started.
fn with_rustc(version: &str) -> Fake {
    let fake = Fake::new("1.97.1");
    let sysroot = fake.path("sysroot");
    let script = format!(
        "case \"$*\" in\n\
         -vV) printf 'rustc {version}\\nhost: x86_64-unknown-linux-gnu\\nrelease: {version}\\n';;\n\
         *--print*) echo '{}';;\n\
         *) printf '%s\\n' \"$@\";;\n\
         esac",
        sysroot.display()
    );
    fake.script("rustc", &script);
    fake
}

/// The same after a set-up.
fn set_up() -> Fake {
    let fake = with_rustc("1.97.1");
    let output = fake.run("--unwind build", "true");
    assert_eq!(output.status.code(), Some(96), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("cargo wasmedge setup --unwind"), "{said}");
    let folder = said
        .lines()
        .find_map(|line| line.trim().strip_prefix("none in "));
    let folder = PathBuf::from(folder.expect("the folder"));
    fs::create_dir_all(&folder).unwrap();
    let stamp = "{\"rustc\": \"1.97.1\", \"checked-on\": [\"0.17.1\"]}";
    fs::write(folder.join("unwinding.json"), stamp).unwrap();
    fake
}

/// A variable that cargo gets.
fn variable(fake: &Fake, args: &str, name: &str) -> Option<String> {
    let output = fake.run(args, "true");
    assert!(output.status.success(), "{}", stderr(&output));
    let env = fake.read("env");
    let mut lines = env.lines();
    lines.find_map(|line| Some(line.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
}

fn compile(fake: &Fake, args: &[&str]) -> Output {
    let rustc = variable(fake, "--unwind build", "RUSTC").expect("a compiler");
    let mut command = std::process::Command::new(rustc);
    command.args(args).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_compiler_that_was_not_tested_is_refused() {
    let fake = with_rustc("1.95.0");
    let output = fake.run("--unwind build", "true");
    assert_eq!(output.status.code(), Some(96));
    let said = stderr(&output);
    assert!(
        said.contains("rustc 1.95.0 was not tested for it"),
        "{said}"
    );
    assert!(!fake.path("args").exists(), "cargo was started");
}

#[test]
fn without_the_setting_nothing_changes() {
    let fake = set_up();
    assert_eq!(
        variable(&fake, "build", "CARGO_WASMEDGE_LINKS_UNWINDING"),
        None
    );
    let rustc = variable(&fake, "build", "RUSTC");
    let ours = |rustc: &String| rustc.contains("unwinding");
    assert!(!rustc.as_ref().is_some_and(ours), "{rustc:?}");
}

#[test]
fn the_flag_and_the_setting_say_the_same() {
    let fake = set_up();
    let by_flag = variable(&fake, "--unwind build", "RUSTC");
    fake.manifest("[package.metadata.wasmedge]\nunwind = true\n");
    let by_setting = variable(&fake, "build", "RUSTC");
    let expected = fake.app().join("target/wasmedge/unwinding/rustc");
    assert_eq!(
        by_flag.as_deref().map(OsStr::new),
        Some(expected.as_os_str())
    );
    assert_eq!(by_setting, by_flag);
    let links = variable(&fake, "build", "CARGO_WASMEDGE_LINKS_UNWINDING");
    assert_eq!(links.as_deref(), Some("1"));
}

#[test]
fn crates_for_the_target_unwind_and_others_are_left_alone() {
    let fake = set_up();
    let target = [
        "--crate-name",
        "app",
        "--target",
        "wasm32-wasip1",
        "-C",
        "opt-level=3",
    ];
    let given = stdout(&compile(&fake, &target));
    let more = given
        .strip_prefix(&(target.join("\n") + "\n"))
        .expect("its own arguments");
    let [sysroot, folder, legacy, panic] = more.lines().collect::<Vec<_>>()[..] else {
        panic!("{more}");
    };
    assert_eq!((sysroot, panic), ("--sysroot", "-Cpanic=unwind"));
    assert!(
        folder.contains("1.97.1-")
            && legacy.contains("legacy-eh=true")
            && legacy.contains("__rust_try:noinline"),
        "{more}"
    );

    let aborts = [&target[..], &["-C", "panic=abort"]].concat();
    let given = stdout(&compile(&fake, &aborts));
    assert!(
        given.contains("--sysroot") && !given.contains("unwind\n"),
        "{given}"
    );

    let host = ["--crate-name", "build_script_build", "-C", "opt-level=s"];
    assert_eq!(stdout(&compile(&fake, &host)), host.join("\n") + "\n");
}

/// By this cargo keeps what both have made apart.
#[test]
fn the_compiler_says_that_it_is_another_one() {
    let fake = set_up();
    let said = stdout(&compile(&fake, &["-vV"]));
    let theirs = "rustc 1.97.1\nhost: x86_64-unknown-linux-gnu\nrelease: 1.97.1\n";
    let more = said.strip_prefix(theirs).expect("what it says of itself");
    assert!(
        more.starts_with("panics for wasm32-wasip1: unwind (1.97.1-"),
        "{more}"
    );
    assert_eq!(more.lines().count(), 1);
}
