//! Has cargo build the facade before the user's subcommand, for packages that need it
//! and whose dependencies do not lead to it: cargo would compile them first.
//!
//! It has to be the facade that the subcommand's own build has. That is one of the
//! same profile, in a graph with the same features: so cargo is asked to build the
//! same packages, and of all their programs the one that only the facade has.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cargo_metadata::Message;

use super::rustc::{CRATE, variable};
use crate::build::lockfiles::{Lockfile, Lockfiles};
use crate::build::{Cargo, CargoInvocation};
use crate::error::Result;
use crate::fs::write_atomically;
use crate::process;
use crate::shell::Shell;
use crate::toolchain::rust::TARGET;

/// The program of the facade's package, and of no other.
pub(super) const ANCHOR: &str = "wasmedge_std_anchor";

/// Keys of a profile that are for some packages only.
const FOR_PACKAGES: [&str; 2] = ["package", "build-override"];

/// Where the facade comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A crate of the app's graph depends on it.
    Graph,
    /// Nothing does, so its types are nobody else's: it is built by itself. The path
    /// is its package's folder.
    Alone(PathBuf),
}

/// What the facade is built with.
#[derive(Debug)]
pub struct Prebuild<'a> {
    /// The real cargo.
    pub cargo: &'a Cargo,
    /// The user's subcommand.
    pub invocation: &'a CargoInvocation,
    /// The arguments that the subcommand gets in front.
    pub config: &'a [OsString],
    /// The private lockfiles.
    pub lockfiles: &'a mut Lockfiles,
    /// The folder of the workspace's root manifest.
    pub root: &'a Path,
    /// All members, as cargo's `-p` takes them.
    pub members: &'a [String],
    /// Those that are selected where the user selects none.
    pub default_members: &'a [String],
    /// Where cargo builds.
    pub target_dir: &'a Path,
    /// Our folder in it.
    pub state: &'a Path,
    /// Where commands are shown.
    pub shell: &'a Shell,
}

impl Prebuild<'_> {
    /// Builds it in each way in which the subcommand may need it, and gives the
    /// variables that say where it is.
    pub(super) fn run(
        &mut self,
        place: &Place,
        variables: &[(String, OsString)],
    ) -> Result<Vec<(String, OsString)>> {
        let mut built = Vec::new();
        for &checks in ways(&self.invocation.subcommand) {
            let stdout = match place {
                Place::Graph => self.in_graph(checks, variables)?,
                Place::Alone(folder) => self.alone(folder, checks, variables)?,
            };
            let path = artifact(&stdout)?.into_os_string();
            built.push((variable(checks).to_owned(), path));
        }
        Ok(built)
    }

    fn in_graph(&mut self, checks: bool, variables: &[(String, OsString)]) -> Result<Vec<u8>> {
        let mut command = self
            .cargo
            .nested(self.invocation, name(checks), self.config);
        command.args(self.arguments(self.invocation.needs_dev_dependencies()));
        command.args(self.invocation.feature_args());
        for package in self.selected() {
            command.args(["--package", &package]);
        }
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        command.env("CARGO_TERM_QUIET", "true");
        self.lockfiles
            .output(Lockfile::Ported, &mut command, self.shell)
    }

    fn alone(
        &self,
        facade: &Path,
        checks: bool,
        variables: &[(String, OsString)],
    ) -> Result<Vec<u8>> {
        let folder = self.state.join("facade");
        let root = std::fs::read_to_string(self.root.join("Cargo.toml"))
            .with_context(|| format!("cannot read {}/Cargo.toml", self.root.display()))?;
        let manifest = folder.join("Cargo.toml");
        write_atomically(&manifest, self::manifest(facade, &root)?.as_bytes())?;
        write_atomically(&folder.join("lib.rs"), b"")?;
        let mut invocation = self.invocation.clone();
        invocation.manifest_path = Some(manifest);
        invocation.target_dir = Some(self.target_dir.to_owned());
        let none: [&str; 0] = [];
        let mut command = self.cargo.nested(&invocation, name(checks), none);
        command.args(self.arguments(false));
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        command.env("CARGO_TERM_QUIET", "true");
        process::output(&mut command, self.shell)
    }

    fn arguments(&self, with_dev: bool) -> Vec<String> {
        let mut args: Vec<String> = ["--target", TARGET, "--package", CRATE]
            .map(str::to_owned)
            .into();
        // Tests bring the features of dev-dependencies in. An example does as well.
        let kind = if with_dev { "--example" } else { "--bin" };
        args.extend([kind.to_owned(), ANCHOR.to_owned()]);
        if let Some(profile) = self.invocation.profile() {
            args.extend(["--profile".to_owned(), profile.to_owned()]);
        }
        args.push("--message-format=json-render-diagnostics".to_owned());
        args
    }

    /// The packages that the subcommand selects.
    pub(super) fn selected(&self) -> Vec<String> {
        let mut packages = Vec::new();
        let mut excluded = Vec::new();
        let mut all = false;
        let mut words = self.invocation.selection.iter();
        while let Some(word) = words.next() {
            match word.to_str() {
                Some("--workspace") => all = true,
                Some("--exclude") => excluded.extend(words.next()),
                _ => packages.extend(words.next().map(|word| word.to_string_lossy().into_owned())),
            }
        }
        let is_excluded = |member: &&String| {
            let name = member.split('@').next();
            excluded.iter().any(|excluded| excluded.to_str() == name)
        };
        match (all, packages.is_empty()) {
            (true, _) => {
                let members = self.members.iter();
                members
                    .filter(|member| !is_excluded(member))
                    .cloned()
                    .collect()
            }
            (false, true) => self.default_members.to_vec(),
            (false, false) => packages,
        }
    }
}

