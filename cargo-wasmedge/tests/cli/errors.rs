//! Failures of our own, as the user sees them.

use crate::fake::{Fake, LOCK, stderr};

#[test]
fn without_wasmedge_run_fails_before_the_build_with_96() {
    let fake = Fake::new("1.97.1").without_wasmedge();
    let output = fake.run("run", "true");
    assert_eq!(output.status.code(), Some(96));
    let cache = fake.path("cache/wasmedge");
    assert_eq!(
        stderr(&output),
        format!(
            "error: no WasmEdge found (looked at CARGO_WASMEDGE_WASMEDGE, PATH, ~/.wasmedge/bin and {})\n  \
             help: cargo wasmedge setup\n",
            cache.display()
        )
    );
    assert_eq!(fake.read("args"), "", "cargo was started");
    // To build, none is needed.
    assert_eq!(fake.run("build", "true").status.code(), Some(0));
}

#[test]
fn without_a_toolchain_build_fails_with_96() {
    let fake = Fake::new("1.97.1");
    std::fs::remove_dir_all(fake.path("sysroot")).unwrap();
    let output = fake.run("build", "true");
    assert_eq!(output.status.code(), Some(96));
    let said = stderr(&output);
    assert!(
        said.starts_with("error: no Rust toolchain that can build for wasm32-wasip1\n"),
        "{said}"
    );
    assert!(said.ends_with("\n  help: cargo wasmedge setup\n"), "{said}");
    assert_eq!(fake.lock().as_deref(), Some(LOCK));
}

#[test]
fn doctor_says_what_is_missing_with_96() {
    let fake = Fake::new("1.97.1").without_wasmedge();
    let output = fake.run("doctor --json", "");
    assert_eq!(output.status.code(), Some(96));
    let checks: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let missing = |check: &&serde_json::Value| check["status"] == "missing";
    let missing: Vec<_> = checks.as_array().unwrap().iter().filter(missing).collect();
    assert_eq!(missing.len(), 1, "{checks}");
    let mend = missing[0]["mend"].as_str().unwrap();
    assert!(mend.contains("cargo wasmedge setup"), "{mend}");
}

#[test]
fn a_crate_version_that_no_port_covers_fails_with_98() {
    let fake = Fake::new("1.97.1");
    let out = fake.path("out");
    let args = ["vendor", out.to_str().unwrap(), "--crate", "tokio@1.40.0"];
    let output = fake.command(args).output().unwrap();
    assert_eq!(output.status.code(), Some(98));
    let said = stderr(&output);
    assert!(
        said.starts_with("error: tokio 1.40.0 is not supported: the port covers "),
        "{said}"
    );
    assert!(!out.exists());
}

#[test]
fn a_crate_without_a_port_is_named() {
    let fake = Fake::new("1.97.1");
    let output = fake.run("vendor out --crate serde@1.0.0", "");
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(
        said.starts_with("error: there is no port of `serde` (there are ports of "),
        "{said}"
    );
}

#[test]
fn a_folder_of_the_users_is_not_overwritten() {
    let fake = Fake::new("1.97.1");
    let output = fake.run("vendor src", "");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        stderr(&output),
        "error: src is not empty and was not made by `cargo wasmedge vendor`\n  \
         help: name a new folder\n"
    );
    let main = std::fs::read_to_string(fake.app().join("src/main.rs")).unwrap();
    assert_eq!(main, "fn main() {}");
}

#[test]
fn a_bad_setting_names_manifest_and_key() {
    let fake = Fake::new("1.97.1");
    fake.manifest("[package.metadata.wasmedge]\ndirs = \"data\"\n");
    let output = fake.run("build", "true");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        stderr(&output),
        format!(
            "error: bad value of `package.metadata.wasmedge.dirs` in {}\n\n\
             Caused by:\n  expected a list of `PATH` or `GUEST:HOST[:readonly]`, found `\"data\"`\n",
            fake.app().join("Cargo.toml").display()
        )
    );
}

#[test]
fn an_unknown_flag_is_said_by_us() {
    let fake = Fake::new("1.97.1");
    let output = fake.run("--nonsense build", "");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).starts_with("error: unexpected argument '--nonsense' found\n"));
}

#[test]
fn setup_wants_the_version_that_is_named_before_it() {
    let fake = Fake::new("1.97.1").without_wasmedge();
    for apt in ["apt-get", "apt-config", "apt-cache", "rustup"] {
        fake.script(apt, "echo 'no network' >&2; exit 1");
    }
    for args in [
        ["--wasmedge", "0.17.9", "setup", "--no-rust"],
        ["setup", "--no-rust", "--wasmedge", "0.17.9"],
    ] {
        let output = fake.command(args).output().unwrap();
        assert!(!output.status.success());
        let said = stderr(&output);
        assert!(said.contains("0.17.9"), "{args:?}: {said}");
    }
}

/// A toolchain from Debian's packages has no clippy, and its cargo cannot start itself.
#[test]
fn what_a_toolchain_of_packages_cannot_do_is_refused() {
    let fake = Fake::new("1.97.1");
    let folder = fake.path("cache/toolchains/debian-sid-1.95.0");
    std::fs::create_dir_all(folder.join("bin")).unwrap();
    for program in ["cargo", "rustc"] {
        let from = fake.path("bin").join(program);
        std::fs::rename(from, folder.join("bin").join(program)).unwrap();
    }
    let stamp = serde_json::json!({
        "version": "1.95.0", "suite": "sid", "mirror": "file:/mirror", "installed-at": 0,
        "folder": folder, "packages": {},
    });
    std::fs::write(folder.join("installed.json"), stamp.to_string()).unwrap();
    let run = |subcommand: &str| {
        let mut command = fake.command([subcommand]);
        let command = command.env_remove("RUSTC").env("FAKE_CARGO", "true");
        let output = command.output().unwrap();
        (output.status.code(), stderr(&output))
    };
    assert_eq!(run("build"), (Some(0), String::new()));
    for subcommand in ["fix", "clippy"] {
        let (code, said) = run(subcommand);
        assert_eq!(code, Some(96), "{said}");
        assert!(said.contains(&format!("has no {subcommand}")), "{said}");
        assert!(said.contains("help: rustup target add"), "{said}");
    }
}
