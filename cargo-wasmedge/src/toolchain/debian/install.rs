//! A recipe carried out: choose a suite, download the packages, unpack them,
//! write the wrappers, move all of it to its place, check it, stamp it.
//!
//! The stamp is what publishes: it is written last and at once, and nobody uses a
//! folder without it. The check comes after the move, because the wrappers hold the
//! paths of the finished folder.

use std::cell::OnceCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;
use semver::Version;

use super::apt::Apt;
use super::archive;
use super::installed::Installed;
use super::plan::Plan;
use super::program;
use super::recipe::{self, Recipe};
use super::suite::Suite;
use crate::toolchain::clock::now;
use crate::toolchain::dirs::Dirs;
use crate::toolchain::job::Job;

/// Starts with this: a folder that is being unpacked.
const UNFINISHED: &str = ".unpack-";

/// What a check of a finished folder has found.
pub(crate) struct Checked<T> {
    pub found: T,
    pub version: Version,
    /// What the user is told is installed, such as `WasmEdge 0.17.1`.
    pub name: String,
}

/// Debian's packages on this machine.
pub(crate) struct Debian<'a> {
    job: &'a Job<'a>,
    /// Looked for when it is first needed: most set-ups need none.
    apt: OnceCell<Result<Apt<'a>, String>>,
}

impl<'a> Debian<'a> {
    pub fn new(job: &'a Job<'a>) -> Debian<'a> {
        Debian {
            job,
            apt: OnceCell::new(),
        }
    }

    /// Installs from the first suite of the recipe with a version that `accepts`
    /// holds for. `check` starts what is in the finished folder; it is given the
    /// version as Debian says it.
    ///
    /// # Errors
    /// Why no suite will do, or what went wrong with the one that was chosen.
    pub fn install<T>(
        &self,
        recipe: &Recipe,
        accepts: impl Fn(&Version) -> bool,
        check: impl FnOnce(&Path, Version) -> Result<Checked<T>, String>,
    ) -> Result<T, String> {
        let started = Instant::now();
        let (suite, plan, version) = self.choose(recipe, accepts)?;
        let folder = recipe.folder(self.job.dirs, &suite.name, &version);
        suite.download(recipe.packages, &plan)?;
        let unpacked = self.unpack(&suite, &plan, &folder)?;
        program::wrap(recipe.programs, &unpacked, &folder).map_err(|error| format!("{error:#}"))?;
        link(recipe.links, &unpacked).map_err(|error| format!("{error:#}"))?;
        move_to(&unpacked, &folder).map_err(|error| format!("{error:#}"))?;
        let checked = check(&folder, version).map_err(|reason| {
            let _ = fs::remove_dir_all(&folder);
            format!("what was installed does not work: {reason}")
        })?;
        let stamp = Installed {
            version: checked.version,
            suite: suite.name,
            mirror: suite.mirror,
            installed_at: now(),
            folder: folder.clone(),
            packages: plan.versions(),
        };
        stamp.write(&folder).map_err(|error| format!("{error:#}"))?;
        let seconds = started.elapsed().as_secs_f32();
        self.job
            .progress
            .status("Installed", &format!("{} in {seconds:.1} s", checked.name));
        Ok(checked.found)
    }

    fn choose(
        &self,
        recipe: &Recipe,
        accepts: impl Fn(&Version) -> bool,
    ) -> Result<(Suite<'_>, Plan, Version), String> {
        let apt = self.apt.get_or_init(|| Apt::find(self.job));
        let apt = apt.as_ref().map_err(Clone::clone)?;
        let offer = |name: &str| {
            let suite = apt.open(name)?;
            let plan = suite.plan(recipe.packages)?;
            let version = plan
                .upstream_version(recipe.named_after)
                .ok_or_else(|| format!("no version of {}", recipe.named_after))?;
            if accepts(&version) {
                Ok((suite, plan, version))
            } else {
                Err(format!("has {version}"))
            }
        };
        let mut reasons = Vec::new();
        for name in recipe.suites {
            match offer(name) {
                Ok(chosen) => return Ok(chosen),
                Err(reason) => reasons.push(format!("{name}: {reason}")),
            }
        }
        Err(reasons.join("; "))
    }

    /// Unpacks beside `folder`, so that the result can be moved there at once.
    fn unpack(&self, suite: &Suite, plan: &Plan, folder: &Path) -> Result<PathBuf, String> {
        let parent = folder.parent().unwrap_or(self.job.dirs.home());
        let make = || -> anyhow::Result<PathBuf> {
            fs::create_dir_all(parent)?;
            let unpacked = tempfile::Builder::new()
                .prefix(UNFINISHED)
                .tempdir_in(parent)?;
            // The next set-up sweeps it when this one does not get to the end.
            Ok(unpacked.keep())
        };
        let unpacked = make().map_err(|error| format!("{}: {error}", parent.display()))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // tempfile's 0700 would stay on the finished folder.
            let _ = fs::set_permissions(&unpacked, fs::Permissions::from_mode(0o755));
        }
        match archive::unpack(self.job, &suite.folder.archives(), plan, &unpacked) {
            Ok(()) => Ok(unpacked),
            Err(reason) => {
                let _ = fs::remove_dir_all(&unpacked);
                Err(reason)
            }
        }
    }
}

/// Deletes what interrupted set-ups left half done. Whoever calls this holds the
/// lock of set-ups, so nobody is unpacking there.
///
/// # Errors
/// I/O.
pub(crate) fn sweep(dirs: &Dirs) -> anyhow::Result<()> {
    for recipe in &recipe::ALL {
        for entry in (recipe.parent)(dirs)
            .read_dir()
            .into_iter()
            .flatten()
            .flatten()
        {
            let name = entry.file_name();
            let unfinished = name.to_string_lossy().starts_with(UNFINISHED);
            if unfinished || Installed::read(&entry.path()).is_err() {
                let path = entry.path();
                let removed = if path.is_dir() {
                    fs::remove_dir_all(&path)
                } else {
                    fs::remove_file(&path)
                };
                removed.with_context(|| format!("cannot delete {}", path.display()))?;
            }
        }
    }
    Ok(())
}

/// Makes the links of a recipe. They are relative, so they stay right when the folder
/// is moved.
fn link(links: &[(&str, &str)], root: &Path) -> anyhow::Result<()> {
    for (place, target) in links {
        if !root.join(target).exists() {
            continue;
        }
        let up = "../".repeat(Path::new(place).components().count() - 1);
        let place = root.join(place);
        let failed = || format!("cannot make {}", place.display());
        fs::create_dir_all(place.parent().unwrap_or(root)).with_context(failed)?;
        #[cfg(unix)]
        std::os::unix::fs::symlink(format!("{up}{target}"), &place).with_context(failed)?;
        #[cfg(not(unix))]
        anyhow::bail!("{}: no link to {up}{target} here", failed());
    }
    Ok(())
}

/// Moves an unpacked folder to its place.
fn move_to(unpacked: &Path, folder: &Path) -> anyhow::Result<()> {
    if folder.exists() {
        // Finished once, but it does not work any more.
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot delete {}", folder.display()))?;
    }
    fs::rename(unpacked, folder)
        .with_context(|| format!("cannot move {} to {}", unpacked.display(), folder.display()))
}
