//! Socket operations on borrowed file descriptors.
//!
//! These are the calls the types in [`net`](crate::net) are made of, for
//! runtimes that hold descriptors of their own. They retry what a signal
//! interrupts, send what is [held](coalesce) before they may wait, and leave
//! [notes](crate::ready) on what they used up.
//!
//! | file | holds |
//! |---|---|
//! | `connect.rs` | opening, connecting, shutting, addresses |
//! | `data.rs` | sending and receiving |
//! | `options.rs` | options |
//! | `system.rs` | options that only sockets of the plugin have |
//! | `unix.rs` | what differs for Unix sockets |

mod connect;
mod data;
mod options;
pub mod system;
pub mod unix;

pub use connect::*;
pub use data::*;
pub use options::*;
