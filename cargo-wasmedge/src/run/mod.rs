//! Running: what cargo starts in the place of a built program.
//!
//! * [`runner`]: becomes WasmEdge, with the program;
//! * `found`: which WasmEdge that is;
//! * [`aot`]: compiles the program ahead of time, where that pays;
//! * `preopens`: which folders and variables the program sees;
//! * `keeper`: ends the program with the `cargo wasmedge` above;
//! * `names`: copies of the host's files on names, for programs that look names up;
//! * `started`: tells the `cargo wasmedge` above that a program starts.

pub mod aot;
mod found;
pub(crate) mod keeper;
mod names;
mod preopens;
pub mod runner;
pub(crate) mod started;

pub use found::{FOUND_VARIABLE, find_wasmedge, found_variable};
pub use runner::SUBCOMMAND;
