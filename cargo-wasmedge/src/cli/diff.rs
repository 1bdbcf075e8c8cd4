//! `cargo wasmedge diff`

use std::io::Write as _;
use std::path::PathBuf;

use anstyle::{AnsiColor, Style};

use super::global::Global;
use crate::embedded;
use crate::error::Result;
use crate::port::{self, Layout, Ports, Upstream};
use crate::resolve::Resolver;
use crate::vendor;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without --version: the version that the app uses, or else the newest that the port covers."
)]
pub(super) struct Args {
    /// The crate, such as tokio
    #[arg(value_name = "CRATE")]
    krate: String,

    /// Its version
    #[arg(long, value_name = "VERSION")]
    version: Option<semver::Version>,

    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    manifest_path: Option<PathBuf>,
}

pub(super) fn run(args: Args, global: &Global) -> Result<i32> {
    let folder = std::env::current_dir()?;
    let config = global.config(Some(&folder))?;
    let ports = embedded::ports_with_std_facade(&config.std_facade)?;
    let found = match &args.version {
        Some(_) => None,
        None => of_app(&args, &ports, &config.browser_gates, global)?,
    };
    let (upstream, ports) = match (found, &args.version) {
        (Some((upstream, with_evidence)), _) => (upstream, with_evidence),
        (None, Some(version)) => {
            let spec = format!("{}@{version}", args.krate);
            (fetched(&spec, &ports, global)?, ports)
        }
        (None, None) => (fetched(&args.krate, &ports, global)?, ports),
    };
    let Some(port) = ports.get(&upstream.name) else {
        return Ok(0);
    };
    if port.is_unchanged(&upstream.version) {
        global.shell.note(format_args!(
            "{} {} works as published: {}",
            port.krate(),
            upstream.version,
            port.why()
        ));
        return Ok(0);
    }
    let support = embedded::support()?;
    let ported = port::apply(
        port,
        &upstream,
        &support,
        &global.dirs.ported(),
        Layout::Cache,
    )?;
    let diff = port::diff(&upstream.dir, &ported.dir)?;
    let mut out = anstream::stdout().lock();
    for line in diff.lines() {
        let style = style_of(line);
        writeln!(out, "{style}{line}{style:#}")?;
    }
    Ok(0)
}

fn fetched(spec: &str, ports: &Ports, global: &Global) -> Result<Upstream> {
    let offline = global.invocation("diff", None).offline;
    let cargo = global.any_cargo()?;
    vendor::fetch(&*cargo, spec, ports, offline)
}

/// The crate as the app in the working directory uses it, if there is one, and the
/// ports that the app has.
fn of_app(
    args: &Args,
    ports: &Ports,
    browser_gates: &[String],
    global: &Global,
) -> Result<Option<(Upstream, Ports)>> {
    if args.manifest_path.is_none() && !in_package() {
        return Ok(None);
    }
    let cargo = global.cargo()?;
    let invocation = global.invocation("diff", args.manifest_path.clone());
    let (app, _) = global.app(&cargo, &invocation)?;
    let resolver = Resolver {
        cargo: &cargo,
        invocation: &invocation,
        app: &app,
        dirs: &global.dirs,
        ports,
        std_facade: &[],
        weak_random: false,
        browser_gates,
        shell: &global.shell,
    };
    let selection = resolver.select(&mut resolver.lockfiles()?)?;
    for notice in &selection.notices {
        notice.tell(&global.shell);
    }
    let mut all = selection.upstreams.into_iter();
    let found = all.find(|upstream| upstream.name == args.krate);
    Ok(found.map(|upstream| (upstream, selection.ports)))
}

fn in_package() -> bool {
    let Ok(cwd) = std::env::current_dir() else {
        return false;
    };
    cwd.ancestors()
        .any(|folder| folder.join("Cargo.toml").is_file())
}

fn style_of(line: &str) -> Style {
    match line.chars().next() {
        _ if line.starts_with("+++") || line.starts_with("---") => Style::new().bold(),
        Some('+') => AnsiColor::Green.on_default(),
        Some('-') => AnsiColor::Red.on_default(),
        Some('@') => AnsiColor::Cyan.on_default(),
        _ => Style::new(),
    }
}
