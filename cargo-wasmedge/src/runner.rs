//! What cargo starts in the place of a built program: finds WasmEdge, compiles
//! ahead of time where that pays, and becomes WasmEdge.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};

use crate::config::{Aot, Config, Resolver, Tmp};
use crate::error::Result;
use crate::shell::Shell;
use crate::toolchain::wasmedge::{self, WasmEdge};
use crate::toolchain::{Dirs, Env};
use crate::{aot, names, random};

/// The hidden subcommand that cargo is given as runner.
pub const SUBCOMMAND: &str = "wasmedge-runner";

/// Tells the runner which WasmEdge was found, so that it need not look again
/// for every test.
pub const FOUND_VARIABLE: &str = "CARGO_WASMEDGE_FOUND";

/// Content of [`FOUND_VARIABLE`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Found {
    /// The setting that it was found for.
    wanted: Option<String>,
    program: PathBuf,
    version: Version,
}

/// The WasmEdge for the setting `wasmedge`: a version, or a program.
///
/// # Errors
/// [`crate::error::Error::NotSetUp`] when there is none.
pub fn find_wasmedge(dirs: &Dirs, wanted: Option<&str>) -> Result<WasmEdge> {
    let env = Env::of_process()?.without(wasmedge::PROGRAM_VARIABLE);
    match wanted {
        None => wasmedge::find_in(dirs, &env, None),
        Some(text) => match text.parse::<VersionReq>() {
            Ok(req) => wasmedge::find_in(dirs, &env, Some(&req)),
            Err(_) => {
                let env = env.with(wasmedge::PROGRAM_VARIABLE, text);
                wasmedge::find_in(dirs, &env, None)
            }
        },
    }
}

/// The variable that tells the runner of `found`.
pub fn found_variable(wanted: Option<&str>, found: &WasmEdge) -> (String, OsString) {
    let found = Found {
        wanted: wanted.map(str::to_owned),
        program: found.program.clone(),
        version: found.version.clone(),
    };
    let json = serde_json::to_string(&found).unwrap_or_default();
    (FOUND_VARIABLE.to_owned(), json.into())
}

/// Runs `args` (the program and its arguments) under WasmEdge. On Unix this
/// process becomes WasmEdge, so the guest's exit code and signals are direct.
///
/// # Errors
/// [`crate::error::Error::NotSetUp`] without WasmEdge; a setting of the wrong form.
pub fn run(args: &[OsString], shell: &Shell) -> Result<i32> {
    let Some((program, args)) = args.split_first() else {
        return Err(anyhow::anyhow!("{SUBCOMMAND} needs the program to run").into());
    };
    let program = Path::new(program);
    if !program.is_file() {
        return Err(anyhow::anyhow!("no such program: {}", program.display()).into());
    }
    crate::lockfile::program_starts();
    let dirs = Dirs::new()?;
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let config = Config::for_package(package.as_deref())?;
    let wasmedge = handed_down(config.wasmedge.as_deref())
        .map_or_else(|| find_wasmedge(&dirs, config.wasmedge.as_deref()), Ok)?;

    let compiled = match config.aot {
        Aot::Never => None,
        Aot::Auto if is_debug(program) => None,
        Aot::Auto | Aot::Always => match aot::cached(&wasmedge, program, &dirs.aot(), shell)? {
            Ok(compiled) => Some(compiled),
            Err(why) => {
                shell.warn(format_args!(
                    "{} cannot be compiled ahead of time and is interpreted: {why:#}",
                    program.file_name().unwrap_or_default().to_string_lossy()
                ));
                None
            }
        },
    };
    let mut command = Command::new(&wasmedge.program);
    if compiled.is_some() && wasmedge.needs_run_mode_aot() {
        command.args(["--run-mode", "aot"]);
    }
    command.args(host_args(
        &config,
        program,
        &Host::of_process(&config, &dirs)?,
    ));
    if config.allow_af_unix {
        command.arg("--allow-af-unix");
        // It warns, on the program's standard output, of each datagram whose sender
        // has no name.
        if wasmedge.has_log_level() {
            command.args(["--log-level", "error"]);
        }
    }
    command.args(&config.wasmedge_args);
    command
        .arg(compiled.as_deref().unwrap_or(program))
        .args(args);
    shell.command(&command);
    crate::cargo::replace(command)
}

