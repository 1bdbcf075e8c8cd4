//! The sources of a toolchain's std: those that are beside it, or Debian's package of the
//! same version where the toolchain is Debian's.

use std::fs;
use std::path::{Path, PathBuf};

use crate::toolchain::debian::install::{Checked, Debian};
use crate::toolchain::debian::installed::installations;
use crate::toolchain::debian::recipe;
use crate::toolchain::dirs::Dirs;
use crate::toolchain::find::Origin;
use crate::toolchain::rust::RustToolchain;

/// What helps where there are none. Debian keeps one version: the sources of an older
/// toolchain are gone.
pub(super) fn mend(toolchain: &RustToolchain) -> String {
    match toolchain.origin {
        Origin::Private => format!(
            "with a newer toolchain: delete {}, then: cargo wasmedge setup --unwind",
            toolchain
                .rustc
                .ancestors()
                .nth(2)
                .unwrap_or(&toolchain.sysroot)
                .display()
        ),
        _ => "rustup component add rust-src, then: cargo wasmedge setup --unwind".to_owned(),
    }
}

/// Where rustup and Debian have them, below a toolchain's folder and a package's.
const BELOW_LIB: &str = "rustlib/src/rust/library";

pub(super) struct Sources {
    /// The folder with std's workspace.
    pub library: PathBuf,
    /// The folder that was downloaded for this.
    ours: Option<PathBuf>,
}

impl Sources {
    /// Debian's, in a folder of ours.
    fn ours(folder: PathBuf) -> Sources {
        Sources {
            library: folder.join("usr/lib").join(BELOW_LIB),
            ours: Some(folder),
        }
    }

    /// They are large, and of no use once std is built.
    pub(super) fn delete_if_ours(&self) {
        if let Some(folder) = &self.ours {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// # Errors
/// Why there are none.
pub(super) fn find(
    dirs: &Dirs,
    debian: &Debian,
    toolchain: &RustToolchain,
) -> Result<Sources, String> {
    let beside = toolchain.sysroot.join("lib").join(BELOW_LIB);
    if is_std(&beside) {
        return Ok(Sources {
            library: beside,
            ours: None,
        });
    }
    if toolchain.origin != Origin::Private {
        return Err(format!("none in {}", beside.display()));
    }
    let wanted = &toolchain.rustc_version;
    // Those that a set-up had that did not get to its end.
    for (folder, installed) in installations(&dirs.sources()) {
        if installed.version == *wanted && is_std(&folder.join("usr/lib").join(BELOW_LIB)) {
            return Ok(Sources::ours(folder));
        }
    }
    let folder = debian.install(
        &recipe::RUST_SRC,
        |version| version == wanted,
        |folder, version| match is_std(&folder.join("usr/lib").join(BELOW_LIB)) {
            true => Ok(Checked {
                found: folder.to_owned(),
                name: format!("the sources of std {version}"),
                version,
            }),
            false => Err("it has no std".to_owned()),
        },
    )?;
    Ok(Sources::ours(folder))
}

fn is_std(library: &Path) -> bool {
    library.join("std/Cargo.toml").is_file() && library.join("sysroot/Cargo.toml").is_file()
}
