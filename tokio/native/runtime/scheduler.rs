//! Stands in for tokio's `scheduler` module.

use std::cell::RefCell;
use std::sync::Arc;
use std::task::Waker;

#[path = "current_thread.rs"]
pub mod current_thread;

#[derive(Clone)]
pub enum Handle {
    CurrentThread(Arc<current_thread::Handle>),
}

impl Handle {
    pub fn as_current_thread(&self) -> &Arc<current_thread::Handle> {
        let Handle::CurrentThread(handle) = self;
        handle
    }
}

pub enum Context {
    CurrentThread(current_thread::Context),
    /// tokio has more of them, which the overlay has to pass over.
    #[expect(dead_code, reason = "only its name is needed")]
    Other,
}

impl Context {
    pub fn expect_current_thread(&self) -> &current_thread::Context {
        match self {
            Context::CurrentThread(context) => context,
            Context::Other => panic!("another scheduler"),
        }
    }
}

/// Wakers that are put off until the drivers have been polled.
pub struct Defer(RefCell<Vec<Waker>>);

impl Defer {
    pub fn new() -> Defer {
        Defer(RefCell::new(Vec::new()))
    }

    pub fn defer(&self, waker: &Waker) {
        self.0.borrow_mut().push(waker.clone());
    }

    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    pub fn wake(&self) {
        let deferred = self.0.take();
        deferred.into_iter().for_each(Waker::wake);
    }
}
