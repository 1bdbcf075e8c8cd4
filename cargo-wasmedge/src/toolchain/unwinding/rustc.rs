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
use crate::fs::write_script;
use crate::process;
use crate::shell::quoted;
use crate::toolchain::rust::TARGET;

/// The hidden subcommand that the script starts.
pub const SUBCOMMAND: &str = "wasmedge-unwinding";

/// What LLVM is told. All that is linked has to agree.
///
/// * The instructions of the first proposal, which [`crate::wasm::unwind`] knows.
/// * What a loop takes into its next round is written behind a call that may throw, in a
///   block that the call ends. Without the second option it is written in the block of the
///   call, and the pass of LLVM's that orders a block for wasm's stack moves what it is made
///   of there, too. A handler that reads that finds the round before: an element of a list
///   whose destructor panics is dropped twice, and the next never (docs/unwinding.md).
/// * What `catch_unwind` is made of stays a function of its own. Inlined into another one, it
///   has that one's variables come together where panics are caught, and what a destructor
///   behind that has of them LLVM forgets: it is dropped with whatever value there is.
const LLVM: &str = "-Cllvm-args=-wasm-use-legacy-eh=true -phi-elim-split-all-critical-edges \
                    -force-attribute=__rust_try:noinline";

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
    write_script(&path, &script)?;
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
    command.args(args);
    if call.is_for_target {
        command.arg("--sysroot").arg(sysroot);
        command.arg(LLVM);
        if !call.names_panics {
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
    /// Whether `-C panic` says what a panic does.
    names_panics: bool,
}

impl Call {
    fn new(args: &[OsString]) -> Call {
        let mut call = Call::default();
        let mut args = texts(args).into_iter();
        while let Some(arg) = args.next() {
            let (flag, attached) = match arg.split_once('=') {
                Some((flag, value)) if flag.starts_with("--") => (flag, Some(value)),
                _ => match arg.strip_prefix("-C").filter(|value| !value.is_empty()) {
                    Some(value) => ("-C", Some(value)),
                    None => (arg.as_str(), None),
                },
            };
            if !matches!(flag, "--target" | "--codegen" | "-C") {
                continue;
            }
            let Some(value) = attached.map(str::to_owned).or_else(|| args.next()) else {
                break;
            };
            match flag {
                "--target" => call.is_for_target = value == TARGET,
                _ => call.names_panics |= value.starts_with("panic="),
            }
        }
        call
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
    fn a_profile_that_aborts_is_respected() {
        for words in ["-C panic=abort", "-Cpanic=abort", "--codegen=panic=abort"] {
            assert!(call(words).names_panics, "{words}");
        }
        assert!(!call("-C opt-level=3 --cfg panic").names_panics);
    }

    #[test]
    fn arguments_in_a_file_count() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("args");
        std::fs::write(&file, "--target\nwasm32-wasip1\n-C\npanic=abort\n").unwrap();
        let call = call(&format!("--crate-name app @{}", file.display()));
        assert!(call.is_for_target && call.names_panics);
        assert!(!Call::new(&[]).is_for_target);
    }
}
