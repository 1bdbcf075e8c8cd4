//! Both ends of a conversation on one processor.
//!
//! A processor that sleeps takes longer to wake than a short message and its answer
//! take. Whether it sleeps depends on where the system puts the two ends, and differs
//! from run to run.

use anyhow::Result;

/// As long as this lives, what is started runs on the first processor that this program
/// may use. Where the system has no such setting it does nothing.
#[must_use = "it ends when it is dropped"]
pub(crate) struct OneProcessor {
    #[cfg(target_os = "linux")]
    before: rustix::thread::CpuSet,
}

impl OneProcessor {
    #[cfg(target_os = "linux")]
    pub(crate) fn take() -> Result<OneProcessor> {
        use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

        let before = sched_getaffinity(None)?;
        let mut one = CpuSet::new();
        if let Some(first) = (0..CpuSet::MAX_CPU).find(|&number| before.is_set(number)) {
            one.set(first);
            sched_setaffinity(None, &one)?;
        }
        Ok(OneProcessor { before })
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn take() -> Result<OneProcessor> {
        Ok(OneProcessor {})
    }
}

#[cfg(target_os = "linux")]
impl Drop for OneProcessor {
    fn drop(&mut self) {
        // It was so before.
        let _ = rustix::thread::sched_setaffinity(None, &self.before);
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn children_share_a_processor_until_it_ends() {
        let processors = || {
            let status = std::process::Command::new("grep")
                .args(["Cpus_allowed_list", "/proc/self/status"])
                .output()
                .unwrap();
            String::from_utf8(status.stdout).unwrap()
        };
        let before = processors();
        let one = OneProcessor::take().unwrap();
        let number = processors().split_whitespace().last().map(str::to_owned);
        assert!(number.is_some_and(|list| list.parse::<u32>().is_ok()));
        drop(one);
        assert_eq!(processors(), before);
    }
}
