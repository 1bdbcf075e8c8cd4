//! Crates that are ported by evidence: which are taken, what is said of it, and what the
//! setting does.

use std::fs;

use serde_json::{Value, json};

use crate::fake::{Fake, stderr};
use crate::packages::Packages;

const LIB: &str = "#[cfg(not(target_arch = \"wasm32\"))]\npub mod net {}\n\
                   #[cfg(target_family = \"wasm\")]\npub mod web {}\n";
const SAID: &str = "     Porting pool v1.2.3: takes wasm for a browser\n";

/// An app that depends on the crate `pool`, which has these sources and, beside what
/// `Cargo.toml` says, this dependency as `cargo metadata` gives it.
fn fake(manifest: &str, lib: &str, dependency: &Value) -> Fake {
    let fake = Fake::new("1.97.1");
    let folder = fake.path("registry/pool-1.2.3");
    fs::create_dir_all(folder.join("src")).unwrap();
    let head = "[package]\nname = \"pool\"\nversion = \"1.2.3\"\nedition = \"2021\"\n";
    fs::write(folder.join("Cargo.toml"), format!("{head}{manifest}")).unwrap();
    fs::write(folder.join("src/lib.rs"), lib).unwrap();
    Packages::new(&fake.app())
        .member("app", "", &[("pool", "^1.2", "1.2.3")])
        .krate(("pool", "1.2.3"), &folder, &[])
        .write(&fake);
    let file = fake.path("metadata.json");
    let mut metadata: Value = serde_json::from_str(&fake.read("metadata.json")).unwrap();
    metadata["packages"][1]["dependencies"] = json!([dependency]);
    fs::write(file, metadata.to_string()).unwrap();
    fake
}

fn dependency(name: &str, target: Option<&str>) -> Value {
    json!({
        "name": name, "source": null, "req": "*", "kind": null, "rename": null,
        "optional": false, "uses_default_features": true, "features": [],
        "target": target, "registry": null,
    })
}

const BROWSERS: Option<&str> = Some("cfg(target_arch = \"wasm32\")");
const OTHERS: Option<&str> = Some("cfg(not(target_arch = \"wasm32\"))");

fn settings(fake: &Fake, browser_gates: &str) {
    fake.manifest(&format!(
        "[package.metadata.wasmedge]\nbrowser-gates = {browser_gates}\n"
    ));
}

/// What was made of the crate; `None`: it is used as published.
fn ported(fake: &Fake, file: &str) -> Option<String> {
    let sets = fs::read_dir(fake.path("cache/ported")).ok()?;
    let mut folders = sets.map(|entry| entry.unwrap().path());
    let is_it = |path: &std::path::PathBuf| path.to_string_lossy().contains("/pool-1.2.3-");
    let folder = folders.find(is_it)?;
    Some(fs::read_to_string(folder.join(file)).unwrap())
}

#[test]
fn a_crate_that_takes_wasm_for_a_browser_gets_what_other_systems_have() {
    let manifest = "[target.'cfg(target_arch = \"wasm32\")'.dependencies]\nweb-sys = \"0.3\"\n";
    let fake = fake(manifest, LIB, &dependency("web-sys", BROWSERS));
    let output = fake.run("build", "true");
    assert_eq!(stderr(&output), SAID);
    let p1 = "not(all(target_os = \"wasi\", target_env = \"p1\"))";
    assert_eq!(
        ported(&fake, "src/lib.rs").unwrap(),
        format!(
            "#[cfg(not(all(target_arch = \"wasm32\", {p1})))]\npub mod net {{}}\n\
             #[cfg(all(target_family = \"wasm\", {p1}))]\npub mod web {{}}\n"
        )
    );
    let table = format!("cfg(all(target_arch = \"wasm32\", {p1}))");
    let manifest: toml::Table = ported(&fake, "Cargo.toml").unwrap().parse().unwrap();
    assert!(manifest["target"].get(&table).is_some(), "{manifest}");
    // A guess is told each time.
    assert_eq!(stderr(&fake.run("build", "true")), SAID);
}

