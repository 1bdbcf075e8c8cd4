//! The linker, with our own words about what is undefined.
//!
//! rustc is given a script that starts this command, which starts the real linker. So
//! an undefined symbol is an error with every rustc, no flag of rustc's is needed, and
//! no `RUSTFLAGS` are changed: those would have everything built anew.

mod asked;
mod explain;
mod plain;
mod random;
mod start;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::error::Result;
use crate::fs;
use crate::shell::quoted;
use crate::toolchain::Env;
use crate::toolchain::rust::{LINKER_VARIABLE, RustToolchain, TARGET};

pub use plain::REMOVES_EXCEPTIONS_VARIABLE;
pub use random::WEAK_RANDOM_VARIABLE;
pub use start::start;

/// The hidden subcommand that the script starts.
pub const SUBCOMMAND: &str = "wasmedge-linker";

/// The variable that gives rustc the script, which is written into `folder`. `None`
/// where a configuration file of cargo's names a linker: the variable would replace it.
/// `archives` are linked behind all else.
///
/// # Errors
/// The script cannot be written.
pub fn linker_variable(
    toolchain: &RustToolchain,
    folder: &Path,
    archives: &[PathBuf],
) -> Result<Option<(String, OsString)>> {
    if !cfg!(unix) {
        return Ok(None);
    }
    let Some(real) = real(toolchain)? else {
        return Ok(None);
    };
    let exe = std::env::current_exe().context("cannot tell the path of this program")?;
    let script = write_script(&exe, &real, folder, archives)?;
    Ok(Some((LINKER_VARIABLE.to_owned(), script.into_os_string())))
}

/// Whether programs are linked by the script.
///
/// # Errors
/// The working directory no longer exists.
pub fn is_ours(toolchain: &RustToolchain) -> Result<bool> {
    Ok(cfg!(unix) && real(toolchain)?.is_some())
}

/// The linker that the script starts.
fn real(toolchain: &RustToolchain) -> Result<Option<PathBuf>> {
    Ok(match &toolchain.linker {
        Some(linker) => Some(linker.clone()),
        None if is_configured(&Env::of_process()?) => None,
        None => toolchain.own_linker(),
    })
}

/// Writes the script for the linker `real`. It has the same name: by that rustc tells
/// which arguments a linker takes.
fn write_script(exe: &Path, real: &Path, folder: &Path, archives: &[PathBuf]) -> Result<PathBuf> {
    let name = real.file_name().context("a linker without a name")?;
    let text = |path: &Path| quoted(&path.to_string_lossy());
    let (exe, real) = (text(exe), text(real));
    let archives: String = archives
        .iter()
        .map(|archive| format!(" {}", text(archive)))
        .collect();
    let script = format!(
        "#!/bin/sh\n# Made by cargo-wasmedge.\n\
         test -x {exe} && exec {exe} {SUBCOMMAND} {real} \"$@\"{archives}\n\
         exec {real} \"$@\"{archives}\n"
    );
    let path = folder.join(name);
    fs::write_script(&path, &script)?;
    Ok(path)
}

/// Whether a configuration file that cargo reads here names a linker for the target.
fn is_configured(env: &Env) -> bool {
    let home = match env.var("CARGO_HOME") {
        Some(home) => Some(PathBuf::from(home)),
        None => env.home().map(|home| home.join(".cargo")),
    };
    let folders = env.cwd().ancestors().map(|folder| folder.join(".cargo"));
    folders
        .chain(home)
        .flat_map(|folder| [folder.join("config.toml"), folder.join("config")])
        .filter_map(|file| std::fs::read_to_string(file).ok())
        // One that cannot be read is for cargo to complain of.
        .filter_map(|text| text.parse::<toml::Table>().ok())
        .any(|config| {
            let target = config.get("target").and_then(|all| all.get(TARGET));
            target.and_then(|target| target.get("linker")).is_some()
        })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_linker_of_the_users_configuration_is_seen() {
        let temp = tempfile::tempdir().unwrap();
        let app = temp.path().join("workspace/app");
        let home = temp.path().join("home");
        let env = Env::empty(&app).with("CARGO_HOME", home.as_os_str());
        let config = |folder: &Path, text: &str| {
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(folder.join("config.toml"), text).unwrap();
        };
        let ours = "[target.wasm32-wasip1]\nlinker = \"my-ld\"\n";
        assert!(!is_configured(&env));
        config(&app.join(".cargo"), "[target.x]\nlinker = \"ld\"\n[build");
        config(&app.join(".cargo"), "[target.x]\nlinker = \"ld\"\n");
        assert!(!is_configured(&env));
        config(&temp.path().join("workspace/.cargo"), ours);
        assert!(is_configured(&env));
        std::fs::remove_dir_all(temp.path().join("workspace/.cargo")).unwrap();
        assert!(!is_configured(&env));
        config(&home, ours);
        assert!(is_configured(&env));
    }

    #[test]
    fn without_this_command_the_script_is_the_linker() {
        let temp = tempfile::tempdir().unwrap();
        let real = temp.path().join("the real/wasm-ld");
        std::fs::create_dir_all(real.parent().unwrap()).unwrap();
        std::fs::write(&real, "#!/bin/sh\necho \"real $*\"\n").unwrap();
        let mode: std::fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&real, mode).unwrap();
        let gone = temp.path().join("gone");
        let script = write_script(
            &gone,
            &real,
            &temp.path().join("linker"),
            &["/a b.a".into()],
        )
        .unwrap();
        assert_eq!(script.file_name(), real.file_name());
        let output = std::process::Command::new(script)
            .args(["-flavor", "wasm"])
            .output()
            .unwrap();
        assert_eq!(output.stdout, b"real -flavor wasm /a b.a\n");
    }
}
