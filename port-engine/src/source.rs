//! One port: its files, its rules and the versions that it covers.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use semver::{Op, Version, VersionReq};

use super::error::Result;
use super::format::{PortFile, SuiteFile, SuiteHead};
use super::library::Library;
use super::rules::{Action, Rule};
use super::support::Support;
use super::tree::read_tree;

/// The file in each port folder that holds the rules.
pub const PORT_FILE: &str = "port.toml";

/// The file in a port folder that says how the crate's own tests are run.
pub const SUITE_FILE: &str = "suite.toml";

/// The files of one port folder.
#[derive(Debug, Clone)]
pub struct PortSource {
    /// How errors name the folder.
    pub label: String,
    /// Contents by path relative to the folder, with `/`.
    pub files: BTreeMap<String, Cow<'static, [u8]>>,
}

impl PortSource {
    /// Reads the folder `dir`.
    ///
    /// # Errors
    /// A folder or file that cannot be read.
    pub fn from_dir(dir: &Path) -> Result<PortSource> {
        let files = read_tree(dir, |path| path == "target")?
            .into_iter()
            .map(|(path, bytes)| (path, Cow::Owned(bytes)))
            .collect();
        Ok(PortSource {
            label: dir.display().to_string(),
            files,
        })
    }

    /// The files that a rule names, by path: one, or all below a folder, which ends
    /// with `/`.
    pub(super) fn named<'a>(&'a self, path: &'a str) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        let is_named = move |file: &str| match path.ends_with('/') {
            true => file.starts_with(path),
            false => file == path,
        };
        self.files
            .iter()
            .filter(move |(file, _)| is_named(file))
            .map(|(file, bytes)| (file.as_str(), bytes.as_ref()))
    }

    /// The content of a file that a rule names.
    pub(super) fn file(&self, path: &str) -> anyhow::Result<&[u8]> {
        self.files
            .get(path)
            .map(|bytes| bytes.as_ref())
            .with_context(|| format!("{}: there is no file `{path}`", self.label))
    }
}

/// One port: the rules for one upstream crate.
#[derive(Debug, Clone)]
pub struct Port {
    pub(super) source: PortSource,
    pub(super) file: PortFile,
    /// The files with rules.
    pub(super) rule_files: Vec<&'static str>,
    /// Somebody named the crate; nobody looked at it.
    pub(super) made_by_name: bool,
}

impl Port {
    /// Parses the rules of a port folder.
    ///
    /// # Errors
    /// A missing or malformed `port.toml`, or a file that a rule names and that
    /// is not there. The error names file and key.
    pub fn load(source: &PortSource) -> Result<Port> {
        let named = || format!("{}/{PORT_FILE}", source.label);
        let text = std::str::from_utf8(source.file(PORT_FILE)?).with_context(named)?;
        let file = PortFile::parse(text).with_context(named)?;
        for rule in &file.rules {
            if let Some(from) = rule.action.source() {
                source
                    .named(from)
                    .next()
                    .with_context(|| format!("{}: there is no file `{from}`", source.label))
                    .with_context(|| format!("in rule `{}` of {}", rule.name, named()))?;
            }
        }
        Ok(Port {
            source: source.clone(),
            file,
            rule_files: vec![PORT_FILE],
            made_by_name: false,
        })
    }

    /// The crate's own tests, where `suite.toml` says how they are run: its head,
    /// and this port with the suite's rules added.
    ///
    /// # Errors
    /// As [`Port::load`].
    pub fn suite(&self) -> Result<Option<(SuiteHead, Port)>> {
        let Some(text) = self.source.files.get(SUITE_FILE) else {
            return Ok(None);
        };
        let named = || format!("{}/{SUITE_FILE}", self.source.label);
        let text = std::str::from_utf8(text).with_context(named)?;
        let suite = SuiteFile::parse(text).with_context(named)?;
        let mut port = self.clone();
        port.rule_files.push(SUITE_FILE);
        for rule in suite.rules {
            if self.file.rules.iter().any(|own| own.name == rule.name) {
                return Err(
                    anyhow!("{}: rule `{}` is in {PORT_FILE} too", named(), rule.name).into(),
                );
            }
            port.file.rules.push(rule);
        }
        Ok(Some((suite.suite, port)))
    }

