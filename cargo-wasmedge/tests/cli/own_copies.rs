//! Crates that have a port, and that the app does not take from the registry.

use std::fs;

use serde_json::{Value, json};

use crate::fake::{Fake, stderr};

/// Lets `cargo metadata` say that the app depends on tokio, in this version and from there.
fn depends_on_tokio(fake: &Fake, version: &str, source: Option<&str>) {
    let file = fake.path("metadata.json");
    let mut metadata: Value = serde_json::from_str(&fake.read("metadata.json")).unwrap();
    let folder = fake.app().join("tokio");
    let id = format!("path+file://{}#tokio@{version}", folder.display());
    let mut package = metadata["packages"][0].clone();
    package["name"] = json!("tokio");
    package["version"] = json!(version);
    package["id"] = json!(id);
    package["source"] = json!(source);
    package["manifest_path"] = json!(folder.join("Cargo.toml"));
    metadata["packages"].as_array_mut().unwrap().push(package);
    let nodes = metadata["resolve"]["nodes"].as_array_mut().unwrap();
    nodes[0]["dependencies"] = json!([id]);
    nodes[0]["deps"] = json!([{
        "name": "tokio", "pkg": id, "dep_kinds": [{ "kind": null, "target": null }],
    }]);
    nodes.push(json!({ "id": id, "dependencies": [], "deps": [], "features": [] }));
    fs::write(file, metadata.to_string()).unwrap();
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("src/lib.rs"), "").unwrap();
    // The scripts say the same with and without dependencies, so it is looked into, too.
    fs::write(folder.join("Cargo.toml"), "").unwrap();
}

#[test]
fn a_copy_of_the_users_own_is_told_with_what_helps() {
    let port = "port a copy of it, and depend on that by the [patch] that this prints: \
                cargo wasmedge vendor ported --crate ./tokio";
    let covered = "take a version that its port covers: >=1.51.0, <1.55.0";
    let git = "git+https://example.org/tokio?rev=abc#abcdef";
    let fork = "git+https://github.com/second-state/wasi_tokio.git?branch=v1.36.x#abcdef";
    let leave_out = "leave this older fork out, and the release from crates.io is ported: \
                     cargo wasmedge doctor says where it is";
    for (version, source, from, help) in [
        ("1.54.1", None, "tokio", port),
        ("1.40.0", None, "tokio", covered),
        ("1.54.1", Some(git), git, port),
        ("1.36.0", Some(fork), fork, leave_out),
    ] {
        let fake = Fake::new("1.97.1");
        depends_on_tokio(&fake, version, source);
        let output = fake.run("build", "true");
        assert!(output.status.success(), "{}", stderr(&output));
        assert_eq!(
            stderr(&output),
            format!(
                "warning: tokio {version} is used without its port: the app takes it from {from}\n  \
                 help: {help}\n"
            )
        );
    }
}

#[test]
fn a_copy_of_the_users_own_can_be_ported() {
    let fake = Fake::new("1.97.1");
    depends_on_tokio(&fake, "3.27.0", None);
    // A crate whose port is small enough for sources of a test.
    let text = fake
        .read("metadata.json")
        .replace("\"tokio\"", "\"tempfile\"");
    fs::write(fake.path("metadata.json"), text).unwrap();
    let own = fake.app().join("tokio");
    let manifest = "[package]\nname = \"tempfile\"\nversion = \"3.27.0\"\n\
                    [dependencies]\nreed = { path = \"../reed\" }\n";
    fs::write(own.join("Cargo.toml"), manifest).unwrap();
    fs::write(own.join("src/lib.rs"), "// mine\n").unwrap();
    // Its port only puts it on the facade of std, and so would the build, as a folder of
    // the app's own. For a copy whose port has more rules this is what helps.
    let command = "vendor ported --crate ./tokio";
    // The copy is no member: the real cargo looks at its manifest.
    let members = fake.read("members.json");
    fs::copy(fake.path("metadata.json"), fake.path("members.json")).unwrap();
    let output = fake.run(command, "true");
    fs::write(fake.path("members.json"), members).unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let copy = fake.app().join("ported/tempfile");
    let lib = fs::read_to_string(copy.join("src/lib.rs")).unwrap();
    assert!(
        lib.starts_with("// mine\n") && lib.contains("as std;"),
        "{lib}"
    );
    let manifest = fs::read_to_string(copy.join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let reed = manifest["dependencies"]["reed"]["path"].as_str().unwrap();
    assert_eq!(std::path::Path::new(reed), own.join("../reed"));
    // The app takes it.
    let text = fake
        .read("metadata.json")
        .replace("app/tokio", "app/ported/tempfile");
    fs::write(fake.path("metadata.json"), text).unwrap();
    assert_eq!(stderr(&fake.run("build", "true")), "");
}

#[test]
fn a_copy_that_has_the_port_is_no_news() {
    let fake = Fake::new("1.97.1");
    depends_on_tokio(&fake, "1.54.1", None);
    fs::write(fake.app().join("tokio/WASMEDGE-PORT.md"), "").unwrap();
    let output = fake.run("build", "true");
    assert!(output.status.success());
    assert_eq!(stderr(&output), "");
}

#[test]
fn a_crate_whose_port_changes_nothing_is_no_news() {
    let fake = Fake::new("1.97.1");
    depends_on_tokio(&fake, "1.54.1", None);
    let text = fake
        .read("metadata.json")
        .replace("\"tokio\"", "\"mini-redis\"");
    fs::write(fake.path("metadata.json"), text).unwrap();
    let output = fake.run("build", "true");
    assert_eq!(stderr(&output), "");
}

#[test]
fn doctor_lists_it_with_what_helps() {
    let fake = Fake::new("1.97.1");
    depends_on_tokio(&fake, "1.54.1", None);
    let output = fake.run("doctor --json", "true");
    let checks: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let tokio = checks.iter().find(|check| check["name"] == "tokio 1.54.1");
    let tokio = tokio.unwrap_or_else(|| panic!("{checks:?}"));
    assert_eq!(tokio["status"], "warn");
    assert!(
        tokio["detail"].as_str().unwrap().ends_with("from tokio"),
        "{tokio}"
    );
    let mend = tokio["mend"].as_str().unwrap();
    assert!(
        mend.ends_with("cargo wasmedge vendor ported --crate ./tokio"),
        "{mend}"
    );
}
