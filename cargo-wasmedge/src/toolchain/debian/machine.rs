//! What apt needs on this machine to download Debian's packages.

use std::path::PathBuf;
use std::time::Duration;

use crate::toolchain::env::Env;
use crate::toolchain::process;

use super::mirrors;

/// Where Debian's keyring may be; the older name first.
const KEYRINGS: [&str; 3] = [
    "usr/share/keyrings/debian-archive-keyring.gpg",
    "usr/share/keyrings/debian-archive-keyring.pgp",
    "usr/share/keyrings/debian-archive-keyring.asc",
];

/// How long dpkg and apt may take to say how they are configured. They read
/// local files only; apt's may be many and on a cold disk.
const ANSWER: Duration = Duration::from_secs(120);

/// A machine that can download and unpack Debian's packages.
#[derive(Debug)]
pub(super) struct Machine {
    pub keyring: PathBuf,
    /// In Debian's words, such as `amd64`.
    pub architecture: String,
    /// Of Debian, as named by the machine's own apt configuration.
    pub mirrors: Vec<String>,
}

impl Machine {
    /// # Errors
    /// Why Debian's packages cannot be had on this machine.
    pub fn find(env: &Env) -> Result<Machine, String> {
        for program in ["apt-get", "dpkg", "dpkg-deb", "sha256sum"] {
            if env.which(program).is_none() {
                return Err(format!("no {program} on PATH"));
            }
        }
        let keyring = KEYRINGS
            .iter()
            .map(|path| env.root().join(path))
            .find(|path| path.is_file())
            .ok_or("no keyring of Debian's in /usr/share/keyrings")?;
        let architecture = ask(env, "dpkg", &["--print-architecture"])?;
        Ok(Machine {
            keyring,
            architecture: architecture.trim().to_owned(),
            mirrors: find_mirrors(env)?,
        })
    }
}

fn find_mirrors(env: &Env) -> Result<Vec<String>, String> {
    let format = "$(ORIGIN)|$(LABEL)|$(RELEASE)|$(SITE)";
    let targets = ask(
        env,
        "apt-get",
        &["indextargets", "--format", format, "Created-By: Packages"],
    )?;
    let mut mirrors = mirrors::of_targets(&targets);
    if mirrors.is_empty() {
        // Where no lists were downloaded yet, indextargets prints nothing.
        mirrors = mirrors::of_uris(&ask(env, "apt-get", &["update", "--print-uris"])?);
    }
    if mirrors.is_empty() {
        return Err("apt's sources name no mirror of Debian".to_owned());
    }
    Ok(mirrors)
}

fn ask(env: &Env, program: &str, args: &[&str]) -> Result<String, String> {
    let answer = process::ask(env.command(program).args(args), ANSWER)
        .map_err(|error| format!("{program} cannot be started: {error}"))?;
    if answer.success() {
        Ok(answer.stdout)
    } else {
        Err(format!("{program} failed: {}", answer.why()))
    }
}
