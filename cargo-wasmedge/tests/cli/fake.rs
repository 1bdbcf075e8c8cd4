//! An app, and scripts that stand in for cargo, rustc and WasmEdge.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::packages::Packages;

/// The app's lockfile as the user has it.
pub const LOCK: &str = "# the user's own\nversion = 4\n";

/// A folder with everything; deleted at the end.
pub struct Fake {
    temp: tempfile::TempDir,
    wasmedge: bool,
}

impl Fake {
    /// An app without dependencies. `cargo` is the version that cargo claims to have.
    pub fn new(cargo: &str) -> Fake {
        let temp = tempfile::tempdir().unwrap();
        let fake = Fake {
            temp,
            wasmedge: true,
        };
        let app = fake.app();
        fs::create_dir_all(app.join("src")).unwrap();
        fake.manifest("");
        fs::write(app.join("Cargo.lock"), LOCK).unwrap();
        fs::write(app.join("src/main.rs"), "fn main() {}").unwrap();

        let sysroot = fake.path("sysroot");
        let std = sysroot.join("lib/rustlib/wasm32-wasip1/lib");
        fs::create_dir_all(&std).unwrap();
        fs::write(std.join("libstd-0.rlib"), "").unwrap();
        fake.script(
            "rustc",
            &format!(
                "case \"$*\" in\n\
                 -vV) printf 'rustc 1.95.0\\nhost: x86_64-unknown-linux-gnu\\nrelease: 1.95.0\\n';;\n\
                 *) echo '{}';;\n\
                 esac",
                sysroot.display()
            ),
        );
        fake.script("wasm-ld", "exit 0");
        // `metadata` gives what a real one would; in the place where a real one
        // resolves, it writes the lockfile. All else is up to the test: a script
        // `cargo-NAME.sh` for a subcommand that we start, `FAKE_CARGO` for the user's.
        fake.script(
            "cargo",
            &format!(
                "case \"$*\" in\n\
                 --version) echo 'cargo {cargo} (fake)'; exit;;\n\
                 *--no-deps*) sed \"s#TARGET_DIR#${{CARGO_TARGET_DIR:-$PWD/target}}#\" \"$FAKE_DIR/members.json\"; exit;;\n\
                 metadata*)\n\
                 eval \"$FAKE_METADATA\"\n\
                 lock=$(printf '%s' \"$*\" | sed -n 's/.*lockfile-path=\"\\([^\"]*\\)\".*/\\1/p')\n\
                 test -z \"$lock\" || test -e \"$lock\" || {{\n\
                 mkdir -p \"${{lock%/*}}\"; echo resolved > \"$lock\"; echo \"$lock\" >> \"$FAKE_DIR/resolved\"; }}\n\
                 test -z \"$FAKE_METADATA_FAILS\" || {{ echo 'error: said by cargo' >&2; exit 101; }}\n\
                 case \"$*\" in *lockfile-path*) ;; *)\n\
                 grep -q resolved Cargo.lock || echo resolved >> Cargo.lock;; esac\n\
                 cat \"$FAKE_DIR/metadata.json\"; exit;;\n\
                 esac\n\
                 test ! -e \"$FAKE_DIR/bin/cargo-$1.sh\" || {{ . \"$FAKE_DIR/bin/cargo-$1.sh\"; exit; }}\n\
                 {{ for arg in \"$@\"; do printf '%s\\n' \"$arg\"; done; }} > \"$FAKE_DIR/args\"\n\
                 env > \"$FAKE_DIR/env\"\n\
                 cat Cargo.lock > \"$FAKE_DIR/lock-seen\"\n\
                 eval \"$FAKE_CARGO\""
            ),
        );
        fake.script(
            "wasmedge",
            "case \"$1\" in\n\
             --version) echo 'wasmedge version 0.17.1'; exit;;\n\
             compile) echo \"$@\" >> \"$FAKE_DIR/compiled\"; sleep 0.2; cp \"$2\" \"$3\"; exit;;\n\
             esac\n\
             for arg in \"$@\"; do printf '%s\\n' \"$arg\"; done > \"$FAKE_DIR/wasmedge-args\"\n\
             eval \"$FAKE_GUEST\"",
        );
        fake.metadata();
        fake
    }

