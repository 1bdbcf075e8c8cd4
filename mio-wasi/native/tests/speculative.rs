//! Sources that are taken for ready without asking.

use super::{tokens, Connections, Rig, MS};
use crate::direction::{Interest, Ready};
use crate::model::Socket;
use crate::registration::Owner;

#[test]
fn what_was_served_is_not_asked_about_while_it_is_ready_again() {
    let mut many = Connections::idle(50);
    many.busy(50, 100 * MS, None);
    let before = many.rig.polls();
    let (answered, _) = many.busy(50, 100 * MS, None);
    let polls = many.rig.polls() - before;
    assert!(answered > 4000, "{answered} answered");
    // Every half millisecond at most, and with few subscriptions.
    assert!(polls <= 200, "{polls} polls");
}

#[test]
fn speculation_ends_where_it_fails() {
    let mut many = Connections::idle(50);
    let mut idle_reads = 0;
    let mut answered = 0;
    for round in 0..2000 {
        // Each speaks every fourth round: never right after it was served.
        for fd in (0..50).filter(|fd| (fd + round) % 4 == 0) {
            many.rig.speak(Connections::FIRST + fd);
        }
        for token in many.rig.tokens(Some(0)) {
            let fd = token as i32;
            let data = many.rig.socket(fd).readable;
            idle_reads += usize::from(!data);
            answered += usize::from(data);
            many.serve(fd);
        }
        many.rig.work(600_000);
    }
    assert!(answered > 20_000, "{answered} answered");
    assert!(idle_reads * 12 < answered, "{idle_reads} of {answered}");
}

#[test]
fn an_accepted_connection_is_writable_without_a_call() {
    let mut rig = Rig::new();
    let owner = Owner::MioAccepted;
    rig.source_of(owner, 7, 1, Interest::BOTH, Socket::silent());
    assert_eq!(rig.poller.set.armed(), 1);
    let found = rig.wait(Some(MS));
    assert_eq!(tokens(&found), [1]);
    assert_eq!(found[0].ready, Ready::new(false, true));
}
