//! Ported crates as a folder for people who use plain cargo.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::embedded;
use crate::error::{Error, Result, Unsupported};
use crate::fs::write_atomically;
use crate::port::{self, Layout, Ported, Ports, Upstream};
use crate::resolve::STAND_IN;
use crate::resolve::fetch::{self, StartCargo};
use crate::shell::Shell;

/// Says that a folder is ours, and what is in it.
const MARKER: &str = ".cargo-wasmedge-vendor.json";

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Marker {
    /// Folders of ported crates.
    crates: Vec<String>,
}

/// Writes the ported crates, the crates that they need of ours, a cargo
/// configuration and a README into `dir`. Gives the ported crates and, with
/// `stand_in`, ours that takes the place of its published namesake.
///
/// # Errors
/// `dir` holds something that is not ours, or two versions of one crate are
/// asked for: nothing is written then. As [`port::apply`].
pub fn vendor(
    dir: &Path,
    upstreams: &[Upstream],
    stand_in: bool,
    ports: &Ports,
    shell: &Shell,
) -> Result<Vec<Ported>> {
    let before = check(dir)?;
    for (at, upstream) in upstreams.iter().enumerate() {
        if let Some(other) = upstreams[..at]
            .iter()
            .find(|other| other.name == upstream.name)
        {
            return Err(anyhow::anyhow!(
                "the app has {} in two versions, {} and {}, and a folder holds one of each\n  \
                 help: `cargo wasmedge build` has no such limit; \
                 `cargo tree -i {}@{}` shows which dependency brings the older one",
                upstream.name,
                other.version,
                upstream.version,
                other.name,
                other.version
            )
            .into());
        }
    }
    let support = embedded::support()?;
    let marker = Marker {
        crates: upstreams
            .iter()
            .map(|upstream| upstream.name.clone())
            .collect(),
    };
    let json = serde_json::to_vec_pretty(&marker).context("cannot write the marker")?;
    write_atomically(&dir.join(MARKER), &json)?;
    let mut ported = Vec::new();
    for upstream in upstreams {
        if let Some(port) = ports.get(&upstream.name) {
            shell.status(
                "Porting",
                format_args!("{} v{}", upstream.name, upstream.version),
            );
            ported.push(port::apply(port, upstream, &support, dir, Layout::Vendor)?);
        }
    }
    if stand_in {
        ported.push(support.stand_in(STAND_IN, dir, Layout::Vendor)?);
    }
    for stale in before
        .crates
        .iter()
        .filter(|name| !marker.crates.contains(name))
    {
        shell.warn(format_args!(
            "{} is no longer used: delete it",
            dir.join(stale).display()
        ));
    }
    let folder = dir
        .file_name()
        .unwrap_or(dir.as_os_str())
        .to_string_lossy()
        .into_owned();
    write_atomically(
        &dir.join("config.toml"),
        config(&folder, &ported).as_bytes(),
    )?;
    write_atomically(&dir.join("README.md"), readme(&folder, &ported).as_bytes())?;
    Ok(ported)
}

/// An absent or empty folder, or one that we made.
fn check(dir: &Path) -> Result<Marker> {
    if let Ok(bytes) = std::fs::read(dir.join(MARKER)) {
        return Ok(serde_json::from_slice(&bytes)
            .with_context(|| format!("cannot read {}", dir.join(MARKER).display()))?);
    }
    let mut entries = match dir.read_dir() {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Marker::default()),
        Err(error) => {
            let error = anyhow::Error::new(error);
            return Err(error
                .context(format!("cannot read {}", dir.display()))
                .into());
        }
    };
    match entries.next() {
        None => Ok(Marker::default()),
        Some(_) => Err(anyhow::anyhow!(
            "{} is not empty and was not made by `cargo wasmedge vendor`\n  \
             help: name a new folder",
            dir.display()
        )
        .into()),
    }
}

/// The table to paste into the workspace's `Cargo.toml`, which is in `root`.
pub fn patch_table(dir: &Path, root: Option<&Path>, ported: &[Ported]) -> String {
    let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let near = root
        .and_then(|root| dir.strip_prefix(root).ok())
        .map(PathBuf::from);
    table(&near.unwrap_or(dir), ported)
}

fn table(dir: &Path, ported: &[Ported]) -> String {
    let mut text = String::from("[patch.crates-io]\n");
    for each in ported {
        let path = dir.join(&each.name);
        let path = toml::Value::from(path.to_string_lossy().into_owned());
        text += &format!("{} = {{ path = {path} }}\n", each.name);
    }
    text
}

/// cargo takes paths in a configuration file to start at the folder above the
/// one that the file is in.
fn config(folder: &str, ported: &[Ported]) -> String {
    format!(
        "# Made by `cargo wasmedge vendor`. Use it with\n\
         #     cargo --config {folder}/config.toml build --target wasm32-wasip1\n\
         # or `include` it in .cargo/config.toml (cargo 1.94 or newer).\n\n\
         {}\n\
         [target.wasm32-wasip1]\n\
         runner = \"cargo-wasmedge {}\"\n",
        table(Path::new(folder), ported),
        crate::run::SUBCOMMAND
    )
}

