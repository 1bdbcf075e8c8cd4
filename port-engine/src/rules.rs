//! The format of `port.toml`.
//!
//! A port is data: a list of rules, each with a name, a reason and the number of
//! places that it must find. `CONTRIBUTING.md` describes the kinds for authors.

use std::fmt;

use anyhow::{Context as _, bail, ensure};
use semver::{Version, VersionReq};
use serde::Deserialize;

use super::items::ItemPath;

/// A parsed `port.toml`.
#[derive(Debug, Clone)]
pub(super) struct PortFile {
    pub krate: String,
    pub versions: Vec<VersionReq>,
    pub why: String,
    /// The guest gets the dependencies that upstream has for other systems.
    pub native_dependencies: bool,
    /// Releases that the port does not cover may be used as published.
    pub optional: bool,
    pub rules: Vec<Rule>,
}

/// A parsed `suite.toml`: what the crate's own tests need.
#[derive(Debug, Clone)]
pub(super) struct SuiteFile {
    pub suite: SuiteHead,
    pub rules: Vec<Rule>,
}

/// The head of a `suite.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SuiteHead {
    /// The releases whose suites are run, newest first.
    pub versions: Vec<Version>,
    /// The crate's features.
    #[serde(default)]
    pub features: Vec<String>,
    /// What of the crate holds tests, as arguments of cargo: `--tests`, `--lib`.
    pub targets: Vec<String>,
    /// Whether crates that the suite uses depend on the crate: they get this one.
    #[serde(default)]
    pub patch_self: bool,
    /// Tests (globs) that fail natively, as published too: they say nothing of a port.
    #[serde(default)]
    pub fails_natively: Vec<String>,
    /// Test programs (globs) of the quick selection.
    pub quick: Vec<String>,
    /// Tests that cannot pass for root, of whom nothing is kept.
    #[serde(default)]
    pub not_as_root: Vec<String>,
}

/// One rule of a port.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub name: String,
    pub why: String,
    pub versions: Option<VersionReq>,
    pub action: Action,
}

/// What a rule does.
#[derive(Debug, Clone)]
pub(super) enum Action {
    Cfg(CfgRule),
    Edit(EditRule),
    OwnFile {
        file: String,
        from: String,
        replaces: bool,
    },
    Append {
        file: String,
        text: Text,
    },
    Facade(FacadeRule),
    Dependency(DependencyRule),
    Feature(FeatureRule),
}

#[derive(Debug, Clone)]
pub(super) struct CfgRule {
    pub predicate: String,
    pub becomes: String,
    pub files: Vec<String>,
    pub item: Option<ItemPath>,
    pub matches: Matches,
}

#[derive(Debug, Clone)]
pub(super) struct EditRule {
    pub file: String,
    /// `None`: the whole file (only for `replace`).
    pub item: Option<ItemPath>,
    pub matches: Matches,
    pub edit: EditKind,
}

#[derive(Debug, Clone)]
pub(super) enum EditKind {
    Body(String),
    Prelude(String),
    Replace { tokens: String, with: String },
    Attribute(String),
}

/// Text in `port.toml`, or in a file beside it.
#[derive(Debug, Clone)]
pub(super) enum Text {
    Inline(String),
    From(String),
}

#[derive(Debug, Clone)]
pub(super) struct FacadeRule {
    /// The crate whose name the facade takes.
    pub facade: String,
    /// Crate roots that get the line; empty: the library's.
    pub files: Vec<String>,
    pub matches: Matches,
}

#[derive(Debug, Clone)]
pub(super) struct DependencyRule {
    pub krate: String,
    /// `None`: a support crate, by path.
    pub version: Option<String>,
    pub features: Vec<String>,
    pub default_features: Option<bool>,
    pub optional: bool,
    /// For the crate's own tests only.
    pub dev: bool,
}

#[derive(Debug, Clone)]
pub(super) struct FeatureRule {
    pub target: FeatureTarget,
    pub adds: Vec<String>,
    pub matches: Matches,
}

#[derive(Debug, Clone)]
pub(super) enum FeatureTarget {
    /// An entry of `[features]`.
    Feature(String),
    /// The `features` of a dependency, in every table that has it.
    Dependency(String),
}

impl fmt::Display for FeatureTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FeatureTarget::Feature(name) => write!(f, "features.{name}"),
            FeatureTarget::Dependency(name) => write!(f, "dependencies.{name}"),
        }
    }
}

/// How many places a rule must find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Matches {
    Always(usize),
    /// The first entry whose requirement holds.
    PerVersion(Vec<(VersionReq, usize)>),
}

