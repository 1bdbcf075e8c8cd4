//! The user's workspace, as cargo sees it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cargo_metadata::{Metadata, Package};
use sha2::{Digest as _, Sha256};

use super::evidence::SETTING;
use crate::build::{Cargo, CargoInvocation};
use crate::config::{self, Config, Layer, UnknownKey};
use crate::embedded;
use crate::error::Result;
use crate::port::Ports;
use crate::process;
use crate::shell::Shell;

/// A workspace.
#[derive(Debug, Clone)]
pub struct App {
    /// The folder of its root manifest.
    pub root: PathBuf,
    /// Where cargo builds.
    pub target_dir: PathBuf,
    /// Its members, as `cargo metadata --no-deps` lists them.
    pub members: Vec<Package>,
    /// The members that cargo takes where the user selects none, as its `-p` takes them.
    pub default_members: Vec<String>,
    /// The package whose settings hold before anything runs: the root package,
    /// or the one that the working directory is in.
    current: Option<PathBuf>,
}

impl App {
    /// Asks cargo. Reads no lockfile and writes nothing.
    ///
    /// # Errors
    /// [`process::Failed`] when cargo finds no valid manifest.
    pub fn find(cargo: &Cargo, invocation: &CargoInvocation, shell: &Shell) -> Result<App> {
        let mut command = cargo.nested(invocation, "metadata", ["--format-version=1", "--no-deps"]);
        let metadata = parse(&process::output(&mut command, shell)?)?;
        let cwd = std::env::current_dir()?;
        let folder = |package: &Package| Some(package.manifest_path.parent()?.to_owned());
        let default_members = metadata.workspace_default_packages();
        let default_members = default_members.into_iter().map(spec).collect();
        let current = metadata
            .packages
            .iter()
            .filter_map(folder)
            .filter(|folder| cwd.starts_with(folder) || *folder == metadata.workspace_root)
            .max_by_key(|folder| folder.as_str().len())
            .map(|folder| folder.into_std_path_buf());
        Ok(App {
            root: metadata.workspace_root.into_std_path_buf(),
            target_dir: metadata.target_directory.into_std_path_buf(),
            members: metadata.packages,
            default_members,
            current,
        })
    }

    /// The folder for what we keep of this workspace, and of no other: several may
    /// share a target folder. `cargo clean` deletes it.
    pub fn state_dir(&self) -> PathBuf {
        let plain = |c: char| match c.is_ascii_alphanumeric() || "-_.".contains(c) {
            true => c,
            // It may become a part of `PATH`.
            false => '-',
        };
        let name = self.root.file_name().unwrap_or_default().to_string_lossy();
        let name: String = name.chars().map(plain).collect();
        let hash = Sha256::digest(self.root.as_os_str().as_encoded_bytes());
        let hash = format!("{hash:x}");
        let folder = format!("{name}-{}", &hash[..8]);
        self.shared_dir().join(folder)
    }

    /// The folder for what is alike in all workspaces that share a target folder. cargo
    /// builds everything anew for another path of the linker.
    pub fn shared_dir(&self) -> PathBuf {
        self.target_dir.join("wasmedge")
    }

    /// The settings before anything runs, with the command's own `flags` above all
    /// others.
    ///
    /// # Errors
    /// A setting of the wrong form.
    pub fn config(&self, flags: Layer) -> Result<Config> {
        Config::for_package_with(flags, Some(self.current.as_deref().unwrap_or(&self.root)))
    }

    /// The members, as cargo's `-p` takes them.
    pub fn member_specs(&self) -> Vec<String> {
        self.members.iter().map(spec).collect()
    }

    /// The ports for the app: ours, and those that its setting `std-facade` asks for.
    ///
    /// # Errors
    /// A name in that setting, or in `browser-gates`, that no crate can have.
    pub fn ports(&self, config: &Config) -> Result<Ports> {
        embedded::check_names(SETTING, &config.browser_gates)?;
        embedded::ports_with_std_facade(&config.std_facade)
    }

    /// The unknown keys in all manifests of the workspace.
    ///
    /// # Errors
    /// A manifest that cannot be read, a setting of the wrong form.
    pub fn unknown_keys(&self) -> Result<Vec<UnknownKey>> {
        let root = self.root.join("Cargo.toml");
        let mut places = vec![(root, "workspace")];
        for member in &self.members {
            places.push((member.manifest_path.clone().into_std_path_buf(), "package"));
        }
        let mut unknown = Vec::new();
        for (manifest, table) in places {
            let text = std::fs::read_to_string(&manifest)
                .with_context(|| format!("cannot read {}", manifest.display()))?;
            // A cheap look first: most members have no settings.
            if text.contains(config::TABLE) {
                unknown.extend(Layer::from_manifest(&text, table, &manifest)?.1);
            }
        }
        Ok(unknown)
    }
}

/// A package as cargo's `-p` takes it, whatever others of its name there are.
fn spec(package: &Package) -> String {
    format!("{}@{}", package.name, package.version)
}

/// Reads the output of `cargo metadata`.
pub(super) fn parse(json: &[u8]) -> Result<Metadata> {
    Ok(serde_json::from_slice(json).context("cannot read the output of `cargo metadata`")?)
}

/// A path as a message shows it: relative to the working directory where it is inside.
pub(super) fn shown(path: &Path) -> String {
    let cwd = std::env::current_dir().unwrap_or_default();
    match path.strip_prefix(&cwd) {
        Ok(inner) if !inner.as_os_str().is_empty() => inner.display().to_string(),
        _ => path.display().to_string(),
    }
}
