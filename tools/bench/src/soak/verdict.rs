//! Whether a load went as it should: what is allowed, and what is said of it.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::figures::rounded;

/// Memory may grow by so much after the first tenth, in KiB: what allocators keep
/// moves by some hundred. In ten million requests it is a leak of a quarter of
/// a byte for each of them, or of 23 bytes for each connection.
const NOISE: f64 = 2048.0;

/// So many files more may be open after the load than before it: some are opened at their first
/// use, and kept. A leak has thousands.
const KEPT_FILES: usize = 4;

/// The rate at the end is at least this much of that at the start.
const KEPT: f64 = 0.9;

/// The start and the end are three tenths each, and the one in the middle counts: a
/// machine that is busy elsewhere for some seconds must not decide. The first tenth pays
/// for the start of the program.
const START: [usize; 3] = [2, 3, 4];
const END: [usize; 3] = [8, 9, 10];

/// The server at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// Since the start of the load.
    pub(crate) seconds: f64,
    /// Processor time so far, in seconds.
    pub(crate) cpu: f64,
    /// In KiB.
    pub(crate) memory: f64,
}

/// What came of a load.
#[derive(Debug)]
pub(crate) struct Soak {
    /// The version of WasmEdge.
    pub(crate) wasmedge: String,
    /// How many were to be made.
    pub(crate) requests: u64,
    /// How many were answered rightly.
    pub(crate) answered: u64,
    /// How many were not.
    pub(crate) failed: u64,
    /// Of some failures, why.
    pub(crate) reasons: Vec<String>,
    /// How many files the server had open before the load and after it; `None`: it ended.
    pub(crate) files: Option<(usize, usize)>,
    /// At the start and after each tenth.
    pub(crate) samples: Vec<Sample>,
}

impl Soak {
    /// Requests per second, and seconds of processor time for one, in a tenth.
    fn tenth(&self, tenth: usize) -> Option<(f64, f64)> {
        let (before, after) = (
            self.samples.get(tenth.checked_sub(1)?)?,
            self.samples.get(tenth)?,
        );
        let requests = self.requests as f64 / 10.0;
        Some((
            requests / (after.seconds - before.seconds),
            (after.cpu - before.cpu) / requests,
        ))
    }

    /// The medians of some tenths.
    fn median(&self, tenths: [usize; 3]) -> Option<(f64, f64)> {
        let mut rates = Vec::new();
        let mut cpus = Vec::new();
        for tenth in tenths {
            let (rate, cpu) = self.tenth(tenth)?;
            rates.push(rate);
            cpus.push(cpu);
        }
        rates.sort_by(f64::total_cmp);
        cpus.sort_by(f64::total_cmp);
        Some((rates[1], cpus[1]))
    }

    /// What did not hold.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        if self.failed > 0 || self.answered != self.requests {
            complaints.push(format!(
                "{} of {} requests were answered, {} failed: {}",
                self.answered,
                self.requests,
                self.failed,
                self.reasons.join("; ")
            ));
        }
        if let Some((before, after)) = self.files
            && after > before + KEPT_FILES
        {
            complaints.push(format!(
                "{before} files were open before the load, and {after} after it"
            ));
        }
        let ends = (self.samples.get(1), self.samples.get(10));
        let rates = (self.median(START), self.median(END));
        let ((Some(first), Some(last)), (Some(start), Some(end))) = (ends, rates) else {
            complaints.push("it ended too early to judge memory and rate".to_owned());
            return complaints;
        };
        let grown = last.memory - first.memory;
        if grown > NOISE {
            complaints.push(format!(
                "memory grew by {grown:.0} KiB after the first tenth; {NOISE:.0} are allowed"
            ));
        }
        if end.0 < KEPT * start.0 {
            // With as much processor time as before it is the machine that is slow.
            complaints.push(format!(
                "the rate fell from {:.0} at the start to {:.0} at the end; \
                 processor time for a request went from {:.1} to {:.1} µs",
                start.0,
                end.0,
                start.1 * 1e6,
                end.1 * 1e6
            ));
        }
        complaints
    }

    /// For people.
    pub(crate) fn table(&self) -> String {
        let mut text = String::from("tenth  requests/s  CPU per request, µs  memory, MiB\n");
        for (at, sample) in self.samples.iter().enumerate().skip(1) {
            if let Some((rate, cpu)) = self.tenth(at) {
                let (cpu, memory) = (cpu * 1e6, sample.memory / 1024.0);
                let _ = writeln!(text, "{at:5}  {rate:10.0}  {cpu:19.1}  {memory:11.2}");
            }
        }
        let _ = writeln!(text, "{}", self.line());
        text
    }

    /// In a sentence or two.
    pub(crate) fn line(&self) -> String {
        let mut text = format!(
            "WasmEdge {}: {} million requests, {} failed",
            self.wasmedge,
            self.requests as f64 / 1e6,
            self.failed
        );
        if let (Some(first), Some(last)) = (self.samples.get(1), self.samples.get(10)) {
            let (first, last) = (first.memory / 1024.0, last.memory / 1024.0);
            let _ = write!(
                text,
                "; memory {first:.2} MiB after a tenth and {last:.2} at the end"
            );
        }
        if let Some((_, after)) = self.files {
            let _ = write!(text, ", {after} files open when all are gone");
        }
        if let (Some(start), Some(end)) = (self.median(START), self.median(END)) {
            let _ = write!(
                text,
                "; {} requests/s at the start and {} at the end, with {} and {} µs of \
                 processor time for each",
                rounded(start.0),
                rounded(end.0),
                rounded(start.1 * 1e6),
                rounded(end.1 * 1e6)
            );
        }
        let complaints = self.complaints();
        if complaints.is_empty() {
            text.push_str(". It holds.");
        } else {
            let _ = write!(text, ". It does not hold: {}.", complaints.join(", and "));
        }
        text
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        let samples = self.samples.iter().map(|sample| {
            json!({
                "seconds": sample.seconds,
                "cpu_seconds": sample.cpu,
                "memory_kib": sample.memory,
            })
        });
        json!({
            "wasmedge": self.wasmedge, "requests": self.requests, "answered": self.answered,
            "failed": self.failed, "reasons": self.reasons,
            "files": self.files.map(|(before, after)| [before, after]),
            "samples": samples.collect::<Vec<_>>(), "complaints": self.complaints(),
        })
    }
}

#[cfg(test)]
mod tests;
