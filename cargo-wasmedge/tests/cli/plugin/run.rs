//! What the runner makes of a program, and what it says.

use std::path::Path;
use std::process::Output;

use super::{ABOUT, HERE, IMPORTS, LATER, OLD, OTHER, library, plugin, program, set_up};
use crate::fake::{Fake, stderr};

const SETTING: &str = "CARGO_WASMEDGE_PLUGIN";

/// Has the script say what WasmEdge is told.
const TELL: (&str, &str) = (
    "FAKE_GUEST",
    "printf '%s' \"$WASMEDGE_PLUGIN_PATH\" > \"$FAKE_DIR/told\"",
);

fn run(fake: &Fake, program: &Path, env: &[(&str, &str)]) -> Output {
    for name in ["wasmedge-args", "told"] {
        let _ = std::fs::remove_file(fake.path(name));
    }
    let mut command = fake.command(["wasmedge-runner".as_ref(), program.as_os_str()]);
    command.env(TELL.0, TELL.1).envs(env.iter().copied());
    command.output().unwrap()
}

/// The file that WasmEdge runs, if it was started.
fn ran(fake: &Fake) -> Option<String> {
    let args = fake.read("wasmedge-args");
    args.lines()
        .find(|arg| arg.ends_with("/app.wasm"))
        .map(str::to_owned)
}

#[test]
fn a_program_with_stubs_gets_the_plugin_that_is_set_up() {
    let fake = Fake::new("1.97.1");
    let built = program(&fake, "debug", OLD);
    let library = set_up(&fake, &plugin());
    for setting in ["auto", "require", library.to_str().unwrap()] {
        let output = run(&fake, &built, &[(SETTING, setting)]);
        assert_eq!(stderr(&output), "", "{setting}");
        assert_ne!(ran(&fake).unwrap(), built.to_str().unwrap());
        assert_eq!(fake.read("told"), library.to_str().unwrap());
    }
    let output = run(&fake, &built, &[(SETTING, "never")]);
    assert_eq!(stderr(&output), "");
    assert_eq!(ran(&fake).unwrap(), built.to_str().unwrap());
    assert_eq!(fake.read("told"), "");
}

/// Each is one line, and the program runs without; who insists gets an error.
#[test]
fn a_plugin_that_will_not_do_is_never_a_surprise() {
    let other = library(OTHER, ABOUT, "version() ");
    let list = library(HERE, ABOUT, "version(f32) ");
    let later = library(HERE, "interface=9 wasmedge=0.18-0.19", "version() ");
    let cases: [(&str, &[u8], &str, &str); 6] = [
        (OLD, b"#!/bin/sh", "is not the plugin `tokio_wasmedge`", ""),
        (OLD, b"\x7fELF", "is not the plugin `tokio_wasmedge`", ""),
        (OLD, &other, "is for another machine (riscv64)", ""),
        (OLD, &list, "is not the plugin `tokio_wasmedge`", ""),
        (
            LATER,
            &plugin(),
            "older than the program, and lacks `fly`",
            "",
        ),
        (
            OLD,
            &later,
            "it fits WasmEdge 0.18 to 0.19, and this is 0.17.1",
            "another WasmEdge, by the setting `wasmedge`",
        ),
    ];
    for (text, content, why, mend) in cases {
        let fake = Fake::new("1.97.1");
        let built = program(&fake, "debug", text);
        let library = set_up(&fake, content);
        let output = run(&fake, &built, &[]);
        let said = stderr(&output);
        assert!(output.status.success(), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.starts_with("warning: app.wasm runs without the plugin: "));
        let help = if mend.is_empty() {
            "cargo wasmedge setup"
        } else {
            mend
        };
        assert!(said.contains(why) && said.contains(help), "{said}");
        assert_eq!(ran(&fake).unwrap(), built.to_str().unwrap());
        assert_eq!(fake.read("told"), "");

        let anew = "`cargo wasmedge plugin DIR` writes one";
        let (file, by_path) = (
            library.to_str().unwrap(),
            if mend.is_empty() { anew } else { mend },
        );
        for (setting, help) in [("require", help), (file, by_path)] {
            let output = run(&fake, &built, &[(SETTING, setting)]);
            let said = stderr(&output);
            assert_eq!(output.status.code(), Some(96), "{said}");
            assert!(said.starts_with("error: the setting `plugin` asks for the plugin: "));
            assert!(said.contains(why), "{said}");
            assert!(said.ends_with(&format!("\n  help: {help}\n")), "{said}");
            assert_eq!(ran(&fake), None);
        }
    }
}

#[test]
fn a_plugin_that_cannot_be_read_is_said() {
    let fake = Fake::new("1.97.1");
    let built = program(&fake, "debug", OLD);
    for (setting, what) in [
        (
            "require",
            "the plugin, which is not set up\n  help: cargo wasmedge setup\n",
        ),
        ("/no/such.so", "cannot read /no/such.so: No such file"),
        ("/", "cannot read /: "),
    ] {
        let output = run(&fake, &built, &[(SETTING, setting)]);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(96), "{said}");
        assert!(said.contains(what), "{said}");
        assert_eq!(ran(&fake), None);
    }
    // Nothing was asked for.
    assert_eq!(stderr(&run(&fake, &built, &[])), "");
}