pub(super) fn name(checks: bool) -> &'static str {
    match checks {
        true => "check",
        false => "build",
    }
}

/// Whether a subcommand checks, builds, or may do either.
pub(super) fn ways(subcommand: &str) -> &'static [bool] {
    match subcommand {
        "c" | "check" | "clippy" | "d" | "doc" | "fix" => &[true],
        "b" | "bench" | "build" | "nextest" | "r" | "run" | "rustc" | "t" | "test" => &[false],
        _ => &[false, true],
    }
}

/// A package that depends on the facade and on nothing else, with the profiles of
/// the workspace: a library can only be linked into what was compiled like it.
fn manifest(facade: &Path, root: &str) -> Result<String> {
    let root: toml::Table = root.parse().context("cannot read the root manifest")?;
    let mut text = format!(
        "# Made by cargo-wasmedge: builds the std facade.\n\
         [package]\nname = \"wasmedge-facade\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n\
         [lib]\npath = \"lib.rs\"\n\n\
         [dependencies]\n{CRATE} = {{ path = {} }}\n\n[workspace]\n",
        toml::Value::from(facade.to_string_lossy().into_owned())
    );
    if let Some(toml::Value::Table(profiles)) = root.get("profile") {
        let mut profiles = profiles.clone();
        for (_, profile) in &mut profiles {
            if let Some(profile) = profile.as_table_mut() {
                profile.retain(|key, _| !FOR_PACKAGES.contains(&key));
            }
        }
        let table = toml::Table::from_iter([("profile".to_owned(), profiles.into())]);
        text += &format!("\n{table}");
    }
    Ok(text)
}

/// The facade among what cargo says it made, without the extension.
fn artifact(stdout: &[u8]) -> Result<PathBuf> {
    for message in Message::parse_stream(stdout) {
        if let Message::CompilerArtifact(artifact) =
            message.context("cannot read what cargo says it built")?
            && artifact.target.name == CRATE
            && let Some(file) = artifact.filenames.first()
        {
            return Ok(file.with_extension("").into_std_path_buf());
        }
    }
    Err(anyhow::anyhow!("cargo does not say where it built {CRATE}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_facade_alone_has_the_profiles_of_the_workspace() {
        let root = "[package]\nname = \"app\"\n\
                    [profile.release]\nlto = true\nopt-level = \"z\"\n\
                    [profile.release.package.app]\nopt-level = 0\n\
                    [profile.dist]\ninherits = \"release\"\n";
        let text = manifest(Path::new("/a \"b\"/std"), root).unwrap();
        let parsed: toml::Table = text.parse().unwrap();
        assert_eq!(
            parsed["dependencies"][CRATE]["path"].as_str(),
            Some("/a \"b\"/std")
        );
        let release = parsed["profile"]["release"].as_table().unwrap();
        assert_eq!(release["lto"].as_bool(), Some(true));
        assert_eq!(release["opt-level"].as_str(), Some("z"));
        assert!(!release.contains_key("package"), "no such package there");
        let dist = &parsed["profile"]["dist"]["inherits"];
        assert_eq!(dist.as_str(), Some("release"));
    }
}