#[test]
fn what_does_not_speak_for_it_leaves_a_crate_as_published() {
    let mut off = dependency("web-sys", BROWSERS);
    off["optional"] = json!(true);
    let mut of_tests = dependency("web-sys", BROWSERS);
    of_tests["kind"] = json!("dev");
    let unknown = Some("cfg(all(target_arch = \"wasm32\", target_os = \"unknown\"))");
    let knows = "#[cfg(not(target_arch = \"wasm32\"))]\nmod a {}\n\
                 #[cfg(all(target_arch = \"wasm32\", target_os = \"wasi\"))]\nmod b {}\n";
    let knows_browsers =
        "#[cfg(all(target_arch = \"wasm32\", target_os = \"unknown\"))]\nmod a {}\n";
    for (lib, dependency) in [
        (LIB, off),
        (LIB, of_tests),
        (LIB, dependency("web-sys", unknown)),
        (LIB, dependency("serde", BROWSERS)),
        (LIB, dependency("async-io", OTHERS)),
        ("pub mod net {}\n", dependency("web-sys", BROWSERS)),
        (knows, dependency("web-sys", BROWSERS)),
        (knows_browsers, dependency("web-sys", None)),
    ] {
        let fake = fake("", lib, &dependency);
        let output = fake.run("build", "true");
        assert_eq!(stderr(&output), "", "{lib}{dependency}");
        assert_eq!(ported(&fake, "src/lib.rs"), None);
    }
}

#[test]
fn what_speaks_for_it() {
    let mut on = dependency("gloo-timers", BROWSERS);
    on["features"] = json!(["futures"]);
    let mut asks = dependency("getrandom", BROWSERS);
    asks["features"] = json!(["wasm_js"]);
    for dependency in [
        on,
        asks,
        dependency("js-sys", None),
        dependency("tokio", OTHERS),
    ] {
        let fake = fake("", LIB, &dependency);
        assert_eq!(stderr(&fake.run("build", "true")), SAID, "{dependency}");
    }
}

/// A crate that is for browsers alone, over one that is taken.
#[test]
fn crates_that_belong_together_are_taken_together() {
    for target in [BROWSERS, OTHERS] {
        let fake = fake("", LIB, &dependency("web-sys", BROWSERS));
        let folder = fake.path("registry/slide-0.1.0");
        fs::create_dir_all(folder.join("src")).unwrap();
        let manifest = "[package]\nname = \"slide\"\nversion = \"0.1.0\"\n";
        fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        let lib = "#![cfg(target_arch = \"wasm32\")]\npub use pool::web;\n";
        fs::write(folder.join("src/lib.rs"), lib).unwrap();
        let pool = fake.path("registry/pool-1.2.3");
        Packages::new(&fake.app())
            .member("app", "", &[("slide", "^0.1", "0.1.0")])
            .krate(("slide", "0.1.0"), &folder, &[("pool", "^1.2", "1.2.3")])
            .krate(("pool", "1.2.3"), &pool, &[])
            .write(&fake);
        let mut metadata: Value = serde_json::from_str(&fake.read("metadata.json")).unwrap();
        metadata["packages"][1]["dependencies"] = json!([dependency("pool", target)]);
        metadata["packages"][2]["dependencies"] = json!([dependency("web-sys", BROWSERS)]);
        fs::write(fake.path("metadata.json"), metadata.to_string()).unwrap();
        let said = stderr(&fake.run("build", "true"));
        let slide = "     Porting slide v0.1.0: takes wasm for a browser\n";
        assert_eq!(said, format!("{SAID}{slide}"), "{target:?}");
    }
}

#[test]
fn items_that_cannot_be_sent_on_wasm_speak_for_a_crate_with_a_table_for_wasm() {
    let lib = "#[cfg(not(target_arch = \"wasm32\"))]\npub type Job = Box<dyn Fn() + Send>;\n\
               #[cfg(target_arch = \"wasm32\")]\npub type Job = Box<dyn Fn()>;\n";
    for (target, said) in [(OTHERS, SAID), (BROWSERS, SAID), (None, "")] {
        let fake = fake("", lib, &dependency("serde", target));
        assert_eq!(stderr(&fake.run("build", "true")), said, "{target:?}");
    }
}

#[test]
fn an_optional_dependency_speaks_when_a_feature_has_it() {
    for feature in ["web = [\"dep:web-sys\"]", "web = [\"web-sys/Window\"]"] {
        let mut optional = dependency("web-sys", BROWSERS);
        optional["optional"] = json!(true);
        let fake = fake("", LIB, &optional);
        let mut metadata: Value = serde_json::from_str(&fake.read("metadata.json")).unwrap();
        let features: toml::Table = feature.parse().unwrap();
        metadata["packages"][1]["features"] = json!(features);
        metadata["resolve"]["nodes"][1]["features"] = json!(["web"]);
        fs::write(fake.path("metadata.json"), metadata.to_string()).unwrap();
        assert_eq!(stderr(&fake.run("build", "true")), SAID, "{feature}");
    }
}

