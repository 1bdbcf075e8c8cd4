//! The first process of an image that `cargo wasmedge image` makes. It stands alone: rustc
//! builds it without any crate.
//!
//! ```text
//! init WASMEDGE [OPTION…] PROGRAM [ARGUMENT…]
//! init --check ADDRESS:PORT
//! ```
//!
//! * The program gets the container's variables. WasmEdge hands none on by itself, and
//!   takes them as options.
//! * A signal ends a program that does not listen for it. The first process of a container
//!   would not even be told; the program is the second one.
//! * Its exit code is ours; 128 and the signal's number if a signal ended it.
//! * Output that nobody reads is an error of the write, as for every program of Rust.
//! * `TOKIO_WASMEDGE_INSTANCES` in the environment says how often the program runs. The
//!   instances share their ports. One that ends is started again, until we are told to end.
//! * `--check` says whether something listens there, for a health check.

use std::env;
use std::ffi::{OsStr, OsString, c_int};
use std::io;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::ptr::null_mut;
use std::time::Duration;

/// How many times the program runs.
const INSTANCES: &str = "TOKIO_WASMEDGE_INSTANCES";

/// Tells the plugin to have every instance listen.
const REUSEPORT: &str = "TOKIO_WASMEDGE_REUSEPORT";

/// What is WasmEdge's own, and the loader's, and where programs are of which none can be
/// started.
const LEFT_OUT: [&str; 4] = ["WASMEDGE_", "TOKIO_WASMEDGE_", "LD_", "PATH="];

/// Until an instance that ended is started again: one that ends at once must not take the
/// processor from the others.
const AGAIN: Duration = Duration::from_secs(1);

/// How long a health check waits for the connection.
const CHECK: Duration = Duration::from_secs(3);

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let done = match &arguments[..] {
        [check, address] if check == "--check" => check_address(address),
        [] => Err(io::Error::other(
            "no program: init WASMEDGE [OPTION…] PROGRAM",
        )),
        [program, arguments @ ..] => run(program, arguments),
    };
    match done {
        Ok(code) => code.into(),
        Err(error) => {
            eprintln!("init: {error}");
            127.into()
        }
    }
}

fn check_address(address: &OsStr) -> io::Result<u8> {
    let address = address.to_string_lossy();
    for address in address.to_socket_addrs()? {
        if TcpStream::connect_timeout(&address, CHECK).is_ok() {
            return Ok(0);
        }
    }
    Ok(1)
}

fn run(program: &OsStr, arguments: &[OsString]) -> io::Result<u8> {
    let count = match env::var(INSTANCES) {
        Ok(count) => count.parse().ok().filter(|count| *count > 0),
        Err(_) => Some(1),
    };
    let count: usize =
        count.ok_or_else(|| io::Error::other(format!("{INSTANCES} is no number")))?;
    let start = || start(program, arguments, count > 1);
    let signals = Signals::block();
    let mut instances: Vec<Option<Child>> = Vec::new();
    for _ in 0..count {
        instances.push(Some(start()?));
    }
    let mut told_to_end = false;
    let mut code = 0;
    loop {
        let mut ended = 0;
        for (at, instance) in instances.iter_mut().enumerate() {
            if let Some(child) = instance
                && let Some(status) = child.try_wait()?
            {
                *instance = None;
                // The first that failed says what became of all.
                code = if code == 0 { exit_code(status) } else { code };
                if count > 1 && !told_to_end {
                    eprintln!("init: instance {at} ended ({status}), and is started again");
                }
            }
            ended += usize::from(instance.is_none());
        }
        if ended == count && (count == 1 || told_to_end) {
            return Ok(code);
        }
        let is_to_start = ended > 0 && !told_to_end;
        match signals.next(is_to_start.then_some(AGAIN)) {
            None => {
                for instance in instances.iter_mut().filter(|instance| instance.is_none()) {
                    *instance = Some(start()?);
                }
                // It is made up for.
                code = 0;
            }
            Some((SIGCHLD, _)) => {}
            Some((signal, sender)) => {
                told_to_end |= [SIGHUP, SIGINT, SIGQUIT, SIGTERM].contains(&signal);
                // A key of the terminal, such as Ctrl-C, reached the program as well.
                let told = instances
                    .iter()
                    .flatten()
                    .filter(|_| sender == Sender::Process);
                told.for_each(|child| send(child, signal));
            }
        }
    }
}

