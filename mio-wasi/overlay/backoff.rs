//! Back-off: sources that the host cannot wait for are left alone for a moment.
//!
//! A source in back-off is out of the poll set. Each time that its pause is over it is
//! armed again, and goes back into back-off if that brought nothing. Each such try costs a
//! poll of all sources, so the pauses grow with the time for which the source has been
//! stuck: it goes on a sixteenth of that too late, and a client that never reads costs five
//! polls a second.

use super::direction::Interest;
use super::poll_set;
use super::registration::Key;

/// The shortest pause, in nanoseconds: a poll of thousands of sources takes as long.
const FIRST: u64 = 1_000_000;

/// A pause is as long as the source has been stuck, until it is this long (nanoseconds) ...
const PLAIN: u64 = 10_000_000;

/// ... and then stays so until it is but this part of that time ...
const SHARE: u64 = 16;

/// ... and grows with it until it is this long, in nanoseconds, which nobody notices of a
/// peer that was stuck for seconds.
const LONGEST: u64 = 200_000_000;

/// Why sources are in back-off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The host cannot tell when they can be written to.
    Stuck,
    /// Not known, so that all sources are in back-off: nobody is heard meanwhile.
    Unknown,
}

/// How long a source is left alone that has been stuck for `stuck` nanoseconds.
fn pause(stuck: u64, cause: Cause) -> u64 {
    let longest = match cause {
        Cause::Stuck => (stuck / SHARE).clamp(PLAIN, LONGEST),
        Cause::Unknown => PLAIN,
    };
    stuck.clamp(FIRST, longest)
}

#[derive(Clone, Copy, Debug)]
struct Source {
    key: Key,
    interest: Interest,
    /// When its back-off began, when it may be tried with others whose pause is over,
    /// and when its own is: monotonic nanoseconds.
    since: u64,
    early: u64,
    due: u64,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    sources: Vec<Source>,
    /// Those that are armed again and have told nothing since.
    tried: Vec<Source>,
}

impl Backoff {
    pub(crate) fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    pub(crate) fn contains(&self, key: Key) -> bool {
        self.sources.iter().any(|source| source.key == key)
    }

    /// When the first pause is over, monotonic nanoseconds.
    pub(crate) fn due(&self) -> Option<u64> {
        self.sources.iter().map(|source| source.due).min()
    }

    /// Leaves a source alone of which the caller has disarmed `interest`.
    pub(crate) fn add(&mut self, key: Key, interest: Interest, cause: Cause, now: u64) {
        let before = self.tried.iter().position(|source| source.key == key);
        let since = before.map_or(now, |at| self.tried.swap_remove(at).since);
        let pause = pause(now.saturating_sub(since), cause);
        self.sources.push(Source {
            key,
            interest,
            since,
            early: now.saturating_add(pause / 2),
            due: now.saturating_add(pause),
        });
    }

    /// Hands those whose pause is over to `arm`; if there are any, also those that have
    /// waited for half of theirs, so that many sources are tried together.
    pub(crate) fn take_due(&mut self, now: u64, mut arm: impl FnMut(Key, Interest)) {
        if self.due().is_none_or(|due| now < due) {
            return;
        }
        let mut at = 0;
        while let Some(source) = self.sources.get(at).copied() {
            if now < source.early {
                at += 1;
                continue;
            }
            self.sources.swap_remove(at);
            // Of one that was closed meanwhile nothing is told.
            self.tried.retain(|tried| !tried.key.shares(source.key));
            self.tried.push(source);
            arm(source.key, source.interest);
        }
    }

    /// The source with an event of this user data is stuck no longer.
    pub(crate) fn told(&mut self, userdata: u64) {
        if !self.tried.is_empty() {
            self.tried
                .retain(|tried| !poll_set::is_of(userdata, tried.key));
        }
    }
}
