//! Compiling ahead of time, for where a program runs without cargo.

use std::path::PathBuf;

use crate::fake::{Fake, stderr};

/// A module with something of which a compiler makes nothing.
const PROGRAM: &str = r#"(module (func $name) (@custom ".debug_info" "abc"))"#;

fn program(fake: &Fake) -> PathBuf {
    let program = fake.app().join("app.wasm");
    std::fs::write(&program, wat::parse_str(PROGRAM).unwrap()).unwrap();
    program
}

fn has(file: &std::path::Path, text: &str) -> bool {
    let content = std::fs::read(file).unwrap();
    content
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}

#[test]
fn the_lowered_program_is_compiled() {
    let fake = Fake::new("1.97.1");
    let program = program(&fake);
    let output = fake.command(["compile", "app.wasm"]).output().unwrap();
    let said = stderr(&output);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("Compiling app.wasm ahead of time (WasmEdge 0.17.1)"),
        "{said}"
    );
    assert!(said.contains("wasmedge --run-mode aot … app.so"), "{said}");
    // The script copies what it gets.
    let compiled = fake.app().join("app.so");
    assert!(has(&compiled, "name") && !has(&compiled, ".debug_info"));
    assert!(has(&program, ".debug_info"));
    // With nothing left behind.
    let left = fake.app().read_dir().unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert!(
        left.iter()
            .all(|name| !name.to_string_lossy().contains("compiling")),
        "{left:?}"
    );
}

#[test]
fn the_output_can_be_named() {
    let fake = Fake::new("1.97.1");
    program(&fake);
    let mut command = fake.command(["compile", "app.wasm", "-o", "the output"]);
    let output = command.output().unwrap();
    assert!(
        stderr(&output).contains("'the output'"),
        "{}",
        stderr(&output)
    );
    assert!(fake.app().join("the output").is_file());
}

#[test]
fn it_is_compiled_for_the_wasmedge_of_the_package() {
    let fake = Fake::new("1.97.1");
    program(&fake);
    for (wanted, is_there) in [("0.17", true), ("0.15", false)] {
        fake.manifest(&format!(
            "[package.metadata.wasmedge]\nwasmedge = \"{wanted}\"\n"
        ));
        let mut command = fake.command(["compile", "app.wasm"]);
        // It is on PATH.
        command.env_remove("CARGO_WASMEDGE_WASMEDGE");
        let output = command.output().unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.success(), is_there, "{said}");
        assert!(is_there || said.contains("0.15"), "{said}");
    }
}

#[test]
fn the_program_is_not_overwritten() {
    let fake = Fake::new("1.97.1");
    let program = program(&fake);
    let before = std::fs::read(&program).unwrap();
    std::os::unix::fs::symlink(&program, fake.app().join("linked.so")).unwrap();
    for output in ["app.wasm", "../the app/app.wasm", "linked.so"] {
        let mut command = fake.command(["compile", "app.wasm", "-o", output]);
        let output = command.output().unwrap();
        assert!(!output.status.success());
        let said = stderr(&output);
        assert!(said.contains("would be overwritten"), "{said}");
        assert_eq!(std::fs::read(&program).unwrap(), before);
    }
}

#[test]
fn what_is_no_module_is_left_to_wasmedge() {
    let fake = Fake::new("1.97.1");
    std::fs::write(fake.app().join("app.wasm"), "wasm").unwrap();
    let output = fake.command(["compile", "app.wasm"]).output().unwrap();
    let said = stderr(&output);
    assert!(
        said.contains("warning: app.wasm is compiled as it is"),
        "{said}"
    );
    let compiled = std::fs::read_to_string(fake.app().join("app.so"));
    assert_eq!(compiled.unwrap(), "wasm");
}

#[test]
fn a_failure_leaves_what_was_there() {
    let fake = Fake::new("1.97.1");
    program(&fake);
    let compiled = fake.app().join("app.so");
    std::fs::write(&compiled, "old").unwrap();
    let fails = |args: [&str; 2], why: &[&str]| {
        let output = fake.command(args).output().unwrap();
        let said = stderr(&output);
        assert!(!output.status.success());
        for why in why {
            assert!(said.contains(why), "{said}");
        }
        assert_eq!(std::fs::read_to_string(&compiled).unwrap(), "old");
    };
    fails(["compile", "none.wasm"], &["cannot read none.wasm"]);
    let script = fake.path("bin/wasmedge");
    let text = std::fs::read_to_string(&script).unwrap();
    let text = text.replace("cp \"$2\" \"$3\"; exit", "echo 'bad opcode'; exit 1");
    std::fs::write(&script, text).unwrap();
    fails(
        ["compile", "app.wasm"],
        &["cannot compile app.wasm", "bad opcode"],
    );
}

/// A minute without a word looks like a program that hangs.
#[test]
fn how_long_it_will_take_is_told_from_how_long_it_took_before() {
    let fake = Fake::new("1.97.1");
    program(&fake);
    std::fs::create_dir_all(fake.path("cache")).unwrap();
    let speed = fake.path("cache/aot-speed.json");
    // Seconds per megabyte: the module has some fifty bytes.
    let known = || std::fs::write(&speed, r#"{"0.17.1": 1000000.0, "0.14.1": 1.0}"#).unwrap();
    known();
    let said = |args: &[&str]| {
        let output = fake.command(args).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        stderr(&output)
    };
    assert_eq!(said(&["-q", "compile", "app.wasm"]), "");
    std::fs::remove_dir_all(fake.path("cache/aot")).unwrap();
    // On a busy machine the script took long enough for something to be learnt.
    known();
    let told = said(&["compile", "app.wasm"]);
    let (_, about) = told.split_once("(WasmEdge 0.17.1), about ").unwrap();
    let (seconds, rest) = about.split_once(" s\n").unwrap();
    let seconds: u64 = seconds.parse().unwrap();
    let copied = std::fs::metadata(fake.app().join("app.so")).unwrap().len();
    assert_eq!(seconds, copied, "a second for each byte that is compiled");
    // No line of progress for what is there before the first is due, and no control
    // characters where nobody looks.
    assert_eq!(rest.lines().count(), 1, "{told}");
    assert!(!told.contains(['\r', '\x1b']), "{told:?}");
}
