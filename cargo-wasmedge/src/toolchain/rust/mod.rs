//! A Rust toolchain that can build for `wasm32-wasip1`: rustc, cargo, the target's
//! standard library and a linker.
//!
//! * `rustc`: what a rustc and a cargo say about themselves;
//! * `find`: the toolchain that is used;
//! * `rustup`, `setup`: how a missing one is had.

mod find;
mod rustc;
mod rustup;
mod setup;
mod toolchain;

pub use find::{find, find_in};
pub use rustc::TARGET;
pub(super) use rustc::{Rustc, installed_cargo, installed_rustc};
pub(super) use setup::set_up;
pub use toolchain::{LINKER_VARIABLE, RustToolchain};
