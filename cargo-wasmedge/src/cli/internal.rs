//! The subcommands that this program starts itself with, in other programs' places.
//! They are no part of what users see.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Subcommand;

use crate::build::{facade, linker, lockfiles};
use crate::config::Layer;
use crate::error::Result;
use crate::run;
use crate::shell::Shell;
use crate::toolchain::unwinding;

#[derive(Debug, Subcommand)]
pub(super) enum Internal {
    /// What cargo starts in the place of a built program
    #[command(name = run::SUBCOMMAND, hide = true, disable_help_flag = true)]
    Runner(Words),
    /// What a program is started through, to end with whoever started it
    #[command(name = run::keeper::SUBCOMMAND, hide = true, disable_help_flag = true)]
    Kept(Words),
    /// What puts the app's lockfile back if a run is killed
    #[command(name = lockfiles::GUARD, hide = true)]
    Guard {
        /// The folder of the journal
        journal: PathBuf,
    },
    /// What rustc starts in the place of the linker
    #[command(name = linker::SUBCOMMAND, hide = true, disable_help_flag = true)]
    Linker(Words),
    /// What cargo starts in the place of rustc for a package on the std facade
    #[command(name = facade::rustc::SUBCOMMAND, hide = true, disable_help_flag = true)]
    Rustc(Words),
    /// What cargo starts in the place of rustc where panics unwind
    #[command(name = unwinding::rustc::SUBCOMMAND, hide = true, disable_help_flag = true)]
    Unwinding(Words),
}

#[derive(Debug, clap::Args)]
pub(super) struct Words {
    /// The program in whose place this runs, and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    all: Vec<OsString>,
}

impl Internal {
    pub(super) fn run(self, settings: Layer, shell: &Shell) -> Result<i32> {
        match self {
            Internal::Runner(words) => run::runner::run(&words.all, settings, shell),
            Internal::Kept(words) => run::keeper::start(&words.all),
            Internal::Guard { journal } => lockfiles::guard(&journal),
            Internal::Linker(words) => linker::start(&words.all),
            Internal::Rustc(words) => facade::rustc::run(&words.all),
            Internal::Unwinding(words) => unwinding::rustc::run(&words.all),
        }
    }
}
