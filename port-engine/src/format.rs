//! The text of `port.toml` and `suite.toml`.
//!
//! Each kind of rule has a type here whose fields are the keys that it knows;
//! `docs/ports.md` describes them, and a test compares the two.

use anyhow::{Context as _, bail, ensure};
use semver::{Version, VersionReq};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::condition::{Condition, differs_elsewhere};
use super::evidence::Evidence;
use super::fields;
use super::items::ItemPath;
use super::library::{Library, LibraryText};
use super::matches::{Count, Matches, requirement};
use super::rules::{
    Action, CfgRule, DependencyRule, EditKind, EditRule, FacadeRule, FeatureRule, FeatureTarget,
    Module, OwnFileRule, Rule, Text,
};
use super::tokens::lex_pattern;

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
    pub library: Option<Library>,
    /// What speaks for a crate, where the port names none.
    pub evidence: Option<Evidence>,
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PortText {
    port: PortHead,
    library: Option<LibraryText>,
    evidence: Option<Evidence>,
    #[serde(default)]
    rule: Vec<toml::Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PortHead {
    #[serde(rename = "crate")]
    krate: Option<String>,
    versions: Option<Vec<String>>,
    why: String,
    #[serde(default)]
    native_dependencies: bool,
    #[serde(default)]
    optional: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SuiteText {
    suite: SuiteHead,
    #[serde(default)]
    rule: Vec<toml::Table>,
}

impl SuiteFile {
    /// Reads the text of a `suite.toml`.
    ///
    /// # Errors
    /// As [`PortFile::parse`].
    pub fn parse(text: &str) -> anyhow::Result<SuiteFile> {
        let raw: SuiteText = toml::from_str(text)?;
        ensure!(
            !raw.suite.versions.is_empty(),
            "in [suite]: `versions` is empty"
        );
        Ok(SuiteFile {
            suite: raw.suite,
            rules: rules(raw.rule)?,
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
        let raw: PortText = toml::from_str(text)?;
        let versions: Vec<VersionReq> = raw
            .port
            .versions
            .iter()
            .flatten()
            .map(|each| requirement(each))
            .collect::<anyhow::Result<_>>()
            .context("in [port], key `versions`")?;
        let krate = match (&raw.evidence, raw.port.krate) {
            (Some(evidence), None) => {
                evidence.check().context("in [evidence]")?;
                ensure!(
                    raw.port.versions.is_none() && !raw.port.optional,
                    "in [port]: `versions` and `optional` are for the port of one crate"
                );
                String::new()
            }
            (None, Some(krate)) => {
                ensure!(!versions.is_empty(), "in [port]: `versions` is empty");
                krate
            }
            _ => bail!("a port has either the key `crate` in [port] or a table [evidence]"),
        };
        Ok(PortFile {
            krate,
            versions,
            why: raw.port.why,
            native_dependencies: raw.port.native_dependencies,
            optional: raw.port.optional,
            library: raw.library.map(LibraryText::checked).transpose()?,
            evidence: raw.evidence,
            rules: rules(raw.rule)?,
        })
    }
}

fn rules(tables: Vec<toml::Table>) -> anyhow::Result<Vec<Rule>> {
    let mut rules: Vec<Rule> = Vec::new();
    for (number, table) in tables.into_iter().enumerate() {
        let name = match table.get("name") {
            Some(toml::Value::String(name)) => name.clone(),
            _ => bail!("rule {} has no `name`", number + 1),
        };
        ensure!(is_kebab(&name), "the rule name `{name}` is not kebab-case");
        ensure!(
            rules.iter().all(|other| other.name != name),
            "two rules are called `{name}`"
        );
        rules.push(rule(table).with_context(|| format!("in rule `{name}`"))?);
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

/// The keys of every rule.
#[derive(Deserialize)]
struct Common {
    name: String,
    why: String,
    kind: Kind,
    versions: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Cfg,
    Edit,
    OwnFile,
    Append,
    Facade,
    Dependency,
    Feature,
}

fn rule(mut table: toml::Table) -> anyhow::Result<Rule> {
    let mut common = toml::Table::new();
    for key in fields::of::<Common>() {
        common.extend(table.remove_entry(*key));
    }
    let common: Common = common.try_into()?;
    ensure!(!common.why.trim().is_empty(), "`why` is empty");
    let versions = common
        .versions
        .map(|text| requirement(&text))
        .transpose()
        .context("in the key `versions`")?;
    let action = match common.kind {
        Kind::Cfg => keys::<CfgKeys>(table)?.action()?,
        Kind::Edit => keys::<EditKeys>(table)?.action()?,
        Kind::OwnFile => keys::<OwnFileKeys>(table)?.action()?,
        Kind::Append => keys::<AppendKeys>(table)?.action()?,
        Kind::Facade => keys::<FacadeKeys>(table)?.action()?,
        Kind::Dependency => keys::<DependencyKeys>(table)?.action(),
        Kind::Feature => keys::<FeatureKeys>(table)?.action()?,
    };
    Ok(Rule {
        name: common.name,
        why: common.why,
        versions,
        action,
    })
}

/// Reads the keys of one kind, and names one that it does not know.
fn keys<T: DeserializeOwned>(table: toml::Table) -> anyhow::Result<T> {
    let known = fields::of::<T>();
    if let Some(unknown) = table.keys().find(|key| !known.contains(&key.as_str())) {
        let all: Vec<String> = fields::of::<Common>()
            .iter()
            .chain(known)
            .map(|key| format!("`{key}`"))
            .collect();
        bail!(
            "the key `{unknown}` does not belong to this kind, which has: {}",
            all.join(", ")
        );
    }
    Ok(table.try_into()?)
}

#[derive(Deserialize)]
struct CfgKeys {
    predicate: String,
    becomes: String,
    files: Vec<String>,
    item: Option<String>,
    items: Option<Vec<String>>,
    matches: MatchesText,
}

impl CfgKeys {
    fn action(self) -> anyhow::Result<Action> {
        let matches = self.matches.checked()?;
        let condition = |text: &str| Condition::parse(&lex_pattern(text)?);
        let predicate = condition(&self.predicate).context("in the key `predicate`")?;
        let becomes = condition(&self.becomes).context("in the key `becomes`")?;
        if let Some(words) = differs_elsewhere(&predicate, &becomes)? {
            let holding = match words.is_empty() {
                true => "nothing of it holds".to_owned(),
                false => format!("`{}` holds", words.join("`, `")),
            };
            bail!(
                "`becomes` is another condition than `predicate` on other targets, too: \
                 where {holding} and target_env is not \"p1\""
            );
        }
        Ok(Action::Cfg(CfgRule {
            predicate: self.predicate,
            becomes: self.becomes,
            files: self.files,
            items: items(self.item, self.items)?,
            matches,
        }))
    }
}

#[derive(Deserialize)]
struct EditKeys {
    file: Option<String>,
    files: Option<Vec<String>>,
    item: Option<String>,
    items: Option<Vec<String>>,
    matches: Option<MatchesText>,
    body: Option<String>,
    prelude: Option<String>,
    replace: Option<Replace>,
    attribute: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Replace {
    tokens: String,
    with: String,
}

impl EditKeys {
    fn action(self) -> anyhow::Result<Action> {
        let edit = match (self.body, self.prelude, self.replace, self.attribute) {
            (Some(text), None, None, None) => EditKind::Body(text),
            (None, Some(text), None, None) => EditKind::Prelude(text),
            (None, None, Some(replace), None) => EditKind::Replace {
                tokens: replace.tokens,
                with: replace.with,
            },
            (None, None, None, Some(text)) => EditKind::Attribute(text),
            _ => bail!("exactly one of `body`, `prelude`, `replace` and `attribute` is needed"),
        };
        let items = items(self.item, self.items)?;
        ensure!(
            !items.is_empty() || matches!(edit, EditKind::Replace { .. }),
            "the key `item` is missing"
        );
        let (files, needs_count) = match (self.file, self.files) {
            (Some(file), None) => (vec![inner_path(file, "file")?], false),
            (None, Some(files)) if !files.is_empty() => (files, true),
            _ => bail!("exactly one of `file` and `files` is needed"),
        };
        let matches = match self.matches {
            Some(matches) => matches.checked()?,
            // How many of them there are has to be stated.
            None if needs_count || items.len() > 1 => bail!("the key `matches` is missing"),
            None => Matches::Always(Count::ONE),
        };
        Ok(Action::Edit(EditRule {
            files,
            items,
            matches,
            edit,
        }))
    }
}

#[derive(Deserialize)]
struct OwnFileKeys {
    file: String,
    from: String,
    replaces: bool,
    module: Option<String>,
    visibility: Option<String>,
    cfg: Option<String>,
}

impl OwnFileKeys {
    fn action(self) -> anyhow::Result<Action> {
        let module = match self.module {
            None => {
                ensure!(
                    self.visibility.is_none() && self.cfg.is_none(),
                    "`visibility` and `cfg` say how `module` is declared, which is missing"
                );
                None
            }
            Some(name) => {
                ensure!(
                    !self.replaces,
                    "upstream declares the file that is replaced: `module` is too much"
                );
                ensure!(is_ident(&name), "`module` is no name: `{name}`");
                let visibility = self.visibility;
                ensure!(
                    visibility
                        .as_ref()
                        .is_none_or(|text| text.starts_with("pub")),
                    "`visibility` does not begin with `pub`"
                );
                if let Some(cfg) = &self.cfg {
                    lex_pattern(cfg).context("in the key `cfg`")?;
                }
                Some(Module {
                    name,
                    visibility,
                    cfg: self.cfg,
                })
            }
        };
        let is_folder = self.from.ends_with('/');
        ensure!(
            is_folder == self.file.ends_with('/'),
            "a folder ends with `/`, in `file` as in `from`"
        );
        ensure!(
            !is_folder || !self.replaces && module.is_none(),
            "the files of a folder are new, and declare each other"
        );
        Ok(Action::OwnFile(OwnFileRule {
            file: inner_place(self.file, "file")?,
            from: inner_place(self.from, "from")?,
            replaces: self.replaces,
            module,
        }))
    }
}

fn is_ident(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[derive(Deserialize)]
struct AppendKeys {
    file: String,
    text: Option<String>,
    from: Option<String>,
}

impl AppendKeys {
    fn action(self) -> anyhow::Result<Action> {
        Ok(Action::Append {
            file: inner_path(self.file, "file")?,
            text: match (self.text, self.from) {
                (Some(text), None) => Text::Inline(text),
                (None, Some(from)) => Text::From(inner_path(from, "from")?),
                _ => bail!("exactly one of `text` and `from` is needed"),
            },
        })
    }
}

#[derive(Deserialize)]
struct FacadeKeys {
    facade: String,
    files: Option<Vec<String>>,
    matches: Option<MatchesText>,
}

impl FacadeKeys {
    fn action(self) -> anyhow::Result<Action> {
        let matches = match (&self.files, self.matches) {
            (Some(_), Some(matches)) => matches.checked()?,
            (Some(_), None) => bail!("the key `matches` is missing"),
            (None, Some(_)) => bail!("the key `matches` counts `files`, which is missing"),
            (None, None) => Matches::Always(Count::ONE),
        };
        Ok(Action::Facade(FacadeRule {
            facade: self.facade,
            files: self.files.unwrap_or_default(),
            matches,
        }))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct DependencyKeys {
    #[serde(rename = "crate")]
    krate: String,
    version: Option<String>,
    #[serde(default)]
    features: Vec<String>,
    default_features: Option<bool>,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    dev: bool,
}

impl DependencyKeys {
    fn action(self) -> Action {
        Action::Dependency(DependencyRule {
            krate: self.krate,
            version: self.version,
            features: self.features,
            default_features: self.default_features,
            optional: self.optional,
            dev: self.dev,
        })
    }
}

#[derive(Deserialize)]
struct FeatureKeys {
    feature: Option<String>,
    dependency: Option<String>,
    adds: Vec<String>,
    matches: Option<MatchesText>,
}

impl FeatureKeys {
    fn action(self) -> anyhow::Result<Action> {
        Ok(Action::Feature(FeatureRule {
            target: match (self.feature, self.dependency) {
                (Some(feature), None) => FeatureTarget::Feature(feature),
                (None, Some(dependency)) => FeatureTarget::Dependency(dependency),
                _ => bail!("exactly one of `feature` and `dependency` is needed"),
            },
            adds: self.adds,
            matches: self
                .matches
                .map_or(Ok(Matches::Always(Count::ONE)), MatchesText::checked)?,
        }))
    }
}

/// A [`Count`], or a list of [`PerVersion`]s.
#[derive(Deserialize)]
#[serde(transparent)]
struct MatchesText(toml::Value);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PerVersion {
    versions: String,
    count: toml::Value,
}

impl MatchesText {
    fn checked(self) -> anyhow::Result<Matches> {
        self.parsed().context("in the key `matches`")
    }

    fn parsed(self) -> anyhow::Result<Matches> {
        let entry = |entry: toml::Value| {
            let PerVersion { versions, count } = entry.try_into()?;
            Ok((requirement(&versions)?, Count::parse(count)?))
        };
        Ok(match self.0 {
            toml::Value::Array(list) => {
                let list = list.into_iter().map(entry);
                Matches::PerVersion(list.collect::<anyhow::Result<_>>()?)
            }
            count => Matches::Always(Count::parse(count)?),
        })
    }
}

/// The items of a rule, from the key for one or the key for several.
fn items(one: Option<String>, several: Option<Vec<String>>) -> anyhow::Result<Vec<ItemPath>> {
    let texts = match (one, several) {
        (None, None) => Vec::new(),
        (Some(item), None) => vec![item],
        (None, Some(items)) if !items.is_empty() => items,
        _ => bail!("exactly one of `item` and `items` is needed, and `items` is not empty"),
    };
    texts.iter().map(|text| ItemPath::parse(text)).collect()
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

/// The same, or a folder with `/` at its end.
fn inner_place(path: String, key: &str) -> anyhow::Result<String> {
    match path.strip_suffix('/') {
        Some(folder) => inner_path(folder.to_string(), key).map(|folder| folder + "/"),
        None => inner_path(path, key),
    }
}
