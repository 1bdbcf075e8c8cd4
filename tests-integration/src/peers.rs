//! Real servers that apps talk to: Debian's packages, on loopback, each started
//! in a folder of its own and ended with it.

mod keys;
mod mariadb;
mod nginx;
mod postgres;
mod program;
mod user;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

pub use keys::make_keys;
use program::find;
use user::{as_nobody, give_away};

use crate::guard::Guard;
use crate::limits::{LIMIT, wait_until};
use crate::net::{connect, free_port};

/// What a user named `test` with the password `secret` can log in to, where
/// there are users; the database is called `test` too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// `mariadbd`.
    MariaDb,
    /// `memcached`.
    Memcached,
    /// `mosquitto`, for MQTT.
    Mosquitto,
    /// `nats-server`.
    Nats,
    /// `nginx`, with TLS on a second port.
    Nginx,
    /// `openssl s_server`, which answers with a page about the connection.
    Openssl,
    /// `postgres`, with TLS.
    Postgres,
    /// `redis-server`.
    Redis,
}

impl Peer {
    /// The peer of a name in `rows.toml`.
    ///
    /// # Errors
    /// When there is none.
    pub fn named(name: &str) -> Result<Peer> {
        Ok(match name {
            "mariadbd" => Peer::MariaDb,
            "memcached" => Peer::Memcached,
            "mosquitto" => Peer::Mosquitto,
            "nats-server" => Peer::Nats,
            "nginx" => Peer::Nginx,
            "openssl" => Peer::Openssl,
            "postgres" => Peer::Postgres,
            "redis-server" => Peer::Redis,
            _ => bail!("no peer is called {name}"),
        })
    }

    /// Its program.
    pub fn program(self) -> &'static str {
        match self {
            Peer::MariaDb => "mariadbd",
            Peer::Memcached => "memcached",
            Peer::Mosquitto => "mosquitto",
            Peer::Nats => "nats-server",
            Peer::Nginx => "nginx",
            Peer::Openssl => "openssl",
            Peer::Postgres => "postgres",
            Peer::Redis => "redis-server",
        }
    }

    /// Whether it is installed.
    pub fn is_here(self) -> bool {
        find(self.program()).is_ok()
    }

    /// Starts it. `keys` is a folder that [`make_keys`] has filled.
    ///
    /// # Errors
    /// When it is not installed, or does not accept connections within [`LIMIT`].
    pub fn start(self, keys: &Path) -> Result<Running> {
        let folder = tempfile::tempdir()?;
        give_away(folder.path())?;
        let port = free_port()?;
        let mut secure = None;
        let program = find(self.program())?;
        let mut command = Command::new(&program);
        command.current_dir(folder.path());
        let text = port.to_string();
        match self {
            Peer::Redis => {
                command.args(["--bind", "127.0.0.1", "--port", &text, "--save", ""]);
            }
            Peer::Memcached => {
                command.args(["-l", "127.0.0.1", "-p", &text, "-U", "0"]);
                as_nobody(&mut command);
            }
            Peer::Nats => {
                command.args(["-a", "127.0.0.1", "-p", &text]);
            }
            Peer::Mosquitto => {
                let file = folder.path().join("mosquitto.conf");
                fs::write(
                    &file,
                    format!("listener {port} 127.0.0.1\nallow_anonymous true\n"),
                )?;
                command.arg("-c").arg(file);
                as_nobody(&mut command);
            }
            Peer::Openssl => {
                command.args(["s_server", "-accept", &format!("127.0.0.1:{port}"), "-www"]);
                for (option, file) in [("-cert", "server.pem"), ("-key", "server.key")] {
                    command.arg(option).arg(keys.join(file));
                }
            }
            Peer::Nginx => {
                let tls = free_port()?;
                secure = Some(SocketAddr::from(([127, 0, 0, 1], tls)));
                nginx::prepare(folder.path(), keys, port, tls)?;
                command.arg("-p").arg(folder.path());
                command.args(["-c", "nginx.conf", "-e", "stderr"]);
            }
            Peer::Postgres => {
                postgres::prepare(folder.path(), keys, &program)?;
                command.arg("-D").arg(folder.path().join("data"));
                command.args(["-p", &text, "-c", "unix_socket_directories="]);
                as_nobody(&mut command);
            }
            Peer::MariaDb => {
                let [data, socket] = mariadb::prepare(folder.path())?;
                command.args(["--no-defaults", "--bind-address=127.0.0.1", "--port", &text]);
                command.args([data, socket]);
                command
                    .arg("--init-file")
                    .arg(folder.path().join("init.sql"));
                as_nobody(&mut command);
            }
        }
        let mut guard = Guard::start(command)?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let listens = wait_until(self.program(), || {
            connect(address).is_ok() || !guard.is_running().unwrap_or(false)
        });
        let runs = guard.is_running()?;
        listens.with_context(|| guard.stderr())?;
        ensure!(
            runs,
            "{} ended: {}{}",
            self.program(),
            guard.stdout(),
            guard.stderr()
        );
        // These refuse whoever comes before they are ready.
        let ready = match self {
            Peer::Postgres => "database system is ready to accept connections",
            Peer::MariaDb => "ready for connections",
            _ => "",
        };
        if !ready.is_empty() {
            guard.expect_within(LIMIT, ready)?;
        }
        Ok(Running {
            address,
            secure,
            _guard: guard,
            _folder: folder,
        })
    }
}

/// A peer that ends when this is dropped.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where it listens for TLS, if on a port of its own.
    pub secure: Option<SocketAddr>,
    // In this order: the folder is deleted when nobody writes to it any more.
    _guard: Guard,
    _folder: tempfile::TempDir,
}
