//! How often all sources are polled.
//!
//! The host walks through every subscription on every poll, and takes out and
//! puts back what a poll leaves out. With thousands of idle connections that is
//! most of the work.
//!
//! A program that is never out of work can do better: one full poll costs a third of
//! probing each source of the set, as long as no poll in between takes sources out. So
//!
//! * **How long to skip polls** is decided here: [`Pace::max_poll_skip`]. Meanwhile
//!   what was served a moment ago is probed, or taken for ready (`speculative.rs`).
//!
//! It has to poll nevertheless when nothing more is ready, to sleep. Does that
//! happen often, the set is *split*: what spoke lately stays in every
//! poll (hot), the rest (cold) is probed one by one, a slice at a time. A probe
//! costs more than a subscription, but there are far fewer of them. From measured costs
//! it is decided
//!
//! * **Whether to split.** [`Pace::pressure`] is what walking through the whole
//!   set costs, or would cost, above its share of the time, full polls that are due not
//!   counted. At the price of a change (each source out of the host and in again) the set
//!   is split; at zero it is whole again. The distance keeps it from going back and forth.
//!   A program that waits for longer soon has a whole set, and then sleeps without a
//!   time-out.
//! * **How many stay hot.** As many as can be walked through in a small share of the time
//!   between two polls; those that have been silent for longest go.
//! * **How fast to sweep.** All cold sources are probed once in several times the
//!   time that this takes: that bounds both the share of the time that goes into it, and
//!   how long a cold source may go unnoticed (about 25 ms with 4000).
//!
//! Times are in nanoseconds, and the program's own: the processor time that it used, and
//! what it slept in polls. A machine that others keep busy gives it less of it, and then
//! the shares are of that.

use super::cost::Cost;

/// Fewest sources for which splitting is considered: fewer are walked through in less
/// time than the decision takes.
const FEWEST: usize = 32;

/// Share of the time that walking may take: one in so many. Less, and sets are split that
/// cost next to nothing; more, and a server that sleeps between requests feels it.
const WALK_SHARE: u64 = 8;

/// Share of the time that walking through hot sources may take: one in so many. A third
/// of [`WALK_SHARE`], since sweeping comes on top.
const HOT_SHARE: u64 = 24;

/// So many sources may be hot in any case.
const FEWEST_HOT: usize = 32;

/// A longer time between polls is not taken for the usual one: the program was asleep.
const LONGEST_GAP: u64 = 10_000_000;

/// Share of the time that sweeping may take: one in so many. Its other side is the time
/// for which a cold source goes unnoticed.
const SWEEP_SHARE: u64 = 6;

/// A change takes a source out of the host and puts it in again, which costs as
/// much as so many subscriptions to it.
const CHANGE: u64 = 6;

/// Fewest sources for which polls are skipped for longer than a moment: a
/// poll of fewer costs little, and whoever waits for this program's answers may take
/// longer than it.
const FEWEST_TO_SKIP: usize = 200;

/// How long polls may be skipped in any case, in nanoseconds, while sources are ready
/// one after the other: no client notices it, and it is many requests long.
pub(crate) const SHORTEST_SKIP: u64 = 500_000;

/// Full polls take one in so many of the time, as long as that makes them come often ...
const FULL_POLL_SHARE: u64 = 12;

/// ... in nanoseconds. Where it would not, they may take more: one in so many.
const FULL_POLL_OFTEN: u64 = 20_000_000;
const FULL_POLL_LARGEST_SHARE: u64 = 6;

/// A split set is for programs that sleep: for at least so many nanoseconds in one of
/// the polls up to one that counts against a whole set. Shorter is what the clocks are
/// off by.
const SLEPT: u64 = 10_000;

/// Sweeping faster than in this time helps nobody.
const QUICKEST_SWEEP: u64 = 10_000_000;

/// Probes are made in batches of at least this many, for the sake of the clock
/// calls around them; when nothing else is to be done, of more.
const BATCH: usize = 16;
const BATCH_ASLEEP: usize = 64;

