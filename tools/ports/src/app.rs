//! The app that depends on one release, and its build.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use semver::Version;
use serde::Deserialize;
use tools_common::{Repo, Tools};

/// What an app takes of a crate: an entry of features.toml.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Wanted {
    #[serde(default)]
    features: Vec<String>,
    default_features: Option<bool>,
    /// Further sets of features, each without the default ones: what apps take that do not
    /// take all. The newest release is built with them.
    #[serde(default)]
    also: Vec<Vec<String>>,
    /// Further dependencies, with their requirements.
    #[serde(default)]
    with: BTreeMap<String, String>,
}

/// The entries of features.toml, by crate.
pub(crate) fn wanted() -> Result<BTreeMap<String, Wanted>> {
    toml::from_str(include_str!("../features.toml")).context("tools/ports/features.toml")
}

/// Makes apps and builds them, all in one target folder.
pub(crate) struct Apps<'a> {
    tools: &'a Tools,
    folder: PathBuf,
    wanted: BTreeMap<String, Wanted>,
}

impl<'a> Apps<'a> {
    pub(crate) fn new(repo: &Repo, tools: &'a Tools) -> Result<Apps<'a>> {
        Ok(Apps {
            tools,
            folder: repo.target.join("ports"),
            wanted: wanted()?,
        })
    }

    /// The further sets of features that the newest release of a crate is built with.
    pub(crate) fn also(&self, name: &str) -> &[Vec<String>] {
        self.wanted.get(name).map_or(&[], |wanted| &wanted.also)
    }

    /// Ports and builds a release with the features that are wanted, or with one of the
    /// further sets. Gives what was used, the ported crate or the published
    /// one, or what is wrong: cargo's first error.
    ///
    /// # Errors
    /// The app cannot be written, or the command not be started.
    pub(crate) fn build(
        &self,
        name: &str,
        version: &Version,
        features: Option<&[String]>,
    ) -> Result<Result<Used, String>> {
        let mut wanted = self.wanted.get(name).cloned().unwrap_or_default();
        let mut release = format!("{name}-{version}");
        if let Some(features) = features {
            wanted.features = features.to_vec();
            wanted.default_features = Some(false);
            release = format!("{release}-{}", features.join("-"));
        }
        let app = self.folder.join("apps").join(&release);
        fs::create_dir_all(app.join("src"))
            .with_context(|| format!("cannot make {}", app.display()))?;
        fs::write(app.join("Cargo.toml"), manifest(name, version, &wanted))?;
        fs::write(app.join("src/main.rs"), "fn main() {}\n")?;
        // Each time the newest of everything else.
        let _ = fs::remove_file(app.join("Cargo.lock"));
        let target = self.folder.join("target");
        // What is kept there is of the app before.
        let _ = fs::remove_dir_all(target.join("wasmedge"));
        let output = self
            .tools
            .cargo_wasmedge(self.tools.newest())
            .args(["check", "--color=never"])
            .current_dir(&app)
            .env("CARGO_TARGET_DIR", &target)
            .output()
            .context("cannot start cargo wasmedge")?;
        let said = String::from_utf8_lossy(&output.stderr);
        let logs = self.folder.join("logs");
        fs::create_dir_all(&logs)?;
        fs::write(logs.join(&release), said.as_bytes())?;
        if !output.status.success() {
            return Ok(Err(first_error(&said)));
        }
        self.used(&app, &target, name).map(Ok)
    }

    /// What an app that was built uses: a ported crate has no registry.
    fn used(&self, app: &Path, target: &Path, name: &str) -> Result<Used> {
        let output = self
            .tools
            .cargo_wasmedge(self.tools.newest())
            .args(["metadata", "--format-version=1"])
            .current_dir(app)
            .env("CARGO_TARGET_DIR", target)
            .output()
            .context("cannot start cargo wasmedge")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{said}");
        let metadata = cargo_metadata::MetadataCommand::parse(String::from_utf8(output.stdout)?)?;
        let mut packages = metadata.packages.iter();
        let package = packages.find(|package| package.name == name);
        let package = package.with_context(|| format!("the app does not have {name}"))?;
        Ok(match package.source {
            None => Used::Ported,
            Some(_) => Used::AsPublished,
        })
    }
}

/// What a build used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Used {
    /// The release with its port.
    Ported,
    /// The release as it is: its port changes nothing.
    AsPublished,
}

/// The app's manifest.
fn manifest(name: &str, version: &Version, wanted: &Wanted) -> String {
    let mut dependency = toml::Table::new();
    dependency.insert("version".into(), format!("={version}").into());
    dependency.insert("features".into(), wanted.features.clone().into());
    if let Some(on) = wanted.default_features {
        dependency.insert("default-features".into(), on.into());
    }
    let mut dependencies = toml::Table::new();
    dependencies.insert(name.into(), dependency.into());
    for (name, requirement) in &wanted.with {
        dependencies.insert(name.clone(), requirement.clone().into());
    }
    let mut document = toml::Table::new();
    document.insert("dependencies".into(), dependencies.into());
    format!(
        "[package]\nname = \"app\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n{document}"
    )
}

fn first_error(said: &str) -> String {
    let is_error = |line: &&str| line.starts_with("error");
    let line = said.lines().find(is_error).or(said.lines().last());
    line.unwrap_or("failed, and said nothing").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_app_takes_exactly_that_release() {
        let wanted: Wanted =
            toml::from_str("features = ['net']\ndefault-features = false\nwith = { log = '0.4' }")
                .unwrap();
        let text = manifest("pond", &Version::new(1, 2, 3), &wanted);
        let manifest: toml::Table = text.parse().unwrap();
        let pond = &manifest["dependencies"]["pond"];
        assert_eq!(pond["version"].as_str(), Some("=1.2.3"));
        assert_eq!(pond["features"][0].as_str(), Some("net"));
        assert_eq!(pond["default-features"].as_bool(), Some(false));
        assert_eq!(manifest["dependencies"]["log"].as_str(), Some("0.4"));
    }

    #[test]
    fn every_entry_is_of_a_port() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let ports = cargo_wasmedge::port::Ports::from_dir(&root).unwrap();
        for name in wanted().unwrap().keys() {
            assert!(ports.get(name).is_some(), "{name}");
        }
    }

    #[test]
    fn the_first_error_is_told() {
        let said = "   Compiling a\nerror[E0432]: unresolved import `web_sys`\nerror: aborting";
        assert_eq!(
            first_error(said),
            "error[E0432]: unresolved import `web_sys`"
        );
        assert_eq!(first_error("killed"), "killed");
    }
}