#[test]
fn a_program_that_has_no_use_for_the_plugin_runs_as_it_is() {
    let fake = Fake::new("1.97.1");
    let library = set_up(&fake, &plugin());
    let built = program(&fake, "debug", "(module)");
    for setting in ["auto", library.to_str().unwrap()] {
        let output = run(&fake, &built, &[(SETTING, setting)]);
        assert_eq!(stderr(&output), "");
        assert_eq!(ran(&fake).unwrap(), built.to_str().unwrap());
        assert_eq!(fake.read("told"), "");
    }
    let output = run(&fake, &built, &[(SETTING, "require")]);
    assert!(stderr(&output).contains("has no use for it"));
    // Then it does not matter what the plugin is.
    set_up(&fake, b"");
    assert_eq!(stderr(&run(&fake, &built, &[])), "");
}

/// WasmEdge itself speaks of an unknown import.
#[test]
fn a_program_that_needs_the_plugin_is_told_of_where_there_is_none() {
    let fake = Fake::new("1.97.1");
    let built = program(&fake, "debug", IMPORTS);
    let said = |env: &[(&str, &str)]| stderr(&run(&fake, &built, env));
    let alone = said(&[]);
    assert!(
        alone.contains("app.wasm was compiled for the plugin"),
        "{alone}"
    );
    assert!(
        alone.contains("cargo wasmedge setup, or compile the program with `plugin = \"never\"`"),
        "{alone}"
    );
    let never = said(&[(SETTING, "never")]);
    assert!(never.contains("the setting `plugin` is `never`"), "{never}");
    // The user's own way to the plugin is as good.
    let elsewhere = fake.path("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let file = elsewhere.join("libtokio_wasmedge_plugin.so");
    std::fs::write(&file, plugin()).unwrap();
    for place in [&elsewhere, &file] {
        let place = place.to_str().unwrap();
        assert_eq!(said(&[("WASMEDGE_PLUGIN_PATH", place)]), "");
        assert_eq!(fake.read("told"), place);
    }
    let own = fake.path("plugin");
    std::fs::create_dir(&own).unwrap();
    std::fs::copy(&file, own.join("libtokio_wasmedge_plugin.so")).unwrap();
    assert_eq!(said(&[]), "", "it is in WasmEdge's own folder");

    std::fs::remove_dir_all(&own).unwrap();

    // One that will not do.
    let older = library(HERE, ABOUT, "open() ");
    let other = library(OTHER, ABOUT, "version() ");
    for (library, why) in [
        (older, "lacks `version`"),
        (other, "is for another machine"),
    ] {
        set_up(&fake, &library);
        let said = said(&[]);
        assert!(
            said.contains("app.wasm was compiled for the plugin"),
            "{said}"
        );
        assert!(
            said.contains(why) && !said.contains("runs without"),
            "{said}"
        );
    }

    let library = set_up(&fake, &plugin());
    assert_eq!(said(&[(SETTING, "require")]), "");
    assert_eq!(ran(&fake).unwrap(), built.to_str().unwrap());
    assert_eq!(fake.read("told"), library.to_str().unwrap());
}

/// What was compiled for the one must not run as the other.
#[test]
fn with_and_without_the_plugin_are_two_compiled_programs() {
    let fake = Fake::new("1.97.1");
    let built = program(&fake, "release", OLD);
    set_up(&fake, &plugin());
    let compiled = |setting: &str| {
        let output = run(&fake, &built, &[(SETTING, setting)]);
        assert!(output.status.success(), "{}", stderr(&output));
        let file = ran(&fake).unwrap();
        assert!(
            file.starts_with(fake.path("cache/aot").to_str().unwrap()),
            "{file}"
        );
        file
    };
    let imports = |file: &str| {
        let content = std::fs::read(file).unwrap();
        let import = b"\x0etokio_wasmedge\x07version";
        content.windows(import.len()).any(|bytes| bytes == import)
    };
    let (with, without) = (compiled("auto"), compiled("never"));
    assert_ne!(with, without);
    assert!(imports(&with) && !imports(&without));
    // Each is there for the next time.
    assert_eq!(
        (compiled("auto"), compiled("never")),
        (with.clone(), without)
    );
    assert_eq!(fake.read("compiled").lines().count(), 2);
    // Another plugin of the same functions has nothing to do with what is compiled.
    set_up(
        &fake,
        &library(HERE, "interface=1 wasmedge=0.17-0.17", "version() "),
    );
    assert_eq!(compiled("auto"), with);
    // One with more may give the program more.
    set_up(&fake, &library(HERE, ABOUT, "version() fly() "));
    compiled("auto");
    assert_eq!(fake.read("compiled").lines().count(), 2);
}
