//! The host layer in the place of the published crate of its name.
//!
//! An app that depends on `wasmedge_wasi_socket` itself, or on a crate that does,
//! gets ours, if its requirements allow the version whose API ours has. Others
//! stay as published: they work under WasmEdge as well as they ever did.

use cargo_metadata::Package;
use semver::{Version, VersionReq};

use crate::error::Result;
pub(crate) use crate::port::STAND_IN;
use crate::port::Support;

/// What ours stands in for.
#[derive(Debug, Clone)]
pub(crate) struct StandIn {
    version: Version,
}

impl StandIn {
    /// Of the crates that the binary carries.
    ///
    /// # Errors
    /// As [`Support::embedded`].
    pub(crate) fn embedded() -> Result<StandIn> {
        let version = Support::embedded()?.stand_in_version()?;
        Ok(StandIn { version })
    }

    /// The version whose API ours has.
    pub(crate) fn version(&self) -> &Version {
        &self.version
    }

    /// Whether this is the published crate, in any version.
    pub(crate) fn is_namesake(package: &Package) -> bool {
        let source = package.source.as_ref();
        package.name == STAND_IN && source.is_some_and(|source| source.is_crates_io())
    }

    /// Whether ours takes the place of `package`.
    pub(crate) fn is_for(&self, package: &Package) -> bool {
        StandIn::is_namesake(package) && package.version == self.version
    }

    /// Whether all requirements allow ours.
    pub(crate) fn is_allowed(&self, requirements: &[(&Package, &VersionReq)]) -> bool {
        let mut requirements = requirements.iter();
        requirements.all(|(_, requirement)| requirement.matches(&self.version))
    }
}
