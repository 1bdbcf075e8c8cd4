//! The host-free half of the selector, compiled natively for its tests.
//!
//! The files are those that the port puts into mio; see `port.toml`.

#![cfg_attr(not(test), allow(dead_code))]

#[path = "../overlay/backoff.rs"]
mod backoff;
#[path = "../overlay/cost.rs"]
mod cost;
#[path = "../overlay/direction.rs"]
mod direction;
#[path = "../overlay/edge_poller.rs"]
mod edge_poller;
#[path = "../overlay/host.rs"]
mod host;
#[path = "../overlay/pace.rs"]
mod pace;
#[path = "../overlay/poll_set/mod.rs"]
mod poll_set;
#[path = "../overlay/poller/mod.rs"]
mod poller;
#[path = "../overlay/polls.rs"]
mod polls;
#[path = "../overlay/registration.rs"]
mod registration;
#[path = "../overlay/signals.rs"]
mod signals;
#[path = "../overlay/speculative.rs"]
mod speculative;
#[path = "../overlay/waiter.rs"]
mod waiter;
#[path = "../overlay/writes.rs"]
mod writes;

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
