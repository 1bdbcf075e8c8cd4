//! tokio-tar, whose port has files where upstream has none.

use std::process::ExitCode;

use anyhow::{Result, ensure};
use tests_integration::suite::On;
use tests_integration::{App, Guard, Host, LIMIT, Suite, Workbench};

fn main() -> ExitCode {
    Suite::new(env!("CARGO_TARGET_TMPDIR"))
        .test("a_folder_is_packed_and_unpacked", On::Everywhere, tar)
        .run()
}

/// Run natively too, so this is what Linux does. What leads out is left out.
const ALL: &str = "\
../up.txt Regular 2 false
all/ Directory 0 true
all/a.txt Regular 3 true
all/deep Directory 0 true
all/deep/b.txt Regular 7 true
all/a.txt: Ok(\"one\")
all/deep/b.txt: Ok(\"two two\")
../up.txt: Err(NotFound)
";

fn tar(workbench: &Workbench, host: &Host) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut command = workbench.command(App::Own("tar"), host)?;
    command.env("TMPDIR", folder.path());
    let ended = Guard::run(command, LIMIT)?.successful()?;
    ensure!(ended.stdout.lines().eq(ALL.lines()), "{ended}");
    Ok(())
}
