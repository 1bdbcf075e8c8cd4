//! Which variables of the user's environment a program gets: all of them, but for
//! what is the machine's own.
//!
//! [`RULES`] is the table that decides, and that `docs/environment.md` is written
//! from. A variable is left out where it names something that a program in WasmEdge
//! cannot reach (folders, programs, sockets, libraries), or belongs to the tools
//! that build it. A name that apps might use for themselves (`LD_SDK_KEY`,
//! `SSH_PORT`) stands in full, so that no pattern takes it along.

use std::ffi::OsStr;

/// Variables with one fate, and the reason.
#[derive(Debug)]
pub struct Rule {
    /// `NAME`, `PREFIX*` or `*SUFFIX`.
    pub names: &'static [&'static str],
    /// What becomes of them.
    pub fate: Fate,
    /// Why, in words that stand alone.
    pub why: &'static str,
}

/// What becomes of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Every program gets it: it was set for programs.
    Passed,
    /// A program gets it, unless the setting `inherit-env` is off.
    Inherited,
    /// A program gets it only if the setting `env` names it.
    LeftOut,
}

/// The first rule that fits decides; a variable without one is [`Fate::Inherited`].
pub static RULES: &[Rule] = &[
    Rule {
        names: &["RUST_*"],
        fate: Fate::Passed,
        why: "What std and loggers read.",
    },
    Rule {
        names: &[
            "CARGO_BIN_EXE_*",
            "CARGO_BIN_NAME",
            "CARGO_CRATE_NAME",
            "CARGO_MANIFEST_DIR",
            "CARGO_MANIFEST_PATH",
            "CARGO_PKG_*",
            "CARGO_PRIMARY_PACKAGE",
            "CARGO_TARGET_TMPDIR",
            "NEXTEST",
            "NEXTEST_*",
        ],
        fate: Fate::Passed,
        why: "What cargo and nextest tell programs.",
    },
    Rule {
        names: &[
            "CARGO",
            "CARGO_*",
            "RUSTC",
            "RUSTC_*",
            "RUSTDOC",
            "RUSTDOCFLAGS",
            "RUSTFLAGS",
            "RUSTUP_*",
            "*_wasm32_wasip1",
            "*_wasm32-wasip1",
        ],
        fate: Fate::LeftOut,
        why: "The toolchain's own. Tokens for registries are among them.",
    },
    Rule {
        names: &["WASMEDGE_*"],
        fate: Fate::LeftOut,
        why: "WasmEdge's own, and what settings say to programs.",
    },
    Rule {
        names: &["TMPDIR"],
        fate: Fate::LeftOut,
        why: "The setting `tmp` gives it.",
    },
    Rule {
        names: &["HOME", "PWD", "OLDPWD", "XDG_*"],
        fate: Fate::LeftOut,
        why: "Folders that are not opened to the program.",
    },
    Rule {
        names: &["PATH", "SHELL"],
        fate: Fate::LeftOut,
        why: "Programs, of which none can be started.",
    },
    Rule {
        names: &["USER", "LOGNAME"],
        fate: Fate::LeftOut,
        why: "The user of the machine.",
    },
    Rule {
        names: &["_", "SHLVL"],
        fate: Fate::LeftOut,
        why: "The shell's own.",
    },
    Rule {
        names: &[
            "LD_AUDIT",
            "LD_DEBUG",
            "LD_LIBRARY_PATH",
            "LD_PRELOAD",
            "DYLD_*",
        ],
        fate: Fate::LeftOut,
        why: "Libraries of the host.",
    },
    Rule {
        names: &[
            "DBUS_*",
            "DISPLAY",
            "GPG_AGENT_INFO",
            "GPG_TTY",
            "ICEAUTHORITY",
            "SESSION_MANAGER",
            "SSH_AGENT_PID",
            "SSH_ASKPASS",
            "SSH_AUTH_SOCK",
            "SSH_CLIENT",
            "SSH_CONNECTION",
            "SSH_TTY",
            "WAYLAND_*",
            "WINDOWID",
            "XAUTHORITY",
        ],
        fate: Fate::LeftOut,
        why: "The desktop, the session and its agents.",
    },
    Rule {
        names: &["LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID"],
        fate: Fate::LeftOut,
        why: "Descriptors from systemd, which are not handed to the program.",
    },
];

/// What becomes of the variable `name`.
pub fn fate(name: &OsStr) -> Fate {
    let name = name.as_encoded_bytes();
    let fits = |rule: &&Rule| rule.names.iter().any(|pattern| matches(pattern, name));
    RULES
        .iter()
        .find(fits)
        .map_or(Fate::Inherited, |rule| rule.fate)
}

fn matches(pattern: &str, name: &[u8]) -> bool {
    if let Some(prefix) = pattern.strip_suffix('*') {
        name.starts_with(prefix.as_bytes())
    } else if let Some(suffix) = pattern.strip_prefix('*') {
        name.ends_with(suffix.as_bytes())
    } else {
        name == pattern.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_apps_own_variables_are_inherited() {
        for name in [
            "DATABASE_URL",
            "PORT",
            "TZ",
            "LANG",
            "TERM",
            "HOSTNAME",
            "RUSTLS_LOG",
            // These only look like names that are left out.
            "HOME_URL",
            "PATH_PREFIX",
            "LD_SDK_KEY",
            "SSH_PORT",
            "LISTEN_ADDR",
            "USER_AGENT",
            "",
        ] {
            assert_eq!(fate(name.as_ref()), Fate::Inherited, "{name}");
        }
    }

    #[test]
    fn what_is_the_machines_own_is_left_out() {
        for name in [
            "PATH",
            "HOME",
            "_",
            "XDG_RUNTIME_DIR",
            "SSH_AUTH_SOCK",
            "LD_PRELOAD",
            "CARGO",
            "CARGO_REGISTRY_TOKEN",
            "CARGO_WASMEDGE_ENV",
            "CC_wasm32_wasip1",
            "RUSTUP_TOOLCHAIN",
            // It would weaken every program's random numbers.
            "WASMEDGE_WEAK_RANDOM",
        ] {
            assert_eq!(fate(name.as_ref()), Fate::LeftOut, "{name}");
        }
    }

    #[test]
    fn what_is_set_for_programs_is_passed() {
        for name in ["RUST_LOG", "CARGO_PKG_NAME", "NEXTEST", "NEXTEST_RUN_ID"] {
            assert_eq!(fate(name.as_ref()), Fate::Passed, "{name}");
        }
    }
}
