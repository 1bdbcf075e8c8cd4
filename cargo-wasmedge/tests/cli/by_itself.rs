//! Crates of the registry that are put on the std facade by a look at their calls: when
//! it is tried whether they compile there, what is remembered of it, and what is said.

use crate::fake::{Fake, LOCK, stderr};
use crate::packages::Packages;

const NEW: &str = "1.97.1";
/// It is given no path of a lockfile.
const OLD: &str = "1.95.0";

const SOURCE: &str = "use std::env;\n\npub fn f() {\n    env::temp_dir();\n}\n";
const USES: &str = "caller 1.0.0 uses std::env::temp_dir (src/lib.rs:4)";

/// An app that depends on `user`, which depends on `caller`, which makes a call.
fn fake(cargo: &str, source: &str) -> Fake {
    let fake = Fake::new(cargo);
    for (name, source) in [("caller", source), ("user", "")] {
        let folder = fake.path("registry").join(format!("{name}-1.0.0"));
        std::fs::create_dir_all(folder.join("src")).unwrap();
        let manifest =
            format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2021\"\n");
        std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        std::fs::write(folder.join("src/lib.rs"), source).unwrap();
    }
    let lock = format!(
        "{LOCK}{}",
        ["caller", "user"]
            .map(|name| format!(
                "[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n\
             source = \"registry+https://github.com/rust-lang/crates.io-index\"\n"
            ))
            .concat()
    );
    std::fs::write(fake.app().join("Cargo.lock"), lock).unwrap();
    Packages::new(&fake.app())
        .member("app", "", &[("user", "^1", "1.0.0")])
        .krate(
            ("user", "1.0.0"),
            &fake.path("registry/user-1.0.0"),
            &[("caller", "^1", "1.0.0")],
        )
        .krate(
            ("caller", "1.0.0"),
            &fake.path("registry/caller-1.0.0"),
            &[],
        )
        .write(&fake);
    fake.script("cargo-tree.sh", TREE);
    fake
}

/// What features and the target leave of the graph.
const TREE: &str = "echo 'app v0.1.0'; echo 'user v1.0.0'; echo 'caller v1.0.0'";

/// What cargo does: asked to try something, it says this of it.
fn tries(say: &str) -> String {
    format!(
        "case \"$*\" in *--keep-going*)\n\
         echo \"$@\" >> \"$FAKE_DIR/tried\"\n\
         cp Cargo.lock \"$FAKE_DIR/lock-tried\"\n\
         {say}\n;; esac"
    )
}

const TARGET: &str = r#""target":{"kind":["lib"],"crate_types":["lib"],"name":"x","src_path":"/x/lib.rs","edition":"2021","doc":true,"doctest":false,"test":true}"#;

fn compiles(name: &str) -> String {
    format!(
        r#"echo '{{"reason":"compiler-artifact","package_id":"path+file:///x#{name}@1.0.0","manifest_path":"/x/Cargo.toml",{TARGET},"profile":{{"opt_level":"0","debuginfo":2,"debug_assertions":true,"overflow_checks":true,"test":false}},"features":[],"filenames":[],"executable":null,"fresh":true}}'"#
    )
}

fn fails(name: &str) -> String {
    format!(
        "echo '{{\"reason\":\"compiler-message\",\"package_id\":\"path+file:///x#{name}@1.0.0\",\
         {TARGET},\"message\":{{\"message\":\"mismatched types\",\"code\":null,\
         \"level\":\"error\",\"spans\":[],\"children\":[],\
         \"rendered\":\"error[E0308]: mismatched types\\\\n --> src\"}}}}'\n\
         echo 'error: could not compile' >&2"
    )
}

fn times_tried(fake: &Fake) -> usize {
    fake.read("tried").lines().count()
}

/// Whether the last build had a copy of `caller` with the facade.
fn is_on_facade(fake: &Fake) -> bool {
    let args = fake.read("args");
    let mut lines = args.lines();
    let config = lines.find(|line| line.ends_with("config.toml"));
    config.is_some_and(|config| {
        let config = std::fs::read_to_string(config).unwrap();
        config.contains("caller-1.0.0")
    })
}

