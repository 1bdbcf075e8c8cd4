//! WasmEdge as a child: for when something is to be said of what it printed, or of how
//! it ended.
//!
//! To others it is as if this process were WasmEdge. What it prints is passed on, signals
//! reach it, and this process ends as it did. A killed runner leaves no guest behind
//! (Linux only).

use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _};
use std::process::{Command, ExitStatus};

use anyhow::Context as _;

use super::trace::Trace;
use super::{keeper, streams};
use crate::error::Result;
use crate::process;

/// Runs WasmEdge. With a trace, its standard output is watched.
///
/// # Errors
/// It cannot be started.
pub(super) fn run(command: &Command, trace: Option<Trace<'_>>) -> Result<ExitStatus> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = || format!("cannot start {program}");
    #[cfg(unix)]
    let signals = crate::signals::Signals::watch()?;
    let mut command = keeper::kept(command)?;
    streams::set_input(&mut command);
    let printed = match &trace {
        None => None,
        Some(_) => Some(watch(&mut command).context("cannot watch what is printed")?),
    };
    let mut child = command.spawn().with_context(failed)?;
    // It holds the other end of what is read.
    drop(command);
    #[cfg(unix)]
    signals.started(child.id());
    if let (Some(printed), Some(trace)) = (printed, trace) {
        // On an error nobody reads any more: the child is to notice, and does when this
        // end is closed.
        let _ = pass_on(printed, trace);
    }
    let status = child.wait().context("cannot wait for WasmEdge")?;
    #[cfg(unix)]
    signals.ended();
    Ok(status)
}

/// Ends this process as WasmEdge did: by the same signal, or with the code that is
/// returned.
pub(super) fn end_as(status: ExitStatus) -> i32 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        let _ = signal_hook::low_level::emulate_default_handler(signal);
    }
    process::exit_code(status)
}

/// Has the child print where it can be read. Where its two outputs are one, they stay
/// one, so that the order of what is printed stays what it is.
fn watch(command: &mut Command) -> io::Result<File> {
    let (ours, theirs) = match io::stdout().is_terminal() {
        // Programs print otherwise into a pipe. Without pseudo-terminals it has to be one.
        true => terminal().or_else(|_| pipe())?,
        false => pipe()?,
    };
    if are_one() {
        command.stderr(theirs.try_clone()?);
    }
    command.stdout(theirs);
    Ok(ours)
}

#[cfg(unix)]
fn pipe() -> io::Result<(File, File)> {
    use std::os::fd::OwnedFd;

    let (ours, theirs) = io::pipe()?;
    Ok((OwnedFd::from(ours).into(), OwnedFd::from(theirs).into()))
}

#[cfg(not(unix))]
fn pipe() -> io::Result<(File, File)> {
    use std::os::windows::io::OwnedHandle;

    let (ours, theirs) = io::pipe()?;
    Ok((
        OwnedHandle::from(ours).into(),
        OwnedHandle::from(theirs).into(),
    ))
}

/// A pseudo-terminal's two ends.
#[cfg(unix)]
fn terminal() -> io::Result<(File, File)> {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::fs::OFlags;
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{OptionalActions, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize};

    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    let name = ptsname(&ours, Vec::new())?;
    let theirs = File::options()
        .read(true)
        .write(true)
        .custom_flags(OFlags::NOCTTY.bits() as i32)
        .open(OsStr::from_bytes(name.as_bytes()))?;
    // The terminal itself does what has to be done to lines.
    let mut raw = tcgetattr(&theirs)?;
    raw.make_raw();
    tcsetattr(&theirs, OptionalActions::Now, &raw)?;
    if let Ok(size) = tcgetwinsize(io::stdout()) {
        let _ = tcsetwinsize(&theirs, size);
    }
    Ok((ours.into(), theirs))
}

#[cfg(not(unix))]
fn terminal() -> io::Result<(File, File)> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether standard output and standard error are the same terminal, file or pipe.
#[cfg(unix)]
fn are_one() -> bool {
    use rustix::fs::fstat;

    let (Ok(out), Ok(err)) = (fstat(io::stdout()), fstat(io::stderr())) else {
        return false;
    };
    (out.st_dev, out.st_ino) == (err.st_dev, err.st_ino)
}

#[cfg(not(unix))]
fn are_one() -> bool {
    false
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
