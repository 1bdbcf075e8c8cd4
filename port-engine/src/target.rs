//! The target that ports are for.

/// Its name.
pub const TARGET: &str = "wasm32-wasip1";

/// The condition that every change in a ported crate is under.
pub const P1: &str = "all(target_os = \"wasi\", target_env = \"p1\")";