fn readme(folder: &str, ported: &[Ported]) -> String {
    let list: String = ported
        .iter()
        .map(|each| match each.name.as_str() {
            STAND_IN => format!(
                "* `{STAND_IN}` {}: not the published one, but ours with its API\n",
                each.version
            ),
            name => format!(
                "* `{name}` {} (`{name}/{}` says what was changed)\n",
                each.version,
                port::NOTICE_FILE
            ),
        })
        .collect();
    format!(
        "# Crates ported to WasmEdge\n\n\
         Made by `cargo wasmedge vendor {folder}`; run it again to bring it up to date.\n\n\
         {list}\n\
         Built natively these crates are what upstream published. Each keeps its licence.\n\n\
         Use them in one of two ways, with any cargo that has the `wasm32-wasip1` target:\n\n\
         1. Paste this into the `Cargo.toml` of the workspace root (paths start there):\n\n\
         ```toml\n{}```\n\n\
         \x20  then `cargo update --workspace` and `cargo build --target wasm32-wasip1`.\n\
         2. Leave `Cargo.toml` alone: `cargo --config {folder}/config.toml build --target wasm32-wasip1`,\n\
         \x20  from the folder that holds `{folder}`.\n\n\
         The locked versions have to be the ones listed above, else cargo says that a patch\n\
         was not used and builds the unported crate: `cargo update -p NAME --precise VERSION`.\n\n\
         Run a program with `wasmedge --dir .:. target/wasm32-wasip1/debug/NAME.wasm`, or with\n\
         `cargo run` and the runner in `config.toml`, which needs `cargo-wasmedge` on `PATH`.\n",
        table(Path::new(folder), ported)
    )
}

/// `NAME` or `NAME@VERSION`, fetched: without a version the newest that the port covers.
/// Or a folder with the user's own copy of a crate, which is as it is: `./NAME`.
///
/// # Errors
/// No port for the crate; [`Error::Unsupported`]; cargo cannot fetch or read it.
pub fn fetch(cargo: StartCargo<'_>, spec: &str, ports: &Ports, offline: bool) -> Result<Upstream> {
    if spec.contains(['/', std::path::MAIN_SEPARATOR]) {
        return in_folder(cargo, Path::new(spec), ports);
    }
    let (name, version) = match spec.split_once('@') {
        Some((name, version)) => {
            let version: semver::Version = version
                .parse()
                .with_context(|| format!("`{version}` in `{spec}` is not a version like 1.2.3"))?;
            (name, Some(version))
        }
        None => (spec, None),
    };
    let port = port_of(name, ports)?;
    let req = match &version {
        Some(version) if !port.supports(version) => {
            let mend = format!("name a covered version, or `{name}` alone for the newest");
            return Err(Error::Unsupported {
                crates: vec![Unsupported {
                    krate: name.to_owned(),
                    version: version.to_string(),
                    supported: port.supported(),
                    ways: Vec::new(),
                }],
                mends: vec![mend],
            });
        }
        Some(version) => format!("={version}")
            .parse()
            .with_context(|| format!("`{version}` cannot be asked for"))?,
        None => port
            .requirements()
            .last()
            .cloned()
            .unwrap_or(semver::VersionReq::STAR),
    };
    fetch::fetch(cargo, name, &req, offline)
}

fn port_of<'a>(name: &str, ports: &'a Ports) -> Result<&'a port::Port> {
    let known = || ports.iter().map(port::Port::krate).collect::<Vec<_>>();
    let port = ports.get(name).with_context(|| {
        let known = known().join(", ");
        format!("there is no port of `{name}` (there are ports of {known})")
    });
    Ok(port?)
}

/// The crate in a folder.
fn in_folder(cargo: StartCargo<'_>, folder: &Path, ports: &Ports) -> Result<Upstream> {
    let found = fetch::in_folder(cargo, folder)?;
    let port = port_of(&found.name, ports)?;
    if !port.supports(&found.version) {
        return Err(Error::Unsupported {
            crates: vec![Unsupported {
                krate: found.name,
                version: format!("{} in {}", found.version, folder.display()),
                supported: port.supported(),
                ways: Vec::new(),
            }],
            mends: vec!["take a copy of a covered version".to_owned()],
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_ours_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        let shell = Shell::new(true, false);
        let ports = Ports::default();
        std::fs::write(temp.path().join("precious"), "x").unwrap();
        let error = vendor(temp.path(), &[], false, &ports, &shell).unwrap_err();
        assert!(error.to_string().contains("was not made by"), "{error}");
        let left: Vec<_> = temp.path().read_dir().unwrap().collect();
        assert_eq!(left.len(), 1);
    }

    #[test]
    fn an_empty_folder_and_our_own_are_taken() {
        let temp = tempfile::tempdir().unwrap();
        let shell = Shell::new(true, false);
        let ports = Ports::default();
        let dir = temp.path().join("vendor");
        vendor(&dir, &[], false, &ports, &shell).unwrap();
        vendor(&dir, &[], false, &ports, &shell).unwrap();
        let config: toml::Table = std::fs::read_to_string(dir.join("config.toml"))
            .unwrap()
            .parse()
            .unwrap();
        assert!(config["patch"]["crates-io"].is_table());
    }

    #[test]
    fn the_table_is_relative_inside_the_workspace() {
        let ported = Ported {
            name: "mio".into(),
            version: semver::Version::new(1, 2, 0),
            dir: PathBuf::new(),
            input: String::new(),
            fresh: true,
            rules: Vec::new(),
        };
        let table = |dir: &str| {
            patch_table(
                Path::new(dir),
                Some(Path::new("/app")),
                std::slice::from_ref(&ported),
            )
        };
        assert_eq!(
            table("/app/vendor"),
            "[patch.crates-io]\nmio = { path = \"vendor/mio\" }\n"
        );
        assert_eq!(
            table("/else"),
            "[patch.crates-io]\nmio = { path = \"/else/mio\" }\n"
        );
    }
}
