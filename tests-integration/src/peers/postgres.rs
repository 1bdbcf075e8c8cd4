//! PostgreSQL: a database, with TLS.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::program::run;
use super::user::{as_nobody, give_away};
use crate::guard::Guard;
use crate::limits::LIMIT;

/// Makes a cluster in the folder that it is started in, and the database `test`.
pub(super) fn prepare(folder: &Path, keys: &Path, program: &Path) -> Result<()> {
    let data = folder.join("data");
    let password = folder.join("password");
    fs::write(&password, "secret\n")?;
    // Debian's own folder has the other programs too; a link need not.
    let mut init = Command::new(program.canonicalize()?.with_file_name("initdb"));
    init.arg("-D").arg(&data).arg("--pwfile").arg(&password);
    init.args([
        "-U",
        "test",
        "-A",
        "scram-sha-256",
        "-E",
        "UTF8",
        "--locale=C",
        "--no-sync",
    ]);
    init.current_dir(folder);
    as_nobody(&mut init);
    run(init)?;
    for file in ["server.pem", "server.key"] {
        // It wants its key to be its own.
        fs::copy(keys.join(file), data.join(file))?;
        give_away(&data.join(file))?;
    }
    let settings = "ssl = on\nssl_cert_file = 'server.pem'\nssl_key_file = 'server.key'\n\
                    listen_addresses = '127.0.0.1'\nfsync = off\n";
    let file = data.join("postgresql.conf");
    fs::write(&file, fs::read_to_string(&file)? + settings)?;
    let mut single = Command::new(program);
    single.args(["--single", "-D"]).arg(&data).arg("postgres");
    single.current_dir(folder);
    as_nobody(&mut single);
    let mut guard = Guard::start(single)?;
    guard.write("CREATE DATABASE test\n")?;
    guard.close_stdin();
    guard.wait(3 * LIMIT)?.successful()?;
    Ok(())
}
