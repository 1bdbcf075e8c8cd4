//! `cargo wasmedge completions`: what a shell completes behind `cargo wasmedge`.
//!
//! cargo's own completion knows nothing of other people's commands, so for bash and fish the
//! script also takes over behind `cargo wasmedge`. zsh's asks for a function of our name.

use std::io::Write as _;

use clap::{Command, CommandFactory as _, ValueEnum as _};

use super::Cli;
use crate::error::Result;

/// The program's name.
const NAME: &str = "cargo-wasmedge";

/// What it is called in the script for bash, where clap_complete 4.6 writes a `-` in two ways
/// that do not meet. Nobody types it: the script is asked behind `cargo wasmedge`.
const NAME_IN_BASH: &str = "cargo_wasmedge";

/// Commands of cargo's that `cargo wasmedge` hands on. Their flags are cargo's to know.
const CARGOS: [&str; 10] = [
    "bench", "build", "check", "clippy", "doc", "fetch", "metadata", "run", "test", "tree",
];

#[derive(Debug, clap::Args)]
#[command(after_help = "\
bash:  cargo wasmedge completions bash > ~/.local/share/bash-completion/completions/cargo-wasmedge
       and in ~/.bashrc, since it completes behind `cargo`:
       source ~/.local/share/bash-completion/completions/cargo-wasmedge
zsh:   cargo wasmedge completions zsh > FOLDER/_cargo-wasmedge, a folder of $fpath
       cargo's own has to be in one too: rustup completions zsh cargo > FOLDER/_cargo
fish:  cargo wasmedge completions fish > ~/.config/fish/conf.d/cargo-wasmedge.fish")]
pub(super) struct Args {
    /// The shell
    shell: Shell,
}

/// A shell that there is a script for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Shell {
    /// GNU bash.
    Bash,
    /// zsh.
    Zsh,
    /// fish.
    Fish,
}

impl Shell {
    /// All of them.
    pub const ALL: [Shell; 3] = [Shell::Bash, Shell::Zsh, Shell::Fish];

    /// What the shell expects its script to be called.
    pub fn file_name(self) -> &'static str {
        match self {
            Shell::Bash => "cargo-wasmedge.bash",
            Shell::Zsh => "_cargo-wasmedge",
            Shell::Fish => "cargo-wasmedge.fish",
        }
    }
}

pub(super) fn run(args: &Args) -> Result<i32> {
    anstream::stdout().write_all(&script(args.shell))?;
    Ok(0)
}

/// The script for `shell`.
pub fn script(shell: Shell) -> Vec<u8> {
    let (generator, name) = match shell {
        Shell::Bash => (clap_complete::Shell::Bash, NAME_IN_BASH),
        Shell::Zsh => (clap_complete::Shell::Zsh, NAME),
        Shell::Fish => (clap_complete::Shell::Fish, NAME),
    };
    let mut script = Vec::new();
    clap_complete::generate(generator, &mut command(name), name, &mut script);
    let more = match shell {
        Shell::Bash => BEHIND_CARGO_IN_BASH.to_owned(),
        Shell::Zsh => String::new(),
        Shell::Fish => format!("{BEHIND_CARGO_IN_FISH}{}", shells_in_fish()),
    };
    script.extend_from_slice(more.as_bytes());
    script
}

/// The command line as people see it: without what this program starts itself with, and
/// with cargo's commands that are used most.
fn command(name: &'static str) -> Command {
    let all = Cli::command();
    let ours = all.get_subcommands().filter(|own| !own.is_hide_set());
    let cargos = CARGOS.map(|name| Command::new(name).about("cargo's"));
    Command::new(name)
        .disable_help_subcommand(true)
        .version(env!("CARGO_PKG_VERSION"))
        .args(all.get_arguments().cloned())
        .subcommands(ours.cloned())
        .subcommands(cargos)
}

/// Whatever completed `cargo` before goes on to, but behind `cargo wasmedge`. bash-completion
/// loads that when it is first asked for, so it is asked.
const BEHIND_CARGO_IN_BASH: &str = r#"
if ! declare -F _cargo_or_wasmedge >/dev/null; then
    if ! complete -p cargo &>/dev/null && declare -F _completion_loader >/dev/null; then
        _completion_loader cargo &>/dev/null
    fi
    _cargo_before_wasmedge=$(complete -p cargo 2>/dev/null | sed -n 's/.* -F \([^ ]*\) .*/\1/p')
fi

_cargo_or_wasmedge() {
    if [[ ${COMP_WORDS[1]} == wasmedge && $COMP_CWORD -gt 1 ]]; then
        COMP_WORDS=(cargo_wasmedge "${COMP_WORDS[@]:2}")
        COMP_CWORD=$((COMP_CWORD - 1))
        _cargo_wasmedge cargo_wasmedge "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    elif [[ -n $_cargo_before_wasmedge ]]; then
        "$_cargo_before_wasmedge" "$@"
    fi
}

complete -F _cargo_or_wasmedge -o bashdefault -o default cargo
"#;

/// fish completes the words behind `cargo wasmedge` as if they stood behind our name.
const BEHIND_CARGO_IN_FISH: &str = r#"
function __cargo_wasmedge_words
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    complete -C "cargo-wasmedge $words[3..-1] $last"
end
complete -c cargo -n "__fish_use_subcommand" -a wasmedge -d "Build and run for WasmEdge"
complete -c cargo -n "__fish_seen_subcommand_from wasmedge" -f -a "(__cargo_wasmedge_words)"
"#;

/// The values of `completions`: clap_complete 4.6 writes for fish only those of options.
fn shells_in_fish() -> String {
    let shells = Shell::value_variants().iter();
    let names = shells.filter_map(clap::ValueEnum::to_possible_value);
    let names: Vec<String> = names.map(|name| name.get_name().to_owned()).collect();
    format!(
        "complete -c {NAME} -n \"__fish_cargo_wasmedge_using_subcommand completions\" -f -a \"{}\"\n",
        names.join(" ")
    )
}
