//! Crates of the user's own that have a port: from a folder or from git, or put in the
//! place of a release by a `[patch]`.
//!
//! They are used as they are: a build does not put another crate in the place of one that
//! the user has chosen. The user is told, and what helps: a copy that has the port.

use std::path::Path;

use cargo_metadata::Package;

use super::app::shown;
use super::graph::is_crates_io;
use super::leftovers::Fork;
use crate::port::{NOTICE_FILE, Port};
use crate::shell::quoted;

/// A crate that stays without its port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCopy {
    /// Where the app takes it from.
    pub from: String,
    /// What helps.
    pub help: String,
}

impl OwnCopy {
    /// `None`: a release; or a copy that has the port already, or needs none.
    pub fn of(package: &Package, port: &Port) -> Option<OwnCopy> {
        let folder = package.manifest_path.parent()?.as_std_path();
        let needs_none = is_crates_io(package)
            || port.is_unchanged(&package.version)
            || folder.join(NOTICE_FILE).is_file();
        if needs_none {
            return None;
        }
        let from = match &package.source {
            Some(source) => source.repr.clone(),
            None => shown(folder),
        };
        if Fork::at(&from).is_some() {
            return Some(OwnCopy {
                from,
                help: "leave this older fork out, and the release from crates.io is ported: \
                       cargo wasmedge doctor says where it is"
                    .to_owned(),
            });
        }
        Some(OwnCopy {
            from,
            help: match port.supports(&package.version) {
                true => format!(
                    "port a copy of it, and depend on that by the [patch] that this prints: \
                     cargo wasmedge vendor ported --crate {}",
                    quoted(&spec(folder))
                ),
                false => format!("take a version that its port covers: {}", port.supported()),
            },
        })
    }
}

/// Where the app takes a package from.
pub(super) fn from(package: &Package) -> String {
    let folder = package.manifest_path.parent();
    match &package.source {
        Some(source) => source.repr.clone(),
        None => folder.map_or_else(String::new, |folder| shown(folder.as_std_path())),
    }
}

/// A folder as `vendor` takes it for one: with a `/`.
fn spec(folder: &Path) -> String {
    let shown = shown(folder);
    match shown.contains('/') {
        true => shown,
        false => format!("./{shown}"),
    }
}
