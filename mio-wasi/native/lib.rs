//! The host-free half of the selector, compiled natively for its tests.
//!
//! The files are those that the port puts into mio; see `port.toml`.

#![cfg_attr(not(test), allow(dead_code))]

#[path = "../overlay/pace.rs"]
mod pace;
#[path = "../overlay/parked.rs"]
mod parked;
#[path = "../overlay/poll_set.rs"]
mod poll_set;
#[path = "../overlay/poller.rs"]
mod poller;
#[path = "../overlay/presumption.rs"]
mod presumption;

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