#[test]
fn one_that_compiles_on_it_is_put_there_and_tried_once() {
    let fake = fake(NEW, SOURCE);
    let script = tries(&format!(
        "{}\necho '    Checking user v1.0.0' >&2",
        compiles("caller")
    ));
    let output = fake.run("build", &script);
    let said = stderr(&output);
    assert!(output.status.success(), "{said}");
    let expected = [
        "     Porting caller v1.0.0",
        "      Trying caller 1.0.0 on the std facade",
        "    Checking user v1.0.0",
        &format!("      Facade {USES}: built on the std facade"),
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
    assert!(is_on_facade(&fake));
    let asked = fake.read("tried");
    for words in [
        "build ",
        "--target wasm32-wasip1 --keep-going --lib",
        "--package caller@1.0.0 --package user@1.0.0 --package app@0.1.0",
    ] {
        assert!(asked.contains(words), "{words}: {asked}");
    }

    let again = fake.run("build", &script);
    assert_eq!(stderr(&again), "");
    assert!(is_on_facade(&fake));
    assert_eq!(times_tried(&fake), 1);
}

#[test]
fn one_that_does_not_compile_on_it_costs_a_line() {
    let fake = fake(NEW, SOURCE);
    let script = tries(&fails("caller"));
    for _ in 0..2 {
        let output = fake.run("build", &script);
        let said = stderr(&output);
        assert!(output.status.success(), "{said}");
        let expected = format!(
            "warning: {USES}, which fails on WasmEdge, and does not compile on the std facade \
             (error[E0308]: mismatched types)\n  help: "
        );
        assert!(said.contains(&expected), "{said}");
        assert!(!said.contains("error: could not"), "{said}");
        assert!(!is_on_facade(&fake));
    }
    assert_eq!(times_tried(&fake), 1);
}

#[test]
fn one_that_another_crate_does_not_compile_with_is_taken_off() {
    let fake = fake(NEW, SOURCE);
    let script = tries(&format!(
        "case \"$*\" in *caller@1.0.0*) {};; *) {};; esac",
        fails("user"),
        compiles("user")
    ));
    let output = fake.run("build", &script);
    let said = stderr(&output);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("(user: error[E0308]: mismatched types)"),
        "{said}"
    );
    assert!(!is_on_facade(&fake));
    // The second time shows that it was the facade.
    assert_eq!(times_tried(&fake), 2);
    fake.run("build", &script);
    assert_eq!(times_tried(&fake), 2);
}

#[test]
fn a_crate_that_does_not_compile_in_any_case_is_no_reason() {
    let fake = fake(NEW, SOURCE);
    let script = tries(&format!("{}\n{}", compiles("caller"), fails("user")));
    let said = stderr(&fake.run("build", &script));
    assert!(!said.contains("warning"), "{said}");
    assert!(is_on_facade(&fake));
    let tried = times_tried(&fake);
    fake.run("build", &script);
    assert_eq!(times_tried(&fake), tried, "it is remembered");
}

#[test]
fn the_apps_own_errors_are_no_reason() {
    let fake = fake(NEW, SOURCE);
    let script = tries(&format!("{}\n{}", compiles("caller"), fails("app")));
    let said = stderr(&fake.run("build", &script));
    assert!(
        !said.contains("warning") && !said.contains("error"),
        "{said}"
    );
    assert!(is_on_facade(&fake));
    assert_eq!(times_tried(&fake), 1);
}

#[test]
fn what_was_not_tried_to_the_end_is_tried_again() {
    // It is killed, as by Ctrl-C; or something below it does not build.
    let other = compiles("other") + "; exit 101";
    for (say, fails) in [("kill -9 $$", true), (other.as_str(), false)] {
        let fake = fake(NEW, SOURCE);
        let output = fake.run("build", &tries(say));
        assert_eq!(!output.status.success(), fails, "{}", stderr(&output));
        let output = fake.run("build", &tries(&compiles("caller")));
        assert!(output.status.success(), "{}", stderr(&output));
        assert_eq!(times_tried(&fake), 2, "{say}");
        fake.run("build", &tries(""));
        assert_eq!(times_tried(&fake), 2, "{say}");
    }
}

