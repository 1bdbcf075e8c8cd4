//! `cargo xtask ports`: what the ports say that they cover is ported and built, release by
//! release. With `--write` the result goes into docs/supported.md.
//!
//! Built means `cargo check` for the target, in an app that depends on the crate and calls
//! nothing of it: linking such an app would add nothing. What ported crates do is for the
//! behaviour tests.

mod app;
mod page;
mod releases;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail, ensure};
use cargo_wasmedge::port::{Port, Ports};
use clap::Parser;
use semver::VersionReq;
use tools_common::table::table;
use tools_common::{Repo, Tools};

use crate::app::{Apps, Used};
use crate::page::Built;
use crate::releases::Choice;

/// Port and build every release that a port covers
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", disable_help_subcommand = true)]
enum Tool {
    /// Port and build the releases that the ports cover
    Ports(Args),
}

#[derive(Debug, Default, clap::Args)]
#[command(after_help = "\
The first and the last release of each minor one, unless --all-releases asks for all.
Releases that were yanked are left out. What cargo says of each is in
target/ports/logs.")]
struct Args {
    /// Only the ports of these crates
    #[arg(value_name = "CRATE")]
    crates: Vec<String>,

    /// Every release, not the first and the last of each minor one only
    #[arg(long)]
    all_releases: bool,

    /// Write the table of docs/supported.md; rows of other crates stay
    #[arg(long)]
    write: bool,
}

fn main() -> ExitCode {
    let Tool::Ports(args) = Tool::parse();
    tools_common::exit_code(run(&args))
}

/// Gives whether every release was built, and the page says what the ports say.
fn run(args: &Args) -> Result<bool> {
    let repo = Repo::open()?;
    let ports = Ports::from_dir(&repo.root)?;
    let chosen = chosen(&ports, &args.crates)?;
    let tools = Tools::set_up(&repo, &[VersionReq::STAR])?;
    let apps = Apps::new(&repo, &tools)?;
    let mut rows = vec![["crate", "release", "used", "result", "seconds"].map(str::to_owned)];
    let mut left_out = Vec::new();
    let mut built = BTreeMap::new();
    let mut failed = 0;
    for port in chosen {
        let name = port.krate();
        let published = releases::published(&tools, name)?;
        let choice = Choice::of(
            &published,
            |version| port.supports(version),
            args.all_releases,
        );
        left_out.extend(choice.yanked.iter().map(|v| format!("{name} {v}: yanked")));
        let empty = releases::without_a_release(port.requirements(), &published);
        left_out.extend(
            empty
                .iter()
                .map(|req| format!("{name} {req}: nothing is published")),
        );
        let mut well = Vec::new();
        let newest = choice.versions.last().cloned();
        let also = apps.also(name).iter().map(|set| Some(set.as_slice()));
        let also = newest
            .iter()
            .flat_map(|version| also.clone().map(|features| (version.clone(), features)));
        let releases = choice.versions.into_iter().map(|version| (version, None));
        for (version, features) in releases.chain(also) {
            let shown = match features {
                Some(features) => format!("{version} ({})", features.join(", ")),
                None => version.to_string(),
            };
            repo.shell
                .status("Building", format_args!("{name} {shown}"));
            let started = Instant::now();
            let result = apps.build(name, &version, features)?;
            let (used, says) = match &result {
                Ok(Used::Ported) => ("ported", "ok"),
                Ok(Used::AsPublished) => ("as published", "ok"),
                Err(error) => ("", error.as_str()),
            };
            let seconds = format!("{:.1}", started.elapsed().as_secs_f32());
            let row = [name, &shown, used, says, &seconds];
            rows.push(row.map(str::to_owned));
            match result {
                Ok(used) if features.is_none() => well.push((version, used)),
                Ok(_) => {}
                Err(error) => {
                    failed += 1;
                    repo.shell
                        .warn(format_args!("{name} {shown} does not build: {error}"));
                }
            }
        }
        built.insert(name.to_owned(), Built::of(&well));
    }
    anstream::println!("\n{}", table(&rows, 4).trim_end());
    for line in &left_out {
        anstream::println!("left out: {line}");
    }
    anstream::println!(
        "{} built, {failed} failed, {} left out",
        rows.len() - 1 - failed,
        left_out.len()
    );
    let page = repo.root.join(page::PAGE);
    if args.write && failed == 0 {
        page::write(&page, &ports, &built)?;
        return Ok(true);
    }
    if let Err(error) = page::check(&page, &ports) {
        bail!("{error:#}\n  help: cargo xtask ports --write");
    }
    Ok(failed == 0)
}

/// The ports of these crates, or all.
fn chosen<'a>(ports: &'a Ports, crates: &[String]) -> Result<Vec<&'a Port>> {
    for name in crates {
        let known: Vec<&str> = ports.iter().map(Port::krate).collect();
        ensure!(
            known.contains(&name.as_str()),
            "no port of `{name}`; there are: {}",
            known.join(", ")
        );
    }
    let is_chosen = |port: &&Port| crates.is_empty() || crates.iter().any(|c| c == port.krate());
    Ok(ports.iter().filter(is_chosen).collect())
}
