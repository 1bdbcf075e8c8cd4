//! `cargo xtask test`: everything that is tested, natively and under WasmEdge.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result};
use cargo_wasmedge::resolve::fetch::fetch;
use cargo_wasmedge::toolchain::wasmedge::WasmEdge;
use semver::{Version, VersionReq};
use tests_integration::Mode;
use tests_integration::mode::{WITH_PLUGIN, WithPlugin};
use tools_common::repo::is_ci;
use tools_common::report::Counts;
use tools_common::setup::versions;
use tools_common::sources::copy_sources;
use tools_common::{Modes, Repo, Report, Runner, Tools};

/// Packages that are compiled into guests, and whose tests run in both worlds. This is
/// the only list of them.
pub const GUEST_PACKAGES: [&str; 5] = [
    "wasmedge_host",
    "wasmedge_wasi_socket",
    "wasmedge_std",
    "wasmedge_libc",
    "wasmedge_random",
];

/// The package of the tests that look at programs from outside.
const DRIVEN: &str = "tests-integration";

/// The older minor releases of tokio that the port covers. The newest one is
/// what the lockfile of the behaviour tests has.
pub const OLDER_TOKIO: [&str; 3] = ["~1.51", "~1.52", "~1.53"];

#[derive(Debug, Default, clap::Args)]
#[command(after_help = "\
Sets up what is missing first. What cannot be tested here is listed at the end;
with CI=true it is a failure. The last line has the sums.")]
pub struct Args {
    /// Leave out the older releases of tokio, and with the plugin all but the newest
    /// WasmEdge, interpreted
    #[arg(long)]
    pub quick: bool,

    /// Without WasmEdge's plugin, with it, or both: `plain`, `plugin`, `all`
    #[arg(long, value_name = "MODE", default_value_t)]
    pub mode: Modes,

    /// A version of WasmEdge to test, such as 0.17.1 (may be repeated)
    #[arg(long, value_name = "VERSION")]
    pub wasmedge: Vec<VersionReq>,

    /// Leave out what is compiled ahead of time
    #[arg(long)]
    pub no_aot: bool,
}

/// Gives whether all tests passed.
pub fn run(args: &Args) -> Result<bool> {
    Ok(run_after(Report::default(), args)?.print(!is_ci()))
}

/// Goes on with a report that has something in it already.
pub fn run_after(report: Report, args: &Args) -> Result<Report> {
    let repo = Repo::open()?;
    let tools = Tools::set_up(&repo, &versions(&args.wasmedge))?;
    let mut run = Run {
        runner: Runner::find(&repo),
        repo: &repo,
        tools: &tools,
        report,
        aot: !args.no_aot,
        with_plugin: match args.mode {
            Modes::Only(Mode::Plain) => WithPlugin::None,
            _ if args.quick => WithPlugin::Newest,
            _ => WithPlugin::All,
        },
        is_quick: args.quick,
    };
    for missing in &tools.missing {
        run.report.left_out(missing);
    }
    if run.runner == Runner::CargoTest {
        repo.shell
            .note("cargo-nextest is not installed: the tests run with `cargo test`");
    }

    run.native()?;
    let is_quick = |wasmedge: &WasmEdge| wasmedge.version == tools.newest().version;
    for mode in args.mode.here() {
        let aot = match mode {
            Mode::Plain => run.aot,
            Mode::Plugin => run.aot && run.with_plugin.runs(false),
        };
        if aot && run.runner == Runner::Nextest {
            run.compile(mode)?;
        }
        for wasmedge in &tools.wasmedge {
            if mode == Mode::Plain || run.with_plugin.runs(is_quick(wasmedge)) {
                run.under(wasmedge, mode, aot)?;
            }
        }
    }
    run.driven(args.mode)?;
    if args.quick {
        run.report
            .not_asked_for("behaviour with older releases of tokio (--quick)");
        for (_, what) in SLOWEST {
            run.report.not_asked_for(format!("{what} (--quick)"));
        }
        if run.with_plugin == WithPlugin::Newest {
            run.report.not_asked_for(
                "with the plugin, other WasmEdges and programs compiled ahead of time (--quick)",
            );
        }
    } else {
        run.older_tokio()?;
    }
    if args.mode != Modes::All {
        run.report
            .not_asked_for(format!("other modes (--mode {})", args.mode));
    }
    if args.no_aot {
        run.report
            .not_asked_for("programs compiled ahead of time (--no-aot)");
    }
    Ok(run.report)
}

