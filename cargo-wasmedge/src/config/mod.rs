//! Settings: where they come from and which one wins.
//!
//! [`SETTINGS`] is the table of all settings. A setting is taken from
//! the first of [`PRECEDENCE`] that has it; lists are not joined.
//!
//! Relative paths start at the manifest's folder, those in flags and variables at the
//! working directory.

mod describe;
pub mod inherited;
mod layer;
mod manifest;
mod table;
mod value;
mod variables;

use std::path::{Path, PathBuf};

use anyhow::Context as _;

pub use self::describe::{environment, help, reference};
pub use self::inherited::Fate;
pub use self::layer::{PRECEDENCE, TABLE, UnknownKey};
pub use self::manifest::manifests;
pub use self::table::{Config, Layer, SETTINGS, Setting};
pub use self::value::{Aot, Plugin, Resolver, Tmp};
pub use self::variables::{SetBy, VARIABLES, Variable};
use crate::error::Result;

/// The folder that relative paths in variables start at: the user's working
/// directory. cargo starts tests in the package's.
pub(crate) const BASE_VARIABLE: &str = "CARGO_WASMEDGE_BASE";

impl Config {
    /// The first of `layers` that has a setting decides it.
    pub fn resolve(layers: impl IntoIterator<Item = Layer>) -> Config {
        layers.into_iter().fold(Layer::default(), Layer::or).into()
    }

    /// The settings for a program of the package in `package_dir`, from the
    /// process's environment and the manifests as they are on disk.
    ///
    /// # Errors
    /// A value of the wrong form. The message names the variable, or manifest and key.
    pub fn for_package(package_dir: Option<&Path>) -> Result<Config> {
        Config::for_package_with(Layer::default(), package_dir)
    }

    /// The same, with what flags say (see [`Layer::from_flags`]) before all else.
    ///
    /// # Errors
    /// Those of [`Config::for_package`].
    pub fn for_package_with(flags: Layer, package_dir: Option<&Path>) -> Result<Config> {
        let base = base()?;
        let environment = Layer::from_env(&base, |name| std::env::var_os(name))?;
        let mut layers = vec![flags, environment];
        if let Some(dir) = package_dir {
            for (manifest, root) in manifests(dir) {
                let text = std::fs::read_to_string(&manifest)
                    .with_context(|| format!("cannot read {}", manifest.display()))?;
                let (layer, _) = Layer::from_manifest(&text, root, &manifest)?;
                layers.push(layer);
            }
        }
        Ok(Config::resolve(layers))
    }
}

/// The folder that relative paths in flags and variables start at.
///
/// # Errors
/// The working directory is gone.
pub fn base() -> Result<PathBuf> {
    match std::env::var_os(BASE_VARIABLE) {
        Some(base) => Ok(base.into()),
        None => Ok(std::env::current_dir()?),
    }
}
