//! What the kernel did not take of coalesced writes.

use std::net::Shutdown;

use super::{tokens, Rig, MS};
use crate::direction::{Interest, Ready};
use crate::model::Socket;

impl Rig {
    /// The kernel does not take so many bytes of a socket's.
    fn backlog(&self, fd: i32, bytes: usize) {
        let mut state = self.model.0.borrow_mut();
        state.backlogs.insert(fd, (bytes, true));
    }

    fn backlogs(&self) -> usize {
        self.model.0.borrow().backlogs.len()
    }

    /// How often somebody tried to send a backlog.
    fn tries(&self) -> usize {
        self.model.0.borrow().tries
    }

    /// The socket's peer makes room.
    fn make_room(&self, fd: i32, bytes: usize) {
        *self.model.0.borrow_mut().room.entry(fd).or_default() += bytes;
        self.socket(fd).writable = true;
    }
}

#[test]
fn a_backlog_is_sent_when_there_is_room_whatever_is_of_interest() {
    let mut rig = Rig::new();
    rig.source(7, 42, Interest::READ, Socket::silent());
    rig.backlog(7, 100);
    // The kernel has just refused it: it is not tried again until there is room.
    assert_eq!(rig.wait(Some(MS)), []);
    assert_eq!(rig.wait(Some(MS)), []);
    assert_eq!(rig.tries(), 0);

    rig.make_room(7, 60);
    assert_eq!(rig.wait(Some(MS)), []);
    assert_eq!(rig.model.0.borrow().backlogs[&7].0, 40);
    rig.make_room(7, 60);
    assert_eq!(rig.wait(Some(MS)), []);
    assert_eq!(rig.backlogs(), 0);
    assert_eq!(rig.tries(), 2);
    assert_eq!(rig.poller.set.armed(), 1);
}

#[test]
fn a_backlog_outlasts_registering_anew() {
    let mut rig = Rig::new();
    let key = rig.source(7, 42, Interest::BOTH, Socket::silent());
    rig.backlog(7, 100);
    assert_eq!(rig.wait(Some(0)), []);
    assert!(rig.poller.set.update(key, 43, Interest::READ));
    rig.make_room(7, 100);
    assert_eq!(rig.wait(Some(MS)), []);
    assert_eq!(rig.backlogs(), 0);
}

#[test]
fn who_waits_to_write_is_told_when_the_backlog_can_go() {
    let mut rig = Rig::new();
    rig.source(7, 42, Interest::BOTH, Socket::silent());
    rig.backlog(7, 100);
    assert_eq!(rig.wait(Some(MS)), []);
    rig.make_room(7, 1000);
    let found = rig.wait(Some(MS));
    assert_eq!(tokens(&found), [42]);
    assert_eq!(found[0].ready, Ready::new(false, true));
    assert_eq!(rig.wait(Some(MS)), []);
    assert_eq!(rig.backlogs(), 0);
}

#[test]
fn who_waits_to_write_is_told_that_the_stream_is_shut_though_there_is_a_backlog() {
    let mut rig = Rig::new();
    rig.source(7, 42, Interest::BOTH, Socket::silent());
    rig.backlog(7, 100);
    assert_eq!(rig.wait(Some(MS)), []);
    rig.model.0.borrow_mut().shut.push((7, Shutdown::Write));
    let found = rig.wait(Some(MS));
    assert_eq!(tokens(&found), [42]);
    assert_eq!(found[0].ready, Ready::new(false, true));
    // Once, and the backlog is still sent.
    assert_eq!(rig.wait(Some(MS)), []);
    rig.make_room(7, 1000);
    rig.wait(Some(MS));
    rig.wait(Some(MS));
    assert_eq!(rig.backlogs(), 0);
}

#[test]
fn an_orphan_is_closed_when_its_backlog_is_out() {
    for was_shut in [false, true] {
        let mut rig = Rig::new();
        rig.open(7, Socket::silent());
        rig.backlog(7, 100);
        {
            let mut state = rig.model.0.borrow_mut();
            state.orphans.insert(7);
            if was_shut {
                state.shut.push((7, Shutdown::Write));
            }
        }
        assert_eq!(rig.wait(Some(MS)), []);
        assert!(rig.model.0.borrow().adopted.contains(&7));
        // From the first wait on its room is waited for.
        assert_eq!(rig.poller.set.armed(), 1);
        rig.make_room(7, 100);
        assert_eq!(rig.wait(Some(MS)), []);
        assert!(rig.model.0.borrow().orphans.is_empty());
        assert!(!rig.model.0.borrow().sockets.contains_key(&7));
        assert_eq!(rig.poller.set.find(7), None);
        assert_eq!(rig.poller.set.armed(), 0);
    }
}

#[test]
fn a_socket_that_is_writable_and_takes_nothing_is_not_spun_on() {
    let mut rig = Rig::new();
    rig.source(7, 42, Interest::READ, Socket::writable());
    rig.backlog(7, 100);
    for _ in 0..10 {
        let (tries, polls) = (rig.tries(), rig.polls());
        assert_eq!(rig.wait(Some(1000 * MS)), []);
        // Once in 10 ms, and what comes before that.
        assert!(rig.tries() - tries < 120);
        assert!(rig.polls() - polls < 250);
    }
    rig.make_room(7, 100);
    assert_eq!(rig.wait(Some(20 * MS)), []);
    assert_eq!(rig.backlogs(), 0);
}