/// The tests of [`DRIVEN`] that are for the long run, and what they are of.
const SLOWEST: [(&str, &str); 2] = [
    // Loads and builds everything anew.
    ("first_hour", "a first hour in an empty home"),
    // Builds the standard library, from sources of 130 MB.
    ("unwinding", "programs whose panics unwind"),
];

struct Run<'a> {
    repo: &'a Repo,
    tools: &'a Tools,
    runner: Runner,
    report: Report,
    aot: bool,
    with_plugin: WithPlugin,
    is_quick: bool,
}

impl Run<'_> {
    fn test(&mut self, suite: &str, runtime: &str, command: &mut Command) -> Result<Counts> {
        self.repo
            .shell
            .status("Testing", format_args!("{suite} ({runtime})"));
        self.repo.shell.command(command);
        let runner = self.runner;
        self.report.run(suite, runtime, || runner.run(command))
    }

    /// The arguments that select the tests that look at programs from outside, or
    /// all others of the workspace. With nextest both are built alike, so that
    /// shared crates are built once.
    fn workspace(&self, driven: bool) -> Vec<String> {
        let words: &[&str] = match (self.runner, driven) {
            (Runner::Nextest, _) => &["--workspace", "-E"],
            (Runner::CargoTest, true) => &["--package", DRIVEN],
            (Runner::CargoTest, false) => &["--workspace", "--exclude", DRIVEN],
        };
        let mut args: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        if self.runner == Runner::Nextest {
            let not = if driven { "" } else { "not " };
            args.push(format!("{not}package({DRIVEN})"));
        }
        args.push("--locked".to_owned());
        args
    }

    /// What needs no WasmEdge.
    fn native(&mut self) -> Result<()> {
        let mut command = self.repo.cargo(self.runner.args());
        command.args(self.workspace(false));
        self.test("workspace", "native", &mut command)?;

        let mut command = self.repo.cargo(self.runner.args());
        command
            .arg("--locked")
            .current_dir(self.repo.behaviour())
            .env("CARGO_TARGET_DIR", self.behaviour_target());
        self.test("behaviour", "native", &mut command)?;
        Ok(())
    }

    /// Has the behaviour tests compiled ahead of time for all WasmEdges at once, each of
    /// which uses one processor for it. Listing tests runs the program, so it is
    /// compiled and kept.
    fn compile(&mut self, mode: Mode) -> Result<()> {
        let (folder, started) = (self.repo.behaviour(), Instant::now());
        self.repo
            .shell
            .status("Compiling", "behaviour tests ahead of time");
        let run = &*self;
        // All are waited for, also when one cannot be started.
        let passed = std::thread::scope(|scope| {
            let compile = |wasmedge| {
                let words = &["nextest", "list"];
                let mut command = run.behaviour_command(wasmedge, mode, &folder, words, true)?;
                run.repo.succeeds(command.stdout(Stdio::null()))
            };
            let running: Vec<_> = (run.tools.wasmedge.iter())
                .map(|wasmedge| scope.spawn(move || compile(wasmedge)))
                .collect();
            running.into_iter().try_fold(true, |passed, thread| {
                let succeeded = thread.join().expect("it does not panic")?;
                anyhow::Ok(passed & succeeded)
            })
        })?;
        let name = format!("behaviour, compiled{}", mode.suffix());
        self.report.check(&name, passed, started.elapsed());
        Ok(())
    }

    /// What runs inside of WasmEdge.
    fn under(&mut self, wasmedge: &WasmEdge, mode: Mode, aot: bool) -> Result<()> {
        // They depend on no upstream crate, so there is nothing to port.
        let mut command = self.tools.plain_cargo(wasmedge);
        command
            .args(self.runner.args())
            .current_dir(&self.repo.root);
        for package in GUEST_PACKAGES {
            command.args(["--package", package]);
        }
        self.tools.select(mode, self.repo, &mut command)?;
        self.test("host layer", &runtime(wasmedge, mode, false), &mut command)?;

        let folder = self.repo.behaviour();
        self.behaviour("behaviour", wasmedge, mode, &folder, false)?;
        if aot {
            self.behaviour("behaviour", wasmedge, mode, &folder, true)?;
        }
        Ok(())
    }

    /// The behaviour tests of a folder. They are built with optimisation even if
    /// they are interpreted: one build for all, and the interpreter has less to do.
    fn behaviour(
        &mut self,
        suite: &str,
        wasmedge: &WasmEdge,
        mode: Mode,
        folder: &Path,
        aot: bool,
    ) -> Result<Counts> {
        let words = self.runner.args();
        let mut command = self.behaviour_command(wasmedge, mode, folder, words, aot)?;
        self.test(suite, &runtime(wasmedge, mode, aot), &mut command)
    }

    /// `cargo wasmedge` with `words`, for the behaviour tests of a folder.
    fn behaviour_command(
        &self,
        wasmedge: &WasmEdge,
        mode: Mode,
        folder: &Path,
        words: &[&str],
        aot: bool,
    ) -> Result<Command> {
        let mut command = self.tools.cargo_wasmedge(wasmedge);
        command
            .args(words)
            .arg("--release")
            .current_dir(folder)
            .env("CARGO_TARGET_DIR", self.behaviour_target())
            .env("CARGO_WASMEDGE_AOT", if aot { "always" } else { "never" });
        self.tools.select(mode, self.repo, &mut command)?;
        Ok(command)
    }

    /// Programs that are run and looked at from outside: natively, and under WasmEdge in
    /// these modes.
    fn driven(&mut self, modes: Modes) -> Result<()> {
        let versions: Vec<String> = self
            .tools
            .wasmedge
            .iter()
            .map(|wasmedge| wasmedge.version.to_string())
            .collect();
        let mut command = self.repo.cargo(self.runner.args());
        command
            .args(["--locked", "--package", DRIVEN])
            .env(
                tests_integration::build::BIN_VARIABLE,
                &self.tools.cargo_wasmedge,
            )
            .env(
                tests_integration::host::VERSIONS_VARIABLE,
                versions.join(" "),
            )
            .env(WITH_PLUGIN, self.with_plugin.to_string());
        let mut chosen = Vec::new();
        if !modes.has(Mode::Plain) {
            chosen.push(format!("test({})", Mode::Plugin.suffix()));
        }
        if self.is_quick {
            chosen.extend(SLOWEST.map(|(binary, _)| format!("not binary({binary})")));
        }
        if !chosen.is_empty() && self.runner == Runner::Nextest {
            command.args(["-E", &chosen.join(" and ")]);
        }
        let with = match self.with_plugin {
            _ if !Mode::Plugin.is_here() => String::new(),
            WithPlugin::All => ", with the plugin, too".to_owned(),
            WithPlugin::Newest => format!(", {}+plugin", self.tools.newest().version),
            WithPlugin::None => String::new(),
        };
        let runtime = format!("native, WasmEdge {}{with}", versions.join(", "));
        self.test("apps", &runtime, &mut command)?;
        Ok(())
    }

    /// The behaviour tests with older releases of tokio.
    fn older_tokio(&mut self) -> Result<()> {
        let wasmedge = self.tools.newest();
        for minor in OLDER_TOKIO {
            let upstream = fetch(
                &|| Command::new(&self.tools.rust.cargo),
                "tokio",
                &minor.parse()?,
                false,
            )?;
            let folder = self.behaviour_with(&upstream.version)?;
            let suite = format!("behaviour, tokio {}", upstream.version);
            self.behaviour(&suite, wasmedge, Mode::Plain, &folder, false)?;
        }
        Ok(())
    }

    /// A copy of the behaviour tests with its lockfile at another release of tokio.
    fn behaviour_with(&self, tokio: &Version) -> Result<PathBuf> {
        let folder = self
            .repo
            .target
            .join(format!("xtask/behaviour-tokio-{tokio}"));
        copy_sources(&self.repo.behaviour(), &folder)?;
        let lock = folder.join("Cargo.lock");
        fs::copy(self.repo.behaviour().join("Cargo.lock"), &lock)
            .with_context(|| format!("cannot write {}", lock.display()))?;
        let precise = tokio.to_string();
        let words = ["update", "--package", "tokio", "--precise", &precise];
        let mut update = self.repo.cargo(words.map(OsString::from));
        self.repo.must(update.current_dir(&folder))?;
        Ok(folder)
    }

    /// Natively and for WasmEdge, and for all releases of tokio.
    fn behaviour_target(&self) -> PathBuf {
        self.repo.target.join("behaviour")
    }
}

/// What the table says of where tests ran.
fn runtime(wasmedge: &WasmEdge, mode: Mode, aot: bool) -> String {
    let aot = if aot { " AOT" } else { "" };
    format!("WasmEdge {}{}{aot}", wasmedge.version, mode.suffix())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_of_guests_are_in_the_workspace() {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
        let metadata = cargo_metadata::MetadataCommand::new()
            .manifest_path(manifest)
            .no_deps()
            .exec()
            .unwrap();
        for guest in GUEST_PACKAGES {
            let is_member = metadata
                .packages
                .iter()
                .any(|package| package.name == guest);
            assert!(is_member, "{guest}");
        }
    }
}
