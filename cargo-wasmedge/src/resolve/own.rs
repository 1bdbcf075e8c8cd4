//! Crates of the user's own that have a port: from a folder or from git, or put in the
//! place of a release by a `[patch]`.
//!
//! They are used as they are. A port is for what upstream released: its rules count on
//! what is there. The user is told, and what helps: a copy that has the port already.

use cargo_metadata::Package;

use super::app::shown;
use super::graph::is_crates_io;
use crate::port::{NOTICE_FILE, Port};

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
        let spec = match port.supports(&package.version) {
            true => format!("{}@{}", package.name, package.version),
            false => package.name.to_string(),
        };
        Some(OwnCopy {
            from: match &package.source {
                Some(source) => source.repr.clone(),
                None => shown(folder),
            },
            help: format!(
                "take the release, or make your changes in a ported copy of it: \
                 cargo wasmedge vendor ported --crate {spec}"
            ),
        })
    }
}
