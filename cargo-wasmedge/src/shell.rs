//! What the user sees on stderr, in cargo's look.

use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};

use anstyle::Style;
use clap_cargo::style;

/// Writes status lines, warnings and errors to stderr.
///
/// Nothing of ours goes to stdout while cargo runs: stdout belongs to cargo and the guest.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shell {
    quiet: bool,
    verbose: bool,
}

/// When to colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// When stderr is a terminal and `NO_COLOR` is not set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// The word that cargo knows it by.
    pub fn as_str(self) -> &'static str {
        match self {
            Color::Auto => "auto",
            Color::Always => "always",
            Color::Never => "never",
        }
    }

    /// From `CARGO_TERM_COLOR`; anything else than cargo's three words counts as `auto`.
    pub fn from_env() -> Color {
        match std::env::var("CARGO_TERM_COLOR").as_deref() {
            Ok("always") => Color::Always,
            Ok("never") => Color::Never,
            _ => Color::Auto,
        }
    }

    /// Makes this the choice for all output of the process.
    pub fn apply(self) {
        // With `Auto`, anstream looks at `NO_COLOR`, `CLICOLOR` and the terminal.
        match self {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}

impl Shell {
    /// `quiet` leaves out status lines; warnings and errors are always written.
    pub fn new(quiet: bool, verbose: bool) -> Shell {
        Shell { quiet, verbose }
    }

    /// From `CARGO_TERM_QUIET` and `CARGO_TERM_VERBOSE`, as cargo reads them.
    pub fn from_env() -> Shell {
        let is_true = |name| std::env::var(name).is_ok_and(|value| value == "true");
        Shell::new(is_true("CARGO_TERM_QUIET"), is_true(VERBOSE_VARIABLE))
    }

    /// The same with these flags, too.
    #[must_use]
    pub fn with(self, quiet: bool, verbose: bool) -> Shell {
        Shell::new(self.quiet || quiet, self.verbose || verbose)
    }

    /// Whether commands are printed.
    pub fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Whether status lines and notes are left out.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether a progress display is wanted: a terminal, and not quiet.
    pub fn shows_progress(&self) -> bool {
        !self.quiet && std::io::stderr().is_terminal()
    }

    /// `     Porting tokio v1.54.1`
    pub fn status(&self, verb: &str, message: impl Display) {
        if !self.quiet {
            line(format_args!(
                "{}{verb:>12}{:#} {message}",
                style::HEADER,
                style::HEADER
            ));
        }
    }

    /// A status line of cargo's.
    pub fn pass_on(&self, status: &str) {
        if !self.quiet {
            line(format_args!("{status}"));
        }
    }

    /// The command that is about to run, with `-v`.
    pub fn command(&self, command: &std::process::Command) {
        if self.verbose {
            self.status("Running", format_args!("`{}`", printed(command)));
        }
    }

    /// `warning: …`
    pub fn warn(&self, message: impl Display) {
        labelled("warning", style::WARN, message);
    }

    /// `note: …`, left out when quiet.
    pub fn note(&self, message: impl Display) {
        if !self.quiet {
            labelled("note", style::NOTE, message);
        }
    }

    /// `error: …`, with the causes below it.
    pub fn error(&self, error: &crate::error::Error) {
        let bold = style::ERROR;
        match error {
            crate::error::Error::Other(error) => {
                labelled("error", bold, error);
                let causes: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
                if !causes.is_empty() {
                    line(format_args!("\nCaused by:"));
                    for cause in causes {
                        line(format_args!("  {}", cause.trim_end().replace('\n', "\n  ")));
                    }
                }
            }
            error => labelled("error", bold, error),
        }
    }
}

/// Set for the runner by `-v`.
pub(crate) const VERBOSE_VARIABLE: &str = "CARGO_WASMEDGE_VERBOSE";

fn labelled(label: &str, style: Style, message: impl Display) {
    line(format_args!("{style}{label}{style:#}: {message}"));
}

fn line(text: std::fmt::Arguments<'_>) {
    // With stderr closed there is nobody to tell.
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// A command as a shell line. Only the variables set for it are shown.
pub fn printed(command: &std::process::Command) -> String {
    let mut words: Vec<String> = command
        .get_envs()
        .filter_map(|(name, value)| {
            let value = value?.to_string_lossy();
            Some(format!("{}={}", name.to_string_lossy(), quoted(&value)))
        })
        .collect();
    words.push(quoted(&command.get_program().to_string_lossy()));
    words.extend(command.get_args().map(|arg| quoted(&arg.to_string_lossy())));
    words.join(" ")
}

/// A word quoted for a POSIX shell.
pub fn quoted(word: &str) -> String {
    // shlex refuses only NUL, which no argument or path can hold.
    shlex::try_quote(word).map_or_else(|_| word.to_owned(), std::borrow::Cow::into_owned)
}
