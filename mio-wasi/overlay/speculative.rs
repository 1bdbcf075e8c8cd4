//! Whether to take a source for ready without asking the host.
//!
//! A source that was just served is often ready again by the time the others
//! were served too: then asking the host about it (arming it, its event, taking
//! it out again) costs more than the read that finds the data. Where reading
//! without having asked succeeded lately, a served source is therefore *speculatively*
//! reported as readable at the next wait. mio allows for such events: an operation may
//! always say `WouldBlock`, and then the source is armed.

/// Keeps count of how speculation ended, and says whether to go on with it.
#[derive(Debug)]
pub(crate) struct Score {
    /// Rises by one with a success, falls by two with a failure, which costs
    /// about twice what a success saves.
    score: i32,
    /// Sources for which there was no speculation since the last one.
    passed_over: u32,
}

/// Keeps a long run of successes from hiding that things have changed.
const BEST: i32 = 64;

/// Keeps a long run of failures from outlasting their cause.
const WORST: i32 = -8;

/// With a bad score, one source in so many is speculated on all the same: without that
/// the score would never get better.
const SAMPLE: u32 = 16;

impl Score {
    pub(crate) const fn new() -> Score {
        Score {
            score: 0,
            passed_over: 0,
        }
    }

    /// Whether to take the next source for ready.
    pub(crate) fn is_worth_it(&mut self) -> bool {
        if self.score > 0 {
            return true;
        }
        self.passed_over += 1;
        if self.passed_over < SAMPLE {
            return false;
        }
        self.passed_over = 0;
        true
    }

    pub(crate) fn was_right(&mut self) {
        self.score = (self.score + 1).min(BEST);
    }

    pub(crate) fn was_wrong(&mut self) {
        self.score = (self.score - 2).max(WORST);
    }
}
