//! `cargo xtask conformance`: upstream's own tests on the ported crates, natively
//! and under WasmEdge.
//!
//! `suite` makes the folders, `results` runs the tests, `expectations` judges
//! them, `page` writes `docs/conformance.md`, `gated` counts what upstream's own
//! gates leave out natively.

mod expectations;
mod gated;
mod page;
mod results;
mod suite;

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use cargo_wasmedge::port::{Port, Ports, SuiteHead};
use globset::{Glob, GlobSet, GlobSetBuilder};
use semver::VersionReq;

use crate::outcome::Report;
use crate::repo::{Repo, is_ci};
use crate::setup::Tools;
use crate::test::Runner;
use expectations::{Sums, judge};
use page::{Column, Section};
use results::{Outcome, Results};
use suite::Suite;

#[derive(Debug, Default, clap::Args)]
#[command(after_help = "\
Tests that cannot pass, and why, are in the expectations.toml of each port. A test
that fails without an entry, and an entry whose test passes, both fail the run.")]
pub struct Args {
    /// Only the suites of these crates
    #[arg(value_name = "CRATE")]
    crates: Vec<String>,

    /// A version of WasmEdge to test, such as 0.17.1, or `all` (may be repeated)
    #[arg(long, value_name = "VERSION", default_value = "all")]
    wasmedge: Vec<String>,

    /// Compile the tests ahead of time instead of interpreting them
    #[arg(long)]
    aot: bool,

    /// Only the tests that match this filter of cargo-nextest's
    #[arg(long, value_name = "EXPRESSION")]
    filter: Option<String>,

    /// Only this release of the crates
    #[arg(long, value_name = "VERSION")]
    release: Option<VersionReq>,

    /// The quick selection: its test programs, the newest releases, not natively
    #[arg(long)]
    quick: bool,

    /// Run nothing: judge the latest whole runs again, by the expectations of now
    #[arg(long, conflicts_with_all = ["filter", "quick", "no_upstream"])]
    kept: bool,

    /// Leave out the crates as published
    #[arg(long)]
    no_upstream: bool,

    /// Write docs/conformance.md from the latest whole run of each suite, and
    /// lockfiles where there are none
    #[arg(long)]
    write: bool,
}

/// The versions of WasmEdge that `all` means.
const WASMEDGE: [&str; 2] = ["~0.14.1", "~0.17.1"];

/// Gives whether every test is as expected.
pub fn run(args: &Args) -> Result<bool> {
    let mut report = Report::default();
    run_into(&mut report, args)?;
    Ok(report.print(!is_ci()))
}

/// The quick selection, for continuous integration.
pub fn quick(report: &mut Report) -> Result<()> {
    let args = Args {
        wasmedge: vec!["~0.17.1".to_owned()],
        quick: true,
        ..Args::default()
    };
    run_into(report, &args)
}

fn run_into(report: &mut Report, args: &Args) -> Result<()> {
    let repo = Repo::open()?;
    ensure!(
        Runner::find(&repo) == Runner::Nextest,
        "cargo-nextest is not installed; it runs every test in a process of its own\n  \
         to mend it: ci/install-tools.sh, or cargo install --locked cargo-nextest"
    );
    let mut wanted: Vec<VersionReq> = Vec::new();
    for text in &args.wasmedge {
        match text.as_str() {
            "all" => wanted.extend(WASMEDGE.iter().map(|each| each.parse().expect("a version"))),
            text => wanted.push(text.parse().with_context(|| format!("--wasmedge {text}"))?),
        }
    }
    let suites = suites(&repo, &args.crates)?;
    let tools = Tools::set_up(&repo, &wanted)?;
    for missing in &tools.missing {
        report.left_out(missing);
    }
    for (dir, suite) in &suites {
        // Without a quick selection a suite is for whole runs only.
        if args.quick && suite.0.quick.is_empty() {
            continue;
        }
        for version in &suite.0.versions {
            let is_newest = Some(version) == suite.0.versions.first();
            let is_wanted = match &args.release {
                Some(release) => release.matches(version),
                None => is_newest || !args.quick,
            };
            if is_wanted {
                let suite = Suite::prepare(&repo, &tools, dir.clone(), suite, version)?;
                let run = Run {
                    repo: &repo,
                    tools: &tools,
                    args,
                    suite: &suite,
                };
                let section = run.all(report)?;
                let is_all = tools.wasmedge.len() == WASMEDGE.len();
                let is_whole = is_all && run.is_whole() && !args.no_upstream && !args.aot;
                section.keep(&results_folder(&repo), is_whole)?;
            }
        }
    }
    if args.write {
        let mut names = Vec::new();
        for (_, (head, port)) in self::suites(&repo, &[])? {
            names.extend(
                head.versions
                    .iter()
                    .map(|v| format!("{} {v}", port.krate())),
            );
        }
        let page = repo.root.join("docs/conformance.md");
        page::write(&page, &results_folder(&repo), &names)?;
    }
    Ok(())
}

fn results_folder(repo: &Repo) -> PathBuf {
    repo.target.join("conformance/results")
}

/// The suites of these crates, of all without any; with their folders.
fn suites(repo: &Repo, crates: &[String]) -> Result<Vec<(PathBuf, (SuiteHead, Port))>> {
    let ports = Ports::from_dir(&repo.root)?;
    let mut found = Vec::new();
    let mut known = Vec::new();
    for port in ports.iter() {
        let Some(suite) = port.suite()? else { continue };
        known.push(port.krate().to_owned());
        if crates.is_empty() || crates.iter().any(|name| name == port.krate()) {
            found.push((PathBuf::from(port.label()), suite));
        }
    }
    for name in crates {
        ensure!(
            known.contains(name),
            "no suite of `{name}`; there are: {}",
            known.join(", ")
        );
    }
    Ok(found)
}

