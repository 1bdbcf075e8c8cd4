//! What `cargo metadata` says of an app.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::fake::Fake;

/// A graph of packages, to be given by the fake cargo.
pub struct Packages {
    root: PathBuf,
    packages: Vec<Value>,
    nodes: Vec<Value>,
    members: Vec<String>,
}

impl Packages {
    /// None yet, in a workspace.
    pub fn new(root: &Path) -> Packages {
        Packages {
            root: root.to_owned(),
            packages: Vec::new(),
            nodes: Vec::new(),
            members: Vec::new(),
        }
    }

    /// A member of the workspace in a folder of it. Dependencies: name, requirement
    /// and version.
    pub fn member(mut self, name: &str, folder: &str, deps: &[(&str, &str, &str)]) -> Packages {
        let folder = self.root.join(folder);
        let id = format!("path+file://{}#{name}@0.1.0", folder.display());
        self.members.push(id.clone());
        self.add(
            &id,
            (name, "0.1.0"),
            &folder.join("Cargo.toml"),
            Value::Null,
            deps,
        );
        self
    }

    /// A package of the registry's, unpacked in `folder`.
    pub fn krate(
        mut self,
        (name, version): (&str, &str),
        folder: &Path,
        deps: &[(&str, &str, &str)],
    ) -> Packages {
        let id = id_of(name, version);
        let manifest = folder.join("Cargo.toml");
        self.add(&id, (name, version), &manifest, json!(REGISTRY), deps);
        self
    }

    fn add(
        &mut self,
        id: &str,
        (name, version): (&str, &str),
        manifest: &Path,
        source: Value,
        deps: &[(&str, &str, &str)],
    ) {
        let declared = deps.iter().map(|(name, req, _)| {
            json!({
                "name": name, "source": REGISTRY, "req": req, "kind": null, "rename": null,
                "optional": false, "uses_default_features": true, "features": [],
                "target": null, "registry": null,
            })
        });
        self.packages.push(json!({
            "name": name, "version": version, "id": id, "license": null,
            "license_file": null, "description": null, "source": source,
            "dependencies": declared.collect::<Vec<_>>(), "targets": [], "features": {},
            "manifest_path": manifest, "metadata": null, "publish": null,
            "authors": [], "categories": [], "keywords": [], "readme": null,
            "repository": null, "homepage": null, "documentation": null,
            "edition": "2021", "links": null, "default_run": null, "rust_version": null,
        }));
        let ids: Vec<String> = deps.iter().map(|(name, _, v)| id_of(name, v)).collect();
        let resolved = deps.iter().zip(&ids).map(|((name, ..), id)| {
            json!({ "name": name, "pkg": id, "dep_kinds": [{ "kind": null, "target": null }] })
        });
        self.nodes.push(json!({
            "id": id, "dependencies": ids, "deps": resolved.collect::<Vec<_>>(), "features": [],
        }));
    }

    /// Has the fake cargo give it.
    pub fn write(&self, fake: &Fake) {
        let write = |file: &str, packages: &[Value]| {
            let json = json!({
                "packages": packages,
                "workspace_members": self.members,
                "workspace_default_members": self.members,
                "resolve": { "nodes": self.nodes, "root": null },
                "target_directory": "TARGET_DIR", "version": 1,
                "workspace_root": self.root, "metadata": null,
            });
            fs::write(fake.path(file), json.to_string()).unwrap();
        };
        write("metadata.json", &self.packages);
        let is_member = |package: &&Value| package["source"].is_null();
        let members: Vec<Value> = self.packages.iter().filter(is_member).cloned().collect();
        write("members.json", &members);
    }
}

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

fn id_of(name: &str, version: &str) -> String {
    format!("{REGISTRY}#{name}@{version}")
}
