//! Sources that the host cannot wait for, and polls that bring nothing.

use super::{Rig, MS};
use crate::direction::Interest;
use crate::model::Socket;

#[test]
fn a_pending_error_on_a_datagram_socket_is_readable() {
    let mut rig = Rig::new();
    rig.source(7, 1, Interest::READ, Socket::failed().datagram());
    assert_eq!(rig.tokens(Some(MS)), [1]);
    assert_eq!(rig.now(), 0);
}

#[test]
fn a_writer_with_a_half_closed_peer_is_retried_without_spinning() {
    let mut rig = Rig::new();
    rig.source(7, 1, Interest::WRITE, Socket::half_closed());
    let before = rig.polls();
    assert_eq!(rig.wait(Some(1000 * MS)), []);
    assert_eq!(rig.now(), 1000 * MS);
    // Pauses of 1, 1, 2, 4, 8 and then 10 ms up to 160 ms, then each a sixteenth longer
    // than the one before: some 50, with a try each.
    let polls = rig.polls() - before;
    assert!((60..=120).contains(&polls), "{polls} polls in a second");

    rig.socket(7).writable = true;
    let (found, late) = rig.delay(Some(1000 * MS));
    assert_eq!(found, [1]);
    assert!(late <= 1000 * MS / 16, "heard {late} ns late");
}

#[test]
fn a_writer_that_went_on_is_retried_soon_when_it_is_stuck_again() {
    let mut rig = Rig::new();
    let key = rig.source(7, 1, Interest::WRITE, Socket::half_closed());
    for stuck in [1000, 20_000] {
        assert_eq!(rig.wait(Some(stuck * MS)), []);
        rig.socket(7).writable = true;
        let (found, late) = rig.delay(None);
        assert_eq!(found, [1]);
        // However long it was stuck.
        assert!(late <= 200 * MS, "heard {late} ns late");

        rig.socket(7).writable = false;
        rig.poller.exhausted(key, Interest::WRITE);
        assert_eq!(rig.wait(Some(3 * MS)), []);
        rig.socket(7).writable = true;
        let (found, late) = rig.delay(None);
        assert_eq!(found, [1]);
        assert!(late <= 3 * MS);
        rig.socket(7).writable = false;
        rig.poller.exhausted(key, Interest::WRITE);
    }

    // Nor does another one, at the place of one that is gone, wait any longer.
    assert_eq!(rig.wait(Some(1000 * MS)), []);
    rig.close(key, 7);
    rig.source(8, 2, Interest::WRITE, Socket::half_closed());
    assert_eq!(rig.wait(Some(3 * MS)), []);
    rig.socket(8).writable = true;
    let (found, late) = rig.delay(None);
    assert_eq!(found, [2]);
    assert!(late <= 3 * MS);
}

#[test]
fn a_sender_whose_receiver_has_no_room_is_retried_without_spinning() {
    let mut rig = Rig::with_costs();
    let key = rig.source(7, 1, Interest::BOTH, Socket::writable().datagram());
    let before = rig.polls();
    let mut longest = 0;
    while rig.now() < 1000 * MS {
        let (found, took) = rig.delay(None);
        assert_eq!(found, [1]);
        longest = longest.max(took);
        rig.poller.refused(key);
    }
    let polls = rig.polls() - before;
    assert!((1000..=4000).contains(&polls), "{polls} polls in a second");
    assert!(longest <= 2 * MS, "{longest} ns without a poll");

    // One that is gone while it is left alone does not come back.
    for _ in 0..4 {
        rig.poller.refused(key);
    }
    rig.close(key, 7);
    assert_eq!(rig.wait(Some(20 * MS)), []);
}

#[test]
fn a_writer_in_backoff_does_not_delay_others() {
    let mut rig = Rig::new();
    rig.source(7, 1, Interest::WRITE, Socket::half_closed());
    rig.source(8, 2, Interest::READ, Socket::silent());
    assert_eq!(rig.wait(Some(5 * MS)), []);
    rig.speak(8);
    assert_eq!(rig.delay(Some(1000 * MS)), (vec![2], 0));
}

#[test]
fn writers_in_backoff_are_tried_together() {
    let mut rig = Rig::new();
    // Stuck one after the other, so that no two pauses end at the same time.
    for fd in 100..200 {
        rig.source(fd, 1, Interest::WRITE, Socket::half_closed());
        assert_eq!(rig.wait(Some(13 * MS)), []);
    }
    assert_eq!(rig.wait(Some(20_000 * MS)), []);
    let before = rig.polls();
    assert_eq!(rig.wait(Some(1000 * MS)), []);
    // All at once each 200 ms; each by itself would be 500 tries, with two polls each.
    let polls = rig.polls() - before;
    assert!(polls <= 20, "{polls} polls in a second");
}

#[test]
fn an_empty_poll_that_nobody_explains_does_not_spin() {
    let mut rig = Rig::new();
    // Reading is armed, so the end of the read side would be told; the error
    // of a stream is not one of the known causes.
    rig.source(7, 1, Interest::READ, Socket::failed());
    let before = rig.polls();
    assert_eq!(rig.wait(Some(100 * MS)), []);
    assert!(rig.polls() - before < 50);
    assert_eq!(rig.now(), 100 * MS);

    // Everybody is in back-off meanwhile, so the pauses stay short, however long it lasts.
    assert_eq!(rig.wait(Some(20_000 * MS)), []);
    *rig.socket(7) = Socket::readable();
    let (found, late) = rig.delay(None);
    assert_eq!(found, [1]);
    assert!(late <= 10 * MS);
}

#[test]
fn a_poll_that_returns_at_once_does_not_hide_empty_polls_for_good() {
    let mut rig = Rig::new();
    rig.source(7, 1, Interest::READ, Socket::failed().datagram());
    let heard = (0..100).any(|_| !rig.wait(Some(0)).is_empty());
    assert!(heard);
}
