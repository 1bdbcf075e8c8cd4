//! The resolver: turns host names into addresses without stopping the program.
//!
//! The host can look names up, too, but its one call blocks everything until an
//! answer comes, or for many seconds if none does. So names are looked up here,
//! as the C library does it on Linux: `/etc/hosts` first, then the name servers
//! of `/etc/resolv.conf`, over UDP and where an answer was cut off over TCP,
//! IPv4 and IPv6 addresses at once, ordered as RFC 6724 asks. The runner gives
//! every program both files; where a program does not see them, and for what is
//! no name of the DNS, the host is asked after all ([`plan`]).
//!
//! Nothing in here does I/O but [`config`] reading its two files. A [`Lookup`]
//! says whom to send what and is told what came back; whoever drives it brings
//! the sockets and the clock: [`lookup()`](crate::lookup()) blocks, the port of
//! tokio has tasks.
//!
//! | file | holds |
//! |---|---|
//! | `config.rs` | the two files |
//! | `message.rs` | questions and answers on the wire |
//! | `names.rs` | which names to ask for, in which order |
//! | `exchange.rs` | one question put to one server |
//! | `id.rs` | numbers that strangers cannot guess |
//! | `lookup.rs` | all exchanges of a name, and what comes of them |
//! | `blocking.rs` | the sockets and the clock, for blocking code |
//! | `order.rs` | which address to try first |

#[cfg(target_os = "wasi")]
pub mod blocking;
mod config;
mod exchange;
mod id;
mod lookup;
mod message;
mod names;
mod order;

#[cfg(target_os = "wasi")]
pub use blocking::source;
pub use config::{config, Config};
pub use exchange::{Exchange, LONGEST_ANSWER};
pub use lookup::{plan, Lookup, Plan, Step};
pub use names::split_port;
pub use order::order;
pub use {id::fresh_id, names::valid as is_valid};
