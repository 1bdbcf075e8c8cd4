//! `rows.toml`: the lines of the table, and their targets.

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

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
    /// What the figure may be at most without the plugin.
    #[serde(default)]
    pub(crate) plain: Targets,
    /// The same with the plugin.
    #[serde(default)]
    pub(crate) plugin: Targets,
}

/// What the figure of a row may be at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Targets {
    /// To hold.
    pub(crate) reach: Option<f64>,
    /// The same, further ahead.
    pub(crate) stretch: Option<f64>,
}

impl Targets {
    /// Which of them `figure` is within; `None` where there are none.
    pub(crate) fn held_by(self, figure: f64) -> Option<&'static str> {
        let within = |target: Option<f64>| target.map(|target| figure <= target);
        match (within(self.stretch), within(self.reach)) {
            (Some(true), _) => Some("stretch"),
            (_, Some(true)) => Some("reach"),
            (_, Some(false)) => Some("no"),
            _ => None,
        }
    }
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
            for targets in [&mut row.plain, &mut row.plugin] {
                for target in [&mut targets.reach, &mut targets.stretch] {
                    *target = target.map(|share| 1.0 / share);
                }
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
                 figure = '{figure}'\nplain = {{ reach = 0.8 }}\nplugin = {{ reach = 0.5 }}\n"
            );
            parse(&text).unwrap().remove(0)
        };
        let reach = |row: &Row| (row.plain.reach, row.plugin.reach);
        assert_eq!(reach(&row("inverse")), (Some(1.25), Some(2.0)));
        assert_eq!(reach(&row("ratio")), (Some(0.8), Some(0.5)));
        assert_eq!(row("ratio").plain.stretch, None);
        assert_eq!(row("ratio").work, Work::Wrk { active: 50 });
    }

    #[test]
    fn a_figure_is_held_by_the_better_target() {
        let targets = Targets {
            reach: Some(1.3),
            stretch: Some(1.1),
        };
        let held = [1.0, 1.1, 1.2, 1.4].map(|figure| targets.held_by(figure).unwrap());
        assert_eq!(held, ["stretch", "stretch", "reach", "no"]);
        assert_eq!(Targets::default().held_by(1.0), None);
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
