//! Panics that unwind: every line is as natively. Compiled by the user's rustc, not with
//! this crate. A word makes the program end in one of several ways.

use std::cell::RefCell;
use std::collections::{BTreeMap, LinkedList, VecDeque};
use std::hint::black_box;
use std::panic::{catch_unwind, panic_any, resume_unwind, set_hook, take_hook, AssertUnwindSafe};
use std::sync::{Arc, Mutex, Once};

thread_local! {
    static LOG: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

/// Notes its number when it is dropped.
struct Noted(u32);

impl Drop for Noted {
    fn drop(&mut self) {
        LOG.with(|log| log.borrow_mut().push(self.0));
    }
}

fn log() -> Vec<u32> {
    LOG.with(|log| std::mem::take(&mut *log.borrow_mut()))
}

#[inline(never)]
fn three(n: u32) -> u32 {
    let _first = Noted(1);
    let items = vec![Noted(10), Noted(11), Noted(12)];
    let _second = Noted(2);
    if n > 2 {
        panic!("three {n}");
    }
    black_box(&items);
    n
}

struct PanicsInDrop(bool);

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        if black_box(self.0) {
            panic!("in drop");
        }
    }
}

/// Catches panics while it is dropped.
struct Catches(u32);

impl Drop for Catches {
    fn drop(&mut self) {
        let _noted = Noted(self.0 + 1);
        let caught = catch_unwind(|| {
            let _noted = Noted(50);
            let _panics = (Noted(51), PanicsInDrop(true), Noted(52));
        });
        assert!(caught.is_err());
        let caught = catch_unwind(|| Vec::<u32>::new()[black_box(3)]);
        assert!(caught.is_err());
        LOG.with(|log| log.borrow_mut().push(self.0));
    }
}

/// Notes its number when it is dropped, and may panic then.
struct Item(u32, bool);

impl Drop for Item {
    fn drop(&mut self) {
        LOG.with(|log| log.borrow_mut().push(self.0));
        if black_box(self.1) {
            panic!("in drop");
        }
    }
}

fn items() -> impl Iterator<Item = Item> {
    (0..5).map(|n| Item(n, n == 2))
}

trait Runs {
    fn run(&self, n: u64) -> (u64, f64);
}

struct Panics;
struct Counts;

impl Runs for Panics {
    fn run(&self, n: u64) -> (u64, f64) {
        if n == 8 {
            panic_any(77_u64);
        }
        (n, 1.0)
    }
}

impl Runs for Counts {
    fn run(&self, n: u64) -> (u64, f64) {
        (n + 1, 2.0)
    }
}

#[inline(never)]
fn deep(n: u32, buffer: &mut [u8; 64]) -> u64 {
    let _noted = (n % 1000 == 0).then(|| Noted(n));
    let mut own = [n as u8; 64];
    black_box(&mut own);
    if n == 0 {
        panic!("bottom");
    }
    deep(n - 1, &mut own) + u64::from(own[3]) + u64::from(buffer[1])
}

#[inline(never)]
fn stack() -> usize {
    let local = 0_u8;
    black_box(&local) as *const u8 as usize
}

fn main() {
    let word = std::env::args().nth(1).unwrap_or_default();
    if !word.is_empty() {
        end(&word);
    }
    set_hook(Box::new(|_| {}));
    payloads();
    nesting();
    destructors();
    changed();
    poison();
    hooks();
    values();
    let before = stack();
    let caught = catch_unwind(|| deep(3_000, &mut [0; 64]));
    assert!(caught.is_err());
    assert_eq!(log(), [0, 1000, 2000, 3000]);
    assert_eq!(before, stack());
    assert!(!std::thread::panicking());
    println!("all well");
}

fn payloads() {
    let payload = catch_unwind(|| three(3)).unwrap_err();
    assert_eq!(payload.downcast_ref::<String>().unwrap(), "three 3");
    assert_eq!(log(), [2, 10, 11, 12, 1]);
    assert_eq!(catch_unwind(|| three(1)).unwrap(), 1);
    assert_eq!(log(), [2, 10, 11, 12, 1]);
    let payload = catch_unwind(|| panic!("words")).map(|()| ()).unwrap_err();
    assert_eq!(*payload.downcast_ref::<&str>().unwrap(), "words");
}

