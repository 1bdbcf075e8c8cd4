//! Arguments for WasmEdge, in a form in which it takes any value.

use std::ffi::{OsStr, OsString};

use crate::config::Config;
use crate::toolchain::wasmedge::WasmEdge;

/// The options that say how WasmEdge runs a program, before all others.
pub(super) fn mode(wasmedge: &WasmEdge, config: &Config, is_compiled: bool) -> Vec<&'static str> {
    let mut options = Vec::new();
    if is_compiled && wasmedge.needs_run_mode_aot() {
        options.extend(["--run-mode", "aot"]);
    }
    if config.allow_af_unix {
        options.push("--allow-af-unix");
        // It warns, on the program's standard output, of each datagram whose sender has no
        // name.
        if wasmedge.has_log_level() {
            options.extend(["--log-level", "error"]);
        }
    }
    options
}

/// Arguments, and those of them that may be printed.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    all: Vec<OsString>,
    printed: Vec<OsString>,
}

impl Arguments {
    /// Adds an option with its value.
    pub(super) fn option(&mut self, name: &str, value: OsString) {
        self.printed.extend(words(name, value.clone()));
        self.all.extend(words(name, value));
    }

    /// The same, but not to be printed.
    pub(super) fn unprinted_option(&mut self, name: &str, value: OsString) {
        self.all.extend(words(name, value));
    }

    /// These, then `other`.
    pub(super) fn extend(&mut self, other: Arguments) {
        self.all.extend(other.all);
        self.printed.extend(other.printed);
    }

    pub(super) fn all(&self) -> &[OsString] {
        &self.all
    }

    pub(super) fn printed(&self) -> &[OsString] {
        &self.printed
    }
}

/// Two words, since one would make the longest value that the system takes too long.
/// WasmEdge takes a word with a dash in front for an option, wherever it stands: such
/// a value is one word with its option.
fn words(name: &str, value: OsString) -> Vec<OsString> {
    if !starts_with_dash(&value) {
        return vec![name.into(), value];
    }
    let mut word = OsString::from(name);
    word.push("=");
    word.push(value);
    vec![word]
}

fn starts_with_dash(value: &OsStr) -> bool {
    value.as_encoded_bytes().starts_with(b"-")
}
