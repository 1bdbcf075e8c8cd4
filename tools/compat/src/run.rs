//! Apps are built, run against their peers, and compared with what they do natively.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tests_integration::peers::{Peer, make_keys};
use tests_integration::{Guard, Host, Workbench, free_port};
use tools_common::Repo;

use crate::rows::Row;

/// How long an app may take: some start interpreted, on a busy machine.
const RUN_LIMIT: Duration = Duration::from_secs(60);
const ASK_LIMIT: Duration = Duration::from_secs(30);

/// How a row went on one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// As natively (natively: without an error).
    Passed,
    /// Why.
    Failed(String),
    /// Why.
    LeftOut(String),
}

/// The rows are run in these places, with what is built for them.
pub(crate) struct Run<'a> {
    pub(crate) repo: &'a Repo,
    /// Natively first.
    pub(crate) hosts: Vec<Host>,
    workbench: Workbench,
    target: PathBuf,
    keys: tempfile::TempDir,
}

impl<'a> Run<'a> {
    pub(crate) fn new(repo: &'a Repo, hosts: Vec<Host>) -> Result<Run<'a>> {
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

    /// Builds the programs of rows, natively and for the target: those of a workspace
    /// together, since on their own they would share less. A program that does not build is
    /// no error here: it is not there then.
    pub(crate) fn build(&self, rows: &[&Row]) -> Result<()> {
        let bin = self.workbench.cargo_wasmedge()?.to_owned();
        let manifests: BTreeSet<PathBuf> = rows.iter().map(|row| self.manifest(row)).collect();
        for native in [true, false] {
            // So that none is left of an app that no longer builds.
            for program in rows.iter().map(|row| self.program(row, native)) {
                if program.is_file() {
                    fs::remove_file(program)?;
                }
            }
            for manifest in &manifests {
                let mut command = match native {
                    true => self.workbench.cargo(),
                    false => {
                        let mut command = self.workbench.cargo_at(&bin);
                        // Interpreted: unoptimised code would take too long.
                        command
                            .arg("wasmedge")
                            .env("CARGO_PROFILE_DEV_OPT_LEVEL", "1");
                        command
                    }
                };
                command
                    .args(["build", "--workspace", "--keep-going", "--locked"])
                    .arg("--manifest-path")
                    .arg(manifest)
                    .arg("--target-dir")
                    .arg(&self.target)
                    .env("CARGO_PROFILE_DEV_DEBUG", "0");
                let folder = manifest.parent().unwrap_or(manifest);
                let folder = folder.strip_prefix(&self.repo.root).unwrap_or(folder);
                let how = if native { "natively" } else { "for WasmEdge" };
                self.repo
                    .shell
                    .status("Building", format_args!("{} {how}", folder.display()));
                self.repo.succeeds(&mut command)?;
            }
        }
        Ok(())
    }

    pub(crate) fn manifest(&self, row: &Row) -> PathBuf {
        row.manifest(&self.repo.root)
    }

    fn programs(&self, native: bool) -> PathBuf {
        match native {
            true => self.target.join("debug"),
            false => self.target.join("wasm32-wasip1/debug"),
        }
    }

    fn program(&self, row: &Row, native: bool) -> PathBuf {
        let extension = if native { "" } else { ".wasm" };
        let name = format!("{}{extension}", row.package());
        self.programs(native).join(name)
    }

    /// One outcome per host.
    pub(crate) fn row(&self, row: &Row) -> Result<Vec<Outcome>> {
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
                host if row.compiled => host.compiled(),
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
        let program = self.program(row, host.is_native());
        ensure!(program.is_file(), "does not build");
        let folder = tempfile::tempdir()?;
        for entry in self.keys.path().read_dir()? {
            let entry = entry?;
            fs::copy(entry.path(), folder.path().join(entry.file_name()))?;
        }
        fs::create_dir(folder.path().join("www"))?;
        fs::write(folder.path().join("www/page.html"), "<p>a page</p>\n")?;
        let running = peer.map(|peer| peer.start(self.keys.path())).transpose()?;
        let mut words = vec![("{port}", free_port()?.to_string())];
        if let Some(running) = &running {
            words.push(("{peer}", running.address.to_string()));
            words.push(("{peer-port}", running.address.port().to_string()));
            let tls = running.secure;
            words.extend(tls.map(|tls| ("{tls-port}", tls.port().to_string())));
        }
        let filled = |text: &String| {
            let fill = |text: String, (word, value): &(&str, String)| text.replace(word, value);
            words.iter().fold(text.clone(), fill)
        };
        // Each host has ports of its own, which must not tell what is printed apart.
        let told = |text: &str| {
            let tell = |text: String, (word, value): &(&str, String)| text.replace(value, word);
            words.iter().fold(text.to_owned(), tell)
        };
        let mut command = self.workbench.run_program(&program, host)?;
        command
            .args(row.args.iter().map(filled))
            .current_dir(folder.path());
        for variable in row.env.iter().map(filled) {
            let (name, value) = variable.split_once('=').context("no `=`")?;
            command.env(name, value);
        }
        if row.asks.is_empty() {
            return Ok(told(&Guard::run(command, RUN_LIMIT)?.successful()?.stdout));
        }
        let mut guard = Guard::start(command)?;
        let line = guard.expect_within(RUN_LIMIT, &row.ready)?;
        let (_, address) = line.split_once(&row.ready).context("no address")?;
        let native = self.programs(true).display().to_string();
        let mut printed = String::new();
        for ask in &row.asks {
            let mut shell = Command::new("sh");
            let ask = filled(ask)
                .replace("{app}", address)
                .replace("{native}", &native);
            shell.args(["-c", &ask]).current_dir(folder.path());
            let ended = Guard::run(shell, ASK_LIMIT)?;
            ensure!(guard.is_running()?, "ended: {}", guard.stderr());
            writeln!(printed, "{}", told(&ended.stdout))?;
        }
        Ok(printed)
    }

    /// Names of the crates in a workspace's graph that have a port.
    pub(crate) fn ported(&self, manifest: &Path) -> Result<BTreeSet<String>> {
        let mut command = self.workbench.cargo_at(self.workbench.cargo_wasmedge()?);
        command
            .args(["wasmedge", "env", "--json", "--manifest-path"])
            .arg(manifest);
        let ended = Guard::run(command, 3 * RUN_LIMIT)?.successful()?;
        let json: serde_json::Value = serde_json::from_str(&ended.stdout)?;
        let list = json["ported"].as_array().context("no `ported`")?;
        let names = list.iter().filter_map(|each| each["name"].as_str());
        Ok(names.map(str::to_owned).collect())
    }
}
