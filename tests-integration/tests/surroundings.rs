//! What a program gets from who starts it: variables, arguments, standard streams.
//!
//! The same is expected natively and under WasmEdge, unless a test says otherwise.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Command, ExitCode};

use anyhow::{Result, ensure};
use tests_integration::suite::On;
use tests_integration::{App, Guard, Host, LIMIT, Suite, Workbench};

fn main() -> ExitCode {
    Suite::new(env!("CARGO_TARGET_TMPDIR"))
        .test("variables_arrive", On::Everywhere, variables)
        .test("the_machines_own_is_left_out", On::WasmEdge, left_out)
        .test("many_variables_arrive", On::Interpreted, many_variables)
        .test("arguments_arrive", On::Everywhere, arguments)
        .test("closed_input_is_empty", On::Interpreted, closed_input)
        .test("null_input_is_no_terminal", On::Interpreted, null_input)
        .test("a_closed_pipe_is_an_error", On::Everywhere, closed_pipe)
        .run()
}

/// The lines of `probe what WORDS…`, started by `prepare`.
fn lines(
    workbench: &Workbench,
    host: &Host,
    words: &[&OsStr],
    prepare: impl FnOnce(Command) -> Command,
) -> Result<Vec<String>> {
    let mut command = workbench.command(App::Own("probe"), host)?;
    command.args(words);
    let ended = Guard::run(prepare(command), LIMIT)?.successful()?;
    Ok(ended.stdout.lines().map(str::to_owned).collect())
}

/// `command`, started by a shell that does `script` with it.
fn by_shell(script: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh"]);
    shell.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

fn variables(workbench: &Workbench, host: &Host) -> Result<()> {
    let odd = OsStr::from_bytes(b"\xff\xfe");
    let given: [(&str, &OsStr); 6] = [
        ("DATABASE_URL", "postgres://a:b@c/d?e=f,g".as_ref()),
        ("WORDS", " two words \"quoted\" $HOME ".as_ref()),
        ("LINES_", "one\ntwo=2\n".as_ref()),
        ("EMPTY", "".as_ref()),
        ("ODD", odd),
        ("-x", "--dir".as_ref()),
    ];
    let mut words: Vec<&OsStr> = vec!["variables".as_ref()];
    words.extend(given.iter().map(|(name, _)| OsStr::new(*name)));
    words.push("ABSENT".as_ref());
    let seen = lines(workbench, host, &words, |mut command| {
        command.envs(given).env_remove("ABSENT");
        command
    })?;
    let mut expected: Vec<String> = given
        .iter()
        .map(|(name, value)| format!("{name}: {:?}", Some(*value)))
        .collect();
    expected.push(format!("ABSENT: {:?}", None::<&OsStr>));
    ensure!(seen == expected, "{seen:#?}");
    Ok(())
}

fn left_out(workbench: &Workbench, host: &Host) -> Result<()> {
    let words = ["variables", "PATH", "SECRET_OF_CARGO", "CARGO_X_TOKEN"];
    let words = words.map(OsStr::new);
    let seen = lines(workbench, host, &words, |mut command| {
        command.env("CARGO_X_TOKEN", "1");
        command.env("SECRET_OF_CARGO", "1");
        command
    })?;
    ensure!(
        seen == [
            "PATH: None",
            "SECRET_OF_CARGO: Some(\"1\")",
            "CARGO_X_TOKEN: None"
        ],
        "{seen:?}"
    );
    Ok(())
}

fn many_variables(workbench: &Workbench, host: &Host) -> Result<()> {
    let value = "x".repeat(2000);
    let seen = lines(
        workbench,
        host,
        &["variables", "MANY_0", "MANY_199"].map(OsStr::new),
        |mut command| {
            command.envs((0..200).map(|n| (format!("MANY_{n}"), format!("{n}{value}"))));
            command
        },
    )?;
    let expected = [0, 199].map(|n| format!("MANY_{n}: {:?}", Some(format!("{n}{value}"))));
    ensure!(seen == expected, "{seen:?}");
    Ok(())
}

fn arguments(workbench: &Workbench, host: &Host) -> Result<()> {
    let given: [&OsStr; 9] = [
        "".as_ref(),
        "two words".as_ref(),
        "-q".as_ref(),
        "--".as_ref(),
        "--help".as_ref(),
        "--env=A=1".as_ref(),
        "line\nline".as_ref(),
        "\"'$*".as_ref(),
        OsStr::from_bytes(b"\xff"),
    ];
    let mut words: Vec<&OsStr> = vec!["arguments".as_ref()];
    words.extend(given);
    let seen = lines(workbench, host, &words, |command| command)?;
    let expected = given.map(|word| format!("{:?}", OsString::from(word)));
    ensure!(seen == expected, "{seen:#?}");
    Ok(())
}

/// WasmEdge itself would give a program some other file of the host's to read.
fn closed_input(workbench: &Workbench, host: &Host) -> Result<()> {
    let seen = lines(workbench, host, &["input".as_ref()], |command| {
        by_shell("exec \"$@\" <&-", &command)
    })?;
    ensure!(seen == ["terminal: false", "read: 0"], "{seen:?}");
    Ok(())
}

fn null_input(workbench: &Workbench, host: &Host) -> Result<()> {
    let seen = lines(workbench, host, &["input".as_ref()], |command| {
        by_shell("exec \"$@\" </dev/null", &command)
    })?;
    ensure!(seen == ["terminal: false", "read: 0"], "{seen:?}");
    Ok(())
}

/// WasmEdge itself would end by SIGPIPE, and the program with it.
fn closed_pipe(workbench: &Workbench, host: &Host) -> Result<()> {
    let mut command = workbench.command(App::Own("probe"), host)?;
    command.arg("write");
    let script = "{ \"$@\"; echo \"code $?\" >&2; } | head -n 1";
    let ended = Guard::run(by_shell(script, &command), LIMIT)?;
    ensure!(ended.stdout == "line", "{ended}");
    ensure!(ended.stderr.contains("written: BrokenPipe"), "{ended}");
    ensure!(ended.stderr.contains("code 0"), "{ended}");
    Ok(())
}
