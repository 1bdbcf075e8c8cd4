//! What was found, and how build scripts are made to use it.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::toolchain::env::Env;
use crate::toolchain::find::Origin;

/// Names of the variables in which a user chooses for our target.
const CC_VARIABLES: [&str; 3] = ["CC_wasm32_wasip1", "CC_wasm32-wasip1", "TARGET_CC"];
const AR_VARIABLES: [&str; 3] = ["AR_wasm32_wasip1", "AR_wasm32-wasip1", "TARGET_AR"];
const CFLAGS_VARIABLES: [&str; 3] = [
    "CFLAGS_wasm32_wasip1",
    "CFLAGS_wasm32-wasip1",
    "TARGET_CFLAGS",
];

/// A clang and an archiver for `wasm32-wasip1`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CToolchain {
    /// The compiler.
    pub clang: PathBuf,
    /// The archiver, llvm-ar.
    pub ar: PathBuf,
    /// The folder of wasi-libc's headers.
    pub headers: Option<PathBuf>,
    /// Where the compiler was found.
    pub origin: Origin,
}

impl CToolchain {
    /// Variables for cargo, without those for which `env` holds the user's choice.
    pub fn env(&self, env: &Env) -> Vec<(String, OsString)> {
        let is_free = |names: [&str; 3]| names.iter().all(|name| env.var(name).is_none());
        let mut set = Vec::new();
        if is_free(CC_VARIABLES) {
            set.push((CC_VARIABLES[0].to_owned(), self.clang.clone().into()));
            if let Some(headers) = self.headers.as_ref().filter(|_| is_free(CFLAGS_VARIABLES)) {
                let mut flags = OsString::from("-isystem ");
                flags.push(headers);
                set.push((CFLAGS_VARIABLES[0].to_owned(), flags));
            }
        }
        if is_free(AR_VARIABLES) {
            set.push((AR_VARIABLES[0].to_owned(), self.ar.clone().into()));
        }
        set
    }
}

/// Whether the user chose a compiler for our target.
pub fn is_chosen(env: &Env) -> bool {
    CC_VARIABLES.iter().any(|name| env.var(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toolchain() -> CToolchain {
        CToolchain {
            clang: "/clang".into(),
            ar: "/llvm-ar".into(),
            headers: Some("/include".into()),
            origin: Origin::Path,
        }
    }

    fn names(env: &Env) -> Vec<String> {
        let set = toolchain().env(env);
        set.into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn variables_are_set_unless_the_user_chose() {
        let none = Env::empty("/").with("CC", "gcc").with("CFLAGS", "-O2");
        assert_eq!(
            names(&none),
            [
                "CC_wasm32_wasip1",
                "CFLAGS_wasm32_wasip1",
                "AR_wasm32_wasip1"
            ]
        );
        assert!(!is_chosen(&none));
        let own = Env::empty("/").with("TARGET_CC", "clang-19");
        assert_eq!(names(&own), ["AR_wasm32_wasip1"]);
        assert!(is_chosen(&own));
        let flags = Env::empty("/").with("CFLAGS_wasm32-wasip1", "-g");
        assert_eq!(names(&flags), ["CC_wasm32_wasip1", "AR_wasm32_wasip1"]);
    }
}
