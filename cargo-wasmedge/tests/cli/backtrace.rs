//! Backtraces, and what the runner is to others while it reads them.

use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Output, Stdio};

use rustix::process::Signal;

use crate::fake::{Fake, is_alive, signal, stderr, wait_for};

/// What WasmEdge prints of a trap in `ends`, as the guest's script. `PLACE` is where.
const TRAP: &str = "printf 'out'; echo err >&2
printf '[2026-11-27 20:27:36.682] [error] execution failed: unreachable, Code: 0x40a\\n'
printf '[2026-11-27 20:27:36.682] [error]     In instruction: unreachable (0x00) , Bytecode offset: PLACE\\n'
printf '[2026-11-27 20:27:36.682] [error] calling stack:1, 1, 2\\n'
printf '[2026-11-27 20:27:36.682] [error]     When executing function name: \"_start\"\\n'
exit 134";

/// The runner, for a program with a few functions that is interpreted.
fn runner(fake: &Fake, backtrace: &str, guest: &str) -> Command {
    let folder = fake.app().join("target/wasm32-wasip1/debug");
    std::fs::create_dir_all(&folder).unwrap();
    let program = wat::parse_str(
        "(module (import \"host\" \"call\" (func $host))
           (func $_start (export \"_start\") call $main)
           (func $main nop call $ends)
           (func $ends unreachable))",
    )
    .unwrap();
    // `unreachable` and the end of the last function, the only ones in a row.
    let place = program
        .windows(2)
        .rposition(|it| it == [0x00, 0x0b])
        .unwrap();
    std::fs::write(folder.join("app.wasm"), program).unwrap();
    let mut command = fake.command(["wasmedge-runner", "target/wasm32-wasip1/debug/app.wasm"]);
    command.env("CARGO_MANIFEST_DIR", fake.app()).env(
        "FAKE_GUEST",
        guest.replace("PLACE", &format!("{place:#010x}")),
    );
    if !backtrace.is_empty() {
        command.env("RUST_BACKTRACE", backtrace);
    }
    command
}

fn run(fake: &Fake, backtrace: &str, guest: &str) -> Output {
    runner(fake, backtrace, guest).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Starts a guest that says its process id, then does `guest`.
fn start(fake: &Fake, guest: &str) -> (Child, u32) {
    let guest = format!("echo $$ > \"$FAKE_DIR/pid\"; {guest}");
    let child = runner(fake, "1", &guest)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for("the guest", || fake.read("pid").ends_with('\n'));
    let pid = fake.read("pid").trim().parse().unwrap();
    (child, pid)
}

#[test]
fn the_calling_stack_becomes_a_backtrace() {
    let fake = Fake::new("1.97.1");
    let output = run(&fake, "1", TRAP);
    assert_eq!(output.status.code(), Some(134));
    assert_eq!(
        stderr(&output),
        "err\nstack backtrace:\n   0: ends\n   1: main\n   2: _start\n"
    );
    let said = stdout(&output);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert!(lines[0].starts_with("out[2026-11-27 20:27:36.682] [error] execution"));
    assert!(!said.contains("calling stack"), "{said}");
}

#[test]
fn without_the_variable_nothing_is_touched() {
    let fake = Fake::new("1.97.1");
    for backtrace in ["", "0"] {
        let output = run(&fake, backtrace, TRAP);
        assert_eq!(output.status.code(), Some(134));
        assert_eq!(stderr(&output), "err\n");
        assert!(stdout(&output).contains("calling stack:1, 1, 2\n"));
    }
}

#[test]
fn a_setting_asks_for_backtraces_as_well() {
    let fake = Fake::new("1.97.1");
    fake.manifest("[package.metadata.wasmedge]\nenv = [\"RUST_BACKTRACE=full\"]\n");
    let said = stderr(&run(&fake, "", TRAP));
    assert!(said.contains("   1:          2 - main\n"), "{said}");
}

#[test]
fn a_wasmedge_that_tells_nothing_is_named() {
    let fake = Fake::new("1.97.1");
    let mut told = TRAP.lines().filter(|line| !line.contains("calling stack"));
    // Compiled: not even the place.
    let silent: Vec<&str> = told
        .by_ref()
        .filter(|line| !line.contains("PLACE"))
        .collect();
    let said = stderr(&run(&fake, "1", &silent.join("\n")));
    assert!(
        said.contains("note: no backtrace: WasmEdge 0.17.1 does not tell"),
        "{said}"
    );
}

#[test]
fn a_program_without_names_is_said_to_be_one() {
    let fake = Fake::new("1.97.1");
    let mut command = runner(&fake, "1", TRAP);
    let program = fake.app().join("target/wasm32-wasip1/debug/app.wasm");
    std::fs::write(program, b"\0asm\x01\0\0\0").unwrap();
    let output = command.output().unwrap();
    let said = stderr(&output);
    assert!(said.contains("built without names"), "{said}");
    assert!(stdout(&output).contains("calling stack:1, 1, 2\n"));
}

#[test]
fn what_is_printed_arrives_before_the_program_goes_on() {
    let fake = Fake::new("1.97.1");
    let guest = "printf '[2026-'; read line < \"$FAKE_DIR/go\"; printf '\\377\\000end'; exit 3";
    let go = fake.path("go");
    assert!(Command::new("mkfifo").arg(&go).status().unwrap().success());
    let (mut child, _) = start(&fake, guest);
    let mut out = child.stdout.take().unwrap();
    let mut first = [0; 6];
    out.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"[2026-");
    std::fs::write(go, "\n").unwrap();
    let mut rest = Vec::new();
    out.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"\xff\0end");
    assert_eq!(child.wait().unwrap().code(), Some(3));
}