fn start(program: &OsStr, arguments: &[OsString], is_shared: bool) -> io::Result<Child> {
    let mut command = Command::new(program);
    for (name, value) in env::vars_os() {
        let mut variable = name;
        variable.push("=");
        variable.push(value);
        let bytes = variable.as_encoded_bytes();
        if !LEFT_OUT
            .iter()
            .any(|part| bytes.starts_with(part.as_bytes()))
        {
            command.arg("--env").arg(variable);
        }
    }
    command.args(arguments);
    if is_shared {
        command.env(REUSEPORT, "1");
    }
    // SAFETY: it calls nothing but functions that are safe between fork and exec.
    unsafe { command.pre_exec(as_programs_of_rust) };
    let failed = |error| io::Error::other(format!("{}: {error}", program.display()));
    command.spawn().map_err(failed)
}

fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| Some(128 + status.signal()?));
    code.and_then(|code| code.try_into().ok()).unwrap_or(1)
}

fn send(child: &Child, signal: c_int) {
    // SAFETY: it has no preconditions. The child was not waited for, so the number is its.
    unsafe { kill(child.id().cast_signed(), signal) };
}

/// No signal is blocked, and SIGPIPE is ignored, which WasmEdge does not do by itself.
fn as_programs_of_rust() -> io::Result<()> {
    let mut none = SignalSet([0; 16]);
    // SAFETY: the set is one, and it is filled in.
    unsafe {
        sigemptyset(&mut none);
        sigprocmask(SIG_SETMASK, &none, null_mut());
        signal(SIGPIPE, SIG_IGN);
    }
    Ok(())
}

/// Who sent a signal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sender {
    Process,
    Kernel,
}

/// All signals, which come one after the other.
struct Signals(SignalSet);

impl Signals {
    /// From now on a signal does nothing but to be told of.
    fn block() -> Signals {
        let mut all = SignalSet([0; 16]);
        // SAFETY: the set is one, and it is filled in.
        unsafe {
            sigfillset(&mut all);
            sigprocmask(SIG_SETMASK, &all, null_mut());
        }
        Signals(all)
    }

    /// The next signal; `None` if none comes for so long.
    fn next(&self, limit: Option<Duration>) -> Option<(c_int, Sender)> {
        let limit = limit.map(|limit| TimeSpec {
            seconds: limit.as_secs() as i64,
            nanoseconds: limit.subsec_nanos().into(),
        });
        let limit = limit.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        let mut info = SignalInfo([0; 32]);
        loop {
            // SAFETY: the set is filled in, the limit is one or none, and there is room for
            // what is told of the signal.
            let signal = unsafe { sigtimedwait(&self.0, &mut info, limit) };
            if signal > 0 {
                // The third number is who sent it.
                let sender = match info.0[2] {
                    ..=0 => Sender::Process,
                    _ => Sender::Kernel,
                };
                return Some((signal, sender));
            }
            // Without a limit it ends early only when a debugger looks.
            if io::Error::last_os_error().kind() == io::ErrorKind::WouldBlock {
                return None;
            }
        }
    }
}

// What is called of the C library of Linux, on 64 bits.

const SIG_SETMASK: c_int = 2;
const SIG_IGN: usize = 1;
const SIGHUP: c_int = 1;
const SIGINT: c_int = 2;
const SIGQUIT: c_int = 3;
const SIGPIPE: c_int = 13;
const SIGTERM: c_int = 15;
const SIGCHLD: c_int = 17;

#[repr(C)]
struct SignalSet([u64; 16]);

#[repr(C)]
struct SignalInfo([c_int; 32]);

#[repr(C)]
struct TimeSpec {
    seconds: i64,
    nanoseconds: i64,
}

unsafe extern "C" {
    fn sigemptyset(set: *mut SignalSet) -> c_int;
    fn sigfillset(set: *mut SignalSet) -> c_int;
    fn sigprocmask(how: c_int, set: *const SignalSet, old: *mut SignalSet) -> c_int;
    fn sigtimedwait(set: *const SignalSet, info: *mut SignalInfo, limit: *const TimeSpec) -> c_int;
    fn signal(signal: c_int, action: usize) -> usize;
    fn kill(process: i32, signal: c_int) -> c_int;
}
