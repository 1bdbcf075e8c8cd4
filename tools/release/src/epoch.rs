//! The one time that everything in a release is dated with: the commit's, or what
//! `SOURCE_DATE_EPOCH` says.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// The variable of the reproducible-builds project: seconds since 1970.
pub const VARIABLE: &str = "SOURCE_DATE_EPOCH";

/// Seconds since 1970, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch(pub u64);

impl Epoch {
    /// What the variable says, else the time of the commit that is checked out in `root`.
    ///
    /// # Errors
    /// The variable is no number; git cannot tell.
    pub fn of_checkout(root: &Path) -> Result<Epoch> {
        if let Ok(said) = std::env::var(VARIABLE) {
            let seconds = said
                .parse()
                .with_context(|| format!("{VARIABLE}: `{said}` is no number of seconds"))?;
            return Ok(Epoch(seconds));
        }
        let mut git = Command::new("git");
        git.args(["log", "-1", "--format=%ct"]).current_dir(root);
        let output = git.output().context("cannot start git")?;
        ensure!(
            output.status.success(),
            "git does not know the time of the commit\n  help: set {VARIABLE}"
        );
        let said = String::from_utf8(output.stdout)?;
        Ok(Epoch(said.trim().parse().context("git's time")?))
    }

    /// The day: `2026-11-28`.
    pub fn day(self) -> String {
        // Years are counted from March here, so that the leap day is the last of one:
        // the length of the months before a day is then the same in every year.
        let days = self.0 / 86_400 + 719_468;
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let march_month = (5 * day + 2) / 153;
        let day = day - (153 * march_month + 2) / 5 + 1;
        let (month, later) = match march_month {
            0..=9 => (march_month + 3, 0),
            _ => (march_month - 9, 1),
        };
        format!("{:04}-{month:02}-{day:02}", era * 400 + year + later)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        // As `date -u -d @N +%F` says.
        for (seconds, day) in [
            (0, "1970-01-01"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_798_761_599, "2026-12-31"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(Epoch(seconds).day(), day, "{seconds}");
        }
    }
}
