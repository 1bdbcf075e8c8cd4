//! WasmEdge 0.14.1 or newer: finding one, and having one.

mod find;
mod setup;

pub use find::{OLDEST, PROGRAM_VARIABLE, WasmEdge, all, all_in, find, find_in};
pub(super) use setup::{present, set_up};
