//! `cargo wasmedge doctor`

use std::io::Write as _;

use clap_cargo::style;

use super::Global;
use crate::error::{EXIT_NOT_SET_UP, Result};
use crate::toolchain::{self, Env, Status, wasmedge};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exits with 96 when something is missing without which nothing builds or runs."
)]
pub(super) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<i32> {
    let mut env = Env::of_process()?;
    // The variable may also name a version, which is no program to look at.
    let wanted = env
        .var(wasmedge::PROGRAM_VARIABLE)
        .and_then(|value| value.to_str());
    if wanted.is_some_and(|wanted| wanted.parse::<semver::VersionReq>().is_ok()) {
        env = env.without(wasmedge::PROGRAM_VARIABLE);
    }
    let checks = toolchain::doctor_in(&global.dirs, &env);
    let failed = checks.iter().any(|check| check.status == Status::Missing);
    let mut out = anstream::stdout().lock();
    if args.json {
        let json = serde_json::to_string_pretty(&checks).map_err(anyhow::Error::from)?;
        writeln!(out, "{json}")?;
    } else {
        let width = checks
            .iter()
            .map(|check| check.name.len())
            .max()
            .unwrap_or(0);
        for check in &checks {
            let (mark, mark_style) = match check.status {
                Status::Ok => ("ok", style::GOOD),
                Status::Warn => ("warning", style::WARN),
                Status::Missing => ("missing", style::ERROR),
            };
            let detail = check
                .detail
                .replace('\n', &format!("\n{:w$}", "", w = width + 11));
            writeln!(
                out,
                "{:width$}  {mark_style}{mark:<7}{mark_style:#}  {detail}",
                check.name
            )?;
            if let Some(mend) = &check.mend {
                writeln!(out, "{:w$}to mend it: {mend}", "", w = width + 11)?;
            }
        }
    }
    Ok(if failed { EXIT_NOT_SET_UP } else { 0 })
}
