//! The part of the port in which blocking code drives a runtime, compiled natively for
//! its tests.
//!
//! The files under test are those that the port puts into tokio; see `port.toml`. What
//! they use of tokio is modelled here, under the same names: one scheduler per runtime,
//! its tasks and timers, and the queue of blocking closures. Time is virtual, and a wait
//! that nothing would ever end is a panic.
//!
//! Under Miri: `cargo +nightly miri test -p tokio-wasi`.

#![cfg_attr(not(test), allow(dead_code, unused_imports))]

/// The host layer is modelled, too.
extern crate self as wasmedge_host;

macro_rules! tokio_thread_local {
    ($($statics:tt)+) => { ::std::thread_local! { $($statics)+ } }
}

pub mod coalesce;
pub mod thread;

mod clock;
mod runtime;
mod task;
mod util;

#[cfg(test)]
mod tests;