#[test]
fn where_both_outputs_are_one_the_order_stays() {
    let fake = Fake::new("1.97.1");
    let lines = "i=0; while [ $i -lt 200 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done";
    let path = fake.path("both");
    let file = std::fs::File::create(&path).unwrap();
    let mut command = runner(&fake, "1", &format!("{lines}\n{TRAP}"));
    command.stdout(file.try_clone().unwrap()).stderr(file);
    assert_eq!(command.status().unwrap().code(), Some(134));
    let text = std::fs::read_to_string(path).unwrap();
    let printed: String = (0..200).map(|i| format!("out {i}\nerr {i}\n")).collect();
    let rest = text.strip_prefix(&printed).expect(&text);
    assert!(rest.contains("\nstack backtrace:\n   0: ends\n"), "{rest}");
}

#[test]
#[cfg(target_os = "linux")]
fn on_a_terminal_the_program_sees_one() {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    let fake = Fake::new("1.97.1");
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
    let theirs = std::fs::File::options().write(true).open(name).unwrap();
    let mut command = runner(&fake, "1", "test -t 1 && printf 'it is\\n'");
    let mut child = command.stdout(theirs).spawn().unwrap();
    drop(command);
    let mut read = [0; 7];
    std::fs::File::from(ours).read_exact(&mut read).unwrap();
    // Only one of the two terminals makes this of a new line.
    assert_eq!(&read, b"it is\r\n");
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_runner_ends_as_the_guest_does() {
    let fake = Fake::new("1.97.1");
    for (guest, code, by) in [
        ("exit 7", Some(7), None),
        ("kill -KILL $$", None, Some(9)),
        ("kill -TERM $$", None, Some(15)),
        ("kill -ABRT $$", None, Some(6)),
    ] {
        let status = run(&fake, "1", guest).status;
        assert_eq!((status.code(), status.signal()), (code, by), "{guest}");
    }
}

#[test]
fn signals_reach_the_guest() {
    let fake = Fake::new("1.97.1");
    for (name, sent) in [("TERM", Signal::TERM), ("INT", Signal::INT)] {
        let guest =
            format!("trap 'echo stopped; exit 7' {name}; echo ready; while :; do sleep 0.05; done");
        let (mut child, _) = start(&fake, &guest);
        let mut out = child.stdout.take().unwrap();
        out.read_exact(&mut [0; 6]).unwrap();
        signal(child.id(), sent);
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "stopped\n");
        assert_eq!(child.wait().unwrap().code(), Some(7));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_killed_runner_leaves_no_guest() {
    let fake = Fake::new("1.97.1");
    let (mut child, guest) = start(&fake, "exec sleep 60");
    assert_ne!(child.id(), guest);
    signal(child.id(), Signal::KILL);
    child.wait().unwrap();
    wait_for("the guest's end", || !is_alive(&guest.to_string()));
}

#[test]
fn a_reader_that_has_seen_enough_ends_the_guest() {
    let fake = Fake::new("1.97.1");
    let (mut child, _) = start(&fake, "while :; do echo more || exit; done");
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 5]).unwrap();
    drop(out);
    // As without the runner between: by SIGPIPE, or with the shell's own code.
    let status = child.wait().unwrap();
    assert!(!status.success(), "{status}");
}

#[test]
fn without_the_variable_the_runner_becomes_wasmedge() {
    let fake = Fake::new("1.97.1");
    let mut child = runner(&fake, "", "echo $$ > \"$FAKE_DIR/pid\"")
        .spawn()
        .unwrap();
    let id = child.id();
    assert!(child.wait().unwrap().success());
    assert_eq!(fake.read("pid").trim(), id.to_string());
}