/// The WasmEdge that `cargo wasmedge` found for the same setting.
fn handed_down(wanted: Option<&str>) -> Option<WasmEdge> {
    let json = std::env::var(FOUND_VARIABLE).ok()?;
    let found: Found = serde_json::from_str(&json).ok()?;
    (found.wanted.as_deref() == wanted && found.program.is_file()).then_some(WasmEdge {
        program: found.program,
        version: found.version,
        origin: crate::toolchain::Origin::Configured,
    })
}

/// Whether cargo built it with a profile that does not optimise, as far as its
/// folder tells: `TARGET/debug/x.wasm`, `TARGET/debug/deps/x.wasm`.
fn is_debug(program: &Path) -> bool {
    let mut folders = program.ancestors().skip(1).filter_map(Path::file_name);
    let folder =
        folders.find(|name| *name != OsStr::new("deps") && *name != OsStr::new("examples"));
    folder == Some(OsStr::new("debug"))
}

/// What of the host is handed to the guest.
#[derive(Debug, Clone, Default)]
struct Host {
    cwd: PathBuf,
    tmp: PathBuf,
    env: BTreeMap<String, String>,
    /// Whether it has [`random::KERNEL_FOLDER`].
    makes_uuids: bool,
    /// Copies of `/etc/hosts` and `/etc/resolv.conf`, if the guest is to have them.
    names: Option<PathBuf>,
}

impl Host {
    fn of_process(config: &Config, dirs: &Dirs) -> Result<Host> {
        Ok(Host {
            names: match config.resolver {
                Resolver::Dns => names::copies(Path::new("/"), &dirs.names()),
                Resolver::Host => None,
            },
            cwd: std::env::current_dir()?,
            tmp: std::env::temp_dir(),
            makes_uuids: random::kernel_makes_uuids(Path::new("/")),
            // A variable that is not Unicode cannot be an argument of WasmEdge's.
            env: std::env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
        })
    }
}

/// `--dir` and `--env` arguments.
fn host_args(config: &Config, program: &Path, host: &Host) -> Vec<String> {
    let mut dirs: BTreeMap<String, String> = BTreeMap::new();
    let mut add = |dir: String| {
        let guest = dir.split(':').next().unwrap_or_default().to_owned();
        dirs.insert(guest, dir);
    };
    // wasi-libc looks a relative path up in the preopen that is called `.`, an
    // absolute one in the preopen whose name is its longest prefix. The host's
    // side stays `.`: it may be a path with a colon, which `--dir` splits at.
    add(".:.".to_owned());
    if let Some(cwd) = named(&host.cwd) {
        add(cwd);
    }
    // Integration tests are told of `CARGO_TARGET_TMPDIR` when they are compiled.
    if let Some(folder) = target_tmp(program).and_then(|folder| named(&folder)) {
        add(folder);
    }
    let tmp = match &config.tmp {
        Tmp::Host => Some(&host.tmp),
        Tmp::Dir(dir) => Some(dir),
        Tmp::None => None,
    };
    let tmp = tmp.filter(|dir| dir.is_dir());
    if let Some(dir) = tmp.and_then(|dir| named(dir)) {
        add(dir);
    }
    if host.makes_uuids {
        add(format!("{0}:{0}:readonly", random::KERNEL_FOLDER));
    }
    config.dirs.iter().cloned().for_each(&mut add);
    // Where the guest sees the host's own /etc, it reads that.
    if let Some(copies) = host.names.as_ref().and_then(|folder| folder.to_str())
        && !copies.contains(':')
        && ![names::FOLDER, "/"]
            .iter()
            .any(|dir| dirs.contains_key(*dir))
    {
        let dir = format!("{}:{copies}:readonly", names::FOLDER);
        dirs.insert(names::FOLDER.to_owned(), dir);
    }

    let mut env: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &host.env {
        if is_passed_on(name) {
            env.insert(name.clone(), value.clone());
        }
    }
    if let Some(dir) = tmp {
        env.insert("TMPDIR".to_owned(), dir.to_string_lossy().into_owned());
    }
    if config.weak_random {
        env.insert(random::WEAK_VARIABLE.to_owned(), "1".to_owned());
    }
    for entry in &config.env {
        match entry.split_once('=') {
            Some((name, value)) => {
                env.insert(name.to_owned(), value.to_owned());
            }
            None => {
                if let Some(value) = host.env.get(entry) {
                    env.insert(entry.clone(), value.clone());
                }
            }
        }
    }
    let dirs = dirs.into_values().flat_map(|dir| ["--dir".to_owned(), dir]);
    let env = env
        .into_iter()
        .flat_map(|(name, value)| ["--env".to_owned(), format!("{name}={value}")]);
    dirs.chain(env).collect()
}

