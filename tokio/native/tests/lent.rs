//! What callers lend.

use std::panic::{catch_unwind, AssertUnwindSafe};

use crate::runtime::scheduler::current_thread::one_thread::lent::Lent;

fn all(lent: &Lent<String>) -> Vec<String> {
    (0..).map_while(|n| lent.with(n, String::clone)).collect()
}

#[test]
fn what_is_lent_is_there_for_as_long_as_the_call() {
    let lent = Lent::new();
    assert!(all(&lent).is_empty());
    let outer = String::from("outer");
    lent.lend(&outer, || {
        {
            let inner = String::from("inner");
            lent.lend(&inner, || assert_eq!(all(&lent), ["outer", "inner"]));
        }
        assert_eq!(all(&lent), ["outer"]);
    });
    assert!(all(&lent).is_empty());
}

#[test]
fn more_may_be_lent_to_who_looks_at_it() {
    let lent = Lent::new();
    let outer = String::from("outer");
    let seen = lent.lend(&outer, || {
        lent.with(0, |outer| {
            let inner = format!("{outer} inner");
            lent.lend(&inner, || all(&lent))
        })
    });
    assert_eq!(seen.unwrap(), ["outer", "outer inner"]);
}

#[test]
fn a_panic_takes_back_what_was_lent() {
    let lent = Lent::new();
    let first = String::from("first");
    lent.lend(&first, || {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let second = String::from("second");
            lent.lend(&second, || panic!("expected"));
        }));
        assert!(panicked.is_err());
        assert_eq!(all(&lent), ["first"]);
    });
    assert!(all(&lent).is_empty());
}
