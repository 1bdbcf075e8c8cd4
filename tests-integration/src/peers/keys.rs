//! Keys and certificates, made by openssl.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::program::run;

/// Fills a folder with keys and certificates: `ca.pem`, `server.pem` (for
/// `localhost` and 127.0.0.1) and `client.pem` signed by it with their `.key`,
/// and `other-ca.pem`, which has signed nothing.
///
/// # Errors
/// When openssl is not installed.
pub fn make_keys(folder: &Path) -> Result<()> {
    let openssl = |words: &str| -> Result<()> {
        let mut command = Command::new("openssl");
        command.args(words.split(' ')).current_dir(folder);
        run(command)
    };
    let new = "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    for name in ["ca", "other-ca"] {
        openssl(&format!(
            "{new} -x509 -days 30 -subj /CN={name} -keyout {name}.key -out {name}.pem"
        ))?;
    }
    for (name, common) in [("server", "localhost"), ("client", "client")] {
        openssl(&format!(
            "{new} -subj /CN={common} -keyout {name}.key -out {name}.csr"
        ))?;
        let extensions = format!("{name}.ext");
        let text = "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n";
        fs::write(folder.join(&extensions), text)?;
        openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 \
             -extfile {extensions} -out {name}.pem"
        ))?;
    }
    Ok(())
}