/// A source that has not been armed for two eras is hot. An era has at least so many
/// polls, and lasts at least so long.
const ERA_POLLS: u32 = 2;
const ERA: u64 = 4_000_000;

#[derive(Debug)]
pub(crate) struct Pace {
    /// Fewest sources for which splitting is considered.
    pub(crate) fewest: usize,
    /// Fewest sources for which polls are skipped for longer than a moment.
    pub(crate) fewest_to_skip: usize,
    split: bool,
    /// The program's own time.
    now: u64,
    /// Processor time when it was last measured.
    cpu_time: u64,
    /// What walking has cost above its share.
    pressure: u64,
    /// Until when the pressure has been brought down.
    relieved: u64,
    subscription: Cost,
    probe: Cost,
    /// Up to when the cold sources have been swept.
    swept: u64,
    /// When the last full poll was, or in a split set would have been.
    full_poll: u64,
    /// The program has slept since a poll last counted.
    rested: bool,
    era: u32,
    era_began: u64,
    era_polls: u32,
    /// When the last poll was, and the usual time between two.
    began: u64,
    gap: u64,
}

/// What is to be done with the set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    None,
    /// Sources that have been armed for two eras become cold, as far as there
    /// are too many hot ones.
    Cool,
    /// Every source is to be in every poll.
    Join,
}

impl Pace {
    pub(crate) fn new() -> Pace {
        Pace {
            fewest: FEWEST,
            fewest_to_skip: FEWEST_TO_SKIP,
            split: false,
            now: 0,
            cpu_time: 0,
            pressure: 0,
            relieved: 0,
            subscription: Cost::new(600, 100, 5_000),
            probe: Cost::new(1_000, 200, 2_500),
            swept: 0,
            full_poll: 0,
            rested: false,
            era: 2,
            era_began: 0,
            era_polls: 0,
            began: 0,
            gap: 0,
        }
    }

    /// Whether what is done with `awaited` sources, of which some are `cold`, is
    /// to be watched. It costs system calls.
    pub(crate) fn watches(&self, awaited: usize, cold: usize) -> bool {
        awaited >= self.fewest || cold > 0
    }

    /// The program has used `cpu_time` so far. Returns how much of it since the last
    /// call.
    pub(crate) fn cpu_time(&mut self, cpu_time: u64) -> u64 {
        let since = cpu_time.saturating_sub(self.cpu_time);
        self.cpu_time = cpu_time;
        self.now += since;
        since
    }

    /// The program slept in a poll.
    pub(crate) fn slept(&mut self, nanos: u64) {
        self.now += nanos;
    }

    /// The current era; sources remember in which one they were armed.
    pub(crate) fn era(&self) -> u32 {
        self.era
    }

    /// A poll used so much processor time, and walked through so many subscriptions.
    pub(crate) fn walked(&mut self, walked: usize, cpu_time: u64) {
        if walked >= BATCH {
            self.subscription.sample(cpu_time, walked);
        }
    }

    /// There was a poll. `counts` if it had or brought something to do; `slept` is
    /// for how long it waited; `due` says that there had been none for
    /// [`max_poll_skip`](Self::max_poll_skip). `awaited` sources would have been in it if the set were
    /// whole.
    pub(crate) fn polled(&mut self, awaited: usize, counts: bool, slept: u64, due: bool) {
        self.era_polls += 1;
        let gap = self.now.saturating_sub(self.began).min(LONGEST_GAP);
        self.gap = self.gap - self.gap / 8 + gap / 8;
        self.began = self.now;
        let due = match self.split {
            true => self.now.saturating_sub(self.full_poll) >= self.max_poll_skip(awaited, 0),
            false => due,
        };
        self.rested |= slept > SLEPT;
        if due {
            self.full_poll = self.now;
        } else if counts && (!self.split || self.rested) {
            self.rested = false;
            self.press(awaited, self.walk(awaited));
        }
    }