impl Matches {
    pub fn for_version(&self, version: &Version) -> Option<usize> {
        match self {
            Matches::Always(count) => Some(*count),
            Matches::PerVersion(list) => list
                .iter()
                .find(|(requirement, _)| requirement.matches(version))
                .map(|(_, count)| *count),
        }
    }
}

/// The order in which rules are carried out, whatever their order in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Switch,
    Edit,
    OwnFile,
    Add,
}

impl Action {
    pub fn stage(&self) -> Stage {
        match self {
            Action::Cfg(_) => Stage::Switch,
            Action::Edit(_) => Stage::Edit,
            Action::OwnFile { .. } => Stage::OwnFile,
            Action::Append { .. }
            | Action::Facade(_)
            | Action::Dependency(_)
            | Action::Feature(_) => Stage::Add,
        }
    }

    /// The file of ours that the rule reads.
    pub fn source(&self) -> Option<&str> {
        match self {
            Action::OwnFile { from, .. }
            | Action::Append {
                text: Text::From(from),
                ..
            } => Some(from),
            _ => None,
        }
    }
}

/// A semver requirement as ports write it.
///
/// Like cargo's, except that a bare `1.2` means `~1.2`: that minor and no
/// other, because each minor release has to be tried before it is supported.
pub(super) fn requirement(text: &str) -> anyhow::Result<VersionReq> {
    let strict: Vec<String> = text
        .split(',')
        .map(str::trim)
        .map(|part| {
            if part.starts_with(|c: char| c.is_ascii_digit()) {
                format!("~{part}")
            } else {
                part.to_string()
            }
        })
        .collect();
    VersionReq::parse(&strict.join(", "))
        .with_context(|| format!("`{text}` is not a version requirement"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    port: RawPort,
    #[serde(default)]
    rule: Vec<RawRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawPort {
    #[serde(rename = "crate")]
    krate: String,
    versions: Vec<String>,
    why: String,
    #[serde(default)]
    native_dependencies: bool,
    #[serde(default)]
    optional: bool,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawKind {
    Cfg,
    Facade,
    Dependency,
    Append,
    OwnFile,
    Edit,
    Feature,
}

impl fmt::Display for RawKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RawKind::Cfg => "cfg",
            RawKind::Facade => "facade",
            RawKind::Dependency => "dependency",
            RawKind::Append => "append",
            RawKind::OwnFile => "own-file",
            RawKind::Edit => "edit",
            RawKind::Feature => "feature",
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawReplace {
    tokens: String,
    with: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawMatches {
    Always(usize),
    PerVersion(Vec<RawCount>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCount {
    versions: String,
    count: usize,
}

/// The keys of all kinds; [`RawRule::checked`] refuses those of other kinds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawRule {
    name: String,
    why: String,
    kind: RawKind,
    versions: Option<String>,
    predicate: Option<String>,
    becomes: Option<String>,
    files: Option<Vec<String>>,
    item: Option<String>,
    matches: Option<RawMatches>,
    facade: Option<String>,
    #[serde(rename = "crate")]
    krate: Option<String>,
    version: Option<String>,
    features: Option<Vec<String>>,
    default_features: Option<bool>,
    optional: Option<bool>,
    dev: Option<bool>,
    file: Option<String>,
    from: Option<String>,
    text: Option<String>,
    replaces: Option<bool>,
    body: Option<String>,
    prelude: Option<String>,
    replace: Option<RawReplace>,
    attribute: Option<String>,
    feature: Option<String>,
    dependency: Option<String>,
    adds: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSuite {
    suite: SuiteHead,
    #[serde(default)]
    rule: Vec<RawRule>,
}

impl SuiteFile {
    /// Reads the text of a `suite.toml`.
    ///
    /// # Errors
    /// As [`PortFile::parse`].
    pub fn parse(text: &str) -> anyhow::Result<SuiteFile> {
        let raw: RawSuite = toml::from_str(text)?;
        ensure!(
            !raw.suite.versions.is_empty(),
            "in [suite]: `versions` is empty"
        );
        Ok(SuiteFile {
            suite: raw.suite,
            rules: checked(raw.rule)?,
        })
    }
}

impl PortFile {
    /// Reads the text of a `port.toml`.
    ///
    /// # Errors
    /// Bad TOML, an unknown or missing key, a rule that says nothing or too
    /// much. The caller adds the file's name.
    pub fn parse(text: &str) -> anyhow::Result<PortFile> {
        let raw: RawFile = toml::from_str(text)?;
        let versions = raw
            .port
            .versions
            .iter()
            .map(|each| requirement(each))
            .collect::<anyhow::Result<Vec<_>>>()
            .context("in [port], key `versions`")?;
        ensure!(!versions.is_empty(), "in [port]: `versions` is empty");
        let rules = checked(raw.rule)?;
        Ok(PortFile {
            krate: raw.port.krate,
            versions,
            why: raw.port.why,
            native_dependencies: raw.port.native_dependencies,
            optional: raw.port.optional,
            rules,
        })
    }
}

fn checked(raw: Vec<RawRule>) -> anyhow::Result<Vec<Rule>> {
    let mut rules: Vec<Rule> = Vec::new();
    for rule in raw {
        let name = rule.name.clone();
        ensure!(is_kebab(&name), "the rule name `{name}` is not kebab-case");
        ensure!(
            rules.iter().all(|other| other.name != name),
            "two rules are called `{name}`"
        );
        rules.push(
            rule.checked()
                .with_context(|| format!("in rule `{name}`"))?,
        );
    }
    Ok(rules)
}

fn is_kebab(name: &str) -> bool {
    !name.is_empty()
        && name.split('-').all(|part| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        })
}

fn needed<T>(value: Option<T>, key: &str) -> anyhow::Result<T> {
    value.with_context(|| format!("the key `{key}` is missing"))
}

/// A path inside a crate or a port folder: relative, with `/`, going down only.
fn inner_path(path: String, key: &str) -> anyhow::Result<String> {
    let fine = !path.is_empty()
        && !path.contains('\\')
        && path.split('/').all(|part| !matches!(part, "" | "." | ".."));
    ensure!(
        fine,
        "`{key}` is not a relative path inside the folder: `{path}`"
    );
    Ok(path)
}

impl RawMatches {
    fn checked(self) -> anyhow::Result<Matches> {
        Ok(match self {
            RawMatches::Always(count) => Matches::Always(count),
            RawMatches::PerVersion(list) => Matches::PerVersion(
                list.into_iter()
                    .map(|each| Ok((requirement(&each.versions)?, each.count)))
                    .collect::<anyhow::Result<_>>()
                    .context("in the key `matches`")?,
            ),
        })
    }
}

impl RawRule {
    fn checked(mut self) -> anyhow::Result<Rule> {
        ensure!(!self.why.trim().is_empty(), "`why` is empty");
        let versions = self
            .versions
            .take()
            .map(|text| requirement(&text))
            .transpose()
            .context("in the key `versions`")?;
        let action = self.action()?;
        if let Some(key) = self.left_over() {
            bail!("the key `{key}` does not belong to kind \"{}\"", self.kind);
        }
        Ok(Rule {
            name: self.name,
            why: self.why,
            versions,
            action,
        })
    }

    /// Takes the keys of the rule's kind out of `self`.
    fn action(&mut self) -> anyhow::Result<Action> {
        Ok(match self.kind {
            RawKind::Cfg => Action::Cfg(CfgRule {
                predicate: needed(self.predicate.take(), "predicate")?,
                becomes: needed(self.becomes.take(), "becomes")?,
                files: needed(self.files.take(), "files")?,
                item: self.take_item()?,
                matches: needed(self.take_matches()?, "matches")?,
            }),
            RawKind::Facade => self.facade_rule()?,
            RawKind::Dependency => self.dependency_rule()?,
            RawKind::Append => Action::Append {
                file: self.take_file()?,
                text: match (self.text.take(), self.from.take()) {
                    (Some(text), None) => Text::Inline(text),
                    (None, Some(from)) => Text::From(inner_path(from, "from")?),
                    _ => bail!("exactly one of `text` and `from` is needed"),
                },
            },
            RawKind::OwnFile => Action::OwnFile {
                file: self.take_file()?,
                from: inner_path(needed(self.from.take(), "from")?, "from")?,
                replaces: needed(self.replaces.take(), "replaces")?,
            },
            RawKind::Edit => self.edit_rule()?,
            RawKind::Feature => Action::Feature(FeatureRule {
                target: match (self.feature.take(), self.dependency.take()) {
                    (Some(feature), None) => FeatureTarget::Feature(feature),
                    (None, Some(dependency)) => FeatureTarget::Dependency(dependency),
                    _ => bail!("exactly one of `feature` and `dependency` is needed"),
                },
                adds: needed(self.adds.take(), "adds")?,
                matches: self.take_matches()?.unwrap_or(Matches::Always(1)),
            }),
        })
    }

    fn facade_rule(&mut self) -> anyhow::Result<Action> {
        let facade = needed(self.facade.take(), "facade")?;
        let files = self.files.take();
        let matches = match files {
            // How many of them there are has to be stated.
            Some(_) => needed(self.take_matches()?, "matches")?,
            None => Matches::Always(1),
        };
        Ok(Action::Facade(FacadeRule {
            facade,
            files: files.unwrap_or_default(),
            matches,
        }))
    }

    fn dependency_rule(&mut self) -> anyhow::Result<Action> {
        let krate = needed(self.krate.take(), "crate")?;
        let version = self.version.take();
        Ok(Action::Dependency(DependencyRule {
            krate,
            version,
            features: self.features.take().unwrap_or_default(),
            default_features: self.default_features.take(),
            optional: self.optional.take().unwrap_or(false),
            dev: self.dev.take().unwrap_or(false),
        }))
    }

    fn edit_rule(&mut self) -> anyhow::Result<Action> {
        let kinds = (
            self.body.take(),
            self.prelude.take(),
            self.replace.take(),
            self.attribute.take(),
        );
        let edit = match kinds {
            (Some(text), None, None, None) => EditKind::Body(text),
            (None, Some(text), None, None) => EditKind::Prelude(text),
            (None, None, Some(replace), None) => EditKind::Replace {
                tokens: replace.tokens,
                with: replace.with,
            },
            (None, None, None, Some(text)) => EditKind::Attribute(text),
            _ => bail!("exactly one of `body`, `prelude`, `replace` and `attribute` is needed"),
        };
        let item = self.take_item()?;
        ensure!(
            item.is_some() || matches!(edit, EditKind::Replace { .. }),
            "the key `item` is missing"
        );
        Ok(Action::Edit(EditRule {
            file: self.take_file()?,
            item,
            matches: self.take_matches()?.unwrap_or(Matches::Always(1)),
            edit,
        }))
    }

    fn take_file(&mut self) -> anyhow::Result<String> {
        inner_path(needed(self.file.take(), "file")?, "file")
    }

    fn take_item(&mut self) -> anyhow::Result<Option<ItemPath>> {
        self.item
            .take()
            .map(|text| ItemPath::parse(&text))
            .transpose()
    }

    fn take_matches(&mut self) -> anyhow::Result<Option<Matches>> {
        self.matches.take().map(RawMatches::checked).transpose()
    }

    /// A key that no step took: it belongs to another kind.
    fn left_over(&self) -> Option<&'static str> {
        [
            (self.predicate.is_some(), "predicate"),
            (self.becomes.is_some(), "becomes"),
            (self.files.is_some(), "files"),
            (self.item.is_some(), "item"),
            (self.matches.is_some(), "matches"),
            (self.facade.is_some(), "facade"),
            (self.krate.is_some(), "crate"),
            (self.version.is_some(), "version"),
            (self.features.is_some(), "features"),
            (self.default_features.is_some(), "default-features"),
            (self.optional.is_some(), "optional"),
            (self.dev.is_some(), "dev"),
            (self.file.is_some(), "file"),
            (self.from.is_some(), "from"),
            (self.text.is_some(), "text"),
            (self.replaces.is_some(), "replaces"),
            (self.body.is_some(), "body"),
            (self.prelude.is_some(), "prelude"),
            (self.replace.is_some(), "replace"),
            (self.attribute.is_some(), "attribute"),
            (self.feature.is_some(), "feature"),
            (self.dependency.is_some(), "dependency"),
            (self.adds.is_some(), "adds"),
        ]
        .into_iter()
        .find_map(|(left, key)| left.then_some(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "[port]\ncrate = \"x\"\nversions = [\"1.2\"]\nwhy = \"w\"\n";

    fn parse(rule: &str) -> anyhow::Result<PortFile> {
        PortFile::parse(&format!(
            "{HEAD}[[rule]]\nname = \"a-rule\"\nwhy = \"w\"\n{rule}"
        ))
    }

    fn error(rule: &str) -> String {
        format!("{:#}", parse(rule).unwrap_err())
    }

    #[test]
    fn every_kind_parses() {
        for rule in [
            "kind = 'cfg'\npredicate = 'unix'\nbecomes = 'any()'\nfiles = ['src/**/*.rs']\nmatches = 1",
            "kind = 'facade'\nfacade = 'std'",
            "kind = 'dependency'\ncrate = 'wasmedge_wasi_socket'",
            "kind = 'dependency'\ncrate = 'y'\nversion = '1'\nfeatures = ['z']\ndefault-features = false",
            "kind = 'append'\nfile = 'src/lib.rs'\ntext = 'x'",
            "kind = 'append'\nfile = 'src/lib.rs'\nfrom = 'overlay/x.rs'",
            "kind = 'own-file'\nfile = 'src/a.rs'\nfrom = 'overlay/a.rs'\nreplaces = true",
            "kind = 'edit'\nfile = 'src/a.rs'\nitem = 'fn f'\nbody = 'x'",
            "kind = 'edit'\nfile = 'src/a.rs'\nitem = 'fn f'\nprelude = 'x'",
            "kind = 'edit'\nfile = 'src/a.rs'\nitem = 'fn f'\nattribute = '#[x]'",
            "kind = 'edit'\nfile = 'src/a.rs'\nreplace = { tokens = 'a', with = 'b' }\nmatches = 2",
            "kind = 'feature'\nfeature = 'net'\nadds = ['dep:x']",
            "kind = 'feature'\ndependency = 'mio'\nadds = ['x']",
        ] {
            parse(rule).unwrap_or_else(|error| panic!("{rule}: {error:#}"));
        }
    }

    #[test]
    fn unknown_keys_are_named() {
        assert!(error("kind = 'facade'\nfacade = 'std'\nfasade = 'std'").contains("fasade"));
        let port = PortFile::parse(&format!("{HEAD}whyy = 'w'\n")).unwrap_err();
        assert!(format!("{port:#}").contains("whyy"), "{port:#}");
        let kind = error("kind = 'patch'");
        assert!(kind.contains("patch"), "{kind}");
    }

    #[test]
    fn keys_of_other_kinds_are_named() {
        let text = error("kind = 'facade'\nfacade = 'std'\nmatches = 1");
        assert!(
            text.contains("a-rule") && text.contains("`matches`"),
            "{text}"
        );
    }

    #[test]
    fn missing_and_contradicting_keys() {
        assert!(
            error("kind = 'cfg'\nbecomes = 'any()'\nfiles = ['a']\nmatches = 1")
                .contains("`predicate`")
        );
        assert!(error("kind = 'edit'\nfile = 'a'\nitem = 'fn f'").contains("exactly one"));
        assert!(
            error("kind = 'edit'\nfile = 'a'\nitem = 'fn f'\nbody = 'x'\nprelude = 'x'")
                .contains("exactly one")
        );
        assert!(error("kind = 'edit'\nfile = 'a'\nbody = 'x'").contains("`item`"));
        assert!(error("kind = 'own-file'\nfile = 'a'\nfrom = 'b'").contains("`replaces`"));
    }

    #[test]
    fn paths_stay_inside() {
        for path in ["../a.rs", "/a.rs", "a/../../b.rs", "", "./a.rs"] {
            let text = error(&format!("kind = 'append'\nfile = '{path}'\ntext = 'x'"));
            assert!(text.contains("`file`"), "{path}: {text}");
        }
    }

    #[test]
    fn names_are_unique_kebab_case() {
        let twice = "kind = 'facade'\nfacade = 'std'\n[[rule]]\nname = 'a-rule'\nwhy = 'w'\nkind = 'facade'\nfacade = 'libc'";
        assert!(error(twice).contains("two rules"));
        for name in ["", "A", "a_b", "a--b", "-a"] {
            let text = format!(
                "{HEAD}[[rule]]\nname = '{name}'\nwhy = 'w'\nkind = 'facade'\nfacade = 'std'"
            );
            assert!(PortFile::parse(&text).is_err(), "{name:?}");
        }
    }

    #[test]
    fn counts_per_version() {
        let rule = "kind = 'edit'\nfile = 'a'\nitem = 'fn f'\nbody = 'x'\nmatches = [{ versions = '>=1.2.0, <1.2.3', count = 8 }, { versions = '>=1.2.3', count = 9 }]";
        let file = parse(rule).unwrap();
        let Action::Edit(edit) = &file.rules[0].action else {
            panic!("not an edit");
        };
        let count = |version| edit.matches.for_version(&Version::parse(version).unwrap());
        assert_eq!(count("1.2.0"), Some(8));
        assert_eq!(count("1.2.2"), Some(8));
        assert_eq!(count("1.2.3"), Some(9));
        assert_eq!(count("1.1.9"), None);
    }

    #[test]
    fn a_bare_minor_is_that_minor_only() {
        let holds = |req: &str, version| {
            requirement(req)
                .unwrap()
                .matches(&Version::parse(version).unwrap())
        };
        assert!(holds("1.2", "1.2.9") && !holds("1.2", "1.3.0"));
        assert!(holds("^1.2", "1.3.0"));
        assert!(holds(">=0.6.3, <0.7", "0.6.5") && !holds(">=0.6.3, <0.7", "0.6.2"));
        assert!(requirement("one").is_err());
    }
}
