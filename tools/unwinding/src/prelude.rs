//! What random programs are made of. Compiled with each of them, natively and for
//! WasmEdge, not with this package.
//!
//! A program rolls dice, from a seed, and notes numbers in a log. What it does depends on
//! nothing else. So a destructor that is skipped, or a value that is lost, changes the log
//! from there on.

use std::any::Any;
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::{pin, Pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

pub use std::hint::black_box;
pub use std::panic::{catch_unwind, panic_any, resume_unwind, AssertUnwindSafe};

static DICE: AtomicU64 = AtomicU64::new(0);
static FUEL: AtomicU32 = AtomicU32::new(0);
static DOUBLES: AtomicBool = AtomicBool::new(false);
static LIVE: AtomicBool = AtomicBool::new(false);
static LOG: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// Notes a number.
#[inline(never)]
pub fn log(n: u32) {
    if LIVE.load(Relaxed) {
        println!("{n}");
    }
    LOG.lock().unwrap_or_else(|held| held.into_inner()).push(n);
}

/// A number below `sides`, which is not 0.
#[inline(never)]
pub fn roll(sides: u32) -> u32 {
    let mut dice = DICE.load(Relaxed);
    dice = dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
    DICE.store(dice, Relaxed);
    dice = (dice ^ dice >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    dice = (dice ^ dice >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((dice >> 33) % u64::from(sides)) as u32
}

/// Once in so many times.
pub fn flip(sides: u32) -> bool {
    roll(sides) == 0
}

/// Whether there is some left: without, programs come to their end.
#[inline(never)]
pub fn fuel() -> bool {
    FUEL.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1))
        .is_ok()
}

pub fn mix(one: u32, other: u32) -> u32 {
    (one ^ other.rotate_left(7)).wrapping_mul(0x9e37_79b1)
}

/// A type of the programs.
pub trait Val: Sized {
    fn make(n: u32) -> Self;
    fn peek(&self) -> u32;
    fn fold(self) -> u32 {
        self.peek()
    }
}

impl Val for () {
    fn make(_: u32) {}
    fn peek(&self) -> u32 {
        1
    }
}

impl Val for u32 {
    fn make(n: u32) -> u32 {
        n
    }
    fn peek(&self) -> u32 {
        *self
    }
}

impl Val for u64 {
    fn make(n: u32) -> u64 {
        u64::from(n) << 13
    }
    fn peek(&self) -> u32 {
        mix(*self as u32, (*self >> 32) as u32)
    }
}

impl Val for u128 {
    fn make(n: u32) -> u128 {
        u128::from(n) << 50
    }
    fn peek(&self) -> u32 {
        mix((*self as u64).peek(), ((*self >> 64) as u64).peek())
    }
}

impl Val for f64 {
    fn make(n: u32) -> f64 {
        f64::from(n % 1000) / 8.0
    }
    fn peek(&self) -> u32 {
        // Of not-a-number there are many.
        if self.is_nan() { 3 } else { self.to_bits().peek() }
    }
}

impl Val for String {
    fn make(n: u32) -> String {
        format!("text {n}")
    }
    fn peek(&self) -> u32 {
        self.bytes().fold(5, |sum, byte| mix(sum, u32::from(byte)))
    }
}

/// Says when it is dropped.
pub struct Noted(pub u32);

impl Drop for Noted {
    fn drop(&mut self) {
        log(self.0);
    }
}

impl Val for Noted {
    fn make(n: u32) -> Noted {
        Noted(n)
    }
    fn peek(&self) -> u32 {
        self.0
    }
}

/// May panic when it is dropped: by itself, or because of another panic in a program that
/// is to end so.
pub struct Bomb(pub u32);

impl Drop for Bomb {
    fn drop(&mut self) {
        log(mix(self.0, 0xb0b));
        if (DOUBLES.load(Relaxed) || !std::thread::panicking()) && flip(4) {
            panic_any(self.0);
        }
    }
}

impl Val for Bomb {
    fn make(n: u32) -> Bomb {
        Bomb(n)
    }
    fn peek(&self) -> u32 {
        mix(self.0, 1)
    }
}

/// Catches panics while it is dropped.
pub struct Catches(pub u32);

impl Drop for Catches {
    fn drop(&mut self) {
        let _noted = Noted(mix(self.0, 4));
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let _one = Noted(mix(self.0, 5));
            if flip(2) {
                panic!("in drop");
            }
            roll(9)
        }));
        log(caught.map_or(self.0, |n| n));
    }
}

