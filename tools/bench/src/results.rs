//! What came of the measurements.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::figures::{Spread, spread};
use crate::place::Place;
use crate::rows::{Figure, Row};
use crate::work::{Quantity, Values, Work};

/// What was measured so far.
#[derive(Debug)]
pub(crate) struct Results {
    pub(crate) rows: Vec<Row>,
    /// Names of the places, native first.
    pub(crate) places: Vec<String>,
    pub(crate) rounds: usize,
    pub(crate) seconds: f64,
    /// By round, work and place.
    values: BTreeMap<(usize, Work, String), Values>,
    /// What could not be measured.
    pub(crate) left_out: Vec<String>,
}

impl Results {
    /// Nothing is measured yet.
    pub(crate) fn new(places: &[Place], rows: Vec<Row>, rounds: usize, seconds: f64) -> Results {
        Results {
            rows,
            places: places.iter().map(ToString::to_string).collect(),
            rounds,
            seconds,
            values: BTreeMap::new(),
            left_out: Vec::new(),
        }
    }

    /// What the rows need, each once.
    pub(crate) fn works(&self) -> Vec<Work> {
        let mut works = Vec::new();
        for row in &self.rows {
            if !works.contains(&row.work) {
                works.push(row.work);
            }
        }
        works
    }

    /// Notes what a measurement gave.
    pub(crate) fn add(&mut self, round: usize, work: &Work, place: &Place, values: Values) {
        self.values
            .insert((round, *work, place.to_string()), values);
    }

    /// The value of a row in a place, if it was measured in this round.
    pub(crate) fn value(&self, round: usize, row: &Row, place: &str) -> Option<f64> {
        let values = self.values.get(&(round, row.work, place.to_owned()))?;
        values.get(&row.value).copied()
    }

    /// The figures of a row in a place, one for each round that has one.
    pub(crate) fn spread(&self, row: &Row, place: &str) -> Option<Spread> {
        let native = &self.places[0];
        let figures = (0..self.rounds).filter_map(|round| {
            let value = self.value(round, row, place)?;
            Some(match row.figure {
                Figure::Value => value,
                Figure::Ratio => value / self.value(round, row, native)?,
                Figure::Inverse => self.value(round, row, native)? / value,
            })
        });
        spread(figures.collect())
    }

    /// Everything, for programs.
    pub(crate) fn json(&self) -> Value {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                let places: BTreeMap<&String, Value> = self
                    .places
                    .iter()
                    .map(|place| {
                        let rounds: Vec<_> = (0..self.rounds)
                            .map(|round| self.value(round, row, place))
                            .collect();
                        let figure = self.spread(row, place);
                        (place, json!({ "rounds": rounds, "figure": figure }))
                    })
                    .collect();
                json!({
                    "name": row.name, "value": row.value, "figure": format!("{:?}", row.figure),
                    "plain": row.plain, "plugin": row.plugin, "places": places,
                })
            })
            .collect();
        json!({
            "rounds": self.rounds, "seconds": self.seconds, "rows": rows,
            "left_out": self.left_out,
        })
    }

    /// The median of a value in a place, for the plots.
    pub(crate) fn median(&self, work: Work, value: Quantity, place: &str) -> Option<f64> {
        let values = (0..self.rounds).filter_map(|round| {
            let values = self.values.get(&(round, work, place.to_owned()))?;
            values.get(&value).copied()
        });
        spread(values.collect()).map(|(median, ..)| median)
    }
}
