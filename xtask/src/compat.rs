//! `cargo xtask compat`: published crates in small apps, natively and under
//! WasmEdge, against real peers. With `--write` the result is a page.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use cargo_metadata::{Metadata, MetadataCommand, PackageId};
use cargo_wasmedge::toolchain::{self, Dirs, What};
use semver::VersionReq;
use serde::Deserialize;
use tests_integration::build::BIN_VARIABLE;
use tests_integration::host::{Hosts, Mode};
use tests_integration::peers::{Peer, make_keys};
use tests_integration::{Guard, Host, Workbench, free_port};

use crate::repo::{Repo, is_ci};
use crate::setup::Tools;

const FOLDER: &str = "tests-integration/compat";
const PAGE: &str = "docs/compatibility.md";
const WASMEDGE: [&str; 2] = ["~0.14.1", "~0.17.1"];

/// How long an app may take: some start interpreted, on a busy machine.
const RUN_LIMIT: Duration = Duration::from_secs(60);
const ASK_LIMIT: Duration = Duration::from_secs(30);

#[derive(Debug, Default, clap::Args)]
#[command(after_help = "\
Starts Debian's redis-server, postgresql, mariadb-server, nginx, mosquitto,
nats-server and memcached on loopback, where they are installed, and ends them.
ci/install-peers.sh installs them.")]
pub struct Args {
    /// Run only rows of these apps
    rows: Vec<String>,

    /// Use what was built before
    #[arg(long)]
    no_build: bool,

    /// Write docs/compatibility.md; it says of other rows that they were not run
    #[arg(long)]
    write: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    row: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    app: String,
    #[serde(default)]
    args: Vec<String>,
    peer: Option<String>,
    #[serde(default)]
    asks: Vec<String>,
    crates: Vec<String>,
    what: String,
    #[serde(default)]
    compiled: bool,
    cannot: Option<String>,
}

/// How a row went on one host.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    /// As natively (natively: without an error).
    Passed,
    Failed(String),
    LeftOut(String),
}

pub fn run(args: &Args) -> Result<bool> {
    let repo = Repo::open()?;
    if std::env::var_os(BIN_VARIABLE).is_none() {
        let versions: Vec<VersionReq> = WASMEDGE
            .iter()
            .map(|text| text.parse())
            .collect::<Result<_, _>>()?;
        let tools = Tools::set_up(&repo, &versions)?;
        let what = What {
            c: true,
            ..What::default()
        };
        toolchain::setup(&Dirs::new()?, &what, &repo.shell)?;
        // The workbench takes the program to use from its environment.
        let mut again = Command::new(std::env::current_exe()?);
        again
            .args(std::env::args_os().skip(1))
            .env(BIN_VARIABLE, &tools.cargo_wasmedge);
        std::process::exit(cargo_wasmedge::process::replace(again)?);
    }
    let text = fs::read_to_string(repo.root.join(FOLDER).join("rows.toml"))?;
    let rows: Rows = toml::from_str(&text).context("rows.toml")?;
    if !args.rows.is_empty() {
        for name in &args.rows {
            let known = rows.row.iter().any(|row| row.app == *name);
            ensure!(known, "no row has the app {name}");
        }
    }
    let mut hosts = vec![Host::Native];
    let found = Hosts::find()?;
    for edge in found.wasmedges {
        hosts.push(Host::WasmEdge(edge, Mode::Interpreted));
    }
    for missing in found.left_out {
        repo.shell.warn(format_args!("no WasmEdge {missing}"));
    }
    let run = Run::new(&repo, hosts)?;
    if !args.no_build {
        run.build()?;
    }
    let mut results = Vec::new();
    for row in &rows.row {
        let chosen = args.rows.is_empty() || args.rows.contains(&row.app);
        results.push(match chosen {
            true => run.row(row)?,
            false => vec![Outcome::LeftOut("not chosen".to_owned()); run.hosts.len()],
        });
    }
    if args.write {
        let page = run.page(&rows.row, &results)?;
        fs::write(repo.root.join(PAGE), page).context(PAGE)?;
    }
    let mut failed = false;
    for (row, outcomes) in rows.row.iter().zip(&results) {
        for (host, outcome) in run.hosts.iter().zip(outcomes) {
            let cannot = row.cannot.is_some() && !host.is_native();
            failed |= match outcome {
                Outcome::Passed if cannot => {
                    let app = &row.app;
                    repo.shell.warn(format_args!(
                        "{app} ({host}): passes, and rows.toml says why it cannot"
                    ));
                    true
                }
                Outcome::Passed => false,
                Outcome::Failed(_) => !cannot,
                Outcome::LeftOut(_) => is_ci() && args.rows.is_empty(),
            };
        }
    }
    Ok(!failed)
}

