//! The check that every command that the documents show works.
//!
//! A document shows commands in code blocks of the kind `console`, behind `$ `.
//! Each is known here, and is either run, in the order of the document and in a
//! folder that begins empty, or is run elsewhere by `cargo xtask ci`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use semver::VersionReq;

use crate::repo::{Repo, quiet_environment};
use crate::setup::Tools;

/// The documents with commands.
const DOCUMENTS: [&str; 5] = [
    "README.md",
    "CONTRIBUTING.md",
    "docs/architecture.md",
    "docs/benchmarks.md",
    "deploy/README.md",
];

/// How it is known that a command works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// It is run here, in the folder that the commands before it lead to.
    Run,
    /// It is not run here, for this reason.
    Elsewhere(&'static str),
}

use How::{Elsewhere, Run};

const KNOWN: [(&str, How); 35] = [
    // README.md
    ("cargo demo", Elsewhere("the check `demo`")),
    ("cargo xtask test", Elsewhere("the check `test`")),
    (
        "cargo install --path cargo-wasmedge",
        Elsewhere("builds once more what was built already"),
    ),
    ("cargo wasmedge setup", Run),
    (
        "cargo wasmedge setup --c",
        Elsewhere("`cargo xtask compat` does it"),
    ),
    ("cargo new app", Run),
    ("cd app", Run),
    ("cargo add tokio --features full", Run),
    ("cargo wasmedge run", Run),
    ("cargo wasmedge doctor", Run),
    ("cargo wasmedge diff tokio", Run),
    ("cargo wasmedge --help", Run),
    ("cargo wasmedge vendor ported", Run),
    (
        "cargo --config ported/config.toml build --target wasm32-wasip1",
        Run,
    ),
    // CONTRIBUTING.md
    (
        "cargo xtask compat --write",
        Elsewhere("starts servers that are not installed everywhere"),
    ),
    (
        "cargo xtask compat redis postgres",
        Elsewhere("is part of `cargo xtask compat`"),
    ),
    (
        "cargo xtask test --quick",
        Elsewhere("is part of `cargo xtask test`"),
    ),
    ("cargo xtask ci", Elsewhere("is what makes this check")),
    (
        "cd tests-integration/behaviour",
        Elsewhere("the next two are tests of their own"),
    ),
    (
        "cargo test udp",
        Elsewhere("the check `test` runs all of them"),
    ),
    (
        "cargo wasmedge test udp",
        Elsewhere("the check `test` runs all of them"),
    ),
    (
        "cargo xtask conformance",
        Elsewhere("the check `conformance` runs a selection"),
    ),
    (
        "cargo xtask conformance tokio --wasmedge 0.17.1 --filter 'binary(udp)'",
        Elsewhere("is part of `cargo xtask conformance`"),
    ),
    (
        "cargo xtask upstream",
        Elsewhere("depends on what upstream released since"),
    ),
    // docs/benchmarks.md
    (
        "cargo xtask bench --quick",
        Elsewhere("takes minutes on a machine with nothing else to do"),
    ),
    (
        "cargo xtask bench --write",
        Elsewhere("takes half an hour, and writes into the repository"),
    ),
    (
        "cargo xtask soak",
        Elsewhere("takes an hour on a machine with nothing else to do"),
    ),
    (
        "cargo xtask soak --requests 0.2 --wasmedge 0.17.1",
        Elsewhere("judges the rate, so other work on the machine fails it"),
    ),
    // deploy/README.md
    (
        "cargo wasmedge build --release",
        Elsewhere("needs an app; the apps' tests are built so"),
    ),
    (
        "deploy/many.sh 8080 4 3001 wasmedge --dir /proc/sys/kernel/random:/proc/sys/kernel/random:readonly --dir /etc:/etc:readonly target/wasm32-wasip1/release/hyper-server.wasm",
        Elsewhere("tests-integration/tests/deploy.rs, with ports that are free"),
    ),
    (
        "cargo wasmedge compile target/wasm32-wasip1/release/hyper-server.wasm",
        Elsewhere("tests-integration/tests/deploy.rs, into a folder of its own"),
    ),
    (
        "deploy/many.sh 8080 4 3001 wasmedge --run-mode aot --dir /proc/sys/kernel/random:/proc/sys/kernel/random:readonly --dir /etc:/etc:readonly target/wasm32-wasip1/release/hyper-server.so",
        Elsewhere("tests-integration/tests/deploy.rs: many.sh, and what is compiled"),
    ),
    (
        "cp target/wasm32-wasip1/release/hyper-server.wasm deploy/image/app.wasm",
        Elsewhere("tests-integration/tests/deploy.rs, in a folder of its own"),
    ),
    (
        "buildah build --annotation module.wasm.image/variant=compat-smart --tag app deploy/image",
        Elsewhere("tests-integration/tests/deploy.rs, with a store of its own"),
    ),
    (
        "podman run --runtime crun --publish 8080:8080 app",
        Elsewhere("needs a crun with WasmEdge; the document says that it was not run"),
    ),
];

