//! `cargo wasmedge env`

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::path::PathBuf;

use serde::Serialize;

use super::global::Global;
use crate::build::unwinding;
use crate::error::Result;
use crate::prepare::prepare;
use crate::resolve::Resolver;
use crate::shell::quoted;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
For tools that call cargo themselves: give them the variables, and the arguments
in front of the subcommand. What is printed holds until a Cargo.toml or the
Cargo.lock changes.")]
pub(super) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,

    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    manifest_path: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Output {
    cargo: String,
    env: BTreeMap<String, String>,
    args: Vec<String>,
    ported: Vec<Port>,
    keeps_lockfile: bool,
}

#[derive(Debug, Serialize)]
struct Port {
    name: String,
    version: String,
    dir: String,
}

pub(super) fn run(args: Args, global: &Global) -> Result<i32> {
    let cargo = global.cargo()?;
    let invocation = global.invocation("env", args.manifest_path);
    let (app, config) = global.app(&cargo, &invocation)?;
    let cargo = match config.unwind {
        true => unwinding(cargo, &global.dirs, &app.shared_dir().join("unwinding"))?,
        false => cargo,
    };
    let ports = app.ports(&config)?;
    let resolver = Resolver {
        cargo: &cargo,
        invocation: &invocation,
        app: &app,
        dirs: &global.dirs,
        ports: &ports,
        std_facade: &config.std_facade,
        weak_random: config.weak_random,
        browser_gates: &config.browser_gates,
        shell: &global.shell,
    };
    let prepared = prepare(&resolver)?;
    let text = |value: &OsStr| value.to_string_lossy().into_owned();
    let mut env: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in cargo.toolchain().env() {
        env.insert(name.to_owned(), text(value.as_os_str()));
    }
    for (name, value) in cargo.more().iter().chain(&prepared.overrides.env) {
        env.insert(name.clone(), text(value));
    }
    if let Some(target) = prepared.overrides.target {
        env.insert("CARGO_BUILD_TARGET".to_owned(), target);
    }
    let args_of = |args: &[OsString]| args.iter().map(|arg| text(arg)).collect::<Vec<_>>();
    let output = Output {
        cargo: text(cargo.program().as_os_str()),
        env,
        args: args_of(&prepared.overrides.config),
        ported: prepared
            .ported
            .iter()
            .map(|ported| Port {
                name: ported.name.clone(),
                version: ported.version.to_string(),
                dir: text(ported.dir.as_os_str()),
            })
            .collect(),
        keeps_lockfile: prepared.lockfiles.by_path(),
    };
    let mut out = anstream::stdout().lock();
    if args.json {
        let json = serde_json::to_string_pretty(&output).map_err(anyhow::Error::from)?;
        writeln!(out, "{json}")?;
        return Ok(0);
    }
    for (name, value) in &output.env {
        writeln!(out, "export {name}={}", quoted(value))?;
    }
    let words: Vec<String> = std::iter::once(&output.cargo)
        .chain(&output.args)
        .map(|word| quoted(word))
        .collect();
    writeln!(out, "# {} SUBCOMMAND", words.join(" "))?;
    if !output.keeps_lockfile {
        writeln!(
            out,
            "# This cargo ({}) cannot use another lockfile: called like this it changes Cargo.lock.",
            cargo.toolchain().cargo_version
        )?;
    }
    Ok(0)
}
