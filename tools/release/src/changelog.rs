//! The changelog of a release: what was under "Unreleased" is under its number and day.

use anyhow::{Result, ensure};

const UNRELEASED: &str = "## Unreleased";

/// The changelog with a dated heading, and an empty "Unreleased" above it. One that has a
/// heading for `version` already is as it should be.
///
/// # Errors
/// No heading "Unreleased", or nothing below it.
pub fn dated(text: &str, version: &str, day: &str) -> Result<String> {
    if heading(text, version).is_some() {
        return Ok(text.to_owned());
    }
    let at = text.lines().position(|line| line.trim_end() == UNRELEASED);
    let Some(at) = at else {
        anyhow::bail!("CHANGELOG.md has neither `{UNRELEASED}` nor `## {version}`");
    };
    let lines: Vec<&str> = text.lines().collect();
    ensure!(
        !section(&lines, at).trim().is_empty(),
        "CHANGELOG.md says nothing under `{UNRELEASED}`"
    );
    let mut dated = lines[..=at].join("\n");
    dated += &format!("\n\n## {version} - {day}\n");
    for line in &lines[at + 1..] {
        dated += line;
        dated += "\n";
    }
    Ok(dated)
}

/// What a dated changelog says of one release: the text of its page.
///
/// # Errors
/// There is no heading for it.
pub fn notes(text: &str, version: &str) -> Result<String> {
    let Some(at) = heading(text, version) else {
        anyhow::bail!("CHANGELOG.md has no heading `## {version}`");
    };
    let lines: Vec<&str> = text.lines().collect();
    Ok(format!("{}\n", section(&lines, at).trim()))
}

/// The line with the heading of a release.
fn heading(text: &str, version: &str) -> Option<usize> {
    text.lines().position(|line| {
        let rest = line
            .strip_prefix("## ")
            .map(|line| line.trim_start_matches('['));
        let rest = rest.and_then(|rest| rest.strip_prefix(version));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', ']']))
    })
}

/// What is between the heading in line `at` and the next one of its kind.
fn section(lines: &[&str], at: usize) -> String {
    let below = lines[at + 1..].iter();
    let section: Vec<&str> = below
        .take_while(|line| !line.starts_with("## "))
        .copied()
        .collect();
    section.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Changelog\n\n## Unreleased\n\n### Added\n\n- Ponds.\n\n## 0.1.0 - 2026-01-02\n\n- Old.\n";

    #[test]
    fn what_was_unreleased_is_dated() {
        let dated = dated(TEXT, "0.2.0", "2026-11-28").unwrap();
        assert_eq!(
            dated,
            "# Changelog\n\n## Unreleased\n\n## 0.2.0 - 2026-11-28\n\n### Added\n\n- Ponds.\n\n\
             ## 0.1.0 - 2026-01-02\n\n- Old.\n"
        );
        assert_eq!(notes(&dated, "0.2.0").unwrap(), "### Added\n\n- Ponds.\n");
        assert_eq!(notes(&dated, "0.1.0").unwrap(), "- Old.\n");
    }

    #[test]
    fn a_release_that_is_dated_stays_as_it_is() {
        assert_eq!(dated(TEXT, "0.1.0", "2026-11-28").unwrap(), TEXT);
        // 0.1.0 is not 0.1.
        assert!(
            dated(TEXT, "0.1", "2026-11-28")
                .unwrap()
                .contains("## 0.1 - 2026")
        );
    }

    #[test]
    fn a_release_of_nothing_is_refused() {
        let nothing = "# Changelog\n\n## Unreleased\n\n## 0.1.0\n\n- Old.\n";
        let error = dated(nothing, "0.2.0", "2026-11-28").unwrap_err();
        assert!(error.to_string().contains("says nothing"), "{error}");
        assert!(dated("# Changelog\n", "0.2.0", "2026-11-28").is_err());
        assert!(notes(TEXT, "9.0.0").is_err());
    }
}
