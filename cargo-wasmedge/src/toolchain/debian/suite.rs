//! apt at work on one suite of Debian, in a folder of its own.

use std::process::Command;
use std::thread;
use std::time::Duration;

use indicatif::DecimalBytes;

use super::archive;
use super::conf::AptFolder;
use super::machine::Machine;
use super::plan::Plan;
use crate::toolchain::clock::Deadline;
use crate::toolchain::dirs::size_of;
use crate::toolchain::job::Job;
use crate::toolchain::process::{self, Finished, Limits};

/// How long apt may go without a byte downloaded: longer than the timeout in its
/// configuration, 30 s, so that it can try again.
const QUIET: Duration = Duration::from_secs(90);

/// How long an index of some 10 MB may take, on a slow line.
const UPDATE: Duration = Duration::from_secs(300);

/// How long apt may work out what depends on what. The first time it also builds
/// its own caches of the index.
const PLAN: Duration = Duration::from_secs(120);

/// How long until another apt in our folder is asked for its lock again.
const BUSY: Duration = Duration::from_millis(500);

/// A suite of Debian on one mirror.
pub(super) struct Suite<'a> {
    job: &'a Job<'a>,
    machine: &'a Machine,
    pub name: String,
    pub mirror: String,
    pub folder: AptFolder,
}

impl<'a> Suite<'a> {
    pub fn new(job: &'a Job<'a>, machine: &'a Machine, name: &str, mirror: &str) -> Suite<'a> {
        Suite {
            job,
            machine,
            name: name.to_owned(),
            mirror: mirror.to_owned(),
            folder: AptFolder::new(job.dirs.apt().join(name)),
        }
    }

    /// Downloads the index. It is here when the program ended with success: then
    /// Debian's keyring knows who signed it.
    ///
    /// # Errors
    /// Why it was not tried.
    pub fn update(&self) -> Result<Finished, String> {
        self.folder.write(self.machine, &self.mirror, &self.name)?;
        let progress = &self.job.progress;
        progress.status("Updating", &format!("the index of Debian {}", self.name));
        let limits = Limits {
            total: self.job.deadline.within(UPDATE),
            quiet: Some(QUIET),
        };
        let lists = self.folder.lists();
        let bar = progress.spinner(&format!("index of Debian {}", self.name));
        let probe = || {
            bar.tick();
            size_of(&lists)
        };
        let done = self.apt_get(limits, probe, |command| {
            command.arg("update");
        })?;
        bar.finish_and_clear();
        Ok(done)
    }

    /// What an installation of `packages` takes: them and what they depend on.
    ///
    /// # Errors
    /// Why they cannot be installed.
    pub fn plan(&self, packages: &[&str]) -> Result<Plan, String> {
        // Asked with an empty archive folder, apt prints every file, also
        // those that an earlier run downloaded.
        let empty = format!(
            "Dir::Cache::archives={}/",
            self.folder.no_archives().display()
        );
        let limits = Limits::total(self.job.deadline.within(PLAN));
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
        Plan::parse(&done.stdout, packages)
    }

    /// Downloads the packages of a plan; what is here already is not fetched again.
    ///
    /// # Errors
    /// Why a file could not be had, or is not what the index says.
    pub fn download(&self, packages: &[&str], plan: &Plan) -> Result<(), String> {
        let archives = self.folder.archives();
        let total = plan.size();
        self.job.progress.status(
            "Downloading",
            &format!(
                "{} packages, {} (Debian {})",
                plan.debs().len(),
                DecimalBytes(total),
                self.name
            ),
        );
        let bar = self.job.progress.bytes(total, "packages");
        let limits = Limits {
            total: self.job.deadline.left(),
            quiet: Some(QUIET),
        };
        let probe = || {
            let size = size_of(&archives);
            bar.set_position(size.min(total));
            size
        };
        let done = self.apt_get(limits, probe, |command| {
            command.args(["-q", "-y", "--download-only", "install"]);
            command.args(packages);
        })?;
        bar.finish_and_clear();
        if !done.success() {
            return Err(done.why());
        }
        archive::verify(self.job, &archives, &self.folder.sums(), plan)
    }

    fn apt_get(
        &self,
        limits: Limits,
        mut probe: impl FnMut() -> u64,
        arguments: impl Fn(&mut Command),
    ) -> Result<Finished, String> {
        let until = Deadline::after(limits.total);
        loop {
            let mut command = self.job.env.command("apt-get");
            // The last file that apt reads, so it overrules the machine's.
            command.arg("-c").arg(self.folder.configuration());
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
            thread::sleep(BUSY);
        }
    }
}
