//! Debian's packages, downloaded with apt into folders of our own.
//!
//! apt gets its own lists, its own archive folder and its own status file, and
//! none of the machine's hooks; the machine's proxy and transport settings
//! stay. Index files are trusted by Debian's keyring alone, and each package
//! is compared with the index's hash again before it is unpacked.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use semver::Version;

use super::process::{self, Finished, Limits};
use super::setup::Progress;
use super::{Dirs, Env};

/// Where Debian's keyring may be; the older name first.
const KEYRINGS: [&str; 3] = [
    "usr/share/keyrings/debian-archive-keyring.gpg",
    "usr/share/keyrings/debian-archive-keyring.pgp",
    "usr/share/keyrings/debian-archive-keyring.asc",
];

/// How long apt may go without a byte downloaded.
const QUIET: Duration = Duration::from_secs(90);

/// A moment after which everything under way is ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    pub fn after(time: Duration) -> Deadline {
        Deadline(Instant::now() + time)
    }

    /// At most `limit`, and at most what is left.
    pub fn within(self, limit: Duration) -> Duration {
        limit.min(self.left())
    }

    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

/// What apt needs on this machine to download Debian's packages.
pub(crate) struct Apt<'a> {
    env: &'a Env,
    root: PathBuf,
    keyring: PathBuf,
    architecture: String,
    mirrors: Vec<String>,
    /// By suite: the mirror whose index is here, or why there is none. Asked
    /// once in a set-up, since a mirror that does not answer takes minutes.
    opened: RefCell<BTreeMap<String, Result<String, String>>>,
}

impl<'a> Apt<'a> {
    /// # Errors
    /// Why Debian's packages cannot be had on this machine.
    pub fn find(dirs: &Dirs, env: &'a Env) -> Result<Apt<'a>, String> {
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
        let limit = Duration::from_secs(30);
        let ask = |program: &str, args: &[&str]| {
            let answer = process::ask(env.command(program).args(args), limit)
                .map_err(|error| format!("{program} cannot be started: {error}"))?;
            if answer.success() {
                Ok(answer.stdout)
            } else {
                Err(format!("{program} failed: {}", answer.why()))
            }
        };
        let architecture = ask("dpkg", &["--print-architecture"])?.trim().to_owned();
        let format = "$(ORIGIN)|$(LABEL)|$(RELEASE)|$(SITE)";
        let targets = ask(
            "apt-get",
            &["indextargets", "--format", format, "Created-By: Packages"],
        )?;
        let mut mirrors = mirrors_of_targets(&targets);
        if mirrors.is_empty() {
            // Where no lists were downloaded yet, indextargets prints nothing.
            mirrors = mirrors_of_uris(&ask("apt-get", &["update", "--print-uris"])?);
        }
        if mirrors.is_empty() {
            return Err("apt's sources name no mirror of Debian".to_owned());
        }
        Ok(Apt {
            env,
            root: dirs.apt(),
            keyring,
            architecture,
            mirrors,
            opened: RefCell::default(),
        })
    }

    /// Gets the index of a suite (`trixie`, `sid`, …) from the first mirror
    /// that has it signed by Debian.
    ///
    /// # Errors
    /// Why none has.
    pub fn open(
        &self,
        suite: &str,
        deadline: Deadline,
        progress: &Progress,
    ) -> Result<Suite<'_>, String> {
        let opened = self.opened.borrow().get(suite).cloned();
        let mirror = match opened {
            Some(known) => known?,
            None => {
                let found = self.update(suite, deadline, progress);
                let mut opened = self.opened.borrow_mut();
                opened.insert(suite.to_owned(), found.clone());
                found?
            }
        };
        Ok(self.suite(suite, &mirror))
    }

