//! An app that calls std's sockets itself, and a library of its own that does.

use std::process::ExitCode;

use anyhow::{Result, ensure};
use tests_integration::suite::On;
use tests_integration::{App, Guard, Host, LIMIT, Suite, Workbench};

fn main() -> ExitCode {
    Suite::new(env!("CARGO_TARGET_TMPDIR"))
        .test("everything_goes_as_natively", On::Everywhere, everything)
        .run()
}

/// What `plain-std` prints. Run natively too, so this is what Linux does.
const ALL: &str = "\
derived[1, 2] Derived { name: \"\", numbers: [] } false
a1 Some(\"main\")
scratch
localhost true
localhost true
same true
blocking 0
datagram true
over tokio
 and back 
same true
9 127.0.0.1
Err(AddrInUse)
Err(ConnectionRefused)
";

fn everything(workbench: &Workbench, host: &Host) -> Result<()> {
    // Hosts run at the same time, and the app writes a file of one name.
    let folder = tempfile::tempdir()?;
    let mut command = workbench.command(App::Own("plain-std"), host)?;
    command.env("TMPDIR", folder.path());
    let ended = Guard::run(command, LIMIT)?.successful()?;
    ensure!(ended.stdout.lines().eq(ALL.lines()), "{ended}");
    Ok(())
}
