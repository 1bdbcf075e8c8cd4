//! The real cargo: what we have to know of its arguments, and how it is started.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::Context as _;

use crate::error::Result;
use crate::shell::Shell;
use crate::toolchain::Origin;
use crate::toolchain::rust::{RustToolchain, TARGET};

/// A program that we started failed and has already told the user why: its exit
/// code is ours.
#[derive(Debug, thiserror::Error)]
#[error("exited with code {0}")]
pub struct Failed(pub i32);

/// The exit code that stands for a status: 128+n for signal n, as in a shell.
pub fn exit_code(status: ExitStatus) -> i32 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return 128 + signal;
    }
    status.code().unwrap_or(1)
}

/// What becomes of a subcommand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It resolves or builds the app: it gets the ported crates.
    Builds,
    /// It has nothing to do with the target: cargo is started as it is.
    Plain,
}

/// cargo's own subcommands that build, and their built-in aliases. All take `--target`.
const BUILDING: [&str; 16] = [
    "b", "bench", "build", "c", "check", "d", "doc", "fetch", "fix", "r", "run", "rustc",
    "rustdoc", "t", "test", "tree",
];

/// Subcommands that start the built programs.
const RUNNING: [&str; 6] = ["bench", "r", "run", "t", "test", "nextest"];

/// Subcommands that write manifests, talk to registries or print about cargo itself.
const PLAIN: [&str; 27] = [
    "add",
    "clean",
    "config",
    "fmt",
    "generate-lockfile",
    "help",
    "info",
    "init",
    "install",
    "locate-project",
    "login",
    "logout",
    "new",
    "owner",
    "package",
    "pkgid",
    "publish",
    "read-manifest",
    "remove",
    "report",
    "rm",
    "search",
    "uninstall",
    "update",
    "verify-project",
    "version",
    "yank",
];

/// cargo's flags that are followed by a value of their own.
const WITH_VALUE: [&str; 22] = [
    "-p",
    "--package",
    "--exclude",
    "--bin",
    "--example",
    "--test",
    "--bench",
    "--profile",
    "-j",
    "--jobs",
    "-F",
    "--features",
    "--target",
    "--target-dir",
    "--manifest-path",
    "--lockfile-path",
    "--message-format",
    "--color",
    "--config",
    "-Z",
    "--artifact-dir",
    "-C",
];

/// The parts of cargo's arguments that decide how the app is resolved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peeked {
    /// The subcommand.
    pub subcommand: String,
    /// `--manifest-path`.
    pub manifest_path: Option<PathBuf>,
    /// `--target-dir`.
    pub target_dir: Option<PathBuf>,
    /// Every `--target`.
    pub target: Vec<OsString>,
    /// `--locked` or `--frozen`.
    pub locked: bool,
    /// `--offline` or `--frozen`.
    pub offline: bool,
    /// Every `--config` value.
    pub config: Vec<OsString>,
    /// Every `-Z` value.
    pub unstable: Vec<OsString>,
    /// Every `-F`/`--features` value.
    pub features: Vec<OsString>,
    /// `--all-features`.
    pub all_features: bool,
    /// `--no-default-features`.
    pub no_default_features: bool,
    /// `-q`/`--quiet`.
    pub quiet: bool,
    /// `-h`/`--help`: nothing is built.
    pub help: bool,
}

impl Peeked {
    /// Looks through a subcommand with its arguments. `front` are cargo's
    /// options that stood before the subcommand.
    pub fn new(front: &[OsString], subcommand: &str, args: &[OsString]) -> Peeked {
        let mut peeked = Peeked {
            subcommand: subcommand.to_owned(),
            ..Peeked::default()
        };
        peeked.scan(front, false);
        // Behind its first own word the program's arguments start.
        peeked.scan(args, matches!(subcommand, "run" | "r"));
        peeked
    }

