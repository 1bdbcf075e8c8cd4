//! What a check must not leave behind: processes that run on, changes in the checkout.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rustix::process::{Pid, Signal, getpid, kill_process, set_child_subreaper};
use tools_common::Repo;

/// How long a process that was told to end may take for it.
const GRACE: Duration = Duration::from_secs(5);

/// Looks after what the checks leave behind.
#[derive(Debug)]
pub struct Watch {
    changes: Option<String>,
}

/// A process that nobody waits for.
#[derive(Debug)]
struct Process {
    id: Pid,
    command: String,
}

impl Watch {
    /// From now on a process whose parent has ended becomes a child of this one.
    ///
    /// # Errors
    /// The system refuses that.
    pub fn begin(repo: &Repo) -> Result<Watch> {
        set_child_subreaper(Some(getpid()))?;
        Ok(Watch {
            changes: changes(repo),
        })
    }

    /// Ends the processes that are left, each by its number.
    ///
    /// # Errors
    /// There were some; the message names them.
    pub fn no_process_is_left(&self) -> Result<()> {
        let end = Instant::now() + GRACE;
        let mut left = children()?;
        while !left.is_empty() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(50));
            left = children()?;
        }
        for process in &left {
            // It may have ended just now.
            let _ = kill_process(process.id, Signal::KILL);
        }
        let line = |process: &Process| format!("\n  {} {}", process.id, process.command);
        let lines: String = left.iter().map(line).collect();
        ensure!(left.is_empty(), "still running, and now killed:{lines}");
        Ok(())
    }

    /// Compares the checkout with what it was, as git tells it.
    ///
    /// # Errors
    /// A file was changed, added or removed.
    pub fn checkout_is_unchanged(&self, repo: &Repo) -> Result<()> {
        let now = changes(repo);
        ensure!(
            now == self.changes,
            "the checks changed the checkout:\n{}",
            now.unwrap_or_default()
        );
        Ok(())
    }
}

/// What `git status` tells of files that are not ignored; `None` without git.
fn changes(repo: &Repo) -> Option<String> {
    let mut git = std::process::Command::new("git");
    git.args(["status", "--porcelain", "--untracked-files=all"]);
    let output = git.current_dir(&repo.root).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then_some(text)
}

/// Our children that run, between two checks: nobody waits for them.
fn children() -> Result<Vec<Process>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let id = entry.file_name().to_string_lossy().parse().ok();
        let Some(id) = id.and_then(Pid::from_raw) else {
            continue;
        };
        // One that ended meanwhile has no file.
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        if is_running_child(&stat, getpid()) {
            found.push(Process {
                id,
                command: command_line(entry.path()),
            });
        }
    }
    Ok(found)
}

/// Whether a line of `/proc/PID/stat` is of a child of `parent` that has not ended.
fn is_running_child(stat: &str, parent: Pid) -> bool {
    // The second field is a name in brackets, which may hold spaces and brackets.
    let Some((_, after)) = stat.rsplit_once(')') else {
        return false;
    };
    let mut fields = after.split_whitespace();
    let state = fields.next();
    let its_parent = fields.next().and_then(|id| id.parse().ok());
    state != Some("Z") && its_parent == Some(parent.as_raw_nonzero().get())
}

fn command_line(process: PathBuf) -> String {
    let bytes = fs::read(process.join("cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_that_runs_is_told_from_others() {
        let parent = Pid::from_raw(7).unwrap();
        assert!(is_running_child("9 (a) b) c) S 7 9 9 0 -1", parent));
        assert!(!is_running_child("9 (sh) Z 7 9 9 0 -1", parent));
        assert!(!is_running_child("9 (sh) S 8 7 7 0 -1", parent));
    }

    /// In a process of its own under nextest; with `cargo test` other tests' children
    /// would be found as well, so it looks for its own only.
    #[test]
    fn a_process_whose_parent_has_ended_is_found_and_ended() {
        let repo = Repo::open().unwrap();
        let watch = Watch::begin(&repo).unwrap();
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", "sleep 600.25 >/dev/null 2>&1 &"]);
        assert!(shell.status().unwrap().success());
        let is_there = || {
            let mut children = children().unwrap().into_iter();
            children.any(|child| child.command.contains("sleep 600.25"))
        };
        assert!(is_there());
        let message = watch.no_process_is_left().unwrap_err().to_string();
        assert!(message.contains("sleep 600.25"), "{message}");
        let end = Instant::now() + GRACE;
        while is_there() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(!is_there());
    }
}
