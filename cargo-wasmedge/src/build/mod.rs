//! Building: how the real cargo is started, and with what.
//!
//! * [`CargoInvocation`]: what the user's arguments say, and [`Kind`] what becomes of
//!   the subcommand;
//! * [`Cargo`]: the toolchain's cargo;
//! * [`Overrides`] and [`subcommand()`]: the user's subcommand with our arguments;
//! * [`runner_variable`]: has cargo start programs with our runner;
//! * [`linker`]: has rustc link with words of ours about what is undefined;
//! * [`unwinding()`]: has it compile with libraries whose panics unwind;
//! * [`lockfiles`]: lockfiles of our own, so that the app's stays as it is;
//! * [`facade`]: the std facade for packages that are not ours to change;
//! * [`c`]: a C compiler for crates that need one;
//! * [`library`]: C libraries that crates bind to.
//!
//! Which crates are built is decided before, by [`crate::resolve`].

pub mod c;
mod cargo;
pub mod facade;
mod invocation;
mod kinds;
pub mod library;
pub mod linker;
pub mod lockfiles;
mod runner;
mod shim;
mod subcommand;
mod unwinding;

pub use cargo::Cargo;
pub use invocation::CargoInvocation;
pub use kinds::Kind;
pub use lockfiles::{Lockfile, Lockfiles};
pub use runner::runner_variable;
pub use subcommand::{Overrides, subcommand};
pub use unwinding::unwinding;
