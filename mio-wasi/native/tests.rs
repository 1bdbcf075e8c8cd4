//! The selector's logic against the model of the host.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::model::{Model, Socket, ALWAYS_READY};
use crate::poll_set::{Directions, Head, Key, Owner, PollSet, RegisterError};
use crate::poller::{Poller, Readiness};

const MS: u64 = 1_000_000;

fn poller() -> (Poller<Model>, Model) {
    let model = Model::default();
    let poller = Poller::new(model.clone()).unwrap();
    (poller, model)
}

fn wait(poller: &mut Poller<Model>, timeout: Option<u64>) -> Vec<Readiness> {
    let mut found = Vec::new();
    poller
        .wait(timeout, |readiness| found.push(readiness))
        .unwrap();
    found
}

fn open(model: &Model, fd: i32, socket: Socket) {
    model.0.borrow_mut().sockets.insert(fd, socket);
}

/// One whose peer has ended its direction, and whose send buffer is full.
fn half_closed() -> Socket {
    Socket {
        read_closed: true,
        ..Socket::default()
    }
}

fn tokens(found: &[Readiness]) -> Vec<usize> {
    found.iter().map(|readiness| readiness.token).collect()
}

#[test]
fn the_host_poller_is_made_before_anything_is_registered() {
    let (_poller, model) = poller();
    assert_eq!(model.0.borrow().polls, 1);
}

#[test]
fn readiness_is_reported_once_until_it_is_exhausted() {
    let (mut poller, model) = poller();
    open(
        &model,
        7,
        Socket {
            readable: true,
            ..Socket::default()
        },
    );
    let key = poller
        .set
        .insert(7, 42, Directions::READ, Owner::Mio)
        .unwrap();

    let found = wait(&mut poller, Some(MS));
    assert_eq!(tokens(&found), [42]);
    assert_eq!(found[0].directions, Directions::READ);

    // Still readable, but known to be: nothing until it was exhausted.
    assert_eq!(wait(&mut poller, Some(MS)), []);
    poller.set.arm(key, Directions::READ);
    assert_eq!(tokens(&wait(&mut poller, Some(MS))), [42]);
}

#[test]
fn a_direction_without_interest_is_not_armed() {
    let (mut poller, model) = poller();
    open(
        &model,
        7,
        Socket {
            writable: true,
            ..Socket::default()
        },
    );
    let key = poller
        .set
        .insert(7, 1, Directions::READ, Owner::Mio)
        .unwrap();
    poller.set.arm(key, Directions::BOTH);
    assert_eq!(poller.set.armed(), 1);
    assert_eq!(wait(&mut poller, Some(MS)), []);
}

#[test]
fn a_descriptor_registers_once() {
    let mut set = PollSet::new();
    let key = set.insert(7, 1, Directions::BOTH, Owner::Mio).unwrap();
    assert_eq!(set.find(7), Some(key));
    assert_eq!(
        set.insert(7, 2, Directions::READ, Owner::Mio),
        Err(RegisterError::AlreadyRegistered)
    );
    assert!(set.remove(key));
    assert_eq!(set.find(7), None);
    assert!(set.insert(7, 2, Directions::READ, Owner::Mio).is_ok());
}

#[test]
fn a_key_does_not_outlive_its_registration() {
    let mut set = PollSet::new();
    let old = set.insert(7, 1, Directions::BOTH, Owner::Mio).unwrap();
    assert!(set.remove(old));
    let new = set.insert(8, 2, Directions::READ, Owner::Mio).unwrap();
    assert!(!set.remove(old));
    assert!(!set.update(old, 3, Directions::WRITE));
    set.arm(old, Directions::BOTH);
    assert_eq!(set.armed(), 1);
    assert!(set.remove(new));
    assert_eq!(set.armed(), 0);
}

#[test]
fn reregistering_arms_anew() {
    let (mut poller, model) = poller();
    open(
        &model,
        7,
        Socket {
            readable: true,
            writable: true,
            ..Socket::default()
        },
    );
    let key = poller
        .set
        .insert(7, 1, Directions::READ, Owner::Mio)
        .unwrap();
    assert_eq!(tokens(&wait(&mut poller, Some(MS))), [1]);
    assert!(poller.set.update(key, 2, Directions::WRITE));
    let found = wait(&mut poller, Some(MS));
    assert_eq!(tokens(&found), [2]);
    assert_eq!(found[0].directions, Directions::WRITE);
}

#[test]
fn a_timeout_lasts_as_long_as_asked() {
    let (mut poller, model) = poller();
    open(&model, 7, Socket::default());
    poller
        .set
        .insert(7, 1, Directions::BOTH, Owner::Mio)
        .unwrap();
    assert_eq!(wait(&mut poller, Some(25 * MS)), []);
    assert_eq!(model.0.borrow().now, 25 * MS);
}

#[test]
fn a_timeout_of_zero_is_one_call_and_none_with_nothing_armed() {
    let (mut poller, model) = poller();
    let before = model.0.borrow().polls;
    assert_eq!(wait(&mut poller, Some(0)), []);
    assert_eq!(model.0.borrow().polls, before);
    open(&model, 7, Socket::default());
    poller
        .set
        .insert(7, 1, Directions::READ, Owner::Mio)
        .unwrap();
    assert_eq!(wait(&mut poller, Some(0)), []);
    assert_eq!(model.0.borrow().polls, before + 1);
    assert_eq!(model.0.borrow().now, 0);
}

#[test]
fn a_timeout_beyond_the_longest_wait_is_kept() {
    let (mut poller, model) = poller();
    let day = 24 * 3_600_000 * MS;
    assert_eq!(wait(&mut poller, Some(day)), []);
    assert_eq!(model.0.borrow().now, day);
}

