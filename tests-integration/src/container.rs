//! Containers, run by crun where `ci/install-crun.sh` has put it.
//!
//! crun wants the second version of control groups, which a container that tests themselves
//! run in may not have. So it is started in a mount namespace of its own, in which they are
//! where it looks for them. The network is the machine's: tests talk to the container as to
//! any program. A container is ended and deleted with its test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, bail};
use cargo_wasmedge::toolchain::Dirs;
use cargo_wasmedge::toolchain::wasmedge::WasmEdge;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::guard::{Ended, Guard};
use crate::limits::LIMIT;

/// Has crun run the program by itself, with WasmEdge. deploy/README.md names it.
pub const ANNOTATION: (&str, &str) = ("module.wasm.image/variant", "compat-smart");

/// In a mount namespace of its own.
const WITH_CONTROL_GROUPS: &str = "mount -t cgroup2 none /sys/fs/cgroup && exec \"$@\"";

/// Whether containers can be run here; else why not.
///
/// # Errors
/// The reason.
pub fn is_here() -> Result<(), String> {
    let folder = folder().map_err(|error| format!("{error:#}"))?;
    if !folder.join("usr/bin/crun").is_file() {
        return Err("crun, which ci/install-crun.sh unpacks".to_owned());
    }
    let mut command = namespace();
    command
        .arg("true")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err("the right to make namespaces and to mount, such as root's".to_owned()),
    }
}

fn folder() -> Result<PathBuf> {
    Ok(Dirs::new()?.home().join("crun"))
}

fn namespace() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private"]);
    command.args(["sh", "-c", WITH_CONTROL_GROUPS, "sh"]);
    command
}

/// What a container is made of.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// The folder with its files.
    pub root: PathBuf,
    /// The command.
    pub args: Vec<String>,
    /// `NAME=VALUE`.
    pub env: Vec<String>,
    /// The working directory.
    pub cwd: String,
    /// The user's number, and the group's.
    pub user: u32,
    /// Whether nothing can be written, but for `/tmp` where `tmp` is.
    pub read_only: bool,
    /// A `/tmp` in memory, as orchestrators mount one.
    pub tmp: bool,
    /// Whether [`ANNOTATION`] says that it is a program of WasmEdge's.
    pub annotated: bool,
}

impl Bundle {
    /// A program of WasmEdge's in a folder `root`, by the name of `app.wasm`, as an image
    /// has it that holds nothing else.
    pub fn of_program(root: &Path, args: &[&str]) -> Bundle {
        let args = std::iter::once("/app.wasm").chain(args.iter().copied());
        Bundle {
            root: root.to_owned(),
            args: args.map(str::to_owned).collect(),
            env: Vec::new(),
            cwd: "/".to_owned(),
            user: 0,
            read_only: false,
            tmp: false,
            annotated: true,
        }
    }

    /// As the image says, by `buildah inspect`, with further arguments.
    ///
    /// # Errors
    /// It says something else than it should.
    pub fn of_image(root: &Path, image: &Value, args: &[&str]) -> Result<Bundle> {
        let config = &image["OCIv1"]["config"];
        let words = |key: &str| -> Result<Vec<String>> {
            let words = config[key]
                .as_array()
                .with_context(|| format!("no {key}"))?;
            let words = words.iter().map(|word| word.as_str().map(str::to_owned));
            words.collect::<Option<_>>().context("no words")
        };
        let user = config["User"].as_str().context("no user")?;
        let user = user.split(':').next().unwrap_or_default().parse()?;
        let mut all = words("Entrypoint")?;
        all.extend(args.iter().map(|&arg| arg.to_owned()));
        Ok(Bundle {
            root: root.to_owned(),
            args: all,
            env: words("Env")?,
            cwd: config["WorkingDir"].as_str().unwrap_or("/").to_owned(),
            user,
            read_only: true,
            tmp: true,
            annotated: false,
        })
    }

