//! The installed nextest, with this repository's own settings.

use std::fs;
use std::path::Path;
use std::process::Command;

use tools_common::report::Counts;
use tools_common::{Repo, Runner};

const TESTS: &str = r#"
#[test] fn passes() {}
#[test] fn fails() { panic!("no") }
#[test] fn fails_too() { println!("test result: ok. 9 passed; 0 failed; 0 ignored;"); panic!() }
#[test] #[ignore] fn is_ignored() {}
"#;

/// Runs the tests of a new package that has the settings of `config`.
fn counts(config: &str) -> Counts {
    let repo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let package = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = package.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    // Its name is that of the package that the settings have a rule for.
    let manifest = "[package]\nname = 'tests-integration'\nedition = '2024'\n[workspace]\n";
    write("Cargo.toml", manifest);
    write("src/lib.rs", TESTS);
    let config = fs::read_to_string(repo.join(config)).unwrap();
    write(".config/nextest.toml", &config);

    let mut command = Command::new(env!("CARGO"));
    for (name, _) in std::env::vars_os() {
        // Of the nextest and the cargo that run this test.
        let text = name.to_string_lossy();
        if text.starts_with("NEXTEST") || text.starts_with("CARGO_") && text != "CARGO_HOME" {
            command.env_remove(name);
        }
    }
    command
        .args(Runner::Nextest.args())
        .arg("--offline")
        .current_dir(package.path())
        // The report must be found all the same.
        .env("CARGO_TARGET_DIR", package.path().join("elsewhere"));
    Runner::Nextest.run(&mut command).unwrap()
}

#[test]
fn the_settings_of_every_workspace_make_it_write_what_we_read() {
    if Runner::find(&Repo::open().unwrap()) != Runner::Nextest {
        eprintln!("left out: cargo-nextest is not installed");
        return;
    }
    for config in [
        ".config/nextest.toml",
        "tests-integration/behaviour/.config/nextest.toml",
    ] {
        assert_eq!(
            counts(config),
            Counts::new(1, 2, 1),
            "{config}, nextest 0.9.143"
        );
    }
}
