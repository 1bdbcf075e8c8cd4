//! Which WasmEdge a program runs under, found once for all runners of a command.

use std::ffi::OsString;
use std::path::PathBuf;

use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::toolchain::wasmedge::{self, WasmEdge};
use crate::toolchain::{Dirs, Env, Origin};

/// Tells the runner which WasmEdge was found, so that it need not look again
/// for every test.
pub const FOUND_VARIABLE: &str = "CARGO_WASMEDGE_FOUND";

/// Content of [`FOUND_VARIABLE`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Found {
    /// The setting that it was found for.
    wanted: Option<String>,
    program: PathBuf,
    version: Version,
}

/// The WasmEdge for the setting `wasmedge`: a version, or a program.
///
/// # Errors
/// [`crate::error::Error::NotSetUp`] when there is none.
pub fn find_wasmedge(dirs: &Dirs, wanted: Option<&str>) -> Result<WasmEdge> {
    let env = Env::of_process()?.without(wasmedge::PROGRAM_VARIABLE);
    match wanted {
        None => wasmedge::find_in(dirs, &env, None),
        Some(text) => match text.parse::<VersionReq>() {
            Ok(req) => wasmedge::find_in(dirs, &env, Some(&req)),
            Err(_) => {
                let env = env.with(wasmedge::PROGRAM_VARIABLE, text);
                wasmedge::find_in(dirs, &env, None)
            }
        },
    }
}

/// The variable that tells the runner of `found`.
pub fn found_variable(wanted: Option<&str>, found: &WasmEdge) -> (String, OsString) {
    let found = Found {
        wanted: wanted.map(str::to_owned),
        program: found.program.clone(),
        version: found.version.clone(),
    };
    let json = serde_json::to_string(&found).unwrap_or_default();
    (FOUND_VARIABLE.to_owned(), json.into())
}

/// The WasmEdge that `cargo wasmedge` found for the same setting.
pub(super) fn handed_down(wanted: Option<&str>) -> Option<WasmEdge> {
    let json = std::env::var(FOUND_VARIABLE).ok()?;
    let found: Found = serde_json::from_str(&json).ok()?;
    (found.wanted.as_deref() == wanted && found.program.is_file()).then_some(WasmEdge {
        program: found.program,
        version: found.version,
        origin: Origin::Configured,
    })
}