    fn scan(&mut self, args: &[OsString], stop_at_word: bool) {
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let Some(text) = arg.to_str() else { continue };
            if text == "--" || (stop_at_word && !text.starts_with('-')) {
                return;
            }
            let (flag, attached) = split_flag(text);
            let mut value = || match attached {
                Some(value) => Some(OsString::from(value)),
                None => args.next().cloned(),
            };
            match flag {
                "--manifest-path" => self.manifest_path = value().map(Into::into),
                "--target-dir" => self.target_dir = value().map(Into::into),
                "--target" => self.target.extend(value()),
                "--config" => self.config.extend(value()),
                "-Z" => self.unstable.extend(value()),
                "-F" | "--features" => self.features.extend(value()),
                "--locked" => self.locked = true,
                "--offline" => self.offline = true,
                "--frozen" => (self.locked, self.offline) = (true, true),
                "--all-features" => self.all_features = true,
                "--no-default-features" => self.no_default_features = true,
                "-q" | "--quiet" => self.quiet = true,
                "-h" | "--help" => self.help = true,
                flag if WITH_VALUE.contains(&flag) => {
                    value();
                }
                _ => {}
            }
        }
    }

    /// Whether the ported crates matter to the subcommand.
    pub fn kind(&self) -> Kind {
        if self.help
            || PLAIN.contains(&self.subcommand.as_str())
            || self.subcommand.starts_with('-')
        {
            Kind::Plain
        } else {
            Kind::Builds
        }
    }

    /// Whether it takes `--target` right behind its name.
    pub fn takes_target(&self) -> bool {
        BUILDING.contains(&self.subcommand.as_str())
    }

    /// Whether it starts built programs, so that WasmEdge will be needed.
    pub fn runs_programs(&self) -> bool {
        RUNNING.contains(&self.subcommand.as_str())
    }

    /// The arguments that a nested `cargo metadata` or `update` needs to see the
    /// app as the subcommand will. Without `--locked`.
    fn context_args(&self) -> Vec<OsString> {
        let mut args: Vec<OsString> = Vec::new();
        for value in &self.config {
            args.extend(["--config".into(), value.clone()]);
        }
        for value in &self.unstable {
            args.extend(["-Z".into(), value.clone()]);
        }
        if self.offline {
            args.push("--offline".into());
        }
        if let Some(path) = &self.manifest_path {
            args.extend(["--manifest-path".into(), path.into()]);
        }
        args
    }

    /// The arguments that select features, for `cargo metadata`.
    pub fn feature_args(&self) -> Vec<OsString> {
        let mut args: Vec<OsString> = Vec::new();
        for value in &self.features {
            args.extend(["--features".into(), value.clone()]);
        }
        if self.all_features {
            args.push("--all-features".into());
        }
        if self.no_default_features {
            args.push("--no-default-features".into());
        }
        args
    }
}

/// `--flag=value` and `-Fvalue` in two.
fn split_flag(text: &str) -> (&str, Option<&str>) {
    if text.starts_with("--") {
        return match text.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (text, None),
        };
    }
    for short in ["-F", "-Z", "-p", "-j"] {
        if let Some(value) = text.strip_prefix(short).filter(|value| !value.is_empty()) {
            return (short, Some(value.strip_prefix('=').unwrap_or(value)));
        }
    }
    (text, None)
}

/// The cargo of a toolchain, in the environment that the toolchain needs.
#[derive(Debug, Clone)]
pub struct Cargo {
    toolchain: RustToolchain,
}

impl Cargo {
    /// The toolchain's cargo.
    pub fn new(toolchain: RustToolchain) -> Cargo {
        Cargo { toolchain }
    }

    /// The toolchain.
    pub fn toolchain(&self) -> &RustToolchain {
        &self.toolchain
    }

    /// Its program.
    pub fn program(&self) -> &Path {
        &self.toolchain.cargo
    }