    /// crun's configuration.
    fn config(&self) -> Value {
        let mut mounts = vec![
            json!({ "destination": "/proc", "type": "proc", "source": "proc" }),
            json!({ "destination": "/dev", "type": "tmpfs", "source": "tmpfs",
                    "options": ["nosuid", "mode=755", "size=65536k"] }),
        ];
        if self.tmp {
            mounts.push(
                json!({ "destination": "/tmp", "type": "tmpfs", "source": "tmpfs",
                                "options": ["nosuid", "mode=1777"] }),
            );
        }
        // What every runtime puts there.
        for file in ["/etc/hosts", "/etc/resolv.conf"] {
            if Path::new(file).is_file() {
                mounts.push(json!({ "destination": file, "type": "bind", "source": file,
                                    "options": ["bind", "ro"] }));
            }
        }
        let (name, value) = ANNOTATION;
        let annotations = match self.annotated {
            true => json!({ name: value }),
            false => json!({}),
        };
        let namespaces = ["pid", "ipc", "uts", "mount"].map(|kind| json!({ "type": kind }));
        json!({
            "ociVersion": "1.0.0",
            "process": {
                "terminal": false,
                "user": { "uid": self.user, "gid": self.user },
                "args": self.args,
                "env": self.env,
                "cwd": self.cwd,
                "noNewPrivileges": true,
                "capabilities": {},
            },
            "root": { "path": self.root, "readonly": self.read_only },
            "mounts": mounts,
            "annotations": annotations,
            "linux": { "namespaces": namespaces },
        })
    }
}

/// A running container. Dropping it ends and deletes it.
pub struct Container {
    /// crun, in the foreground, with what the container prints.
    pub guard: Guard,
    running: Running,
}

/// What is deleted when it is dropped.
struct Running {
    id: String,
    crun: Crun,
}

impl Container {
    /// Starts it. Programs run by themselves are run by the library of `edge`.
    ///
    /// # Errors
    /// When crun cannot be started. What it says of a bundle is in what it prints.
    pub fn start(bundle: &Bundle, edge: &WasmEdge) -> Result<Container> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let id = format!("test-{}-{count}", std::process::id());
        let crun = Crun::new(edge)?;
        fs::write(
            crun.work.path().join("config.json"),
            bundle.config().to_string(),
        )?;
        let mut command = crun.command()?;
        command.args(["--cgroup-manager=disabled", "run", "--no-new-keyring"]);
        command.arg("--bundle").arg(crun.work.path()).arg(&id);
        let guard = Guard::start(command)?;
        Ok(Container {
            guard,
            running: Running { id, crun },
        })
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// As [`Container::start`], and when it does not end.
    pub fn run(bundle: &Bundle, edge: &WasmEdge) -> Result<Ended> {
        let mut container = Container::start(bundle, edge)?;
        container.guard.close_stdin();
        container.guard.wait(LIMIT)
    }

    /// Sends a signal to the container's first process, as runtimes do.
    ///
    /// # Errors
    /// When it has ended.
    pub fn signal(&self, signal: &str) -> Result<()> {
        let Running { id, crun } = &self.running;
        let mut command = crun.command()?;
        command.args(["kill", id, signal]);
        Guard::run(command, LIMIT)?.successful()?;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(mut command) = self.crun.command() {
            command.args(["delete", "--force", &self.id]);
            let _ = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        }
    }
}

/// crun, with a folder for its configuration and its state.
struct Crun {
    libraries: String,
    work: TempDir,
}

impl Crun {
    fn new(edge: &WasmEdge) -> Result<Crun> {
        // Beside the program, or beside what its script starts.
        let prefix = edge.program.parent().and_then(Path::parent);
        let prefix = prefix.context("a WasmEdge in a folder")?;
        let own = [libraries(prefix), libraries(&folder()?)];
        // WasmEdge's C library is as new as crun's, or newer.
        let own: Vec<String> = own.into_iter().flatten().collect();
        if own.is_empty() {
            bail!("no libraries of crun");
        }
        Ok(Crun {
            libraries: own.join(":"),
            work: tempfile::tempdir()?,
        })
    }

    fn command(&self) -> Result<Command> {
        let folder = folder()?;
        let mut command = namespace();
        // The loader is that of the first C library.
        let first = self.libraries.split(':').next().unwrap_or_default();
        let loader = Path::new(first)
            .read_dir()?
            .flatten()
            .map(|file| file.path());
        let is_loader = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("ld-linux")
        };
        let loader = loader.into_iter().find(is_loader).context("no loader")?;
        command.arg(loader);
        command.args(["--library-path", &self.libraries, "--argv0", "crun"]);
        command.arg(folder.join("usr/bin/crun"));
        command.arg("--root").arg(self.work.path().join("state"));
        Ok(command)
    }
}

/// The folder with the C library of packages that were unpacked below `prefix`.
fn libraries(prefix: &Path) -> Option<String> {
    let folders = prefix.join("usr/lib").read_dir().ok()?.flatten();
    let mut folders = folders.map(|folder| folder.path());
    let found = folders.find(|folder| folder.join("libc.so.6").exists())?;
    Some(found.display().to_string())
}
