//! The variables by which build scripts choose a compiler and its flags, as the crates
//! `cc` and `bindgen` read them: what the user set is never replaced and never hidden.
//!
//! A tool has four variables, the most telling first: `CC_wasm32-wasip1`,
//! `CC_wasm32_wasip1`, `TARGET_CC`, `CC`. The last one is the machine's own compiler
//! too, so it is no choice for our target. Flags have the same four. Of them an older
//! `cc` takes the first that is set, a newer one takes all, the most telling last. So
//! ours go behind the user's, in the variable that both read.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;

use crate::toolchain::env::Env;
use crate::toolchain::process::{self, VERSION_LIMIT};
use crate::toolchain::rust::TARGET;

/// Names a sysroot for C++ and C, in wasi-sdk's layout.
pub(super) const SYSROOT: &str = "WASI_SYSROOT";

/// Names a wasi-sdk, of which `cc` takes all that no other variable names.
pub(super) const SDK: &str = "WASI_SDK_PATH";

/// What only a folder of wasi-libc's headers has, and what the machine has as well.
const PROBE: &str = "#include <wasi/api.h>\n#include <limits.h>\n";

/// What is set for cargo, above what the user has set.
pub(super) struct Variables<'a> {
    env: &'a Env,
    set: Vec<(String, OsString)>,
}

impl<'a> Variables<'a> {
    pub fn new(env: &'a Env) -> Variables<'a> {
        let set = Vec::new();
        Variables { env, set }
    }

    /// All of them, in the order in which they were set.
    pub fn into_set(self) -> Vec<(String, OsString)> {
        self.set
    }

    /// What the user chose for our target.
    pub fn chosen(&self, tool: &str) -> Option<&'a OsStr> {
        self.of_target(tool).map(|(_, value)| value)
    }

    /// Sets a tool, unless the user chose one.
    pub fn tool(&mut self, tool: &str, program: &Path) {
        if self.chosen(tool).is_none() {
            self.set.push((ours(tool), program.into()));
        }
    }

