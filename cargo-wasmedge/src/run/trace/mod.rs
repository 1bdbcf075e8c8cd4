//! A backtrace of a program that trapped: a panic ends in a trap, too.
//!
//! The target's std cannot walk the stack, and prints an empty backtrace. WasmEdge tells
//! the functions that were active by number (0.15 and newer), among its own messages on
//! the program's standard output. Here that line becomes a backtrace on standard error:
//!
//! * `relay`: passes on what the program prints;
//! * `host`: reads WasmEdge's messages;
//! * `program`: functions, names and calls in the module;
//! * `stack`: the functions that were active;
//! * `lines`: files and lines from debug information;
//! * `print`: std's form.

mod host;
mod lines;
mod print;
mod program;
mod relay;
mod stack;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use host::Said;
use lines::Lines;
use program::Program;
use relay::Relay;
use semver::Version;

use crate::shell::Shell;
use crate::toolchain::wasmedge::WasmEdge;

/// The variable by which Rust programs are asked for backtraces.
pub(super) const VARIABLE: &str = "RUST_BACKTRACE";

/// What std calls the function that ends the program. Where it was called from is what
/// a reader wants to know.
const ABORT: &str = "abort";

/// How much of a backtrace is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// What concerns the program.
    Short,
    /// All.
    Full,
}

impl Style {
    /// What a value of [`VARIABLE`] asks for, as std reads it.
    pub(super) fn of(value: Option<&str>) -> Option<Style> {
        match value {
            None | Some("0") => None,
            Some("full") => Some(Style::Full),
            Some(_) => Some(Style::Short),
        }
    }
}

/// Watches what a program prints for WasmEdge's messages of a trap.
pub(super) struct Trace<'a> {
    program: PathBuf,
    wasmedge: Version,
    style: Style,
    cwd: PathBuf,
    shell: &'a Shell,
    relay: Relay,
    place: Option<u64>,
    /// Whether this trap's backtrace was printed, or said why not.
    done: bool,
}

impl Trace<'_> {
    /// For `program`, the module as cargo built it.
    pub(super) fn new<'a>(
        program: &Path,
        wasmedge: &WasmEdge,
        style: Style,
        shell: &'a Shell,
    ) -> Trace<'a> {
        Trace {
            program: program.to_owned(),
            wasmedge: wasmedge.version.clone(),
            style,
            cwd: std::env::current_dir().unwrap_or_default(),
            shell,
            relay: Relay::default(),
            place: None,
            done: false,
        }
    }

    /// Whether the rest of a line is waited for: it is to come soon, or [`Trace::release`]
    /// to be called.
    pub(super) fn holds(&self) -> bool {
        self.relay.holds()
    }

    /// Passes `read` on to `out`; a backtrace goes to standard error.
    ///
    /// # Errors
    /// `out` cannot be written.
    pub(super) fn pass(&mut self, read: &[u8], out: &mut impl Write) -> io::Result<()> {
        let mut relay = std::mem::take(&mut self.relay);
        let passed = relay.pass(read, out, |line| self.wanted(line));
        self.relay = relay;
        passed
    }

    /// Passes on what is held back.
    ///
    /// # Errors
    /// `out` cannot be written.
    pub(super) fn release(&mut self, out: &mut impl Write) -> io::Result<()> {
        self.relay.release(out)
    }

    /// Whether a line is passed on.
    fn wanted(&mut self, line: &[u8]) -> bool {
        match host::said(line) {
            Said::Place(place) => self.place = Some(place),
            Said::Stack(told) => {
                self.done = true;
                return !self.print(&told);
            }
            Said::End => {
                if !std::mem::take(&mut self.done) {
                    self.print(&[]);
                }
                self.place = None;
            }
            Said::Other => {}
        }
        true
    }

    /// Prints the backtrace, or says why there is none; whether there is one.
    fn print(&self, told: &[u32]) -> bool {
        match self.backtrace(told) {
            Ok(text) => {
                // With standard error closed there is nobody to tell.
                let _ = io::stderr().lock().write_all(text.as_bytes());
                true
            }
            Err(why) => {
                self.shell.note(format_args!("no backtrace: {why:#}"));
                false
            }
        }
    }

    fn backtrace(&self, told: &[u32]) -> anyhow::Result<String> {
        let bytes = std::fs::read(&self.program)?;
        let program = Program::new(&bytes)?;
        anyhow::ensure!(
            program.has_names(),
            "the program was built without names\n  \
             help: `strip = \"none\"` in its profile keeps them"
        );
        let stack = stack::active(&program, told, self.place);
        let tells_no_caller = told.is_empty()
            && stack
                .first()
                .is_none_or(|only| program.name(only.function) == Some(ABORT));
        anyhow::ensure!(
            !tells_no_caller,
            "WasmEdge {} does not tell which functions were active\n  \
             help: `cargo wasmedge --wasmedge 0.17 …` takes one that does",
            self.wasmedge
        );
        let lines = Lines::new(&program);
        Ok(print::backtrace(
            &program, &lines, &stack, self.style, &self.cwd,
        ))
    }
}
