//! The command as a user runs it, with scripts in the place of cargo, rustc and
//! WasmEdge: no wasm toolchain and no network is needed.
#![cfg(unix)]

mod compile;
mod errors;
mod facade;
mod fake;
mod help;
mod lockfile;
mod passthrough;
mod runner;