    fn suite(&self, name: &str, mirror: &str) -> Suite<'_> {
        Suite {
            apt: self,
            name: name.to_owned(),
            mirror: mirror.to_owned(),
            folder: self.root.join(name),
        }
    }

    /// Downloads a suite's index; gives the mirror that it is from.
    fn update(
        &self,
        suite: &str,
        deadline: Deadline,
        progress: &Progress,
    ) -> Result<String, String> {
        let mut reasons = Vec::new();
        for mirror in &self.mirrors {
            let tried = self.suite(suite, mirror);
            tried.write_configuration()?;
            progress.status("Updating", &format!("the index of Debian {suite}"));
            let limits = Limits {
                total: deadline.within(Duration::from_secs(300)),
                quiet: Some(QUIET),
            };
            let lists = tried.folder.join("state/lists");
            let bar = progress.spinner(&format!("index of Debian {suite}"));
            let probe = || {
                bar.tick();
                size_of(&lists)
            };
            let done = tried.apt_get(limits, probe, |command| {
                command.arg("update");
            })?;
            bar.finish_and_clear();
            if done.success() {
                return Ok(mirror.clone());
            }
            reasons.push(format!("{mirror}: {}", done.why()));
        }
        Err(reasons.join("\n"))
    }
}

/// A suite of Debian whose index is here.
pub(crate) struct Suite<'a> {
    apt: &'a Apt<'a>,
    pub name: String,
    pub mirror: String,
    folder: PathBuf,
}