impl Val for Catches {
    fn make(n: u32) -> Catches {
        Catches(n)
    }
    fn peek(&self) -> u32 {
        mix(self.0, 2)
    }
}

pub struct Three {
    pub first: Noted,
    pub second: String,
    pub third: Bomb,
}

impl Val for Three {
    fn make(n: u32) -> Three {
        Three {
            first: Noted(n),
            second: String::make(n),
            third: Bomb(mix(n, 3)),
        }
    }
    fn peek(&self) -> u32 {
        mix(self.first.0, mix(self.second.peek(), self.third.0))
    }
}

pub enum Either {
    Left(Noted),
    Right(u64),
    Both(Box<Either>, String),
    Nothing,
}

impl Val for Either {
    fn make(n: u32) -> Either {
        match n % 4 {
            0 => Either::Left(Noted(n)),
            1 => Either::Right(u64::make(n)),
            2 => Either::Both(Box::new(Either::make(n / 4)), String::make(n)),
            _ => Either::Nothing,
        }
    }
    fn peek(&self) -> u32 {
        match self {
            Either::Left(noted) => noted.0,
            Either::Right(n) => n.peek(),
            Either::Both(one, text) => mix(one.peek(), text.peek()),
            Either::Nothing => 7,
        }
    }
}

impl Val for [u64; 6] {
    fn make(n: u32) -> [u64; 6] {
        std::array::from_fn(|at| u64::make(mix(n, at as u32)))
    }
    fn peek(&self) -> u32 {
        self.iter().fold(11, |sum, n| mix(sum, n.peek()))
    }
}

impl<A: Val, B: Val> Val for (A, B) {
    fn make(n: u32) -> (A, B) {
        (A::make(n), B::make(mix(n, 8)))
    }
    fn peek(&self) -> u32 {
        mix(self.0.peek(), self.1.peek())
    }
}

impl<T: Val> Val for Option<T> {
    fn make(n: u32) -> Option<T> {
        (n % 3 != 0).then(|| T::make(n))
    }
    fn peek(&self) -> u32 {
        self.as_ref().map_or(9, T::peek)
    }
}

impl<T: Val> Val for Vec<T> {
    fn make(n: u32) -> Vec<T> {
        (0..n % 5).map(|at| T::make(mix(n, at))).collect()
    }
    fn peek(&self) -> u32 {
        self.iter().fold(12, |sum, one| mix(sum, one.peek()))
    }
}

impl<T: Val> Val for VecDeque<T> {
    fn make(n: u32) -> VecDeque<T> {
        (0..n % 5).map(|at| T::make(mix(n, at))).collect()
    }
    fn peek(&self) -> u32 {
        self.iter().fold(13, |sum, one| mix(sum, one.peek()))
    }
}

impl<T: Val> Val for BTreeMap<u32, T> {
    fn make(n: u32) -> BTreeMap<u32, T> {
        (0..n % 7).map(|at| (mix(n, at) % 16, T::make(at))).collect()
    }
    fn peek(&self) -> u32 {
        self.iter().fold(14, |sum, (key, one)| mix(sum, mix(*key, one.peek())))
    }
}

impl<T: Val> Val for Rc<T> {
    fn make(n: u32) -> Rc<T> {
        Rc::new(T::make(n))
    }
    fn peek(&self) -> u32 {
        mix(T::peek(self), Rc::strong_count(self) as u32)
    }
}

/// What is called through a table.
pub trait Does {
    fn does(&self, n: u32) -> u64;
    fn changes(&mut self, n: u32) -> (u32, f64);
    fn ends(self: Box<Self>, n: u32) -> String;
    fn looks(&self) -> u32;
}

impl Val for Box<dyn Does> {
    fn make(n: u32) -> Box<dyn Does> {
        struct Plain(Noted);
        impl Does for Plain {
            fn does(&self, n: u32) -> u64 {
                u64::make(mix(n, self.0 .0))
            }
            fn changes(&mut self, n: u32) -> (u32, f64) {
                self.0 .0 = mix(self.0 .0, n);
                Val::make(n)
            }
            fn ends(self: Box<Self>, n: u32) -> String {
                String::make(n)
            }
            fn looks(&self) -> u32 {
                self.0 .0
            }
        }
        Box::new(Plain(Noted(n)))
    }
    fn peek(&self) -> u32 {
        self.looks()
    }
}