    /// A command that starts it, with no arguments yet.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.toolchain.cargo);
        command.envs(self.toolchain.env());
        // cargo hands its own path to build scripts. Set by another cargo, it
        // would hand that one on.
        command.env("CARGO", &self.toolchain.cargo);
        command
    }

    /// `cargo SUBCOMMAND` that looks at the app as `peeked` says; `extra` goes
    /// behind. Its stderr is the user's, so that cargo itself tells of progress
    /// and errors.
    pub fn nested(
        &self,
        peeked: &Peeked,
        subcommand: &str,
        extra: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Command {
        let mut command = self.command();
        command
            .arg(subcommand)
            .args(peeked.context_args())
            .args(extra);
        command.stdin(Stdio::null());
        if let Some(dir) = &peeked.target_dir {
            command.env("CARGO_TARGET_DIR", dir);
        }
        command
    }

    /// Subcommands of the form `cargo-NAME`: beside a rustc that set-up installed,
    /// in cargo's `bin` folder, on `PATH`.
    pub fn external(&self, name: &str) -> Option<PathBuf> {
        let program = format!("cargo-{name}");
        let beside = self.toolchain.rustc.with_file_name(&program);
        if self.toolchain.origin == Origin::Private && beside.is_file() {
            return Some(beside);
        }
        let cargo_bin = std::env::var_os("CARGO_HOME")
            .map(PathBuf::from)
            .or_else(|| Some(directories::BaseDirs::new()?.home_dir().join(".cargo")))
            .map(|home| home.join("bin").join(&program));
        cargo_bin
            .filter(|path| path.is_file())
            .or_else(|| which::which(&program).ok())
    }
}

/// The standard output of a command that must succeed. What it writes to stderr
/// goes to the user.
///
/// # Errors
/// [`Failed`] when it does not succeed; otherwise when it cannot be started.
pub fn output(command: &mut Command, shell: &Shell) -> Result<Vec<u8>> {
    shell.command(command);
    let output = command
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(anyhow::Error::new(Failed(exit_code(output.status))).into())
    }
}

/// What a subcommand is started with beside the user's own arguments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Injection {
    /// Variables for cargo.
    pub env: Vec<(String, OsString)>,
    /// Arguments in front of the subcommand.
    pub config: Vec<OsString>,
    /// The target, unless the user named one.
    pub target: Option<String>,
}

/// The command for the user's subcommand with everything injected.
///
/// cargo's own subcommands get arguments. A subcommand of another program would
/// not hand them on to the cargo that it calls: it is started directly, with
/// variables, and with a `cargo` in front of all others that adds them (`shim`
/// is the folder for it).
///
/// # Errors
/// The shim cannot be written.
pub fn subcommand(
    cargo: &Cargo,
    peeked: &Peeked,
    front: &[OsString],
    args: &[OsString],
    injection: &Injection,
    shim: &Path,
) -> Result<Command> {
    let name = peeked.subcommand.as_str();
    let external = if peeked.takes_target() {
        None
    } else {
        cargo.external(name)
    };
    let mut command = match external {
        Some(program) => {
            let shim = write_shim(cargo, injection, front, shim)?;
            let mut command = Command::new(program);
            command.envs(cargo.toolchain().env());
            command.env("CARGO", &shim).env("PATH", path_with(&shim));
            command.arg(name);
            if let Some(target) = &injection.target {
                command.env("CARGO_BUILD_TARGET", target);
            }
            command
        }
        None => {
            let mut command = cargo.command();
            command.args(&injection.config).args(front).arg(name);
            match &injection.target {
                Some(target) if peeked.takes_target() => {
                    command.args(["--target", target]);
                }
                // An alias of the user's, or `metadata`: there is no telling where
                // the flag would go.
                Some(target) => {
                    command.env("CARGO_BUILD_TARGET", target);
                }
                None => {}
            }
            command
        }
    };
    command.args(args);
    command.envs(injection.env.iter().map(|(name, value)| (name, value)));
    Ok(command)
}

/// The target that is built for, unless the user named one.
pub fn default_target(peeked: &Peeked) -> Option<String> {
    peeked.target.is_empty().then(|| TARGET.to_owned())
}

