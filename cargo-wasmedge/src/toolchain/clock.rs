//! Deadlines, and the time of day for stamps.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A moment after which everything under way is ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    pub fn after(time: Duration) -> Deadline {
        Deadline(Instant::now() + time)
    }

    /// At most `limit`, and at most what is left.
    pub fn within(self, limit: Duration) -> Duration {
        limit.min(self.left())
    }

    /// Zero when it is over.
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

/// Seconds since 1970-01-01 00:00 UTC.
pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_bounds_what_is_asked_for() {
        let minute = Duration::from_secs(60);
        let deadline = Deadline::after(minute);
        assert!(deadline.left() <= minute);
        assert_eq!(deadline.within(Duration::from_secs(1)).as_secs(), 1);
        assert!(deadline.within(2 * minute) <= minute);
        assert!(Deadline::after(Duration::ZERO).left().is_zero());
    }
}
