//! The command as a user runs it, with scripts in the place of cargo, rustc and
//! WasmEdge: no wasm toolchain and no network is needed.
#![cfg(unix)]

mod backtrace;
mod by_itself;
mod compile;
mod completions;
mod errors;
mod evidence;
mod facade;
mod fake;
mod help;
mod image;
mod left_behind;
mod leftovers;
mod libraries;
mod libtest;
mod linker;
mod lockfile;
mod own_copies;
mod packages;
mod passthrough;
mod plugin;
mod runner;
mod sharing;
mod unwinding;
mod workspace;
