//! The command as a user runs it, with scripts in the place of cargo, rustc and
//! WasmEdge: no wasm toolchain and no network is needed.
#![cfg(unix)]

mod backtrace;
mod compile;
mod errors;
mod fake;
mod help;
mod libtest;
mod lockfile;
mod passthrough;
mod runner;
