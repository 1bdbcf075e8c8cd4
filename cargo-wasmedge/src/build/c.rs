//! A C compiler for the target, for an app with crates that compile C.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::error::Result;
use crate::toolchain::{Dirs, Env, c};

/// What was found for the crates of an app that compile C.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CCompiler {
    /// A compiler, or no crate that needs one.
    Found(CBuild),
    /// Nothing: why each of those that are there will not do. Whether the build
    /// needs one after all, only the build scripts know.
    Missing(Vec<String>),
}

/// What has C compiled for the target, and linked. Empty where nothing compiles C.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CBuild {
    /// Variables for cargo.
    pub variables: Vec<(String, OsString)>,
    /// Archives to be linked behind all else.
    pub archives: Vec<PathBuf>,
}

impl CCompiler {
    /// Looks for one; `needed`: the app has crates that compile C.
    ///
    /// # Errors
    /// The working directory no longer exists.
    pub fn find(needed: bool, dirs: &Dirs) -> Result<CCompiler> {
        let env = Env::of_process()?;
        if !needed {
            return Ok(CCompiler::Found(CBuild::default()));
        }
        let (variables, headers) = match c::find_in(dirs, &env) {
            Ok(found) => (found.env(&env), found.headers),
            Err(_) if c::chosen(&env).is_some() => {
                let headers = c::headers(dirs, &env);
                (c::env_of_users_own(headers.as_deref(), &env), headers)
            }
            Err(reasons) => return Ok(CCompiler::Missing(reasons)),
        };
        Ok(CCompiler::Found(CBuild {
            variables,
            archives: headers.as_deref().map(c::archives).unwrap_or_default(),
        }))
    }
}