/// A `cargo` that starts the real one with our arguments in front.
fn write_shim(
    cargo: &Cargo,
    injection: &Injection,
    front: &[OsString],
    folder: &Path,
) -> Result<PathBuf> {
    use crate::shell::quoted;
    let text = |value: &OsStr| quoted(&value.to_string_lossy());
    let real = text(cargo.program().as_os_str());
    let words: Vec<String> = injection
        .config
        .iter()
        .chain(front)
        .map(|word| text(word))
        .collect();
    let script = format!(
        "#!/bin/sh\n# Made by cargo-wasmedge.\nCARGO={real} exec {real} {} \"$@\"\n",
        words.join(" ")
    );
    let path = folder.join("cargo");
    write_atomically(&path, script.as_bytes())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
    }
    Ok(path)
}

fn path_with(shim: &Path) -> OsString {
    let folder = shim.parent().unwrap_or(shim).to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder).chain(std::env::split_paths(&path));
    // A folder with a `:` in its name cannot be on PATH. `CARGO` names the shim
    // as well, and that is what most programs look at.
    std::env::join_paths(folders).unwrap_or(path)
}

/// Writes a file so that others see the old or the new content, never a part.
/// A file that has the content already is left alone.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    use std::io::Write as _;
    if std::fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let failed = || format!("cannot write {}", path.display());
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).with_context(failed)?;
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(failed)?;
    file.write_all(bytes).with_context(failed)?;
    file.persist(path)
        .map_err(|error| error.error)
        .with_context(failed)?;
    Ok(())
}

/// Replaces this process by the command where that is possible, so that signals
/// reach it directly; elsewhere waits for it and gives its exit code.
///
/// # Errors
/// It cannot be started.
pub fn replace(mut command: Command) -> Result<i32> {
    let program = PathBuf::from(command.get_program());
    let failed = || format!("cannot start {}", program.display());
    #[cfg(unix)]
    {
        let error = std::os::unix::process::CommandExt::exec(&mut command);
        Err(anyhow::Error::new(error).context(failed()).into())
    }
    #[cfg(not(unix))]
    {
        let status = command.status().with_context(failed)?;
        Ok(exit_code(status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peek(words: &str) -> Peeked {
        let mut words = words.split_whitespace().map(OsString::from);
        let subcommand = words.next().unwrap().into_string().unwrap();
        Peeked::new(&[], &subcommand, &words.collect::<Vec<_>>())
    }

    #[test]
    fn flags_are_found_in_both_spellings() {
        let peeked = peek(
            "build --manifest-path=a/Cargo.toml --target x -Fone --features two,three --frozen",
        );
        assert_eq!(
            peeked.manifest_path.as_deref(),
            Some(Path::new("a/Cargo.toml"))
        );
        assert_eq!(peeked.target, ["x"]);
        assert_eq!(peeked.features, ["one", "two,three"]);
        assert!(peeked.locked && peeked.offline);
    }

    #[test]
    fn arguments_of_the_program_are_not_cargos() {
        assert!(!peek("run -- --locked").locked);
        assert!(!peek("run serve --locked --target x").locked);
        assert!(peek("run --bin serve --locked").locked);
        assert!(peek("test name --locked").locked);
        assert!(!peek("test name -- --help").help);
    }

    #[test]
    fn values_are_not_taken_for_flags() {
        let peeked = peek("build -p --locked --profile --help");
        assert!(!peeked.locked && !peeked.help);
    }

    #[test]
    fn options_before_the_subcommand_count() {
        let front = ["--offline".into(), "--config".into(), "a=1".into()];
        let peeked = Peeked::new(&front, "build", &[]);
        assert!(peeked.offline);
        assert_eq!(peeked.config, ["a=1"]);
    }

    #[test]
    fn what_gets_ports() {
        assert_eq!(peek("build").kind(), Kind::Builds);
        assert_eq!(peek("nextest run").kind(), Kind::Builds);
        assert_eq!(peek("my-alias").kind(), Kind::Builds);
        assert_eq!(peek("add tokio").kind(), Kind::Plain);
        assert_eq!(peek("build --help").kind(), Kind::Plain);
        assert_eq!(peek("--version").kind(), Kind::Plain);
    }
}
