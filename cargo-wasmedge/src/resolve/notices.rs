//! What the user is told of a selection.

use semver::Version;

use super::evidence::SETTING;
use super::own::OwnCopy;
use super::stand_in::STAND_IN;
use crate::shell::Shell;

/// One thing to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A covered version is used in the place of another.
    Replaced {
        /// The crate.
        krate: String,
        /// The version that the app's lockfile has.
        asked: String,
        /// The version that is used.
        used: String,
        /// What its port covers.
        covered: String,
    },
    /// The version that ours stands in for is used in the place of another.
    UpdatedToStandIn {
        /// The version that the app's lockfile has.
        asked: String,
        /// The version that ours stands in for.
        used: String,
    },
    /// A crate of a port's name that does not come from the registry.
    NotPorted {
        /// The crate.
        krate: String,
        /// Its version.
        version: Version,
        /// Where the app takes it from, and what helps.
        own: OwnCopy,
    },
    /// A crate of the user's own that a setting names whose rules are for the registry's.
    NotTaken {
        /// The crate.
        krate: String,
        /// Where the app takes it from.
        from: String,
    },
    /// A version of ours' published namesake that may not be updated to it.
    StandInRefused {
        /// The version that is used.
        version: Version,
        /// The version that ours stands in for.
        ours: Version,
    },
    /// A release that its port does not cover, and that works without.
    NotCovered {
        /// The crate.
        krate: String,
        /// Its version.
        version: Version,
        /// What its port covers.
        covered: String,
    },
}

impl Notice {
    /// Tells it.
    pub fn tell(&self, shell: &Shell) {
        match self {
            Notice::Replaced {
                krate,
                asked,
                used,
                covered,
            } => shell.status(
                "Using",
                format_args!("{krate} {used} in place of {asked} (the port covers {covered})"),
            ),
            Notice::UpdatedToStandIn { asked, used } => shell.status(
                "Using",
                format_args!("{STAND_IN} {used} in place of {asked} (ours has its API)"),
            ),
            Notice::NotPorted {
                krate,
                version,
                own,
            } => shell.warn(format_args!(
                "{krate} {version} is used without its port: the app takes it from {}\n  \
                 help: {}",
                own.from, own.help
            )),
            Notice::NotTaken { krate, from } => shell.warn(format_args!(
                "`{SETTING}` names {krate}, which the app takes from {from}: it is used as it \
                 is\n  help: change its conditions there, or depend on a release"
            )),
            Notice::StandInRefused { version, ours } => shell.note(format_args!(
                "{STAND_IN} {version} is used as published: ours has the API of {ours} and \
                 takes the place of versions that may be updated to it"
            )),
            Notice::NotCovered {
                krate,
                version,
                covered,
            } => shell.note(format_args!(
                "{krate} {version} is used as published: its port covers {covered}"
            )),
        }
    }
}
