//! What the guides to the older forks put into `.cargo/config.toml` and into variables.

use std::path::{Path, PathBuf};

use super::Leftover;
use crate::toolchain::rust::TARGET;

/// The target's name before Rust 1.84, which has it no more.
const OLD_TARGET: &str = "wasm32-wasi";

/// The cfg that the forks look at, and nothing else.
const CFG: &str = "wasmedge";

/// The variables that hold flags of rustc.
const FLAGS: [&str; 4] = [
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS",
];

/// The files that cargo reads in this folder, the strongest first.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    cargo_config2::Walk::new(folder).collect()
}

/// What one file has. `place` is how a message names it. A file that is no TOML is for
/// cargo to complain of.
pub(super) fn in_file(text: &str, place: &str) -> Vec<Leftover> {
    let table: toml::Table = text.parse().unwrap_or_default();
    let get = |path: &[&str]| {
        let mut keys = path.iter();
        let first = table.get(*keys.next()?)?;
        keys.try_fold(first, |value, key| value.get(key))
    };
    let mut found = Vec::new();
    let mut tell = |what: &str, why: &str, help: &str| {
        found.push(Leftover {
            what: what.to_owned(),
            why: format!("{place}: {why}"),
            help: help.to_owned(),
        });
    };
    let targets = get(&["build", "target"]).map(words).unwrap_or_default();
    if let Some(target) = targets.iter().find(|target| is_ours(target)) {
        tell(
            "build.target",
            &format!("plain cargo builds everything for {target}, without ports"),
            "delete the key: `cargo wasmedge` chooses the target itself",
        );
    }
    if get(&["target", OLD_TARGET]).is_some() {
        tell(
            &format!("target.{OLD_TARGET}"),
            "Rust has had no target of this name since 1.84",
            "delete the table: `cargo wasmedge` starts WasmEdge itself",
        );
    }
    let runner = get(&["target", TARGET, "runner"]).map(words);
    let program = runner.as_ref().and_then(|words| words.first());
    if program.is_some_and(|program| Path::new(program).ends_with("wasmedge")) {
        tell(
            &format!("target.{TARGET}.runner"),
            "is not used: `cargo wasmedge` starts WasmEdge itself, with folders and variables",
            "delete the key",
        );
    }
    let mut flags = vec![vec!["build", "rustflags"]];
    let tables = get(&["target"]).and_then(toml::Value::as_table);
    for key in tables.into_iter().flat_map(toml::Table::keys) {
        flags.push(vec!["target", key, "rustflags"]);
    }
    for path in flags {
        let Some(flags) = get(&path).map(words).and_then(|words| cfgs(&words)) else {
            continue;
        };
        let (why, help) = of_flags(&flags);
        tell(&path.join("."), &why, &help);
    }
    found
}

/// What the variables of this process have.
pub(super) fn in_variables(get: impl Fn(&str) -> Option<String>) -> Vec<Leftover> {
    let mut found = Vec::new();
    for name in FLAGS {
        let words = get(name).map(|value| {
            let words = value.split([' ', '\x1f']).filter(|word| !word.is_empty());
            words.map(str::to_owned).collect::<Vec<_>>()
        });
        if let Some(flags) = words.and_then(|words| cfgs(&words)) {
            let (why, help) = of_flags(&flags);
            found.push(Leftover {
                what: name.to_owned(),
                why: format!("a variable: {why}"),
                help,
            });
        }
    }
    found
}

fn is_ours(target: &str) -> bool {
    [OLD_TARGET, TARGET].contains(&target)
}

/// A text is split as cargo splits it, at spaces.
fn words(value: &toml::Value) -> Vec<String> {
    match value {
        toml::Value::String(text) => text.split_whitespace().map(str::to_owned).collect(),
        toml::Value::Array(values) => {
            let words = values.iter().filter_map(toml::Value::as_str);
            words.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

/// The cfgs among these flags that the forks asked for; `None` without the one that only
/// they look at. `tokio_unstable` alone is upstream's own flag, for upstream's reasons.
fn cfgs(words: &[String]) -> Option<Vec<&'static str>> {
    let has = |cfg: &str| {
        let joined = format!("--cfg={cfg}");
        words.contains(&joined) || words.windows(2).any(|two| two == ["--cfg", cfg])
    };
    let all = [CFG, "tokio_unstable"];
    has(CFG).then(|| all.into_iter().filter(|cfg| has(cfg)).collect())
}

fn of_flags(cfgs: &[&str]) -> (String, String) {
    let flags: Vec<String> = cfgs.iter().map(|cfg| format!("--cfg {cfg}")).collect();
    let keep = match cfgs.len() {
        1 => "",
        _ => "; keep tokio_unstable if the app itself uses what tokio calls unstable",
    };
    (
        format!("`{}` is for the older forks only", flags.join(" ")),
        format!("delete it{keep}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let found = in_file(text, ".cargo/config.toml").into_iter();
        found.map(|each| each.what).collect()
    }

    #[test]
    fn what_the_guides_wrote_is_found() {
        let text = r#"
            [build]
            target = "wasm32-wasi"
            rustflags = ["--cfg", "wasmedge", "--cfg", "tokio_unstable"]
            [target.wasm32-wasi]
            runner = "wasmedge"
            [target.wasm32-wasip1]
            runner = ["/usr/local/bin/wasmedge", "--dir", ".:."]
            rustflags = "--cfg=wasmedge"
        "#;
        assert_eq!(
            names(text),
            [
                "build.target",
                "target.wasm32-wasi",
                "target.wasm32-wasip1.runner",
                "build.rustflags",
                "target.wasm32-wasip1.rustflags",
            ]
        );
    }

    #[test]
    fn what_has_other_reasons_is_none() {
        let text = r#"
            [build]
            target = "x86_64-unknown-linux-musl"
            rustflags = ["--cfg", "tokio_unstable", "-C", "target-cpu=native"]
            [target.wasm32-wasip1]
            runner = "wasmtime"
            rustflags = ["--cfg", "wasmedge_extras"]
        "#;
        assert_eq!(names(text), [""; 0]);
        assert_eq!(names("no TOML"), [""; 0]);
    }

    #[test]
    fn variables_count_too() {
        let all = |name: &str| match name {
            "RUSTFLAGS" => Some("--cfg wasmedge  --cfg tokio_unstable".to_owned()),
            "CARGO_ENCODED_RUSTFLAGS" => Some("--cfg\x1fwasmedge".to_owned()),
            "CARGO_BUILD_RUSTFLAGS" => Some("--cfg tokio_unstable".to_owned()),
            _ => None,
        };
        let found = in_variables(all);
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|each| (each.what.as_str(), each.help.as_str()))
            .collect();
        let keep =
            "delete it; keep tokio_unstable if the app itself uses what tokio calls unstable";
        assert_eq!(
            found,
            [
                ("RUSTFLAGS", keep),
                ("CARGO_ENCODED_RUSTFLAGS", "delete it")
            ]
        );
    }
}
