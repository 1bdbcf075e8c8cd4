//! What one thing costs, measured as the program runs.

/// An estimate from samples. Some samples are too large, since the system was busy with
/// something else meanwhile; the estimate follows smaller ones faster.
#[derive(Debug)]
pub(crate) struct Cost {
    nanos: u64,
    least: u64,
    most: u64,
}

impl Cost {
    /// The first estimate, and the limits that no sample goes beyond.
    pub(crate) const fn new(nanos: u64, least: u64, most: u64) -> Cost {
        Cost { nanos, least, most }
    }

    /// The estimate, in nanoseconds.
    pub(crate) fn nanos(&self) -> u64 {
        self.nanos
    }

    /// `count` of them took so many nanoseconds together.
    pub(crate) fn sample(&mut self, took: u64, count: usize) {
        let sample = (took / count as u64).clamp(self.least, self.most);
        if sample < self.nanos {
            self.nanos -= (self.nanos - sample) / 2;
        } else {
            self.nanos += (sample - self.nanos) / 32;
        }
    }
}
