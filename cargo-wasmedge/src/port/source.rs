//! Ports: where they come from and which versions they support.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use semver::{Comparator, Op, Version, VersionReq};

use super::rules::{PortFile, Rule, SuiteFile, SuiteHead};
use crate::error::Result;

/// The file in each port folder that holds the rules.
pub const PORT_FILE: &str = "port.toml";

/// The file in a port folder that says how the crate's own tests are run.
pub const SUITE_FILE: &str = "suite.toml";

/// Folders of the repository that are ports, besides all of `ports/*`.
const FOLDERS: [&str; 4] = ["mio-wasi", "tokio", "tokio-macros", "tokio-util"];
const NEIGHBOURS: &str = "ports";

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
        let files = super::write::read_tree(dir, |path| path == "target")?
            .into_iter()
            .map(|(path, bytes)| (path, Cow::Owned(bytes)))
            .collect();
        Ok(PortSource {
            label: dir.display().to_string(),
            files,
        })
    }

    /// The content of a file that a rule names.
    pub(crate) fn file(&self, path: &str) -> anyhow::Result<&[u8]> {
        self.files
            .get(path)
            .map(|bytes| bytes.as_ref())
            .with_context(|| format!("{}: there is no file `{path}`", self.label))
    }
}

/// One port: the rules for one upstream crate.
#[derive(Debug, Clone)]
pub struct Port {
    pub(crate) source: PortSource,
    pub(crate) file: PortFile,
    /// The files with rules.
    pub(crate) rule_files: Vec<&'static str>,
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
                    .file(from)
                    .with_context(|| format!("in rule `{}` of {}", rule.name, named()))?;
            }
        }
        Ok(Port {
            source: source.clone(),
            file,
            rule_files: vec![PORT_FILE],
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
    /// the port has no rules at all, or covers the release and has none for it.
    pub fn is_unchanged(&self, version: &Version) -> bool {
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

    /// Whether the port covers this version.
    pub fn supports(&self, version: &Version) -> bool {
        self.file.versions.iter().any(|req| req.matches(version))
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

    /// The requirement of the supported minor release that is nearest to `version`:
    /// of two equally near ones the newer.
    pub fn nearest(&self, version: &Version) -> VersionReq {
        let minor = |major: u64, minor: u64| i128::from(major) * 1_000_000_000 + i128::from(minor);
        let asked = minor(version.major, version.minor);
        let mut best: Option<(i128, i128, VersionReq)> = None;
        for req in &self.file.versions {
            let (low, high) = minors(req);
            let low_at = minor(low.0, low.1);
            let near = match high {
                Some(high) if asked > minor(high.0, high.1) => high,
                // Without an upper bound everything from `low` on is inside.
                _ if asked >= low_at => (version.major, version.minor),
                _ => low,
            };
            let at = minor(near.0, near.1);
            let candidate = (-(at - asked).abs(), at);
            if best.as_ref().is_none_or(|(d, a, _)| candidate > (*d, *a)) {
                let mut narrowed = req.clone();
                let tilde = Comparator {
                    op: Op::Tilde,
                    major: near.0,
                    minor: Some(near.1),
                    patch: None,
                    pre: semver::Prerelease::EMPTY,
                };
                if !narrowed.comparators.contains(&tilde) {
                    narrowed.comparators.insert(0, tilde);
                }
                best = Some((candidate.0, candidate.1, narrowed));
            }
        }
        best.map_or(VersionReq::STAR, |(_, _, req)| req)
    }

    /// The rules for `version`, in the order in which they are carried out.
    pub(crate) fn rules_for(&self, version: &Version) -> Vec<&Rule> {
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

type Minor = (u64, u64);

/// The first minor of a requirement, and the last where there is one.
fn minors(req: &VersionReq) -> (Minor, Option<Minor>) {
    let mut low = (0, 0);
    let mut high: Option<Minor> = None;
    for each in &req.comparators {
        let at = (each.major, each.minor.unwrap_or(0));
        // The minor in front of an upper bound that excludes `at` itself.
        let before = |at: Minor| match at {
            (0, 0) => (0, 0),
            (major, 0) => (major - 1, u64::MAX >> 32),
            (major, minor) => (major, minor - 1),
        };
        let (from, to) = match each.op {
            Op::Exact | Op::Tilde | Op::Wildcard => {
                let whole_major = each.minor.is_none();
                (
                    Some(at),
                    Some(if whole_major {
                        (at.0, u64::MAX >> 32)
                    } else {
                        at
                    }),
                )
            }
            Op::Greater | Op::GreaterEq => (Some(at), None),
            Op::Less if each.patch.unwrap_or(0) == 0 => (None, Some(before(at))),
            Op::Less | Op::LessEq => (None, Some(at)),
            Op::Caret if at.0 == 0 => (Some(at), Some(at)),
            Op::Caret => (Some(at), Some((at.0, u64::MAX >> 32))),
            _ => (None, None),
        };
        low = from.map_or(low, |from| low.max(from));
        high = match (high, to) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
    (low, high)
}

/// All ports, by the name of the upstream crate.
#[derive(Debug, Clone, Default)]
pub struct Ports {
    by_crate: BTreeMap<String, Port>,
}

impl Ports {
    /// The ports that the binary carries.
    ///
    /// # Errors
    /// A malformed port; the tests exclude that for a release.
    pub fn embedded() -> Result<Ports> {
        let mut folders: BTreeMap<String, PortSource> = BTreeMap::new();
        for (path, bytes) in crate::embedded::files() {
            let Some((folder, inner)) = port_folder(path) else {
                continue;
            };
            folders
                .entry(folder.to_string())
                .or_insert_with(|| PortSource {
                    label: folder.to_string(),
                    files: BTreeMap::new(),
                })
                .files
                .insert(inner.to_string(), Cow::Borrowed(bytes));
        }
        Ports::load(folders.into_values())
    }

    /// The ports of a checkout of this repository.
    ///
    /// # Errors
    /// A folder that cannot be read, a malformed port.
    pub fn from_dir(repo_root: &Path) -> Result<Ports> {
        let mut dirs: Vec<_> = FOLDERS.iter().map(|name| repo_root.join(name)).collect();
        let neighbours = repo_root.join(NEIGHBOURS);
        if neighbours.is_dir() {
            let entries = std::fs::read_dir(&neighbours)
                .with_context(|| format!("cannot read {}", neighbours.display()))?;
            for entry in entries {
                dirs.push(entry?.path());
            }
        }
        dirs.sort();
        let sources = dirs
            .iter()
            .filter(|dir| dir.is_dir())
            .map(|dir| PortSource::from_dir(dir))
            .collect::<Result<Vec<_>>>()?;
        Ports::load(sources.into_iter())
    }

    /// Folders without a `port.toml` are not ports (yet) and left out.
    fn load(sources: impl Iterator<Item = PortSource>) -> Result<Ports> {
        let mut by_crate = BTreeMap::new();
        for source in sources.filter(|source| source.files.contains_key(PORT_FILE)) {
            let port = Port::load(&source)?;
            let name = port.krate().to_string();
            let other: Option<Port> = by_crate.insert(name.clone(), port);
            if let Some(other) = other {
                let labels = (&other.source.label, &source.label);
                let two = anyhow::anyhow!("{} and {} both port `{name}`", labels.0, labels.1);
                return Err(two.into());
            }
        }
        Ok(Ports { by_crate })
    }

    /// The same, with the std facade for further crates, whatever their version. A
    /// crate that has a port keeps it.
    ///
    /// # Errors
    /// A name that no crate can have.
    pub fn with_std_facade(mut self, crates: &[String]) -> Result<Ports> {
        for krate in crates {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if krate.is_empty() || !krate.chars().all(plain) {
                return Err(anyhow!("`std-facade` names no crate: `{krate}`").into());
            }
            if self.by_crate.contains_key(krate) {
                continue;
            }
            let rules = format!(
                "[port]\ncrate = \"{krate}\"\nversions = [\">=0.0.0\"]\n\
                 why = \"The app's setting `std-facade` names it.\"\n\
                 [[rule]]\nname = \"std-facade\"\nkind = \"facade\"\nfacade = \"std\"\n\
                 why = \"std::net and env::temp_dir work.\"\n"
            );
            let source = PortSource {
                label: format!("the setting `std-facade` ({krate})"),
                files: BTreeMap::from([(PORT_FILE.to_owned(), Cow::Owned(rules.into_bytes()))]),
            };
            self.by_crate.insert(krate.clone(), Port::load(&source)?);
        }
        Ok(self)
    }

    /// The port of an upstream crate.
    pub fn get(&self, crate_name: &str) -> Option<&Port> {
        self.by_crate.get(crate_name)
    }

    /// All ports, sorted by crate name.
    pub fn iter(&self) -> impl Iterator<Item = &Port> {
        self.by_crate.values()
    }
}

/// Splits `ports/socket2/port.toml` into the port's folder and the path in it.
fn port_folder(path: &str) -> Option<(&str, &str)> {
    let (first, rest) = path.split_once('/')?;
    if FOLDERS.contains(&first) {
        return Some((first, rest));
    }
    if first != NEIGHBOURS {
        return None;
    }
    let (name, inner) = rest.split_once('/')?;
    Some((&path[..first.len() + 1 + name.len()], inner))
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
    fn the_std_facade_can_be_asked_for_by_name() {
        let names = ["postgres-thing".to_owned(), "tokio".to_owned()];
        let ports = Ports::embedded().unwrap();
        let rules = ports.get("tokio").unwrap().file.rules.len();
        let ports = ports.with_std_facade(&names).unwrap();
        let port = ports.get("postgres-thing").unwrap();
        assert!(port.supports(&Version::new(0, 3, 1)) && port.supports(&Version::new(7, 0, 0)));
        assert_eq!(port.file.rules.len(), 1);
        assert_eq!(ports.get("tokio").unwrap().file.rules.len(), rules);
        assert!(ports.with_std_facade(&["a b".to_owned()]).is_err());
    }

    #[test]
    fn nearest_of_a_list_of_minors() {
        let port = port("['1.51', '1.52', '1.54']");
        for (asked, nearest) in [
            ("1.40.0", "~1.51"),
            ("1.51.9", "~1.51"),
            ("1.53.0", "~1.54"),
            ("1.60.1", "~1.54"),
            ("0.2.25", "~1.51"),
            ("2.0.0", "~1.54"),
        ] {
            let found = port.nearest(&version(asked));
            assert_eq!(found, VersionReq::parse(nearest).unwrap(), "{asked}");
        }
        assert!(port.supports(&version("1.52.4")) && !port.supports(&version("1.53.0")));
        assert_eq!(port.supported(), "1.51.x or 1.52.x or 1.54.x");
    }

    #[test]
    fn nearest_keeps_the_bounds_of_a_range() {
        let range = port("['>=0.6.3, <0.7']");
        let found = range.nearest(&version("0.6.0"));
        assert!(found.matches(&version("0.6.5")) && !found.matches(&version("0.6.2")));
        assert!(!found.matches(&version("0.7.0")));
        let found = port("['>=1.51, <1.55']").nearest(&version("1.70.0"));
        assert!(found.matches(&version("1.54.2")), "{found}");
        assert!(!found.matches(&version("1.53.2")), "{found}");
        let inside = port("['>=1.51, <1.55']").nearest(&version("1.52.0"));
        assert!(inside.matches(&version("1.52.3")) && !inside.matches(&version("1.53.0")));
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
    fn a_file_that_a_rule_names_must_be_there() {
        let text = "[port]\ncrate = 'x'\nversions = ['1.0']\nwhy = 'w'\n[[rule]]\nname = 'own'\nwhy = 'w'\nkind = 'own-file'\nfile = 'src/a.rs'\nfrom = 'overlay/a.rs'\nreplaces = false";
        let files = [(PORT_FILE.to_string(), Cow::Borrowed(text.as_bytes()))];
        let error = Port::load(&PortSource {
            label: "ports/x".into(),
            files: files.into(),
        })
        .unwrap_err();
        let crate::error::Error::Other(error) = error else {
            panic!("{error:?}");
        };
        let text = format!("{error:#}");
        assert!(
            text.contains("overlay/a.rs") && text.contains("ports/x/port.toml"),
            "{text}"
        );
    }

    #[test]
    fn folders_of_ports() {
        assert_eq!(port_folder("tokio/port.toml"), Some(("tokio", "port.toml")));
        assert_eq!(
            port_folder("ports/socket2/overlay/a.rs"),
            Some(("ports/socket2", "overlay/a.rs"))
        );
        assert_eq!(port_folder("ports/README.md"), None);
        assert_eq!(port_folder("shims/std/Cargo.toml"), None);
        assert_eq!(port_folder("LICENSE"), None);
    }
}