pub fn check(repo: &Repo) -> Result<()> {
    let tools = Tools::set_up(repo, &[VersionReq::STAR])?;
    let mut used = Vec::new();
    for document in DOCUMENTS {
        let text = fs::read_to_string(repo.root.join(document))
            .with_context(|| format!("cannot read {document}"))?;
        // Not in the target folder: cargo would take the app for a member of our
        // workspace.
        let temp = tempfile::tempdir()?;
        let mut folder = temp.path().to_owned();
        for (line, command) in commands(&text) {
            let Some((_, how)) = KNOWN.iter().find(|(known, _)| *known == command) else {
                bail!("{document}:{line}: `{command}` is not in {}", file!());
            };
            used.push(command.clone());
            if *how == Run {
                folder = run(repo, &tools, &folder, &command)
                    .with_context(|| format!("{document}:{line}: `{command}`"))?;
            }
        }
    }
    for (known, _) in KNOWN {
        let is_shown = used.iter().any(|command| command == known);
        ensure!(is_shown, "{}: no document shows `{known}`", file!());
    }
    Ok(())
}

/// The commands of a document with their lines, continued lines joined.
fn commands(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let (mut within, mut continued) = (false, false);
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with("```") {
            within = line == "```console";
            continued = false;
        } else if within {
            let text = match line.strip_prefix("$ ") {
                Some(command) => {
                    found.push((at + 1, String::new()));
                    command
                }
                None if continued => line,
                None => continue,
            };
            continued = text.ends_with('\\');
            let text = text.trim_end_matches('\\').trim_end();
            if let Some((_, command)) = found.last_mut() {
                if !command.is_empty() {
                    command.push(' ');
                }
                *command += text;
            }
        }
    }
    found
}

/// Runs a command in `folder`; gives the folder that the next one starts in.
fn run(repo: &Repo, tools: &Tools, folder: &Path, command: &str) -> Result<PathBuf> {
    let words = shlex::split(command).context("a quote is not closed")?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut process = match words[..] {
        ["cd", to] => return Ok(folder.join(to)),
        ["cargo", "wasmedge", ..] => Command::new(&tools.cargo_wasmedge),
        // README.md says that this one needs a toolchain that has the target.
        ["cargo", .., "wasm32-wasip1"] => tools.plain_cargo(tools.newest()),
        ["cargo", ..] => repo.cargo::<&str>([]),
        _ => bail!("only `cd` and `cargo` are run"),
    };
    quiet_environment(&mut process);
    process.args(&words[1..]).current_dir(folder);
    repo.shell.status("Running", command);
    let output = process
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", words[0]))?;
    ensure!(
        output.status.success(),
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(folder.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_what_stands_behind_a_prompt_in_console_blocks() {
        let text = "```console\n$ cargo a\noutput\n$ cargo b \\\n    --c\n```\n\
                    ```text\n$ not this\n```\n$ nor this\n";
        let expected = [(2, "cargo a".to_owned()), (4, "cargo b --c".to_owned())];
        assert_eq!(commands(text), expected);
    }

    #[test]
    fn every_command_is_listed_once() {
        for (at, (known, how)) in KNOWN.iter().enumerate() {
            assert!(
                KNOWN[..at].iter().all(|(other, _)| other != known),
                "{known}"
            );
            if let Elsewhere(reason) = how {
                assert!(!reason.is_empty(), "{known}");
            }
        }
    }
}
