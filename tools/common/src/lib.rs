//! What xtask and the tools share.
//!
//! * [`repo`]: the checkout, and how programs are started in it;
//! * [`modes`]: without WasmEdge's plugin, with it, or both;
//! * [`setup`]: `cargo wasmedge`, a toolchain for the target, WasmEdge;
//! * [`sources`]: copies of packages that cargo does not build anew;
//! * [`runner`]: cargo-nextest, or else `cargo test`;
//! * [`junit`]: what became of each test, as nextest reports it;
//! * [`report`]: the table of everything that was run.

pub mod junit;
mod libtest;
pub mod modes;
pub mod repo;
pub mod report;
pub mod runner;
pub mod setup;
pub mod sources;
pub mod table;

use std::process::ExitCode;

use anstream::eprintln;
use cargo_wasmedge::error::Error;

pub use modes::Modes;
pub use repo::Repo;
pub use report::Report;
pub use runner::Runner;
pub use setup::Tools;

/// The exit code of a program that found out whether all is well: 0 or 1. An error is
/// shown; one of `cargo wasmedge` keeps the code that it has there.
pub fn exit_code(all_well: anyhow::Result<bool>) -> ExitCode {
    match all_well {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let code = error.downcast_ref().map_or(1, Error::exit_code);
            eprintln!("error: {error:#}");
            ExitCode::from(u8::try_from(code).unwrap_or(1))
        }
    }
}

/// The day, for people.
///
/// # Errors
/// When there is no program `date`.
pub fn today() -> anyhow::Result<String> {
    let output = std::process::Command::new("date").arg("+%F").output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
