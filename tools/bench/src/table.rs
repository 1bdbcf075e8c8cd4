//! The results as a table.

use std::fmt::Write as _;

use crate::figures::{Spread, rounded, spread, with_unit};
use crate::place::{UNWINDING, has_plugin};
use crate::results::Results;
use crate::rows::{Row, Targets};

/// With the plugin or without: each has targets of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Plain,
    Plugin,
}

const MODES: [Mode; 2] = [Mode::Plain, Mode::Plugin];

impl Mode {
    /// What the column of `target` is called.
    fn head(self, target: &str) -> String {
        match self {
            Mode::Plain => target.to_owned(),
            Mode::Plugin => format!("{target} with plugin"),
        }
    }

    fn targets(self, row: &Row) -> Targets {
        match self {
            Mode::Plain => row.plain,
            Mode::Plugin => row.plugin,
        }
    }
}

impl Results {
    /// The head of the table.
    pub(crate) fn header(&self) -> Vec<String> {
        let mut header = vec!["work".to_owned(), "native".to_owned()];
        header.extend(
            self.places[1..]
                .iter()
                .map(|place| format!("WasmEdge {place}")),
        );
        for mode in MODES {
            header.extend(["reach", "stretch", "holds"].map(|target| mode.head(target)));
        }
        header
    }

    /// A row of the table.
    pub(crate) fn cells(&self, row: &Row) -> Vec<String> {
        let native = &self.places[0];
        let values = (0..self.rounds).filter_map(|round| self.value(round, row, native));
        let mut cells = vec![
            row.name.clone(),
            spread(values.collect()).map_or("–".to_owned(), |(median, ..)| {
                with_unit(row.value, median)
            }),
        ];
        for place in &self.places[1..] {
            cells.push(shown(self.spread(row, place)));
        }
        for mode in MODES {
            let targets = mode.targets(row);
            let target = |target: Option<f64>| target.map_or(String::new(), rounded);
            cells.push(target(targets.reach));
            cells.push(target(targets.stretch));
            let holds = self
                .worst(row, mode)
                .and_then(|worst| targets.held_by(worst));
            cells.push(holds.unwrap_or_default().to_owned());
        }
        cells
    }

    /// The greatest median of the places of a mode; `None` where one was not measured.
    fn worst(&self, row: &Row, mode: Mode) -> Option<f64> {
        let places = self.places[1..]
            .iter()
            .filter(|place| has_plugin(place) == (mode == Mode::Plugin));
        let mut worst = None;
        for place in places {
            let (median, ..) = self.spread(row, place)?;
            worst = Some(f64::max(worst.unwrap_or(median), median));
        }
        worst
    }

    /// What unwinding costs: its values by those without it, in the same place and round.
    pub(crate) fn unwinding(&self) -> String {
        let plain = |place: &String| Some(place.strip_suffix(UNWINDING)?.to_owned());
        let pairs = self.places.iter().map(|place| (place, plain(place)));
        let pairs: Vec<(&String, String)> = pairs
            .filter_map(|(place, plain)| Some((place, plain?)))
            .collect();
        let mut lines = vec![vec!["unwinding by plain".to_owned()]];
        lines[0].extend(pairs.iter().map(|(_, plain)| format!("WasmEdge {plain}")));
        for row in &self.rows {
            let mut line = vec![row.name.clone()];
            for (place, plain) in &pairs {
                let figures = (0..self.rounds).filter_map(|round| {
                    Some(self.value(round, row, place)? / self.value(round, row, plain)?)
                });
                line.push(shown(spread(figures.collect())));
            }
            lines.push(line);
        }
        aligned(&lines)
    }

    /// The table for people.
    pub(crate) fn table(&self) -> String {
        let lines: Vec<Vec<String>> = std::iter::once(self.header())
            .chain(self.rows.iter().map(|row| self.cells(row)))
            .collect();
        let mut text = aligned(&lines);
        for left_out in &self.left_out {
            let _ = writeln!(text, "not measured: {left_out}");
        }
        text
    }
}

fn shown(spread: Option<Spread>) -> String {
    spread.map_or("–".to_owned(), |(median, least, most)| {
        format!("{} ({}–{})", rounded(median), rounded(least), rounded(most))
    })
}

/// Lines of cells, one below the other.
fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines[0].len();
    let widths: Vec<usize> = (0..columns)
        .map(|column| lines.iter().map(|line| line[column].chars().count()).max())
        .map(Option::unwrap_or_default)
        .collect();
    let mut text = String::new();
    for line in lines {
        for (cell, width) in line.iter().zip(&widths) {
            let _ = write!(text, "{cell:width$}  ");
        }
        text = text.trim_end().to_owned();
        text.push('\n');
    }
    text
}
