//! `[library]` of a `port.toml`: the C library that a crate binds to. Whoever builds
//! the app builds the library first, from sources that a published crate carries.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use semver::VersionReq;
use serde::{Deserialize, Serialize};

use super::matches::requirement;

/// What [`Library::steps`] and [`Library::variables`] have for the folder that the
/// library is put into.
pub const OUT: &str = "{out}";

/// What [`Library::steps`] have for the number of jobs.
pub const JOBS: &str = "{jobs}";

/// How a C library is built for the guest.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Library {
    /// Its name, for people.
    pub name: String,
    /// Why it is built.
    pub why: String,
    /// The published crate that carries its sources.
    pub source: String,
    /// The releases of that crate that the steps are for.
    pub version: VersionReq,
    /// The folder of the sources in it.
    pub folder: String,
    /// Programs of the machine that the steps start.
    pub programs: Vec<String>,
    /// Commands, a list of words each, run in a copy of the sources.
    pub steps: Vec<Vec<String>>,
    /// Files below [`OUT`] that are there when the steps are done.
    pub makes: Vec<String>,
    /// Variables by which the crate's build script is told.
    pub variables: BTreeMap<String, String>,
    /// Variables by which users tell it of a library of their own: nothing is built
    /// where one of them is set.
    pub users: Vec<String>,
}

/// The text of the table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct LibraryText {
    name: String,
    why: String,
    source: String,
    version: String,
    folder: String,
    programs: Vec<String>,
    steps: Vec<Vec<String>>,
    makes: Vec<String>,
    variables: BTreeMap<String, String>,
    users: Vec<String>,
}

impl LibraryText {
    pub(super) fn checked(self) -> anyhow::Result<Library> {
        self.library().context("in [library]")
    }

    fn library(self) -> anyhow::Result<Library> {
        ensure!(!self.why.trim().is_empty(), "`why` is empty");
        ensure!(!self.steps.is_empty(), "`steps` is empty");
        ensure!(!self.makes.is_empty(), "`makes` is empty");
        for step in &self.steps {
            let program = step.first().context("a step without a program")?;
            ensure!(
                self.programs.contains(program),
                "`{program}` is not one of `programs`"
            );
        }
        for path in self.makes.iter().chain([&self.folder]) {
            let leads_out = path.split('/').any(|part| part == "..");
            ensure!(
                !leads_out && !path.starts_with('/'),
                "`{path}` leads out of its folder"
            );
        }
        ensure!(
            self.variables.values().any(|value| value.contains(OUT)),
            "no value in `variables` has `{OUT}`"
        );
        Ok(Library {
            name: self.name,
            why: self.why,
            source: self.source,
            version: requirement(&self.version).context("in the key `version`")?,
            folder: self.folder,
            programs: self.programs,
            steps: self.steps,
            makes: self.makes,
            variables: self.variables,
            users: self.users,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(change: &str, to: &str) -> Result<Library, String> {
        let text = r#"
            name = "Pond"
            why = "pond-sys binds to it."
            source = "pond-src"
            version = "3"
            folder = "pond"
            programs = ["make"]
            steps = [["make", "-j{jobs}", "install", "DESTDIR={out}"]]
            makes = ["usr/lib/libpond.a"]
            variables = { POND_DIR = "{out}/usr" }
            users = ["POND_DIR"]
        "#;
        assert!(text.contains(change), "{change}");
        let text: LibraryText =
            toml::from_str(&text.replace(change, to)).map_err(|e| e.to_string())?;
        text.checked().map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_table_is_read_and_what_cannot_be_carried_out_is_refused() {
        let library = read("Pond", "Pond").unwrap();
        assert_eq!(library.variables["POND_DIR"], "{out}/usr");
        assert!(library.version.matches(&semver::Version::new(3, 1, 0)));
        for (change, to, said) in [
            (
                "[\"make\"]",
                "[\"perl\"]",
                "`make` is not one of `programs`",
            ),
            ("\"usr/lib", "\"../lib", "leads out"),
            ("\"pond\"", "\"/pond\"", "leads out"),
            ("{out}/usr", "/usr", "`{out}`"),
            ("\"3\"", "\"three\"", "key `version`"),
            ("users", "user", "unknown field"),
        ] {
            let error = read(change, to).unwrap_err();
            assert!(error.contains(said), "{change}: {error}");
        }
    }
}
