//! More than one poll.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Wake, Waker};

use super::{tokens, MS};
use crate::direction::{Interest, Readiness, Ready};
use crate::model::{Model, Socket};
use crate::registration::{Key, Owner, RegisterError};

use crate::poller::Poller;
use crate::polls::{PollId, Polls};

/// Counts how often it is woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

struct Rig {
    polls: Polls<Poller<Model>>,
    model: Model,
}

impl Rig {
    fn new() -> Rig {
        let model = Model::default();
        let polls = Polls::new(Poller::new(model.clone()).unwrap());
        Rig { polls, model }
    }

    /// Opens a poll whose waits are shared; gives what counts its wakes.
    fn shared(&mut self) -> (PollId, Arc<Count>) {
        let (poll, count) = (self.polls.open(), Arc::new(Count::default()));
        self.polls.share_waits(poll, Waker::from(count.clone()));
        (poll, count)
    }

    fn source(&mut self, poll: PollId, fd: i32, token: usize, interest: Interest) -> Key {
        let mut state = self.model.0.borrow_mut();
        state.sockets.entry(fd).or_insert_with(Socket::silent);
        drop(state);
        let key = self.polls.register(poll, fd, token, interest, Owner::Mio);
        key.unwrap()
    }

    fn change(&self, fd: i32, change: impl FnOnce(&mut Socket)) {
        change(self.model.0.borrow_mut().sockets.get_mut(&fd).unwrap());
    }

    fn speak(&self, fd: i32) {
        self.change(fd, |socket| socket.readable = true);
    }

    fn wait(&mut self, poll: PollId, timeout: Option<u64>) -> Vec<Readiness> {
        let mut found = Vec::new();
        let wakers = self
            .polls
            .wait(poll, timeout, |readiness| found.push(readiness));
        wakers.unwrap().into_iter().for_each(Waker::wake);
        found
    }

    fn tokens(&mut self, poll: PollId, timeout: Option<u64>) -> Vec<usize> {
        tokens(&self.wait(poll, timeout))
    }

    fn host_polls(&self) -> usize {
        self.model.0.borrow().polls
    }

    fn now(&self) -> u64 {
        self.model.0.borrow().now
    }
}

fn wakes(count: &Count) -> usize {
    count.0.swap(0, Ordering::Relaxed)
}

#[test]
fn a_shared_wait_ends_when_another_poll_has_something_which_is_kept_for_it() {
    let mut rig = Rig::new();
    let (one, woken_one) = rig.shared();
    let (two, woken_two) = rig.shared();
    rig.source(one, 7, 70, Interest::READ);
    rig.source(two, 8, 80, Interest::BOTH);
    rig.speak(8);
    let before = rig.host_polls();
    assert_eq!(rig.wait(one, None), []);
    assert_eq!((wakes(&woken_one), wakes(&woken_two)), (0, 1));
    assert_eq!(rig.host_polls(), before + 1);
    // No further poll is needed to know it.
    let found = rig.wait(two, Some(0));
    assert_eq!(tokens(&found), [80]);
    assert_eq!(found[0].ready, Ready::READABLE);
    assert_eq!(rig.host_polls(), before + 1);
    // Reported once.
    assert_eq!(rig.wait(two, Some(MS)), []);
    assert_eq!(rig.now(), MS);
}

#[test]
fn what_is_found_for_two_polls_at_once_is_told_to_each() {
    let mut rig = Rig::new();
    let (one, _) = rig.shared();
    let (two, woken_two) = rig.shared();
    let (three, woken_three) = rig.shared();
    for (poll, fd) in [(one, 7), (two, 8), (two, 9), (three, 10)] {
        rig.source(poll, fd, fd as usize, Interest::READ);
        rig.speak(fd);
    }
    assert_eq!(rig.tokens(one, None), [7]);
    assert_eq!((wakes(&woken_two), wakes(&woken_three)), (1, 1));
    assert_eq!(rig.tokens(two, None), [8, 9]);
    assert_eq!(rig.tokens(three, None), [10]);
}

#[test]
fn a_wait_that_is_not_shared_goes_on_whatever_others_have() {
    let mut rig = Rig::new();
    let mine = rig.polls.open();
    let (other, woken) = rig.shared();
    rig.source(mine, 7, 70, Interest::READ);
    rig.source(other, 8, 80, Interest::READ);
    rig.speak(8);
    assert_eq!(rig.wait(mine, Some(5 * MS)), []);
    assert_eq!(rig.now(), 5 * MS);
    assert_eq!(wakes(&woken), 1);
    assert_eq!(rig.tokens(other, None), [80]);
    // Nor is anything lost of a poll that nobody waits for.
    rig.speak(7);
    assert_eq!(rig.wait(other, Some(MS)), []);
    assert_eq!(rig.tokens(mine, None), [70]);
}

#[test]
fn what_nobody_fetches_ends_one_wait_and_no_more() {
    let mut rig = Rig::new();
    let (one, _) = rig.shared();
    let (two, _) = rig.shared();
    rig.source(two, 8, 80, Interest::READ);
    rig.speak(8);
    assert_eq!(rig.wait(one, Some(5 * MS)), []);
    assert_eq!(rig.now(), 0);
    assert_eq!(rig.wait(one, Some(5 * MS)), []);
    assert_eq!(rig.now(), 5 * MS);
    assert_eq!(rig.tokens(two, None), [80]);
}

