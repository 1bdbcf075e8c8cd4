//! What cargo is started with where panics unwind: a compiler with other libraries, and a
//! linker that removes exception handling from what it has linked.

use std::path::Path;

use super::Cargo;
use super::linker::{REMOVES_EXCEPTIONS_VARIABLE, is_ours};
use crate::error::Result;
use crate::toolchain::Dirs;
use crate::toolchain::rust::LINKER_VARIABLE;
use crate::toolchain::unwinding::{Unwinding, rustc};

/// The cargo with a compiler whose panics unwind. The compiler's script is written into
/// `folder`.
///
/// # Errors
/// [`crate::error::Error::NotSetUp`] without the libraries. A configuration file of cargo's
/// names a linker, which would leave exceptions in the programs. The script cannot be
/// written.
pub fn unwinding(cargo: Cargo, dirs: &Dirs, folder: &Path) -> Result<Cargo> {
    let toolchain = cargo.toolchain();
    let Unwinding { sysroot } = Unwinding::find(dirs, toolchain)?;
    if !is_ours(toolchain)? {
        return Err(anyhow::anyhow!(
            "with `unwind`, programs are linked by `cargo wasmedge`, and a configuration file \
             of cargo's names another linker for the target\n  \
             help: {LINKER_VARIABLE} in the environment instead of it, or no `unwind`"
        )
        .into());
    }
    let wrapper = |tool: &Path| rustc::write_wrapper(folder, tool, &sysroot);
    let rustdoc = match &toolchain.rustdoc {
        Some(rustdoc) => rustdoc.clone(),
        None => toolchain.rustc.with_file_name("rustdoc"),
    };
    let mut variables = vec![
        ("RUSTC", wrapper(&toolchain.rustc)?.into_os_string()),
        (REMOVES_EXCEPTIONS_VARIABLE, "1".into()),
    ];
    if rustdoc.is_file() {
        variables.push(("RUSTDOC", wrapper(&rustdoc)?.into_os_string()));
    }
    let variables = variables.into_iter();
    let variables = variables.map(|(name, value)| (name.to_owned(), value));
    Ok(cargo.with(variables.collect()))
}
