//! What a shell completes. bash is asked; the scripts for the others are looked at.

use std::process::Command;

use crate::fake::Fake;

fn script(shell: &str) -> String {
    let fake = Fake::new("1.97.1");
    let output = fake.command(["completions", shell]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout).unwrap()
}

/// What bash offers for the last word of a line, with a completion of cargo's own that
/// offers `theirs`. The script is read once more first, as by a second `source`.
fn offered(line: &[&str]) -> Vec<String> {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("script");
    std::fs::write(&file, script("bash")).unwrap();
    let asks = r#"
        _theirs() { COMPREPLY=(theirs); }
        complete -F _theirs cargo
        source "$SCRIPT"
        source "$SCRIPT"
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        COMP_LINE="$*"
        function=$(complete -p cargo | sed 's/.* -F \([^ ]*\) .*/\1/')
        "$function" cargo "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", asks, "bash"]).args(line);
    let output = bash.env("SCRIPT", &file).output().unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    said.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn bash_completes_behind_cargo_wasmedge() {
    assert_eq!(offered(&["cargo", "wasmedge", "set"]), ["setup"]);
    assert_eq!(
        offered(&["cargo", "wasmedge", "vendor", "--cr"]),
        ["--crate"]
    );
    let shells = offered(&["cargo", "wasmedge", "completions", ""]);
    for shell in ["bash", "zsh", "fish"] {
        assert!(shells.iter().any(|each| each == shell), "{shells:?}");
    }
}

#[test]
fn cargo_s_own_completion_goes_on_to_work() {
    assert_eq!(offered(&["cargo", "bui"]), ["theirs"]);
    assert_eq!(offered(&["cargo", "wasmedge"]), ["theirs"]);
}

#[test]
fn what_we_call_ourselves_is_offered_to_nobody() {
    // The runner and the linker's script are for cargo, not for people.
    for shell in ["bash", "zsh", "fish"] {
        let script = script(shell);
        for hidden in [
            "runner",
            "kept",
            "lockfile-guard",
            "linker",
            "rustc",
            "unwinding",
        ] {
            let name = format!("wasmedge-{hidden}");
            assert!(!script.contains(&name), "{shell}: {name}");
        }
    }
}

#[test]
fn zsh_finds_the_function_that_cargo_s_asks_for() {
    let script = script("zsh");
    assert!(script.starts_with("#compdef cargo-wasmedge\n"), "{script}");
    assert!(script.contains("\n_cargo-wasmedge() {"), "{script}");
}

#[test]
fn fish_is_told_the_shells() {
    let script = script("fish");
    let asked = "__fish_cargo_wasmedge_using_subcommand completions\" -f -a \"bash zsh fish\"";
    assert!(script.contains(asked), "{script}");
}
