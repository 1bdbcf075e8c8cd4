//! Finding and installing what builds and runs a program for WasmEdge.
//!
//! * [`rust`]: a rustc and cargo with the `wasm32-wasip1` standard library,
//!   and the linker they need;
//! * [`wasmedge`]: WasmEdge 0.14.1 or newer;
//! * [`c`]: a clang for the C parts of crates, where an app has some;
//! * [`plugin`]: a plugin of WasmEdge, which is built, and which programs can do without;
//! * `init`: the first process of a container image;
//! * [`unwinding`]: a standard library whose panics unwind, where the user asks for it;
//! * [`setup()`]: installs what is missing;
//! * [`doctor()`]: says what is there, what is missing and how it is had.
//!
//! What is installed already is always preferred. What [`setup()`] adds goes to
//! the user's cache folder ([`Dirs`]), except that `rustup target add` adds the
//! target to the user's own rustup toolchain. Nothing needs root.
//!
//! On Debian-like systems packages are downloaded with apt into folders of our
//! own and unpacked into a private prefix. Such programs are started through
//! the prefix's own dynamic loader, so they run beside an older glibc.

pub mod c;
mod clock;
mod debian;
mod dirs;
mod doctor;
mod env;
mod find;
pub(crate) mod init;
mod job;
pub mod plugin;
pub(crate) mod process;
mod progress;
pub mod rust;
mod setup;
pub mod unwinding;
pub mod wasmedge;

pub use debian::installed::Installed;
pub use dirs::Dirs;
pub use doctor::{Check, Status, doctor, doctor_in};
pub use env::Env;
pub use find::Origin;
pub use progress::Reporter;
pub use setup::{SetUp, What, setup, setup_in};
