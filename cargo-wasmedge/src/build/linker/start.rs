//! The linker is started: every undefined symbol is an error, and where panics unwind
//! what is written is without exception handling.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context as _;
use tempfile::TempPath;

use super::asked::askers;
use super::explain::explain;
use super::plain::{REMOVES_EXCEPTIONS_VARIABLE, remove_exceptions};
use super::random;
use crate::error::Result;
use crate::process::exit_code;

/// rustc before 1.96 puts this in front of what is linked (with `-Wl,` where a C
/// compiler links): an undefined symbol becomes an import, and the program fails when
/// it is loaded.
const ALLOW: &str = "--allow-undefined";

/// How the names of wasi-libc's libraries begin that emulate something. A crate's build
/// script may ask for one.
const EMULATED: &str = "wasi-emulated-";

/// Where a toolchain has the C library that it links.
const SELF_CONTAINED: &str = "self-contained";

/// Starts `args`, the linker first, and gives its exit code. What it says of undefined
/// symbols is said in the user's terms, too. C code that would make keys of the host's
/// random numbers is refused.
///
/// # Errors
/// It cannot be started.
pub fn start(args: &[OsString]) -> Result<i32> {
    let (linker, args) = args.split_first().context("no linker to start")?;
    // Its files are there until it ends.
    let (args, _files) = adapted(args)?;
    let is_accepted = std::env::var_os(random::WEAK_RANDOM_VARIABLE).is_some();
    let answer = match random::can_be_asked(&args) && !is_accepted {
        true => Some(
            tempfile::NamedTempFile::new()
                .context("no temporary file")?
                .into_temp_path(),
        ),
        false => None,
    };
    let output = Command::new(linker)
        .args(&args)
        .args(answer.as_deref().map(random::ask))
        .stdin(Stdio::null())
        .stdout(Stdio::inherit())
        .stderr(Stdio::piped())
        .output()
        .with_context(|| format!("cannot start {}", Path::new(linker).display()))?;
    let mut err = std::io::stderr().lock();
    // With stderr closed there is nobody to tell.
    let _ = err.write_all(&output.stderr);
    if !output.status.success()
        && let Some(explanation) = explain(&String::from_utf8_lossy(&output.stderr), |library| {
            askers(&args, library)
        })
    {
        let _ = err.write_all(explanation.as_bytes());
    }
    if output.status.success()
        && let Some(answer) = answer.and_then(|file| std::fs::read_to_string(file).ok())
        && let Some(refusal) = random::judge(&answer)
    {
        let _ = err.write_all(refusal.as_bytes());
        return Ok(1);
    }
    if output.status.success()
        && std::env::var_os(REMOVES_EXCEPTIONS_VARIABLE).is_some()
        && let Err(why) = remove_exceptions(&args)
    {
        let _ = writeln!(err, "cargo wasmedge: {why:#}");
        return Ok(1);
    }
    Ok(exit_code(output.status))
}

/// The arguments without rustc's own [`ALLOW`]. One of the user's stands behind what is
/// linked, and stays. A library goes that is given as an archive anyway ([`EMULATED`]):
/// it is in none of the folders that rustc knows. The target's own folder comes first
/// ([`own_libraries_first`]). Arguments may be in a file (`@file`), a
/// line each: when there are many, rustc does that.
fn adapted(args: &[OsString]) -> Result<(Vec<OsString>, Vec<TempPath>)> {
    let given: Vec<String> = args.iter().filter_map(|arg| library_of(arg)).collect();
    let goes = |arg: &OsStr, inputs: &mut bool| {
        is_rustcs(arg, inputs) || given.iter().any(|library| arg == library.as_str())
    };
    let mut kept = Vec::new();
    let mut files = Vec::new();
    let mut inputs = false;
    for arg in args {
        if let Some(file) = arg.to_str().and_then(|arg| arg.strip_prefix('@')) {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("cannot read {file}, the linker's arguments"))?;
            let mut lines: Vec<&str> = text
                .lines()
                .filter(|line| !goes(line.as_ref(), &mut inputs))
                .collect();
            own_libraries_first(&mut lines);
            if !lines.iter().copied().eq(text.lines()) {
                let mut copy = tempfile::NamedTempFile::new().context("no temporary file")?;
                let written = copy.write_all((lines.join("\n") + "\n").as_bytes());
                written.context("cannot write a temporary file")?;
                let copy = copy.into_temp_path();
                let mut arg = OsString::from("@");
                arg.push(&copy);
                kept.push(arg);
                files.push(copy);
                continue;
            }
        } else if goes(arg, &mut inputs) {
            continue;
        }
        kept.push(arg.clone());
    }
    own_libraries_first(&mut kept);
    Ok((kept, files))
}

