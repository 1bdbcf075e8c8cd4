//! Work that is done once per run of the tests, however many processes need it.

use std::fs::File;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;

/// What is done already.
#[derive(Debug)]
pub(super) struct Once {
    /// The folder with a lock and a stamp for each piece of work.
    folder: PathBuf,
    /// Done by this process, or seen to be done.
    done: Mutex<Vec<String>>,
}

impl Once {
    /// Nothing is known to be done.
    pub(super) fn new(folder: PathBuf) -> Once {
        let done = Mutex::new(Vec::new());
        Once { folder, done }
    }

    /// Does `work` once per run, and not while another process does it. Under
    /// nextest every test is a process: what one has built, the next need not
    /// look at again.
    ///
    /// # Errors
    /// Those of `work`, after which it is not done; and when the folder cannot be written.
    pub(super) fn run(&self, key: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
        // Not locked during the work, which may need other work to be done.
        let known = || self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = || known().iter().any(|other| other == key);
        if is_known() {
            return Ok(());
        }
        std::fs::create_dir_all(&self.folder)?;
        let stamp = self.folder.join(file_name(key));
        // It is unlocked when it is closed, also when this process is ended.
        let lock = File::create(stamp.with_extension("lock"))?;
        lock.lock()?;
        let run = std::env::var("NEXTEST_RUN_ID").unwrap_or_default();
        let done = std::fs::read_to_string(&stamp).unwrap_or_default();
        // Another thread may have done it meanwhile.
        if !is_known() && (run.is_empty() || done != run) {
            work()?;
            std::fs::write(&stamp, run)?;
        }
        known().push(key.to_owned());
        Ok(())
    }
}

/// The end of a key, which tells more than its beginning, in letters that every file
/// system takes.
fn file_name(key: &str) -> String {
    let is_kept = |c: &char| c.is_ascii_alphanumeric() || *c == '.';
    let name: String = (key.chars())
        .map(|c| if is_kept(&c) { c } else { '-' })
        .collect();
    name[name.len().saturating_sub(120)..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_done_again_only_after_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let once = Once::new(folder.path().join("built"));
        let mut times = 0;
        assert!(
            once.run("app", || anyhow::bail!("it does not build"))
                .is_err()
        );
        for _ in 0..2 {
            once.run("app", || {
                times += 1;
                Ok(())
            })
            .unwrap();
        }
        assert_eq!(times, 1);
    }

    /// To build an app, the command has to be built.
    #[test]
    fn work_may_need_other_work() {
        let folder = tempfile::tempdir().unwrap();
        let once = Once::new(folder.path().join("built"));
        let mut order = Vec::new();
        once.run("app", || {
            once.run("command", || {
                order.push("command");
                Ok(())
            })?;
            order.push("app");
            Ok(())
        })
        .unwrap();
        assert_eq!(order, ["command", "app"]);
    }

    #[test]
    fn keys_of_any_text_and_length_are_file_names() {
        assert_eq!(
            file_name("native /a b/Cargo.toml"),
            "native--a-b-Cargo.toml"
        );
        assert_eq!(file_name(&"ä".repeat(300)).len(), 120);
    }
}
