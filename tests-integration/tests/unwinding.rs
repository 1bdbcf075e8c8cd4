//! Panics that unwind, with the setting `unwind`: what they cost natively and no more.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail, ensure};
use cargo_wasmedge::run::runner;
use tests_integration::build::BUILD_LIMIT;
use tests_integration::suite::On;
use tests_integration::{App, Guard, Host, LIMIT, Mode, Suite, Workbench};

fn main() -> ExitCode {
    Suite::new(env!("CARGO_TARGET_TMPDIR"))
        .test("exit_codes", On::Everywhere, exit_codes)
        .test("tasks_and_handlers", On::Everywhere, tasks_and_handlers)
        .test("lines_of_a_trap", On::WasmEdge, lines_of_a_trap)
        .test("what_is_left_is_plain", On::WasmEdge, what_is_left_is_plain)
        .test("failing_tests", On::Interpreted, failing_tests)
        .test_in(
            &[Mode::Plain],
            "faults_of_compilers",
            On::WasmEdge,
            faults_of_compilers,
        )
        .run()
}

/// `cargo wasmedge --unwind`, for the apps, after what it needs was set up.
fn cargo(workbench: &Workbench, host: &Host, subcommand: &str) -> Result<Command> {
    if host.is_native() {
        let mut command = workbench.cargo();
        command.arg(subcommand);
        return Ok(with_place(workbench, command, host));
    }
    set_up(workbench, host)?;
    let mut command = workbench.wasmedge(host)?;
    command.args(["--unwind", subcommand]);
    Ok(with_place(workbench, command, host))
}

fn set_up(workbench: &Workbench, host: &Host) -> Result<()> {
    workbench.once("setup --unwind", || {
        let mut command = workbench.wasmedge(host)?;
        command.args(["setup", "--unwind"]);
        Guard::run(command, BUILD_LIMIT)?.successful()?;
        Ok(())
    })
}

/// A target folder of their own: others build the same apps without unwinding.
fn with_place(workbench: &Workbench, mut command: Command, host: &Host) -> Command {
    let target = match host.is_native() {
        true => workbench.target(),
        false => workbench.tmp().join("unwinding"),
    };
    command
        .arg("--manifest-path")
        .arg(workbench.sources().join("apps/Cargo.toml"))
        .arg("--target-dir")
        .arg(target);
    command
}

/// The app `name`, ready to run.
fn program(workbench: &Workbench, host: &Host, name: &'static str) -> Result<Command> {
    if host.is_native() {
        return workbench.command(App::Own(name), host);
    }
    workbench.once(&format!("unwinding {name}"), || {
        let mut command = cargo(workbench, host, "build")?;
        command.args(["--package", name]);
        Guard::run(command, BUILD_LIMIT)?.successful()?;
        Ok(())
    })?;
    let folder = workbench.tmp().join("unwinding/wasm32-wasip1/debug");
    let mut command = workbench.run_program(&folder.join(format!("{name}.wasm")), host)?;
    command.env("CARGO_WASMEDGE_UNWIND", "true");
    ensure!(
        command
            .get_args()
            .next()
            .is_some_and(|arg| arg == runner::SUBCOMMAND)
    );
    Ok(command)
}

/// As natively. What ends by a signal there has no code, and 134 here.
fn exit_codes(workbench: &Workbench, host: &Host) -> Result<()> {
    for (how, natively, said) in [
        ("main", Some(101), "it is over: main"),
        ("task", Some(0), "it is over: task"),
        ("blocking", Some(0), "it is over: blocking"),
        ("double", None, "it is over: again"),
        ("abort", None, ""),
        ("exit", Some(3), ""),
        ("overflow", None, ""),
    ] {
        let mut command = program(workbench, host, "panics")?;
        command.arg(how);
        let ended = Guard::run(command, LIMIT)?;
        let expected = match host.is_native() {
            true => natively,
            false => natively.or(Some(134)),
        };
        let code = ended.status.code();
        ensure!(code == expected, "{how}: {code:?}\n{}", ended.stderr);
        ensure!(ended.stderr.contains(said), "{how}: {}", ended.stderr);
        let goes_on = ended.stdout.contains("went on: true");
        ensure!(goes_on == (natively == Some(0)), "{how}");
    }
    Ok(())
}