/// Has the target's own libraries looked for before all others. A build script that asks the
/// machine names the machine's folder, which has a `libc.a` as well.
fn own_libraries_first<T: AsRef<OsStr>>(args: &mut [T]) {
    let is_search = |arg: &T| arg.as_ref() == "-L";
    let is_own = |pair: &[T]| is_search(&pair[0]) && Path::new(&pair[1]).ends_with(SELF_CONTAINED);
    let first = args.iter().position(is_search);
    let own = args.windows(2).position(is_own);
    if let (Some(first), Some(own)) = (first, own) {
        args[first..own + 2].rotate_right(2);
    }
}

/// `-lwasi-emulated-NAME` for the archive of that library.
fn library_of(arg: &OsStr) -> Option<String> {
    let name = Path::new(arg).file_name()?.to_str()?;
    let name = name.strip_prefix("lib")?.strip_suffix(".a")?;
    name.starts_with(EMULATED).then(|| format!("-l{name}"))
}

/// Whether it is the flag, in front of all inputs. `inputs` is whether one was seen.
fn is_rustcs(arg: &OsStr, inputs: &mut bool) -> bool {
    let text = arg.to_string_lossy();
    *inputs |= [".o", ".rlib", ".a"].iter().any(|end| text.ends_with(end));
    !*inputs && text.strip_prefix("-Wl,").unwrap_or(&text) == ALLOW
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(args: &[&str]) -> Vec<String> {
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        let (kept, files) = adapted(&args).unwrap();
        assert!(files.is_empty());
        kept.into_iter()
            .map(|arg| arg.into_string().unwrap())
            .collect()
    }

    #[test]
    fn rustcs_own_flag_goes_and_the_users_stays() {
        let rustcs = ["-flavor", "wasm", "--allow-undefined", "--no-demangle"];
        assert_eq!(kept(&rustcs), ["-flavor", "wasm", "--no-demangle"]);
        assert_eq!(
            kept(&["-Wl,--allow-undefined", "a.o"]),
            ["a.o"],
            "with a C compiler that links"
        );
        let users = ["-flavor", "wasm", "crt1.o", "--allow-undefined"];
        assert_eq!(kept(&users), users);
        let both = ["--allow-undefined", "a.rlib", "--allow-undefined"];
        assert_eq!(kept(&both), ["a.rlib", "--allow-undefined"]);
    }

    #[test]
    fn a_library_that_is_given_as_an_archive_is_not_looked_for() {
        let archive = "/c/libwasi-emulated-signal.a";
        let asked = ["-lwasi-emulated-signal", "-lwasi-emulated-mman", "-lz"];
        assert_eq!(
            kept(&[&asked[..], &[archive]].concat()),
            [&asked[1..], &[archive]].concat()
        );
        assert_eq!(kept(&asked), asked, "without the archives it is missing");
    }

    #[test]
    fn the_targets_own_libraries_come_before_the_machines() {
        let own = "/rust/lib/rustlib/wasm32-wasip1/lib/self-contained";
        let args = ["a.o", "-L", "/usr/lib/x86_64-linux-gnu", "-L", own, "-lc"];
        let ordered = ["a.o", "-L", own, "-L", "/usr/lib/x86_64-linux-gnu", "-lc"];
        assert_eq!(kept(&args), ordered);
        assert_eq!(kept(&ordered), ordered);
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("args");
        std::fs::write(&file, args.join("\n") + "\n").unwrap();
        let arg = OsString::from(format!("@{}", file.display()));
        let (_, files) = adapted(&[arg]).unwrap();
        let text = std::fs::read_to_string(&files[0]).unwrap();
        assert_eq!(text, ordered.join("\n") + "\n");
        let none = ["-L", "/usr/lib"];
        assert_eq!(kept(&none), none);
    }

    #[test]
    fn arguments_in_a_file_count() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("args");
        std::fs::write(&file, "--export\nf\n--allow-undefined\na\\ b.o\n").unwrap();
        let arg = OsString::from(format!("@{}", file.display()));
        let (kept, files) = adapted(&["-flavor".into(), arg.clone()]).unwrap();
        assert_eq!(kept[0], "-flavor");
        let text = std::fs::read_to_string(&files[0]).unwrap();
        assert_eq!(text, "--export\nf\na\\ b.o\n");
        assert_eq!(
            kept[1].to_string_lossy(),
            format!("@{}", files[0].display())
        );
        // One without the flag is used as it is.
        std::fs::write(&file, "a.o\n--allow-undefined\n").unwrap();
        let (kept, files) = adapted(std::slice::from_ref(&arg)).unwrap();
        assert_eq!((kept, files.len()), (vec![arg], 0));
    }
}
