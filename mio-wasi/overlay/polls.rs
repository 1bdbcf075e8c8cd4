//! The polls of the program. They share whatever waits, since there is one thread, and
//! every wait is for all of them.
//!
//! What a wait finds for another poll is kept for that one, which reports it at its next
//! wait. A poll may be given a waker ([`Polls::share_waits`]): the waker is told of what
//! is kept, and who waits returns as soon as others have something. A poll without one
//! waits on, since its owner would only wait again.
//!
//! A source has a number here, which the waiter takes for its token. So what is kept
//! for a source that is deregistered meanwhile is never reported.

use std::mem;
use std::task::Waker;

use wasmedge_host::Errno;

use super::direction::{Interest, Readiness};
use super::registration::{Key, Owner, RegisterError};
use super::waiter::Waiter;

/// Names a poll.
pub(crate) type PollId = usize;

/// What a source, or a waker, is registered as.
#[derive(Debug)]
struct Registration {
    poll: PollId,
    token: usize,
    /// `None` for a waker.
    key: Option<Key>,
    /// What was found in the wait of another poll.
    kept: Option<Readiness>,
}

/// What is known of a poll.
#[derive(Debug, Default)]
struct Known {
    /// How many registrations it has.
    registered: usize,
    /// The numbers of registrations for which something is, or was, kept.
    kept: Vec<usize>,
    waker: Option<Waker>,
}

/// All polls, and what they share.
#[derive(Debug)]
pub(crate) struct Polls<W> {
    pub(crate) waiter: W,
    /// By their number, so that their count does not matter. The first one stays empty:
    /// mio takes 0 for no poll.
    polls: Vec<Option<Known>>,
    free_polls: Vec<PollId>,
    registrations: Vec<Option<Registration>>,
    free: Vec<usize>,
}

impl<W: Waiter> Polls<W> {
    pub(crate) fn new(waiter: W) -> Polls<W> {
        Polls {
            waiter,
            polls: vec![None],
            free_polls: Vec::new(),
            // The waiter registers sources of its own as number 0.
            registrations: vec![None],
            free: Vec::new(),
        }
    }

    // ===== polls =====

    pub(crate) fn open(&mut self) -> PollId {
        let poll = self.free_polls.pop().unwrap_or_else(|| {
            self.polls.push(None);
            self.polls.len() - 1
        });
        self.polls[poll] = Some(Known::default());
        poll
    }

    /// Forgets a poll and what is still registered with it.
    pub(crate) fn close(&mut self, poll: PollId) {
        let Some(known) = self.polls[poll].take() else {
            return;
        };
        self.free_polls.push(poll);
        if known.registered == 0 {
            return;
        }
        for number in 0..self.registrations.len() {
            let registration = self.registrations[number].as_ref();
            if registration.is_some_and(|registration| registration.poll == poll) {
                self.forget(number);
            }
        }
    }

    /// Lets waits of other polls return when this one has something, of which `waker` is
    /// told, and waits of this one when others have something.
    pub(crate) fn share_waits(&mut self, poll: PollId, waker: Waker) {
        if let Some(known) = &mut self.polls[poll] {
            known.waker = Some(waker);
        }
    }

    // ===== registrations =====

    pub(crate) fn register(
        &mut self,
        poll: PollId,
        fd: i32,
        token: usize,
        interest: Interest,
        owner: Owner,
    ) -> Result<Key, RegisterError> {
        let number = self.number(poll, token);
        match self.waiter.insert(fd, number, interest, owner) {
            Ok(key) => {
                if let Some(registration) = &mut self.registrations[number] {
                    registration.key = Some(key);
                }
                Ok(key)
            }
            Err(error) => {
                self.forget(number);
                Err(error)
            }
        }
    }

    /// As mio's `reregister`. What was found before does not count: all of the interest
    /// is armed anew.
    pub(crate) fn reregister(&mut self, key: Key, token: usize, interest: Interest) {
        let Some(number) = self.waiter.number(key) else {
            return;
        };
        if let Some(registration) = &mut self.registrations[number] {
            registration.token = token;
            registration.kept = None;
        }
        self.waiter.update(key, interest);
    }

    pub(crate) fn deregister(&mut self, key: Key) {
        if let Some(number) = self.waiter.number(key) {
            self.forget(number);
        }
    }

    /// Finds the registration of `fd` with this poll, for sources that keep no key.
    pub(crate) fn find(&self, poll: PollId, fd: i32) -> Option<Key> {
        let key = self.waiter.find(fd)?;
        let number = self.waiter.number(key)?;
        let registration = self.registrations[number].as_ref()?;
        (registration.poll == poll).then_some(key)
    }

    /// Makes a waker of mio's; gives its number.
    pub(crate) fn add_waker(&mut self, poll: PollId, token: usize) -> usize {
        self.number(poll, token)
    }

    /// Makes the next wait of the waker's poll return.
    pub(crate) fn wake(&mut self, waker: usize) {
        self.waiter.wake(waker);
    }

    /// The waker is gone. It may have been used before that.
    pub(crate) fn remove_waker(&mut self, waker: usize) {
        self.forget(waker);
    }

