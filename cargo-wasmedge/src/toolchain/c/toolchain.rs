//! What was found, and how build scripts are made to use it.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::emulated;
use super::variables::{SDK, SYSROOT, Variables};
use crate::toolchain::env::Env;
use crate::toolchain::find::Origin;
use crate::toolchain::process::{self, VERSION_LIMIT};
use crate::toolchain::rust::TARGET;

/// A clang and an archiver for `wasm32-wasip1`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CToolchain {
    /// The compiler.
    pub clang: PathBuf,
    /// The compiler as one of C++, where it is there.
    pub clangxx: Option<PathBuf>,
    /// The archiver, llvm-ar.
    pub ar: PathBuf,
    /// llvm-ranlib, where it is there.
    pub ranlib: Option<PathBuf>,
    /// The folder of wasi-libc's headers.
    pub headers: Option<PathBuf>,
    /// A folder with the library of C++, in wasi-sdk's layout.
    pub sysroot: Option<PathBuf>,
    /// Where the compiler was found.
    pub origin: Origin,
}

impl CToolchain {
    /// Variables for cargo, without those for which `env` holds the user's choice.
    pub fn env(&self, env: &Env) -> Vec<(String, OsString)> {
        if env.var(SDK).is_some() {
            return Vec::new();
        }
        let mut variables = Variables::new(env);
        variables.tool("CC", &self.clang);
        variables.tool("AR", &self.ar);
        if let Some(ranlib) = &self.ranlib {
            variables.tool("RANLIB", ranlib);
        }
        if let Some(clangxx) = &self.clangxx {
            variables.tool("CXX", clangxx);
        }
        if let Some(sysroot) = &self.sysroot
            && variables.chosen("CXX").is_none()
        {
            variables.set_if_free(SYSROOT, sysroot.as_os_str());
        }
        if let Some(headers) = &self.headers {
            let compilers = [Some(self.clang.as_path()), self.clangxx.as_deref()];
            set_headers(&mut variables, headers, compilers);
        }
        variables.into_set()
    }
}

impl CToolchain {
    /// What the compiler says of itself.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn version(&self, env: &Env) -> anyhow::Result<String> {
        let mut command = env.command(&self.clang);
        let answer = process::ask(command.arg("--version"), VERSION_LIMIT)
            .with_context(|| format!("cannot start {}", self.clang.display()))?;
        Ok(answer.stdout)
    }

    /// Variables for a build that is not a build script's, as make and configure scripts
    /// know them. The user's own are for the machine's compiler.
    pub fn for_make(&self) -> Vec<(&'static str, OsString)> {
        let mut flags = OsString::from(format!("--target={TARGET} -O2"));
        if let Some(headers) = &self.headers {
            flags.push(" -isystem ");
            flags.push(headers);
            flags.push(emulated::flags(headers));
        }
        let ranlib = match &self.ranlib {
            Some(ranlib) => ranlib.clone().into_os_string(),
            // llvm-ar writes the index itself.
            None => "true".into(),
        };
        vec![
            ("CC", self.clang.clone().into_os_string()),
            ("AR", self.ar.clone().into_os_string()),
            ("RANLIB", ranlib),
            ("CFLAGS", flags),
        ]
    }
}

/// Variables for cargo where no compiler was found but the user's own.
pub fn env_of_users_own(headers: Option<&Path>, env: &Env) -> Vec<(String, OsString)> {
    if env.var(SDK).is_some() {
        return Vec::new();
    }
    let mut variables = Variables::new(env);
    if let Some(headers) = headers {
        set_headers(&mut variables, headers, [None, None]);
    }
    variables.into_set()
}

/// Has C and C++ compiled, and read by bindgen, with wasi-libc's headers. `compilers`
/// are ours of the two languages.
fn set_headers(variables: &mut Variables<'_>, headers: &Path, compilers: [Option<&Path>; 2]) {
    let flag = |folder: &Path| {
        let mut flag = OsString::from("-isystem ");
        flag.push(folder);
        flag
    };
    let mut c = flag(headers);
    c.push(emulated::flags(headers));
    let of_cxx = headers.join("c++/v1");
    let cxx = if of_cxx.is_dir() {
        // In front: its `stdlib.h` includes the next one.
        let mut cxx = flag(&of_cxx);
        cxx.push(" ");
        cxx.push(&c);
        cxx
    } else {
        c.clone()
    };
    let [clang, clangxx] = compilers;
    if !variables.finds_headers("CC", "CFLAGS", clang) {
        variables.flags("CFLAGS", &c);
    }
    if !variables.finds_headers("CXX", "CXXFLAGS", clangxx) {
        variables.flags("CXXFLAGS", &cxx);
    }
    variables.flags("BINDGEN_EXTRA_CLANG_ARGS", &c);
}

