//! The host layer in the place of the published crate of its name.
//!
//! An app that depends on `wasmedge_wasi_socket` itself, or on a crate that does,
//! gets ours, if its requirements allow the version whose API ours has. Others
//! stay as published: they work under WasmEdge as well as they ever did.

use anyhow::Context as _;
use cargo_metadata::Package;
use semver::{Version, VersionReq};

use crate::embedded;
use crate::error::Result;

/// The published crate that ours takes the place of. The support crate says the same
/// in its manifest.
pub(crate) const STAND_IN: &str = "wasmedge_wasi_socket";

/// What ours stands in for.
#[derive(Debug, Clone)]
pub(crate) struct StandIn {
    version: Version,
}

impl StandIn {
    /// Of the crates that the binary carries.
    ///
    /// # Errors
    /// As [`embedded::support`]; and none of them is the stand-in.
    pub(crate) fn embedded() -> Result<StandIn> {
        let support = embedded::support()?;
        let mut stand_ins = support.stand_ins();
        let (_, version) = stand_ins
            .find(|(name, _)| *name == STAND_IN)
            .with_context(|| format!("no support crate stands in for {STAND_IN}"))?;
        Ok(StandIn {
            version: version.clone(),
        })
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
