//! Random numbers: what the ported getrandom gives, and what the host alone would.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use tests_integration::suite::On;
use tests_integration::{App, Guard, Host, LIMIT, Mode, Suite, Workbench};
use wasmedge_random::minstd::{Minstd, recognise};

const KERNEL: &str = "/proc/sys/kernel/random:/proc/sys/kernel/random:readonly";

fn main() -> ExitCode {
    Suite::new(env!("CARGO_TARGET_TMPDIR"))
        .test(
            "no_two_keys_agree_within_or_between_instances",
            On::Interpreted,
            no_two_keys_agree,
        )
        .test("bits_are_balanced", On::Interpreted, statistics)
        .test_in(
            &[Mode::Plain],
            "without_a_sound_seed_the_error_names_the_remedy",
            On::WasmEdge,
            without_a_source,
        )
        .test_in(
            &[Mode::Plain],
            "c_code_has_the_same_generator",
            On::WasmEdge,
            c_code_has_the_same_generator,
        )
        .test_in(
            &[Mode::Plain],
            "urandom_in_a_preopened_folder_is_enough",
            On::WasmEdge,
            urandom,
        )
        .test_in(
            &[Mode::Plain],
            "with_the_plugin_no_folder_is_needed",
            On::WasmEdge,
            with_the_plugin,
        )
        .test_in(
            &[Mode::Plain],
            "four_bytes_of_the_hosts_own_numbers_give_away_the_rest",
            On::WasmEdge,
            raw_host_numbers_leak,
        )
        .run()
}

fn lines(command: Command) -> Result<Vec<String>> {
    let ended = Guard::run(command, LIMIT)?.successful()?;
    Ok(ended.stdout.lines().map(str::to_owned).collect())
}

/// All instances start with the same arguments, environment and folders.
fn no_two_keys_agree(workbench: &Workbench, host: &Host) -> Result<()> {
    let mut keys: Vec<String> = Vec::new();
    for _ in 0..5 {
        let mut command = workbench.command(App::Own("random"), host)?;
        command.arg("50");
        let new = lines(command)?;
        ensure!(new.len() == 200 && new.iter().all(|key| key.len() == 64));
        keys.extend(new);
    }
    let all = keys.len();
    keys.sort();
    keys.dedup();
    ensure!(keys.len() == all, "{} of {all} keys differ", keys.len());
    Ok(())
}

/// Wrong once in more than a billion runs.
fn statistics(workbench: &Workbench, host: &Host) -> Result<()> {
    let mut command = workbench.command(App::Own("random"), host)?;
    // As much as is quickly made by an interpreter.
    let total = 20_000;
    command.args(["--stream", &total.to_string()]);
    let printed = lines(command)?;
    let bytes = bytes(printed.first().context("nothing was printed")?)?;
    ensure!(bytes.len() == total);

    let ones: f64 = bytes.iter().map(|byte| f64::from(byte.count_ones())).sum();
    let (bits, expected) = (8.0 * total as f64, 4.0 * total as f64);
    let deviation = (ones - expected).abs() / (bits / 4.0).sqrt();
    ensure!(deviation < 6.5, "{ones} of {bits} bits are 1");

    let mut counts = [0_f64; 256];
    bytes
        .iter()
        .for_each(|byte| counts[usize::from(*byte)] += 1.0);
    let each = total as f64 / 256.0;
    let square: f64 = counts.iter().map(|n| (n - each).powi(2) / each).sum();
    // 255 degrees of freedom: a mean of 255, a standard deviation of 22.6.
    ensure!((115.0..430.0).contains(&square), "chi-square is {square}");

    let equal = bytes.windows(2).filter(|pair| pair[0] == pair[1]).count() as f64;
    ensure!(
        (equal - each).abs() < 6.5 * each.sqrt(),
        "{equal} bytes follow their like"
    );
    Ok(())
}

fn bytes(hex: &str) -> Result<Vec<u8>> {
    let digits = hex.as_bytes().chunks(2);
    digits
        .map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?))
        .collect()
}

/// WasmEdge as an operator starts it, without the runner.
fn plain(workbench: &Workbench, host: &Host, options: &[&str]) -> Result<Option<Command>> {
    let Host::WasmEdge(edge, ..) = host else {
        return Ok(None);
    };
    let mut command = Command::new(&edge.program);
    command.args(options);
    command.arg(workbench.program(App::Own("random"), host)?);
    Ok(Some(command))
}

