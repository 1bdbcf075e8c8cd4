//! `rows.toml`: the lines of the table, and their targets.

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::work::{Quantity, Work};

const ROWS: &str = include_str!("../rows.toml");

/// How a row's figure comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Figure {
    /// The value divided by native's of the same round.
    Ratio,
    /// Native's value divided by this one: for rates, of which more is better.
    Inverse,
    /// The value itself.
    Value,
}

/// A line of the table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    /// What it is called.
    pub(crate) name: String,
    /// What is measured for it.
    pub(crate) work: Work,
    /// Which of the measurement's quantities.
    pub(crate) value: Quantity,
    /// How the figure comes about.
    pub(crate) figure: Figure,
    /// The figure may not be larger than this, to hold.
    pub(crate) reach: Option<f64>,
    /// The same, further ahead.
    pub(crate) stretch: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    row: Vec<Row>,
}

/// Everything that is measured, with its targets.
///
/// # Errors
/// When the file is not well-formed, which a test finds.
pub(crate) fn rows() -> Result<Vec<Row>> {
    parse(ROWS).context("tools/bench/rows.toml")
}

fn parse(text: &str) -> Result<Vec<Row>> {
    let mut file: File = toml::from_str(text)?;
    for row in &mut file.row {
        if row.figure == Figure::Inverse {
            // A share of native's rate reads better than its inverse.
            for target in [&mut row.reach, &mut row.stretch] {
                *target = target.map(|share| 1.0 / share);
            }
        }
    }
    Ok(file.row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_name_of_its_own() {
        let rows = rows().unwrap();
        for (at, row) in rows.iter().enumerate() {
            assert!(rows[..at].iter().all(|other| other.name != row.name));
        }
    }

    #[test]
    fn targets_of_rates_are_shares_of_native() {
        let row = |figure: &str| {
            let text = format!(
                "[[row]]\nname = 'n'\nwork = {{ wrk = {{ active = 50 }} }}\nvalue = 'rate'\n\
                 figure = '{figure}'\nreach = 0.8\n"
            );
            parse(&text).unwrap().remove(0)
        };
        assert_eq!(
            (row("inverse").reach, row("inverse").stretch),
            (Some(1.25), None)
        );
        assert_eq!(row("ratio").reach, Some(0.8));
        assert_eq!(row("ratio").work, Work::Wrk { active: 50 });
    }

    #[test]
    fn words_that_nobody_knows_are_no_rows() {
        let row = |work: &str, value: &str| {
            let text = format!(
                "[[row]]\nname = 'n'\nfigure = 'ratio'\nwork = {work}\nvalue = '{value}'\n"
            );
            parse(&text)
        };
        assert!(row("'calls'", "calls").is_ok());
        assert!(row("'calls'", "p95").is_err());
        assert!(row("{ timed = 'sort' }", "time").is_err());
        assert!(row("{ idle = { connection = 1 } }", "memory").is_err());
    }
}
