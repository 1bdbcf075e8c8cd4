//! What a trial compiles, and what is learnt from it.

use std::collections::BTreeSet;

use cargo_metadata::{DependencyKind, Metadata, Package};

use super::ByThemselves;
use super::memory::Refused;
use crate::build::facade::{Failure, Outcome};
use crate::error::Result;
use crate::resolve::graph::Graph;

impl ByThemselves {
    /// Plans what has to be compiled to know, of the packages that are compiled for the
    /// target; and who leads to whom.
    pub(super) fn plan_trial<'a>(
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

    /// Whether it has to be tried whether those on the facade compile.
    pub fn needs_trial(&self) -> bool {
        !self.is_tried && !self.to_compile.is_empty()
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
