//! The table against a model: a map from numbers to descriptors.

#![cfg(target_os = "linux")]

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::collection::vec;
use proptest::prelude::*;
use tokio_wasmedge_plugin::sys::Region;
use tokio_wasmedge_plugin::table::{Kind, Table};
use tokio_wasmedge_plugin::{Errno, sys};

const KINDS: [Kind; 2] = [Kind::Event, Kind::Epoll];

#[derive(Clone, Debug)]
enum Step {
    Open(usize),
    /// Of those that are open, by a place in their order.
    Close(usize),
    CloseOld(usize),
    Get(usize),
    GetOld(usize),
    GetAny(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..KINDS.len()).prop_map(Step::Open),
        3 => any::<usize>().prop_map(Step::Close),
        1 => any::<usize>().prop_map(Step::CloseOld),
        2 => any::<usize>().prop_map(Step::Get),
        2 => any::<usize>().prop_map(Step::GetOld),
        1 => any::<u32>().prop_map(Step::GetAny),
    ]
}

fn pick<T: Copy>(from: impl ExactSizeIterator<Item = T>, place: usize) -> Option<T> {
    let count = from.len();
    let mut from = from;
    (count > 0).then(|| from.nth(place % count)).flatten()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]

    #[test]
    fn a_number_means_what_it_was_made_for_and_nothing_once_it_is_closed(
        steps in vec(step(), 1..200),
    ) {
        let table = Table::default();
        let mut open: BTreeMap<u32, (i32, Kind)> = BTreeMap::new();
        let mut old: BTreeSet<u32> = BTreeSet::new();
        for step in steps {
            match step {
                Step::Open(kind) => {
                    let fd = sys::event().unwrap();
                    let raw = fd.as_raw_fd();
                    let number = table.insert(fd, KINDS[kind]).unwrap();
                    prop_assert!(number >> 31 == 1);
                    // Not an error, where it is taken for a negative number.
                    prop_assert!((number as i32) < -4096);
                    prop_assert!(!old.contains(&number));
                    prop_assert!(open.insert(number, (raw, KINDS[kind])).is_none());
                }
                Step::Close(place) => {
                    if let Some(number) = pick(open.keys().copied(), place) {
                        prop_assert_eq!(table.close(number), Ok(()));
                        open.remove(&number);
                        old.insert(number);
                    }
                }
                Step::CloseOld(place) => {
                    if let Some(number) = pick(old.iter().copied(), place) {
                        prop_assert_eq!(table.close(number), Err(Errno::BADF));
                    }
                }
                Step::Get(place) => {
                    if let Some(number) = pick(open.keys().copied(), place) {
                        let lease = table.get(number).unwrap();
                        prop_assert_eq!((lease.fd, lease.kind), open[&number]);
                    }
                }
                Step::GetOld(place) => {
                    if let Some(number) = pick(old.iter().copied(), place) {
                        prop_assert_eq!(table.get(number).err(), Some(Errno::BADF));
                    }
                }
                Step::GetAny(number) => {
                    prop_assert_eq!(table.get(number).is_ok(), open.contains_key(&number));
                }
            }
            prop_assert_eq!(table.len(), open.len());
        }
    }
}

/// A descriptor in the table, and one that sees whether it is open.
fn watched(table: &Table) -> (u32, OwnedFd) {
    let [one, other] = sys::socketpair(libc::SOCK_STREAM, libc::SOCK_NONBLOCK).unwrap();
    (table.insert(one, Kind::Pair).unwrap(), other)
}

fn is_open(watcher: &OwnedFd) -> bool {
    let mut byte = [0];
    let received = sys::recv(watcher.as_raw_fd(), Region::of(&mut byte), 0);
    assert!(matches!(received, Ok(0) | Err(Errno::AGAIN)));
    received != Ok(0)
}

#[test]
fn what_is_in_use_is_closed_when_it_no_longer_is() {
    let table = Table::default();
    let (number, watcher) = watched(&table);
    let (first, second) = (table.get(number).unwrap(), table.get(number).unwrap());
    assert_eq!(table.close(number), Ok(()));
    assert_eq!(table.get(number).err(), Some(Errno::BADF));
    assert_eq!(table.close(number), Err(Errno::BADF));
    drop(first);
    assert!(is_open(&watcher));
    drop(second);
    assert!(!is_open(&watcher));
}

#[test]
fn with_the_table_everything_is_closed() {
    let table = Table::default();
    let watchers: Vec<OwnedFd> = (0..10).map(|_| watched(&table).1).collect();
    assert!(watchers.iter().all(is_open));
    drop(table);
    assert!(!watchers.iter().any(is_open));
}

const SLOT: u32 = 0xf_ffff;

/// A slot is used again and again, each time with another number, and the old ones do not
/// reach what is in it now.
#[test]
fn numbers_do_not_come_back_soon_and_stay_closed() {
    let table = Table::default();
    let mut seen = BTreeSet::new();
    let mut of_slot: BTreeMap<u32, u32> = BTreeMap::new();
    let mut again = 0;
    for _ in 0..100_000 {
        let number = table.insert(sys::event().unwrap(), Kind::Event).unwrap();
        assert!(seen.insert(number), "{number:x} after {}", seen.len());
        if let Some(old) = of_slot.insert(number & SLOT, number) {
            again += 1;
            assert_eq!(table.get(old).err(), Some(Errno::BADF));
            assert_eq!(table.close(old).err(), Some(Errno::BADF));
            assert!(table.get(number).is_ok());
        }
        table.close(number).unwrap();
    }
    assert!(again > 90_000, "{again} slots were used again");
}

/// Threads use, close and open at once. Each counter belongs to one number, and is only ever
/// raised by it: if a call met another one's descriptor, a counter would be wrong.
#[test]
fn threads_do_not_meet_others_descriptors() {
    let (table, end) = (Table::default(), AtomicBool::new(false));
    let numbers: Vec<std::sync::Mutex<u32>> = (0..4)
        .map(|_| {
            table
                .insert(sys::event().unwrap(), Kind::Event)
                .unwrap()
                .into()
        })
        .collect();
    let (mut uses, mut wrong) = (0, 0);
    std::thread::scope(|scope| {
        let users: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let (mut uses, mut wrong) = (0u64, 0u64);
                    while !end.load(Ordering::Relaxed) {
                        for number in &numbers {
                            let number = *number.lock().unwrap();
                            if let Ok(lease) = table.get(number) {
                                uses += 1;
                                // Were it closed by now, this would fail.
                                wrong += u64::from(sys::event_signal(lease.fd).is_err());
                            }
                        }
                    }
                    (uses, wrong)
                })
            })
            .collect();
        for _ in 0..20_000 {
            for number in &numbers {
                let new = table.insert(sys::event().unwrap(), Kind::Event).unwrap();
                let old = std::mem::replace(&mut *number.lock().unwrap(), new);
                table.close(old).unwrap();
            }
        }
        end.store(true, Ordering::Relaxed);
        for user in users {
            let (its_uses, its_wrong) = user.join().unwrap();
            uses += its_uses;
            wrong += its_wrong;
        }
    });
    assert!(uses > 0);
    assert_eq!(wrong, 0, "of {uses}");
    assert_eq!(table.len(), numbers.len());
}
