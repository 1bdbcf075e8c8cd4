//! The results as a table.

use std::fmt::Write as _;

use crate::figures::{rounded, spread, with_unit};
use crate::results::Results;
use crate::rows::Row;

impl Results {
    /// The head of the table.
    pub(crate) fn header(&self) -> Vec<String> {
        let mut header = vec!["work".to_owned(), "native".to_owned()];
        header.extend(
            self.places[1..]
                .iter()
                .map(|place| format!("WasmEdge {place}")),
        );
        header.extend(["reach".to_owned(), "stretch".to_owned(), "holds".to_owned()]);
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
        let mut worst: Option<f64> = Some(0.0);
        for place in &self.places[1..] {
            let spread = self.spread(row, place);
            worst = worst
                .zip(spread)
                .map(|(worst, (median, ..))| worst.max(median));
            cells.push(spread.map_or("–".to_owned(), |(median, least, most)| {
                format!("{} ({}–{})", rounded(median), rounded(least), rounded(most))
            }));
        }
        let target = |target: Option<f64>| target.map_or(String::new(), rounded);
        cells.push(target(row.reach));
        cells.push(target(row.stretch));
        let within = |target: Option<f64>| Some(worst? <= target?);
        cells.push(
            match (within(row.stretch), within(row.reach)) {
                (Some(true), _) => "stretch",
                (_, Some(true)) => "reach",
                (_, Some(false)) => "no",
                _ => "",
            }
            .to_owned(),
        );
        cells
    }

    /// The table for people.
    pub(crate) fn table(&self) -> String {
        let lines: Vec<Vec<String>> = std::iter::once(self.header())
            .chain(self.rows.iter().map(|row| self.cells(row)))
            .collect();
        let columns = lines[0].len();
        let widths: Vec<usize> = (0..columns)
            .map(|column| lines.iter().map(|line| line[column].chars().count()).max())
            .map(Option::unwrap_or_default)
            .collect();
        let mut text = String::new();
        for line in &lines {
            for (cell, width) in line.iter().zip(&widths) {
                let _ = write!(text, "{cell:width$}  ");
            }
            text = text.trim_end().to_owned();
            text.push('\n');
        }
        for left_out in &self.left_out {
            let _ = writeln!(text, "not measured: {left_out}");
        }
        text
    }
}
