//! What runs on GitHub cannot be run here. So it is read: every file is YAML of the form
//! that GitHub takes, and every command in it is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use clap::Parser as _;
use yaml_rust2::{Yaml, YamlLoader};

use crate::Chore;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> Yaml {
    let text = fs::read_to_string(root().join(path)).expect(path);
    let mut documents = YamlLoader::load_from_str(&text).expect(path);
    assert_eq!(documents.len(), 1, "{path}");
    documents.remove(0)
}

/// The workflows, by their paths in the repository.
fn workflows() -> Vec<(String, Yaml)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join(".github/workflows")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let path = format!(".github/workflows/{name}");
        let workflow = read(&path);
        found.push((path, workflow));
    }
    assert!(found.len() >= 2);
    found
}

/// The steps of a workflow's jobs.
fn steps(workflow: &Yaml) -> Vec<&Yaml> {
    let jobs = workflow["jobs"].as_hash().expect("jobs");
    let steps = jobs.values().flat_map(|job| job["steps"].as_vec());
    steps.flatten().collect()
}

/// The commands in a script, a line of the shell each, with what a run puts in their place.
fn commands(script: &str) -> Vec<Vec<String>> {
    let script = script.replace("\\\n", " ");
    let lines = script.lines().filter_map(|line| {
        let line = line
            .replace("${{ matrix.wasmedge }}", "0.17.1")
            .replace("${{ matrix.options }}", "--no-branches");
        shlex::split(&line)
    });
    lines.filter(|words| !words.is_empty()).collect()
}

#[test]
fn jobs_have_what_github_asks_for() {
    for (path, workflow) in workflows() {
        // YAML takes the key `on` for a truth value, depending on its version.
        let on = &workflow["on"];
        assert!(!on.is_badvalue(), "{path} says nothing of when it runs");
        let rights = workflow["permissions"]["contents"].as_str();
        assert_eq!(rights, Some("read"), "{path}: rights beyond what it needs");
        let jobs = workflow["jobs"].as_hash().unwrap();
        let names: BTreeSet<&str> = jobs.keys().filter_map(Yaml::as_str).collect();
        for (name, job) in jobs {
            assert!(job["runs-on"].as_str().is_some(), "{path}: {name:?}");
            let needs = match &job["needs"] {
                Yaml::String(one) => vec![one.as_str()],
                Yaml::Array(all) => all.iter().filter_map(Yaml::as_str).collect(),
                _ => Vec::new(),
            };
            for needed in needs {
                assert!(names.contains(needed), "{path}: {name:?} needs {needed}");
            }
        }
        for step in steps(&workflow) {
            let (uses, run) = (step["uses"].as_str(), step["run"].as_str());
            assert!(uses.is_some() != run.is_some(), "{path}: {step:?}");
            if let Some(action) = uses.filter(|action| *action != "./") {
                assert!(action.contains('@'), "{path}: {action} has no version");
            }
        }
    }
}

/// The gate is what a merge waits for.
#[test]
fn the_gate_waits_for_every_job() {
    let workflow = read(".github/workflows/ci.yml");
    let jobs = workflow["jobs"].as_hash().unwrap().keys();
    let jobs: BTreeSet<_> = jobs.filter_map(Yaml::as_str).collect();
    let needs = workflow["jobs"]["passed"]["needs"].as_vec().unwrap();
    let mut waited: BTreeSet<_> = needs.iter().filter_map(Yaml::as_str).collect();
    waited.insert("passed");
    assert_eq!(waited, jobs);
}

#[test]
fn commands_of_workflows_are_there() {
    let mut chores = 0;
    for (path, workflow) in workflows() {
        for script in steps(&workflow)
            .iter()
            .filter_map(|step| step["run"].as_str())
        {
            is_a_script(&path, script);
            for words in commands(script) {
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                match words[..] {
                    ["cargo", "xtask", ..] => {
                        let line = Chore::try_parse_from(&words[1..]);
                        line.unwrap_or_else(|error| panic!("{path}: {words:?}: {error}"));
                        chores += 1;
                    }
                    [program, ..] if program.starts_with("ci/") => {
                        assert!(root().join(program).is_file(), "{path}: {program}");
                    }
                    _ => {}
                }
                let package = words.iter().position(|word| *word == "--package");
                let manifest = words.iter().position(|word| *word == "--manifest-path");
                if let (Some(at), None) = (package, manifest) {
                    let folder = root().join(words[at + 1]);
                    assert!(folder.join("Cargo.toml").is_file(), "{path}: {words:?}");
                }
                if let Some(at) = manifest {
                    assert!(root().join(words[at + 1]).is_file(), "{path}: {words:?}");
                }
            }
        }
    }
    assert!(chores >= 5, "only {chores}");
}

/// bash reads it without running it.
fn is_a_script(path: &str, script: &str) {
    let temp = tempfile::NamedTempFile::new().unwrap();
    // GitHub fills these in before bash sees them.
    fs::write(temp.path(), script.replace("${{", "{").replace("}}", "}")).unwrap();
    let output = Command::new("bash").arg("-n").arg(temp.path()).output();
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{path}: {said}\n{script}");
}

#[test]
fn the_oldest_rust_is_the_declared_one() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let declared = manifest["workspace"]["package"]["rust-version"].as_str();
    let declared = declared.unwrap();
    let mut named = 0;
    for (path, workflow) in workflows() {
        for script in steps(&workflow)
            .iter()
            .filter_map(|step| step["run"].as_str())
        {
            let words = script.split_whitespace();
            for toolchain in words.filter_map(|word| word.strip_prefix('+')) {
                assert_eq!(toolchain, declared, "{path}: {script}");
                named += 1;
            }
        }
    }
    assert_eq!(named, 1);
    let image = fs::read_to_string(root().join("Dockerfile")).unwrap();
    assert!(image.contains(&format!("ARG RUST={declared}\n")), "{image}");
}

#[test]
fn the_action_uses_what_is_there() {
    let action = read("action.yml");
    assert_eq!(action["runs"]["using"].as_str(), Some("composite"));
    let inputs = action["inputs"].as_hash().unwrap();
    let inputs: BTreeSet<&str> = inputs.keys().filter_map(Yaml::as_str).collect();
    let text = fs::read_to_string(root().join("action.yml")).unwrap();
    for used in text.split("inputs.").skip(1) {
        let name: String = used.chars().take_while(char::is_ascii_alphabetic).collect();
        assert!(inputs.contains(name.as_str()), "no input {name}");
    }
    for step in action["runs"]["steps"].as_vec().unwrap() {
        let Some(script) = step["run"].as_str() else {
            continue;
        };
        // GitHub does not take a default there.
        assert_eq!(step["shell"].as_str(), Some("bash"), "{script}");
        is_a_script("action.yml", script);
        for part in script.split("$ACTION/").skip(1) {
            let path = part.split(['"', ' ', '\n']).next().unwrap();
            assert!(root().join(path).exists(), "action.yml: {path}");
        }
    }
    // Whoever uses it in a workflow of ours gives inputs that there are.
    for (path, workflow) in workflows() {
        for step in steps(&workflow)
            .iter()
            .filter(|step| step["uses"].as_str() == Some("./"))
        {
            for (name, _) in step["with"].as_hash().unwrap() {
                assert!(inputs.contains(name.as_str().unwrap()), "{path}: {name:?}");
            }
        }
    }
}
