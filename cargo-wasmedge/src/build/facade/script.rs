//! The wrapper that cargo starts in the place of rustc.
//!
//! A script, because it is started for every crate of the graph, and most of them are
//! no business of ours: the shell lets those pass in a millisecond. A wrapper of the
//! user's, such as sccache, is started behind it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::rustc::SUBCOMMAND;
use crate::error::Result;
use crate::fs::write_atomically;
use crate::shell::quoted;

/// cargo's variable for the wrapper.
pub(super) const VARIABLE: &str = "RUSTC_WRAPPER";

/// Writes the wrapper for the packages in `folders` below `state`, and gives its path.
///
/// # Errors
/// I/O; the path of this program is unknown.
pub(super) fn write(folders: &[PathBuf], state: &Path) -> Result<PathBuf> {
    let path = state.join("facade").join("rustc");
    let program = std::env::current_exe().context("cannot tell the path of this program")?;
    let users = users_wrapper().filter(|users| *users != path);
    write_atomically(&path, text(folders, &program, users.as_deref()).as_bytes())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
    }
    Ok(path)
}

fn text(folders: &[PathBuf], program: &Path, users: Option<&Path>) -> String {
    let word = |path: &Path| quoted(&path.to_string_lossy());
    let users = users.map_or_else(String::new, |users| word(users) + " ");
    // A quoted word is no pattern: all of its characters stand for themselves.
    let ours: Vec<String> = folders.iter().map(|folder| word(folder)).collect();
    format!(
        "#!/bin/sh\n\
         # Made by cargo-wasmedge: names the std facade to rustc for these packages.\n\
         case \"$CARGO_MANIFEST_DIR\" in\n\
         {}) exec {} {SUBCOMMAND} {users}\"$@\";;\n\
         esac\n\
         exec {users}\"$@\"\n",
        ours.join("|"),
        word(program),
    )
}

/// The wrapper that cargo would start without us.
fn users_wrapper() -> Option<PathBuf> {
    match cargo_config2::Config::load() {
        Ok(config) => config.build.rustc_wrapper,
        // cargo says what is wrong with its configuration.
        Err(_) => std::env::var_os(VARIABLE)
            .filter(|wrapper| !wrapper.is_empty())
            .map(PathBuf::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_shell_stand_for_themselves() {
        let folders = ["/a b/*".into(), "/it's".into()];
        let script = text(&folders, Path::new("/the program"), Some(Path::new("/s c")));
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("rustc");
        std::fs::write(&path, script.replace("exec ", "echo ")).unwrap();
        let said = |folder: &str| {
            let mut command = std::process::Command::new("sh");
            command.arg(&path).args(["rustc", "-v V"]);
            let output = command.env("CARGO_MANIFEST_DIR", folder).output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            text.lines().next().unwrap().to_owned()
        };
        let ours = format!("/the program {SUBCOMMAND} /s c rustc -v V");
        assert_eq!(said("/a b/*"), ours);
        assert_eq!(said("/it's"), ours);
        assert_eq!(said("/a b/c"), "/s c rustc -v V");
    }
}
