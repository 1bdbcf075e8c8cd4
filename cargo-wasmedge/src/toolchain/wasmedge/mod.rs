//! WasmEdge 0.14.1 or newer: finding one, having one, and the files that it consists of.

mod files;
mod find;
mod setup;
mod without_llvm;

pub use files::{Files, Library};
pub use find::{OLDEST, PROGRAM_VARIABLE, WasmEdge, all, all_in, find, find_in};
pub(super) use setup::{present, set_up};
pub use without_llvm::stand_in;
