//! WasmEdge as a child: for when something is to be said of what it printed, or of how
//! it ended.
//!
//! To others it is as if this process were WasmEdge. What it prints is passed on, signals
//! reach it, and this process ends as it did. A killed runner leaves no guest behind
//! (Linux only).

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _};
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::Context as _;

use super::trace::Trace;
use crate::error::Result;
use crate::process;

/// The hidden subcommand that the child is at first.
pub const SUBCOMMAND: &str = "wasmedge-guest";

/// Runs WasmEdge. With a trace, its standard output is watched.
///
/// # Errors
/// It cannot be started.
pub(super) fn run(command: Command, trace: Option<Trace<'_>>) -> Result<ExitStatus> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = || format!("cannot start {program}");
    #[cfg(unix)]
    let signals = crate::signals::Signals::watch()?;
    let mut command = dying_with_us(command);
    let terminal = match &trace {
        None => None,
        Some(_) => match standard_output()? {
            Some((ours, theirs)) => {
                command.stdout(theirs);
                Some(ours)
            }
            None => {
                command.stdout(Stdio::piped());
                None
            }
        },
    };
    let mut child = command.spawn().with_context(failed)?;
    // It holds an end of the child's standard output.
    drop(command);
    #[cfg(unix)]
    signals.started(child.id());
    if let Some(trace) = trace {
        let printed = terminal.or_else(|| printed_by(&mut child));
        if let Some(printed) = printed {
            // Nobody reads any more: the child is to notice, and does when this end is
            // closed.
            let _ = pass_on(printed, trace);
        }
    }
    let status = child.wait().context("cannot wait for WasmEdge")?;
    #[cfg(unix)]
    signals.ended();
    Ok(status)
}

/// Ends this process as WasmEdge did: by the same signal, or with the code that is
/// returned.
///
/// # Errors
/// None so far.
pub(super) fn end_as(status: ExitStatus) -> Result<i32> {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        let _ = signal_hook::low_level::emulate_default_handler(signal);
    }
    Ok(process::exit_code(status))
}

/// Becomes WasmEdge, as the child of the runner `parent` that dies with it. `args` are
/// the program and its arguments.
///
/// # Errors
/// It cannot be started.
pub fn replace(parent: u32, args: &[OsString]) -> Result<i32> {
    let (program, args) = args.split_first().context("no program")?;
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Signal, getppid, set_parent_process_death_signal};

        // Without it only a killed runner's guest goes on.
        let _ = set_parent_process_death_signal(Some(Signal::KILL));
        // It was killed before that.
        let is_orphan = getppid().is_none_or(|pid| pid.as_raw_nonzero().get() as u32 != parent);
        if is_orphan {
            return Ok(128 + Signal::KILL.as_raw());
        }
    }
    let _ = parent;
    let mut command = Command::new(program);
    command.args(args);
    process::replace(command)
}

/// The same command, by way of [`replace`]: only a process itself can ask for the signal
/// that it gets when its parent dies.
fn dying_with_us(command: Command) -> Command {
    if !cfg!(target_os = "linux") {
        return command;
    }
    // Even a program that was replaced since is reached so.
    let mut own = Command::new("/proc/self/exe");
    own.arg(SUBCOMMAND).arg(std::process::id().to_string());
    own.arg(command.get_program()).args(command.get_args());
    own
}

/// Where the child is to print if standard output is a terminal, and where that is read:
/// programs print otherwise into a pipe. `None`: it is no terminal.
#[cfg(unix)]
fn standard_output() -> Result<Option<(File, Stdio)>> {
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::fs::OFlags;
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{OptionalActions, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize};

    if !io::stdout().is_terminal() {
        return Ok(None);
    }
    let open = || -> io::Result<(File, Stdio)> {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        grantpt(&ours)?;
        unlockpt(&ours)?;
        let name = ptsname(&ours, Vec::new())?;
        let theirs = File::options()
            .read(true)
            .write(true)
            .custom_flags(OFlags::NOCTTY.bits() as i32)
            .open(std::ffi::OsStr::from_bytes(name.as_bytes()))?;
        // The terminal itself does what has to be done to lines.
        let mut raw = tcgetattr(&theirs)?;
        raw.make_raw();
        tcsetattr(&theirs, OptionalActions::Now, &raw)?;
        if let Ok(size) = tcgetwinsize(io::stdout()) {
            let _ = tcsetwinsize(&theirs, size);
        }
        Ok((File::from(ours), Stdio::from(theirs)))
    };
    // Without pseudo-terminals it is a pipe.
    Ok(open().ok())
}

#[cfg(not(unix))]
fn standard_output() -> Result<Option<(File, Stdio)>> {
    Ok(None)
}

#[cfg(unix)]
fn printed_by(child: &mut Child) -> Option<File> {
    let pipe = child.stdout.take()?;
    Some(File::from(std::os::fd::OwnedFd::from(pipe)))
}

#[cfg(not(unix))]
fn printed_by(child: &mut Child) -> Option<File> {
    let pipe = child.stdout.take()?;
    Some(File::from(std::os::windows::io::OwnedHandle::from(pipe)))
}

/// Passes on all that is printed, until the other end is closed.
fn pass_on(mut printed: File, mut trace: Trace<'_>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let mut buffer = vec![0; 1 << 16];
    loop {
        if trace.holds() && !is_ready_soon(&printed) {
            trace.release(&mut out)?;
        }
        match printed.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => trace.pass(&buffer[..read], &mut out)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // How a pseudo-terminal says that the other end is closed.
            Err(_) => break,
        }
    }
    trace.release(&mut out)
}

/// Whether there is something to read within the time that the parts of one line may
/// take.
#[cfg(unix)]
fn is_ready_soon(printed: &File) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let soon = Timespec {
        tv_sec: 0,
        tv_nsec: 50_000_000,
    };
    let mut fds = [PollFd::new(printed, PollFlags::IN)];
    // On an error the line is passed on, which is always right.
    poll(&mut fds, Some(&soon)).is_ok_and(|ready| ready > 0)
}

#[cfg(not(unix))]
fn is_ready_soon(_: &File) -> bool {
    false
}
