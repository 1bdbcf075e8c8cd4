//! Applies one port of a checkout: `port REPO_ROOT CRATE VERSION OUT_DIR`.
//!
//! For authors of ports: cargo fetches the upstream crate, the ported crate and
//! the support crates are written to `OUT_DIR` in vendor layout.

use std::path::Path;
use std::process::ExitCode;

use cargo_wasmedge::error::{EXIT_UNSUPPORTED_VERSION, Result};
use cargo_wasmedge::port::{self, Layout, Ports, Support, Upstream};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [root, krate, version, out] = args.as_slice() else {
        eprintln!("usage: port REPO_ROOT CRATE VERSION OUT_DIR");
        return ExitCode::FAILURE;
    };
    match run(Path::new(root), krate, version, Path::new(out)) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            match &error {
                cargo_wasmedge::error::Error::Other(error) => eprintln!("error: {error:#}"),
                error => eprintln!("error: {error}"),
            }
            ExitCode::from(error.exit_code() as u8)
        }
    }
}

fn run(root: &Path, krate: &str, version: &str, out: &Path) -> Result<u8> {
    let ports = Ports::from_dir(root)?;
    let Some(port) = ports.get(krate) else {
        let known: Vec<&str> = ports.iter().map(port::Port::krate).collect();
        eprintln!("error: no port of {krate}; there are: {}", known.join(", "));
        return Ok(1);
    };
    let exact = semver::VersionReq::parse(&format!("={version}")).map_err(anyhow::Error::from)?;
    let upstream = Upstream::fetch(Path::new("cargo"), krate, &exact, &[])?;
    if !port.supports(&upstream.version) {
        eprintln!("warning: {version} is not among {}", port.supported());
    }
    let support = Support::from_dir(root)?;
    support.unpack(out, Layout::Vendor)?;
    let ported = port::apply(port, &upstream, &support, out, Layout::Vendor)?;
    for rule in &ported.rules {
        println!("{:24} {:3}", rule.name, rule.count());
        for place in &rule.places {
            let item = place.item.as_deref().unwrap_or_default();
            println!("    {:3}  {}  {item}", place.count, place.file);
        }
    }
    let state = if ported.fresh { "made" } else { "up to date" };
    println!("{state}: {}", ported.dir.display());
    let code = if port.supports(&upstream.version) {
        0
    } else {
        EXIT_UNSUPPORTED_VERSION
    };
    Ok(code as u8)
}
