//! What is told of a source beside the direction that was found: natively epoll names all
//! that is ready each time, and tells of what the program itself has shut.

use std::net::Shutdown;

use super::{answered, interest, tokens, union, Rig, MS};
use crate::direction::{Interest, Readiness, Ready};
use crate::model::Socket;
use crate::registration::Key;

const BOTH: Ready = Ready::new(true, true);

impl Rig {
    /// The program shuts a socket.
    fn shut(&self, fd: i32, how: Shutdown) {
        self.model.0.borrow_mut().shut.push((fd, how));
    }

    /// A source with room to write and nothing to read, of which that has been told.
    fn told_writable(&mut self, interest: Interest) -> Key {
        let key = self.source(7, 42, interest, Socket::writable());
        self.wait(Some(MS));
        key
    }

    /// All that the next wait tells of the one source there is.
    fn told(&mut self) -> Option<Readiness> {
        let found = self.wait(Some(MS));
        let all = found.into_iter().reduce(|a, b| Readiness {
            ready: a.ready.or(b.ready),
            read_closed: a.read_closed || b.read_closed,
            write_closed: a.write_closed || b.write_closed,
            ..a
        });
        assert_eq!(self.wait(Some(MS)), [], "told twice");
        all
    }
}

fn both(read_closed: bool, write_closed: bool) -> Option<Readiness> {
    Some(Readiness {
        read_closed,
        write_closed,
        ..Readiness::of(42, BOTH)
    })
}

#[test]
fn an_event_names_what_else_is_known_to_be_ready() {
    let mut rig = Rig::new();
    let key = rig.told_writable(Interest::BOTH);
    rig.speak(7);
    assert_eq!(rig.told(), both(false, false));

    // A write has found no room: it is not known to be there.
    rig.socket(7).writable = false;
    rig.poller.exhausted(key, Interest::BOTH);
    assert_eq!(rig.told(), Some(Readiness::of(42, Ready::READABLE)));

    // What was told and not read is still there.
    rig.socket(7).writable = true;
    assert_eq!(rig.told(), both(false, false));
}

#[test]
fn a_writer_that_is_left_alone_is_not_said_to_have_room() {
    let mut rig = Rig::new();
    let key = rig.told_writable(Interest::BOTH);
    rig.poller.refused(key);
    rig.poller.refused(key);
    rig.speak(7);
    assert_eq!(
        rig.wait(Some(0)),
        [Readiness::of(42, Ready::READABLE)],
        "its receiver has no room"
    );
}

#[test]
fn what_is_of_no_interest_is_not_told() {
    let mut rig = Rig::new();
    let key = rig.told_writable(Interest::BOTH);
    assert!(rig.poller.set.update(key, 42, Interest::READ));
    rig.speak(7);
    assert_eq!(rig.told(), Some(Readiness::of(42, Ready::READABLE)));
}

/// Seen with mio on Linux, for each interest, with and without something unread.
#[test]
fn ones_own_shutdown_is_told_as_natively() {
    for how in [Shutdown::Read, Shutdown::Write, Shutdown::Both] {
        for bits in 1..4 {
            for is_unread in [false, true] {
                let mut rig = Rig::new();
                let asked = interest(bits);
                rig.told_writable(asked);
                if is_unread {
                    rig.speak(7);
                    rig.wait(Some(MS));
                }
                rig.shut(7, how);
                let closed = match how {
                    Shutdown::Read => Interest::READ,
                    Shutdown::Write => Interest::WRITE,
                    Shutdown::Both => Interest::BOTH,
                };
                let readable = Interest::new(is_unread || closed != Interest::WRITE, false);
                let ready = union(readable, Interest::WRITE).and(asked);
                let down = closed == Interest::BOTH;
                let expected = (!ready.is_empty()).then(|| Readiness {
                    read_closed: down || closed == ready.and(Interest::READ),
                    write_closed: down,
                    ..Readiness::of(42, ready.as_ready())
                });
                let told = rig.told();
                assert_eq!(told, expected, "{how:?}, {asked:?}, unread: {is_unread}");
                let all = told.map_or(Interest::NONE, |told| answered(told.ready));
                assert!(all.without(asked).is_empty());
            }
        }
    }
}

#[test]
fn each_shutdown_is_told_and_the_second_ends_the_connection() {
    let mut rig = Rig::new();
    rig.told_writable(Interest::BOTH);
    rig.shut(7, Shutdown::Read);
    assert_eq!(rig.told(), both(true, false));
    rig.shut(7, Shutdown::Read);
    assert_eq!(rig.told(), both(true, false));
    rig.shut(7, Shutdown::Write);
    assert_eq!(rig.told(), both(true, true));
}

#[test]
fn a_shutdown_after_the_end_was_read_ends_the_connection() {
    let mut rig = Rig::new();
    let key = rig.told_writable(Interest::BOTH);
    rig.speak(7);
    assert_eq!(rig.told(), both(false, false));
    rig.poller.set.ended(key);
    rig.shut(7, Shutdown::Write);
    assert_eq!(rig.told(), both(true, true));
}

#[test]
fn a_shutdown_ends_the_wait_of_who_wants_to_write() {
    let mut rig = Rig::new();
    rig.source(7, 42, Interest::BOTH, Socket::silent());
    rig.shut(7, Shutdown::Write);
    let found = rig.wait(Some(1000 * MS));
    assert_eq!(found, [Readiness::of(42, Ready::new(false, true))]);
    assert_eq!(rig.now(), 0);
}

#[test]
fn what_others_have_shut_is_left_to_them() {
    let mut rig = Rig::new();
    rig.told_writable(Interest::BOTH);
    rig.shut(8, Shutdown::Both);
    assert_eq!(rig.told(), None);
    assert_eq!(rig.model.0.borrow().shut.len(), 1);
}

/// Natively each arrival is an event, whether or not everything was taken before.
#[test]
fn who_takes_one_thing_at_a_time_is_told_of_the_next() {
    let mut rig = Rig::new();
    let key = rig.source(7, 42, Interest::READ, Socket::readable());
    for _ in 0..3 {
        assert_eq!(rig.tokens(Some(MS)), [42]);
        // There was more than one thing.
        rig.poller.set.took(key);
        assert_eq!(rig.tokens(Some(MS)), [42]);
        // Nothing is taken: once is enough.
        assert_eq!(rig.tokens(Some(MS)), []);
        // There was only this one.
        rig.poller.set.took(key);
        rig.socket(7).readable = false;
        assert_eq!(rig.tokens(Some(MS)), []);
        assert_eq!(rig.poller.set.armed(), 1);
        rig.speak(7);
    }
}

/// While polls are skipped, too, and however often it is told.
#[test]
fn one_who_takes_is_listed_once() {
    let mut rig = Rig::new();
    let key = rig.source(7, 42, Interest::READ, Socket::readable());
    assert_eq!(tokens(&rig.wait(Some(MS))), [42]);
    for _ in 0..3 {
        rig.poller.set.took(key);
        rig.poller.exhausted(key, Interest::READ);
    }
    rig.socket(7).readable = false;
    assert_eq!(rig.tokens(Some(MS)), []);
    rig.speak(7);
    assert_eq!(rig.tokens(Some(MS)), [42]);
}
