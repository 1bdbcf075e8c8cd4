//! Real servers that apps talk to: Debian's packages, on loopback, each started
//! in a folder of its own and ended with it.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::{Guard, LIMIT, connect, free_port, wait_until};

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
                nginx(folder.path(), keys, port, tls)?;
                command.arg("-p").arg(folder.path());
                command.args(["-c", "nginx.conf", "-e", "stderr"]);
            }
            Peer::Postgres => {
                postgres(folder.path(), keys, &program)?;
                command.arg("-D").arg(folder.path().join("data"));
                command.args(["-p", &text, "-c", "unix_socket_directories="]);
                as_nobody(&mut command);
            }
            Peer::MariaDb => {
                let [data, socket] = mariadb(folder.path())?;
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

/// A program on `PATH`, or where Debian puts servers.
fn find(program: &str) -> Result<PathBuf> {
    if let Ok(found) = which::which(program) {
        return Ok(found);
    }
    let mut folders: Vec<PathBuf> = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from).into();
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    folders.extend(versions.map(|version| version.path().join("bin")));
    let mut found = folders.into_iter().map(|folder| folder.join(program));
    found
        .find(|path| path.is_file())
        .with_context(|| format!("{program} is not installed"))
}

const NOBODY: u32 = 65534;

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Some servers refuse to run as root.
fn as_nobody(command: &mut Command) {
    if is_root() {
        use std::os::unix::process::CommandExt as _;
        command.uid(NOBODY).gid(NOBODY);
    }
}

fn give_away(path: &Path) -> Result<()> {
    if is_root() {
        std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY))?;
    }
    Ok(())
}

fn run(command: Command) -> Result<()> {
    Guard::run(command, 3 * LIMIT)?.successful()?;
    Ok(())
}

fn nginx(folder: &Path, keys: &Path, port: u16, tls: u16) -> Result<()> {
    let www = folder.join("www");
    fs::create_dir(&www)?;
    fs::write(
        www.join("long.txt"),
        "the same words again and again\n".repeat(3000),
    )?;
    fs::write(www.join("large.bin"), vec![0x55; 2 << 20])?;
    let keys = keys.display();
    let config = format!(
        "daemon off; master_process off; pid nginx.pid;
         events {{ }}
         http {{
           access_log off; client_body_temp_path body; proxy_temp_path proxy;
           fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
           gzip on; gzip_types *;
           server {{
             listen 127.0.0.1:{port}; listen 127.0.0.1:{tls} ssl http2;
             server_name localhost; absolute_redirect off;
             ssl_certificate {keys}/server.pem; ssl_certificate_key {keys}/server.key;
             root www; default_type text/plain;
             location = /hello {{ return 200 'hello from nginx'; }}
             location = /json {{ default_type application/json; return 200 '{{\"n\":[1,2,3]}}'; }}
             location = /moved {{ return 302 /hello; }}
             location = /set-cookie {{ add_header Set-Cookie 'taste=sweet'; return 200 'set'; }}
             location = /show-cookie {{ return 200 '$cookie_taste'; }}
           }}
         }}"
    );
    fs::write(folder.join("nginx.conf"), config)?;
    Ok(())
}

fn postgres(folder: &Path, keys: &Path, program: &Path) -> Result<()> {
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

fn mariadb(folder: &Path) -> Result<[String; 2]> {
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
