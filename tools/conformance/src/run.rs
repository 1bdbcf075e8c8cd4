//! One suite: natively, and under every WasmEdge.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use globset::{Glob, GlobSet, GlobSetBuilder};
use tools_common::report::Counts;
use tools_common::{Repo, Report, Tools};

use crate::args::Args;
use crate::gated;
use crate::judge::{Sums, judge};
use crate::results::{self, Results};
use crate::section::{Column, Section};
use crate::suite::Suite;
use crate::suites::results_folder;

/// The runs of one suite.
pub(crate) struct Run<'a> {
    pub(crate) repo: &'a Repo,
    pub(crate) tools: &'a Tools,
    pub(crate) args: &'a Args,
    pub(crate) suite: &'a Suite,
}

impl Run<'_> {
    /// Runs it natively, unless the quick selection is asked for, and under every
    /// WasmEdge.
    pub(crate) fn all(&self, report: &mut Report) -> Result<Section> {
        let suite = self.suite;
        let is_whole = self.args.is_whole();
        let expectations = &suite.expectations;
        let mut section = Section::new(suite, self.tools)?;

        let native = match self.args.quick {
            true => None,
            false => Some(self.native(report, &mut section)?),
        };
        if let Some(native) = &native {
            section.gated = gated::count(suite, native)?;
            let not_for_root = results::not_for_root(&suite.head.not_as_root).len();
            if not_for_root > 0 {
                section
                    .gated
                    .insert("cannot pass for root".to_owned(), not_for_root);
            }
        }
        for wasmedge in &self.tools.wasmedge {
            let how = if self.args.aot { " AOT" } else { "" };
            let runtime = format!("WasmEdge {}{how}", wasmedge.version);
            let started = Instant::now();
            self.status(&runtime);
            let aot = if self.args.aot { "always" } else { "never" };
            let mut results = self.run(&runtime, None, &suite.ported, || {
                let mut command = self.tools.cargo_wasmedge(wasmedge);
                command.env("CARGO_WASMEDGE_AOT", aot);
                command
            })?;
            self.take_failing(&mut results)?;
            let verdict = judge(expectations, &results, native.as_ref(), is_whole);
            let mut sums = Sums::default();
            for program in verdict.programs.values() {
                sums.add(program);
            }
            for unexpected in &verdict.unexpected {
                anstream::println!("  {unexpected}");
            }
            // A stale entry is a failure as well.
            let failed = verdict.unexpected.len();
            let excused = sums.excused.values().sum();
            report.note(
                &suite.name(),
                &runtime,
                Counts::new(sums.passed, failed, excused),
                started.elapsed(),
            );
            section.columns.push(Column {
                runtime,
                programs: verdict.programs,
            });
        }
        section.take_entries(expectations);
        if self.args.write {
            suite.keep_lock()?;
        }
        Ok(section)
    }

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
        cargo: impl Fn() -> Command,
    ) -> Result<Results> {
        let file = format!("tests/{} {runtime}.json", self.suite.name());
        let file = results_folder(self.repo).join(file);
        if self.args.kept {
            return results::kept(&file);
        }
        let mut command = cargo();
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

    /// The programs of the quick selection.
    fn selected(&self) -> Result<Option<Vec<String>>> {
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
