//! What of the host a program sees: folders and variables.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::names;
use crate::config::{Config, Resolver, Tmp};
use crate::error::Result;
use crate::random;
use crate::toolchain::Dirs;
use crate::toolchain::rust::TARGET;

/// What is known of the host that may be handed to the guest.
#[derive(Debug, Clone, Default)]
pub(super) struct HostFacts {
    cwd: PathBuf,
    tmp: PathBuf,
    env: BTreeMap<String, String>,
    /// Whether it has [`random::KERNEL_FOLDER`].
    makes_uuids: bool,
    /// Copies of `/etc/hosts` and `/etc/resolv.conf`, if the guest is to have them.
    names: Option<PathBuf>,
}

impl HostFacts {
    pub(super) fn of_process(config: &Config, dirs: &Dirs) -> Result<HostFacts> {
        Ok(HostFacts {
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
pub(super) fn host_args(config: &Config, program: &Path, host: &HostFacts) -> Vec<String> {
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
        .find(|folder| folder.file_name() == Some(OsStr::new(TARGET)))?;
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

    fn host() -> HostFacts {
        let env = [
            ("RUST_LOG", "debug"),
            ("CARGO_PKG_NAME", "app"),
            ("CARGO_REGISTRY_TOKEN", "secret"),
            ("HOME", "/home/me"),
            ("FOO", "bar baz"),
        ];
        HostFacts {
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
