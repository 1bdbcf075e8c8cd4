//! Unix sockets, which WasmEdge has with `--allow-af-unix`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tests_integration::suite::On;
use tests_integration::{App, Guard, Host, LIMIT, Mode, Suite, Workbench};

const SETTING: &str = "CARGO_WASMEDGE_ALLOW_AF_UNIX";

fn main() -> ExitCode {
    Suite::new(env!("CARGO_TARGET_TMPDIR"))
        .test("everything_goes_as_natively", On::Everywhere, everything)
        .test(
            "a_server_answers_a_native_client",
            On::Interpreted,
            native_client,
        )
        .test(
            "a_client_is_answered_by_a_native_server",
            On::Interpreted,
            native_server,
        )
        .test(
            "datagrams_are_exchanged_with_a_native_program",
            On::Interpreted,
            native_datagrams,
        )
        .test(
            "a_sender_waits_for_a_slow_receiver",
            On::Interpreted,
            slow_receiver,
        )
        .test_in(
            &[Mode::Plain],
            "what_the_host_lacks_is_unsupported",
            On::WasmEdge,
            what_is_missing,
        )
        .test(
            "with_the_plugin_the_rest_goes_as_natively_too",
            On::Interpreted,
            with_the_plugin,
        )
        .test(
            "without_the_flag_the_error_names_it",
            On::WasmEdge,
            without_the_flag,
        )
        .run()
}

/// What `unix all` prints. Run natively too, so this is what Linux does.
const ALL: &str = "\
echo: listener at echo
echo: client at unnamed, peer echo
echo: hello
echo: unix
echo: sockets
echo: error None
echo: server at echo, peer unnamed and unnamed
echo: file removed, there: false
split: [\"ONE\", \"TWO\", \"THREE\", \"end\"]
split: reunited true
many: 2450
large: WouldBlock before the end: true
large: (2097152, true), thanks
closed: read Ok(0)
closed: write BrokenPipe
closed: write BrokenPipe
closed: unread, read ConnectionReset
closed: unread, read Ok(0)
closed: waiting read Ok(0)
closed: waiting write BrokenPipe
errors: nobody listens ConnectionRefused
errors: in use AddrInUse
errors: missing NotFound
errors: missing folder NotFound
errors: no socket ConnectionRefused
errors: in use AddrInUse
errors: too long InvalidInput
errors: too long InvalidInput
errors: too long InvalidInput
errors: zero InvalidInput
errors: empty InvalidInput
errors: 107 bytes true
errors: wrong type true
try: read WouldBlock
try: readable too early false
try: write Ok(4)
try: read Ok(4)
try: read WouldBlock
try: write vectored Ok(9)
try: ready true
try: read Ok(9)
try: read Ok(7)
datagrams: a NotConnected
datagrams: 8 bytes from a
datagrams: 6 bytes from b
datagrams: connected to b
datagrams: \"x\"
datagrams: \"\"
datagrams: \"three\"
datagrams: 20 bytes from b
datagrams: \"0123\"
datagrams: unnamed NotConnected
datagrams: 14 bytes
datagrams: try WouldBlock
datagrams: try Ok(24)
datagram errors: missing NotFound
datagram errors: missing NotFound
datagram errors: not connected NotConnected
datagram errors: in use AddrInUse
datagram errors: gone ConnectionRefused
datagram errors: gone ConnectionRefused
many datagrams: 600, 89700
unix socket: 120
unix socket: 8 bytes
unix socket: Other
unix socket: Other
unix socket: NotFound
unix socket: in use AddrInUse
std: over std
";

fn unix(workbench: &Workbench, host: &Host, args: &[&str]) -> Result<Command> {
    let mut command = workbench.command(App::Own("unix"), host)?;
    command.args(args).env(SETTING, "true");
    Ok(command)
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is not Unicode")
}

fn everything(workbench: &Workbench, host: &Host) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let command = unix(workbench, host, &["all", text(folder.path())?])?;
    let ended = Guard::run(command, LIMIT)?.successful()?;
    for (printed, expected) in ended.stdout.lines().zip(ALL.lines()) {
        ensure!(printed == expected, "expected `{expected}`: {ended}");
    }
    ensure!(
        ended.stdout.lines().count() == ALL.lines().count(),
        "{ended}"
    );
    Ok(())
}

/// Paths are relative to the folder that the program is started in.
fn native_client(workbench: &Workbench, host: &Host) -> Result<()> {
    const TOTAL: usize = 1 << 20;
    let folder = tempfile::tempdir()?;
    let mut command = unix(workbench, host, &["serve", "socket"])?;
    command.current_dir(folder.path());
    let mut server = Guard::start(command)?;
    server.line("ready")?;

    let clients: Vec<_> = (0..3)
        .map(|_| {
            let path = folder.path().join("socket");
            thread::spawn(move || -> Result<bool> {
                let mut stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(LIMIT))?;
                let mut writer = stream.try_clone()?;
                let sent = thread::spawn(move || -> Result<()> {
                    writer.write_all(&vec![b'x'; TOTAL])?;
                    Ok(writer.shutdown(Shutdown::Write)?)
                });
                let mut answer = Vec::new();
                stream.read_to_end(&mut answer)?;
                let sent = sent.join();
                ensure!(matches!(sent, Ok(Ok(()))), "{sent:?}");
                Ok(answer.len() == TOTAL && answer.iter().all(|byte| *byte == b'X'))
            })
        })
        .collect();
    for client in clients {
        let right = client.join().ok().context("a client panicked")??;
        ensure!(right, "another answer");
    }
    ensure!(server.is_running()?);
    Ok(())
}