struct Run<'a> {
    repo: &'a Repo,
    hosts: Vec<Host>,
    workbench: Workbench,
    target: PathBuf,
    keys: tempfile::TempDir,
}

impl<'a> Run<'a> {
    fn new(repo: &'a Repo, hosts: Vec<Host>) -> Result<Run<'a>> {
        let target = repo.target.join("compat");
        fs::create_dir_all(&target)?;
        let keys = tempfile::tempdir()?;
        make_keys(keys.path())?;
        Ok(Run {
            repo,
            hosts,
            workbench: Workbench::new(target.clone()),
            target,
            keys,
        })
    }

    fn manifest(&self) -> PathBuf {
        self.repo.root.join(FOLDER).join("Cargo.toml")
    }

    /// Builds all apps, natively and for the target: on their own they would
    /// share less. An app that does not build is no error here: it has no program.
    fn build(&self) -> Result<()> {
        let bin = self.workbench.cargo_wasmedge()?.to_owned();
        for (name, mut command) in [
            ("natively", self.workbench.cargo()),
            ("for WasmEdge", self.workbench.cargo_at(&bin)),
        ] {
            if name != "natively" {
                command.arg("wasmedge");
            }
            command
                .args(["build", "--workspace", "--keep-going", "--locked"])
                .arg("--manifest-path")
                .arg(self.manifest())
                .arg("--target-dir")
                .arg(&self.target)
                .env("CARGO_PROFILE_DEV_DEBUG", "0");
            if name != "natively" {
                // Interpreted: unoptimised code would take too long.
                command.env("CARGO_PROFILE_DEV_OPT_LEVEL", "1");
            }
            self.forget_programs(name == "natively")?;
            self.repo
                .shell
                .status("Building", format_args!("the apps {name}"));
            self.repo.succeeds(&mut command)?;
        }
        Ok(())
    }

    /// So that none is left of an app that no longer builds.
    fn forget_programs(&self, native: bool) -> Result<()> {
        let folder = self.program("", native);
        let folder = folder.parent().unwrap_or(&self.target);
        for entry in folder.read_dir().into_iter().flatten() {
            let path = entry?.path();
            if path.is_file() {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    fn program(&self, app: &str, native: bool) -> PathBuf {
        match native {
            true => self.target.join(format!("debug/{app}-app")),
            false => self
                .target
                .join(format!("wasm32-wasip1/debug/{app}-app.wasm")),
        }
    }

    /// One outcome per host.
    fn row(&self, row: &Row) -> Result<Vec<Outcome>> {
        let title = format!(
            "{} {}",
            row.app,
            row.args.first().map_or("", String::as_str)
        );
        let peer = row.peer.as_deref().map(Peer::named).transpose()?;
        if let Some(missing) = peer.filter(|peer| !peer.is_here()) {
            let reason = format!(
                "{} is not installed: run ci/install-peers.sh",
                missing.program()
            );
            self.repo.shell.warn(format_args!("{title}: {reason}"));
            return Ok(vec![Outcome::LeftOut(reason); self.hosts.len()]);
        }
        let mut natively = None;
        let mut outcomes = Vec::new();
        for host in &self.hosts {
            let compiled = match host {
                Host::WasmEdge(edge, _) if row.compiled => {
                    Host::WasmEdge(edge.clone(), Mode::Compiled)
                }
                other => other.clone(),
            };
            let printed = self.printed(row, peer, &compiled);
            let outcome = match (printed, &natively) {
                (Err(error), _) => Outcome::Failed(format!("{error:#}")),
                (Ok(printed), None) if host.is_native() => {
                    natively = Some(printed);
                    Outcome::Passed
                }
                (Ok(_), None) => Outcome::Failed("fails natively".to_owned()),
                (Ok(printed), Some(native)) if printed == *native => Outcome::Passed,
                (Ok(printed), Some(native)) => Outcome::Failed(format!(
                    "prints something else\n--- natively\n{native}\n--- here\n{printed}"
                )),
            };
            match &outcome {
                Outcome::Failed(why) => {
                    self.repo
                        .shell
                        .warn(format_args!("{title} ({host}): {why}"));
                }
                _ => self
                    .repo
                    .shell
                    .status("Passed", format_args!("{title} ({host})")),
            }
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }

    /// What a row prints on a host.
    fn printed(&self, row: &Row, peer: Option<Peer>, host: &Host) -> Result<String> {
        let program = self.program(&row.app, host.is_native());
        ensure!(program.is_file(), "does not build");
        let folder = tempfile::tempdir()?;
        for entry in self.keys.path().read_dir()? {
            let entry = entry?;
            fs::copy(entry.path(), folder.path().join(entry.file_name()))?;
        }
        fs::create_dir(folder.path().join("www"))?;
        fs::write(folder.path().join("www/page.html"), "<p>a page</p>\n")?;
        let running = peer.map(|peer| peer.start(self.keys.path())).transpose()?;
        let port = free_port()?;
        let filled = |text: &String| {
            let mut text = text.replace("{port}", &port.to_string());
            if let Some(running) = &running {
                text = text
                    .replace("{peer}", &running.address.to_string())
                    .replace("{peer-port}", &running.address.port().to_string());
                if let Some(tls) = running.secure {
                    text = text.replace("{tls-port}", &tls.port().to_string());
                }
            }
            text
        };
        let mut command = self.workbench.run_program(&program, host)?;
        command
            .args(row.args.iter().map(filled))
            .current_dir(folder.path());
        if row.asks.is_empty() {
            return Ok(Guard::run(command, RUN_LIMIT)?.successful()?.stdout);
        }
        let mut guard = Guard::start(command)?;
        let line = guard.expect_within(RUN_LIMIT, "listening on ")?;
        let (_, address) = line.split_once("listening on ").context("no address")?;
        let mut printed = String::new();
        for ask in &row.asks {
            let mut shell = Command::new("sh");
            let ask = ask.replace("{app}", address);
            shell.args(["-c", &ask]).current_dir(folder.path());
            let ended = Guard::run(shell, ASK_LIMIT)?;
            ensure!(guard.is_running()?, "ended: {}", guard.stderr());
            writeln!(printed, "{}", ended.stdout)?;
        }
        Ok(printed)
    }

    fn page(&self, rows: &[Row], results: &[Vec<Outcome>]) -> Result<String> {
        let metadata = MetadataCommand::new()
            .manifest_path(self.manifest())
            .other_options(["--locked".to_owned()])
            .exec()?;
        let ported = self.ported()?;
        let mut page = String::from(
            "# Compatibility\n\n\
             Written by `cargo xtask compat --write`. Every row is an app in `tests-integration/compat`,\n\
             made of published crates without a word about WasmEdge. It runs natively and under\n\
             each WasmEdge, against a real peer where one is named, and has to print the same.\n\n",
        );
        let columns: Vec<String> = self.hosts.iter().map(ToString::to_string).collect();
        writeln!(
            page,
            "| crates | exercised | peer | ports | {} |",
            columns.join(" | ")
        )?;
        writeln!(page, "|{}", "---|".repeat(4 + columns.len()))?;
        let (mut notes, mut passed) = (String::new(), 0);
        for (row, outcomes) in rows.iter().zip(results) {
            let crates: Vec<String> = row
                .crates
                .iter()
                .map(|krate| versions(&metadata, krate))
                .collect::<Result<_>>()?;
            let mut cells = Vec::new();
            for (host, outcome) in self.hosts.iter().zip(outcomes) {
                cells.push(match outcome {
                    Outcome::Passed => "passes",
                    Outcome::Failed(why) => {
                        let first = why.lines().next().unwrap_or_default();
                        let first = row.cannot.as_deref().unwrap_or(first);
                        writeln!(
                            notes,
                            "* {} ({}), {host}: {first}",
                            row.crates.join(", "),
                            row.what
                        )?;
                        "**fails**"
                    }
                    Outcome::LeftOut(_) => "not run",
                });
            }
            passed += usize::from(outcomes.iter().all(|outcome| *outcome == Outcome::Passed));
            let used = closure(&metadata, &row.app)?;
            let used: Vec<&str> = ported
                .iter()
                .filter(|name| used.contains(*name))
                .map(String::as_str)
                .collect();
            writeln!(
                page,
                "| {} | {}{} | {} | {} | {} |",
                crates.join(", "),
                row.what,
                if row.compiled {
                    " (compiled ahead of time)"
                } else {
                    ""
                },
                row.peer.as_deref().unwrap_or_default(),
                used.join(", "),
                cells.join(" | ")
            )?;
        }
        let summary = format!("{passed} of {} rows pass everywhere", rows.len());
        self.repo.shell.status("Finished", &summary);
        writeln!(page, "\n{summary}.")?;
        if !notes.is_empty() {
            write!(page, "\n## What fails\n\n{notes}")?;
        }
        Ok(page)
    }

    /// Names of the crates in the apps' graph that have a port.
    fn ported(&self) -> Result<BTreeSet<String>> {
        let mut command = self.workbench.cargo_at(self.workbench.cargo_wasmedge()?);
        command
            .args(["wasmedge", "env", "--json", "--manifest-path"])
            .arg(self.manifest());
        let ended = Guard::run(command, 3 * RUN_LIMIT)?.successful()?;
        let json: serde_json::Value = serde_json::from_str(&ended.stdout)?;
        let list = json["ported"].as_array().context("no `ported`")?;
        let names = list.iter().filter_map(|each| each["name"].as_str());
        Ok(names.map(str::to_owned).collect())
    }
}

fn versions(metadata: &Metadata, krate: &str) -> Result<String> {
    let mut found: Vec<String> = metadata
        .packages
        .iter()
        .filter(|package| package.name == krate && package.source.is_some())
        .map(|package| package.version.to_string())
        .collect();
    ensure!(!found.is_empty(), "no app depends on {krate}");
    found.sort();
    Ok(format!("{krate} {}", found.join(", ")))
}

/// Names of all crates that are built into an app.
fn closure(metadata: &Metadata, app: &str) -> Result<BTreeSet<String>> {
    let resolve = metadata.resolve.as_ref().context("nothing is resolved")?;
    let nodes: BTreeMap<&PackageId, _> =
        resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let root = metadata
        .packages
        .iter()
        .find(|package| *package.name == format!("{app}-app"));
    let mut todo = vec![&root.with_context(|| format!("no app {app}"))?.id];
    let mut seen = BTreeSet::new();
    while let Some(id) = todo.pop() {
        if seen.insert(id) {
            todo.extend(nodes.get(id).iter().flat_map(|node| &node.dependencies));
        }
    }
    let packages = metadata
        .packages
        .iter()
        .filter(|package| seen.contains(&package.id));
    Ok(packages.map(|package| package.name.to_string()).collect())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn rows_are_well_formed() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(FOLDER);
        let text = fs::read_to_string(folder.join("rows.toml")).unwrap();
        let rows: Rows = toml::from_str(&text).unwrap();
        for row in &rows.row {
            assert!(
                folder
                    .join("apps")
                    .join(&row.app)
                    .join("src/main.rs")
                    .is_file()
            );
            if let Some(peer) = &row.peer {
                Peer::named(peer).unwrap();
            }
        }
    }
}
