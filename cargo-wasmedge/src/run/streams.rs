//! A program's standard streams behave as natively.
//!
//! * A closed pipe is an error of the write. Rust's programs ignore SIGPIPE, WasmEdge
//!   does not: it would end, and the program with it.
//! * Standard input from `/dev/null` is no terminal. WASI tells terminals by the kind
//!   of file alone, and `/dev/null` is of the same kind. A pipe that nobody writes to
//!   holds as much, and is none.
//! * A standard stream that is closed is `/dev/null`: std opens it when this process
//!   starts, as it does for a native program. WasmEdge itself opens nothing there, and a
//!   program would read whatever file of the host comes first.

use std::process::Command;

/// `command`, by way of a shell: a program that ignores SIGPIPE.
#[cfg(unix)]
pub(super) fn ignoring_sigpipe(command: &Command) -> Command {
    // std gives SIGPIPE back its default for what it starts. A shell can ignore it
    // without `unsafe`, and what it becomes goes on to.
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", "trap '' PIPE; exec \"$@\"", "sh"])
        .arg(command.get_program())
        .args(command.get_args());
    set_variables(&mut shell, command);
    shell
}

/// Sets and removes the variables that `command` sets and removes.
fn set_variables(same: &mut Command, command: &Command) {
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => same.env(name, value),
            None => same.env_remove(name),
        };
    }
}

/// Gives `command` a standard input that is no terminal where ours is none.
#[cfg(unix)]
pub(super) fn set_input(command: &mut Command) {
    if stdin_is_null()
        && let Ok((reader, _)) = std::io::pipe()
    {
        command.stdin(reader);
    }
}

#[cfg(unix)]
fn stdin_is_null() -> bool {
    use std::fs::{File, metadata};
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};

    let stdin = std::io::stdin();
    let stdin = stdin.as_fd().try_clone_to_owned();
    let stdin = stdin.and_then(|stdin| File::from(stdin).metadata());
    let (Ok(stdin), Ok(null)) = (stdin, metadata("/dev/null")) else {
        return false;
    };
    stdin.file_type().is_char_device() && stdin.rdev() == null.rdev()
}

#[cfg(not(unix))]
pub(super) fn ignoring_sigpipe(command: &Command) -> Command {
    let mut same = Command::new(command.get_program());
    same.args(command.get_args());
    set_variables(&mut same, command);
    same
}

#[cfg(not(unix))]
pub(super) fn set_input(_: &mut Command) {}
