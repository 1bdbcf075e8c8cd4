//! Which folders of the host a program sees.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use super::arguments::Arguments;
use super::certificates::{self, Certificates};
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
    /// Whether it has [`random::KERNEL_FOLDER`].
    makes_uuids: bool,
    /// Copies of `/etc/hosts` and `/etc/resolv.conf`, if the guest is to have them.
    names: Option<PathBuf>,
    /// The certificates of authorities.
    certificates: Option<Certificates>,
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
            certificates: Certificates::of_process(config, &dirs.certificates()),
        })
    }

    /// Variables that have to name other places than on the host.
    pub(super) fn variables(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let certificates = self.certificates.iter();
        certificates.flat_map(|certificates| certificates.variables.iter().copied())
    }

    /// The folder for temporary files.
    pub(super) fn tmp<'a>(&'a self, config: &'a Config) -> Option<&'a Path> {
        let folder: &Path = match &config.tmp {
            Tmp::Host => &self.tmp,
            Tmp::Dir(dir) => dir,
            Tmp::None => return None,
        };
        folder.is_dir().then_some(folder)
    }
}

/// `--dir` arguments.
pub(super) fn dir_args(config: &Config, program: &Path, host: &HostFacts) -> Arguments {
    let mut dirs: BTreeMap<OsString, OsString> = BTreeMap::new();
    let mut add = |guest: &OsStr, dir: OsString| {
        dirs.insert(guest.to_owned(), dir);
    };
    // wasi-libc looks a relative path up in the preopen that is called `.`, an
    // absolute one in the preopen whose name is its longest prefix. The host's
    // side stays `.`: it may be a path with a colon, which `--dir` splits at.
    add(".".as_ref(), ".:.".into());
    // Integration tests are told of `CARGO_TARGET_TMPDIR` when they are compiled.
    let target_tmp = target_tmp(program);
    let folders = [Some(&*host.cwd), target_tmp.as_deref(), host.tmp(config)];
    for folder in folders.into_iter().flatten() {
        if let Some(dir) = named(folder) {
            add(folder.as_os_str(), dir);
        }
    }
    if host.makes_uuids {
        let folder = random::KERNEL_FOLDER;
        add(
            folder.as_ref(),
            format!("{folder}:{folder}:readonly").into(),
        );
    }
    for dir in &config.dirs {
        let (guest, rest) = dir.split_at(dir.find(':').unwrap_or(dir.len()));
        let mut told = told(Path::new(guest)).unwrap_or_else(|| guest.into());
        told.push(rest);
        add(guest.as_ref(), told);
    }
    // Where the guest sees the host's own /etc, it reads that.
    if let Some(copies) = host.names.as_ref().filter(|copies| !has_colon(copies))
        && ![names::FOLDER, "/"]
            .iter()
            .any(|dir| dirs.contains_key(OsStr::new(dir)))
    {
        dirs.insert(names::FOLDER.into(), read_only(names::FOLDER, copies));
    }
    if let Some(Certificates { folder, .. }) = &host.certificates
        && !has_colon(folder)
    {
        let dir = read_only(certificates::FOLDER, folder);
        dirs.insert(certificates::FOLDER.into(), dir);
    }
    let mut args = Arguments::default();
    for dir in dirs.into_values() {
        args.option("--dir", dir);
    }
    args
}

fn read_only(guest: &str, folder: &Path) -> OsString {
    let mut dir = OsString::from(guest);
    dir.push(":");
    dir.push(folder);
    dir.push(":readonly");
    dir
}

/// A folder under its own name; `None` when `--dir` cannot express it.
fn named(folder: &Path) -> Option<OsString> {
    if has_colon(folder) {
        return None;
    }
    let mut dir = told(folder)?;
    dir.push(":");
    dir.push(folder);
    Some(dir)
}

/// The folders of the setting `dirs` that no program can reach, since WasmEdge cannot be
/// told their name.
pub(super) fn unreachable(config: &Config) -> impl Iterator<Item = &str> {
    let guests = config.dirs.iter().filter_map(|dir| dir.split(':').next());
    guests.filter(|guest| told(Path::new(guest)).is_none())
}

