//! Thousands of idle connections: skipped polls, and sets that are split.

use super::{Connections, MS};
use crate::direction::Interest;
use crate::model::Socket;
use crate::registration::Owner;

#[test]
fn idle_connections_cost_busy_ones_little_and_are_heard_soon() {
    for (idle, slower, delay) in [(1000, 1.25, 10), (4000, 1.3, 26), (10_000, 1.35, 62)] {
        let (alone, _) = Connections::idle(50).busy(50, 1000 * MS, None);
        let mut many = Connections::idle(50 + idle);
        many.busy(50, 200 * MS, None);
        let cold = Connections::FIRST + idle;
        let (among, heard) = many.busy(50, 1000 * MS, Some(cold));
        assert!(
            alone as f64 / among as f64 <= slower,
            "{idle} idle: {among} requests, {alone} without"
        );
        let heard = heard.expect("the cold connection was heard");
        assert!(heard <= delay * MS, "{idle} idle: heard after {heard} ns");
    }
}

#[test]
fn a_set_that_was_split_is_whole_again_when_there_is_always_something_to_do() {
    let mut many = Connections::idle(4000);
    many.leisurely(50, 300 * MS);
    let cold = many.rig.poller.set.cold();
    assert!(cold > 3000, "{cold} are cold");
    many.busy(50, 1500 * MS, None);
    assert_eq!(many.rig.poller.set.cold(), 0);
    // A full poll each twenty milliseconds or so, and nothing probed over and over.
    let (polls, probes) = (many.rig.polls(), many.rig.probes());
    let (answered, _) = many.busy(50, 1000 * MS, None);
    let (polls, probes) = (many.rig.polls() - polls, many.rig.probes() - probes);
    assert!((30..80).contains(&polls), "{polls} polls");
    assert!(
        probes < answered / 4,
        "{probes} probes, {answered} answered"
    );
}

/// With thousands of idle connections, for which polls are skipped while others are busy:
/// listeners and datagram sockets are heard all the same, and a yield costs no poll.
#[test]
fn skipped_polls_hide_no_listener_and_no_datagram() {
    for kind in ["listener", "datagram"] {
        let mut many = Connections::idle(4000);
        let fd = 10;
        // tokio asks of a listener whether it can be written to.
        let (interest, owner, socket) = match kind {
            "listener" => (Interest::BOTH, Owner::MioListener, Socket::listener()),
            _ => (Interest::READ, Owner::Mio, Socket::silent().datagram()),
        };
        let key = many.rig.source_of(owner, fd, 10, interest, socket);
        let mut longest = 0;
        for _ in 0..50 {
            many.rig.speak(fd);
            let spoke = many.rig.now();
            loop {
                // Somebody is always served.
                many.rig.speak(Connections::FIRST);
                let found = many.rig.tokens(Some(0));
                many.rig.work(50_000);
                for &token in &found {
                    match token as i32 {
                        10 => many.rig.serve(key, 10),
                        fd => many.serve(fd),
                    }
                }
                if found.contains(&10) {
                    break;
                }
            }
            // The owner tries once more, and finds nothing.
            many.rig.poller.exhausted(key, Interest::READ);
            longest = longest.max(many.rig.now() - spoke);
        }
        // But for the first one, that nobody has asked about before.
        assert!(longest <= 27 * MS, "a {kind} waited {longest} ns");
        let average = many.rig.now() / 50;
        assert!(average <= 3 * MS, "a {kind} waited {average} ns on average");
    }
}

#[test]
fn polls_are_not_skipped_for_a_writer_that_waits() {
    let mut many = Connections::idle(4000);
    many.busy(50, 300 * MS, None);
    let socket = Socket::writable();
    many.rig.source(10, 10, Interest::WRITE, socket);
    let start = many.rig.now();
    loop {
        many.rig.speak(Connections::FIRST);
        let found = many.rig.tokens(Some(0));
        if found.contains(&10) {
            break;
        }
        for &token in found.iter().filter(|token| **token >= 100) {
            many.serve(token as i32);
        }
    }
    let waited = many.rig.now() - start;
    // Half a millisecond, and the one poll of all.
    assert!(waited <= 5 * MS, "{waited} ns");
}

#[test]
fn a_program_that_fell_silent_sleeps() {
    let mut many = Connections::idle(4000);
    many.leisurely(50, 300 * MS);
    let cold = many.rig.poller.set.cold();
    assert!(cold > 3000, "{cold} are cold");
    // What the busy ones had still to say.
    for _ in 0..100 {
        for token in many.rig.tokens(Some(10 * MS)) {
            many.serve(token as i32);
        }
    }
    assert_eq!(many.rig.poller.set.cold(), 0);
    let (polls, probes) = (many.rig.polls(), many.rig.probes());
    assert_eq!(many.rig.wait(Some(10_000 * MS)), []);
    assert_eq!((many.rig.polls(), many.rig.probes()), (polls + 1, probes));
}

#[test]
fn what_cannot_be_probed_is_not_cold_for_long() {
    let mut many = Connections::idle(200);
    let (listener, foreign, blocking) = (10, 11, 12);
    let rig = &mut many.rig;
    rig.source(listener, 10, Interest::READ, Socket::listener());
    rig.source(blocking, 12, Interest::READ, Socket::silent().blocking());
    rig.source_of(
        Owner::Foreign,
        foreign,
        11,
        Interest::READ,
        Socket::silent(),
    );
    many.leisurely(4, 300 * MS);
    assert!(many.rig.poller.set.cold() > 0);
    many.rig.speak(listener);
    many.rig.speak(foreign);
    many.rig.speak(blocking);
    let mut heard = Vec::new();
    for _ in 0..20 {
        heard.extend(many.rig.tokens(Some(0)));
        many.rig.work(100_000);
    }
    heard.sort_unstable();
    heard.retain(|&token| token < 100);
    assert_eq!(heard, [10, 11, 12]);
}
