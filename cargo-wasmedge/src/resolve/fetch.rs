//! Upstream crates from the registry, through cargo: the user's configuration
//! (registries, proxies, offline) holds, and nothing but cargo knows how a
//! registry is asked.
//!
//! A throw-away package that depends on the one crate is resolved from the
//! current folder. How that ends is read from cargo's exit status, its JSON and
//! its lockfile, never from its messages.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, anyhow};
use semver::{Version, VersionReq};
use tempfile::TempDir;

use super::app::parse;
use crate::error::Result;
use crate::port::{Upstream, checksum_in_lock};
use crate::toolchain::rust::TARGET;

/// Makes a command that starts cargo, with no arguments yet.
pub type StartCargo<'a> = &'a dyn Fn() -> Command;

/// The newest release that meets `requirement`; `None`: there is none.
///
/// # Errors
/// cargo cannot be started, or does not get as far as the releases: without a
/// network, for one. Its own message is in the error.
pub fn newest_release(
    cargo: StartCargo<'_>,
    name: &str,
    requirement: &VersionReq,
    offline: bool,
) -> Result<Option<Version>> {
    let probe = Probe::new([ProbeDependency::plain(name, requirement)])?;
    let output = probe.generate_lockfile(cargo, offline)?;
    if output.status.success() {
        return Ok(Some(probe.locked(name, requirement)?));
    }
    // The same with nothing but the requirement left out: if that resolves, it is
    // the requirement that no release meets.
    let any = Probe::new([ProbeDependency::plain(name, &VersionReq::STAR)])?;
    if any.generate_lockfile(cargo, offline)?.status.success() {
        return Ok(None);
    }
    Err(said(&output)
        .context(format!("cannot find a release of {name} {requirement}"))
        .into())
}

/// Has cargo fetch the newest release that meets `requirement`.
///
/// # Errors
/// cargo cannot be started, or finds no such release. Its own message is in the error.
pub fn fetch(
    cargo: StartCargo<'_>,
    name: &str,
    requirement: &VersionReq,
    offline: bool,
) -> Result<Upstream> {
    let probe = Probe::new([ProbeDependency::plain(name, requirement)])?;
    // Only what this platform needs has to be downloaded.
    let more = ["--format-version", "1", "--filter-platform", TARGET];
    let output = probe.run(cargo, "metadata", offline, &more)?;
    if !output.status.success() {
        return Err(said(&output)
            .context(format!("cargo cannot fetch {name} {requirement}"))
            .into());
    }
    let metadata = parse(&output.stdout)?;
    let package = metadata
        .packages
        .iter()
        .filter(|package| {
            // A package without a source is a folder that the user's configuration
            // puts in the place of the crate, such as an earlier ported copy.
            package.source.is_some()
                && package.name.as_str() == name
                && requirement.matches(&package.version)
        })
        .max_by_key(|package| &package.version)
        .ok_or_else(|| not_from_a_registry(name, requirement))?;
    let checksum = checksum_in_lock(&probe.lock()?, name, &package.version)?;
    Ok(Upstream::from_package(package, checksum))
}

/// The package in a folder, as it is.
///
/// # Errors
/// cargo cannot be started, or finds no package there. Its own message is in the error.
pub fn in_folder(cargo: StartCargo<'_>, folder: &Path) -> Result<Upstream> {
    let manifest = folder.join("Cargo.toml");
    let mut command = cargo();
    command
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .arg("--manifest-path")
        .arg(&manifest)
        .stdin(Stdio::null());
    let output = command.output().context("cannot start cargo")?;
    let named = || format!("cannot read the package in {}", folder.display());
    if !output.status.success() {
        return Err(said(&output).context(named()).into());
    }
    let manifest = manifest.canonicalize().with_context(named)?;
    let metadata = parse(&output.stdout)?;
    let is_it = |package: &&cargo_metadata::Package| {
        let path = package.manifest_path.canonicalize();
        path.is_ok_and(|path| path == manifest)
    };
    let package = metadata.packages.iter().find(is_it);
    let package = package
        .context("its manifest has no package")
        .with_context(named)?;
    Ok(Upstream::from_package(package, None))
}

/// cargo's message, as an error.
fn said(output: &Output) -> anyhow::Error {
    anyhow!("{}", String::from_utf8_lossy(&output.stderr).trim_end())
}

fn not_from_a_registry(name: &str, requirement: &VersionReq) -> anyhow::Error {
    anyhow!("cargo found no {name} {requirement} in a registry")
}

/// A dependency of a throw-away package.
#[derive(Debug, Clone)]
pub(super) struct ProbeDependency {
    pub(super) name: String,
    pub(super) req: VersionReq,
    pub(super) default_features: bool,
    pub(super) features: Vec<String>,
}

impl ProbeDependency {
    /// The crate without any features.
    pub(super) fn plain(name: &str, req: &VersionReq) -> ProbeDependency {
        ProbeDependency {
            name: name.to_owned(),
            req: req.clone(),
            default_features: false,
            features: Vec::new(),
        }
    }
}

/// The throw-away package.
pub(super) struct Probe {
    folder: TempDir,
}