/// How WasmEdge is told the guest's name of a folder. It leaves out the parts that begin
/// with a dot, so that `/tmp/.a` would be `/tmp`; but not the first one, and none where
/// the name begins with `./` and a part without a dot (0.14.1 and 0.17.1). wasi-libc takes
/// `./tmp/.a` for `/tmp/.a`. `None`: there is no such form.
pub(super) fn told(guest: &Path) -> Option<OsString> {
    let parts = guest.components().filter_map(|part| match part {
        Component::Normal(part) => Some(part),
        _ => None,
    });
    let is_hidden = |part: &OsStr| part.as_encoded_bytes().starts_with(b".");
    if !parts.clone().skip(1).any(is_hidden) {
        return Some(guest.as_os_str().to_owned());
    }
    if parts.clone().next().is_some_and(is_hidden) {
        return None;
    }
    let mut told = OsString::from(".");
    for part in parts {
        told.push("/");
        told.push(part);
    }
    Some(told)
}

fn has_colon(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().contains(&b':')
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

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> HostFacts {
        HostFacts {
            cwd: "/work dir/app".into(),
            tmp: "/".into(),
            makes_uuids: true,
            names: Some("/cache/names/1".into()),
            certificates: None,
        }
    }

    fn args(config: &Config, host: &HostFacts) -> String {
        let args = dir_args(config, Path::new("app.wasm"), host);
        let words: Vec<_> = args
            .all()
            .iter()
            .map(|word| word.to_str().unwrap())
            .collect();
        words.join("|")
    }

    #[test]
    fn the_guest_gets_the_working_directory_and_chosen_folders() {
        let config = Config {
            dirs: vec!["data:/srv/data:readonly".into()],
            ..Config::default()
        };
        assert_eq!(
            args(&config, &host()),
            "--dir|.:.|--dir|/:/|--dir|/proc/sys/kernel/random:/proc/sys/kernel/random:readonly|\
             --dir|/work dir/app:/work dir/app|--dir|data:/srv/data:readonly"
        );
    }

    #[test]
    fn a_configured_dir_takes_the_place_of_ours() {
        let config = Config {
            dirs: vec![".:/elsewhere".into()],
            tmp: Tmp::None,
            ..Config::default()
        };
        let mut host = host();
        host.makes_uuids = false;
        host.cwd = "/with:colon".into();
        assert_eq!(
            args(&config, &host),
            "--dir|.:/elsewhere|--dir|/etc:/cache/names/1:readonly"
        );
    }

    #[test]
    fn hidden_folders_have_names_that_wasmedge_keeps() {
        for (guest, expected) in [
            ("/tmp/.a", Some("./tmp/.a")),
            ("/home/me/.src/app/.d", Some("./home/me/.src/app/.d")),
            ("data/.d", Some("./data/.d")),
            ("/.a", Some("/.a")),
            (".a/b", Some(".a/b")),
            ("/a.b/c.", Some("/a.b/c.")),
            (".", Some(".")),
            ("/", Some("/")),
            ("/.a/.b", None),
        ] {
            let expected = expected.map(OsString::from);
            assert_eq!(told(Path::new(guest)), expected, "{guest}");
        }
        let config = Config {
            dirs: vec!["/srv/.d:/mine:readonly".into(), "/.a/.b:/mine".into()],
            tmp: Tmp::None,
            ..Config::default()
        };
        let mut host = host();
        host.cwd = "/home/me/.src".into();
        let args = args(&config, &host);
        for part in ["./home/me/.src:/home/me/.src|", "./srv/.d:/mine:readonly"] {
            assert!(args.contains(part), "{args}");
        }
        assert_eq!(unreachable(&config).collect::<Vec<_>>(), ["/.a/.b"]);
    }

    #[test]
    fn certificates_are_a_folder_of_their_own() {
        let config = Config {
            tmp: Tmp::None,
            ..Config::default()
        };
        let mut host = host();
        host.certificates = Some(Certificates {
            folder: "/cache/certificates/1".into(),
            variables: Vec::new(),
        });
        let args = args(&config, &host);
        let dir = "|--dir|/etc:/cache/names/1:readonly\
                   |--dir|/etc/ssl:/cache/certificates/1:readonly|";
        assert!(args.contains(dir), "{args}");
    }

    #[test]
    fn a_guest_that_sees_the_hosts_etc_gets_no_copies() {
        for dir in ["/etc:/etc", "/etc:/mine:readonly", "/:/"] {
            let config = Config {
                dirs: vec![dir.into()],
                tmp: Tmp::None,
                ..Config::default()
            };
            let args = args(&config, &host());
            assert!(!args.contains("/cache/names"), "{args}");
        }
    }
}
