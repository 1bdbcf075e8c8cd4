//! The package files that apt downloaded: checked, then unpacked.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::thread;

use super::plan::{Deb, Plan};
use crate::toolchain::job::Job;
use crate::toolchain::process;

/// Compares each file in `archives` with its hash in the signed index. apt does so
/// when it downloads, but takes a file that is here already by its size. The hashes
/// are written to the file `sums`.
///
/// # Errors
/// Which file is not what the index says. It is deleted.
pub(super) fn verify(job: &Job, archives: &Path, sums: &Path, plan: &Plan) -> Result<(), String> {
    let lines: String = plan
        .debs()
        .iter()
        .map(|deb| format!("{}  {}\n", deb.sha256, deb.file))
        .collect();
    fs::write(sums, lines).map_err(|error| format!("{}: {error}", sums.display()))?;
    let mut command = job.env.command("sha256sum");
    command
        .args(["--check", "--strict", "--quiet"])
        .arg(sums)
        .current_dir(archives);
    let done = process::ask(&mut command, job.deadline.left())
        .map_err(|error| format!("sha256sum cannot be started: {error}"))?;
    if done.success() {
        return Ok(());
    }
    for line in done.stdout.lines() {
        if let Some((file, _)) = line.split_once(": ") {
            // So that the next set-up fetches it again.
            let _ = fs::remove_file(archives.join(file));
        }
    }
    Err(format!(
        "a package is not what the index says: {}",
        done.why()
    ))
}

/// Unpacks the packages of a plan from `archives` into `root`, two at a time.
///
/// # Errors
/// Which one cannot be unpacked, and why.
pub(super) fn unpack(job: &Job, archives: &Path, plan: &Plan, root: &Path) -> Result<(), String> {
    job.progress
        .status("Unpacking", &format!("{} packages", plan.debs().len()));
    let bar = job.progress.bytes(plan.size(), "unpacking");
    // The biggest first, so that they do not end up alone at the end.
    let mut order: Vec<&Deb> = plan.debs().iter().collect();
    order.sort_by_key(|deb| deb.size);
    let queue = Mutex::new(order);
    let next = || queue.lock().ok()?.pop();
    let (env, deadline) = (job.env, job.deadline);
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
    let done = thread::scope(|scope| {
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