#[test]
fn a_wake_ends_the_next_wait_and_coalesces() {
    let (mut poller, model) = poller();
    poller.wake(9);
    poller.wake(9);
    assert_eq!(tokens(&wait(&mut poller, None)), [9]);
    assert_eq!(model.0.borrow().now, 0);
    assert_eq!(wait(&mut poller, Some(MS)), []);
}

#[test]
fn a_wake_does_not_hide_readiness() {
    let (mut poller, model) = poller();
    open(
        &model,
        7,
        Socket {
            readable: true,
            ..Socket::default()
        },
    );
    poller
        .set
        .insert(7, 1, Directions::READ, Owner::Mio)
        .unwrap();
    poller.wake(9);
    let mut found = tokens(&wait(&mut poller, None));
    found.sort_unstable();
    assert_eq!(found, [1, 9]);
}

#[test]
fn a_signal_is_answered_by_the_identical_call() {
    // The model asserts that the repeated call is identical.
    let (mut poller, model) = poller();
    open(&model, 7, Socket::default());
    open(
        &model,
        8,
        Socket {
            writable: true,
            ..Socket::default()
        },
    );
    poller
        .set
        .insert(7, 1, Directions::BOTH, Owner::Mio)
        .unwrap();
    poller
        .set
        .insert(8, 2, Directions::BOTH, Owner::Mio)
        .unwrap();
    model.0.borrow_mut().signals = 3;
    assert_eq!(tokens(&wait(&mut poller, Some(5 * MS))), [2]);
    assert_eq!(model.0.borrow().signals, 0);
    // What came back as EEXIST is still armed.
    model.0.borrow_mut().sockets.get_mut(&7).unwrap().readable = true;
    assert_eq!(tokens(&wait(&mut poller, Some(5 * MS))), [1]);
}

#[test]
fn a_signal_does_not_prolong_a_timeout() {
    let (mut poller, model) = poller();
    open(&model, 7, Socket::default());
    poller
        .set
        .insert(7, 1, Directions::READ, Owner::Mio)
        .unwrap();
    model.0.borrow_mut().signals = 1;
    assert_eq!(wait(&mut poller, Some(30 * MS)), []);
    assert_eq!(model.0.borrow().now, 30 * MS);
}

#[test]
fn a_pending_error_on_a_datagram_socket_is_readable() {
    let (mut poller, model) = poller();
    open(
        &model,
        7,
        Socket {
            datagram: true,
            pending_error: true,
            ..Socket::default()
        },
    );
    poller
        .set
        .insert(7, 1, Directions::READ, Owner::Mio)
        .unwrap();
    assert_eq!(tokens(&wait(&mut poller, Some(MS))), [1]);
    assert_eq!(model.0.borrow().now, 0);
}

#[test]
fn a_writer_with_a_half_closed_peer_is_retried_without_spinning() {
    let (mut poller, model) = poller();
    open(&model, 7, half_closed());
    poller
        .set
        .insert(7, 1, Directions::WRITE, Owner::Mio)
        .unwrap();
    let before = model.0.borrow().polls;
    assert_eq!(wait(&mut poller, Some(1000 * MS)), []);
    assert_eq!(model.0.borrow().now, 1000 * MS);
    // Pauses of 1, 1, 2, 4, 8 and then 10 ms up to 160 ms, then each a sixteenth longer
    // than the one before: some 50, with a try each.
    let polls = model.0.borrow().polls - before;
    assert!((60..=120).contains(&polls), "{polls} polls in a second");

    model.0.borrow_mut().sockets.get_mut(&7).unwrap().writable = true;
    let start = model.0.borrow().now;
    assert_eq!(tokens(&wait(&mut poller, Some(1000 * MS))), [1]);
    let late = model.0.borrow().now - start;
    assert!(late <= 1000 * MS / 16, "heard {late} ns late");
}

#[test]
fn a_writer_that_went_on_is_retried_soon_when_it_is_stuck_again() {
    let (mut poller, model) = poller();
    open(&model, 7, half_closed());
    let key = poller
        .set
        .insert(7, 1, Directions::WRITE, Owner::Mio)
        .unwrap();
    for stuck in [1000, 20_000] {
        assert_eq!(wait(&mut poller, Some(stuck * MS)), []);
        model.0.borrow_mut().sockets.get_mut(&7).unwrap().writable = true;
        let start = model.0.borrow().now;
        assert_eq!(tokens(&wait(&mut poller, None)), [1]);
        // However long it was stuck.
        let late = model.0.borrow().now - start;
        assert!(late <= 200 * MS, "heard {late} ns late");

        model.0.borrow_mut().sockets.get_mut(&7).unwrap().writable = false;
        poller.exhausted(key, Directions::WRITE);
        assert_eq!(wait(&mut poller, Some(3 * MS)), []);
        model.0.borrow_mut().sockets.get_mut(&7).unwrap().writable = true;
        let start = model.0.borrow().now;
        assert_eq!(tokens(&wait(&mut poller, None)), [1]);
        assert!(model.0.borrow().now - start <= 3 * MS);
        model.0.borrow_mut().sockets.get_mut(&7).unwrap().writable = false;
        poller.exhausted(key, Directions::WRITE);
    }

    // Nor does another one, at the place of one that is gone, wait any longer.
    assert_eq!(wait(&mut poller, Some(1000 * MS)), []);
    poller.set.remove(key);
    model.0.borrow_mut().sockets.remove(&7);
    open(&model, 8, half_closed());
    poller
        .set
        .insert(8, 2, Directions::WRITE, Owner::Mio)
        .unwrap();
    assert_eq!(wait(&mut poller, Some(3 * MS)), []);
    model.0.borrow_mut().sockets.get_mut(&8).unwrap().writable = true;
    let start = model.0.borrow().now;
    assert_eq!(tokens(&wait(&mut poller, None)), [2]);
    assert!(model.0.borrow().now - start <= 3 * MS);
}

