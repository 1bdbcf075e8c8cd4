//! Running: what cargo starts in the place of a built program.
//!
//! * [`runner`]: becomes WasmEdge, with the program;
//! * [`attended`]: WasmEdge as a child, where something is to be said of how it ended;
//! * `trace`: backtraces;
//! * `found`: which WasmEdge that is;
//! * [`aot`]: compiles the program ahead of time, where that pays;
//! * `preopens`: which folders and variables the program sees;
//! * `names`: copies of the host's files on names, for programs that look names up;
//! * `started`: tells the `cargo wasmedge` above that a program starts.

pub mod aot;
pub mod attended;
mod found;
mod names;
mod preopens;
pub mod runner;
pub(crate) mod started;
mod trace;

pub use found::{FOUND_VARIABLE, find_wasmedge, found_variable};
pub use runner::{SUBCOMMAND, TESTS_VARIABLE};