    /// The same on a machine without WasmEdge.
    pub fn without_wasmedge(mut self) -> Fake {
        fs::remove_file(self.path("bin/wasmedge")).unwrap();
        self.wasmedge = false;
        self
    }

    /// `name` in the folder of everything.
    pub fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    /// The app's folder. It has a space in its name.
    pub fn app(&self) -> PathBuf {
        self.path("the app")
    }

    /// The folder for what the command keeps of the app: the one that begins with its name.
    pub fn state(&self) -> PathBuf {
        let folders = fs::read_dir(self.app().join("target/wasmedge")).unwrap();
        let mut folders = folders.map(|folder| folder.unwrap().path());
        let is_it = |path: &PathBuf| {
            path.file_name()
                .unwrap()
                .as_encoded_bytes()
                .starts_with(b"the-app-")
        };
        folders.find(is_it).unwrap()
    }

    /// What a script wrote.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// The app's lockfile; `None`: there is none.
    pub fn lock(&self) -> Option<String> {
        fs::read_to_string(self.app().join("Cargo.lock")).ok()
    }

    /// Writes the manifest with `more` at its end.
    pub fn manifest(&self, more: &str) {
        let text =
            format!("[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n{more}");
        fs::write(self.app().join("Cargo.toml"), text).unwrap();
    }

    /// Writes what `cargo metadata` gives: one package without dependencies.
    fn metadata(&self) {
        Packages::new(&self.app())
            .member("app", "", &[])
            .write(self);
    }

    /// Adds a target of this kind to what `cargo metadata` gives.
    pub fn has_target(&self, file: &str, kind: &str) {
        let path = self.path("metadata.json");
        let text = fs::read_to_string(&path).unwrap();
        let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let target = serde_json::json!({
            "kind": [kind], "crate_types": ["bin"], "name": "target",
            "src_path": self.app().join(file), "edition": "2021",
            "doc": false, "doctest": false, "test": true,
        });
        let targets = &mut json["packages"][0]["targets"];
        targets.as_array_mut().unwrap().push(target);
        fs::write(path, json.to_string()).unwrap();
    }

    /// Makes a program `name` of the shell commands `body`.
    pub fn script(&self, name: &str, body: &str) {
        let path = self.path("bin").join(name);
        fs::create_dir_all(self.path("bin")).unwrap();
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// `cargo wasmedge ARGS` in the app's folder, with nothing of the real
    /// machine's set-up in sight.
    pub fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-wasmedge"));
        command.arg("wasmedge").args(args).current_dir(self.app());
        command.env_clear();
        command
            .env(
                "PATH",
                format!("{}:/usr/bin:/bin", self.path("bin").display()),
            )
            .env("HOME", self.path("home"))
            .env("CARGO_WASMEDGE_HOME", self.path("cache"))
            .env("RUSTC", self.path("bin/rustc"))
            .env(
                "CARGO_TARGET_WASM32_WASIP1_LINKER",
                self.path("bin/wasm-ld"),
            )
            .env("FAKE_DIR", self.temp.path());
        if self.wasmedge {
            command.env("CARGO_WASMEDGE_WASMEDGE", self.path("bin/wasmedge"));
        }
        command.stdin(Stdio::null());
        command
    }

    /// Runs `cargo wasmedge` with the words of `args`; cargo does `script`.
    pub fn run(&self, args: &str, script: &str) -> Output {
        let mut command = self.command(args.split_whitespace());
        command.env("FAKE_CARGO", script).output().unwrap()
    }

    /// Starts it and waits until the script makes the file `ready`.
    pub fn start(&self, mut command: Command, script: &str) -> Guard {
        command.env("FAKE_CARGO", script);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let guard = Guard(command.spawn().unwrap());
        wait_for("the script to be ready", || self.path("ready").exists());
        guard
    }
}

/// A started command; ended at the end.
pub struct Guard(pub Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until `done`, at most 20 seconds.
pub fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "waited too long for {what}"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Sends a signal.
pub fn signal(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(pid.try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

/// Whether a process is there (and not only waiting to be reaped).
pub fn is_alive(pid: &str) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(pid.trim()).join("stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

/// stderr as text.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