fn without_a_source(workbench: &Workbench, host: &Host) -> Result<()> {
    let run = |options: &[&str]| -> Result<_> {
        let mut command = plain(workbench, host, options)?.context("needs WasmEdge")?;
        command.arg("1");
        Guard::run(command, LIMIT)
    };
    let ended = run(&[])?;
    if each_call_is_a_draw(workbench, host)? {
        ended.successful()?;
    } else {
        ensure!(ended.code() == Some(1), "{ended}");
        for words in [
            "not fit for keys",
            "cargo wasmedge run",
            KERNEL,
            "WASMEDGE_WEAK_RANDOM=1",
        ] {
            ensure!(ended.stderr.contains(words), "{words}: {ended}");
        }
    }
    run(&["--dir", KERNEL])?.successful()?;
    run(&["--env", "WASMEDGE_WEAK_RANDOM=1"])?.successful()?;
    Ok(())
}

/// libc's own `getentropy` would give the host's numbers, without a word.
fn c_code_has_the_same_generator(workbench: &Workbench, host: &Host) -> Result<()> {
    let run = |options: &[&str]| -> Result<_> {
        let mut command = plain(workbench, host, options)?.context("needs WasmEdge")?;
        command.arg("--c");
        Guard::run(command, LIMIT)
    };
    let ended = run(&[])?;
    if each_call_is_a_draw(workbench, host)? {
        let key = bytes(ended.successful()?.stdout.trim())?;
        ensure!(recognise(&key).is_none(), "{key:?} is the host's");
    } else {
        ensure!(ended.code() == Some(1), "{ended}");
        ensure!(ended.stderr.contains("getentropy gives nothing"), "{ended}");
    }
    let sound = run(&["--dir", KERNEL])?.successful()?;
    ensure!(sound.stdout.trim().len() == 64, "{sound}");
    Ok(())
}

fn urandom(workbench: &Workbench, host: &Host) -> Result<()> {
    let mut command =
        plain(workbench, host, &["--dir", "/dev:/dev:readonly"])?.context("needs WasmEdge")?;
    command.arg("1");
    ensure!(lines(command)?.len() == 4);
    Ok(())
}

/// The kernel's folder is taken away, as on a host that has none.
fn with_the_plugin(workbench: &Workbench, host: &Host) -> Result<()> {
    if cfg!(not(target_os = "linux")) {
        // The plugin is for Linux.
        return Ok(());
    }
    let empty = tempfile::tempdir()?;
    let folder = format!(
        "/proc/sys/kernel/random:{}:readonly",
        empty.path().display()
    );
    let command = || -> Result<Command> {
        let mut command = workbench.command(App::Own("random"), host)?;
        command.arg("1").env("CARGO_WASMEDGE_DIRS", &folder);
        Ok(command)
    };
    if !each_call_is_a_draw(workbench, host)? {
        let ended = Guard::run(command()?, LIMIT)?;
        ensure!(ended.code() == Some(1), "{ended}");
    }
    let mut with = command()?;
    with.env("CARGO_WASMEDGE_PLUGIN", workbench.plugin()?);
    let keys = lines(with)?;
    ensure!(keys.len() == 4, "{keys:?}");
    Ok(())
}

fn raw(workbench: &Workbench, host: &Host) -> Result<Vec<u8>> {
    let mut command = plain(workbench, host, &[])?.context("needs WasmEdge")?;
    command.arg("--raw");
    bytes(lines(command)?.first().context("nothing was printed")?)
}

fn each_call_is_a_draw(workbench: &Workbench, host: &Host) -> Result<bool> {
    Ok(recognise(&raw(workbench, host)?).is_some())
}

/// A key of 32 bytes straight from WasmEdge 0.14's `random_get`: who knows the
/// first four bytes (a nonce, say) computes the other 28. Later versions have 64
/// bits in all; their numbers are not of this kind, and count for nothing.
fn raw_host_numbers_leak(workbench: &Workbench, host: &Host) -> Result<()> {
    let Host::WasmEdge(edge, ..) = host else {
        return Ok(());
    };
    let key = raw(workbench, host)?;
    let mut state = Minstd::behind(u32::from_le_bytes([key[0], key[1], key[2], key[3]]));
    let guessed: Vec<u8> = (0..7).flat_map(|_| state.word().to_le_bytes()).collect();
    let leaks = guessed == key[4..];
    let expected = (edge.version.major, edge.version.minor) <= (0, 14);
    ensure!(leaks == expected, "leaks: {leaks}, {key:?}, {guessed:?}");
    Ok(())
}
