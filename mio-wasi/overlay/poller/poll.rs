//! One call of the host: what leads it, what ends it, and what its events mean.

use wasmedge_host::abi::Event as HostEvent;
use wasmedge_host::Errno;

use super::super::poll_set::{Head, CLOCK};
use super::{Host, Poller, Readiness};

/// Longest single wait, in nanoseconds. A wait without an end and without a
/// source is a series of these: the host cannot be asked to wait for nothing.
const LONGEST_WAIT: u64 = 3_600_000_000_000;

/// One in so many polls that return at once has a clock instead of the
/// descriptor that is always ready: that one keeps the host from ever returning
/// without an event, and who waits for the answer to that would wait for ever.
const CLOCKED: u32 = 64;

/// What one call of the host brought.
pub(super) struct Answer {
    /// How many subscriptions the host walked through.
    pub(super) walked: usize,
    /// No event at all, not even the clock's.
    pub(super) is_empty: bool,
    pub(super) reported: usize,
}

impl<H: Host> Poller<H> {
    /// What makes a poll return at once. A clock at zero does, but its timer has
    /// to fire, which takes as long as ten other polls.
    pub(super) fn return_at_once(&mut self) -> Head {
        self.unclocked += 1;
        if self.unclocked < CLOCKED {
            if let Some(fd) = self.host.always_ready() {
                return Head::Ready(fd);
            }
        }
        self.unclocked = 0;
        Head::Clock(0)
    }

    /// The clock of the next call: the caller's, cut to when a back-off ends or
    /// the next cold sources are due; none where none is needed.
    pub(super) fn next_wait(&mut self, deadline: Option<u64>, now: u64) -> Head {
        let mut wait = deadline.map(|deadline| deadline.saturating_sub(now));
        let mut cut = |pause: u64| wait = Some(wait.map_or(pause, |wait| wait.min(pause)));
        if let Some(due) = self.backoff.due() {
            cut(due.saturating_sub(now).max(1));
        }
        if self.set.cold() > 0 {
            cut(self.pace.longest_wait(self.set.cold()));
        }
        if self.set.armed() == 0 {
            cut(LONGEST_WAIT);
        }
        wait.map_or(Head::Nothing, |wait| Head::Clock(wait.min(LONGEST_WAIT)))
    }

    /// Calls the host once, or again with the identical subscriptions for as
    /// long as signals interrupt it.
    pub(super) fn poll_once(
        &mut self,
        head: Head,
        report: &mut impl FnMut(Readiness),
    ) -> Result<Answer, Errno> {
        let Poller {
            set,
            host,
            events,
            backoff,
            ..
        } = self;
        let subscriptions = set.subscriptions(head);
        let length = subscriptions.len();
        if events.len() < length {
            events.resize(length.next_power_of_two(), HostEvent::EMPTY);
        }
        let mut count = host.poll(subscriptions, &mut events[..length])?;
        let mut replayed = false;
        while events[..count]
            .iter()
            .any(|event| event.error() == Errno::INTR)
        {
            replayed = true;
            count = host.poll(subscriptions, &mut events[..length])?;
        }

        let mut answer = Answer {
            walked: length,
            is_empty: count == 0,
            reported: 0,
        };
        for event in &events[..count] {
            if event.userdata() == CLOCK {
                continue;
            }
            if event.error() == Errno::EXIST {
                // Only after a signal: the subscription survived in the host
                // and is not ready. It stays armed.
                debug_assert!(replayed, "a direction was subscribed to twice");
                continue;
            }
            let (userdata, hang_up) = (event.userdata(), event.is_hangup());
            if let Some(mut readiness) = set.take_event(userdata, hang_up) {
                answer.reported += 1;
                backoff.told(userdata);
                // Else the host could not poll the descriptor.
                let is_polled = matches!(event.error(), Errno::SUCCESS | Errno::PERM);
                // A connection that is down in both directions has mostly failed, of which
                // the host's events do not tell.
                readiness.error = !is_polled
                    || hang_up && set.failed(userdata).is_some_and(|fd| host.keep_error(fd));
                report(readiness);
            }
        }
        Ok(answer)
    }
}