#[test]
fn what_features_leave_out_is_not_tried() {
    let fake = fake(NEW, SOURCE);
    fake.script("cargo-tree.sh", "echo 'app v0.1.0'; echo 'user v1.0.0'");
    assert_eq!(stderr(&fake.run("build", &tries(""))), "");
    assert_eq!(times_tried(&fake), 0);
}

#[test]
fn a_trial_that_cannot_be_made_is_no_failure() {
    let fake = fake(NEW, SOURCE);
    for times in 1..3 {
        let output = fake.run(
            "build",
            &tries("echo 'error: no such package' >&2; exit 101"),
        );
        let said = stderr(&output);
        assert!(output.status.success(), "{said}");
        assert!(said.contains("caller 1.0.0 stay as published"), "{said}");
        assert!(!is_on_facade(&fake));
        assert_eq!(times_tried(&fake), times, "it is not remembered");
    }
}

#[test]
fn the_setting_keeps_one_off() {
    let fake = fake(NEW, SOURCE);
    fake.manifest("[package.metadata.wasmedge]\nstd-facade = [\"!caller\"]\n");
    assert_eq!(stderr(&fake.run("build", &tries(""))), "");
    assert_eq!(times_tried(&fake), 0);
    assert!(!is_on_facade(&fake));
}

#[test]
fn what_is_not_called_on_the_target_is_no_reason() {
    for source in [
        "pub fn f() {}",
        "#[cfg(unix)] pub fn f() { std::env::temp_dir(); }",
        "#[cfg(test)] mod tests { fn f() { std::env::temp_dir(); } }",
        "pub fn f() { std::thread::spawn(g); }",
    ] {
        let fake = fake(NEW, source);
        assert_eq!(stderr(&fake.run("build", &tries(""))), "", "{source}");
        assert_eq!(times_tried(&fake), 0, "{source}");
    }
}

#[test]
fn what_compiles_nothing_for_the_target_tries_nothing() {
    for words in [
        "tree",
        "metadata",
        "build --target x86_64-unknown-linux-gnu",
    ] {
        let fake = fake(NEW, SOURCE);
        fake.run(words, &tries(""));
        assert_eq!(times_tried(&fake), 0, "{words}");
    }
}

#[test]
fn the_apps_lockfile_stays_as_it_is_while_it_is_tried() {
    for cargo in [NEW, OLD] {
        let fake = fake(cargo, SOURCE);
        let lock = fake.lock();
        let mut command = fake.command(["build"]);
        command.env("FAKE_CARGO", tries(&compiles("caller")));
        if cargo == OLD {
            let resolves = "grep -q resolved Cargo.lock || echo '# resolved' >> Cargo.lock";
            command.env("FAKE_METADATA", resolves);
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        assert_eq!(times_tried(&fake), 1);
        assert_eq!(fake.lock(), lock);
        // An older one has to find ours in its place.
        let seen = fake.read("lock-tried");
        assert_eq!(Some(seen) == lock, cargo == NEW);
    }
}

#[test]
fn doctor_says_what_the_build_says() {
    let doctor = |fake: &Fake| {
        let output = fake.run("doctor", "");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = said
            .lines()
            .position(|line| line.starts_with("caller 1.0.0"));
        let lines: Vec<&str> = said.lines().skip(line.unwrap()).collect();
        lines.join("\n")
    };
    let call = "src/lib.rs:4 std::env::temp_dir";
    for (say, status, words) in [
        (compiles("caller"), "ok ", "built on the std facade: "),
        (
            fails("caller"),
            "warning",
            "does not compile on the std facade: error[E0308]",
        ),
    ] {
        let fake = fake(NEW, SOURCE);
        let before = doctor(&fake);
        let expected = format!("the next build tries it on the std facade: {call}");
        assert!(before.contains(&expected), "{before}");
        fake.run("build", &tries(&say));
        let said = doctor(&fake);
        for words in [status, words, call] {
            assert!(said.contains(words), "{words}: {said}");
        }
    }
}