    /// The files that porting to this or any version reads: those with rules, and
    /// those that rules name.
    pub fn inputs(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let named = self
            .file
            .rules
            .iter()
            .filter_map(|rule| rule.action.source());
        let all = self.rule_files.iter().copied().chain(named);
        all.flat_map(|path| self.source.named(path))
    }

    /// The folder, as errors name it.
    pub fn label(&self) -> &str {
        &self.source.label
    }

    /// The upstream crate's name.
    pub fn krate(&self) -> &str {
        &self.file.krate
    }

    /// Why the crate is ported, or why it needs no rules.
    pub fn why(&self) -> &str {
        &self.file.why
    }

    /// Whether this release works as published, so that nothing has to be replaced:
    /// the port has no rules at all, or covers the release and has none for it. Or it
    /// is a port by evidence, and there is none for this release.
    pub fn is_unchanged(&self, version: &Version) -> bool {
        if self.file.evidence.is_some() {
            return !self.supports(version);
        }
        self.file.rules.is_empty() || self.supports(version) && self.rules_for(version).is_empty()
    }

    /// Whether this release, ported, has the dependencies on the guest that upstream
    /// has on other systems.
    pub fn has_native_dependencies(&self, version: &Version) -> bool {
        self.file.native_dependencies && !self.is_unchanged(version)
    }

    /// Whether an app may use a release that the port does not cover: as published.
    pub fn is_optional(&self) -> bool {
        self.file.optional
    }

    /// The C library that this release binds to, where it is built before the app.
    pub fn library(&self, version: &Version) -> Option<&Library> {
        let library = self.file.library.as_ref();
        library.filter(|_| self.supports(version))
    }

    /// Whether this release gets the facade of the crate `name`.
    pub fn has_facade(&self, name: &str, version: &Version) -> bool {
        let rules = self.rules_for(version).into_iter();
        let mut facades = rules.filter_map(|rule| rule.action.facade());
        self.supports(version) && facades.any(|facade| facade == name)
    }

    /// Whether every build of this release, ported, has the support crate `package`.
    pub fn brings(&self, package: &str, version: &Version, support: &Support) -> bool {
        let rules = self.rules_for(version).into_iter();
        let mut crates = rules.filter_map(|rule| match &rule.action {
            Action::Facade(rule) => support.facade(&rule.facade).ok(),
            Action::Dependency(rule) if rule.version.is_none() => {
                (!rule.optional && !rule.dev).then_some(rule.krate.as_str())
            }
            _ => None,
        });
        self.supports(version) && crates.any(|krate| support.leads(krate, package))
    }

    /// Whether a facade of the crate `name` is all that this release gets.
    pub fn is_facade_alone(&self, name: &str, version: &Version) -> bool {
        self.has_facade(name, version) && self.rules_for(version).len() == 1
    }

    /// Whether the port covers this version. One that was made by name covers all, also
    /// pre-releases, which no requirement means that does not name them.
    pub fn supports(&self, version: &Version) -> bool {
        self.made_by_name || self.file.versions.iter().any(|req| req.matches(version))
    }

    /// The supported versions for people: `~1.51, ~1.52`.
    pub fn supported(&self) -> String {
        let all: Vec<String> = self.file.versions.iter().map(readable).collect();
        all.join(" or ")
    }

    /// The supported requirements, in the order of the file.
    pub fn requirements(&self) -> &[VersionReq] {
        &self.file.versions
    }

    /// The rules for `version`, in the order in which they are carried out.
    pub(super) fn rules_for(&self, version: &Version) -> Vec<&Rule> {
        let holds = |rule: &&Rule| {
            rule.versions
                .as_ref()
                .is_none_or(|req| req.matches(version))
        };
        let mut rules: Vec<&Rule> = self.file.rules.iter().filter(holds).collect();
        rules.sort_by_key(|rule| rule.action.stage());
        rules
    }
}

