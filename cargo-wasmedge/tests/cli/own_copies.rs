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
    for (version, source, from, spec) in [
        ("1.54.1", None, "tokio", "tokio@1.54.1"),
        ("1.40.0", None, "tokio", "tokio"),
        (
            "1.54.1",
            Some("git+https://example.org/tokio?rev=abc#abcdef"),
            "git+https://example.org/tokio?rev=abc#abcdef",
            "tokio@1.54.1",
        ),
    ] {
        let fake = Fake::new("1.97.1");
        depends_on_tokio(&fake, version, source);
        let output = fake.run("build", "true");
        assert!(output.status.success(), "{}", stderr(&output));
        assert_eq!(
            stderr(&output),
            format!(
                "warning: tokio {version} is used without its port, which is for releases: the \
                 app takes it from {from}\n  help: take the release, or make your changes in a \
                 ported copy of it: cargo wasmedge vendor ported --crate {spec}\n"
            )
        );
    }
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
        mend.ends_with("cargo wasmedge vendor ported --crate tokio@1.54.1"),
        "{mend}"
    );
}
