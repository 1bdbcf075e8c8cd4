//! What is known of the crates of a graph: by a look at their sources, or from the memory.

use std::collections::BTreeMap;

use cargo_metadata::{DependencyKind, Package};
use sha2::{Digest as _, Sha256};

use super::ByThemselves;
use super::memory::{File, Memory};
use crate::build::Lockfiles;
use crate::embedded;
use crate::error::Result;
use crate::port::Port;
use crate::resolve::facade::kept_off;
use crate::resolve::graph::{Graph, is_crates_io};
use crate::resolve::metadata::Resolved;
use crate::resolve::reached::Reached;
use crate::resolve::resolver::Resolver;
use crate::resolve::scans::{Scans, release};
use crate::resolve::std_calls::{self, Remedy};

impl Resolver<'_> {
    /// What is known of the crates of this graph. Those of which nothing is known yet
    /// are taken to be on the facade.
    ///
    /// # Errors
    /// A source that cannot be read; cargo's own.
    pub(in crate::resolve) fn by_themselves(
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
        if memory.is_new {
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
        let named: Vec<&str> = self.ports.iter().map(Port::krate).collect();
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
        Memory::open(&self.dirs.facade().join("graphs"), &hash[..32])
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
