//! The results of one suite, for the page, and as JSON for programs.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use tests_integration::Mode;
use tools_common::junit::Outcome;
use tools_common::{Tools, today};

use crate::expectations::Expectations;
use crate::judge::Sums;
use crate::results::Results;
use crate::suite::Suite;

/// The results of one suite in one mode.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Section {
    pub(crate) name: String,
    /// The day and the compiler.
    pub(crate) run: String,
    /// Tests that pass natively, per program.
    pub(crate) native: BTreeMap<String, usize>,
    /// Tests that are not built natively, by gate.
    pub(crate) gated: BTreeMap<String, usize>,
    /// Tests that fail natively, as published too.
    pub(crate) fails_natively: Vec<String>,
    /// One per runtime.
    pub(crate) columns: Vec<Column>,
    /// Tests that do not pass, the reason, and why.
    pub(crate) entries: Vec<(String, String, String)>,
}

/// What the name of a section with the plugin ends in.
const WITH_PLUGIN: &str = ", with the plugin";

/// What the page calls a suite in a mode.
pub(crate) fn name(suite: &str, mode: Mode) -> String {
    match mode {
        Mode::Plain => suite.to_owned(),
        Mode::Plugin => format!("{suite}{WITH_PLUGIN}"),
    }
}

/// The result under one runtime.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Column {
    pub(crate) runtime: String,
    pub(crate) programs: BTreeMap<String, Sums>,
}

impl Column {
    pub(crate) fn total(&self) -> Sums {
        let mut total = Sums::default();
        for sums in self.programs.values() {
            total.add(sums);
        }
        total
    }
}

impl Section {
    pub(crate) fn new(suite: &Suite, mode: Mode, tools: &Tools) -> Result<Section> {
        let (day, rustc) = (today()?, &tools.rust.rustc_version);
        Ok(Section {
            name: name(&suite.name(), mode),
            run: format!("{day}, {}, rustc {rustc}", std::env::consts::ARCH),
            native: BTreeMap::new(),
            gated: BTreeMap::new(),
            fails_natively: Vec::new(),
            columns: Vec::new(),
            entries: Vec::new(),
        })
    }

    /// Whether it is one with the plugin.
    pub(crate) fn has_plugin(&self) -> bool {
        self.name.ends_with(WITH_PLUGIN)
    }

    /// Takes over which tests pass natively.
    pub(crate) fn take_native(&mut self, native: &Results) {
        for (test, outcome) in native {
            if *outcome == Outcome::Passed {
                let program = test.split("::").next().unwrap_or(test);
                *self.native.entry(program.to_owned()).or_default() += 1;
            }
        }
    }

    /// Keeps the result in a folder, for programs to read, and one of a whole run
    /// for the page.
    pub(crate) fn keep(&self, folder: &Path, is_whole: bool) -> Result<()> {
        fs::create_dir_all(folder)?;
        let part = if is_whole { "" } else { ".part" };
        let path = folder.join(format!("{}{part}.json", self.name));
        fs::write(&path, serde_json::to_string_pretty(self)?)
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// The latest result of a whole run, if there was one.
    pub(crate) fn kept(folder: &Path, name: &str) -> Result<Option<Section>> {
        let path = folder.join(format!("{name}.json"));
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            read => read.with_context(|| path.display().to_string())?,
        };
        let section = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
        Ok(Some(section))
    }

    /// Takes over what the page says about tests that do not pass.
    pub(crate) fn take_entries(&mut self, expectations: &Expectations) {
        for entry in &expectations.entries {
            let tests: Vec<&str> = entry.tests.iter().map(|(text, _)| text.as_str()).collect();
            let reason = match &entry.lacks {
                Some(lacks) => format!("{}: {lacks}", entry.reason),
                None => entry.reason.to_string(),
            };
            let why = entry.why.split_whitespace().collect::<Vec<_>>().join(" ");
            self.entries.push((tests.join(", "), reason, why));
        }
    }
}