/// The compiler that the user chose for our target, if any.
pub fn chosen(env: &Env) -> Option<&OsStr> {
    Variables::new(env).chosen("CC").or_else(|| env.var(SDK))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toolchain() -> CToolchain {
        CToolchain {
            clang: "/clang".into(),
            clangxx: Some("/clang++".into()),
            ar: "/llvm-ar".into(),
            ranlib: None,
            headers: Some("/include".into()),
            sysroot: Some("/sysroot".into()),
            origin: Origin::Path,
        }
    }

    fn set(env: &Env) -> Vec<String> {
        let set = toolchain().env(env).into_iter();
        set.map(|(name, value)| format!("{name}={}", value.to_string_lossy()))
            .collect()
    }

    #[test]
    fn all_is_set_where_the_user_chose_nothing() {
        // These two are for the machine itself.
        let env = Env::empty("/").with("CC", "gcc").with("AR", "ar");
        assert_eq!(
            set(&env),
            [
                "CC_wasm32_wasip1=/clang",
                "AR_wasm32_wasip1=/llvm-ar",
                "CXX_wasm32_wasip1=/clang++",
                "WASI_SYSROOT=/sysroot",
                "CFLAGS_wasm32_wasip1=-isystem /include",
                "CXXFLAGS_wasm32_wasip1=-isystem /include",
                "BINDGEN_EXTRA_CLANG_ARGS_wasm32_wasip1=-isystem /include",
            ]
        );
        assert_eq!(chosen(&env), None);
    }

    #[test]
    fn a_tool_of_the_users_is_not_replaced_and_gets_the_headers() {
        for name in ["CC_wasm32_wasip1", "CC_wasm32-wasip1", "TARGET_CC"] {
            let env = Env::empty("/").with(name, "/nowhere/clang-19");
            let set = set(&env);
            assert!(!set.iter().any(|set| set.starts_with("CC_")), "{set:?}");
            assert!(set.contains(&"AR_wasm32_wasip1=/llvm-ar".to_owned()));
            assert!(set.contains(&"CFLAGS_wasm32_wasip1=-isystem /include".to_owned()));
            assert_eq!(chosen(&env), Some(OsStr::new("/nowhere/clang-19")));
        }
        // A C++ compiler of the user's has a library of its own.
        let env = Env::empty("/").with("TARGET_CXX", "/nowhere/clang++");
        let set = set(&env);
        assert!(!set.iter().any(|set| set.starts_with("CXX_")), "{set:?}");
        assert!(!set.iter().any(|set| set.starts_with("WASI_")), "{set:?}");
    }

    #[test]
    fn a_wasi_sdk_brings_all_itself() {
        let env = Env::empty("/").with("WASI_SDK_PATH", "/opt/wasi-sdk");
        assert_eq!(toolchain().env(&env), []);
        assert_eq!(env_of_users_own(Some(Path::new("/include")), &env), []);
        assert!(chosen(&env).is_some());
    }

    #[test]
    fn c_plus_plus_finds_its_own_headers_before_those_of_c() {
        let root = tempfile::tempdir().unwrap();
        let headers = root.path().display().to_string();
        std::fs::create_dir_all(root.path().join("c++/v1")).unwrap();
        let env = Env::empty("/");
        let set = env_of_users_own(Some(root.path()), &env);
        let of = |wanted: &str| {
            let found = set.iter().find(|(name, _)| name == wanted);
            found.unwrap().1.to_string_lossy().into_owned()
        };
        assert_eq!(
            of("CXXFLAGS_wasm32_wasip1"),
            format!("-isystem {headers}/c++/v1 -isystem {headers}")
        );
        assert_eq!(of("CFLAGS_wasm32_wasip1"), format!("-isystem {headers}"));
    }
}
