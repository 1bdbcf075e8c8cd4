//! Registering, and what is reported of who is registered.

use super::{tokens, Rig, MS};
use crate::direction::{Interest, Ready};
use crate::model::Socket;
use crate::poll_set::PollSet;
use crate::registration::{Owner, RegisterError};

#[test]
fn the_host_poller_is_made_before_anything_is_registered() {
    assert_eq!(Rig::new().polls(), 1);
}

#[test]
fn readiness_is_reported_once_until_it_is_exhausted() {
    let mut rig = Rig::new();
    let key = rig.source(7, 42, Interest::READ, Socket::readable());

    let found = rig.wait(Some(MS));
    assert_eq!(tokens(&found), [42]);
    assert_eq!(found[0].ready, Ready::READABLE);

    // Still readable, but known to be: nothing until it was exhausted.
    assert_eq!(rig.wait(Some(MS)), []);
    rig.poller.set.arm(key, Interest::READ);
    assert_eq!(rig.tokens(Some(MS)), [42]);
}

#[test]
fn a_direction_without_interest_is_not_armed() {
    let mut rig = Rig::new();
    let key = rig.source(7, 1, Interest::READ, Socket::writable());
    rig.poller.set.arm(key, Interest::BOTH);
    assert_eq!(rig.poller.set.armed(), 1);
    assert_eq!(rig.wait(Some(MS)), []);
}

#[test]
fn a_descriptor_registers_once() {
    let mut set = PollSet::new();
    let key = set.insert(7, 1, Interest::BOTH, Owner::Mio).unwrap();
    assert_eq!(set.find(7), Some(key));
    assert_eq!(
        set.insert(7, 2, Interest::READ, Owner::Mio),
        Err(RegisterError::AlreadyRegistered)
    );
    assert!(set.remove(key));
    assert_eq!(set.find(7), None);
    assert!(set.insert(7, 2, Interest::READ, Owner::Mio).is_ok());
}

#[test]
fn a_key_does_not_outlive_its_registration() {
    let mut set = PollSet::new();
    let old = set.insert(7, 1, Interest::BOTH, Owner::Mio).unwrap();
    assert!(set.remove(old));
    let new = set.insert(8, 2, Interest::READ, Owner::Mio).unwrap();
    assert!(!set.remove(old));
    assert!(!set.update(old, 3, Interest::WRITE));
    set.arm(old, Interest::BOTH);
    assert_eq!(set.armed(), 1);
    assert!(set.remove(new));
    assert_eq!(set.armed(), 0);
}

#[test]
fn reregistering_arms_anew() {
    let mut rig = Rig::new();
    let socket = Socket {
        readable: true,
        ..Socket::writable()
    };
    let key = rig.source(7, 1, Interest::READ, socket);
    assert_eq!(rig.tokens(Some(MS)), [1]);
    assert!(rig.poller.set.update(key, 2, Interest::WRITE));
    let found = rig.wait(Some(MS));
    assert_eq!(tokens(&found), [2]);
    assert_eq!(found[0].ready, Ready::new(false, true));
}

#[test]
fn a_hang_up_tells_whether_the_connection_has_failed() {
    for reset in [false, true] {
        for owner in [Owner::Mio, Owner::Foreign] {
            let mut rig = Rig::new();
            let socket = Socket {
                reset,
                ..Socket::hung_up()
            };
            rig.source_of(owner, 7, 1, Interest::READ, socket);
            let found = rig.wait(Some(MS));
            // Who does the I/O elsewhere would not be told by the next operation.
            assert_eq!(found[0].error, reset && owner == Owner::Mio);
            assert_eq!(rig.socket(7).reset, reset && owner == Owner::Foreign);
        }
    }
}

#[test]
fn hang_up_is_passed_on() {
    let mut rig = Rig::new();
    rig.source(7, 1, Interest::BOTH, Socket::hung_up());
    let found = rig.wait(Some(MS));
    assert_eq!(tokens(&found), [1, 1]);
    assert!(found
        .iter()
        .all(|readiness| readiness.read_closed && readiness.write_closed));
}