#[test]
fn nothing_is_reported_of_who_is_deregistered_meanwhile() {
    let mut rig = Rig::new();
    let (one, _) = rig.shared();
    let (two, _) = rig.shared();
    let key = rig.source(two, 8, 80, Interest::READ);
    rig.speak(8);
    assert_eq!(rig.wait(one, None), []);
    rig.polls.deregister(key);
    // Another one has its number now, and its descriptor.
    rig.change(8, |socket| socket.readable = false);
    rig.source(two, 8, 81, Interest::READ);
    assert_eq!(rig.wait(two, Some(MS)), []);
    rig.speak(8);
    assert_eq!(rig.tokens(two, Some(MS)), [81]);
}

#[test]
fn who_registers_anew_is_reported_under_the_new_token() {
    let mut rig = Rig::new();
    let (one, _) = rig.shared();
    let (two, _) = rig.shared();
    let key = rig.source(two, 8, 80, Interest::READ);
    rig.speak(8);
    assert_eq!(rig.wait(one, None), []);
    rig.polls.reregister(key, 81, Interest::READ);
    assert_eq!(rig.tokens(two, Some(MS)), [81]);
}

#[test]
fn what_was_found_of_a_source_at_two_times_is_one_event() {
    let mut rig = Rig::new();
    let (one, _) = rig.shared();
    let (two, _) = rig.shared();
    rig.source(two, 8, 80, Interest::BOTH);
    rig.speak(8);
    assert_eq!(rig.wait(one, None), []);
    rig.change(8, |socket| socket.writable = true);
    assert_eq!(rig.wait(one, None), []);
    let found = rig.wait(two, None);
    assert_eq!(tokens(&found), [80]);
    assert_eq!(found[0].ready, Ready::new(true, true));
}

#[test]
fn a_wake_is_for_the_poll_of_its_waker() {
    let mut rig = Rig::new();
    let (one, _) = rig.shared();
    let (two, woken) = rig.shared();
    let waker = rig.polls.add_waker(two, 99);
    rig.polls.wake(waker);
    rig.polls.wake(waker);
    assert_eq!(rig.wait(one, None), []);
    assert_eq!(wakes(&woken), 1);
    assert_eq!(rig.tokens(two, None), [99]);
    // The next one may have its number, and is woken by nobody.
    rig.polls.wake(waker);
    rig.polls.remove_waker(waker);
    rig.polls.add_waker(two, 98);
    assert_eq!(rig.wait(two, Some(MS)), []);
}

#[test]
fn a_poll_that_is_closed_takes_its_registrations_along() {
    let mut rig = Rig::new();
    let (one, _) = rig.shared();
    let (two, _) = rig.shared();
    rig.source(one, 7, 70, Interest::READ);
    rig.source(two, 8, 80, Interest::READ);
    rig.speak(8);
    assert_eq!(rig.wait(one, None), []);
    rig.polls.close(two);
    // The model asserts that no closed descriptor is polled.
    rig.model.0.borrow_mut().sockets.remove(&8);
    assert_eq!(rig.wait(one, Some(MS)), []);
    assert_eq!(rig.polls.waiter.set.armed(), 1);
}

#[test]
fn a_descriptor_belongs_to_one_poll() {
    let mut rig = Rig::new();
    let (one, two) = (rig.polls.open(), rig.polls.open());
    let key = rig.source(one, 7, 70, Interest::READ);
    let again = rig
        .polls
        .register(two, 7, 71, Interest::READ, Owner::Foreign);
    assert_eq!(again, Err(RegisterError::AlreadyRegistered));
    assert_eq!(rig.polls.find(one, 7), Some(key));
    assert_eq!(rig.polls.find(two, 7), None);
    rig.speak(7);
    assert_eq!(rig.tokens(one, None), [70]);
}

#[test]
fn who_has_no_poll_waits_for_all() {
    let mut rig = Rig::new();
    assert_eq!(rig.polls.wait_beside(Some(MS)).unwrap().len(), 0);
    assert_eq!(rig.now(), MS);
    let (one, woken) = rig.shared();
    rig.source(one, 7, 70, Interest::READ);
    rig.speak(7);
    let wakers = rig.polls.wait_beside(None).unwrap();
    wakers.into_iter().for_each(Waker::wake);
    assert_eq!(wakes(&woken), 1);
    assert_eq!(rig.tokens(one, None), [70]);
}

#[test]
fn a_source_that_the_host_cannot_wait_for_is_spun_on_by_nobody() {
    let mut rig = Rig::new();
    let (one, _) = rig.shared();
    let (two, _) = rig.shared();
    rig.source(two, 8, 80, Interest::WRITE);
    rig.change(8, |socket| *socket = Socket::half_closed());
    let before = rig.host_polls();
    assert_eq!(rig.wait(one, Some(1000 * MS)), []);
    assert_eq!(rig.now(), 1000 * MS);
    assert!(rig.host_polls() - before < 250);
    assert_eq!(rig.wait(two, Some(MS)), []);
}
