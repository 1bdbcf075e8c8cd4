//! The compiler, with what it needs for panics that unwind: a script in its place starts
//! this command, which starts it with more arguments.
//!
//! So the user's flags, of whatever source, stay theirs, and each crate is known with the
//! profile that it has: one with `panic = "abort"` is compiled so.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::error::Result;
use crate::fs::write_atomically;
use crate::process;
use crate::shell::quoted;
use crate::toolchain::rust::TARGET;

/// The hidden subcommand that the script starts.
pub const SUBCOMMAND: &str = "wasmedge-unwinding";

/// The instructions of the first proposal, which [`crate::wasm::unwind`] knows. All that
/// is linked has to agree.
const LEGACY: &str = "-Cllvm-args=-wasm-use-legacy-eh=true";

/// Writes a script into `folder` that takes the place of `tool`, a rustc or a rustdoc, with
/// the libraries in `sysroot`. It has the same name.
///
/// # Errors
/// It cannot be written.
pub fn write_wrapper(folder: &Path, tool: &Path, sysroot: &Path) -> Result<PathBuf> {
    let name = tool.file_name().context("a program without a name")?;
    let exe = std::env::current_exe().context("cannot tell the path of this program")?;
    let words = [exe.as_path(), tool, sysroot];
    let [exe, tool, sysroot] = words.map(|path| quoted(&path.to_string_lossy()));
    let script = format!(
        "#!/bin/sh\n# Made by cargo-wasmedge.\nexec {exe} {SUBCOMMAND} {tool} {sysroot} \"$@\"\n"
    );
    let path = folder.join(name);
    write_atomically(&path, script.as_bytes())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&path, mode)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(path)
}

/// Starts `args`: the tool, the libraries, and the tool's own arguments. Gives its exit
/// code.
///
/// # Errors
/// It cannot be started.
pub fn run(args: &[OsString]) -> Result<i32> {
    let [tool, sysroot, args @ ..] = args else {
        return Err(anyhow::anyhow!("no rustc to start").into());
    };
    let mut command = Command::new(tool);
    if let [arg] = args
        && arg == "-vV"
    {
        return version(command, Path::new(sysroot));
    }
    let call = Call::new(args);
    if let Some(level) = call.refused_level() {
        let name = call.name.as_deref().unwrap_or("a crate");
        eprintln!(
            "error: with `unwind`, {name} cannot be compiled at opt-level `{level}`: \
             at levels `s` and `z` compilers make code that drops values twice\n  \
             help: opt-level 3, 2 or 1 in its profile, or no `unwind`"
        );
        return Ok(1);
    }
    command.args(args);
    if call.is_for_target {
        command.arg("--sysroot").arg(sysroot);
        command.arg(LEGACY);
        if !call.is_set("panic") {
            command.arg("-Cpanic=unwind");
        }
    }
    process::replace(command)
}

/// What the compiler says of itself, and that these libraries are its own: cargo keeps
/// apart what compilers have made that say different things here.
fn version(mut command: Command, sysroot: &Path) -> Result<i32> {
    let output = command
        .arg("-vV")
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("cannot start rustc")?;
    let said = String::from_utf8_lossy(&output.stdout);
    let name = sysroot.file_name().unwrap_or_default().to_string_lossy();
    println!("{}\npanics for {TARGET}: unwind ({name})", said.trim_end());
    Ok(process::exit_code(output.status))
}

/// What of the arguments counts.
#[derive(Debug, Default)]
struct Call {
    is_for_target: bool,
    name: Option<String>,
    /// Each `-C KEY=VALUE`.
    codegen: Vec<(String, String)>,
}

impl Call {
    fn new(args: &[OsString]) -> Call {
        let mut call = Call::default();
        let mut args = texts(args).into_iter();
        while let Some(arg) = args.next() {
            if arg == "-O" {
                call.codegen.push(("opt-level".into(), "3".into()));
                continue;
            }
            let (flag, attached) = match arg.split_once('=') {
                Some((flag, value)) if flag.starts_with("--") => (flag, Some(value)),
                _ => match arg.strip_prefix("-C").filter(|value| !value.is_empty()) {
                    Some(value) => ("-C", Some(value)),
                    None => (arg.as_str(), None),
                },
            };
            if !matches!(flag, "--target" | "--crate-name" | "--codegen" | "-C") {
                continue;
            }
            let Some(value) = attached.map(str::to_owned).or_else(|| args.next()) else {
                break;
            };
            match flag {
                "--target" => call.is_for_target = value == TARGET,
                "--crate-name" => call.name = Some(value),
                _ => {
                    let (key, value) = value.split_once('=').unwrap_or((&value, ""));
                    call.codegen.push((key.to_owned(), value.to_owned()));
                }
            }
        }
        call
    }

    fn is_set(&self, key: &str) -> bool {
        self.codegen.iter().any(|(set, _)| set == key)
    }

    /// The level that it is optimised at, if that is one at which LLVM moves the reading
    /// of values past the call that throws. A crate that does not unwind has none.
    fn refused_level(&self) -> Option<&str> {
        let last = |key: &str| {
            let mut all = self.codegen.iter().rev();
            all.find(|(set, _)| set == key).map(|(_, value)| &**value)
        };
        let level = last("opt-level").filter(|level| matches!(*level, "s" | "z"))?;
        (self.is_for_target && last("panic") != Some("abort")).then_some(level)
    }
}

/// The arguments, those in files (`@file`, a line each) with them.
fn texts(args: &[OsString]) -> Vec<String> {
    let mut texts = Vec::new();
    for arg in args
        .iter()
        .map(OsString::as_os_str)
        .filter_map(OsStr::to_str)
    {
        match arg.strip_prefix('@').map(std::fs::read_to_string) {
            Some(Ok(text)) => texts.extend(text.lines().map(str::to_owned)),
            _ => texts.push(arg.to_owned()),
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(words: &str) -> Call {
        Call::new(&words.split(' ').map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn levels_for_size_are_refused_where_the_crate_unwinds() {
        for (words, refused) in [
            ("--target wasm32-wasip1 -C opt-level=s", Some("s")),
            ("--target=wasm32-wasip1 -Copt-level=z", Some("z")),
            ("--target wasm32-wasip1 --codegen opt-level=z", Some("z")),
            ("--target wasm32-wasip1 -C opt-level=3", None),
            ("--target wasm32-wasip1 -C opt-level=s -C opt-level=2", None),
            ("--target wasm32-wasip1 -C opt-level=s -O", None),
            ("--target wasm32-wasip1 -C opt-level=z -C panic=abort", None),
            ("--crate-name build_script_build -C opt-level=s", None),
            ("--target wasm32-unknown-unknown -C opt-level=s", None),
        ] {
            assert_eq!(call(words).refused_level(), refused, "{words}");
        }
    }

    #[test]
    fn a_profile_that_aborts_is_respected() {
        for words in ["-C panic=abort", "-Cpanic=abort", "--codegen=panic=abort"] {
            assert!(call(words).is_set("panic"), "{words}");
        }
        assert!(!call("-C opt-level=3 --cfg panic").is_set("panic"));
    }

    #[test]
    fn arguments_in_a_file_count() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("args");
        std::fs::write(&file, "--target\nwasm32-wasip1\n-C\nopt-level=s\n").unwrap();
        let call = call(&format!("--crate-name app @{}", file.display()));
        assert_eq!(call.refused_level(), Some("s"));
        assert_eq!(call.name.as_deref(), Some("app"));
    }
}