const TASKS: &str = "\
true: a task panics
true: a closure panics
of a set: 4, 1 panicked
true, poisoned: true
a local task panics
/: HTTP/1.1 200 OK
/panics: nothing
/: HTTP/1.1 200 OK
/caught: HTTP/1.1 500 Internal Server Error
/: HTTP/1.1 200 OK
the server goes on: true
";

fn tasks_and_handlers(workbench: &Workbench, host: &Host) -> Result<()> {
    let command = program(workbench, host, "unwinding")?;
    let ended = Guard::run(command, LIMIT)?.successful()?;
    ensure!(ended.stdout == TASKS.trim_end(), "{}", ended.stdout);
    Ok(())
}

/// Debug information is that of the program before exception handling was removed.
fn lines_of_a_trap(workbench: &Workbench, host: &Host) -> Result<()> {
    const SOURCE: &str = include_str!("../apps/panics/src/main.rs");
    let at = SOURCE
        .lines()
        .position(|line| line.ends_with("// calls itself"));
    let line = at.context("no such line")? + 1;
    let mut command = program(workbench, host, "panics")?;
    command.arg("overflow").env("RUST_BACKTRACE", "1");
    let said = Guard::run(command, LIMIT)?.stderr;
    let is_told = match host {
        Host::WasmEdge(edge, ..) => (edge.version.major, edge.version.minor) >= (0, 15),
        Host::Native => false,
    };
    // An older one tells the innermost function only, and where in it the trap was.
    let place = match is_told {
        true => format!("main.rs:{line}:"),
        false => "main.rs:".to_owned(),
    };
    let is_there = said.contains(": panics::overflow") && said.contains(&place);
    ensure!(is_there, "no {place}: {said}");
    Ok(())
}

/// Any WasmEdge runs it, without our runner.
fn what_is_left_is_plain(workbench: &Workbench, host: &Host) -> Result<()> {
    let Host::WasmEdge(edge, ..) = host else {
        return Ok(());
    };
    program(workbench, host, "panics")?;
    let program = workbench
        .tmp()
        .join("unwinding/wasm32-wasip1/debug/panics.wasm");
    let mut command = Command::new(&edge.program);
    command.arg(program).arg("task");
    let ended = Guard::run(command, LIMIT)?.successful()?;
    ensure!(ended.stdout.contains("went on: true"), "{}", ended.stdout);
    Ok(())
}

/// One that fails costs itself only, and those that should panic run.
fn failing_tests(workbench: &Workbench, host: &Host) -> Result<()> {
    let mut command = cargo(workbench, host, "test")?;
    command.args([
        "--package",
        "panics",
        "--",
        "--include-ignored",
        "--test-threads=1",
    ]);
    let ended = Guard::run(command, BUILD_LIMIT)?;
    ensure!(!ended.status.success(), "{}", ended.stdout);
    for line in [
        "test tests::a_passes ... ok",
        "test tests::b_fails ... FAILED",
        "test tests::c_passes ... ok",
        "test tests::d_should_panic - should panic ... ok",
        "test result: FAILED. 3 passed; 1 failed; 0 ignored",
        "assertion `left == right` failed: as it has to",
        // What the failing one has printed, and no other.
        "said by b",
    ] {
        ensure!(
            ended.stdout.contains(line),
            "no {line:?}: {}\n{}",
            ended.stdout,
            ended.stderr
        );
    }
    ensure!(!ended.stdout.contains("said by a"), "{}", ended.stdout);
    Ok(())
}

/// A fault of compilers, in the order of docs/unwinding.md, which has the program.
struct Fault {
    /// Where it shows best.
    level: &'static str,
    /// What the program does natively: what it prints, and its exit code.
    natively: (&'static str, i32),
    /// The compilers that have it.
    shows_with: &'static [&'static str],
}

/// The first two are those of compilers that are no longer taken.
const FAULTS: [Fault; 4] = [
    Fault {
        level: "3",
        natively: ("2\n3\n1", 0),
        shows_with: &[],
    },
    Fault {
        level: "3",
        natively: ("", 134),
        shows_with: &[],
    },
    Fault {
        level: "s",
        natively: ("1 2 3 ", 0),
        shows_with: &["1.97.1"],
    },
    Fault {
        level: "3",
        natively: ("0\n1", 0),
        shows_with: &["1.97.1"],
    },
];

const PAGE: &str = include_str!("../../docs/unwinding.md");

