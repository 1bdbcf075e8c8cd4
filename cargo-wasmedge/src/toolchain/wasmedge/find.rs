//! Finding WasmEdge.

use std::path::{Path, PathBuf};

use semver::{Version, VersionReq};

use crate::error::{Error, Result};
use crate::toolchain::debian::installed::installations;
use crate::toolchain::dirs::Dirs;
use crate::toolchain::env::Env;
use crate::toolchain::find::{Origin, not_set_up};
use crate::toolchain::process::{self, VERSION_LIMIT};

/// Names a `wasmedge` program to use in preference to all others.
pub const PROGRAM_VARIABLE: &str = "CARGO_WASMEDGE_WASMEDGE";

/// The oldest WasmEdge that is used. Older ones drop hang-up events, which
/// makes a reactor spin.
pub const OLDEST: Version = Version::new(0, 14, 1);

/// A WasmEdge that was found and starts.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct WasmEdge {
    /// The program (or the wrapper script that starts it).
    pub program: PathBuf,
    /// Its version.
    pub version: Version,
    /// Where it was found.
    pub origin: Origin,
}

impl WasmEdge {
    /// Whether a program compiled ahead of time is run as such only with
    /// `--run-mode aot`. Since 0.17.0; earlier versions do it unasked and do
    /// not know the flag.
    pub fn needs_run_mode_aot(&self) -> bool {
        // A release candidate of 0.17.0 is a 0.17.
        (self.version.major, self.version.minor) >= (0, 17)
    }

    /// Whether it knows `--log-level`. Since 0.17.0.
    pub fn has_log_level(&self) -> bool {
        self.needs_run_mode_aot()
    }
}

/// Finds a WasmEdge: the one that `CARGO_WASMEDGE_WASMEDGE` names, `wasmedge`
/// on `PATH`, the one in its installer's folder (`~/.wasmedge/bin`), then
/// those that set-up installed, newest first. With `wanted`, the first in this
/// order whose version matches.
///
/// Each candidate is started once with `--version`.
///
/// # Errors
/// [`Error::NotSetUp`] when there is none, or when the variable names a
/// program that does not work.
pub fn find(dirs: &Dirs, wanted: Option<&VersionReq>) -> Result<WasmEdge> {
    find_in(dirs, &Env::of_process()?, wanted)
}

/// [`find`] in a given environment.
///
/// # Errors
/// As [`find`].
pub fn find_in(dirs: &Dirs, env: &Env, wanted: Option<&VersionReq>) -> Result<WasmEdge> {
    look(dirs, env, wanted).map_err(|refused| match refused {
        Refused::Configured(what) => Error::NotSetUp {
            what,
            mend: format!("set {PROGRAM_VARIABLE} to a wasmedge program, or unset it"),
        },
        Refused::All(reasons) => not_found(dirs, wanted, &reasons),
    })
}

/// Why no WasmEdge will do.
#[derive(Debug)]
pub(super) enum Refused {
    /// The one that the variable names does not work. No other is looked for:
    /// the user said which.
    Configured(String),
    /// Each of those that are there, with the reason.
    All(Vec<String>),
}

/// [`find_in`], with the reasons as they were found.
pub(super) fn look(
    dirs: &Dirs,
    env: &Env,
    wanted: Option<&VersionReq>,
) -> Result<WasmEdge, Refused> {
    let mut refused = Vec::new();
    for (program, origin) in candidates(dirs, env) {
        let reason = match probe(env, &program, origin) {
            Ok(found) if found.version < OLDEST => {
                format!("{} is too old: {OLDEST} or newer is needed", found.version)
            }
            Ok(found) => match wanted {
                Some(wanted) if !wanted.matches(&found.version) => {
                    format!("is {}, wanted is {}", found.version, plain(wanted))
                }
                _ => return Ok(found),
            },
            Err(reason) => reason,
        };
        if origin == Origin::Configured && wanted.is_none() {
            return Err(Refused::Configured(format!(
                "{PROGRAM_VARIABLE} names no usable WasmEdge: {}: {reason}",
                program.display()
            )));
        }
        refused.push(format!("{} ({origin}): {reason}", program.display()));
    }
    Err(Refused::All(refused))
}

/// Every WasmEdge that starts and is new enough, in the order of [`find`].
///
/// # Errors
/// Only when the process's working directory no longer exists.
pub fn all(dirs: &Dirs) -> Result<Vec<WasmEdge>> {
    Ok(all_in(dirs, &Env::of_process()?))
}

