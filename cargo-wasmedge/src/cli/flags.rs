//! Our own flags, for the two who need them: this process, and the runner, which
//! cargo starts elsewhere.

use std::ffi::OsString;

use crate::config::{self, Layer};
use crate::error::Result;
use crate::shell::{Color, VERBOSE_VARIABLE};
use crate::toolchain::Env;
use crate::toolchain::wasmedge::PROGRAM_VARIABLE;

/// The variable of the setting `unwind`.
const UNWIND_VARIABLE: &str = "CARGO_WASMEDGE_UNWIND";

/// The flags that stand before the subcommand and are ours.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Options {
    /// Coloring: auto, always, never
    #[arg(long, value_name = "WHEN", value_enum, hide_possible_values = true)]
    pub(super) color: Option<Color>,

    /// Do not print what is done
    #[arg(short, long)]
    pub(super) quiet: bool,

    /// Print the commands that are run
    #[arg(short, long)]
    pub(super) verbose: bool,

    /// The WasmEdge to use: a version such as 0.17, or a program
    #[arg(long, value_name = "VERSION|PATH")]
    wasmedge: Option<String>,

    /// Let panics unwind (`cargo wasmedge setup --unwind` prepares it)
    #[arg(long)]
    unwind: bool,
}

/// What the options say to others.
#[derive(Debug, Clone, Default)]
pub(super) struct Flags {
    /// The settings among them.
    pub(super) settings: Layer,
    /// Variables that say the same to cargo and to the runner. They are given to
    /// each command that is started: this process's own stay as they are, since it
    /// has threads, and other threads read them.
    pub(super) variables: Vec<(String, OsString)>,
}

impl Flags {
    pub(super) fn new(options: &Options) -> Flags {
        let mut variables = Vec::new();
        let mut set = |name: &str, value: OsString| variables.push((name.to_owned(), value));
        if let Some(color) = options.color {
            set("CARGO_TERM_COLOR", color.as_str().into());
        }
        if options.quiet {
            set("CARGO_TERM_QUIET", "true".into());
        }
        if options.verbose {
            set(VERBOSE_VARIABLE, "true".into());
        }
        if let Some(wasmedge) = &options.wasmedge {
            set(PROGRAM_VARIABLE, wasmedge.into());
        }
        if options.unwind {
            set(UNWIND_VARIABLE, "true".into());
        }
        // Relative paths in variables are read again by the runner, which cargo
        // starts in another folder.
        let base = config::base().unwrap_or_default();
        set(config::BASE_VARIABLE, base.clone().into());
        let settings = Layer::from_flags(options.wasmedge.as_deref(), options.unwind, &base);
        Flags {
            settings,
            variables,
        }
    }

    /// This process's environment with the flags in it, to look for programs in.
    pub(super) fn env(&self) -> Result<Env> {
        let variables = self.variables.iter();
        Ok(variables.fold(Env::of_process()?, |env, (name, value)| {
            env.with(name, value)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn a_flag_is_a_setting_here_and_a_variable_elsewhere() {
        let options = Options {
            quiet: true,
            wasmedge: Some("0.17".to_owned()),
            ..Options::default()
        };
        let flags = Flags::new(&options);
        let config = Config::resolve([flags.settings.clone()]);
        assert_eq!(config.wasmedge.as_deref(), Some("0.17"));
        let has = |name: &str, value: &str| {
            let found = flags.variables.iter().find(|(set, _)| set == name);
            found.is_some_and(|(_, found)| found == value)
        };
        assert!(has(PROGRAM_VARIABLE, "0.17") && has("CARGO_TERM_QUIET", "true"));
        assert!(!has(VERBOSE_VARIABLE, "true"));
        let env = flags.env().unwrap();
        assert_eq!(env.var(PROGRAM_VARIABLE), Some("0.17".as_ref()));
        // And nothing of it is in this process's own.
        assert_ne!(std::env::var_os(PROGRAM_VARIABLE), Some("0.17".into()));
    }
}
