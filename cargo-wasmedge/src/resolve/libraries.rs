//! C libraries that have to be built before the app, as its ports say.

use cargo_metadata::{Metadata, Package};
use semver::Version;

use crate::port::{Library, Port};

/// A package with the C library that it binds to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LibraryOf {
    /// The package.
    pub krate: String,
    /// Its version.
    pub version: Version,
    /// How the library is built.
    pub library: Library,
    /// The release of the library's sources that the app's own lockfile has. Without
    /// one, any that will do.
    pub locked: Option<Version>,
}

impl std::fmt::Display for LibraryOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.krate, self.version)
    }
}

/// Those of `covered`, which are packages with their ports.
pub(super) fn of(metadata: &Metadata, covered: &[(&Package, &Port)]) -> Vec<LibraryOf> {
    let locked = |library: &Library| {
        let packages = metadata.packages.iter();
        packages
            .filter(|package| package.name == library.source)
            .map(|package| &package.version)
            .filter(|version| library.version.matches(version))
            .max()
            .cloned()
    };
    let found = covered.iter().filter_map(|(package, port)| {
        let library = port.library(&package.version)?;
        Some(LibraryOf {
            krate: package.name.to_string(),
            version: package.version.clone(),
            locked: locked(library),
            library: library.clone(),
        })
    });
    found.collect()
}
