//! Builds and runs unmodified tokio apps for WasmEdge.
//!
//! The binary `cargo-wasmedge` is a thin shell over this library:
//!
//! * [`port`]: turns an upstream crate into a ported one, by rules;
//! * [`embedded`]: the ports, the host layer and the facades that the binary carries;
//! * [`toolchain`]: finds and installs rustc, cargo, `wasm-ld` and WasmEdge;
//! * [`error`]: what can fail here, with its exit code.

pub mod embedded;
pub mod error;
pub mod port;
pub mod toolchain;
