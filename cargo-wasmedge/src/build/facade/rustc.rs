//! What the wrapper does for a package on the facade: rustc is started with
//! `--extern std=…`, which is what `std` then means in the crate, from the prelude to
//! the paths that macros write.
//!
//! The facade must be the very one that the crate's dependencies use, or its types
//! are others. A crate's metadata names the files of all crates below it, so the
//! metadata of the dependencies tells which one that is. A crate with no dependency
//! that leads to the facade gets the one that was built before.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::error::Result;
use crate::process;
use crate::toolchain::rust::TARGET;

/// The hidden subcommand that the wrapper starts.
pub const SUBCOMMAND: &str = "wasmedge-rustc";

/// The facade's crate.
pub(super) const CRATE: &str = "wasmedge_std";

/// The variable with the facade that was built before, without the extension: as
/// `cargo build` makes it, or as `cargo check` does.
pub(super) fn variable(checks: bool) -> &'static str {
    match checks {
        false => "WASMEDGE_STD_FACADE_BUILT",
        true => "WASMEDGE_STD_FACADE_CHECKED",
    }
}

/// Runs `args`: a program, which is rustc or a further wrapper of it, and its
/// arguments. Gives its exit code.
///
/// # Errors
/// It cannot be started; the facade is nowhere.
pub fn run(args: &[OsString]) -> Result<i32> {
    let (program, args) = args.split_first().context("no rustc to start")?;
    let mut command = Command::new(program);
    command.args(args);
    // Build scripts start the wrapper, too, to try what rustc can do.
    let of_cargo = std::env::var_os("CARGO_CRATE_NAME").is_some();
    let call = Call::new(args);
    if !of_cargo || !call.is_for_target {
        return process::replace(command);
    }
    let facade = facade(&call)?;
    let mut external = OsString::from("std=");
    external.push(&facade.path);
    command.arg("--extern").arg(external);
    if let Some(folder) = facade.path.parent() {
        let mut folder_arg = OsString::from("dependency=");
        folder_arg.push(folder);
        command.arg("-L").arg(folder_arg);
    }
    if !facade.built_before {
        return process::replace(command);
    }
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", program.to_string_lossy()))?;
    if status.success() {
        call.remember(variable(call.checks()))?;
    }
    Ok(process::exit_code(status))
}

/// A facade that was found.
#[derive(Debug, PartialEq, Eq)]
struct Facade {
    path: PathBuf,
    built_before: bool,
}

fn facade(call: &Call) -> Result<Facade> {
    let candidates = call.candidates();
    if let Some(used) = call.used(&candidates)? {
        return Ok(Facade {
            path: used.with_extension(call.extension()),
            built_before: false,
        });
    }
    if let Some(stem) = std::env::var_os(variable(call.checks())) {
        let path = PathBuf::from(stem).with_extension(call.extension());
        let is_same = call.out_dir.as_deref().map(profile_folder) == Some(profile_folder(&path));
        if is_same && path.is_file() {
            return Ok(Facade {
                path,
                built_before: true,
            });
        }
    }
    Err(anyhow::anyhow!(
        "the std facade is not built for this profile yet\n  \
         help: `cargo wasmedge build` with the same flags builds it, and then the app"
    )
    .into())
}

