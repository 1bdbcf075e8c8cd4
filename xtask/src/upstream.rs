//! `cargo xtask upstream`: whether the ports hold for the newest releases.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use cargo_wasmedge::port::{self, Layout, Port, Ported, Ports, Support, Upstream};
use cargo_wasmedge::resolve;
use cargo_wasmedge::resolve::patch::{patch_config, patch_table};
use semver::{Comparator, Op, VersionReq};
use tools_common::sources::copy_sources;
use tools_common::table::table;
use tools_common::{Repo, Report, Runner, Tools};

/// Ported crates that the behaviour tests do not use. They are built with them,
/// with these features.
const ALSO_BUILT: [(&str, &str); 2] = [("hyper-util", "full"), ("tokio-util", "full")];

#[derive(Debug, Default, clap::Args)]
#[command(after_help = "\
Without CRATE all ports are tried at once. Nothing in the checkout is changed:
CONTRIBUTING.md tells what to do with the answer.")]
pub struct Args {
    /// Try only the newest release of this crate, with the covered ones of the others
    #[arg(value_name = "CRATE")]
    krate: Option<String>,
}

/// Gives whether all holds.
pub fn run(args: &Args) -> Result<bool> {
    let repo = Repo::open()?;
    let ports = Ports::from_dir(&repo.root)?;
    if let Some(name) = &args.krate {
        let known: Vec<&str> = ports.iter().map(Port::krate).collect();
        ensure!(
            known.contains(&name.as_str()),
            "no port of `{name}`; there are: {}",
            known.join(", ")
        );
    }
    let tools = Tools::set_up(&repo, &[VersionReq::STAR])?;
    let folder = repo.target.join("xtask/upstream");
    let support = Support::from_dir(&repo.root)?;
    let out = folder.join("crates");
    support.unpack(&out, Layout::Vendor)?;

    let mut rows = vec![["crate", "release", "covered", "port"].map(str::to_owned)];
    let mut ported = Vec::new();
    let mut failed = false;
    for port in ports.iter() {
        let is_tried = args.krate.as_ref().is_none_or(|name| name == port.krate());
        let upstream = fetch(&tools, port, is_tried)?;
        let covered = port.supports(&upstream.version);
        let (made, says) = apply(port, &upstream, &support, &out)?;
        failed |= made.is_none() && !port.is_unchanged(&upstream.version);
        ported.extend(made);
        rows.push([
            port.krate().to_owned(),
            upstream.version.to_string(),
            if covered { "yes" } else { "not yet" }.to_owned(),
            says,
        ]);
    }

    let mut report = Report::default();
    if failed {
        report.left_out("behaviour: a port does not apply");
    } else {
        let tests = prepare(&repo, &folder, &ported, &ports)?;
        let newest = tools.newest();
        let runner = Runner::find(&repo);
        let mut command = tools.plain_cargo(newest);
        command
            .args(runner.args())
            .arg("--release")
            .current_dir(&tests)
            .env("CARGO_TARGET_DIR", repo.target.join("behaviour"));
        let runtime = format!("WasmEdge {}", newest.version);
        repo.shell
            .status("Testing", format_args!("behaviour ({runtime})"));
        report.run("behaviour with these releases", &runtime, || {
            runner.run(&mut command)
        })?;
    }
    anstream::println!("\n{}", table(&rows, 4).trim_end());
    Ok(report.print(!failed))
}

/// The newest release that is compatible with what the port covers, or else the
/// newest one that it covers.
fn fetch(tools: &Tools, port: &Port, newest: bool) -> Result<Upstream> {
    let covered = port
        .requirements()
        .last()
        .context("a port that covers nothing")?;
    let wanted = if newest {
        compatible(covered)
    } else {
        covered.clone()
    };
    Ok(resolve::fetch::fetch(
        &|| Command::new(&tools.rust.cargo),
        port.krate(),
        &wanted,
        false,
    )?)
}

/// `>=1.51.0, <1.55.0` as `^1.51.0`.
fn compatible(covered: &VersionReq) -> VersionReq {
    let mut wanted = VersionReq::STAR;
    for comparator in &covered.comparators {
        if !matches!(comparator.op, Op::Less | Op::LessEq) {
            let op = Op::Caret;
            wanted.comparators = vec![Comparator {
                op,
                ..comparator.clone()
            }];
        }
    }
    wanted
}

/// The ported crate, and what the table says. A rule that does not hold is no
/// error here.
fn apply(
    port: &Port,
    upstream: &Upstream,
    support: &Support,
    out: &Path,
) -> Result<(Option<Ported>, String)> {
    if port.is_unchanged(&upstream.version) {
        return Ok((None, "as published".to_owned()));
    }
    match port::apply(port, upstream, support, out, Layout::Vendor) {
        Ok(ported) => {
            let says = format!("{} rules hold", ported.rules.len());
            Ok((Some(ported), says))
        }
        Err(port::Error::Mismatch(error)) => {
            anstream::eprintln!("error: {error}");
            Ok((None, format!("rule `{}` does not hold", error.rule)))
        }
        Err(other) => Err(other.into()),
    }
}

/// A copy of the behaviour tests that uses these crates.
fn prepare(repo: &Repo, folder: &Path, ported: &[Ported], ports: &Ports) -> Result<PathBuf> {
    let tests = folder.join("behaviour");
    copy_sources(&repo.behaviour(), &tests)?;
    let manifest = tests.join("Cargo.toml");
    let mut document: toml::Table = fs::read_to_string(&manifest)?.parse()?;
    let also = document
        .get_mut("dev-dependencies")
        .and_then(toml::Value::as_table_mut)
        .context("the behaviour tests have no dev-dependencies")?;
    for (name, feature) in ALSO_BUILT {
        let covered = ports.get(name).and_then(|port| port.requirements().last());
        let covered = covered.with_context(|| format!("no port of {name}"))?;
        let mut dependency = toml::Table::new();
        dependency.insert("version".into(), compatible(covered).to_string().into());
        dependency.insert("features".into(), vec![feature].into());
        also.insert(name.into(), dependency.into());
    }
    fs::write(&manifest, document.to_string())?;
    let config = tests.join(".cargo/config.toml");
    fs::create_dir_all(tests.join(".cargo"))?;
    fs::write(&config, patch_config(&patch_table(ported)))
        .with_context(|| format!("cannot write {}", config.display()))?;
    // The newest of everything: no lockfile to begin with.
    match fs::remove_file(tests.join("Cargo.lock")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(tests),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_releases_are_those_that_cargo_calls_compatible() {
        let newest = |covered: &str| compatible(&covered.parse().unwrap()).to_string();
        assert_eq!(newest(">=1.51.0, <1.55.0"), "^1.51.0");
        assert_eq!(newest(">=0.6.3, <0.7.0"), "^0.6.3");
        assert_eq!(newest("~1.2"), "^1.2");
    }
}
