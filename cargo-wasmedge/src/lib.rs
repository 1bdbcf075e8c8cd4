//! Builds and runs unmodified tokio apps for WasmEdge.
//!
//! The binary `cargo-wasmedge` is a thin shell over this library:
//!
//! * [`cli`]: the command line;
//! * [`config`]: settings, and which one wins;
//! * [`app`]: the user's workspace; [`cargo`]: the real cargo;
//! * [`overlay`]: which crates of the app get a port, and how cargo is made to use it;
//! * `stand_in`: the one published crate that ours takes the place of;
//! * [`lockfile`]: lockfiles of our own, so that the app's stays as it is;
//! * [`runner`]: what cargo starts in the place of a built program;
//! * [`aot`]: compiles a program ahead of time;
//! * [`vendor`]: ported crates as a folder, for plain cargo;
//! * [`port`]: turns an upstream crate into a ported one, by rules;
//! * [`embedded`]: the ports, the host layer and the facades that the binary carries;
//! * [`toolchain`]: finds and installs rustc, cargo, `wasm-ld` and WasmEdge;
//! * [`shell`]: what the user sees on stderr;
//! * [`fs`]: whole files or none, and locks;
//! * [`error`]: what can fail here, with its exit code.

pub mod aot;
pub mod app;
pub mod cargo;
pub mod cli;
pub mod config;
pub mod embedded;
pub mod error;
pub mod fs;
pub mod lockfile;
pub mod names;
pub mod overlay;
// The port engine. Its sources are those of the package `port-engine`, which shows
// that they need nothing of this one. They are compiled a second time here, through
// a link, since a package cannot be published with a dependency that is not: what
// `cargo package` makes of the link is a folder with the files.
#[path = "port/lib.rs"]
pub mod port;
pub mod random;
pub mod runner;
pub mod scan;
pub mod shell;
pub(crate) mod stand_in;
pub mod toolchain;
pub mod vendor;
