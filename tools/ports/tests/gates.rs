//! Rules of single ports, on small sources with the gates that upstream has.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_wasmedge::port::{Layout, Ported, Ports, Support, Upstream, apply};

/// A crate of that name and version, with these files, and its port applied.
struct Made {
    folder: tempfile::TempDir,
    ported: Ported,
}

impl Made {
    fn of(name: &str, version: &str, files: &[(&str, &str)]) -> Made {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("upstream");
        for (path, text) in files {
            let path = dir.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let upstream = Upstream {
            name: name.into(),
            version: version.parse().unwrap(),
            checksum: None,
            dir,
        };
        let ports = Ports::from_dir(&root).unwrap();
        let port = ports.get(name).unwrap();
        assert!(port.supports(&upstream.version), "{name} {version}");
        let support = Support::from_dir(&root).unwrap();
        let out = folder.path().join("out");
        let ported = apply(port, &upstream, &support, &out, Layout::Vendor);
        let ported = ported.unwrap_or_else(|error| panic!("{error}"));
        Made { folder, ported }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.ported.dir.join(file)
    }

    fn text(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap()
    }

    fn upstream(&self, file: &str) -> String {
        fs::read_to_string(self.folder.path().join("upstream").join(file)).unwrap()
    }
}

const AXUM: &str = r#"
[package]
name = "axum"
version = "0.8.9"

[target.'cfg(not(target_arch = "wasm32"))'.dependencies]
tokio = { version = "1", features = ["net", "time"] }

[target.'cfg(target_arch = "wasm32")'.dependencies]
tokio = { version = "1", features = ["time"] }
"#;

const LISTENER: &str = r#"
pub trait Listener {}

#[cfg(not(target_arch = "wasm32"))]
impl Listener for tokio::net::TcpListener {}

#[cfg(not(target_arch = "wasm32"))]
async fn retry() {}

#[cfg(not(target_arch = "wasm32"))]
fn is_passing() {}
"#;

#[test]
fn axum_listens_on_tcp_where_upstream_shuts_that_out_of_wasm32() {
    for version in ["0.8.9", "0.9.0"] {
        let files = [("Cargo.toml", AXUM), ("src/serve/listener.rs", LISTENER)];
        let made = Made::of("axum", version, &files);
        let open = "not(all(target_arch = \"wasm32\", not(all(target_os = \"wasi\", target_env = \"p1\"))))";
        let listener = made.text("src/serve/listener.rs");
        assert_eq!(listener.matches(open).count(), 3, "{listener}");
        let manifest: toml::Table = made.text("Cargo.toml").parse().unwrap();
        let tokio = &manifest["target"][&format!("cfg({open})")]["dependencies"]["tokio"];
        assert_eq!(tokio["features"][0].as_str(), Some("net"), "{manifest}");
    }
}

#[test]
fn axum_without_that_gate_stays_as_published() {
    let plain = LISTENER.replace("#[cfg(not(target_arch = \"wasm32\"))]\n", "");
    let manifest = "[package]\nname = \"axum\"\nversion = \"0.8.9\"\n";
    let files = [
        ("Cargo.toml", manifest),
        ("src/serve/listener.rs", plain.as_str()),
    ];
    let made = Made::of("axum", "0.8.9", &files);
    assert!(made.ported.is_unchanged());
    let file = "src/serve/listener.rs";
    assert_eq!(made.text(file), made.upstream(file));
}

/// Alternatives and what is left, as whoami chooses between them up to 2.1.2.
const SYSTEMS: &str = r#"
#[cfg_attr(all(not(any(all(target_os = "wasi", feature = "wasi-wasite"))), other), path = "other.rs")]
#[cfg_attr(all(not(feature = "force-stub"), target_arch = "wasm32", target_os = "wasi", feature = "wasi-wasite",), path = "wasi.rs")]
#[cfg_attr(all(not(any(all(target_os = "wasi", feature = "wasi-wasite"))), feature = "wasm-web"), path = "browser.rs")]
mod neither;

pub use neither::WHO;
"#;

/// rustc's answer to which of the modules is compiled, with the guest's conditions set.
fn who(systems: &Path) -> String {
    let folder = systems.parent().unwrap();
    for module in ["wasi", "browser", "neither"] {
        let text = format!("pub const WHO: &str = \"{module}\";");
        fs::write(folder.join(format!("{module}.rs")), text).unwrap();
    }
    // A target's own conditions cannot be set, so they get names of the test's.
    let text = fs::read_to_string(systems).unwrap();
    let text = ["arch", "os", "env"].iter().fold(text, |text, word| {
        text.replace(&format!("target_{word}"), &format!("guest_{word}"))
    });
    let main = folder.join("main.rs");
    fs::write(&main, text + "\nfn main() { print!(\"{WHO}\") }").unwrap();
    let program = folder.join("who");
    let status = std::process::Command::new(std::env::var_os("RUSTC").unwrap_or("rustc".into()))
        .args([
            "--edition=2021",
            "-Awarnings",
            "--cfg",
            "guest_arch=\"wasm32\"",
        ])
        .args(["--cfg", "guest_os=\"wasi\"", "--cfg", "guest_env=\"p1\""])
        .args([
            "--cfg",
            "feature=\"wasi-wasite\"",
            "--cfg",
            "feature=\"wasm-web\"",
            "-o",
        ])
        .arg(&program)
        .arg(&main)
        .status()
        .unwrap();
    assert!(status.success());
    let output = std::process::Command::new(program).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn whoami_asks_neither_wasip2_nor_a_browser() {
    let manifest = "[package]\nname = \"whoami\"\nversion = \"2.1.2\"\n";
    let files = [("Cargo.toml", manifest), ("src/os.rs", SYSTEMS)];
    let made = Made::of("whoami", "2.1.2", &files);
    assert_eq!(who(&made.folder.path().join("upstream/src/os.rs")), "wasi");
    assert_eq!(who(&made.path("src/os.rs")), "neither");
}