/// The runs of one suite.
struct Run<'a> {
    repo: &'a Repo,
    tools: &'a Tools,
    args: &'a Args,
    suite: &'a Suite,
}

impl Run<'_> {
    /// Whether no test is left out.
    fn is_whole(&self) -> bool {
        self.args.filter.is_none() && !self.args.quick
    }

    fn all(&self, report: &mut Report) -> Result<Section> {
        let suite = self.suite;
        let is_whole = self.is_whole();
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
                (sums.passed, failed, excused),
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

    /// The ported crate natively, and the crate as published: every test must go alike.
    fn native(&self, report: &mut Report, section: &mut Section) -> Result<Results> {
        let started = Instant::now();
        self.status("native, ported");
        // Named, so that `cargo wasmedge` builds for it, with the ported crates.
        let host = Some(self.tools.rust.host.as_str());
        let mut ported = self.run("native, ported", host, &self.suite.ported, || {
            self.tools.cargo_wasmedge(self.tools.newest())
        })?;
        section.fails_natively = self.take_failing(&mut ported)?.into_keys().collect();
        let mut failed = 0;
        for (test, outcome) in &ported {
            if let Outcome::Failed(said) = outcome {
                failed += 1;
                anstream::println!(
                    "  {test}: fails natively\n      {}",
                    said.replace('\n', "\n      ")
                );
            }
        }
        let passed = ported
            .values()
            .filter(|how| **how == Outcome::Passed)
            .count();
        let ignored = ported.len() - passed - failed;
        let name = self.suite.name();
        report.note(
            &name,
            "native, ported",
            (passed, failed, ignored),
            started.elapsed(),
        );
        section.take_native(&ported);
        if self.args.no_upstream {
            report.not_asked_for(format!("{name} as published (--no-upstream)"));
            return Ok(ported);
        }

        let started = Instant::now();
        self.status("native, as published");
        let mut published = self.run("native, as published", host, &self.suite.upstream, || {
            let mut command = Command::new(&self.tools.rust.cargo);
            crate::repo::quiet_environment(&mut command);
            command
                .envs(self.tools.rust.env())
                .env("CARGO", &self.tools.rust.cargo);
            command
        })?;
        let mut apart = 0;
        self.take_failing(&mut published)?;
        let all: std::collections::BTreeSet<&String> =
            ported.keys().chain(published.keys()).collect();
        for test in all {
            let words = [ported.get(test), published.get(test)].map(|outcome| match outcome {
                None => "not built",
                Some(Outcome::Passed) => "passes",
                Some(Outcome::Ignored) => "ignored",
                Some(Outcome::Failed(_)) => "fails",
            });
            if words[0] != words[1] {
                apart += 1;
                anstream::println!("  {test}: {} ported, {} as published", words[0], words[1]);
            }
        }
        // Failed is what differs.
        let alike = |wanted: Outcome| {
            let both = published
                .iter()
                .filter(|(test, how)| **how == wanted && ported.get(*test) == Some(*how));
            both.count()
        };
        report.note(
            &name,
            "native, as published",
            (alike(Outcome::Passed), apart, alike(Outcome::Ignored)),
            started.elapsed(),
        );
        Ok(ported)
    }

    /// Takes the tests out that fail natively as published, and gives them. Whether
    /// they do is not looked at: some need the internet, which not every machine has.
    fn take_failing(&self, results: &mut Results) -> Result<Results> {
        let failing = globs(&self.suite.head.fails_natively, "fails-natively")?;
        Ok(results
            .extract_if(.., |test, _| failing.is_match(test))
            .collect())
    }

    fn status(&self, runtime: &str) {
        let what = format_args!("{} ({runtime})", self.suite.name());
        self.repo.shell.status("Testing", what);
    }

    /// Runs the suite in a folder, for the host or else for WasmEdge. What is built
    /// for one run serves the next. The results of a whole run are kept, and are
    /// what is given if that is asked for.
    fn run(
        &self,
        runtime: &str,
        host: Option<&str>,
        folder: &std::path::Path,
        cargo: impl Fn() -> Command,
    ) -> Result<Results> {
        let file = format!("tests/{} {runtime}.json", self.suite.name());
        let file = results_folder(self.repo).join(file);
        if self.args.kept {
            return results::kept(&file);
        }
        let target = self.repo.target.join("conformance/target");
        let programs = self.selected()?;
        let mut results = results::run(
            &self.suite.krate,
            &folder.join("target/nextest/default/junit.xml"),
            |word| {
                let mut command = cargo();
                command.args(["nextest", word]).current_dir(folder);
                if let Some(host) = host {
                    command.args(["--target", host]);
                }
                if !self.suite.head.features.is_empty() {
                    command.args(["--features", &self.suite.head.features.join(",")]);
                }
                match &programs {
                    None => {
                        command.args(&self.suite.head.targets);
                    }
                    Some(programs) => {
                        for program in programs {
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
                command
                    .env("CARGO_TARGET_DIR", &target)
                    // Upstream's checks stay on; the interpreter has less to do, and
                    // nobody steps through it.
                    .env("CARGO_PROFILE_DEV_OPT_LEVEL", "1")
                    .env("CARGO_PROFILE_DEV_DEBUG", "false")
                    .env("CARGO_TERM_QUIET", "true")
                    // Of what a failed test says, the end is kept.
                    .env("RUST_BACKTRACE", "0");
                command
            },
        )?;
        for test in results::not_for_root(&self.suite.head.not_as_root) {
            results.remove(test);
        }
        if self.is_whole() {
            results::keep(&file, &results)?;
        }
        Ok(results)
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
