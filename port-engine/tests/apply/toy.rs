//! A small upstream crate, small support crates, and ports of rules that a test gives.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use port_engine::{
    Error, Layout, Mismatch, P1, PORT_FILE, Port, PortSource, Ported, Support, Upstream, apply,
};
use semver::Version;

pub const MANIFEST: &str = r#"[package]
name = "toy"
version = "1.2.3"
edition = "2021"

[features]
net = ["dep:low"]

[dependencies.low]
version = "1"
optional = true

[target.'cfg(all(target_os = "wasi", not(target_env = "p1")))'.dependencies.wasi]
version = "0.2"

[lints.rust]
unused = "warn"
"#;

pub const LIB: &str = r#"//! A toy.
mod sys;

/// # #[cfg(target_env = "p1")]
#[cfg(not(target_env = "p1"))]
pub fn open() -> u8 {
    1 // one
}

pub fn flavor() -> u8 { 2 }
"#;

pub const SYS: &str =
    "#[cfg(any(unix, all(target_os = \"wasi\", not(target_env = \"p1\"))))]\nmod a {}\n";

/// An upstream crate, a place for ported ones, and the support crates.
pub struct Fixture {
    pub temp: tempfile::TempDir,
    pub upstream: Upstream,
    pub support: Support,
}

impl Fixture {
    pub fn new() -> Fixture {
        Fixture::with(&[
            ("Cargo.toml", MANIFEST),
            ("src/lib.rs", LIB),
            ("src/sys.rs", SYS),
            ("LICENSE", "A licence.\n"),
            (".cargo_vcs_info.json", "{}"),
            (".cargo-ok", "{\"v\":1}"),
        ])
    }

    /// An upstream crate in the folders that cargo's registry has.
    pub fn with(files: &[(&str, &str)]) -> Fixture {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("registry/src/index/toy-1.2.3");
        for (path, text) in files {
            write(&dir.join(path), text.as_bytes());
        }
        Fixture {
            upstream: Upstream {
                name: "toy".into(),
                version: Version::new(1, 2, 3),
                checksum: None,
                dir,
            },
            support: support(),
            temp,
        }
    }

    pub fn out(&self) -> PathBuf {
        self.temp.path().join("out")
    }

    pub fn apply(&self, port: &Port, layout: Layout) -> Result<Ported, Error> {
        apply(port, &self.upstream, &self.support, &self.out(), layout)
    }

    pub fn text(&self, ported: &Ported, path: &str) -> String {
        fs::read_to_string(ported.dir.join(path)).unwrap()
    }

    /// The error of a port that must not apply, and that nothing was written.
    pub fn mismatch(&self, rules: &str) -> Mismatch {
        let error = self.apply(&toy(rules), Layout::Vendor).unwrap_err();
        assert!(!self.out().join("toy").exists());
        let Error::Mismatch(mismatch) = error else {
            panic!("{error}");
        };
        *mismatch
    }

    /// The text of a failure that is not about upstream.
    pub fn other(&self, rules: &str) -> String {
        match self.apply(&toy(rules), Layout::Vendor) {
            Err(Error::Other(error)) => format!("{error:#}"),
            other => panic!("{other:?}"),
        }
    }
}

/// Three support crates, one of which the others depend on.
fn support() -> Support {
    let package = |name: &str, rest: &str| {
        let text =
            format!("[package]\nname = '{name}'\nversion = '1.0.0'\nedition = '2021'\n{rest}\n");
        [
            (format!("crates/{name}/Cargo.toml"), text),
            (format!("crates/{name}/src/lib.rs"), String::new()),
        ]
    };
    let declared = |what: &str| {
        format!(
            "[package.metadata.port-support]\n{what}\n\
             [target.'cfg({P1})'.dependencies]\nhost = {{ path = '../../crates/host' }}"
        )
    };
    let packages = [
        package("host", "[package.metadata.port-support]"),
        package("toy_std", &declared("facade = 'std'")),
        package("toy_libc", &declared("facade = 'libc'")),
    ];
    Support::from_files(packages.into_iter().flatten()).unwrap()
}

pub fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// A port of the toy with these rules, and `overlay/own.rs`.
pub fn toy(rules: &str) -> Port {
    toy_with(rules, &[("overlay/own.rs", "// ours\n")])
}

/// A port of the toy with these rules and files.
pub fn toy_with(rules: &str, files: &[(&str, &str)]) -> Port {
    let text = format!("[port]\ncrate = 'toy'\nversions = ['1.2']\nwhy = 'a toy'\n{rules}");
    let file = |path: &str, text: &str| {
        let text: Cow<[u8]> = Cow::Owned(text.as_bytes().to_vec());
        (path.to_string(), text)
    };
    let own = files.iter().map(|(path, text)| file(path, text));
    let files: BTreeMap<_, _> = own.chain([file(PORT_FILE, &text)]).collect();
    Port::load(&PortSource {
        label: "toy".into(),
        files,
    })
    .unwrap_or_else(|error| panic!("{error:?}"))
}

pub fn rule(name: &str, rest: &str) -> String {
    format!("[[rule]]\nname = '{name}'\nwhy = 'because'\n{rest}\n")
}

pub fn open_rule(matches: &str) -> String {
    rule(
        "open",
        &format!(
            "kind = 'cfg'\npredicate = 'target_env = \"p1\"'\nbecomes = 'any()'\n\
             files = ['src/**/*.rs', 'Cargo.toml']\nmatches = {matches}"
        ),
    )
}

/// All files with content and time of change.
pub fn listing(dir: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    walkdir::WalkDir::new(dir)
        .into_iter()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let path = entry.path().to_path_buf();
            let bytes = fs::read(&path).unwrap_or_default();
            (path, (bytes, entry.metadata().unwrap().modified().unwrap()))
        })
        .collect()
}

/// The dependency for the guest has this path, and a crate is there.
pub fn assert_dependency(fixture: &Fixture, ported: &Ported, krate: &str, path: &str) {
    let manifest: toml::Table = fixture.text(ported, "Cargo.toml").parse().unwrap();
    let guest = &manifest["target"][&format!("cfg({P1})")];
    assert_eq!(guest["dependencies"][krate]["path"].as_str(), Some(path));
    let text = fixture.text(ported, &format!("{path}/Cargo.toml"));
    let manifest: toml::Table = text.parse().unwrap();
    assert_eq!(manifest["package"]["name"].as_str(), Some(krate));
}

pub fn assert_only(dir: &Path, names: &[&str]) {
    let mut found: Vec<String> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, names);
}
