//! The certificates of the authorities that the machine trusts, for programs that look
//! for them where they are on Linux.
//!
//! Where they are differs between systems, and in such a folder most names are links that
//! lead out of it, which no program in WasmEdge can follow. So it gets a folder with a
//! copy, read-only, as its `/etc/ssl`: under the names that OpenSSL and openssl-probe look
//! for. As natively, `SSL_CERT_FILE` and `SSL_CERT_DIR` of the user go first. The copies
//! lie in the cache, named by the files' size and age; programs that run at the same time
//! share them.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use sha2::{Digest as _, Sha256};

use crate::config::Config;
use crate::fs::write_atomically;

/// The folder's name in the guest.
pub(super) const FOLDER: &str = "/etc/ssl";

/// A file with all certificates, and a folder with a file for each.
const VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Where the guest finds what the user named with [`VARIABLES`].
const IN_GUEST: [&str; 2] = ["/etc/ssl/cert.pem", "/etc/ssl/users"];

/// The copies in [`IN_GUEST`] and [`ALSO`], in the folder.
pub(super) const FILE: &str = "cert.pem";
pub(super) const ALSO: &str = "certs/ca-certificates.crt";
const USERS: &str = "users";

/// What a program gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Certificates {
    /// The folder on the host.
    pub folder: PathBuf,
    /// Variables that name other places in the guest than on the host.
    pub variables: Vec<(&'static str, &'static str)>,
}

impl Certificates {
    /// Those of this machine. `None` where there are none, where the guest sees the host's
    /// own folder, and where no copies can be made.
    pub(super) fn of_process(config: &Config, cache: &Path) -> Option<Certificates> {
        let guests = config.dirs.iter().filter_map(|dir| dir.split(':').next());
        if guests
            .into_iter()
            .any(|dir| FOLDER == dir || ["/", "/etc"].contains(&dir))
        {
            return None;
        }
        let users = |name: &str| {
            let is_told = |entry: &String| entry.split('=').next() == Some(name);
            // A setting speaks of the guest's files.
            (config.inherit_env && !config.env.iter().any(is_told))
                .then(|| std::env::var_os(name))?
        };
        let file = openssl_probe::probe().cert_file;
        Certificates::copied(file.as_deref(), VARIABLES.map(users), cache)
    }

    /// Copies of `file` and of what `users` name: what the two variables hold.
    fn copied(
        file: Option<&Path>,
        users: [Option<OsString>; 2],
        cache: &Path,
    ) -> Option<Certificates> {
        let [users_file, users_folders] = users;
        let mut copies: Vec<(PathBuf, String)> = Vec::new();
        if let Some(file) = file {
            copies.push((file.to_owned(), FILE.to_owned()));
            copies.push((file.to_owned(), ALSO.to_owned()));
        }
        let mut variables = Vec::new();
        if let (Some(users), Some(file)) = (users_file, file)
            && Path::new(&users) == file
        {
            variables.push((VARIABLES[0], IN_GUEST[0]));
        }
        if let Some(folders) = users_folders {
            let found = std::env::split_paths(&folders).flat_map(|folder| hashed(&folder));
            let before = copies.len();
            copies.extend(found.map(|(path, name)| (path, format!("{USERS}/{name}"))));
            if copies.len() > before {
                variables.push((VARIABLES[1], IN_GUEST[1]));
            }
        }
        if copies.is_empty() {
            return None;
        }
        let folder = cache.join(name_of(&copies)?);
        // It has all of them: the last one was written last.
        let (_, last) = copies.last()?;
        if !folder.join(last).is_file() {
            for (path, name) in &copies {
                write_atomically(&folder.join(name), &fs::read(path).ok()?).ok()?;
            }
        }
        Some(Certificates { folder, variables })
    }
}

