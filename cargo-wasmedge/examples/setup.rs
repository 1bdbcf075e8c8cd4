//! Sets up a Rust toolchain and WasmEdge, then says what is there.
//!
//! ```text
//! cargo run -p cargo-wasmedge --example setup -- all           # rust, WasmEdge 0.14 and 0.17
//! cargo run -p cargo-wasmedge --example setup -- rust 0.17.1
//! cargo run -p cargo-wasmedge --example setup -- doctor
//! ```

use cargo_wasmedge::error::Error;
use cargo_wasmedge::toolchain::{Dirs, What, doctor, setup};

fn main() {
    if let Err(error) = run() {
        eprintln!("error: {error}");
        std::process::exit(error.exit_code());
    }
}

fn run() -> Result<(), Error> {
    let dirs = Dirs::new()?;
    let mut what = What::default();
    for word in std::env::args().skip(1) {
        match word.as_str() {
            "all" => what = all()?,
            "rust" => what.rust = true,
            "doctor" => {
                for check in doctor(&dirs)? {
                    println!("{:?} {}: {}", check.status, check.name, check.detail);
                    if let Some(mend) = check.mend {
                        println!("    help: {mend}");
                    }
                }
                return Ok(());
            }
            version => what.wasmedge.push(requirement(version)?),
        }
    }
    let report = |verb: &str, message: &str| eprintln!("{verb:>12} {message}");
    let set_up = setup(&dirs, &what, &report)?;
    if let Some(rust) = set_up.rust {
        println!("cargo={}", rust.cargo.display());
        for (name, value) in rust.env() {
            println!("{name}={}", value.display());
        }
    }
    for one in set_up.wasmedge {
        println!("wasmedge-{}={}", one.version, one.program.display());
    }
    Ok(())
}

fn all() -> Result<What, Error> {
    Ok(What {
        rust: true,
        c: false,
        unwinding: false,
        wasmedge: vec![requirement("~0.14.1")?, requirement("~0.17.1")?],
    })
}

fn requirement(text: &str) -> Result<semver::VersionReq, Error> {
    text.parse().map_err(|error: semver::Error| {
        anyhow::Error::new(error)
            .context(format!("{text} is no version"))
            .into()
    })
}
