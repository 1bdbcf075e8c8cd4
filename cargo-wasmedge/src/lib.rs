//! Builds and runs unmodified tokio apps for WasmEdge.
//!
//! The binary `cargo-wasmedge` is a thin shell over this library. Data goes
//! through its rooms from top to bottom. A room imports from those below it, and
//! from [`config`], whose values it is handed; no two import from each other:
//!
//! 1. [`cli`]: the command line;
//! 2. [`config`]: settings, and which one wins;
//! 3. [`prepare`]: from an app to what cargo is started with; [`vendor`]: the same
//!    crates as a folder, for plain cargo;
//! 4. [`resolve`]: which crates of the app get a port, in which versions;
//! 5. [`build`]: the real cargo, its arguments, and lockfiles of our own;
//! 6. [`run`]: what cargo starts in the place of a built program;
//! 7. [`toolchain`]: finds and installs rustc, cargo, `wasm-ld` and WasmEdge.
//!
//! Beside them [`port`] turns an upstream crate into a ported one, by rules, and
//! knows nothing of the rest; [`embedded`] holds the ports, the host layer and the
//! facades that the binary carries. Below all:
//!
//! * `wasm`: changes to finished programs;
//! * [`process`]: starting other programs; `signals`: handing signals on to them;
//! * [`random`]: whether the machine has random numbers for programs;
//! * [`shell`]: what the user sees on stderr;
//! * [`fs`]: whole files or none, and locks;
//! * [`error`]: what can fail here, with its exit code.

#![forbid(unsafe_code)]

pub mod build;
pub mod cli;
pub mod config;
pub mod embedded;
pub mod error;
pub mod fs;
// The port engine. Its sources are those of the package `port-engine`, which shows
// that they need nothing of this one. They are compiled a second time here, through
// a link, since a package cannot be published with a dependency that is not: what
// `cargo package` makes of the link is a folder with the files.
#[path = "port/lib.rs"]
pub mod port;
pub mod prepare;
pub mod process;
pub mod random;
pub mod resolve;
pub mod run;
pub mod shell;
mod signals;
pub mod toolchain;
pub mod vendor;
mod wasm;