#[test]
fn a_sender_whose_receiver_has_no_room_is_retried_without_spinning() {
    let (mut poller, model) = poller();
    open(
        &model,
        7,
        Socket {
            writable: true,
            datagram: true,
            ..Socket::default()
        },
    );
    let key = poller
        .set
        .insert(7, 1, Directions::BOTH, Owner::Mio)
        .unwrap();
    model.0.borrow_mut().costs = true;
    let before = model.0.borrow().polls;
    let mut longest = 0;
    while model.0.borrow().now < 1000 * MS {
        let start = model.0.borrow().now;
        assert_eq!(tokens(&wait(&mut poller, None)), [1]);
        longest = longest.max(model.0.borrow().now - start);
        poller.refused(key);
    }
    let polls = model.0.borrow().polls - before;
    assert!((1000..=4000).contains(&polls), "{polls} polls in a second");
    assert!(longest <= 2 * MS, "{longest} ns without a look");

    // One that is gone while it is left alone does not come back.
    for _ in 0..4 {
        poller.refused(key);
    }
    poller.set.remove(key);
    model.0.borrow_mut().sockets.remove(&7);
    assert_eq!(wait(&mut poller, Some(20 * MS)), []);
}

#[test]
fn a_parked_writer_does_not_delay_others() {
    let (mut poller, model) = poller();
    open(&model, 7, half_closed());
    open(&model, 8, Socket::default());
    poller
        .set
        .insert(7, 1, Directions::WRITE, Owner::Mio)
        .unwrap();
    poller
        .set
        .insert(8, 2, Directions::READ, Owner::Mio)
        .unwrap();
    assert_eq!(wait(&mut poller, Some(5 * MS)), []);
    model.0.borrow_mut().sockets.get_mut(&8).unwrap().readable = true;
    let start = model.0.borrow().now;
    assert_eq!(tokens(&wait(&mut poller, Some(1000 * MS))), [2]);
    assert_eq!(model.0.borrow().now, start);
}

#[test]
fn parked_writers_are_tried_together() {
    let (mut poller, model) = poller();
    // Stuck one after the other, so that no two pauses end at the same time.
    for fd in 100..200 {
        open(&model, fd, half_closed());
        poller
            .set
            .insert(fd, 1, Directions::WRITE, Owner::Mio)
            .unwrap();
        assert_eq!(wait(&mut poller, Some(13 * MS)), []);
    }
    assert_eq!(wait(&mut poller, Some(20_000 * MS)), []);
    let before = model.0.borrow().polls;
    assert_eq!(wait(&mut poller, Some(1000 * MS)), []);
    // All at once each 200 ms; each by itself would be 500 tries, with two polls each.
    let polls = model.0.borrow().polls - before;
    assert!(polls <= 20, "{polls} polls in a second");
}

#[test]
fn silence_that_nobody_explains_does_not_spin() {
    let (mut poller, model) = poller();
    // Reading is armed, so the end of the read side would be told; the error
    // of a stream is not one of the known causes.
    open(
        &model,
        7,
        Socket {
            pending_error: true,
            ..Socket::default()
        },
    );
    poller
        .set
        .insert(7, 1, Directions::READ, Owner::Mio)
        .unwrap();
    let before = model.0.borrow().polls;
    assert_eq!(wait(&mut poller, Some(100 * MS)), []);
    assert!(model.0.borrow().polls - before < 50);
    assert_eq!(model.0.borrow().now, 100 * MS);

    // Everybody is parked meanwhile, so the pauses stay short, however long it lasts.
    assert_eq!(wait(&mut poller, Some(20_000 * MS)), []);
    let start = {
        let mut state = model.0.borrow_mut();
        let socket = state.sockets.get_mut(&7).unwrap();
        socket.pending_error = false;
        socket.readable = true;
        state.now
    };
    assert_eq!(tokens(&wait(&mut poller, None)), [1]);
    assert!(model.0.borrow().now - start <= 10 * MS);
}

#[test]
fn hang_up_is_passed_on() {
    let (mut poller, model) = poller();
    open(
        &model,
        7,
        Socket {
            hang_up: true,
            ..Socket::default()
        },
    );
    poller
        .set
        .insert(7, 1, Directions::BOTH, Owner::Mio)
        .unwrap();
    let found = wait(&mut poller, Some(MS));
    assert_eq!(tokens(&found), [1, 1]);
    assert!(found.iter().all(|readiness| readiness.hang_up));
}

/// What a well-behaved user of mio does, at random.
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
    interest: Directions,
    /// What the user has been told and has not exhausted.
    told: Directions,
}

