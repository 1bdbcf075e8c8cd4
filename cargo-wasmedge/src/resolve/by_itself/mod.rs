//! Crates from the registry that are put on the std facade by themselves.
//!
//! A crate without a port that calls what only the facade has would fail in the middle of
//! a run. On the facade it works, if it compiles there, and that can only be tried. So a
//! build tries it ([`crate::build::facade`]), and what came of it is remembered, together
//! with the calls: a build of the same graph reads one small file.
//!
//! It is remembered for the graph and not for the crate. Whether a crate compiles on the
//! facade depends on what it hands its sockets to, and on who takes them from it.

mod memory;
mod of_graph;
mod trial;

use std::collections::BTreeMap;

use cargo_metadata::Package;

use self::memory::Memory;
use super::facade::STD;
use super::graph::is_crates_io;
use super::std_calls::Call;
use crate::error::Result;
use crate::port::Ports;

/// Who asks for the facade, in what a copied crate says of itself.
const ASKED_BY: &str = "the look at its calls of std";

/// A crate that calls what only the facade has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its name. If there are several versions, all are on the facade or none.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The first such call.
    pub call: Call,
}

impl Candidate {
    /// What can be done about it when it cannot be on the facade.
    pub fn help(&self) -> String {
        format!(
            "`cargo wasmedge doctor` lists its calls; if none is reached, \
             std-facade = [\"!{}\"] in [package.metadata.wasmedge] says so",
            self.name
        )
    }
}

impl std::fmt::Display for Candidate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Call {
            what, file, line, ..
        } = &self.call;
        write!(
            f,
            "{} {} uses {what} ({file}:{line})",
            self.name, self.version
        )
    }
}

/// How a candidate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByItself<'a> {
    /// It is on the facade.
    On,
    /// The next build tries it.
    Untried,
    /// It does not compile there, for this reason.
    Refused(&'a Candidate, &'a str),
}

/// What is decided of a graph.
#[derive(Debug, Clone, Default)]
pub struct ByThemselves {
    /// The crates that are on the facade.
    pub on: Vec<Candidate>,
    /// Those that would be, but do not compile on it; and why.
    pub refused: Vec<(Candidate, String)>,
    /// Crates that may not share types with those on the facade: they do not compile so.
    pub(super) sharers_off: Vec<String>,
    /// Whether those on the facade are known to compile.
    is_tried: bool,
    /// What a trial has to compile, as cargo's `-p` takes it. Empty where it is tried.
    pub to_compile: Vec<String>,
    /// Which of `on` each crate leads to.
    leads: BTreeMap<String, Vec<String>>,
    memory: Memory,
}

impl ByThemselves {
    /// The ports with those for these crates.
    ///
    /// # Errors
    /// None for names that cargo takes.
    pub(super) fn ports(&self, ports: &Ports) -> Result<Ports> {
        let names: Vec<String> = self.on.iter().map(|each| each.name.clone()).collect();
        Ok(ports.clone().with_facade(STD, &names, ASKED_BY)?)
    }

    /// Whether one of these is a crate on the facade.
    pub fn contains(&self, name: &str) -> bool {
        self.on.iter().any(|each| each.name == name)
    }

    /// Whether a package does not compile with the types of those on the facade.
    pub(super) fn keeps_off(&self, package: &Package) -> bool {
        self.sharers_off.iter().any(|name| *package.name == *name)
    }

    /// How a package stands; `None`: it is no candidate.
    pub fn of(&self, package: &Package) -> Option<ByItself<'_>> {
        let mut refused = self.refused.iter();
        if let Some((each, why)) = refused.find(|(each, _)| each.name == *package.name) {
            return Some(ByItself::Refused(each, why));
        }
        let is_on = is_crates_io(package) && self.contains(&package.name);
        is_on.then_some(match self.is_tried {
            true => ByItself::On,
            false => ByItself::Untried,
        })
    }
}
