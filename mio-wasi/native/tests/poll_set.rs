//! The poll set by itself.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{interest, union};
use crate::direction::{Direction, Interest};
use crate::poll_set::{Head, PollSet};
use crate::registration::{Key, Owner};

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// The dense array and the slots agree after any sequence of changes.
    #[test]
    fn every_armed_direction_is_in_the_array_once(
        steps in prop::collection::vec((0i32..12, 0u8..5, 1u8..4), 1..200)
    ) {
        let mut set = PollSet::new();
        let mut keys: BTreeMap<i32, (Key, Interest, Interest)> = BTreeMap::new();
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
                    *armed = union(*armed, interest.and(bits));
                }
                (3, Some((key, _, armed))) => {
                    let told = set.take_event(PollSet::userdata(*key, Direction::Read), false);
                    prop_assert_eq!(told.is_some(), armed.has(Direction::Read));
                    *armed = armed.without(Interest::READ);
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
                for direction in [Direction::Read, Direction::Write] {
                    if armed.has(direction) {
                        expected.push((PollSet::userdata(*key, direction), *fd));
                    }
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

    /// Whatever states directions go through: each is in one of them, the counts agree
    /// with it, and what has been armed since the last poll stays together.
    #[test]
    fn a_direction_is_armed_or_cold_or_speculative(
        steps in prop::collection::vec((0i32..8, 0u8..13, 1u8..4), 1..200)
    ) {
        let mut set = PollSet::new();
        let mut keys: BTreeMap<i32, Key> = BTreeMap::new();
        let mut fresh: Vec<u64> = Vec::new();
        for (fd, what, bits) in steps {
            let bits = interest(bits);
            let before: Vec<u64> = armed(&set);
            match (what, keys.get(&fd).copied()) {
                (0, None) => {
                    let owner = match fd % 4 {
                        0 => Owner::Foreign,
                        1 => Owner::MioAccepted,
                        2 => Owner::MioListener,
                        _ => Owner::Mio,
                    };
                    keys.insert(fd, set.insert(fd, fd as usize, bits, owner).unwrap());
                }
                (1, Some(key)) => {
                    prop_assert!(set.remove(key));
                    keys.remove(&fd);
                }
                (2, Some(key)) => set.arm(key, bits),
                (3, Some(key)) => {
                    set.take_event(PollSet::userdata(key, Direction::Read), false);
                }
                (4, Some(key)) => prop_assert!(set.update(key, fd as usize, bits)),
                (5, Some(key)) => set.cool(key),
                (6, Some(key)) => set.speculate_reading(key, crate::poll_set::Speculation::Served),
                (7, Some(key)) => set.keep_warm(key),
                (8, _) => set.take_speculative(|told| assert!(!told.ready.is_empty())),
                (9, Some(key)) => set.took(key),
                (10, _) => set.arm_taken(),
                (11, Some(key)) => set.shut(key, bits),
                (12, _) => {
                    set.subscriptions(Head::Nothing);
                    fresh.clear();
                }
                _ => {}
            }
            let after = armed(&set);
            fresh.retain(|userdata| after.contains(userdata));
            fresh.extend(after.iter().filter(|userdata| !before.contains(userdata)));
            prop_assert_eq!(set.armed(), after.len());
            prop_assert_eq!(set.armed_since_poll(), fresh.len());
            let mut named = Vec::new();
            for _ in 0..fresh.len() {
                named.extend(set.next_new().map(|new| PollSet::userdata(new.key, Direction::Read)));
            }
            named.sort_unstable();
            let mut readers: Vec<u64> = fresh.iter().copied().filter(|new| new % 2 == 0).collect();
            readers.sort_unstable();
            prop_assert_eq!(named, readers);

            let mut cold = Vec::new();
            for _ in 0..set.cold() {
                cold.push(set.next_cold().expect("one that is cold").fd);
            }
            cold.sort_unstable();
            cold.dedup();
            prop_assert_eq!(cold.len(), set.cold());
            for fd in cold {
                let userdata = PollSet::userdata(keys[&fd], Direction::Read);
                prop_assert!(!after.contains(&userdata), "{} is cold and armed", fd);
            }
            let opaque = keys.iter().any(|(fd, key)| {
                after.contains(&PollSet::userdata(*key, Direction::Write))
                    || fd % 4 == 0 && after.contains(&PollSet::userdata(*key, Direction::Read))
            });
            prop_assert_eq!(set.is_opaque(), opaque);
        }
        for key in keys.into_values() {
            prop_assert!(set.remove(key));
        }
        set.arm_taken();
        set.take_speculative(|_| panic!("one that is gone is told as ready"));
        prop_assert!(set.is_quiet());
        prop_assert!(!set.is_opaque());
    }
}

/// The user data of what is armed.
fn armed(set: &PollSet) -> Vec<u64> {
    [Interest::READ, Interest::WRITE, Interest::BOTH]
        .into_iter()
        .flat_map(|interest| {
            set.armed_exactly(interest).flat_map(move |entry| {
                [Direction::Read, Direction::Write]
                    .into_iter()
                    .filter(move |direction| interest.has(*direction))
                    .map(move |direction| PollSet::userdata(entry.key, direction))
            })
        })
        .collect()
}
