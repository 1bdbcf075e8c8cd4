//! Crates from the registry that are put on the std facade by themselves.
//!
//! A crate without a port that calls what only the facade has would fail in the middle of
//! a run. On the facade it works, if it compiles there, and that can only be tried. So a
//! build tries it ([`crate::build::facade`]), and what came of it is remembered, together
//! with the calls: a build of the same graph reads one small file.
//!
//! It is remembered for the graph and not for the crate. Whether a crate compiles on the
//! facade depends on what it hands its sockets to, and on who takes them from it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::Context as _;
use cargo_metadata::{DependencyKind, Metadata, Package};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::facade::{STD, kept_off};
use super::graph::{Graph, is_crates_io};
use super::metadata::Resolved;
use super::reached::Reached;
use super::resolver::Resolver;
use super::scans::{Scans, release};
use super::std_calls::{self, Call, Remedy};
use crate::build::Lockfiles;
use crate::build::facade::{Failure, Outcome};
use crate::embedded;
use crate::error::Result;
use crate::fs::{read_optional, write_atomically};
use crate::port::Ports;

/// Graphs that are remembered at most; the oldest are forgotten first.
const MOST: usize = 256;

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

/// What is remembered of a graph.
#[derive(Debug, Clone, Default)]
struct Memory {
    path: PathBuf,
    file: File,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct File {
    /// Name, version, call, file, line.
    candidates: Vec<(String, String, String, String, usize)>,
    /// What the trial was made with.
    made_with: String,
    /// Crates that are kept off the facade.
    refused: Vec<Refused>,
    /// Crates that do not compile without the facade either.
    broken: Vec<String>,
    is_tried: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Refused {
    name: String,
    why: String,
    /// The crate that does not compile, if it is another one.
    by: Option<String>,
}

impl Memory {
    fn save(&self) -> Result<()> {
        let bytes = serde_json::to_vec_pretty(&self.file);
        let bytes = bytes.context("cannot write what is known of the std facade")?;
        Ok(write_atomically(&self.path, &bytes)?)
    }
}

impl Memory {
    fn candidates(&self) -> Vec<Candidate> {
        let candidates = self.file.candidates.iter();
        let candidates = candidates.filter_map(|(name, version, what, file, line)| {
            Some(Candidate {
                name: name.clone(),
                version: version.clone(),
                call: Call::of(what, file.clone(), *line)?,
            })
        });
        candidates.collect()
    }
}

impl ByThemselves {
    /// Plans what has to be compiled to know, of the packages that are compiled for the
    /// target; and who leads to whom.
    fn plan_trial<'a>(
        &mut self,
        metadata: &Metadata,
        graph: &Graph<'_>,
        packages: impl Iterator<Item = &'a Package>,
    ) {
        let members = metadata.workspace_members.iter();
        let direct: BTreeSet<_> = members.flat_map(|id| graph.depends(id)).collect();
        for package in packages {
            let below = graph.over([&package.id], &[DependencyKind::Normal]);
            let below = below.into_iter().filter(|id| **id != package.id);
            let below = below.filter_map(|id| graph.package(id));
            let below = below.map(|package| package.name.to_string());
            let below: BTreeSet<String> = below.filter(|name| self.contains(name)).collect();
            let mut refused = self.memory.file.refused.iter();
            let is_blamed = refused.any(|refused| refused.by.as_deref() == Some(&package.name));
            // What the app has itself, or else what would be found only by its own code.
            let is_apps = !below.is_empty() && direct.contains(&package.id);
            if self.contains(&package.name) || is_apps || is_blamed {
                let spec = format!("{}@{}", package.name, package.version);
                self.to_compile.push(spec);
            }
            let leads = self.leads.entry(package.name.to_string()).or_default();
            leads.extend(below);
        }
        self.to_compile.sort();
        self.to_compile.dedup();
    }

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

    /// Learns from a trial. `sharers` are crates that are on the facade for their types'
    /// sake. `true`: other crates are on it now than were tried.
    ///
    /// # Errors
    /// It cannot be remembered.
    pub fn learn(&mut self, outcome: &Outcome, sharers: &[String]) -> Result<bool> {
        if self.blame(&outcome.failures, sharers) {
            self.memory.save()?;
            return Ok(true);
        }
        // What fails has nothing to do with the facade. If it kept one of these from being
        // compiled, it is tried again.
        self.memory.file.is_tried = self
            .on
            .iter()
            .all(|each| outcome.compiled.contains(&each.name));
        self.is_tried = self.memory.file.is_tried;
        self.memory.save()?;
        Ok(false)
    }

    /// Has the memory keep those off that failures are due to. `false`: there are none.
    fn blame(&mut self, failures: &[Failure], sharers: &[String]) -> bool {
        let file = &mut self.memory.file;
        let before = file.refused.len();
        for Failure { name, why } in failures {
            // Each is refused once, so that trials come to an end.
            if file.refused.iter().any(|refused| refused.name == *name) {
                continue;
            }
            if self.on.iter().any(|each| each.name == *name) || sharers.contains(name) {
                file.refused.push(Refused {
                    name: name.clone(),
                    why: why.clone(),
                    by: None,
                });
            }
        }
        // Only then the others count: they may have failed for that.
        if file.refused.len() != before {
            return true;
        }
        let mut is_other = false;
        for Failure { name, why } in failures {
            if file.broken.contains(name) {
                continue;
            }
            let is_by = |refused: &Refused| refused.by.as_deref() == Some(name);
            if file.refused.iter().any(is_by) {
                // It fails without, too.
                file.refused.retain(|refused| !is_by(refused));
                file.broken.push(name.clone());
                is_other = true;
                continue;
            }
            for below in self.leads.get(name).into_iter().flatten() {
                file.refused.push(Refused {
                    name: below.clone(),
                    why: format!("{name}: {why}"),
                    by: Some(name.clone()),
                });
                is_other = true;
            }
        }
        is_other
    }

    /// Takes a crate off that cannot be put on.
    ///
    /// # Errors
    /// It cannot be remembered.
    pub fn refuse(&mut self, name: &str, why: String) -> Result<()> {
        self.memory.file.refused.push(Refused {
            name: name.to_owned(),
            why,
            by: None,
        });
        self.memory.save()
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

    /// Whether it has to be tried whether those on the facade compile.
    pub fn needs_trial(&self) -> bool {
        !self.is_tried && !self.to_compile.is_empty()
    }
}

impl Resolver<'_> {
    /// What is known of the crates of this graph. Those of which nothing is known yet
    /// are taken to be on the facade.
    ///
    /// # Errors
    /// A source that cannot be read; cargo's own.
    pub(super) fn by_themselves(
        &self,
        lockfiles: &mut Lockfiles,
        resolved: &Resolved,
    ) -> Result<ByThemselves> {
        if !self.invocation.compiles_for_target() {
            return Ok(ByThemselves::default());
        }
        let graph = Graph::new(&resolved.metadata);
        let mut kinds = vec![DependencyKind::Normal];
        if self.invocation.needs_dev_dependencies() {
            kinds.push(DependencyKind::Development);
        }
        let members = resolved.metadata.workspace_members.iter();
        let built = graph.over(members, &kinds);
        let packages: Vec<&Package> = resolved
            .in_use()
            .filter(|package| built.contains(&package.id) && is_crates_io(package))
            .collect();
        let mut memory = self.memory(&graph, &packages);
        let mut reached = None;
        if memory.file.made_with == NEW {
            memory.file = self.look_at(lockfiles, resolved, &packages, &mut reached)?;
            // Not being able to costs only time.
            let _ = memory.save();
        }
        let candidates = memory.candidates();
        let mut found = ByThemselves {
            is_tried: true,
            ..ByThemselves::default()
        };
        // Most apps end here.
        if candidates.is_empty() {
            return Ok(found);
        }
        let made_with = self.made_with()?;
        if memory.file.made_with != made_with {
            memory.file = File {
                candidates: memory.file.candidates,
                made_with,
                ..File::default()
            };
        }
        found.is_tried = memory.file.is_tried;
        // A refused one may not come back for the sake of its types.
        let refused = memory.file.refused.iter();
        found.sharers_off = refused.map(|refused| refused.name.clone()).collect();
        for candidate in candidates {
            let mut refused = memory.file.refused.iter();
            match refused.find(|each| each.name == candidate.name) {
                Some(refused) => found.refused.push((candidate, refused.why.clone())),
                None => found.on.push(candidate),
            }
        }
        found.memory = memory;
        // One that was taken off for another's sake: would that compile without?
        let mut refused = found.memory.file.refused.iter();
        if found.on.is_empty() && refused.all(|refused| refused.by.is_none()) {
            found.is_tried = true;
        }
        if !found.is_tried {
            let reached = match reached {
                Some(reached) => reached,
                None => self.reached_on_target(lockfiles, resolved)?,
            };
            let packages = packages.into_iter();
            let packages = packages.filter(|package| reached.has(package));
            found.plan_trial(&resolved.metadata, &graph, packages);
        }
        Ok(found)
    }

    /// What is remembered of a graph of these packages.
    fn memory(&self, graph: &Graph<'_>, packages: &[&Package]) -> Memory {
        let mut all: Vec<String> = packages
            .iter()
            .map(|package| {
                let features = graph.features(&package.id).join(",");
                format!("{} {features}", release(package).unwrap_or_default())
            })
            .collect();
        all.sort();
        let mut hash = Sha256::new();
        hash.update(std_calls::how());
        // Which of them have a port, and what the user says of some.
        let named: Vec<&str> = self.ports.iter().map(crate::port::Port::krate).collect();
        for word in [named.join(" "), self.std_facade.join(" ")] {
            hash.update(word + "\n");
        }
        // Features may be others for each of the app's packages.
        for word in &self.invocation.selection {
            hash.update(word.as_encoded_bytes());
            hash.update(" ");
        }
        for package in all {
            hash.update(package + "\n");
        }
        let hash = format!("{:x}", hash.finalize());
        let path = self.dirs.facade().join("graphs").join(&hash[..32]);
        let path = path.with_extension("json");
        let bytes = read_optional(&path).ok().flatten();
        let file = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let file = file.unwrap_or_else(|| {
            forget_oldest(&self.dirs.facade().join("graphs"));
            File {
                made_with: NEW.to_owned(),
                ..File::default()
            }
        });
        Memory { path, file }
    }

    /// Finds those of the packages that call what only the facade has, and have no port.
    /// Sets `reached`, if there are some that may be such.
    fn look_at(
        &self,
        lockfiles: &mut Lockfiles,
        resolved: &Resolved,
        packages: &[&Package],
        reached: &mut Option<Reached>,
    ) -> Result<File> {
        let mut scans = Scans::new(self.dirs);
        let mut candidates = BTreeMap::new();
        for package in packages {
            let name = package.name.as_str();
            let is_off = kept_off(self.std_facade).any(|off| off == name);
            if is_off || self.ports.get(name).is_some() {
                continue;
            }
            let Some(call) = scans.first(package, &[Remedy::Facade])? else {
                continue;
            };
            // `cargo metadata` lists what features leave out, too.
            if reached.is_none() {
                *reached = Some(self.reached_on_target(lockfiles, resolved)?);
            }
            if reached.as_ref().is_some_and(|reached| reached.has(package)) {
                let version = package.version.to_string();
                candidates.entry(name).or_insert((version, call));
            }
        }
        scans.save();
        let candidates = candidates.into_iter().map(|(name, (version, call))| {
            let what = call.what.to_owned();
            (name.to_owned(), version, what, call.file, call.line)
        });
        Ok(File {
            candidates: candidates.collect(),
            ..File::default()
        })
    }

    /// What the result of a trial depends on beside the graph: the ports and the facade,
    /// and the compiler.
    fn made_with(&self) -> Result<String> {
        let mut hash = Sha256::new();
        // The plugin is no part of programs.
        let files = embedded::files().filter(|(path, _)| !path.starts_with("plugin/"));
        for (path, bytes) in files {
            hash.update(path);
            hash.update(bytes.len().to_le_bytes());
            hash.update(bytes);
        }
        let rustc = self.cargo.toolchain();
        hash.update(rustc.rustc_version.to_string());
        Ok(format!("{:x}", hash.finalize())[..32].to_owned())
    }
}

/// What a graph was made with that nothing is known of.
const NEW: &str = "nothing";

fn forget_oldest(folder: &std::path::Path) {
    let entries = folder.read_dir().into_iter().flatten().flatten();
    let mut entries: Vec<_> = entries.map(|entry| entry.path()).collect();
    if entries.len() < MOST {
        return;
    }
    let changed = |path: &PathBuf| {
        std::fs::metadata(path)
            .and_then(|file| file.modified())
            .ok()
    };
    entries.sort_by_key(changed);
    for path in entries.iter().take(MOST / 2) {
        let _ = std::fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(name: &str) -> Failure {
        Failure {
            name: name.to_owned(),
            why: "error[E0277]".to_owned(),
        }
    }

    #[test]
    fn what_fails_without_the_facade_too_ends_the_trials() {
        let mut found = ByThemselves::default();
        let sharers = ["server".to_owned()];
        assert!(found.blame(&[failure("server")], &sharers));
        // It is off now, and still fails: there is nothing more to take off.
        assert!(!found.blame(&[failure("server")], &sharers));
        assert_eq!(found.memory.file.refused.len(), 1);
    }
}