impl Probe {
    pub(super) fn new(dependencies: impl IntoIterator<Item = ProbeDependency>) -> Result<Probe> {
        let folder = tempfile::tempdir().context("cannot create a temporary folder")?;
        let mut document: toml::Table = toml::from_str(
            "[package]\nname = \"wasmedge-port-fetch\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\
             [lib]\npath = \"lib.rs\"\n[workspace]\n[dependencies]\n",
        )
        .map_err(anyhow::Error::from)?;
        for dependency in dependencies {
            let mut keys = toml::Table::new();
            keys.insert("version".into(), dependency.req.to_string().into());
            let default_features = dependency.default_features;
            keys.insert("default-features".into(), default_features.into());
            keys.insert("features".into(), dependency.features.into());
            if let Some(toml::Value::Table(table)) = document.get_mut("dependencies") {
                table.insert(dependency.name, keys.into());
            }
        }
        std::fs::write(folder.path().join("Cargo.toml"), document.to_string())?;
        std::fs::write(folder.path().join("lib.rs"), "")?;
        Ok(Probe { folder })
    }

    fn manifest(&self) -> PathBuf {
        self.folder.path().join("Cargo.toml")
    }

    /// Resolves it. What cargo says is in the output.
    pub(super) fn generate_lockfile(&self, cargo: StartCargo<'_>, offline: bool) -> Result<Output> {
        self.run(cargo, "generate-lockfile", offline, &[])
    }

    fn run(
        &self,
        cargo: StartCargo<'_>,
        subcommand: &str,
        offline: bool,
        more: &[&str],
    ) -> Result<Output> {
        let mut command = cargo();
        command
            .arg(subcommand)
            .arg("--manifest-path")
            .arg(self.manifest())
            .args(offline.then_some("--offline"))
            .args(more)
            .stdin(Stdio::null());
        let program = command.get_program().to_string_lossy().into_owned();
        let output = command.output();
        Ok(output.with_context(|| format!("cannot start {program}"))?)
    }

    fn lock(&self) -> Result<String> {
        let lock = std::fs::read_to_string(self.folder.path().join("Cargo.lock"));
        Ok(lock.context("cannot read the lockfile of the fetch")?)
    }

    /// The releases that cargo locked, of crates from a registry.
    pub(super) fn locked_packages(&self) -> Result<Vec<(String, Version)>> {
        #[derive(serde::Deserialize)]
        struct Lock {
            #[serde(default)]
            package: Vec<Package>,
        }
        #[derive(serde::Deserialize)]
        struct Package {
            name: String,
            version: Version,
            source: Option<String>,
        }
        let lock: Lock =
            toml::from_str(&self.lock()?).context("cannot read the lockfile of the fetch")?;
        let packages = lock.package.into_iter();
        Ok(packages
            .filter(|package| package.source.is_some())
            .map(|package| (package.name, package.version))
            .collect())
    }

    /// The release of one crate that cargo locked.
    fn locked(&self, name: &str, requirement: &VersionReq) -> Result<Version> {
        let found = self.locked_packages()?.into_iter();
        let version = found
            .filter(|(krate, version)| krate == name && requirement.matches(version))
            .map(|(_, version)| version)
            .max();
        Ok(version.ok_or_else(|| not_from_a_registry(name, requirement))?)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// A cargo that knows one release, 1.51.3, and says everything in German.
    const GERMAN: &str = r#"
        manifest=$3
        if grep -q '"\*"' "$manifest" || grep -q '1\.51' "$manifest"; then
            printf '[[package]]\nname = "tokio"\nversion = "1.51.3"\nsource = "a registry"\n' \
                > "${manifest%.toml}.lock"
        else
            echo 'Fehler: keine passende Version' >&2
            exit 101
        fi"#;

    fn newest(script: &str, requirement: &str) -> Result<Option<Version>> {
        let start = || {
            let mut command = Command::new("sh");
            command.args(["-c", script, "cargo"]);
            command
        };
        newest_release(&start, "tokio", &requirement.parse().unwrap(), false)
    }

    #[test]
    fn the_locked_release_is_the_newest() {
        let found = newest(GERMAN, "~1.51").unwrap();
        assert_eq!(found, Some(Version::new(1, 51, 3)));
    }

    #[test]
    fn that_no_release_meets_a_requirement_is_no_failure_whatever_cargo_says() {
        assert_eq!(newest(GERMAN, "=1.40.0").unwrap(), None);
    }

    #[test]
    fn a_failing_cargo_is_one_even_if_it_speaks_of_versions() {
        let script = "echo 'error: failed to select a version, no network' >&2; exit 101";
        let error = newest(script, "~1.51").unwrap_err();
        let crate::error::Error::Other(error) = error else {
            panic!("{error}");
        };
        let text = format!("{error:#}");
        assert!(
            text.contains("cannot find a release of tokio ~1.51"),
            "{text}"
        );
        assert!(text.contains("no network"), "{text}");
    }

    #[test]
    fn a_copy_from_a_folder_is_no_release() {
        let script =
            r#"printf '[[package]]\nname = "tokio"\nversion = "1.51.3"\n' > "${3%.toml}.lock""#;
        let error = newest(script, "~1.51").unwrap_err();
        assert!(error.to_string().contains("in a registry"), "{error}");
    }
}