fn nesting() {
    let payload = catch_unwind(|| {
        let _noted = Noted(1);
        let inner = catch_unwind(|| {
            let _noted = Noted(2);
            three(9)
        });
        assert!(inner.is_err());
        let _noted = Noted(3);
        panic_any(5_i32);
    });
    assert_eq!(*payload.unwrap_err().downcast::<i32>().unwrap(), 5);
    assert_eq!(log(), [2, 10, 11, 12, 1, 2, 3, 1]);
    let payload = catch_unwind(|| {
        let inner = catch_unwind(|| {
            let _noted = Noted(4);
            three(5)
        });
        resume_unwind(inner.unwrap_err());
    });
    let payload = payload.map(|()| ()).unwrap_err();
    assert_eq!(payload.downcast_ref::<String>().unwrap(), "three 5");
    assert_eq!(log(), [2, 10, 11, 12, 1, 4]);
    // Loops with handlers in them.
    let mut n = 0;
    let last = catch_unwind(AssertUnwindSafe(|| loop {
        let _noted = Noted(n);
        let inner = catch_unwind(AssertUnwindSafe(|| {
            let _noted = Noted(100 + n);
            if n % 2 == 0 {
                panic!();
            }
            n
        }));
        n += 1;
        if n > 3 {
            panic_any(inner.is_ok());
        }
        if inner.is_err() {
            continue;
        }
        let _noted = Noted(200 + n);
    }));
    let last = last.map(|()| ()).unwrap_err().downcast::<bool>().unwrap();
    assert!(*last);
    assert_eq!(log(), [100, 0, 101, 202, 1, 102, 2, 103, 3]);
}

fn destructors() {
    // Natively the order is the same with and without a panic on its way.
    let expected = [51, 52, 50, 20, 21, 51, 52, 50, 10, 11];
    for _ in 0..2 {
        let caught = catch_unwind(|| {
            let _outer = Catches(10);
            let _inner = Catches(20);
            panic!("first");
        });
        assert!(caught.is_err());
        assert_eq!(log(), expected);
    }
    let caught = catch_unwind(|| {
        let _noted = Noted(1);
        let _panics = (Noted(2), PanicsInDrop(true), Noted(3));
    });
    assert!(caught.is_err());
    assert_eq!(log(), [2, 3, 1]);
    // The others in a list are dropped once each.
    let caught = catch_unwind(|| {
        let list: Vec<Box<dyn std::any::Any>> = vec![
            Box::new(Noted(1)),
            Box::new(PanicsInDrop(true)),
            Box::new(Noted(2)),
        ];
        drop(list);
    });
    assert!(caught.is_err());
    assert_eq!(log(), [1, 2]);
    let lists: [fn(); 6] = [
        || drop(items().collect::<Vec<_>>()),
        || drop(items().collect::<VecDeque<_>>()),
        || drop(items().enumerate().collect::<BTreeMap<_, _>>()),
        || drop(items().collect::<LinkedList<_>>()),
        || drop(items().collect::<Vec<_>>().into_iter()),
        || {
            drop([
                Item(0, false),
                Item(1, false),
                Item(2, true),
                Item(3, false),
                Item(4, false),
            ])
        },
    ];
    for list in lists {
        assert!(catch_unwind(list).is_err());
        assert_eq!(log(), [0, 1, 2, 3, 4]);
    }
    let caught = catch_unwind(|| {
        (0..10)
            .map(|i| if i == 4 { panic!() } else { Noted(i) })
            .collect::<Vec<_>>()
    });
    assert!(caught.is_err());
    assert_eq!(log(), [0, 1, 2, 3]);
}

/// Panics, unless it is told not to.
#[inline(never)]
fn may_panic(panics: bool) -> u32 {
    if black_box(panics) {
        panic!("it may");
    }
    7
}

/// As [`Noted`], and its number need not be in memory.
struct Kept(u32);

impl Drop for Kept {
    fn drop(&mut self) {
        keep(self.0);
    }
}

#[inline(never)]
fn keep(number: u32) {
    LOG.with(|log| log.borrow_mut().push(number));
}

/// A variable that the closure has changed, or not, is dropped by the panic that goes on.
#[inline(never)]
fn change(mut kept: Kept, early: bool, late: bool, goes_on: bool) -> u32 {
    kept = Kept(
        match catch_unwind(AssertUnwindSafe(|| {
            may_panic(early);
            kept = Kept(6);
            may_panic(late)
        })) {
            Ok(n) => n,
            Err(payload) => {
                let words = payload.downcast_ref::<&str>();
                keep(words.map_or(0, |words| words.len() as u32));
                if goes_on {
                    resume_unwind(payload);
                }
                8
            }
        },
    );
    kept.0
}

