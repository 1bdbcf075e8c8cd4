//! A C compiler for the target, for an app with crates that compile C.

use std::ffi::OsString;

use crate::error::Result;
use crate::toolchain::{Dirs, Env, c};

/// What was found for the crates of an app that compile C.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CCompiler {
    /// Variables that have C compiled for the target. None of them where nothing
    /// compiles C.
    Variables(Vec<(String, OsString)>),
    /// Nothing: why each of those that are there will not do. Whether the build
    /// needs one after all, only the build scripts know.
    Missing(Vec<String>),
}

impl CCompiler {
    /// Looks for one; `needed`: the app has crates that compile C.
    ///
    /// # Errors
    /// The working directory no longer exists.
    pub fn find(needed: bool, dirs: &Dirs) -> Result<CCompiler> {
        let env = Env::of_process()?;
        if !needed {
            return Ok(CCompiler::Variables(Vec::new()));
        }
        Ok(match c::find_in(dirs, &env) {
            Ok(found) => CCompiler::Variables(found.env(&env)),
            Err(_) if c::chosen(&env).is_some() => {
                let headers = c::headers(dirs, &env);
                CCompiler::Variables(c::env_of_users_own(headers.as_deref(), &env))
            }
            Err(reasons) => CCompiler::Missing(reasons),
        })
    }
}
