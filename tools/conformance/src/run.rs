//! One run of a suite, in one place.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use globset::{Glob, GlobSet, GlobSetBuilder};
use tools_common::{Repo, Tools};

use crate::args::Args;
use crate::results::{self, Results, results_folder};
use crate::suite::Suite;

/// How one suite is run.
pub(crate) struct Run<'a> {
    pub(crate) repo: &'a Repo,
    pub(crate) tools: &'a Tools,
    pub(crate) args: &'a Args,
    pub(crate) suite: &'a Suite,
}

impl Run<'_> {
    /// Takes the tests out that fail natively as published, and gives them. Whether
    /// they do is not looked at: some need the internet, which not every machine has.
    pub(crate) fn take_failing(&self, results: &mut Results) -> Result<Results> {
        let failing = globs(&self.suite.head.fails_natively, "fails-natively")?;
        Ok(results
            .extract_if(.., |test, _| failing.is_match(test))
            .collect())
    }

    pub(crate) fn status(&self, runtime: &str) {
        let what = format_args!("{} ({runtime})", self.suite.name());
        self.repo.shell.status("Testing", what);
    }

    /// Runs the suite in a folder, for the host or else for WasmEdge. What is built
    /// for one run serves the next. The results of a whole run are kept, and are
    /// what is given if that is asked for.
    pub(crate) fn run(
        &self,
        runtime: &str,
        host: Option<&str>,
        folder: &Path,
        cargo: impl Fn() -> Result<Command>,
    ) -> Result<Results> {
        let file = format!("tests/{} {runtime}.json", self.suite.name());
        let file = results_folder(self.repo).join(file);
        if self.args.kept {
            return results::kept(&file);
        }
        let mut command = cargo()?;
        self.choose_tests(&mut command, host)?;
        command
            .current_dir(folder)
            .env(
                "CARGO_TARGET_DIR",
                self.repo.target.join("conformance/target"),
            )
            // Upstream's checks stay on; the interpreter has less to do, and nobody
            // steps through it.
            .env("CARGO_PROFILE_DEV_OPT_LEVEL", "1")
            .env("CARGO_PROFILE_DEV_DEBUG", "false")
            .env("CARGO_TERM_QUIET", "true")
            // Of what a failed test says, the end is kept.
            .env("RUST_BACKTRACE", "0");
        let mut results = results::run(&self.suite.krate, folder, &mut command)?;
        for test in results::not_for_root(&self.suite.head.not_as_root) {
            results.remove(test);
        }
        if self.args.is_whole() {
            results::keep(&file, &results)?;
        }
        Ok(results)
    }

    /// The words behind `cargo` that choose what is built and run.
    fn choose_tests(&self, command: &mut Command, host: Option<&str>) -> Result<()> {
        command.args(["nextest", "run"]);
        let head = &self.suite.head;
        if let Some(host) = host {
            command.args(["--target", host]);
        }
        if !head.features.is_empty() {
            command.args(["--features", &head.features.join(",")]);
        }
        if self.args.unwind {
            command.args(["-E", &self.suite.unwinding()?.filter()]);
        }
        match self.selected()? {
            None => {
                command.args(&head.targets);
            }
            Some(programs) => {
                for program in &programs {
                    match program.as_str() {
                        "lib" => command.arg("--lib"),
                        program => command.args(["--test", program]),
                    };
                }
            }
        }
        if let Some(filter) = &self.args.filter {
            command.args(["-E", filter]);
        }
        Ok(())
    }

    /// The programs of the quick selection, or of the tests that need unwinding.
    fn selected(&self) -> Result<Option<Vec<String>>> {
        if self.args.unwind {
            return Ok(Some(self.suite.unwinding()?.programs()));
        }
        if !self.args.quick {
            return Ok(None);
        }
        let globs = globs(&self.suite.head.quick, "quick")?;
        let mut programs = self.suite.programs()?;
        if self
            .suite
            .head
            .targets
            .iter()
            .any(|target| target == "--lib" || target == "--tests")
        {
            programs.push("lib".to_owned());
        }
        programs.retain(|program| globs.is_match(program));
        ensure!(
            !programs.is_empty(),
            "the key `quick` of {} selects nothing",
            self.suite.port_dir.join("suite.toml").display()
        );
        Ok(Some(programs))
    }
}

fn globs(texts: &[String], key: &str) -> Result<GlobSet> {
    let mut set = GlobSetBuilder::new();
    for text in texts {
        set.add(Glob::new(text).with_context(|| format!("in the key `{key}`"))?);
    }
    Ok(set.build()?)
}
