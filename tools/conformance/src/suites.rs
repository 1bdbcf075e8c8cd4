//! Which suites are run, and in which order.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use cargo_wasmedge::port::{Port, Ports, SuiteHead};
use tests_integration::Mode;
use tools_common::repo::is_ci;
use tools_common::setup::versions;
use tools_common::{Repo, Report, Runner, Tools};

use crate::args::Args;
use crate::page;
use crate::results::results_folder;
use crate::run::Run;
use crate::section;
use crate::suite::Suite;

/// Gives whether every test is as expected.
pub(crate) fn run(args: &Args) -> Result<bool> {
    let mut report = Report::default();
    let done = run_into(&mut report, args);
    if let Some(file) = &args.report {
        // What was run before an error is told as well.
        report.keep(file)?;
        return done.map(|()| true);
    }
    done?;
    Ok(report.print(!is_ci()))
}

fn run_into(report: &mut Report, args: &Args) -> Result<()> {
    let repo = Repo::open()?;
    ensure!(
        Runner::find(&repo) == Runner::Nextest,
        "cargo-nextest is not installed; it runs every test in a process of its own\n  \
         help: cargo install --locked cargo-nextest"
    );
    let wanted = args.versions()?;
    let suites = suites(&repo, &args.crates)?;
    let tools = Tools::set_up(&repo, &wanted)?;
    if args.unwind {
        tools.set_up_unwinding(&repo)?;
    }
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
                if args.unwind && suite.unwinding()?.tests.is_empty() {
                    continue;
                }
                let run = Run {
                    repo: &repo,
                    tools: &tools,
                    args,
                    suite: &suite,
                };
                let is_all = tools.wasmedge.len() == versions(&[]).len();
                let is_whole = is_all && args.is_whole() && !args.no_upstream && !args.aot;
                for section in run.all(report)? {
                    section.keep(&results_folder(&repo), is_whole)?;
                }
            }
        }
    }
    if args.write {
        let mut names = Vec::new();
        for (_, (head, port)) in self::suites(&repo, &[])? {
            for version in &head.versions {
                let name = format!("{} {version}", port.krate());
                names.extend(Mode::ALL.map(|mode| (section::name(&name, mode), mode)));
            }
        }
        let page = repo.root.join("docs/conformance.md");
        page::write(&page, &results_folder(&repo), &names)?;
    }
    Ok(())
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