impl Suite<'_> {
    /// What an installation of `packages` takes: them and what they depend on.
    ///
    /// # Errors
    /// Why they cannot be installed.
    pub fn plan(&self, packages: &[&str], deadline: Deadline) -> Result<Vec<Deb>, String> {
        // Asked with an empty archive folder, apt prints every file, also
        // those that an earlier run downloaded.
        let empty = format!(
            "Dir::Cache::archives={}/",
            self.folder.join("cache/none").display()
        );
        let limits = Limits::total(deadline.within(Duration::from_secs(120)));
        let done = self.apt_get(
            limits,
            || 0,
            |command| {
                command.args(["-o", &empty, "-qq", "-y", "--print-uris", "install"]);
                command.args(packages);
            },
        )?;
        if !done.success() {
            return Err(done.why());
        }
        let debs = done
            .stdout
            .lines()
            .filter(|line| line.starts_with('\''))
            .map(|line| {
                Deb::parse(line).ok_or_else(|| format!("apt printed no usable file: {line}"))
            })
            .collect::<Result<Vec<Deb>, String>>()?;
        for package in packages {
            if !debs.iter().any(|deb| deb.name == *package) {
                return Err(format!("it has no {package}"));
            }
        }
        Ok(debs)
    }

    /// Downloads the packages of a plan; what is here already is not fetched again.
    ///
    /// # Errors
    /// Why a file could not be had, or is not what the index says.
    pub fn download(
        &self,
        packages: &[&str],
        plan: &[Deb],
        deadline: Deadline,
        progress: &Progress,
    ) -> Result<(), String> {
        let archives = self.archives();
        let total = plan.iter().map(|deb| deb.size).sum();
        progress.status(
            "Downloading",
            &format!(
                "{} packages, {} (Debian {})",
                plan.len(),
                indicatif::DecimalBytes(total),
                self.name
            ),
        );
        let bar = progress.bytes(total, "packages");
        let limits = Limits {
            total: deadline.left(),
            quiet: Some(QUIET),
        };
        let done = self.apt_get(
            limits,
            || {
                let size = size_of(&archives);
                bar.set_position(size.min(total));
                size
            },
            |command| {
                command
                    .args(["-q", "-y", "--download-only", "install"])
                    .args(packages);
            },
        )?;
        bar.finish_and_clear();
        if !done.success() {
            return Err(done.why());
        }
        self.verify(plan, deadline)
    }

    /// Compares each file with its hash in the signed index. apt does so when
    /// it downloads, but takes a file that is here already by its size.
    fn verify(&self, plan: &[Deb], deadline: Deadline) -> Result<(), String> {
        let list = self.folder.join("SHA256SUMS");
        let lines: String = plan
            .iter()
            .map(|deb| format!("{}  {}\n", deb.sha256, deb.file))
            .collect();
        fs::write(&list, lines).map_err(|error| format!("{}: {error}", list.display()))?;
        let mut command = self.apt.env.command("sha256sum");
        command
            .args(["--check", "--strict", "--quiet"])
            .arg(&list)
            .current_dir(self.archives());
        let done = process::ask(&mut command, deadline.left())
            .map_err(|error| format!("sha256sum cannot be started: {error}"))?;
        if done.success() {
            return Ok(());
        }
        for line in done.stdout.lines() {
            if let Some((file, _)) = line.split_once(": ") {
                // So that the next set-up fetches it again.
                let _ = fs::remove_file(self.archives().join(file));
            }
        }
        Err(format!(
            "a package is not what the index says: {}",
            done.why()
        ))
    }

    /// Unpacks the packages of a plan into `root`, two at a time.
    ///
    /// # Errors
    /// Which one cannot be unpacked, and why.
    pub fn unpack(
        &self,
        plan: &[Deb],
        root: &Path,
        deadline: Deadline,
        progress: &Progress,
    ) -> Result<(), String> {
        progress.status("Unpacking", &format!("{} packages", plan.len()));
        let bar = progress.bytes(plan.iter().map(|deb| deb.size).sum(), "unpacking");
        // The biggest first, so that they do not end up alone at the end.
        let mut order: Vec<&Deb> = plan.iter().collect();
        order.sort_by_key(|deb| deb.size);
        let queue = Mutex::new(order);
        let next = || queue.lock().ok()?.pop();
        let (env, archives) = (self.apt.env, self.archives());
        let work = || -> Result<(), String> {
            while let Some(deb) = next() {
                let mut command = env.command("dpkg-deb");
                command.arg("-x").arg(archives.join(&deb.file)).arg(root);
                let done = process::ask(&mut command, deadline.left())
                    .map_err(|error| format!("dpkg-deb cannot be started: {error}"))?;
                if !done.success() {
                    return Err(format!("{} cannot be unpacked: {}", deb.file, done.why()));
                }
                bar.inc(deb.size);
            }
            Ok(())
        };
        let done = std::thread::scope(|scope| {
            let other = scope.spawn(work);
            let here = work();
            let there = other
                .join()
                .unwrap_or_else(|_| Err("unpacking was cut off".to_owned()));
            here.and(there)
        });
        bar.finish_and_clear();
        done
    }

    fn archives(&self) -> PathBuf {
        self.folder.join("cache/archives")
    }

    fn configuration(&self) -> PathBuf {
        self.folder.join("apt.conf")
    }

    fn apt_get(
        &self,
        limits: Limits,
        mut probe: impl FnMut() -> u64,
        arguments: impl Fn(&mut Command),
    ) -> Result<Finished, String> {
        let until = Deadline::after(limits.total);
        loop {
            let mut command = self.apt.env.command("apt-get");
            // The last file that apt reads, so it overrules the machine's.
            command.arg("-c").arg(self.configuration());
            command.env("LC_ALL", "C.UTF-8");
            command.env("DEBIAN_FRONTEND", "noninteractive");
            arguments(&mut command);
            let limits = Limits {
                total: until.left(),
                ..limits
            };
            let done = process::run(&mut command, limits, &mut probe)
                .map_err(|error| format!("apt-get cannot be started: {error}"))?;
            // A set-up that was killed may have left its apt-get at work.
            let busy = done.stderr.contains("Could not get lock");
            if done.success() || !busy || until.left().is_zero() {
                return Ok(done);
            }
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    fn write_configuration(&self) -> Result<(), String> {
        let write = || -> std::io::Result<()> {
            for folder in [
                "state/lists/partial",
                "cache/archives/partial",
                "cache/none/partial",
                "etc/empty",
                "log",
            ] {
                fs::create_dir_all(self.folder.join(folder))?;
            }
            let etc = self.folder.join("etc");
            fs::write(etc.join("preferences"), "")?;
            fs::write(
                etc.join("sources.list"),
                sources_list(
                    &self.apt.architecture,
                    &self.apt.keyring,
                    &self.mirror,
                    &self.name,
                ),
            )?;
            fs::write(
                self.folder.join("state/status"),
                status_of_the_host(&self.apt.architecture),
            )?;
            fs::write(
                self.configuration(),
                apt_conf(&self.folder, &self.apt.architecture),
            )
        };
        if self.folder.to_string_lossy().contains(['"', '\n', '\\']) {
            return Err(format!(
                "apt cannot work in {}: set CARGO_WASMEDGE_HOME to a folder without quotes and backslashes",
                self.folder.display()
            ));
        }
        write().map_err(|error| format!("{}: {error}", self.folder.display()))
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

/// The status file: nothing is installed but what the machine's own linker
/// stands in for. Linking for the host is done with the machine's `cc`; a C
/// compiler in a private prefix would not find its own parts.
fn status_of_the_host(architecture: &str) -> String {
    let stand_ins = [
        ("gcc", "c-compiler"),
        ("binutils", "elf-binutils"),
        ("libc6-dev", "libc-dev"),
    ];
    stand_ins
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

/// The mirrors in lines of `ORIGIN|LABEL|RELEASE|SITE` from `apt-get
/// indextargets`: those known to be Debian's first, then those of unknown
/// origin (a field that is not known is printed as it was asked for). The
/// security archive has another layout of suites.
fn mirrors_of_targets(text: &str) -> Vec<String> {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let [origin, label, release, site] = match line.split('|').collect::<Vec<_>>()[..] {
            [origin, label, release, site] => [origin, label, release, site],
            _ => continue,
        };
        let security = label.ends_with("-Security")
            || release.contains("security")
            || site.trim_end_matches('/').ends_with("-security");
        let unset = |field: &str| field.is_empty() || field.starts_with("$(");
        if security || unset(site) || site.starts_with("cdrom:") {
            continue;
        }
        if origin == "Debian" {
            add(&mut known, site);
        } else if unset(origin) {
            add(&mut unknown, site);
        }
    }
    for site in unknown {
        add(&mut known, &site);
    }
    known
}

/// The mirrors in what `apt-get update --print-uris` prints:
/// `'<mirror>/dists/<suite>/InRelease' <file> 0`.
fn mirrors_of_uris(text: &str) -> Vec<String> {
    let lines: String = text
        .lines()
        .filter_map(|line| {
            let uri = line.strip_prefix('\'')?.split('\'').next()?;
            let (site, rest) = uri.split_once("/dists/")?;
            let suite = rest.strip_suffix("/InRelease")?;
            Some(format!("||{suite}|{site}\n"))
        })
        .collect();
    mirrors_of_targets(&lines)
}

fn add(list: &mut Vec<String>, site: &str) {
    let site = site.trim_end_matches('/');
    if !list.iter().any(|other| other == site) {
        list.push(site.to_owned());
    }
}

/// The size of all files in a folder and its subfolders, in bytes.
pub(crate) fn size_of(folder: &Path) -> u64 {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .flatten()
        .filter(|entry| entry.file_type().is_file())
        .filter_map(|entry| Some(entry.metadata().ok()?.len()))
        .sum()
}

/// A package file to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deb {
    pub name: String,
    /// Debian's version, such as `1:21.1.8-13`.
    pub version: String,
    /// The file's name in the archive folder.
    pub file: String,
    /// In bytes.
    pub size: u64,
    pub sha256: String,
}

impl Deb {
    /// Parses a line of `apt-get --print-uris install`:
    /// `'<uri>' <name>_<version>_<architecture>.deb <size> SHA256:<hash>`.
    fn parse(line: &str) -> Option<Deb> {
        let (_, rest) = line.strip_prefix('\'')?.split_once("' ")?;
        let mut words = rest.split_whitespace();
        let (file, size, hash) = (words.next()?, words.next()?, words.next()?);
        let mut parts = file.strip_suffix(".deb")?.split('_');
        let (name, version) = (parts.next()?, parts.next()?);
        parts.next()?;
        let sha256 = hash.strip_prefix("SHA256:")?;
        let hex = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !hex || file.contains('/') || name.is_empty() {
            return None;
        }
        Some(Deb {
            name: name.to_owned(),
            version: version.replace("%3a", ":").replace("%3A", ":"),
            file: file.to_owned(),
            size: size.parse().ok()?,
            sha256: sha256.to_owned(),
        })
    }
}

/// The version of a package in a plan, without what Debian adds to it.
pub(crate) fn upstream_version(plan: &[Deb], package: &str) -> Option<Version> {
    let deb = plan.iter().find(|deb| deb.name == package)?;
    let version = deb.version.rsplit(':').next()?;
    let end = version
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(version.len());
    Version::parse(&version[..end]).ok()
}

/// Package names and versions of a plan.
pub(crate) fn versions(plan: &[Deb]) -> BTreeMap<String, String> {
    plan.iter()
        .map(|deb| (deb.name.clone(), deb.version.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_known_to_be_debians_come_first() {
        let text = "\
$(ORIGIN)|$(LABEL)|stable|http://unknown.invalid/apt
Debian|Debian|trixie|http://mirror.invalid/debian/
Debian|Debian|trixie-updates|http://mirror.invalid/debian
Debian|Debian-Security|trixie-security|http://mirror.invalid/debian-security
Node Source|Node Source|nodistro|http://node.invalid/node
";
        assert_eq!(
            mirrors_of_targets(text),
            ["http://mirror.invalid/debian", "http://unknown.invalid/apt"]
        );
    }

    #[test]
    fn mirrors_on_a_machine_without_lists() {
        let text = "\
||trixie|http://mirror.invalid/debian
||trixie-security|http://mirror.invalid/debian-security
$(ORIGIN)|$(LABEL)|sid|mirror+file:/etc/apt/mirrors/debian.list
||trixie|cdrom:[Debian]/
not a line of fields
";
        assert_eq!(
            mirrors_of_targets(text),
            [
                "http://mirror.invalid/debian",
                "mirror+file:/etc/apt/mirrors/debian.list"
            ]
        );
        assert!(mirrors_of_targets("").is_empty());
    }

    #[test]
    fn mirrors_of_printed_uris() {
        let text = "\
'http://mirror.invalid/debian/dists/bookworm/InRelease' mirror_InRelease 0 
'http://mirror.invalid/debian/dists/bookworm/main/binary-amd64/Packages.xz' mirror_Packages 0 
'http://mirror.invalid/debian-security/dists/bookworm-security/InRelease' mirror_sec 0 
";
        assert_eq!(mirrors_of_uris(text), ["http://mirror.invalid/debian"]);
    }

    #[test]
    fn package_lines() {
        let hash = "ab".repeat(32);
        let line = format!(
            "'http://mirror.invalid/pool/lld_21.1.8-74_amd64.deb' lld_1%3a21.1.8-74_amd64.deb 1234 SHA256:{hash}"
        );
        assert_eq!(
            Deb::parse(&line),
            Some(Deb {
                name: "lld".into(),
                version: "1:21.1.8-74".into(),
                file: "lld_1%3a21.1.8-74_amd64.deb".into(),
                size: 1234,
                sha256: hash.clone(),
            })
        );
        // A weak hash, or none, is not enough.
        assert_eq!(Deb::parse(&line.replace("SHA256:", "MD5Sum:")), None);
        assert_eq!(
            Deb::parse("'http://mirror.invalid/a' a_1_all.deb 1234"),
            None
        );
        assert_eq!(Deb::parse(&line.replace(" lld_", " ../lld_")), None);
    }

    #[test]
    fn versions_without_debians_part() {
        let of = |version: &str| {
            let deb = Deb {
                name: "tool".into(),
                version: version.into(),
                file: String::new(),
                size: 0,
                sha256: String::new(),
            };
            upstream_version(&[deb], "tool").map(|version| version.to_string())
        };
        assert_eq!(of("0.14.1+dfsg-3.1"), Some("0.14.1".into()));
        assert_eq!(of("0.17.1-1+b1"), Some("0.17.1".into()));
        assert_eq!(of("1:1.97.1+dfsg1-1"), Some("1.97.1".into()));
        assert_eq!(of("21-1"), None);
        assert_eq!(upstream_version(&[], "tool"), None);
    }

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
