//! MariaDB: a database.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::program::{find, run};
use super::user::as_nobody;

/// Makes the files of a server in the folder that it is started in. Gives the arguments
/// that name them.
pub(super) fn prepare(folder: &Path) -> Result<[String; 2]> {
    let data = format!("--datadir={}", folder.join("data").display());
    let socket = format!("--socket={}", folder.join("socket").display());
    let mut install = Command::new(find("mariadb-install-db")?);
    install.args([
        "--no-defaults",
        &data,
        "--skip-test-db",
        "--auth-root-authentication-method=normal",
    ]);
    install.current_dir(folder);
    as_nobody(&mut install);
    run(install)?;
    let sql = "CREATE DATABASE test;\nCREATE USER test@'127.0.0.1' IDENTIFIED BY 'secret';\n\
               GRANT ALL ON test.* TO test@'127.0.0.1';\n";
    fs::write(folder.join("init.sql"), sql)?;
    Ok([data, socket])
}