/// [`all`] in a given environment.
pub fn all_in(dirs: &Dirs, env: &Env) -> Vec<WasmEdge> {
    candidates(dirs, env)
        .into_iter()
        .filter_map(|(program, origin)| probe(env, &program, origin).ok())
        .filter(|found| found.version >= OLDEST)
        .collect()
}

/// A requirement as a user writes it: `0.17.1`, not `^0.17.1`.
pub(crate) fn plain(wanted: &VersionReq) -> String {
    wanted.to_string().trim_start_matches('^').to_owned()
}

/// The program within an installed folder.
pub(super) fn program_in(folder: &Path) -> PathBuf {
    folder.join("bin/wasmedge")
}

fn candidates(dirs: &Dirs, env: &Env) -> Vec<(PathBuf, Origin)> {
    let mut found = Vec::new();
    if let Some(program) = env.var(PROGRAM_VARIABLE) {
        // Left as it is when it does not exist: starting it gives the reason.
        let program = env.which(program).unwrap_or_else(|| program.into());
        found.push((program, Origin::Configured));
    }
    if let Some(program) = env.which("wasmedge") {
        found.push((program, Origin::Path));
    }
    if let Some(home) = env.home() {
        let program = home.join(".wasmedge/bin/wasmedge");
        let again = found.iter().any(|(other, _)| *other == program);
        if program.is_file() && !again {
            found.push((program, Origin::Installer));
        }
    }
    for (folder, _) in installations(&dirs.wasmedge()) {
        found.push((program_in(&folder), Origin::Private));
    }
    found
}

pub(super) fn probe(env: &Env, program: &Path, origin: Origin) -> Result<WasmEdge, String> {
    let mut command = env.command(program);
    command.arg("--version");
    let answer = process::ask(&mut command, VERSION_LIMIT)
        .map_err(|error| format!("cannot be started: {error}"))?;
    if !answer.success() {
        return Err(format!("does not work: {}", answer.why()));
    }
    match parse_version(&answer.stdout) {
        Some(version) => Ok(WasmEdge {
            program: program.to_owned(),
            version,
            origin,
        }),
        None => Err("gives no version".to_owned()),
    }
}

/// The version in what `wasmedge --version` prints: `wasmedge version 0.14.1`,
/// with the name it was started under in front and plugins' versions below.
fn parse_version(text: &str) -> Option<Version> {
    let line = text.lines().next()?;
    let mut words = line.split_whitespace();
    words.find(|word| *word == "version")?;
    Version::parse(words.next()?.trim_start_matches('v')).ok()
}

fn not_found(dirs: &Dirs, wanted: Option<&VersionReq>, reasons: &[String]) -> Error {
    let (which, mend) = match wanted.map(plain) {
        Some(wanted) => (
            format!("WasmEdge {wanted}"),
            format!("cargo wasmedge setup --wasmedge '{wanted}'"),
        ),
        None => ("WasmEdge".to_owned(), "cargo wasmedge setup".to_owned()),
    };
    let what = format!(
        "no {which} found (looked at {PROGRAM_VARIABLE}, PATH, ~/.wasmedge/bin and {})",
        dirs.wasmedge().display()
    );
    not_set_up(what, reasons, mend)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_lines() {
        let of = |text| parse_version(text).map(|version| version.to_string());
        assert_eq!(of("wasmedge version 0.14.1\n"), Some("0.14.1".into()));
        assert_eq!(
            of("wasmedge-0.17.1 version 0.17.1\n (plugin \"wasi_logging\") version 0.1.0.0\n"),
            Some("0.17.1".into())
        );
        assert_eq!(
            of("wasmedge version 0.15.0-rc.1"),
            Some("0.15.0-rc.1".into())
        );
        assert_eq!(
            of("wasmedge version 0.14.1-12-gabc"),
            Some("0.14.1-12-gabc".into())
        );
        assert_eq!(of(""), None);
        assert_eq!(of("usage: wasmedge"), None);
        assert_eq!(of("version"), None);
    }

    #[test]
    fn run_mode_from_0_17_on() {
        let with = |version: &str| {
            let version = version.parse().unwrap();
            let (program, origin) = (PathBuf::new(), Origin::Path);
            WasmEdge {
                program,
                version,
                origin,
            }
            .needs_run_mode_aot()
        };
        assert!(!with("0.14.1"));
        assert!(!with("0.16.9"));
        assert!(with("0.17.0-rc.1"));
        assert!(with("0.17.0"));
        assert!(with("1.0.0"));
    }
}