/// A folder under its own name; `None` when `--dir` cannot express it.
fn named(folder: &Path) -> Option<String> {
    let text = folder.to_str().filter(|text| !text.contains(':'))?;
    Some(format!("{text}:{text}"))
}

/// `TARGET_DIR/tmp` for `TARGET_DIR/wasm32-wasip1/PROFILE/deps/x.wasm`.
fn target_tmp(program: &Path) -> Option<PathBuf> {
    let program = std::path::absolute(program).ok()?;
    let target = program
        .ancestors()
        .find(|folder| folder.file_name() == Some(OsStr::new(crate::toolchain::rust::TARGET)))?;
    let folder = target.parent()?.join("tmp");
    folder.is_dir().then_some(folder)
}

/// Variables that every guest gets: what cargo and test runners tell programs.
/// Not all of `CARGO_*`: tokens for registries are among them.
fn is_passed_on(name: &str) -> bool {
    const NAMES: [&str; 7] = [
        "CARGO_BIN_NAME",
        "CARGO_CRATE_NAME",
        "CARGO_MANIFEST_DIR",
        "CARGO_MANIFEST_PATH",
        "CARGO_PRIMARY_PACKAGE",
        "CARGO_TARGET_TMPDIR",
        "NEXTEST",
    ];
    const PREFIXES: [&str; 4] = ["RUST_", "CARGO_PKG_", "CARGO_BIN_EXE_", "NEXTEST_"];
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_folder_tells_debug_builds() {
        let debug = |path: &str| is_debug(Path::new(path));
        assert!(debug("target/wasm32-wasip1/debug/app.wasm"));
        assert!(debug("/a/target/wasm32-wasip1/debug/deps/app-1.wasm"));
        assert!(debug("target/wasm32-wasip1/debug/examples/app.wasm"));
        assert!(!debug("target/wasm32-wasip1/release/app.wasm"));
        assert!(!debug("target/wasm32-wasip1/release/deps/app-1.wasm"));
        assert!(!debug("/debug/target/wasm32-wasip1/release/app.wasm"));
        assert!(!debug("app.wasm"));
    }

    fn host() -> Host {
        let env = [
            ("RUST_LOG", "debug"),
            ("CARGO_PKG_NAME", "app"),
            ("CARGO_REGISTRY_TOKEN", "secret"),
            ("HOME", "/home/me"),
            ("FOO", "bar baz"),
        ];
        Host {
            cwd: "/work dir/app".into(),
            tmp: "/".into(),
            makes_uuids: true,
            names: Some("/cache/names/1".into()),
            env: env.map(|(name, value)| (name.into(), value.into())).into(),
        }
    }

    #[test]
    fn the_guest_gets_the_working_directory_and_chosen_variables() {
        let config = Config {
            env: vec!["FOO".into(), "NEW=a=b".into(), "ABSENT".into()],
            dirs: vec!["data:/srv/data:readonly".into()],
            ..Config::default()
        };
        let args = host_args(&config, Path::new("app.wasm"), &host());
        assert_eq!(
            args.join("|"),
            "--dir|.:.|--dir|/:/|--dir|/proc/sys/kernel/random:/proc/sys/kernel/random:readonly|\
             --dir|/work dir/app:/work dir/app|--dir|data:/srv/data:readonly|\
             --env|CARGO_PKG_NAME=app|--env|FOO=bar baz|--env|NEW=a=b|--env|RUST_LOG=debug|--env|TMPDIR=/"
        );
    }

    #[test]
    fn a_configured_dir_takes_the_place_of_ours() {
        let config = Config {
            dirs: vec![".:/elsewhere".into()],
            tmp: Tmp::None,
            weak_random: true,
            ..Config::default()
        };
        let mut host = host();
        host.makes_uuids = false;
        host.cwd = "/with:colon".into();
        host.env.clear();
        let args = host_args(&config, Path::new("app.wasm"), &host);
        assert_eq!(
            args.join("|"),
            "--dir|.:/elsewhere|--dir|/etc:/cache/names/1:readonly|--env|WASMEDGE_WEAK_RANDOM=1"
        );
    }

    #[test]
    fn a_guest_that_sees_the_hosts_etc_gets_no_copies() {
        for dir in ["/etc:/etc", "/etc:/mine:readonly", "/:/"] {
            let config = Config {
                dirs: vec![dir.into()],
                tmp: Tmp::None,
                ..Config::default()
            };
            let args = host_args(&config, Path::new("app.wasm"), &host()).join("|");
            assert!(!args.contains("/cache/names"), "{args}");
        }
    }
}
