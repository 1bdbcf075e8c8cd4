//! Where a program can run.

use std::fmt;

use anyhow::Result;
use cargo_wasmedge::toolchain::Dirs;
use cargo_wasmedge::toolchain::wasmedge::{self, WasmEdge};

use crate::mode::Mode;

/// Lists the WasmEdge versions to run under, separated by spaces or commas.
pub const VERSIONS_VARIABLE: &str = "WASMEDGE_VERSIONS";

/// The versions that a full run covers.
pub const VERSIONS: [&str; 2] = ["0.14.1", "0.17.1"];

/// How WasmEdge executes a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Execution {
    /// As it is.
    Interpreted,
    /// Compiled ahead of time.
    Compiled,
}

/// A place where a program can run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// The machine itself, with upstream's crates.
    Native,
    /// WasmEdge.
    WasmEdge(WasmEdge, Execution, Mode),
}

impl Host {
    /// Whether it is the machine itself.
    pub fn is_native(&self) -> bool {
        *self == Host::Native
    }

    /// The same WasmEdge, interpreting: for programs of which nothing hangs on
    /// speed, since each compilation takes seconds.
    #[must_use]
    pub fn interpreted(&self) -> Host {
        match self {
            Host::Native => Host::Native,
            Host::WasmEdge(edge, _, mode) => {
                Host::WasmEdge(edge.clone(), Execution::Interpreted, *mode)
            }
        }
    }

    /// The same WasmEdge, with ahead-of-time compilation.
    #[must_use]
    pub fn compiled(&self) -> Host {
        match self {
            Host::Native => Host::Native,
            Host::WasmEdge(edge, _, mode) => {
                Host::WasmEdge(edge.clone(), Execution::Compiled, *mode)
            }
        }
    }

    /// Whether it is WasmEdge with the plugin: then what natively holds of sockets and
    /// signals holds there, too.
    pub fn has_plugin(&self) -> bool {
        matches!(self, Host::WasmEdge(_, _, Mode::Plugin))
    }

    /// Whether it is WasmEdge without the plugin: what limits programs there holds.
    pub fn is_plain(&self) -> bool {
        matches!(self, Host::WasmEdge(_, _, Mode::Plain))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Native => f.write_str("native"),
            Host::WasmEdge(edge, execution, mode) => {
                let aot = match execution {
                    Execution::Interpreted => "",
                    Execution::Compiled => "-aot",
                };
                write!(f, "wasmedge-{}{aot}{}", edge.version, mode.suffix())
            }
        }
    }
}

/// The places that are here, and the versions that should be but are not.
#[derive(Debug, Clone, Default)]
pub struct Hosts {
    /// WasmEdges to run under.
    pub wasmedges: Vec<WasmEdge>,
    /// Versions that were asked for, or belong to a full run, and are missing.
    pub left_out: Vec<String>,
}

impl Hosts {
    /// Those that `WASMEDGE_VERSIONS` lists, else every one that is found.
    ///
    /// # Errors
    /// When the user has no home folder.
    pub fn find() -> Result<Hosts> {
        let found = wasmedge::all(&Dirs::new()?)?;
        let asked = std::env::var(VERSIONS_VARIABLE).ok();
        Ok(Hosts::choose(found, asked.as_deref()))
    }

    fn choose(found: Vec<WasmEdge>, asked: Option<&str>) -> Hosts {
        let asked: Option<Vec<&str>> = asked.map(|asked| {
            let words = asked.split([' ', ',']);
            words.filter(|word| !word.is_empty()).collect()
        });
        let mut hosts = Hosts::default();
        for edge in found {
            let version = edge.version.to_string();
            let wanted = asked
                .as_ref()
                .is_none_or(|asked| asked.contains(&&*version));
            // The same version may be on PATH and in the cache folder.
            let again = hosts
                .wasmedges
                .iter()
                .any(|other| other.version == edge.version);
            if wanted && !again {
                hosts.wasmedges.push(edge);
            }
        }
        hosts.wasmedges.sort_by(|a, b| a.version.cmp(&b.version));
        let complete = asked.unwrap_or_else(|| VERSIONS.to_vec());
        for version in complete {
            let there = |edge: &WasmEdge| edge.version.to_string() == version;
            if !hosts.wasmedges.iter().any(there) {
                hosts.left_out.push(version.to_owned());
            }
        }
        hosts
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use cargo_wasmedge::toolchain::Origin;

    pub(crate) fn edge(version: &str) -> WasmEdge {
        WasmEdge {
            program: format!("/{version}/wasmedge").into(),
            version: version.parse().unwrap(),
            origin: Origin::Private,
        }
    }

    fn versions(hosts: &Hosts) -> Vec<String> {
        hosts
            .wasmedges
            .iter()
            .map(|edge| edge.version.to_string())
            .collect()
    }

    #[test]
    fn all_that_are_found_are_used_and_missing_ones_are_named() {
        let hosts = Hosts::choose(vec![edge("0.17.1"), edge("0.15.0"), edge("0.17.1")], None);
        assert_eq!(versions(&hosts), ["0.15.0", "0.17.1"]);
        assert_eq!(hosts.left_out, ["0.14.1"]);
    }

    #[test]
    fn names_of_hosts_tell_all_that_they_differ_in() {
        let names = [Execution::Interpreted, Execution::Compiled].map(|execution| {
            Mode::ALL.map(|mode| Host::WasmEdge(edge("0.17.1"), execution, mode).to_string())
        });
        assert_eq!(
            names.concat(),
            [
                "wasmedge-0.17.1",
                "wasmedge-0.17.1+plugin",
                "wasmedge-0.17.1-aot",
                "wasmedge-0.17.1-aot+plugin",
            ]
        );
    }

    #[test]
    fn only_listed_versions_are_used() {
        let found = vec![edge("0.17.1"), edge("0.14.1")];
        let hosts = Hosts::choose(found, Some("0.14.1, 0.16.0"));
        assert_eq!(versions(&hosts), ["0.14.1"]);
        assert_eq!(hosts.left_out, ["0.16.0"]);
    }
}