/// What of rustc's arguments counts.
#[derive(Debug, Default)]
struct Call {
    is_for_target: bool,
    is_test: bool,
    crate_types: Vec<String>,
    crate_name: Option<String>,
    emit: String,
    extra_filename: Option<String>,
    out_dir: Option<PathBuf>,
    externs: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Call {
    fn new(args: &[OsString]) -> Call {
        let mut call = Call::default();
        let mut args = args.iter().filter_map(|arg| arg.to_str());
        while let Some(arg) = args.next() {
            let (flag, attached) = match arg.split_once('=') {
                Some((flag, value)) if flag.starts_with("--") => (flag, Some(value)),
                _ => (arg, None),
            };
            if flag == "--test" {
                call.is_test = true;
            }
            if !matches!(
                flag,
                "--target"
                    | "--crate-type"
                    | "--crate-name"
                    | "--emit"
                    | "--out-dir"
                    | "--extern"
                    | "-C"
                    | "-L"
            ) {
                continue;
            }
            let Some(value) = attached.or_else(|| args.next()) else {
                break;
            };
            let (key, path) = value.split_once('=').unwrap_or((value, ""));
            match flag {
                "--target" => call.is_for_target = value == TARGET,
                "--crate-type" => call.crate_types.push(value.to_owned()),
                "--crate-name" => call.crate_name = Some(value.to_owned()),
                "--emit" => value.clone_into(&mut call.emit),
                "--out-dir" => call.out_dir = Some(value.into()),
                "--extern" if !path.is_empty() => call.externs.push(path.into()),
                "-C" if key == "extra-filename" => call.extra_filename = Some(path.to_owned()),
                "-L" if key == "dependency" => call.folders.push(path.into()),
                _ => {}
            }
        }
        call
    }

    /// Whether nothing is built but metadata.
    fn checks(&self) -> bool {
        !self.emit.split(',').any(|kind| kind == "link")
    }

    /// What rustc has to be given: a program is linked, a library only needs to
    /// know what there is, and its dependencies may not be compiled to the end yet.
    fn extension(&self) -> &'static str {
        let is_linked = |kind: &String| !matches!(kind.as_str(), "lib" | "rlib");
        let links = self.is_test || self.crate_types.iter().any(is_linked);
        match links && !self.checks() {
            true => "rlib",
            false => "rmeta",
        }
    }

    /// All facades that lie where rustc looks for crates: other builds have left
    /// theirs there.
    fn candidates(&self) -> Vec<PathBuf> {
        let files = self
            .folders
            .iter()
            .filter_map(|folder| folder.read_dir().ok());
        let files = files.flatten().flatten().map(|entry| entry.path());
        files
            .filter(|path| path.extension() == Some(OsStr::new("rmeta")))
            .filter(|path| hash(path).is_some())
            .collect()
    }

    /// The candidate that a dependency is, or is built on.
    fn used<'a>(&self, candidates: &'a [PathBuf]) -> Result<Option<&'a Path>> {
        if candidates.is_empty() {
            return Ok(None);
        }
        let is_itself = |path: &&PathBuf| {
            let mut stems = self.externs.iter().map(|library| library.file_stem());
            stems.any(|stem| stem == path.file_stem())
        };
        if let Some(found) = candidates.iter().find(is_itself) {
            return Ok(Some(found));
        }
        for library in &self.externs {
            // The metadata is in both, and the file with nothing else is shorter.
            let metadata = library.with_extension("rmeta");
            let file = if metadata.is_file() {
                &metadata
            } else {
                library
            };
            let bytes =
                std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
            let is_named = |path: &&PathBuf| {
                let hash = hash(path).unwrap_or_default();
                memchr::memmem::find(&bytes, hash.as_bytes()).is_some()
            };
            if let Some(found) = candidates.iter().find(is_named) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Has cargo compile the crate again when the variable changes: adds it to the
    /// list that rustc has written of what the crate was made from.
    fn remember(&self, variable: &str) -> Result<()> {
        let (Some(folder), Some(name)) = (&self.out_dir, &self.crate_name) else {
            return Ok(());
        };
        let extra = self.extra_filename.as_deref().unwrap_or_default();
        let path = folder.join(format!("{name}{extra}.d"));
        let value = std::env::var(variable).unwrap_or_default();
        let failed = || format!("cannot write {}", path.display());
        let file = std::fs::File::options().append(true).open(&path);
        let mut file = file.with_context(failed)?;
        writeln!(
            file,
            "\n# env-dep:{variable}={}",
            value.replace('\\', "\\\\")
        )
        .with_context(failed)?;
        Ok(())
    }
}

