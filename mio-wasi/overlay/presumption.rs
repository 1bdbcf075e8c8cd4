//! Taking readiness for granted.
//!
//! A source that was just served is often ready again by the time the others
//! were served too: then asking the host about it (arming it, its event, taking
//! it out again) costs more than the read that finds the data. Where reading on
//! spec succeeded lately, a served source is therefore *presumed* readable at
//! the next wait. mio allows for such events: an operation may always say
//! `WouldBlock`, and then the source is armed.

/// Keeps count of how presumptions ended, and says whether to make another.
#[derive(Debug)]
pub(crate) struct Presumption {
    /// Rises by one with a success, falls by two with a failure, which costs
    /// about twice what a success saves.
    score: i32,
    /// Sources served since the last trial.
    untried: u32,
}

const BEST: i32 = 64;
const WORST: i32 = -8;

/// With a bad score, one source in so many is tried.
const TRIAL: u32 = 16;

impl Presumption {
    pub(crate) const fn new() -> Presumption {
        Presumption {
            score: 0,
            untried: 0,
        }
    }

    /// Whether to presume that the next source is ready.
    pub(crate) fn is_worth_it(&mut self) -> bool {
        if self.score > 0 {
            return true;
        }
        self.untried += 1;
        if self.untried < TRIAL {
            return false;
        }
        self.untried = 0;
        true
    }

    pub(crate) fn was_right(&mut self) {
        self.score = (self.score + 1).min(BEST);
    }

    pub(crate) fn was_wrong(&mut self) {
        self.score = (self.score - 2).max(WORST);
    }
}