fn changed() {
    let change = |early, late, goes_on| {
        let run = || change(Kept(5), early, late, goes_on);
        let number = catch_unwind(AssertUnwindSafe(run)).ok();
        (number, log())
    };
    // The panic's message has six letters.
    assert_eq!(change(false, false, true), (Some(7), vec![5, 6, 7]));
    assert_eq!(change(false, true, false), (Some(8), vec![5, 6, 6, 8]));
    assert_eq!(change(true, false, false), (Some(8), vec![6, 5, 8]));
    assert_eq!(change(true, false, true), (None, vec![6, 5]));
    assert_eq!(change(false, true, true), (None, vec![5, 6, 6]));
}

fn poison() {
    let mutex = Mutex::new(3);
    let caught = catch_unwind(AssertUnwindSafe(|| {
        *mutex.lock().unwrap() = 4;
        let _guard = mutex.lock().unwrap();
        panic!();
    }));
    assert!(caught.is_err() && mutex.is_poisoned());
    assert_eq!(*mutex.lock().unwrap_err().into_inner(), 4);
    let once = Once::new();
    for run in [true, false] {
        let caught = catch_unwind(AssertUnwindSafe(|| {
            once.call_once(|| {
                if run {
                    panic!()
                }
            })
        }));
        assert!(caught.is_err());
    }
}

fn hooks() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let before = take_hook();
    set_hook(Box::new(move |info| {
        let words = info
            .payload()
            .downcast_ref::<&str>()
            .map(|words| (*words).to_owned());
        noted
            .lock()
            .unwrap()
            .push((info.location().unwrap().line(), words));
    }));
    let line = line!() + 1;
    let caught = catch_unwind(|| panic!("hooked"));
    set_hook(before);
    assert!(caught.is_err());
    assert_eq!(*seen.lock().unwrap(), [(line, Some("hooked".to_owned()))]);
}

fn values() {
    let all: [Box<dyn Runs>; 2] = [Box::new(Panics), Box::new(Counts)];
    let (mut sum, mut caught) = (0.0, 0);
    for n in 0..20 {
        match catch_unwind(AssertUnwindSafe(|| all[(n % 2) as usize].run(n))) {
            Ok((whole, half)) => sum += whole as f64 + half,
            Err(payload) => {
                assert_eq!(*payload.downcast::<u64>().unwrap(), 77);
                caught += 1;
            }
        }
    }
    // 0 to 19 without 8, one more for each of ten, and 9 * 1 + 10 * 2.
    assert_eq!((sum, caught), (190.0 - 8.0 + 10.0 + 29.0, 1));
    let zero = black_box(0_u32);
    assert!(catch_unwind(|| 1 / zero).is_err());
    assert!(catch_unwind(|| [1, 2, 3][5 + zero as usize..].len()).is_err());
    assert!(catch_unwind(|| "é"[1 + zero as usize..].len()).is_err());
    let mut compared = 0;
    let sorted = catch_unwind(AssertUnwindSafe(|| {
        let mut list: Vec<u32> = (0..1000).rev().chain(0..10).collect();
        list.sort_by(|one, other| {
            compared += 1;
            if compared == 500 {
                panic!();
            }
            one.cmp(other)
        });
    }));
    assert!(sorted.is_err());
}

fn end(word: &str) {
    match word {
        "uncaught" => {
            let list: Vec<u32> = Vec::new();
            println!("{}", list[black_box(1)]);
        }
        "panic-in-drop" => {
            let caught = catch_unwind(|| {
                let _noted = Noted(1);
                let _panics = PanicsInDrop(true);
                panic!("first");
            });
            println!("not reached: {}", caught.is_err());
        }
        "extern-c" => {
            extern "C" fn panics() {
                panic!("in extern C");
            }
            let called: extern "C" fn() = black_box(panics);
            let caught = catch_unwind(|| called());
            println!("not reached: {}", caught.is_err());
        }
        "exit" => {
            let _ = catch_unwind(|| std::process::exit(7));
        }
        other => panic!("no way to end: {other}"),
    }
}
