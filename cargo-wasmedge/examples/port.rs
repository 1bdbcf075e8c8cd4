//! Applies one port of a checkout: `port REPO_ROOT CRATE VERSION OUT_DIR`.
//!
//! For authors of ports: cargo fetches the upstream crate, the ported crate and
//! the support crates are written to `OUT_DIR` in vendor layout. A folder in the place
//! of VERSION is the crate's in a checkout of upstream: what its next release will need of the port.

use std::path::Path;
use std::process::{Command, ExitCode};

use cargo_wasmedge::error::{Error, Result};
use cargo_wasmedge::port::{Layout, Port, Ports, Support, apply};
use cargo_wasmedge::resolve::fetch::{fetch, in_folder};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [root, krate, version, out] = args.as_slice() else {
        eprintln!("usage: port REPO_ROOT CRATE VERSION OUT_DIR");
        return ExitCode::FAILURE;
    };
    match run(Path::new(root), krate, version, Path::new(out)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            match error {
                Error::Other(error) => eprintln!("error: {error:#}"),
                error => eprintln!("error: {error}"),
            }
            ExitCode::FAILURE
        }
    }
}

fn run(root: &Path, krate: &str, version: &str, out: &Path) -> Result<()> {
    let ports = Ports::from_dir(root)?;
    let port = ports.get(krate).ok_or_else(|| {
        let known: Vec<&str> = ports.iter().map(Port::krate).collect();
        anyhow::anyhow!("no port of {krate}; there are: {}", known.join(", "))
    })?;
    let upstream = match Path::new(version).is_dir() {
        true => in_folder(&|| Command::new("cargo"), Path::new(version))?,
        false => {
            let exact = format!("={version}");
            let exact = semver::VersionReq::parse(&exact).map_err(anyhow::Error::from)?;
            fetch(&|| Command::new("cargo"), krate, &exact, false)?
        }
    };
    let version = &upstream.version;
    if !port.supports(version) {
        eprintln!("warning: {version} is not among {}", port.supported());
    }
    let support = Support::from_dir(root)?;
    support.unpack(out, Layout::Vendor)?;
    let ported = apply(port, &upstream, &support, out, Layout::Vendor)?;
    for rule in &ported.rules {
        println!("{:24} {:3}", rule.name, rule.count());
        for place in &rule.places {
            let item = place.item.as_deref().unwrap_or_default();
            println!("    {:3}  {}  {item}", place.count, place.file);
        }
    }
    let state = if ported.fresh { "made" } else { "up to date" };
    println!("{state}: {}", ported.dir.display());
    Ok(())
}