/// `>=1.51, <1.55` as cargo prints it, without the tilde of a bare minor.
fn readable(req: &VersionReq) -> String {
    match req.comparators.as_slice() {
        [one] if one.op == Op::Tilde && one.patch.is_none() => match one.minor {
            Some(minor) => format!("{}.{minor}.x", one.major),
            None => format!("{}.x", one.major),
        },
        _ => req.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(versions: &str) -> Port {
        let text = format!("[port]\ncrate = 'x'\nversions = {versions}\nwhy = 'w'\n");
        let files = [(PORT_FILE.to_string(), Cow::Owned(text.into_bytes()))];
        Port::load(&PortSource {
            label: "x".into(),
            files: files.into(),
        })
        .unwrap()
    }

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn a_list_of_minors_is_covered_and_read_as_such() {
        let port = port("['1.51', '1.52', '1.54']");
        assert!(port.supports(&version("1.52.4")) && !port.supports(&version("1.53.0")));
        assert_eq!(port.supported(), "1.51.x or 1.52.x or 1.54.x");
    }

    #[test]
    fn a_release_without_rules_of_its_own_is_left_as_published() {
        let none = port("['1.2']");
        assert!(none.is_unchanged(&version("1.2.0")) && none.is_unchanged(&version("9.0.0")));
        let text = "[port]\ncrate = 'x'\nversions = ['0.12', '0.13']\nwhy = 'w'\n[[rule]]\nname = 'a'\nwhy = 'w'\nversions = '<0.13'\nkind = 'facade'\nfacade = 'std'";
        let files = [(PORT_FILE.to_string(), Cow::Borrowed(text.as_bytes()))];
        let port = Port::load(&PortSource {
            label: "x".into(),
            files: files.into(),
        })
        .unwrap();
        assert!(port.is_unchanged(&version("0.13.1")));
        assert!(!port.is_unchanged(&version("0.12.1")));
        // Not covered: nobody looked whether it needs rules.
        assert!(!port.is_unchanged(&version("0.14.0")));
    }

    #[test]
    fn a_facade_alone_is_told_from_a_facade_among_other_rules() {
        let port = |more: &str| {
            let text = format!(
                "[port]\ncrate = 'x'\nversions = ['1.2']\nwhy = 'w'\n[[rule]]\nname = 'a'\nwhy = 'w'\nkind = 'facade'\nfacade = 'std'\n{more}"
            );
            let files = [(PORT_FILE.to_string(), Cow::Owned(text.into_bytes()))];
            Port::load(&PortSource {
                label: "x".into(),
                files: files.into(),
            })
            .unwrap()
        };
        let alone = port("");
        assert!(alone.is_facade_alone("std", &version("1.2.0")));
        assert!(!alone.is_facade_alone("libc", &version("1.2.0")));
        assert!(!alone.has_facade("std", &version("1.3.0")), "not covered");
        let among = port(
            "[[rule]]\nname = 'b'\nwhy = 'w'\nkind = 'dependency'\ncrate = 'y'\nversion = '1'\n",
        );
        assert!(among.has_facade("std", &version("1.2.0")));
        assert!(!among.is_facade_alone("std", &version("1.2.0")));
    }

    #[test]
    fn a_file_that_a_rule_names_must_be_there() {
        let text = "[port]\ncrate = 'x'\nversions = ['1.0']\nwhy = 'w'\n[[rule]]\nname = 'own'\nwhy = 'w'\nkind = 'own-file'\nfile = 'src/a.rs'\nfrom = 'overlay/a.rs'\nreplaces = false";
        let files = [(PORT_FILE.to_string(), Cow::Borrowed(text.as_bytes()))];
        let error = Port::load(&PortSource {
            label: "ports/x".into(),
            files: files.into(),
        })
        .unwrap_err();
        let super::super::error::Error::Other(error) = error else {
            panic!("{error:?}");
        };
        let text = format!("{error:#}");
        assert!(
            text.contains("overlay/a.rs") && text.contains("ports/x/port.toml"),
            "{text}"
        );
    }
}
