//! The plugin as the command gives it to its user: built, written, and in programs that are
//! compiled for it.

#[path = "../../../cargo-wasmedge/src/wasm/imports/same.rs"]
mod same;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use tests_integration::build::BUILD_LIMIT;
use tests_integration::guard::Ended;
use tests_integration::suite::On;
use tests_integration::{App, Guard, Host, LIMIT, Mode, Suite, Workbench};

const SETTING: &str = "CARGO_WASMEDGE_PLUGIN";
const HOME: &str = "CARGO_WASMEDGE_HOME";
const PATH: &str = "WASMEDGE_PLUGIN_PATH";

/// The tests choose the plugin themselves.
const PLAIN: [Mode; 1] = [Mode::Plain];

pub fn add(suite: Suite) -> Suite {
    suite
        .test_in(
            &PLAIN,
            "the_library_that_is_written_serves_every_wasmedge",
            On::WasmEdge,
            written,
        )
        .test_in(
            &PLAIN,
            "set_up_it_is_what_programs_get",
            On::WasmEdge,
            set_up,
        )
        .test_in(
            &PLAIN,
            "a_program_compiled_for_it_starts_with_it_only",
            On::WasmEdge,
            compiled,
        )
        .test_in(
            &PLAIN,
            "the_program_is_the_same_but_for_the_rewrite",
            On::WasmEdge,
            same_program,
        )
}

/// A cache folder with nothing in it yet but this machine's toolchains.
fn home(workbench: &Workbench) -> Result<PathBuf> {
    let home = workbench.tmp().join("plugin-home");
    fs::create_dir_all(&home)?;
    let real = cargo_wasmedge::toolchain::Dirs::new()?;
    for folder in [real.toolchains(), real.wasmedge()] {
        let link = home.join(folder.file_name().context("a name")?);
        if folder.exists() {
            // Another test may be first.
            let _ = std::os::unix::fs::symlink(&folder, link);
        }
    }
    Ok(home)
}

fn run(mut command: Command, home: &Path) -> Result<Ended> {
    command.env(HOME, home);
    Guard::run(command, BUILD_LIMIT)?.successful()
}

fn written(workbench: &Workbench, host: &Host) -> Result<()> {
    let home = home(workbench)?;
    let folder = tempfile::tempdir()?;
    let mut command = workbench.wasmedge(host)?;
    command.arg("plugin").arg(folder.path());
    let said = run(command, &home)?;
    let line = format!("{PATH}={} wasmedge", folder.path().display());
    ensure!(said.stdout.starts_with(&line), "{said}");
    // By its folder, as WasmEdge itself finds it.
    let program = workbench.plugin_guest("plugin-guest", host)?;
    let mut guest = workbench.run_program(&program, host)?;
    guest.args(["all"]).env(PATH, folder.path());
    let ended = Guard::run(guest, LIMIT)?.successful()?;
    ensure!(ended.stdout.contains("called: "), "{ended}");
    ensure!(!ended.stderr.contains("warning"), "{ended}");
    Ok(())
}

fn set_up(workbench: &Workbench, host: &Host) -> Result<()> {
    let home = home(workbench)?;
    let mut command = workbench.wasmedge(host)?;
    // It builds the plugin for who wants it.
    command.arg("setup").env_remove(SETTING);
    let said = run(command, &home)?;
    ensure!(said.stderr.contains("Ready plugin"), "{said}");
    let program = workbench.plugin_guest("plugin-stubs", host)?;
    for (setting, random) in [("auto", "random 0, true"), ("never", "random -38, false")] {
        let mut guest = workbench.run_program(&program, host)?;
        guest.env(SETTING, setting);
        let ended = run(guest, &home)?;
        ensure!(ended.stdout.contains(random), "{setting}: {ended}");
        ensure!(!ended.stderr.contains("warning"), "{setting}: {ended}");
    }
    Ok(())
}

fn compiled(workbench: &Workbench, host: &Host) -> Result<()> {
    let program = workbench.plugin_guest("plugin-stubs", host)?;
    let library = workbench.plugin()?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("app.so");
    let library = library.to_str().context("the library's path")?;
    for (setting, random) in [
        ("auto", "random -38, false"),
        ("never", "random -38, false"),
        (library, "random 0, true"),
    ] {
        let mut command = workbench.wasmedge(host)?;
        command.arg("compile").arg(&program).arg("-o").arg(&file);
        command.env(SETTING, setting);
        let said = Guard::run(command, BUILD_LIMIT)?.successful()?;
        let lines = said.stderr.lines().map(str::trim);
        let mut lines = lines.filter_map(|line| line.strip_prefix("Run with "));
        let line = lines.next().with_context(|| said.to_string())?;
        let as_told = |line: &str| -> Result<Ended> {
            let mut shell = Command::new("sh");
            shell.args(["-c", &line.replace('…', "")]).env_remove(PATH);
            Guard::run(shell, LIMIT)
        };
        let ended = as_told(line)?.successful()?;
        ensure!(ended.stdout.contains(random), "{setting}: {ended}");
        if let Some(without) = line.strip_prefix(&format!("{PATH}={library} ")) {
            ensure!(setting == library, "{said}");
            let ended = as_told(without)?;
            ensure!(ended.code() != Some(0), "{ended}");
            // What WasmEdge says helps nobody, so the runner says more.
            let mut runner = workbench.run_program(&file, host)?;
            runner.env_remove(PATH);
            let ended = Guard::run(runner, LIMIT)?;
            ensure!(ended.code() != Some(0), "{ended}");
            ensure!(
                ended.stderr.contains("was compiled for the plugin"),
                "{ended}"
            );
        } else {
            ensure!(setting != library, "{said}");
        }
    }
    Ok(())
}

/// A real one, with debug information.
fn same_program(workbench: &Workbench, host: &Host) -> Result<()> {
    let host = &host.interpreted();
    let built = workbench.program(App::Own("axum-app"), host)?;
    let mut command = workbench.run_program(&built, host)?;
    command
        .arg("no address")
        .env(SETTING, workbench.plugin()?)
        .env("CARGO_WASMEDGE_VERBOSE", "true");
    let said = Guard::run(command, LIMIT)?;
    let mut words = said.stderr.split([' ', '`', '\'']);
    let made = words.find(|word| word.contains("/plugged/") && word.ends_with("/axum-app.wasm"));
    let made = made.with_context(|| said.to_string())?;
    let before = fs::read(&built)?;
    let added = same::assert_same(&before, &fs::read(made)?, "tokio_wasmedge");
    ensure!(added > 20, "{added} functions");
    Ok(())
}