/// A number for what a panic brought. The words of std's own panics are its business.
pub fn payload(payload: &(dyn Any + Send)) -> u32 {
    if let Some(n) = payload.downcast_ref::<u32>() {
        *n
    } else if let Some(n) = payload.downcast_ref::<u64>() {
        n.peek()
    } else if payload.is::<&str>() {
        21
    } else if payload.is::<String>() {
        22
    } else if let Some(one) = payload.downcast_ref::<Noted>() {
        one.0
    } else {
        23
    }
}

/// What the closure gives, or something made of what its panic brought.
pub fn catch<T: Val>(run: impl FnOnce() -> T) -> T {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(value) => value,
        Err(caught) => {
            let n = payload(&*caught);
            log(n);
            T::make(n)
        }
    }
}

/// Runs the closure with the value behind a lock, which a panic poisons.
pub fn locked<T: Val>(value: T, run: impl FnOnce(&mut T)) -> T {
    let lock = Mutex::new(value);
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let mut held: MutexGuard<'_, T> = lock.lock().unwrap();
        run(&mut held);
    }));
    log(u32::from(lock.is_poisoned()) + 30);
    if let Err(caught) = caught {
        log(payload(&*caught));
    }
    lock.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner())
}

pub fn each(n: u32, run: &mut dyn FnMut(u32) -> u32) -> u32 {
    (0..n).fold(n, |sum, at| mix(sum, run(at)))
}

/// Runs a closure when it is dropped.
pub struct Defer<F: FnMut() -> u32>(pub F);

impl<F: FnMut() -> u32> Drop for Defer<F> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            log(catch(|| (self.0)()));
        } else {
            log((self.0)());
        }
    }
}

/// A cell that panics when it is borrowed twice.
pub fn borrowed<T: Val>(value: T, run: impl FnOnce(&RefCell<T>) -> u32) -> u32 {
    let cell = RefCell::new(value);
    let n = run(&cell);
    let left = cell.borrow().peek();
    mix(n, left)
}

/// Is ready when it is asked the second time.
pub struct Later(pub bool, pub Noted);

impl Future for Later {
    type Output = u32;
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u32> {
        match std::mem::replace(&mut self.0, true) {
            true => Poll::Ready(self.1 .0),
            false => Poll::Pending,
        }
    }
}

pub fn later(n: u32) -> Later {
    Later(flip(3), Noted(n))
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}

/// Asks a few times, and drops it, ready or not.
pub fn poll_some<T: Val>(times: u32, future: impl Future<Output = T>) -> u32 {
    let mut future = Box::pin(future);
    let mut context = Context::from_waker(Waker::noop());
    for time in 0..times {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return mix(time, value.fold());
        }
    }
    99
}

/// One run of the program. Gives what it has noted.
fn run(seed: u32, program: fn(u32)) -> Vec<u32> {
    DICE.store(black_box(u64::from(seed) << 20), Relaxed);
    FUEL.store(400, Relaxed);
    LOG.lock().unwrap_or_else(|held| held.into_inner()).clear();
    catch(|| program(seed));
    log(u32::from(std::thread::panicking()));
    std::mem::take(&mut *LOG.lock().unwrap_or_else(|held| held.into_inner()))
}

/// `NUMBER` runs it with so many seeds, and says a line for each. `of SEED` says all that
/// one notes, and `ends SEED` has panics follow each other until there are too many.
pub fn main(program: fn(u32)) {
    // Where a panic happened counts, and how many there were.
    std::panic::set_hook(Box::new(|info| {
        log(info.location().map_or(0, |place| place.line() * 1000 + place.column()));
    }));
    let words: Vec<String> = std::env::args().skip(1).collect();
    let seed = |at: usize| words[at].parse::<u32>().expect("a number");
    if words[0] == "of" || words[0] == "ends" {
        DOUBLES.store(words[0] == "ends", Relaxed);
        LIVE.store(true, Relaxed);
        run(seed(1), program);
        return;
    }
    for seed in 0..seed(0) {
        let log = run(seed, program);
        println!("{seed} {} {}", log.len(), log.iter().fold(0, |sum, n| mix(sum, *n)));
    }
}
