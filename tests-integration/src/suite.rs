//! One test per place that a program can run in.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use cargo_wasmedge::toolchain::wasmedge::WasmEdge;
use libtest_mimic::{Arguments, Failed, Trial};

use crate::build::Workbench;
use crate::host::{Execution, Host, Hosts};
use crate::mode::{Mode, WithPlugin};

/// Says on which kinds of host a test runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// Natively and under every WasmEdge, interpreted.
    Interpreted,
    /// Natively and under every WasmEdge, interpreted and compiled.
    Everywhere,
    /// Under every WasmEdge, interpreted.
    WasmEdge,
}

/// A program's tests.
pub struct Suite {
    workbench: Arc<Workbench>,
    hosts: Hosts,
    with_plugin: WithPlugin,
    trials: Vec<Trial>,
    left_out: Vec<String>,
}

impl Suite {
    /// An empty suite. `tmpdir` is cargo's folder for what tests build:
    /// `env!("CARGO_TARGET_TMPDIR")`.
    ///
    /// # Panics
    /// Panics when the user has no home folder, in which WasmEdge is looked for.
    pub fn new(tmpdir: &str) -> Suite {
        let hosts = Hosts::find().unwrap_or_else(|error| panic!("no WasmEdge: {error:?}"));
        let left_out = hosts
            .left_out
            .iter()
            .map(|version| format!("WasmEdge {version}"))
            .collect();
        Suite {
            workbench: Arc::new(Workbench::new(PathBuf::from(tmpdir))),
            hosts,
            with_plugin: WithPlugin::asked(),
            trials: Vec::new(),
            left_out,
        }
    }

    /// Adds a test that runs on each of several hosts, under WasmEdge in both modes.
    #[must_use]
    pub fn test(self, name: &str, on: On, test: fn(&Workbench, &Host) -> Result<()>) -> Suite {
        self.test_in(&Mode::ALL, name, on, test)
    }

    /// Adds a test that under WasmEdge runs in these modes: in one of them only if it is of
    /// what WasmEdge's own functions lack, or of what there is with the plugin alone.
    #[must_use]
    pub fn test_in(
        mut self,
        modes: &[Mode],
        name: &str,
        on: On,
        test: fn(&Workbench, &Host) -> Result<()>,
    ) -> Suite {
        for host in places(&self.hosts.wasmedges, on, modes, self.with_plugin) {
            let workbench = self.workbench.clone();
            self.trials
                .push(Trial::test(format!("{host}::{name}"), move || {
                    test(&workbench, &host).map_err(failed)
                }));
        }
        self
    }

    /// Adds a test that has nothing to do with where programs run.
    #[must_use]
    pub fn once(mut self, name: &str, test: fn(&Workbench) -> Result<()>) -> Suite {
        let workbench = self.workbench.clone();
        self.trials
            .push(Trial::test(name, move || test(&workbench).map_err(failed)));
        self
    }

    /// Whether `program` is on `PATH`; else it is noted as left out, along with
    /// `tests`, which are not to be added then.
    pub fn has(&mut self, program: &str, tests: &str) -> bool {
        let there = which::which(program).is_ok();
        if !there {
            self.left_out.push(format!("{program} ({tests})"));
        }
        there
    }

    /// Whether there is something that `tests` need; else it is noted as left out, with the
    /// reason, and they are not to be added.
    pub fn can(&mut self, found: &Result<(), String>, tests: &str) -> bool {
        if let Err(why) = found {
            self.left_out
                .push(format!("{why}: what is needed ({tests})"));
        }
        found.is_ok()
    }

    /// Runs the tests as the command line asks. What had to be left out is
    /// listed as ignored; where the variable `CI` is `true`, it fails.
    pub fn run(mut self) -> ExitCode {
        let arguments = Arguments::from_args();
        let strict = std::env::var("CI").is_ok_and(|ci| ci == "true");
        for missing in &self.left_out {
            if !arguments.list {
                eprintln!("left out: {missing} is not here");
            }
            let reason = format!("{missing} is not here");
            let trial = Trial::test(format!("left out: {missing}"), || Err(Failed::from(reason)));
            self.trials.push(trial.with_ignored_flag(!strict));
        }
        libtest_mimic::run(&arguments, self.trials).exit_code()
    }
}

fn failed(error: anyhow::Error) -> Failed {
    Failed::from(format!("{error:?}"))
}

/// Where a test runs.
fn places(wasmedges: &[WasmEdge], on: On, modes: &[Mode], with_plugin: WithPlugin) -> Vec<Host> {
    let mut hosts = Vec::new();
    if on != On::WasmEdge {
        hosts.push(Host::Native);
    }
    let executions = match on {
        On::Everywhere => &[Execution::Interpreted, Execution::Compiled][..],
        On::Interpreted | On::WasmEdge => &[Execution::Interpreted],
    };
    for edge in wasmedges {
        for &execution in executions {
            let is_newest = Some(edge) == wasmedges.last();
            let is_quick = is_newest && execution == Execution::Interpreted;
            let is_run = |mode: &Mode| *mode == Mode::Plain || with_plugin.runs(is_quick);
            for &mode in modes.iter().filter(|mode| is_run(mode)) {
                hosts.push(Host::WasmEdge(edge.clone(), execution, mode));
            }
        }
    }
    hosts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::tests::edge;

    #[test]
    fn every_test_runs_in_every_mode_that_is_asked_for() {
        let edges = [edge("0.14.1"), edge("0.17.1")];
        let names = |on, modes: &[Mode], with| -> Vec<String> {
            let places = places(&edges, on, modes, with).into_iter();
            places.map(|place| place.to_string()).collect()
        };
        let plain = |on| names(on, &Mode::ALL, WithPlugin::None);
        assert_eq!(plain(On::WasmEdge), ["wasmedge-0.14.1", "wasmedge-0.17.1"]);
        assert_eq!(plain(On::Everywhere).len(), 5);
        for on in [On::Interpreted, On::Everywhere, On::WasmEdge] {
            let count = names(on, &Mode::ALL, WithPlugin::All).len();
            let natively = usize::from(on != On::WasmEdge);
            assert_eq!(count - natively, 2 * (plain(on).len() - natively));
            // Quickly, each in one place more.
            let quick = names(on, &Mode::ALL, WithPlugin::Newest);
            assert_eq!(quick.len(), plain(on).len() + 1);
            assert!(quick.contains(&"wasmedge-0.17.1+plugin".to_owned()));
            assert_eq!(names(on, &[Mode::Plain], WithPlugin::All), plain(on));
        }
    }
}