/// The files that OpenSSL looks for in such a folder: eight digits of a hash, and a number.
fn hashed(folder: &Path) -> Vec<(PathBuf, String)> {
    let is_hashed = |name: &OsStr| -> Option<String> {
        let name = name.to_str()?;
        let (hash, number) = name.split_once('.')?;
        let all =
            |text: &str, is: fn(&u8) -> bool| !text.is_empty() && text.bytes().all(|b| is(&b));
        let fits =
            hash.len() == 8 && all(hash, u8::is_ascii_hexdigit) && all(number, u8::is_ascii_digit);
        fits.then(|| name.to_owned())
    };
    let entries = folder.read_dir().into_iter().flatten().flatten();
    let mut found: Vec<_> = entries
        .filter_map(|entry| Some((entry.path(), is_hashed(&entry.file_name())?)))
        .filter(|(path, _)| path.is_file())
        .collect();
    found.sort();
    found
}

/// A name that changes with the files. Their content is not read: a program is to start
/// as fast as without.
fn name_of(copies: &[(PathBuf, String)]) -> Option<String> {
    let mut hash = Sha256::new();
    for (path, name) in copies {
        let meta = fs::metadata(path).ok()?;
        let age = meta.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        let path = path.as_os_str().as_encoded_bytes();
        for part in [path, name.as_bytes()] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash.update(meta.len().to_le_bytes());
        hash.update(age.as_nanos().to_le_bytes());
    }
    let hash = hash.finalize();
    Some(hash[..8].iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(folder: &Path, name: &str) -> String {
        fs::read_to_string(folder.join(name)).unwrap()
    }

    #[test]
    fn the_machines_file_is_where_programs_look_for_it() {
        let host = tempfile::tempdir().unwrap();
        let cache = tempfile::tempdir().unwrap();
        let file = host.path().join("ca-bundle.crt");
        fs::write(&file, "one").unwrap();
        let copied = |file| Certificates::copied(file, [None, None], cache.path());
        assert_eq!(copied(None), None);
        let first = copied(Some(&file)).unwrap();
        assert_eq!(read(&first.folder, "cert.pem"), "one");
        assert_eq!(read(&first.folder, "certs/ca-certificates.crt"), "one");
        assert_eq!(first.variables, []);
        assert_eq!(copied(Some(&file)), Some(first.clone()));

        fs::write(&file, "the next").unwrap();
        let second = copied(Some(&file)).unwrap();
        assert_ne!(second.folder, first.folder);
        assert_eq!(read(&second.folder, "cert.pem"), "the next");
    }

    #[test]
    fn the_users_own_are_copied_and_named_anew() {
        let host = tempfile::tempdir().unwrap();
        let cache = tempfile::tempdir().unwrap();
        let file = host.path().join("mine.pem");
        fs::write(&file, "mine").unwrap();
        let folder = host.path().join("hashed");
        fs::create_dir(&folder).unwrap();
        for name in ["0a775a30.0", "notes.txt", "0a775a3.0", "0a775a30.key"] {
            fs::write(folder.join(name), name).unwrap();
        }
        let users = [Some(file.clone().into()), Some(folder.clone().into())];
        let copied = Certificates::copied(Some(&file), users, cache.path()).unwrap();
        assert_eq!(
            copied.variables,
            [
                ("SSL_CERT_FILE", "/etc/ssl/cert.pem"),
                ("SSL_CERT_DIR", "/etc/ssl/users")
            ]
        );
        assert_eq!(read(&copied.folder, "cert.pem"), "mine");
        assert_eq!(read(&copied.folder, "users/0a775a30.0"), "0a775a30.0");
        let files = copied.folder.join("users").read_dir().unwrap();
        assert_eq!(files.count(), 1, "nothing else is handed out");
    }

    /// Natively nothing is found there, either.
    #[test]
    fn a_variable_that_names_nothing_stays() {
        let host = tempfile::tempdir().unwrap();
        let cache = tempfile::tempdir().unwrap();
        let gone = Some(host.path().join("gone").into_os_string());
        let users = || [gone.clone(), gone.clone()];
        assert_eq!(Certificates::copied(None, users(), cache.path()), None);
        let file = host.path().join("ca-bundle.crt");
        fs::write(&file, "one").unwrap();
        let copied = Certificates::copied(Some(&file), users(), cache.path()).unwrap();
        assert_eq!(copied.variables, []);
    }
}
