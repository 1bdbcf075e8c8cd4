//! Time-outs, wakes, and signals.

use super::{Rig, MS};
use crate::direction::Interest;
use crate::model::Socket;
use crate::waiter::Waiter as _;

#[test]
fn a_timeout_lasts_as_long_as_asked() {
    let mut rig = Rig::new();
    rig.source(7, 1, Interest::BOTH, Socket::silent());
    assert_eq!(rig.wait(Some(25 * MS)), []);
    assert_eq!(rig.now(), 25 * MS);
}

#[test]
fn a_timeout_of_zero_is_one_call_and_none_with_nothing_armed() {
    let mut rig = Rig::new();
    let before = rig.polls();
    assert_eq!(rig.wait(Some(0)), []);
    assert_eq!(rig.polls(), before);
    rig.source(7, 1, Interest::READ, Socket::silent());
    assert_eq!(rig.wait(Some(0)), []);
    assert_eq!(rig.polls(), before + 1);
    assert_eq!(rig.now(), 0);
}

#[test]
fn a_timeout_beyond_the_longest_wait_is_kept() {
    let mut rig = Rig::new();
    let day = 24 * 3_600_000 * MS;
    assert_eq!(rig.wait(Some(day)), []);
    assert_eq!(rig.now(), day);
}

#[test]
fn a_wake_ends_the_next_wait_and_coalesces() {
    let mut rig = Rig::new();
    rig.poller.wake(9);
    rig.poller.wake(9);
    assert_eq!(rig.tokens(None), [9]);
    assert_eq!(rig.now(), 0);
    assert_eq!(rig.wait(Some(MS)), []);
}

#[test]
fn a_wake_does_not_hide_readiness() {
    let mut rig = Rig::new();
    rig.source(7, 1, Interest::READ, Socket::readable());
    rig.poller.wake(9);
    let mut found = rig.tokens(None);
    found.sort_unstable();
    assert_eq!(found, [1, 9]);
}

#[test]
fn a_signal_is_answered_by_the_identical_call() {
    // The model asserts that the repeated call is identical.
    let mut rig = Rig::new();
    rig.source(7, 1, Interest::BOTH, Socket::silent());
    rig.source(8, 2, Interest::BOTH, Socket::writable());
    rig.model.0.borrow_mut().signals = 3;
    assert_eq!(rig.tokens(Some(5 * MS)), [2]);
    assert_eq!(rig.model.0.borrow().signals, 0);
    // What came back as EEXIST is still armed.
    rig.speak(7);
    assert_eq!(rig.tokens(Some(5 * MS)), [1]);
}

#[test]
fn a_signal_does_not_prolong_a_timeout() {
    let mut rig = Rig::new();
    rig.source(7, 1, Interest::READ, Socket::silent());
    rig.model.0.borrow_mut().signals = 1;
    assert_eq!(rig.wait(Some(30 * MS)), []);
    assert_eq!(rig.now(), 30 * MS);
}
