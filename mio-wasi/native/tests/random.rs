//! What a well-behaved user of mio does, at random.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{answered, interest, union, Rig, MS};
use crate::direction::{Direction, Interest};
use crate::model::Socket;
use crate::registration::Key;
use crate::waiter::Waiter as _;

#[derive(Clone, Debug)]
enum Step {
    Open { datagram: bool, interest: u8 },
    Close(usize),
    Reregister(usize, u8),
    BecomeReadable(usize),
    BecomeWritable(usize),
    PeerCloses(usize),
    ErrorComes(usize),
    Drain(usize),
    Signal,
    Wake,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0usize..64;
    prop_oneof![
        3 => (any::<bool>(), 1u8..4).prop_map(|(datagram, interest)| Step::Open { datagram, interest }),
        1 => which.clone().prop_map(Step::Close),
        1 => (which.clone(), 1u8..4).prop_map(|(i, interest)| Step::Reregister(i, interest)),
        4 => which.clone().prop_map(Step::BecomeReadable),
        3 => which.clone().prop_map(Step::BecomeWritable),
        1 => which.clone().prop_map(Step::PeerCloses),
        1 => which.clone().prop_map(Step::ErrorComes),
        4 => which.prop_map(Step::Drain),
        1 => Just(Step::Signal),
        1 => Just(Step::Wake),
        6 => (0u64..30).prop_map(Step::Wait),
    ]
}

struct Source {
    key: Key,
    interest: Interest,
    /// What the user has been told and has not exhausted.
    told: Interest,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// No wake-up is lost, no wait spins, and the model's assertions (no empty
    /// poll, no closed or doubled descriptor, no changed call after a signal)
    /// hold, whatever the order of events.
    #[test]
    fn no_wake_up_is_lost_and_nothing_spins(steps in prop::collection::vec(step(), 1..120)) {
        let mut rig = Rig::new();
        let mut sources: BTreeMap<i32, Source> = BTreeMap::new();
        let mut woken = false;
        for step in steps {
            let pick = |i: usize| sources.keys().copied().nth(i % sources.len().max(1));
            match step {
                Step::Open { datagram, interest: bits } => {
                    // The lowest free number: descriptors are reused at once.
                    let fd = (10i32..).find(|fd| !sources.contains_key(fd)).unwrap();
                    let interest = interest(bits);
                    let socket = Socket { datagram, ..Socket::silent() };
                    let key = rig.source(fd, fd as usize, interest, socket);
                    sources.insert(fd, Source { key, interest, told: Interest::NONE });
                }
                Step::Close(i) => {
                    if let Some(fd) = pick(i) {
                        let source = sources.remove(&fd).unwrap();
                        rig.close(source.key, fd);
                    }
                }
                Step::Reregister(i, bits) => {
                    if let Some(fd) = pick(i) {
                        let source = sources.get_mut(&fd).unwrap();
                        source.interest = interest(bits);
                        source.told = Interest::NONE;
                        prop_assert!(rig.poller.set.update(source.key, fd as usize, source.interest));
                    }
                }
                Step::BecomeReadable(i) => {
                    if let Some(fd) = pick(i) {
                        rig.speak(fd);
                    }
                }
                Step::BecomeWritable(i) => {
                    if let Some(fd) = pick(i) {
                        rig.socket(fd).writable = true;
                    }
                }
                Step::PeerCloses(i) => {
                    if let Some(fd) = pick(i) {
                        let mut socket = rig.socket(fd);
                        socket.read_closed = !socket.datagram;
                    }
                }
                Step::ErrorComes(i) => {
                    if let Some(fd) = pick(i) {
                        let mut socket = rig.socket(fd);
                        socket.pending_error = socket.datagram;
                    }
                }
                Step::Drain(i) => {
                    // An operation that ends in WouldBlock in both directions.
                    if let Some(fd) = pick(i) {
                        let source = sources.get_mut(&fd).unwrap();
                        {
                            let mut socket = rig.socket(fd);
                            socket.readable = false;
                            socket.writable = false;
                            socket.pending_error = false;
                        }
                        source.told = Interest::NONE;
                        rig.poller.set.arm(source.key, Interest::BOTH);
                    }
                }
                Step::Signal => rig.model.0.borrow_mut().signals += 1,
                Step::Wake => {
                    woken = true;
                    rig.poller.wake(usize::MAX);
                }
                Step::Wait(ms) => {
                    let (polls, start) = (rig.polls(), rig.now());
                    let signals = rig.model.0.borrow().signals as usize;
                    let found = rig.wait(Some(ms * MS));
                    let mut heard_wake = false;
                    for readiness in &found {
                        if readiness.token == usize::MAX {
                            heard_wake = true;
                            continue;
                        }
                        let source = sources.get_mut(&(readiness.token as i32))
                            .expect("an event of a source that is registered");
                        prop_assert_eq!(readiness.ready.within(source.interest), readiness.ready);
                        source.told = union(source.told, answered(readiness.ready));
                    }
                    prop_assert_eq!(heard_wake, std::mem::take(&mut woken));

                    let state = rig.model.0.borrow();
                    let spent = state.polls - polls;
                    // One call, one per signal, and two for each pause of at
                    // least a millisecond.
                    prop_assert!(
                        spent <= 3 + signals + 2 * ms as usize,
                        "{} host calls in a wait of {} ms", spent, ms
                    );
                    if found.is_empty() {
                        prop_assert!(state.now >= start + ms * MS, "the wait ended early");
                    }
                    // Whoever is ready and does not know it was told now, or is
                    // a writer that the host cannot wait for (in back-off: told
                    // a little later), or lost its turn to one that was found
                    // while the host named nobody.
                    let empty = state.sockets.iter().any(|(_, s)| s.read_closed || s.pending_error);
                    if !empty {
                        for (fd, source) in &sources {
                            let socket = &state.sockets[fd];
                            let ready = Interest::new(
                                socket.readable || socket.hang_up,
                                socket.writable || socket.hang_up,
                            );
                            let missed = ready.and(source.interest).without(source.told);
                            // A source that is still in back-off is tried
                            // again after at most 10 ms, or a sixteenth of the
                            // time for which it has been stuck.
                            let pause = (state.now / MS / 16).max(10);
                            if ms > pause && found.is_empty() {
                                prop_assert!(missed.is_empty(), "{} lost {:?}", fd, missed);
                            }
                        }
                    }
                }
            }
        }

        // At the end everything that is ready is told within a few waits.
        {
            let mut state = rig.model.0.borrow_mut();
            state.signals = 0;
            for socket in state.sockets.values_mut() {
                socket.readable = true;
                socket.writable = true;
            }
        }
        for _ in 0..8 {
            for readiness in rig.wait(Some(200 * MS)) {
                if let Some(source) = sources.get_mut(&(readiness.token as i32)) {
                    source.told = union(source.told, answered(readiness.ready));
                }
            }
        }
        for (fd, source) in &sources {
            let never = source.interest.without(source.told);
            prop_assert!(!never.has(Direction::Read) && !never.has(Direction::Write), "{} never heard", fd);
        }
    }
}