/// Each smallest program does what it should. Without what mends the fault it shows with
/// the compilers that are known for it, and no others: if one is mended, or a new compiler
/// has it, this fails.
fn faults_of_compilers(workbench: &Workbench, host: &Host) -> Result<()> {
    let Host::WasmEdge(edge, ..) = host else {
        return Ok(());
    };
    set_up(workbench, host)?;
    let programs: Vec<&str> = PAGE.split("```rust\n").skip(1).collect();
    ensure!(
        programs.len() == FAULTS.len(),
        "{} programs",
        programs.len()
    );
    let temp = tempfile::tempdir()?;
    let run = |program: &Path| -> Result<(String, Option<i32>)> {
        let mut command = Command::new(&edge.program);
        command.arg(program);
        let ended = Guard::run(command, LIMIT)?;
        // WasmEdge's own words on a trap.
        let is_program = |line: &&str| !line.starts_with('[');
        let lines: Vec<&str> = ended.stdout.lines().filter(is_program).collect();
        Ok((lines.join("\n"), ended.code()))
    };
    for (at, (program, fault)) in programs.into_iter().zip(&FAULTS).enumerate() {
        let folder = temp.path().join(format!("fault-{at}"));
        fs::create_dir_all(folder.join("src"))?;
        let source = program.split("```").next().unwrap_or_default();
        fs::write(folder.join("src/main.rs"), source)?;
        let manifest = format!(
            "[package]\nname = \"fault\"\nedition = \"2021\"\n[workspace]\n\
             [profile.release]\nopt-level = {}\n",
            match fault.level.parse::<u8>() {
                Ok(level) => level.to_string(),
                Err(_) => format!("{:?}", fault.level),
            }
        );
        fs::write(folder.join("Cargo.toml"), manifest)?;
        let build = |target: &str, wrapper: Option<&Path>| -> Result<PathBuf> {
            let mut command = workbench.wasmedge(host)?;
            command
                .args(["--unwind", "build", "--release", "--target-dir", target])
                .current_dir(&folder);
            if let Some(wrapper) = wrapper {
                command.env("RUSTC_WRAPPER", wrapper);
            }
            Guard::run(command, BUILD_LIMIT)?.successful()?;
            Ok(folder.join(target).join("wasm32-wasip1/release/fault.wasm"))
        };
        let natively = (fault.natively.0.to_owned(), Some(fault.natively.1));
        let found = run(&build("mended", None)?)?;
        ensure!(found == natively, "fault {}: {found:?}", at + 1);

        let rustc = Rustc::behind(&folder.join("mended/wasmedge/unwinding/rustc"))?;
        let wrapper = folder.join("wrapper");
        rustc.write_wrapper(&wrapper)?;
        let shows = run(&build("bare", Some(&wrapper))?)? != natively;
        let version = rustc.version()?;
        ensure!(
            shows == fault.shows_with.contains(&version.as_str()),
            "rustc {version}: fault {} {}",
            at + 1,
            if shows { "shows" } else { "is mended" }
        );
    }
    Ok(())
}

/// The compiler that a script of ours starts.
struct Rustc {
    program: String,
    sysroot: String,
}

impl Rustc {
    fn behind(script: &Path) -> Result<Rustc> {
        let text = fs::read_to_string(script)
            .with_context(|| format!("cannot read {}", script.display()))?;
        let line = text.lines().last().and_then(shlex::split);
        match line.unwrap_or_default().as_slice() {
            [_, _, _, program, sysroot, _] => Ok(Rustc {
                program: program.clone(),
                sysroot: sysroot.clone(),
            }),
            words => bail!("no compiler in {words:?}"),
        }
    }

    fn version(&self) -> Result<String> {
        let mut command = Command::new(&self.program);
        command.arg("--version");
        let said = Guard::run(command, LIMIT)?.successful()?.stdout;
        let version = said.split_whitespace().nth(1).context("no version")?;
        Ok(version.to_owned())
    }

    /// A program for cargo to call the compiler by, which leaves out all that mends faults.
    fn write_wrapper(&self, file: &Path) -> Result<()> {
        let Rustc { program, sysroot } = self;
        let script = format!(
            "#!/bin/sh\nshift\ncase \"$*\" in\n*'--target wasm32-wasip1'*)\n\
             exec '{program}' \"$@\" --sysroot '{sysroot}' -Cpanic=unwind \
             -Cllvm-args=-wasm-use-legacy-eh=true;;\nesac\nexec '{program}' \"$@\"\n"
        );
        fs::write(file, script)?;
        fs::set_permissions(file, Permissions::from_mode(0o755))?;
        Ok(())
    }
}