    fn number(&mut self, poll: PollId, token: usize) -> usize {
        let number = self.free.pop().unwrap_or_else(|| {
            self.registrations.push(None);
            self.registrations.len() - 1
        });
        self.registrations[number] = Some(Registration {
            poll,
            token,
            key: None,
            kept: None,
        });
        if let Some(known) = &mut self.polls[poll] {
            known.registered += 1;
        }
        number
    }

    fn forget(&mut self, number: usize) {
        let Some(registration) = self.registrations[number].take() else {
            return;
        };
        if let Some(known) = &mut self.polls[registration.poll] {
            known.registered -= 1;
        }
        match registration.key {
            Some(key) => self.waiter.remove(key),
            None => self.waiter.forget_wake(number),
        }
        self.free.push(number);
    }

    // ===== waits =====

    /// Waits for a poll; see [`Waiter::wait`]. Returns the wakers that are to be woken,
    /// by the caller, since they may come by here.
    ///
    /// # Errors
    ///
    /// What the host answers to the call as a whole.
    pub(crate) fn wait(
        &mut self,
        poll: PollId,
        timeout: Option<u64>,
        mut report: impl FnMut(Readiness),
    ) -> Result<Vec<Waker>, Errno> {
        if self.report_kept(poll, &mut report) {
            // Who found it has polled just now.
            self.waiter.flush();
            return Ok(Vec::new());
        }
        let known = self.polls[poll].as_ref();
        let is_shared = known.is_some_and(|known| known.waker.is_some());
        // The host's clock is dear, and asked only where there may be more than one turn.
        let start =
            (!is_shared && self.polls.len() - self.free_polls.len() > 2).then(|| self.waiter.now());
        let (mut wakers, mut left) = (Vec::new(), timeout);
        loop {
            let mut found = false;
            let is_told = self.wait_for_all(left, &mut wakers, |owner, readiness| {
                let is_mine = owner == poll;
                if is_mine {
                    found = true;
                    report(readiness);
                }
                is_mine
            })?;
            let is_done = found || is_told;
            let Some(start) = start.filter(|_| !is_done) else {
                return Ok(wakers);
            };
            if let Some(timeout) = timeout {
                let passed = self.waiter.now().saturating_sub(start);
                if passed >= timeout {
                    return Ok(wakers);
                }
                left = Some(timeout - passed);
            }
        }
    }

    /// Waits for all polls, in the place of somebody who has none. Returns the wakers
    /// that are to be woken.
    ///
    /// # Errors
    ///
    /// What the host answers to the call as a whole.
    pub(crate) fn wait_beside(&mut self, timeout: Option<u64>) -> Result<Vec<Waker>, Errno> {
        let mut wakers = Vec::new();
        self.wait_for_all(timeout, &mut wakers, |_, _| false)?;
        Ok(wakers)
    }

    /// Waits once. `report` is told of everything that is found, and says whether it took
    /// it; the rest is kept. Returns whether something was found that is no source.
    fn wait_for_all(
        &mut self,
        timeout: Option<u64>,
        wakers: &mut Vec<Waker>,
        mut report: impl FnMut(PollId, Readiness) -> bool,
    ) -> Result<bool, Errno> {
        let Polls {
            waiter,
            polls,
            registrations,
            ..
        } = self;
        waiter.wait(timeout, |readiness| {
            let number = readiness.token;
            let Some(registration) = registrations[number].as_mut() else {
                return;
            };
            let readiness = Readiness {
                token: registration.token,
                ..readiness
            };
            if report(registration.poll, readiness) {
                return;
            }
            let Some(known) = &mut polls[registration.poll] else {
                return;
            };
            if let Some(waker) = &known.waker {
                if !wakers.iter().any(|other: &Waker| other.will_wake(waker)) {
                    wakers.push(waker.clone());
                }
            }
            known.kept.push(number);
            let before = registration.kept.take();
            registration.kept = Some(merge(before, readiness));
        })?;
        let before = wakers.len();
        waiter.take_wakers(wakers);
        Ok(wakers.len() > before)
    }

    /// Reports what the waits of others have found for a poll. Returns whether there was
    /// something.
    fn report_kept(&mut self, poll: PollId, report: &mut impl FnMut(Readiness)) -> bool {
        let Some(known) = &mut self.polls[poll] else {
            return false;
        };
        if known.kept.is_empty() {
            return false;
        }
        let mut found = false;
        for number in mem::take(&mut known.kept) {
            // The number may be another one's by now, who has nothing, or comes by again.
            let registration = self.registrations[number].as_mut();
            let registration = registration.filter(|registration| registration.poll == poll);
            if let Some(readiness) = registration.and_then(|registration| registration.kept.take())
            {
                found = true;
                report(readiness);
            }
        }
        found
    }
}

/// What was found of one source at two times.
fn merge(before: Option<Readiness>, now: Readiness) -> Readiness {
    let Some(before) = before else {
        return now;
    };
    Readiness {
        token: now.token,
        ready: before.ready.or(now.ready),
        read_closed: before.read_closed || now.read_closed,
        write_closed: before.write_closed || now.write_closed,
        error: before.error || now.error,
        priority: before.priority || now.priority,
    }
}
