//! How many files a program may have open.

use std::fs;

use anyhow::{Context as _, Result, bail, ensure};

/// What server and load program have open beside their connections; plenty.
const OTHER_FILES: u64 = 100;

/// Server and load program each need a descriptor for a connection.
pub(crate) fn check(connections: usize) -> Result<()> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    enough_open_files(&limits, connections as u64 + OTHER_FILES)
}

fn enough_open_files(limits: &str, needed: u64) -> Result<()> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .context("the system does not tell how many files may be open")?;
    // A word is a number or `unlimited`.
    let mut words = line
        .split_whitespace()
        .map(|word| word.parse().unwrap_or(u64::MAX));
    let (Some(soft), Some(hard)) = (words.next(), words.next()) else {
        bail!("the system does not tell how many files may be open");
    };
    let help = if needed <= hard {
        format!("ulimit -n {needed}")
    } else {
        format!("sudo prlimit --pid $$ --nofile={needed}:{needed}")
    };
    ensure!(
        needed <= soft,
        "a program may have only {soft} files open, and {needed} are needed; \
         in the shell that starts this: {help}"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_is_too_low_comes_with_the_command_that_raises_it() {
        let limits = |soft: &str, hard: &str| {
            format!(
                "Limit                     Soft Limit  Hard Limit  Units\n\
                 Max processes             10          10          processes\n\
                 Max open files            {soft}      {hard}      files\n"
            )
        };
        let said = |soft, hard| {
            enough_open_files(&limits(soft, hard), 10_150)
                .err()
                .map(|error| error.to_string())
        };
        assert_eq!(said("20000", "20000"), None);
        assert_eq!(said("unlimited", "unlimited"), None);
        let soft = said("1024", "unlimited").unwrap();
        assert!(soft.contains("only 1024 files") && soft.ends_with(": ulimit -n 10150"));
        let hard = said("1024", "4096").unwrap();
        assert!(hard.ends_with(": sudo prlimit --pid $$ --nofile=10150:10150"));
        assert!(enough_open_files("", 1).is_err());
    }
}