/// The folder of a profile that something was built into: the one below the target's.
fn profile_folder(path: &Path) -> &Path {
    let mut folders = path.ancestors();
    let inside = |folder: &&Path| {
        folder
            .parent()
            .is_some_and(|parent| parent.ends_with(TARGET))
    };
    folders.find(inside).unwrap_or(path)
}

/// What tells a facade from others: `-0123456789abcdef` of
/// `libwasmedge_std-0123456789abcdef.rmeta`.
fn hash(path: &Path) -> Option<&str> {
    let stem = path.file_stem()?.to_str()?;
    let hash = stem.strip_prefix("lib")?.strip_prefix(CRATE)?;
    (hash.len() > 8 && hash.starts_with('-')).then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(words: &str) -> Call {
        Call::new(&words.split(' ').map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_linked_gets_the_library_and_all_else_the_metadata() {
        let link = "--emit=dep-info,metadata,link";
        for (words, extension, checks) in [
            (format!("--crate-type lib {link}"), "rmeta", false),
            (format!("--crate-type bin {link}"), "rlib", false),
            (format!("--crate-type lib --test {link}"), "rlib", false),
            (format!("--test {link}"), "rlib", false),
            (
                format!("--crate-type lib --crate-type cdylib {link}"),
                "rlib",
                false,
            ),
            (
                "--crate-type bin --emit=dep-info,metadata".into(),
                "rmeta",
                true,
            ),
            ("--test --emit=dep-info,metadata".into(), "rmeta", true),
        ] {
            let call = call(&words);
            assert_eq!(
                (call.extension(), call.checks()),
                (extension, checks),
                "{words}"
            );
        }
    }

    #[test]
    fn only_calls_for_the_target_count() {
        assert!(call("--crate-name app --target wasm32-wasip1").is_for_target);
        assert!(!call("--crate-name app").is_for_target);
        assert!(!call("--crate-name app --target x86_64-unknown-linux-gnu").is_for_target);
    }

    #[test]
    fn a_facade_of_another_profile_is_told_apart() {
        let folder = |path: &'static str| profile_folder(Path::new(path));
        let debug = folder("/t/wasm32-wasip1/debug/deps/libwasmedge_std-1.rlib");
        assert_eq!(debug, Path::new("/t/wasm32-wasip1/debug"));
        assert_eq!(debug, folder("/t/wasm32-wasip1/debug/build/app/1/out"));
        assert_ne!(debug, folder("/t/wasm32-wasip1/release/deps"));
    }

    #[test]
    fn the_facade_is_the_one_that_a_dependency_names() {
        let temp = tempfile::tempdir().unwrap();
        let path = |name: &str| temp.path().join(name);
        for old_or_new in ["0000000000000001", "0000000000000002", "0000000000000003"] {
            std::fs::write(path(&format!("libwasmedge_std-{old_or_new}.rmeta")), "").unwrap();
        }
        std::fs::write(path("libplain-1.rmeta"), "nothing").unwrap();
        std::fs::write(
            path("libtokio-1.rlib"),
            "no metadata beside it: -0000000000000002",
        )
        .unwrap();
        let words = |library: &str| {
            let folder = temp.path().display();
            format!(
                "-L dependency={folder} --extern plain={folder}/libplain-1.rmeta \
                 --extern priv:{library}={folder}/lib{library}-1.rlib"
            )
        };
        let found = call(&words("tokio"));
        let candidates = found.candidates();
        assert_eq!(candidates.len(), 3);
        let expected = path("libwasmedge_std-0000000000000002.rmeta");
        assert_eq!(found.used(&candidates).unwrap(), Some(expected.as_path()));
        assert_eq!(call(&words("plain")).used(&candidates).unwrap(), None);
        let itself = format!(
            "--extern wasmedge_std={}",
            path("libwasmedge_std-0000000000000003.rmeta").display()
        );
        let expected = path("libwasmedge_std-0000000000000003.rmeta");
        let found = call(&itself);
        assert_eq!(found.used(&candidates).unwrap(), Some(expected.as_path()));
    }
}