    /// Time was spent on probes instead of on a poll of so many sources, which is as bad.
    pub(crate) fn probed_instead(&mut self, awaited: usize, nanos: u64) {
        self.press(awaited, nanos);
    }

    fn press(&mut self, awaited: usize, nanos: u64) {
        let most = 2 * self.price_of_change(awaited);
        self.pressure = self.pressure.saturating_add(nanos).min(most);
    }

    /// What a poll of so many sources costs.
    pub(crate) fn walk(&self, sources: usize) -> u64 {
        sources as u64 * self.subscription.nanos()
    }

    /// For how long polls may be skipped, in nanoseconds, as long as there is
    /// something to do.
    pub(crate) fn max_poll_skip(&self, awaited: usize, cold: usize) -> u64 {
        if cold > 0 || awaited < self.fewest_to_skip {
            return SHORTEST_SKIP;
        }
        let walk = self.walk(awaited);
        (FULL_POLL_SHARE * walk)
            .min(FULL_POLL_OFTEN)
            .max(FULL_POLL_LARGEST_SHARE * walk)
            .max(SHORTEST_SKIP)
    }

    /// How many sources are hot at most, once the set is split.
    pub(crate) fn hot(&self) -> usize {
        ((self.gap / HOT_SHARE / self.subscription.nanos()) as usize).max(FEWEST_HOT)
    }

    /// Says what is to be done, now that `awaited` sources are armed or cold.
    pub(crate) fn decide(&mut self, awaited: usize) -> Change {
        let now = self.now;
        let relief = now.saturating_sub(self.relieved) / WALK_SHARE;
        self.relieved = now;
        self.pressure = self.pressure.saturating_sub(relief);

        let mut new_era = false;
        if self.era_polls >= ERA_POLLS && now.saturating_sub(self.era_began) >= ERA {
            self.era += 1;
            self.era_began = now;
            self.era_polls = 0;
            new_era = true;
        }
        if self.split && (self.pressure == 0 || awaited < self.fewest) {
            self.split = false;
            return Change::Join;
        }
        if !self.split && awaited >= self.fewest && self.pressure >= self.price_of_change(awaited) {
            self.split = true;
            self.swept = now;
            return Change::Cool;
        }
        if self.split && new_era {
            return Change::Cool;
        }
        Change::None
    }

    fn price_of_change(&self, awaited: usize) -> u64 {
        CHANGE * self.subscription.nanos() * awaited as u64
    }

    /// How long sweeping `cold` sources takes.
    fn sweep(&self, cold: usize) -> u64 {
        (SWEEP_SHARE * self.probe.nanos() * cold as u64).max(QUICKEST_SWEEP)
    }

    /// How many of `cold` sources are to be probed now.
    pub(crate) fn due(&mut self, cold: usize) -> usize {
        let now = self.now;
        if cold == 0 {
            self.swept = now;
            return 0;
        }
        let sweep = self.sweep(cold);
        let passed = now.saturating_sub(self.swept);
        if passed >= sweep {
            self.swept = now;
            return cold;
        }
        let due = (passed as u128 * cold as u128 / u128::from(sweep)) as usize;
        if due < BATCH.min(cold) {
            return 0;
        }
        self.swept += due as u64 * sweep / cold as u64;
        due
    }

    /// `count` probes used so much processor time.
    pub(crate) fn probed(&mut self, count: usize, cpu_time: u64) {
        if count >= BATCH {
            self.probe.sample(cpu_time, count);
        }
    }

    /// How long a wait may last until the next of `cold` sources are to be
    /// probed.
    pub(crate) fn longest_wait(&self, cold: usize) -> u64 {
        let batch = (cold / 8).max(BATCH_ASLEEP).min(cold);
        let after = self.sweep(cold) * batch as u64 / cold.max(1) as u64;
        // A nanosecond more than the division left out.
        (self.swept + after + 1).saturating_sub(self.now).max(1)
    }
}