#[test]
fn the_setting_names_further_crates_and_leaves_others() {
    let nothing = dependency("serde", None);
    let knows = "#[cfg(not(target_arch = \"wasm32\"))]\nmod a {}\n\
                 #[cfg(all(target_arch = \"wasm32\", target_os = \"wasi\"))]\nmod b {}\n";
    for lib in [LIB, knows] {
        let named = fake("", lib, &nothing);
        settings(&named, "[\"pool\"]");
        assert_eq!(stderr(&named.run("build", "true")), SAID, "{lib}");
    }
    let left = fake("", LIB, &dependency("web-sys", BROWSERS));
    settings(&left, "[\"!pool\"]");
    assert_eq!(stderr(&left.run("build", "true")), "");
    let wrong = fake("", LIB, &nothing);
    settings(&wrong, "[\"po ol\"]");
    let output = wrong.run("build", "true");
    assert!(!output.status.success());
    let said = stderr(&output);
    assert!(
        said.contains("`browser-gates` names no crate: `po ol`"),
        "{said}"
    );
}

#[test]
fn a_crate_of_the_users_own_is_not_changed_and_told_when_it_is_named() {
    let git = "git+https://example.org/pool?rev=abc#abcdef";
    for source in [None, Some(git)] {
        let fake = fake("", LIB, &dependency("web-sys", BROWSERS));
        let mut metadata: Value = serde_json::from_str(&fake.read("metadata.json")).unwrap();
        metadata["packages"][1]["source"] = json!(source);
        fs::write(fake.path("metadata.json"), metadata.to_string()).unwrap();
        assert_eq!(stderr(&fake.run("build", "true")), "");
        settings(&fake, "[\"pool\"]");
        let folder = fake.path("registry/pool-1.2.3");
        let from = source.unwrap_or_else(|| folder.to_str().unwrap());
        assert_eq!(
            stderr(&fake.run("build", "true")),
            format!(
                "warning: `browser-gates` names pool, which the app takes from {from}: it is \
                 used as it is\n  \
                 help: change its conditions there, or depend on a release\n"
            )
        );
        assert_eq!(ported(&fake, "src/lib.rs"), None);
    }
}

#[test]
fn a_crate_on_the_facade_keeps_it() {
    let fake = fake("", LIB, &dependency("web-sys", BROWSERS));
    fake.manifest("[package.metadata.wasmedge]\nstd-facade = [\"pool\"]\n");
    assert_eq!(stderr(&fake.run("build", "true")), SAID);
    let lib = ported(&fake, "src/lib.rs").unwrap();
    let p1 = "not(all(target_os = \"wasi\", target_env = \"p1\"))";
    let net = format!("#[cfg(not(all(target_arch = \"wasm32\", {p1})))]\npub mod net");
    assert!(lib.contains(&net), "{lib}");
    assert!(lib.contains("extern crate wasmedge_std as std;"), "{lib}");
}

#[test]
fn a_crate_that_cannot_be_ported_is_used_as_published() {
    let fake = fake("", LIB, &dependency("web-sys", BROWSERS));
    let broken = fake.path("registry/pool-1.2.3/src/zz_broken.rs");
    fs::write(broken, "#[cfg(target_arch = \"wasm32\")] \"").unwrap();
    let output = fake.run("build", "true");
    assert!(output.status.success());
    let said = stderr(&output);
    assert!(
        said.starts_with("warning: pool 1.2.3 is used as published: ")
            && said.contains("broken.rs"),
        "{said}"
    );
}

#[test]
fn doctor_says_what_is_taken_and_why() {
    let fake = fake("", LIB, &dependency("tokio", OTHERS));
    let output = fake.run("doctor --json", "true");
    let checks: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let pool = checks.iter().find(|check| check["name"] == "pool 1.2.3");
    let pool = pool.unwrap_or_else(|| panic!("{checks:?}"));
    assert_eq!(pool["status"], "ok");
    assert_eq!(
        pool["detail"],
        "takes wasm for a browser: has tokio on other systems only\n\
         src/lib.rs:1 is the first condition that is switched"
    );
}