    /// Sets a variable that is not one of four, unless the user has set it.
    pub fn set_if_free(&mut self, name: &str, value: &OsStr) {
        if self.env.var(name).is_none() {
            self.set.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Puts `flags` behind the user's.
    pub fn flags(&mut self, name: &str, flags: &OsStr) {
        let (variable, users) = match self.of_target(name) {
            Some((variable, users)) => (variable, Some(users)),
            // Not into the last one, which is for the machine's compiler as well.
            None => (ours(name), self.env.var(name)),
        };
        let mut value = OsString::new();
        if let Some(users) = users {
            value.push(users);
            value.push(" ");
        }
        value.push(flags);
        self.set.push((variable, value));
    }

    /// Whether the user's tool, or ours, finds wasi-libc's headers by what the user
    /// set, as wasi-sdk's does. Others in front of them might not fit.
    pub fn finds_headers(&self, tool: &str, flags: &str, ours: Option<&Path>) -> bool {
        let users = names(flags).into_iter().chain([SYSROOT.to_owned()]);
        let has_flags = users.into_iter().any(|name| self.env.var(&name).is_some());
        let program = match (self.chosen(tool), ours) {
            (Some(chosen), _) => chosen,
            (None, Some(ours)) if has_flags => ours.as_os_str(),
            (None, _) => return false,
        };
        let words = |text: &OsStr| {
            let text = text.to_string_lossy();
            let words = text.split_whitespace().map(str::to_owned);
            words.collect::<Vec<String>>()
        };
        // It may be a path with spaces, or have arguments.
        let mut command: Command = match self.env.which(program) {
            Some(program) => self.env.command(program),
            None => match words(program).split_first() {
                Some((program, args)) => {
                    let program = self.env.which(program).unwrap_or_else(|| program.into());
                    let mut command = self.env.command(program);
                    command.args(args);
                    command
                }
                None => return false,
            },
        };
        for name in names(flags).iter().rev() {
            if let Some(flags) = self.env.var(name) {
                command.args(words(flags));
            }
        }
        if let Some(sysroot) = self.env.var(SYSROOT) {
            let mut flag = OsString::from("--sysroot=");
            flag.push(sysroot);
            command.arg(flag);
        }
        let Ok(probe) = tempfile::Builder::new().suffix(".c").tempfile() else {
            return false;
        };
        if std::fs::write(&probe, PROBE).is_err() {
            return false;
        }
        command
            .arg(format!("--target={TARGET}"))
            .args(["-x", "c", "-E"])
            .arg(probe.path());
        process::ask(&mut command, VERSION_LIMIT).is_ok_and(|answer| answer.success())
    }

    /// The most telling variable that the user has set for our target.
    fn of_target(&self, name: &str) -> Option<(String, &'a OsStr)> {
        let mut names = names(name).into_iter().take(3);
        names.find_map(|name| Some((name.clone(), self.env.var(&name)?)))
    }
}

/// The variables for a tool or its flags, the most telling first.
fn names(name: &str) -> [String; 4] {
    [
        format!("{name}_{TARGET}"),
        ours(name),
        format!("TARGET_{name}"),
        name.to_owned(),
    ]
}

/// The one of them that is set where the user has set none. Unlike the first it is a
/// name that a shell can export.
fn ours(name: &str) -> String {
    format!("{name}_{}", TARGET.replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(env: &Env) -> Vec<(String, String)> {
        let mut variables = Variables::new(env);
        variables.flags("CFLAGS", OsStr::new("-ours"));
        let set = variables.into_set().into_iter();
        set.map(|(name, value)| (name, value.into_string().unwrap()))
            .collect()
    }

    fn pair(name: &str, value: &str) -> Vec<(String, String)> {
        vec![(name.to_owned(), value.to_owned())]
    }

    #[test]
    fn flags_go_behind_the_users_in_the_variable_that_is_read_first() {
        let none = Env::empty("/");
        assert_eq!(flags(&none), pair("CFLAGS_wasm32_wasip1", "-ours"));
        // An older cc would not read it beside ours.
        let general = none.with("CFLAGS", "-g");
        assert_eq!(flags(&general), pair("CFLAGS_wasm32_wasip1", "-g -ours"));
        let target = general.with("TARGET_CFLAGS", "-O1");
        assert_eq!(flags(&target), pair("TARGET_CFLAGS", "-O1 -ours"));
        let under = target.with("CFLAGS_wasm32_wasip1", "-O2");
        assert_eq!(flags(&under), pair("CFLAGS_wasm32_wasip1", "-O2 -ours"));
        let dash = under.with("CFLAGS_wasm32-wasip1", "-O3");
        assert_eq!(flags(&dash), pair("CFLAGS_wasm32-wasip1", "-O3 -ours"));
    }

    #[test]
    fn what_is_set_but_empty_is_not_set() {
        let env = Env::empty("/").with("CC_wasm32_wasip1", "");
        assert_eq!(Variables::new(&env).chosen("CC"), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_compiler_that_finds_the_headers_is_told_from_one_that_does_not() {
        use std::os::unix::fs::PermissionsExt as _;

        let root = tempfile::tempdir().unwrap();
        let script = |name: &str, text: &str| {
            let path = root.path().join(name);
            std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            path
        };
        let found_by = |env: Env, ours: Option<&Path>| {
            let env = env.with("PATH", "/usr/bin:/bin");
            Variables::new(&env).finds_headers("CC", "CFLAGS", ours)
        };
        let finds = |env: Env| found_by(env, None);
        let chosen = |value: String| Env::empty("/").with("TARGET_CC", value);
        // One that takes the headers by a flag.
        let clang = script(
            "the clang",
            "case \"$*\" in *--sysroot=/sdk*) grep -q wasi/api.h \"$(eval echo \\\"\\${$#}\\\")\" ;; *) exit 1;; esac",
        );
        let clang = clang.to_str().unwrap().to_owned();
        assert!(!finds(Env::empty("/")));
        assert!(!finds(chosen(clang.clone())));
        assert!(finds(
            chosen(clang.clone()).with("CFLAGS", "-O2 --sysroot=/sdk")
        ));
        assert!(finds(chosen(clang.clone()).with(SYSROOT, "/sdk")));
        // Ours, with the user's sysroot.
        let ours = Some(Path::new(&clang));
        assert!(found_by(Env::empty("/").with(SYSROOT, "/sdk"), ours));
        assert!(!found_by(Env::empty("/"), ours));
        // One with arguments.
        let wrapper = script("wrapper", "[ \"$1\" = clang ]");
        assert!(finds(chosen(format!("{} clang", wrapper.display()))));
        assert!(!finds(chosen("/nowhere/clang".to_owned())));
    }
}
