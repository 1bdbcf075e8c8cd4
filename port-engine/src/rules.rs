//! What a rule is, once its text is checked.
//!
//! A port is data: a list of rules, each with a name, a reason and the number of
//! places that it must find.

use std::fmt;

use semver::VersionReq;

use super::items::ItemPath;
use super::matches::Matches;

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
    OwnFile(OwnFileRule),
    Append { file: String, text: Text },
    Facade(FacadeRule),
    Dependency(DependencyRule),
    Feature(FeatureRule),
}

#[derive(Debug, Clone)]
pub(super) struct CfgRule {
    pub predicate: String,
    pub becomes: String,
    /// Globs.
    pub files: Vec<String>,
    /// Empty: the whole files.
    pub items: Vec<ItemPath>,
    pub matches: Matches,
}

#[derive(Debug, Clone)]
pub(super) struct EditRule {
    /// Globs, each of which has to name a file.
    pub files: Vec<String>,
    /// Empty: the whole files (only for `replace`).
    pub items: Vec<ItemPath>,
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

#[derive(Debug, Clone)]
pub(super) struct OwnFileRule {
    /// A path in the crate; that of a folder ends with `/`.
    pub file: String,
    /// A path in the port's folder, of the same kind.
    pub from: String,
    pub replaces: bool,
    /// Where upstream does not declare the file as a module: how we do.
    pub module: Option<Module>,
}

/// The declaration of a module.
#[derive(Debug, Clone)]
pub(super) struct Module {
    pub name: String,
    pub visibility: Option<String>,
    pub cfg: Option<String>,
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

/// The order in which rules are carried out, whatever their order in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// On upstream's text, before anything of ours is in it.
    Cfg,
    Edit,
    OwnFile,
    /// After all own files: one of them may be the file that declares the module.
    Module,
    Add,
}

impl Action {
    pub fn stage(&self) -> Stage {
        match self {
            Action::Cfg(_) => Stage::Cfg,
            Action::Edit(_) => Stage::Edit,
            Action::OwnFile(OwnFileRule { module: None, .. }) => Stage::OwnFile,
            Action::OwnFile(_) => Stage::Module,
            Action::Append { .. }
            | Action::Facade(_)
            | Action::Dependency(_)
            | Action::Feature(_) => Stage::Add,
        }
    }

    /// The crate whose facade the rule adds.
    pub fn facade(&self) -> Option<&str> {
        match self {
            Action::Facade(rule) => Some(&rule.facade),
            _ => None,
        }
    }

    /// The file of ours that the rule reads, or the folder.
    pub fn source(&self) -> Option<&str> {
        match self {
            Action::OwnFile(OwnFileRule { from, .. })
            | Action::Append {
                text: Text::From(from),
                ..
            } => Some(from),
            _ => None,
        }
    }
}
