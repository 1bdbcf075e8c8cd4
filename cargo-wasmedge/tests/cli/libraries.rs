//! C libraries that crates bind to, built before cargo is started.

use std::fs;
use std::process::Output;

use crate::fake::{Fake, stderr};
use crate::packages::Packages;

/// The release of the sources that the app's lockfile has.
const SOURCES: &str = "300.6.1+3.6.3";

/// A `perl` that configures, and a `make` that installs.
const PERL: &str = "echo \"$*\" >> \"$FAKE_DIR/configured\"";
const MAKE: &str = "for arg in \"$@\"; do case \"$arg\" in DESTDIR=*) usr=${arg#DESTDIR=}/usr; \
    mkdir -p $usr/lib $usr/include/openssl; \
    touch $usr/lib/libssl.a $usr/lib/libcrypto.a $usr/include/openssl/ssl.h;; esac; done";

/// An app that binds to OpenSSL, on a machine that was set up for C.
fn app() -> Fake {
    let fake = Fake::new("1.97.1");
    let write = |path: &str, text: &str| {
        let path = fake.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "registry/openssl-sys-0.9.118/Cargo.toml",
        "[package]\nname = \"openssl-sys\"\nversion = \"0.9.118\"\nedition = \"2021\"\n",
    );
    write("registry/openssl-sys-0.9.118/src/lib.rs", "");
    let sources = format!("registry/openssl-src-{SOURCES}");
    write(&format!("{sources}/Cargo.toml"), "[package]\n");
    write(&format!("{sources}/openssl/Configure"), "");
    let folder = |name: &str| fake.path("registry").join(name);
    Packages::new(&fake.app())
        .member("app", "", &[("openssl-sys", "^0.9", "0.9.118")])
        .krate(
            ("openssl-sys", "0.9.118"),
            &folder("openssl-sys-0.9.118"),
            &[("openssl-src", "^300", SOURCES)],
        )
        .krate(
            ("openssl-src", SOURCES),
            &folder(&format!("openssl-src-{SOURCES}")),
            &[],
        )
        .write(&fake);
    let package = |name: &str, version: &str| {
        format!(
            "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n\
             source = \"registry+https://github.com/rust-lang/crates.io-index\"\n\
             checksum = \"00\"\n"
        )
    };
    let lock = "version = 4\n".to_owned()
        + &package("openssl-src", SOURCES)
        + &package("openssl-sys", "0.9.118");
    fs::write(fake.app().join("Cargo.lock"), &lock).unwrap();
    write("fetched.lock", &lock);

    let c = fake.path("cache/c/debian-x-1.0.0");
    fs::create_dir_all(c.join("usr/include/wasm32-wasi")).unwrap();
    let stamp = serde_json::json!({
        "version": "1.0.0", "suite": "x", "mirror": "x", "installed-at": 0, "folder": c,
        "packages": {},
    });
    fs::write(c.join("installed.json"), stamp.to_string()).unwrap();
    for (program, script) in [
        ("clang", "echo clang 1"),
        ("llvm-ar", "true"),
        ("perl", PERL),
        ("make", MAKE),
    ] {
        fake.script(program, script);
    }
    fake
}

/// Builds the app, and fetches as a registry would.
fn build(fake: &Fake, variables: &[(&str, &str)]) -> Output {
    let fetched = "manifest=$(printf '%s' \"$*\" | sed -n 's/.*--manifest-path \\([^ ]*\\).*/\\1/p'); \
        test -z \"$manifest\" || cp \"$FAKE_DIR/fetched.lock\" \"${manifest%.toml}.lock\"";
    let mut command = fake.command(["build"]);
    command.envs(variables.iter().copied());
    let command = command.env("FAKE_METADATA", fetched);
    command.env("FAKE_CARGO", "true").output().unwrap()
}

/// What cargo was told of the library.
fn told(fake: &Fake) -> Vec<String> {
    let env = fake.read("env");
    let told = env.lines().filter(|line| line.contains("OPENSSL_"));
    let mut told: Vec<String> = told.map(str::to_owned).collect();
    told.sort();
    told
}

#[test]
fn a_library_is_built_once_and_the_crate_is_told_where_it_is() {
    let fake = app();
    let output = build(&fake, &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(
        said.contains(&format!(
            "Building OpenSSL for wasm32-wasip1 (openssl-src {SOURCES}"
        )),
        "{said}"
    );
    let first = told(&fake);
    let folder = first
        .iter()
        .find_map(|line| line.strip_prefix("WASM32_WASIP1_OPENSSL_DIR="))
        .unwrap();
    assert!(fs::metadata(format!("{folder}/lib/libssl.a")).is_ok());
    assert!(folder.starts_with(fake.path("cache/libraries").to_str().unwrap()));
    for more in ["STATIC=1", "NO_VENDOR=1"] {
        let more = format!("WASM32_WASIP1_OPENSSL_{more}");
        assert!(first.contains(&more), "{first:?}");
    }
    let output = build(&fake, &[]);
    assert!(!stderr(&output).contains("Building"), "{}", stderr(&output));
    assert_eq!(told(&fake), first);
    assert_eq!(fake.read("configured").lines().count(), 1);
}

#[test]
fn a_library_of_the_users_is_left_to_the_crate() {
    let fake = app();
    let output = build(&fake, &[("OPENSSL_DIR", "/mine")]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(told(&fake), ["OPENSSL_DIR=/mine"]);
    assert_eq!(fake.read("configured"), "");
}

#[test]
fn without_a_c_compiler_the_command_that_adds_one_is_named() {
    let fake = app();
    fs::remove_file(fake.path("bin/clang")).unwrap();
    let machines_own = std::path::Path::new("/usr/bin");
    if machines_own.join("clang").exists() {
        return;
    }
    let output = build(&fake, &[]);
    assert_eq!(output.status.code(), Some(96), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("openssl-sys 0.9.118 needs OpenSSL"), "{said}");
    assert!(said.contains("help: cargo wasmedge setup --c"), "{said}");
}
