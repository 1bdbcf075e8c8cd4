//! The crates that were forked for WasmEdge, from before upstream's were ported at build
//! time: on the registry under names of their own, and as branches that a `[patch]`
//! puts in the place of upstream's.
//!
//! [`FORKS`] is the table, which docs/migration.md shows as well.

use std::fmt::Write as _;

/// One crate that was forked.
#[derive(Debug)]
pub struct Fork {
    /// Upstream's name of it.
    pub of: &'static str,
    /// The forks on the registry.
    pub registry: &'static [&'static str],
    /// The forks' repositories on GitHub, as `owner/name`.
    pub git: &'static [&'static str],
    /// What an app depends on in the place of a fork on the registry.
    pub instead: &'static str,
}

/// All of them, those that apps depend on themselves first.
pub static FORKS: &[Fork] = &[
    Fork {
        of: "tokio",
        registry: &["tokio_wasi"],
        git: &["second-state/wasi_tokio", "WasmEdge/tokio"],
        instead: "tokio = \"1\"",
    },
    Fork {
        of: "hyper",
        registry: &["hyper_wasi"],
        git: &["second-state/wasi_hyper", "WasmEdge/hyper"],
        instead: "hyper = \"0.14\"",
    },
    Fork {
        of: "reqwest",
        registry: &["reqwest_wasi"],
        git: &["second-state/wasi_reqwest", "WasmEdge/reqwest"],
        instead: "reqwest = \"0.11\"",
    },
    Fork {
        of: "warp",
        registry: &["warp_wasi"],
        git: &[],
        instead: "warp = \"0.3\"",
    },
    Fork {
        of: "mysql_async",
        registry: &["mysql_async_wasi"],
        git: &["WasmEdge/mysql_async_wasi"],
        instead: "mysql_async = \"0.34\"",
    },
    Fork {
        of: "mysql",
        registry: &["mysql_wasi"],
        git: &["WasmEdge/rust-mysql-simple-wasi"],
        instead: "mysql = \"23\"",
    },
    Fork {
        of: "tokio-postgres",
        registry: &["tokio-postgres_wasi"],
        git: &["second-state/rust-postgres", "WasmEdge/rust-postgres"],
        instead: "tokio-postgres = \"0.7\"",
    },
    Fork {
        of: "http_req",
        registry: &["http_req_wasi"],
        git: &["second-state/http_req"],
        instead: "reqwest = \"0.11\"",
    },
    Fork {
        of: "rustls",
        registry: &["wasmedge_rustls_api"],
        git: &[],
        instead: "rustls = \"0.23\"",
    },
    Fork {
        of: "hyper-rustls",
        registry: &["wasmedge_hyper_rustls"],
        git: &[],
        instead: "hyper-rustls = \"0.27\"",
    },
    Fork {
        of: "tokio-util",
        registry: &["tokio-util_wasi"],
        git: &[],
        instead: "tokio-util = \"0.7\"",
    },
    Fork {
        of: "tokio-stream",
        registry: &["tokio-stream_wasi"],
        git: &[],
        instead: "tokio-stream = \"0.1\"",
    },
    Fork {
        of: "tokio-tungstenite",
        registry: &["tokio-tungstenite_wasi"],
        git: &[],
        instead: "tokio-tungstenite = \"0.18\"",
    },
    Fork {
        of: "h2",
        registry: &["h2_wasi"],
        git: &["WasmEdge/h2"],
        instead: "h2 = \"0.3\"",
    },
    Fork {
        of: "mio",
        registry: &["mio_wasi"],
        git: &["second-state/wasi_mio", "WasmEdge/mio"],
        instead: "mio = \"1\"",
    },
    Fork {
        of: "socket2",
        registry: &[],
        git: &["second-state/socket2"],
        instead: "socket2 = \"0.6\"",
    },
];

impl Fork {
    /// The fork that the registry has under this name.
    pub fn on_registry(name: &str) -> Option<&'static Fork> {
        FORKS.iter().find(|fork| fork.registry.contains(&name))
    }

    /// The fork whose repository this is, and the repository: a URL as in manifests, or a
    /// source as cargo writes it.
    pub fn at(url: &str) -> Option<(&'static Fork, &'static str)> {
        let url = url.to_ascii_lowercase();
        let is_at = |repository: &&&str| {
            let address = format!("github.com/{}", repository.to_ascii_lowercase());
            let rest = url.split_once(&address).map(|(_, rest)| rest);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '?', '#', '/']))
        };
        FORKS
            .iter()
            .find_map(|fork| Some((fork, *fork.git.iter().find(is_at)?)))
    }
}

/// The table for docs/migration.md.
pub fn table() -> (&'static str, String) {
    let mut text = String::from("| leave out | depend on |\n|---|---|\n");
    for fork in FORKS {
        let named = fork.registry.iter().map(|name| format!("`{name}`"));
        let git = fork.git.iter().map(|name| format!("`[patch]` on {name}"));
        let forks: Vec<String> = named.chain(git).collect();
        let _ = writeln!(text, "| {} | `{}` |", forks.join(", "), fork.instead);
    }
    ("forks", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_known_by_any_of_its_addresses() {
        let of = |url: &str| Fork::at(url).map(|(fork, _)| fork.of);
        for url in [
            "https://github.com/second-state/wasi_tokio.git",
            "https://github.com/second-state/wasi_tokio",
            "https://github.com/Second-State/wasi_tokio/",
            "ssh://git@github.com/second-state/wasi_tokio.git",
            "git+https://github.com/second-state/wasi_tokio.git?branch=v1.36.x#0123456",
        ] {
            assert_eq!(of(url), Some("tokio"), "{url}");
        }
        for url in [
            "https://github.com/tokio-rs/tokio.git",
            "https://github.com/second-state/wasi_tokio_examples",
            "https://example.org/second-state/wasi_tokio",
        ] {
            assert_eq!(of(url), None, "{url}");
        }
    }
}
