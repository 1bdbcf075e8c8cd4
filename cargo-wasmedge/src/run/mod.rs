//! Running: what cargo starts in the place of a built program.
//!
//! * [`runner`]: becomes WasmEdge, with the program;
//! * `attended`: WasmEdge as a child, where something is to be said of how it ended;
//! * `trace`: backtraces;
//! * `found`: which WasmEdge that is;
//! * [`aot`]: compiles the program ahead of time, where that pays;
//! * [`plugin`]: gives the program the functions of a plugin of WasmEdge;
//! * [`image`]: a program with WasmEdge and the plugin, as a container image holds them;
//! * `preopens`: which folders the program sees;
//! * `environment`: which variables;
//! * `arguments`: how WasmEdge is told of both;
//! * `streams`: standard input and output that behave as natively;
//! * `limits`: tells of limits with which no program starts;
//! * `hint`: tells of a program that is slow because it is interpreted;
//! * `keeper`: ends the program with the `cargo wasmedge` above;
//! * `names`: copies of the host's files on names, for programs that look names up;
//! * `certificates`: copies of the certificates that the machine trusts;
//! * `started`: tells the `cargo wasmedge` above that a program starts.

pub mod aot;
mod arguments;
mod attended;
mod certificates;
mod environment;
mod found;
mod hint;
pub mod image;
pub(crate) mod keeper;
mod limits;
mod names;
pub mod plugin;
mod preopens;
pub mod runner;
pub(crate) mod started;
mod streams;
mod trace;

pub use found::{FOUND_VARIABLE, find_wasmedge, found_variable};
pub use runner::{SUBCOMMAND, TESTS_VARIABLE};