fn interest(bits: u8) -> Directions {
    Directions::new(bits & 1 != 0, bits & 2 != 0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// No wake-up is lost, no wait spins, and the model's assertions (no empty
    /// poll, no closed or doubled descriptor, no changed call after a signal)
    /// hold, whatever the order of events.
    #[test]
    fn no_wake_up_is_lost_and_nothing_spins(steps in prop::collection::vec(step(), 1..120)) {
        let (mut poller, model) = poller();
        let mut sources: BTreeMap<i32, Source> = BTreeMap::new();
        let mut woken = false;
        for step in steps {
            let pick = |i: usize| sources.keys().copied().nth(i % sources.len().max(1));
            match step {
                Step::Open { datagram, interest: bits } => {
                    // The lowest free number: descriptors are reused at once.
                    let fd = (10i32..).find(|fd| !sources.contains_key(fd)).unwrap();
                    open(&model, fd, Socket { datagram, ..Socket::default() });
                    let interest = interest(bits);
                    let key = poller.set.insert(fd, fd as usize, interest, Owner::Mio).unwrap();
                    sources.insert(fd, Source { key, interest, told: Directions::NONE });
                }
                Step::Close(i) => {
                    if let Some(fd) = pick(i) {
                        let source = sources.remove(&fd).unwrap();
                        prop_assert!(poller.set.remove(source.key));
                        model.0.borrow_mut().sockets.remove(&fd);
                    }
                }
                Step::Reregister(i, bits) => {
                    if let Some(fd) = pick(i) {
                        let source = sources.get_mut(&fd).unwrap();
                        source.interest = interest(bits);
                        source.told = Directions::NONE;
                        prop_assert!(poller.set.update(source.key, fd as usize, source.interest));
                    }
                }
                Step::BecomeReadable(i) => {
                    if let Some(fd) = pick(i) {
                        model.0.borrow_mut().sockets.get_mut(&fd).unwrap().readable = true;
                    }
                }
                Step::BecomeWritable(i) => {
                    if let Some(fd) = pick(i) {
                        model.0.borrow_mut().sockets.get_mut(&fd).unwrap().writable = true;
                    }
                }
                Step::PeerCloses(i) => {
                    if let Some(fd) = pick(i) {
                        let mut state = model.0.borrow_mut();
                        let socket = state.sockets.get_mut(&fd).unwrap();
                        socket.read_closed = !socket.datagram;
                    }
                }
                Step::ErrorComes(i) => {
                    if let Some(fd) = pick(i) {
                        let mut state = model.0.borrow_mut();
                        let socket = state.sockets.get_mut(&fd).unwrap();
                        socket.pending_error = socket.datagram;
                    }
                }
                Step::Drain(i) => {
                    // An operation that ends in WouldBlock in both directions.
                    if let Some(fd) = pick(i) {
                        let source = sources.get_mut(&fd).unwrap();
                        {
                            let mut state = model.0.borrow_mut();
                            let socket = state.sockets.get_mut(&fd).unwrap();
                            socket.readable = false;
                            socket.writable = false;
                            socket.pending_error = false;
                        }
                        source.told = Directions::NONE;
                        poller.set.arm(source.key, Directions::BOTH);
                    }
                }
                Step::Signal => model.0.borrow_mut().signals += 1,
                Step::Wake => {
                    woken = true;
                    poller.wake(usize::MAX);
                }
                Step::Wait(ms) => {
                    let (polls, start) = {
                        let state = model.0.borrow();
                        (state.polls, state.now)
                    };
                    let signals = model.0.borrow().signals as usize;
                    let found = wait(&mut poller, Some(ms * MS));
                    let mut heard_wake = false;
                    for readiness in &found {
                        if readiness.token == usize::MAX {
                            heard_wake = true;
                            continue;
                        }
                        let source = sources.get_mut(&(readiness.token as i32))
                            .expect("an event of a source that is registered");
                        prop_assert!(source.interest.has(readiness.directions));
                        source.told = source.told.with(readiness.directions);
                    }
                    prop_assert_eq!(heard_wake, std::mem::take(&mut woken));

                    let state = model.0.borrow();
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
                    // a writer that the host cannot wait for (parked: told
                    // a little later), or lost its turn to one that was found
                    // while the host was silent.
                    let silent = state.sockets.iter().any(|(_, s)| s.read_closed || s.pending_error);
                    if !silent {
                        for (fd, source) in &sources {
                            let socket = &state.sockets[fd];
                            let ready = Directions::new(
                                socket.readable || socket.hang_up,
                                socket.writable || socket.hang_up,
                            );
                            let missed = ready.and(source.interest).without(source.told);
                            // A parked source of an earlier silence is tried
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
            let mut state = model.0.borrow_mut();
            state.signals = 0;
            for socket in state.sockets.values_mut() {
                socket.readable = true;
                socket.writable = true;
            }
        }
        for _ in 0..8 {
            for readiness in wait(&mut poller, Some(200 * MS)) {
                if let Some(source) = sources.get_mut(&(readiness.token as i32)) {
                    source.told = source.told.with(readiness.directions);
                }
            }
        }
        for (fd, source) in &sources {
            prop_assert!(source.told.has(source.interest), "{} never heard", fd);
        }
    }

    /// The dense array and the slots agree after any sequence of changes.
    #[test]
    fn every_armed_direction_is_in_the_array_once(
        steps in prop::collection::vec((0i32..12, 0u8..5, 1u8..4), 1..200)
    ) {
        let mut set = PollSet::new();
        let mut keys: BTreeMap<i32, (Key, Directions, Directions)> = BTreeMap::new();
        for (fd, what, bits) in steps {
            let bits = interest(bits);
            match (what, keys.get_mut(&fd)) {
                (0, None) => {
                    let key = set.insert(fd, fd as usize, bits, Owner::Mio).unwrap();
                    keys.insert(fd, (key, bits, bits));
                }
                (1, Some((key, _, _))) => {
                    prop_assert!(set.remove(*key));
                    keys.remove(&fd);
                }
                (2, Some((key, interest, armed))) => {
                    set.arm(*key, bits);
                    *armed = armed.with(interest.and(bits));
                }
                (3, Some((key, _, armed))) => {
                    let told = set.take_event(PollSet::userdata(*key, true));
                    prop_assert_eq!(told.is_some(), armed.has(Directions::READ));
                    *armed = armed.without(Directions::READ);
                }
                (4, Some((key, interest, armed))) => {
                    prop_assert!(set.update(*key, fd as usize, bits));
                    *interest = bits;
                    *armed = bits;
                }
                _ => {}
            }
            let mut expected: Vec<(u64, i32)> = Vec::new();
            for (fd, (key, _, armed)) in &keys {
                if armed.has(Directions::READ) {
                    expected.push((PollSet::userdata(*key, true), *fd));
                }
                if armed.has(Directions::WRITE) {
                    expected.push((PollSet::userdata(*key, false), *fd));
                }
            }
            expected.sort_unstable();
            let mut found: Vec<(u64, i32)> = set
                .subscriptions(Head::Nothing)
                .iter()
                .map(|s| (s.userdata(), s.fd().unwrap()))
                .collect();
            found.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}

// ===== cold and presumed sources =====

/// A poller with `count` readers of which none has anything to say, and a model
/// whose calls take time.
fn idle_connections(count: i32) -> (Poller<Model>, Model, Vec<Key>) {
    let (mut poller, model) = poller();
    model.0.borrow_mut().costs = true;
    let keys = (0..count)
        .map(|n| {
            let fd = 100 + n;
            open(&model, fd, Socket::default());
            let key = poller
                .set
                .insert(fd, fd as usize, Directions::READ, Owner::Mio);
            key.unwrap()
        })
        .collect();
    (poller, model, keys)
}

fn speak(model: &Model, fd: i32) {
    model.0.borrow_mut().sockets.get_mut(&fd).unwrap().readable = true;
}

fn work(model: &Model, nanos: u64) {
    let mut state = model.0.borrow_mut();
    state.now += nanos;
    state.ran += nanos;
}

/// What a task does that was told: it reads everything and answers.
fn serve(poller: &mut Poller<Model>, model: &Model, key: Key, fd: i32) {
    let had_data = {
        let mut state = model.0.borrow_mut();
        std::mem::take(&mut state.sockets.get_mut(&fd).unwrap().readable)
    };
    work(model, 20_000);
    if had_data {
        poller.served(key);
    } else {
        poller.exhausted(key, Directions::READ);
    }
}

/// Keeps `hot` of the connections busy for `nanos`; `cold`, if any, speaks in
/// the middle of it. Returns the requests answered and how long the cold one
/// waited.
fn busy(
    poller: &mut Poller<Model>,
    model: &Model,
    keys: &[Key],
    hot: usize,
    nanos: u64,
    cold: Option<i32>,
) -> (usize, Option<u64>) {
    let start = model.0.borrow().now;
    let (mut answered, mut spoke, mut heard) = (0, None, None);
    for fd in 0..hot {
        speak(model, 100 + fd as i32);
    }
    loop {
        let now = model.0.borrow().now;
        if now >= start + nanos {
            return (answered, heard);
        }
        if let (Some(fd), None) = (cold, spoke) {
            if now >= start + nanos / 2 {
                speak(model, fd);
                spoke = Some(now);
            }
        }
        for readiness in wait(poller, None) {
            let fd = readiness.token as i32;
            if Some(fd) == cold {
                heard = spoke.map(|spoke| model.0.borrow().now - spoke);
            }
            serve(poller, model, keys[(fd - 100) as usize], fd);
            if fd < 100 + hot as i32 {
                answered += 1;
                // The client answers at once.
                speak(model, fd);
            }
        }
    }
}

/// Has one of the first `hot` connections speak each third of a millisecond, for
/// `nanos`. The program sleeps in between.
fn leisurely(poller: &mut Poller<Model>, model: &Model, keys: &[Key], hot: usize, nanos: u64) {
    let end = model.0.borrow().now + nanos;
    for fd in (100..).take(hot).cycle() {
        if model.0.borrow().now >= end {
            return;
        }
        speak(model, fd);
        for _ in 0..2 {
            for readiness in wait(poller, Some(MS / 3)) {
                let fd = readiness.token as i32;
                serve(poller, model, keys[(fd - 100) as usize], fd);
            }
        }
    }
}

#[test]
fn idle_connections_cost_busy_ones_little_and_are_heard_soon() {
    for (idle, slower, delay) in [(1000, 1.25, 10), (4000, 1.3, 26), (10_000, 1.35, 62)] {
        let (mut poller, model, keys) = idle_connections(50);
        let (alone, _) = busy(&mut poller, &model, &keys, 50, 1000 * MS, None);
        let (mut poller, model, keys) = idle_connections(50 + idle);
        busy(&mut poller, &model, &keys, 50, 200 * MS, None);
        let cold = 100 + idle;
        let (among, heard) = busy(&mut poller, &model, &keys, 50, 1000 * MS, Some(cold));
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
    let (mut poller, model, keys) = idle_connections(4000);
    leisurely(&mut poller, &model, &keys, 50, 300 * MS);
    assert!(poller.set.cold() > 3000, "{} are cold", poller.set.cold());
    busy(&mut poller, &model, &keys, 50, 1500 * MS, None);
    assert_eq!(poller.set.cold(), 0);
    // A look each twenty milliseconds or so, and nothing probed over and over.
    let before = model.0.borrow().polls;
    let probes = model.0.borrow().probes;
    let (answered, _) = busy(&mut poller, &model, &keys, 50, 1000 * MS, None);
    let state = model.0.borrow();
    let (polls, probes) = (state.polls - before, state.probes - probes);
    assert!((30..80).contains(&polls), "{polls} polls");
    assert!(
        probes < answered / 4,
        "{probes} probes, {answered} answered"
    );
}

/// With thousands of idle connections, which keep polls rare while others are busy:
/// listeners and datagram sockets are looked at all the same, and a yield costs no poll.
#[test]
fn rare_polls_hide_no_listener_and_no_datagram() {
    for kind in ["listener", "datagram"] {
        let (mut poller, model, keys) = idle_connections(4000);
        let fd = 10;
        let socket = Socket {
            listener: kind == "listener",
            datagram: kind == "datagram",
            ..Socket::default()
        };
        open(&model, fd, socket);
        // tokio asks of a listener whether it can be written to.
        let (interest, owner) = match kind {
            "listener" => (Directions::BOTH, Owner::MioListener),
            _ => (Directions::READ, Owner::Mio),
        };
        let key = poller.set.insert(fd, 10, interest, owner).unwrap();
        let mut longest = 0;
        for _ in 0..50 {
            speak(&model, fd);
            let spoke = model.0.borrow().now;
            loop {
                // Somebody is always served.
                speak(&model, 100);
                let found = tokens(&wait(&mut poller, Some(0)));
                work(&model, 50_000);
                for &token in &found {
                    let fd = token as i32;
                    let key = if fd == 10 {
                        key
                    } else {
                        keys[(fd - 100) as usize]
                    };
                    serve(&mut poller, &model, key, fd);
                }
                if found.contains(&10) {
                    break;
                }
            }
            // The owner looks once more, and finds nothing.
            poller.exhausted(key, Directions::READ);
            longest = longest.max(model.0.borrow().now - spoke);
        }
        // But for the first one, that nobody has looked at before.
        assert!(longest <= 27 * MS, "a {kind} waited {longest} ns");
        let average = model.0.borrow().now / 50;
        assert!(average <= 3 * MS, "a {kind} waited {average} ns on average");
    }
}

#[test]
fn a_writer_that_waits_is_not_left_to_rare_polls() {
    let (mut poller, model, keys) = idle_connections(4000);
    busy(&mut poller, &model, &keys, 50, 300 * MS, None);
    open(&model, 10, Socket::default());
    poller
        .set
        .insert(10, 10, Directions::WRITE, Owner::Mio)
        .unwrap();
    model.0.borrow_mut().sockets.get_mut(&10).unwrap().writable = true;
    let start = model.0.borrow().now;
    loop {
        speak(&model, 100);
        let found = tokens(&wait(&mut poller, Some(0)));
        if found.contains(&10) {
            break;
        }
        for &token in found.iter().filter(|token| **token >= 100) {
            serve(&mut poller, &model, keys[token - 100], token as i32);
        }
    }
    let waited = model.0.borrow().now - start;
    // Half a millisecond, and the one poll of all.
    assert!(waited <= 5 * MS, "{waited} ns");
}

#[test]
fn a_program_that_fell_silent_sleeps() {
    let (mut poller, model, keys) = idle_connections(4000);
    leisurely(&mut poller, &model, &keys, 50, 300 * MS);
    assert!(poller.set.cold() > 3000, "{} are cold", poller.set.cold());
    // What the busy ones had still to say.
    for _ in 0..100 {
        for readiness in wait(&mut poller, Some(10 * MS)) {
            let fd = readiness.token as i32;
            serve(&mut poller, &model, keys[(fd - 100) as usize], fd);
        }
    }
    assert_eq!(poller.set.cold(), 0);
    let (polls, probes) = {
        let state = model.0.borrow();
        (state.polls, state.probes)
    };
    assert_eq!(wait(&mut poller, Some(10_000 * MS)), []);
    let state = model.0.borrow();
    assert_eq!((state.polls, state.probes), (polls + 1, probes));
}

#[test]
fn what_cannot_be_probed_is_not_cold_for_long() {
    let (mut poller, model, keys) = idle_connections(200);
    let listener = 10;
    let socket = Socket {
        listener: true,
        ..Socket::default()
    };
    open(&model, listener, socket);
    poller
        .set
        .insert(listener, 10, Directions::READ, Owner::Mio)
        .unwrap();
    let blocking = 12;
    let socket = Socket {
        blocking: true,
        ..Socket::default()
    };
    open(&model, blocking, socket);
    poller
        .set
        .insert(blocking, 12, Directions::READ, Owner::Mio)
        .unwrap();
    let foreign = 11;
    open(&model, foreign, Socket::default());
    poller
        .set
        .insert(foreign, 11, Directions::READ, Owner::Foreign)
        .unwrap();
    leisurely(&mut poller, &model, &keys, 4, 300 * MS);
    assert!(poller.set.cold() > 0);
    speak(&model, listener);
    speak(&model, foreign);
    speak(&model, blocking);
    let mut heard = Vec::new();
    for _ in 0..20 {
        for readiness in wait(&mut poller, Some(0)) {
            heard.push(readiness.token);
        }
        work(&model, 100_000);
    }
    heard.sort_unstable();
    heard.retain(|&token| token < 100);
    assert_eq!(heard, [10, 11, 12]);
}

#[test]
fn what_was_served_is_not_asked_about_while_it_is_ready_again() {
    let (mut poller, model, keys) = idle_connections(50);
    busy(&mut poller, &model, &keys, 50, 100 * MS, None);
    let before = model.0.borrow().polls;
    let (answered, _) = busy(&mut poller, &model, &keys, 50, 100 * MS, None);
    let polls = model.0.borrow().polls - before;
    assert!(answered > 4000, "{answered} answered");
    // Every half millisecond at most, and with few subscriptions.
    assert!(polls <= 200, "{polls} polls");
}

#[test]
fn presuming_ends_where_it_fails() {
    let (mut poller, model, keys) = idle_connections(50);
    let mut idle_reads = 0;
    let mut answered = 0;
    for round in 0..2000 {
        // Each speaks every fourth round: never right after it was served.
        for fd in (0..50).filter(|fd| (fd + round) % 4 == 0) {
            speak(&model, 100 + fd);
        }
        for readiness in wait(&mut poller, Some(0)) {
            let fd = readiness.token as i32;
            let data = model.0.borrow().sockets[&fd].readable;
            idle_reads += usize::from(!data);
            answered += usize::from(data);
            serve(&mut poller, &model, keys[(fd - 100) as usize], fd);
        }
        work(&model, 600_000);
    }
    assert!(answered > 20_000, "{answered} answered");
    assert!(idle_reads * 12 < answered, "{idle_reads} of {answered}");
}

#[test]
fn an_accepted_connection_is_writable_without_a_call() {
    let (mut poller, model) = poller();
    open(&model, 7, Socket::default());
    poller
        .set
        .insert(7, 1, Directions::BOTH, Owner::MioAccepted)
        .unwrap();
    assert_eq!(poller.set.armed(), 1);
    let found = wait(&mut poller, Some(MS));
    assert_eq!(tokens(&found), [1]);
    assert_eq!(found[0].directions, Directions::WRITE);
}

#[test]
fn a_poll_that_returns_at_once_does_not_hide_the_hosts_silence_for_good() {
    let (mut poller, model) = poller();
    let socket = Socket {
        datagram: true,
        pending_error: true,
        ..Socket::default()
    };
    open(&model, 7, socket);
    poller
        .set
        .insert(7, 1, Directions::READ, Owner::Mio)
        .unwrap();
    let heard = (0..100).any(|_| !wait(&mut poller, Some(0)).is_empty());
    assert!(heard);
}

/// What happens to connections of a server under load, at random.
#[derive(Clone, Debug)]
enum Load {
    Speaks(usize),
    PeerCloses(usize),
    Replace(usize),
    Reregister(usize),
    /// All that were told and have not been served are; the others not.
    Serve,
    Signal,
    Wake,
    /// So many polls with little work in between.
    Busy(u32),
    Wait(u64),
}

fn load() -> impl Strategy<Value = Load> {
    let which = 0usize..1000;
    prop_oneof![
        6 => which.clone().prop_map(Load::Speaks),
        1 => which.clone().prop_map(Load::PeerCloses),
        2 => which.clone().prop_map(Load::Replace),
        1 => which.prop_map(Load::Reregister),
        6 => Just(Load::Serve),
        1 => Just(Load::Signal),
        1 => Just(Load::Wake),
        4 => (1u32..30).prop_map(Load::Busy),
        2 => (0u64..200).prop_map(Load::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is cold or presumed: who speaks is heard within two sweeps, and
    /// waiting costs no more than its share.
    #[test]
    fn a_split_set_loses_nothing(
        count in 2i32..120,
        steps in prop::collection::vec(load(), 1..200),
    ) {
        let (mut poller, model, keys) = idle_connections(count);
        poller.pace.fewest = 2;
        poller.pace.fewest_rare = 2;
        let mut keys: BTreeMap<i32, Key> = (100..).zip(keys).collect();
        let mut told: BTreeMap<i32, bool> = keys.keys().map(|fd| (*fd, false)).collect();
        let mut since: BTreeMap<i32, u64> = BTreeMap::new();
        let mut next_fd = 1000;
        let mut woken = false;
        for step in steps {
            let pick = |i: usize| *keys.keys().nth(i % keys.len()).unwrap();
            let mut waits = Vec::new();
            match step {
                Load::Speaks(i) | Load::PeerCloses(i) => {
                    let fd = pick(i);
                    let mut state = model.0.borrow_mut();
                    let now = state.now;
                    let socket = state.sockets.get_mut(&fd).unwrap();
                    if matches!(step, Load::Speaks(_)) {
                        socket.readable = true;
                    } else {
                        socket.read_closed = true;
                    }
                    since.entry(fd).or_insert(now);
                }
                Load::Replace(i) => {
                    let fd = pick(i);
                    prop_assert!(poller.set.remove(keys.remove(&fd).unwrap()));
                    told.remove(&fd);
                    since.remove(&fd);
                    model.0.borrow_mut().sockets.remove(&fd);
                    // Half of them get the old number again.
                    let new = if i % 2 == 0 { fd } else { next_fd };
                    next_fd += 1;
                    open(&model, new, Socket { writable: true, ..Socket::default() });
                    let owner = if i % 3 == 0 { Owner::Mio } else { Owner::MioAccepted };
                    let key = poller.set.insert(new, new as usize, Directions::BOTH, owner).unwrap();
                    if owner == Owner::MioAccepted {
                        poller.accepted(key);
                    }
                    keys.insert(new, key);
                    told.insert(new, false);
                }
                Load::Reregister(i) => {
                    let fd = pick(i);
                    prop_assert!(poller.set.update(keys[&fd], fd as usize, Directions::READ));
                    told.insert(fd, false);
                    let state = model.0.borrow();
                    let socket = &state.sockets[&fd];
                    if socket.readable || socket.read_closed {
                        since.insert(fd, state.now);
                    }
                }
                Load::Serve => {
                    for (&fd, told) in told.iter_mut().filter(|(_, told)| **told) {
                        serve(&mut poller, &model, keys[&fd], fd);
                        since.remove(&fd);
                        *told = false;
                        let state = model.0.borrow();
                        if state.sockets[&fd].read_closed {
                            since.insert(fd, state.now);
                        }
                    }
                }
                Load::Signal => model.0.borrow_mut().signals += 1,
                Load::Wake => {
                    woken = true;
                    poller.wake(usize::MAX);
                }
                Load::Busy(polls) => waits = vec![0; polls as usize],
                Load::Wait(ms) => waits = vec![ms],
            }
            for ms in waits {
                let (start, polls, probes, signals) = {
                    let state = model.0.borrow();
                    (state.now, state.polls, state.probes, state.signals as usize)
                };
                let found = wait(&mut poller, Some(ms * MS));
                let mut heard_wake = false;
                for readiness in &found {
                    if readiness.token == usize::MAX {
                        heard_wake = true;
                    } else if readiness.directions.has(Directions::READ) {
                        told.insert(readiness.token as i32, true);
                    }
                    prop_assert!(
                        heard_wake || keys.contains_key(&(readiness.token as i32)),
                        "an event of a source that is gone"
                    );
                }
                prop_assert_eq!(heard_wake, std::mem::take(&mut woken));
                work(&model, 10_000);

                let state = model.0.borrow();
                let (took, probes) = (state.now - start, state.probes - probes);
                if found.is_empty() {
                    prop_assert!(took >= ms * MS, "the wait ended early");
                }
                // A whole sweep at the start, then one each ten milliseconds.
                let sweeps = 2 + took / (10 * MS);
                prop_assert!(probes as u64 <= sweeps * count as u64, "{probes} in {took} ns");
                let polls = state.polls - polls;
                prop_assert!(
                    polls as u64 <= 3 + signals as u64 + 2 * took / MS,
                    "{polls} polls in {took} ns"
                );
                for (fd, since) in &since {
                    let delay = state.now - since;
                    prop_assert!(
                        told[fd] || delay <= 22 * MS,
                        "{fd} spoke {delay} ns ago and was not heard"
                    );
                }
            }
        }
        prop_assert!(poller.set.find(ALWAYS_READY).is_none());
    }
}

/// What of a socket the kernel did not take.
fn rest(model: &Model, fd: i32, bytes: usize, is_orphan: bool) {
    let mut state = model.0.borrow_mut();
    state.rests.insert(fd, (bytes, true));
    if is_orphan {
        state.orphans.insert(fd);
    }
}

/// The socket's peer makes room.
fn make_room(model: &Model, fd: i32, bytes: usize) {
    let mut state = model.0.borrow_mut();
    *state.room.entry(fd).or_default() += bytes;
    state.sockets.get_mut(&fd).unwrap().writable = true;
}

#[test]
fn a_rest_is_sent_when_there_is_room_whatever_is_of_interest() {
    let (mut poller, model) = poller();
    open(&model, 7, Socket::default());
    poller
        .set
        .insert(7, 42, Directions::READ, Owner::Mio)
        .unwrap();
    rest(&model, 7, 100, false);
    // The kernel has just refused it: it is not tried again until there is room.
    assert_eq!(wait(&mut poller, Some(MS)), []);
    assert_eq!(wait(&mut poller, Some(MS)), []);
    assert_eq!(model.0.borrow().tries, 0);

    make_room(&model, 7, 60);
    assert_eq!(wait(&mut poller, Some(MS)), []);
    assert_eq!(model.0.borrow().rests[&7].0, 40);
    make_room(&model, 7, 60);
    assert_eq!(wait(&mut poller, Some(MS)), []);
    assert!(model.0.borrow().rests.is_empty());
    assert_eq!(model.0.borrow().tries, 2);
    assert_eq!(poller.set.armed(), 1);
}

#[test]
fn a_rest_outlasts_registering_anew() {
    let (mut poller, model) = poller();
    open(&model, 7, Socket::default());
    let key = poller
        .set
        .insert(7, 42, Directions::BOTH, Owner::Mio)
        .unwrap();
    rest(&model, 7, 100, false);
    assert_eq!(wait(&mut poller, Some(0)), []);
    assert!(poller.set.update(key, 43, Directions::READ));
    make_room(&model, 7, 100);
    assert_eq!(wait(&mut poller, Some(MS)), []);
    assert!(model.0.borrow().rests.is_empty());
}

#[test]
fn who_waits_to_write_is_told_when_the_rest_can_go() {
    let (mut poller, model) = poller();
    open(&model, 7, Socket::default());
    poller
        .set
        .insert(7, 42, Directions::BOTH, Owner::Mio)
        .unwrap();
    rest(&model, 7, 100, false);
    assert_eq!(wait(&mut poller, Some(MS)), []);
    make_room(&model, 7, 1000);
    let found = wait(&mut poller, Some(MS));
    assert_eq!(tokens(&found), [42]);
    assert_eq!(found[0].directions, Directions::WRITE);
    assert_eq!(wait(&mut poller, Some(MS)), []);
    assert!(model.0.borrow().rests.is_empty());
}

#[test]
fn who_waits_to_write_is_told_that_the_stream_is_shut_though_a_rest_is_left() {
    let (mut poller, model) = poller();
    open(&model, 7, Socket::default());
    poller
        .set
        .insert(7, 42, Directions::BOTH, Owner::Mio)
        .unwrap();
    rest(&model, 7, 100, false);
    assert_eq!(wait(&mut poller, Some(MS)), []);
    model.0.borrow_mut().shut.insert(7);
    let found = wait(&mut poller, Some(MS));
    assert_eq!(tokens(&found), [42]);
    assert_eq!(found[0].directions, Directions::WRITE);
    // Once, and the rest is still tended.
    assert_eq!(wait(&mut poller, Some(MS)), []);
    make_room(&model, 7, 1000);
    wait(&mut poller, Some(MS));
    wait(&mut poller, Some(MS));
    assert!(model.0.borrow().rests.is_empty());
}

#[test]
fn an_orphan_is_closed_when_its_rest_is_out() {
    for is_shut in [false, true] {
        let (mut poller, model) = poller();
        open(&model, 7, Socket::default());
        rest(&model, 7, 100, true);
        if is_shut {
            model.0.borrow_mut().shut.insert(7);
        }
        assert_eq!(wait(&mut poller, Some(MS)), []);
        assert!(model.0.borrow().adopted.contains(&7));
        // From the first wait on its room is waited for.
        assert_eq!(poller.set.armed(), 1);
        make_room(&model, 7, 100);
        assert_eq!(wait(&mut poller, Some(MS)), []);
        assert!(model.0.borrow().orphans.is_empty());
        assert!(!model.0.borrow().sockets.contains_key(&7));
        assert_eq!(poller.set.find(7), None);
        assert_eq!(poller.set.armed(), 0);
    }
}

#[test]
fn a_socket_that_is_writable_and_takes_nothing_is_not_spun_on() {
    let (mut poller, model) = poller();
    open(
        &model,
        7,
        Socket {
            writable: true,
            ..Socket::default()
        },
    );
    poller
        .set
        .insert(7, 42, Directions::READ, Owner::Mio)
        .unwrap();
    rest(&model, 7, 100, false);
    for _ in 0..10 {
        model.0.borrow_mut().tries = 0;
        model.0.borrow_mut().polls = 0;
        assert_eq!(wait(&mut poller, Some(1000 * MS)), []);
        // Once in 10 ms, and what comes before that.
        assert!(model.0.borrow().tries < 120);
        assert!(model.0.borrow().polls < 250);
    }
    make_room(&model, 7, 100);
    assert_eq!(wait(&mut poller, Some(20 * MS)), []);
    assert!(model.0.borrow().rests.is_empty());
}
