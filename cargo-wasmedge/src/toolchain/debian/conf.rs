//! The files that make apt work in a folder of our own.

use std::fs;
use std::path::{Path, PathBuf};

use super::machine::Machine;

/// A folder in which apt keeps all that it would keep in the system's: one for
/// each suite, so that their lists do not mix.
#[derive(Debug)]
pub(super) struct AptFolder(PathBuf);

impl AptFolder {
    pub fn new(folder: PathBuf) -> AptFolder {
        AptFolder(folder)
    }

    /// The downloaded indexes.
    pub fn lists(&self) -> PathBuf {
        self.0.join("state/lists")
    }

    /// The downloaded packages.
    pub fn archives(&self) -> PathBuf {
        self.0.join("cache/archives")
    }

    /// An archive folder that stays empty.
    pub fn no_archives(&self) -> PathBuf {
        self.0.join("cache/none")
    }

    /// The hashes that packages must have.
    pub fn sums(&self) -> PathBuf {
        self.0.join("SHA256SUMS")
    }

    /// The last file that apt reads when it is named with `-c`.
    pub fn configuration(&self) -> PathBuf {
        self.0.join("apt.conf")
    }

    /// Writes the configuration for one suite of one mirror.
    ///
    /// # Errors
    /// I/O, and a path that cannot be written down in apt's syntax.
    pub fn write(&self, machine: &Machine, mirror: &str, suite: &str) -> Result<(), String> {
        if self.0.to_string_lossy().contains(['"', '\n', '\\']) {
            return Err(format!(
                "apt cannot work in {}: set CARGO_WASMEDGE_HOME to a folder without quotes and backslashes",
                self.0.display()
            ));
        }
        let write = || -> std::io::Result<()> {
            for folder in [
                "state/lists/partial",
                "cache/archives/partial",
                "cache/none/partial",
                "etc/empty",
                "log",
            ] {
                fs::create_dir_all(self.0.join(folder))?;
            }
            let Machine {
                keyring,
                architecture,
                ..
            } = machine;
            fs::write(self.0.join("etc/preferences"), "")?;
            fs::write(
                self.0.join("etc/sources.list"),
                sources_list(architecture, keyring, mirror, suite),
            )?;
            fs::write(
                self.0.join("state/status"),
                status_of_the_machine(architecture),
            )?;
            fs::write(self.configuration(), apt_conf(&self.0, architecture))
        };
        write().map_err(|error| format!("{}: {error}", self.0.display()))
    }
}

fn sources_list(architecture: &str, keyring: &Path, mirror: &str, suite: &str) -> String {
    format!(
        "deb [arch={architecture} signed-by={} lang=none targets=Packages] {mirror} {suite} main\n",
        keyring.display()
    )
}

fn apt_conf(folder: &Path, architecture: &str) -> String {
    let folder = folder.display();
    format!(
        r##"#clear APT::Update;
#clear APT::Default-Release;
#clear APT::Architectures;
#clear AptCli::Hooks;
#clear DPkg;
APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
APT::Install-Recommends "false";
APT::Install-Suggests "false";
APT::Sandbox::User "root";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
Acquire::ForceHash "SHA256";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
APT::Keep-Downloaded-Packages "true";
Binary::apt-get::APT::Keep-Downloaded-Packages "true";
Dir::State "{folder}/state/";
Dir::State::lists "{folder}/state/lists/";
Dir::State::status "{folder}/state/status";
Dir::Cache "{folder}/cache/";
Dir::Cache::archives "{folder}/cache/archives/";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "srcpkgcache.bin";
Dir::Log "{folder}/log/";
Dir::Etc::sourcelist "{folder}/etc/sources.list";
Dir::Etc::sourceparts "{folder}/etc/empty/";
Dir::Etc::preferences "{folder}/etc/preferences";
Dir::Etc::preferencesparts "{folder}/etc/empty/";
Dir::Etc::trusted "{folder}/etc/trusted.gpg";
Dir::Etc::trustedparts "{folder}/etc/empty/";
"##
    )
}

/// The status file: nothing is installed but the machine's own C compiler,
/// whatever it is called. Linking for the host is done with the machine's `cc`; a
/// C compiler in a private prefix would not find its own parts.
fn status_of_the_machine(architecture: &str) -> String {
    let provided = [
        ("gcc", "c-compiler"),
        ("binutils", "elf-binutils"),
        ("libc6-dev", "libc-dev"),
    ];
    provided
        .iter()
        .map(|(package, provides)| {
            format!(
                "Package: {package}\nStatus: install ok installed\nPriority: optional\n\
                 Section: devel\nMaintainer: cargo-wasmedge\nArchitecture: {architecture}\n\
                 Version: 99:0\nProvides: {provides}\nDescription: the machine's own\n\n"
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_shuts_the_machines_hooks_and_lists_out() {
        let conf = apt_conf(Path::new("/cache/apt/sid"), "arm64");
        for line in [
            "#clear APT::Update;",
            "#clear DPkg;",
            "Dir::State::status \"/cache/apt/sid/state/status\";",
            "Dir::Etc::sourceparts \"/cache/apt/sid/etc/empty/\";",
            "APT::Architectures { \"arm64\"; };",
        ] {
            assert!(
                conf.lines().any(|other| other == line),
                "{line} in:\n{conf}"
            );
        }
    }
}
