//! What happens to connections of a server under load, at random.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Connections, MS};
use crate::direction::Interest;
use crate::model::{Socket, ALWAYS_READY};
use crate::registration::{Key, Owner};
use crate::waiter::Waiter as _;

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

    /// Whatever is cold or speculative: who speaks is heard within two sweeps, and
    /// waiting costs no more than its share.
    #[test]
    fn a_split_set_loses_nothing(
        count in 2i32..120,
        steps in prop::collection::vec(load(), 1..200),
    ) {
        let Connections { mut rig, keys } = Connections::idle(count);
        rig.poller.pace.fewest = 2;
        rig.poller.pace.fewest_to_skip = 2;
        let mut keys: BTreeMap<i32, Key> = (Connections::FIRST..).zip(keys).collect();
        let mut told: BTreeMap<i32, bool> = keys.keys().map(|fd| (*fd, false)).collect();
        let mut since: BTreeMap<i32, u64> = BTreeMap::new();
        let mut next_fd = 1000;
        let mut woken = false;
        for step in steps {
            let pick = |i: usize| *keys.keys().nth(i % keys.len()).unwrap();
            let mut waits = Vec::new();
            match step {
                Load::Speaks(i) => {
                    let fd = pick(i);
                    rig.speak(fd);
                    since.entry(fd).or_insert(rig.now());
                }
                Load::PeerCloses(i) => {
                    let fd = pick(i);
                    rig.socket(fd).read_closed = true;
                    since.entry(fd).or_insert(rig.now());
                }
                Load::Replace(i) => {
                    let fd = pick(i);
                    rig.close(keys.remove(&fd).unwrap(), fd);
                    told.remove(&fd);
                    since.remove(&fd);
                    // Half of them get the old number again.
                    let new = if i % 2 == 0 { fd } else { next_fd };
                    next_fd += 1;
                    let owner = if i % 3 == 0 { Owner::Mio } else { Owner::MioAccepted };
                    let socket = Socket::writable();
                    let key = rig.source_of(owner, new, new as usize, Interest::BOTH, socket);
                    if owner == Owner::MioAccepted {
                        rig.poller.accepted(key);
                    }
                    keys.insert(new, key);
                    told.insert(new, false);
                }
                Load::Reregister(i) => {
                    let fd = pick(i);
                    prop_assert!(rig.poller.set.update(keys[&fd], fd as usize, Interest::READ));
                    told.insert(fd, false);
                    let has_spoken = {
                        let socket = rig.socket(fd);
                        socket.readable || socket.read_closed
                    };
                    if has_spoken {
                        since.insert(fd, rig.now());
                    }
                }
                Load::Serve => {
                    for (&fd, told) in told.iter_mut().filter(|(_, told)| **told) {
                        rig.serve(keys[&fd], fd);
                        since.remove(&fd);
                        *told = false;
                        let closed = rig.socket(fd).read_closed;
                        if closed {
                            since.insert(fd, rig.now());
                        }
                    }
                }
                Load::Signal => rig.model.0.borrow_mut().signals += 1,
                Load::Wake => {
                    woken = true;
                    rig.poller.wake(usize::MAX);
                }
                Load::Busy(polls) => waits = vec![0; polls as usize],
                Load::Wait(ms) => waits = vec![ms],
            }
            for ms in waits {
                let (start, polls, probes) = (rig.now(), rig.polls(), rig.probes());
                let signals = rig.model.0.borrow().signals;
                let found = rig.wait(Some(ms * MS));
                let mut heard_wake = false;
                for readiness in &found {
                    if readiness.token == usize::MAX {
                        heard_wake = true;
                    } else if readiness.ready.is_readable() {
                        told.insert(readiness.token as i32, true);
                    }
                    prop_assert!(
                        heard_wake || keys.contains_key(&(readiness.token as i32)),
                        "an event of a source that is gone"
                    );
                }
                prop_assert_eq!(heard_wake, std::mem::take(&mut woken));
                rig.work(10_000);

                let (took, probes) = (rig.now() - start, rig.probes() - probes);
                if found.is_empty() {
                    prop_assert!(took >= ms * MS, "the wait ended early");
                }
                // A whole sweep at the start, then one each ten milliseconds.
                let sweeps = 2 + took / (10 * MS);
                prop_assert!(probes as u64 <= sweeps * count as u64, "{probes} in {took} ns");
                let polls = rig.polls() - polls;
                prop_assert!(
                    polls as u64 <= 3 + u64::from(signals) + 2 * took / MS,
                    "{polls} polls in {took} ns"
                );
                for (fd, since) in &since {
                    let delay = rig.now() - since;
                    prop_assert!(
                        told[fd] || delay <= 22 * MS,
                        "{fd} spoke {delay} ns ago and was not heard"
                    );
                }
            }
        }
        prop_assert!(rig.poller.set.find(ALWAYS_READY).is_none());
    }
}