fn native_server(workbench: &Workbench, host: &Host) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path)?;
    let client = Guard::start(unix(workbench, host, &["client", text(&path)?])?)?;
    let (mut stream, _) = listener.accept()?;
    stream.set_read_timeout(Some(LIMIT))?;
    for line in BufReader::new(stream.try_clone()?).lines() {
        writeln!(stream, "you said {}", line?)?;
    }
    stream.shutdown(Shutdown::Both)?;
    let ended = client.wait(LIMIT)?.successful()?;
    ensure!(
        ended.stdout.lines().collect::<Vec<_>>() == ["you said first", "you said second"],
        "{ended}"
    );
    Ok(())
}

fn native_datagrams(workbench: &Workbench, host: &Host) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("server");
    let mut server = Guard::start(unix(workbench, host, &["serve-datagrams", text(&path)?])?)?;
    server.line("ready")?;
    let named = UnixDatagram::bind(folder.path().join("named"))?;
    named.set_read_timeout(Some(LIMIT))?;
    let mut buf = [0; 100];
    for word in ["one", "two"] {
        named.send_to(word.as_bytes(), &path)?;
        let (n, from) = named.recv_from(&mut buf)?;
        ensure!(buf[..n] == *word.to_uppercase().as_bytes());
        ensure!(from.as_pathname() == Some(&path), "from {from:?}");
    }
    UnixDatagram::unbound()?.send_to(b"three", &path)?;
    server.line("THREE from nobody: (unnamed)")?;
    // The host's warning of it, where there is a way to be rid of it.
    let mute = match host {
        Host::Native => true,
        Host::WasmEdge(edge, ..) => edge.has_log_level(),
    };
    let stdout = server.stdout();
    ensure!(!mute || stdout.lines().count() == 2, "{stdout}");
    Ok(())
}

fn slow_receiver(workbench: &Workbench, host: &Host) -> Result<()> {
    const COUNT: u32 = 500;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("receiver");
    let receiver = UnixDatagram::bind(&path)?;
    receiver.set_read_timeout(Some(LIMIT))?;
    let sender = unix(
        workbench,
        host,
        &["flood", text(&path)?, &COUNT.to_string()],
    )?;
    let sender = Guard::start(sender)?;
    let mut buf = [0; 4];
    receiver.recv(&mut buf)?;

    // The kernel holds a few; the sender waits with the others.
    thread::sleep(Duration::from_millis(200));
    let pause = Duration::from_secs(1);
    let before = sender.cpu_time()?;
    thread::sleep(pause);
    let used = sender.cpu_time()? - before;
    // Linux wakes a sender without end that epoll waits for, so natively it spins, and with
    // the plugin.
    let spins = host.is_native() || host.has_plugin();
    ensure!(spins || used < pause / 2, "{used:?} of {pause:?}");

    for number in 1..COUNT {
        receiver.recv(&mut buf)?;
        ensure!(u32::from_be_bytes(buf) == number);
    }
    let ended = sender.wait(LIMIT)?.successful()?;
    ensure!(ended.stdout.trim() == format!("{COUNT} sent"), "{ended}");
    Ok(())
}

fn what_is_missing(workbench: &Workbench, host: &Host) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("socket");
    let command = unix(workbench, host, &["lacks", text(&path)?])?;
    let ended = Guard::run(command, LIMIT)?.successful()?;
    let lines: Vec<_> = ended.stdout.lines().collect();
    let all = ["pair", "datagram pair", "no name", "credentials"];
    ensure!(
        lines == all.map(|what| format!("{what}: Unsupported")),
        "{ended}"
    );
    Ok(())
}

/// What `unix more` prints, natively and with the plugin.
const MORE: &str = "\
pair: pair
pair: itself true
credentials: itself true
credentials: alike true
credentials: a process true
abstract: true
abstract: in use AddrInUse
abstract: peer true
abstract: hidden
abstract: gone ConnectionRefused
abstract: another name ConnectionRefused
abstract: unix socket true
abstract: unix socket true
no name: chosen Some(5)
";

fn with_the_plugin(workbench: &Workbench, host: &Host) -> Result<()> {
    if !host.is_native() && !cfg!(target_os = "linux") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    // The folder's name is nobody else's.
    let name = folder.path().file_name().context("no name")?;
    let name = name.to_str().context("a name that is not Unicode")?;
    let mut command = unix(workbench, host, &["more", text(folder.path())?, name])?;
    if !host.is_native() {
        command.env("CARGO_WASMEDGE_PLUGIN", workbench.plugin()?);
    }
    let ended = Guard::run(command, LIMIT)?.successful()?;
    for (printed, expected) in ended.stdout.lines().zip(MORE.lines()) {
        ensure!(printed == expected, "expected `{expected}`: {ended}");
    }
    ensure!(
        ended.stdout.lines().count() == MORE.lines().count(),
        "{ended}"
    );
    Ok(())
}

fn without_the_flag(workbench: &Workbench, host: &Host) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("socket");
    for command in ["serve", "serve-datagrams", "client"] {
        let mut command = unix(workbench, host, &[command, text(&path)?])?;
        command.env_remove(SETTING);
        let ended = Guard::run(command, LIMIT)?;
        ensure!(ended.code() == Some(1), "{ended}");
        ensure!(ended.stdout.starts_with("Unsupported: "), "{ended}");
        for words in ["--allow-af-unix", "allow-af-unix = true", SETTING] {
            ensure!(ended.stdout.contains(words), "{words}: {ended}");
        }
    }
    ensure!(!path.exists());
    Ok(())
}
