//! An ordinary container image: a program that was compiled ahead of time, with WasmEdge,
//! its libraries and the plugin. It needs nothing of the machine that it runs on.
//!
//! What is written is a folder with a `Containerfile`, which says how the program is started
//! (`containerfile`, out of the program's settings), and with `root`, the image's files. It
//! is started once, by its own loader, before it counts.

mod containerfile;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};

use self::containerfile::{APP, Start, WRITTEN_BY, opened};
use super::plugin::ALLOW_AF_UNIX;
use super::{arguments, certificates};
use crate::config::Config;
use crate::shell::Shell;
use crate::toolchain::plugin::{LIBRARY, MODULE, PATH_VARIABLE};
use crate::toolchain::wasmedge::{Files, WasmEdge, stand_in};
use crate::toolchain::{Env, init, process};

/// Where WasmEdge's library, and so the plugin, is looked for.
const LIBRARIES: &str = "usr/lib";
const PLUGINS: &str = "usr/lib/wasmedge";

/// How long what was written may take to say its version.
const START: Duration = Duration::from_secs(60);

/// What an image holds.
#[derive(Debug)]
pub struct Image<'a> {
    /// The program's file name.
    pub name: &'a str,
    /// The program, compiled ahead of time.
    pub compiled: &'a Path,
    /// What it was compiled by, and runs under.
    pub wasmedge: &'a WasmEdge,
    /// The plugin, for a program that was compiled for it.
    pub plugin: Option<&'a Path>,
    /// The program's settings.
    pub config: &'a Config,
}

impl Image<'_> {
    /// Writes the folder, in the place of one that was written before. Gives the size of
    /// the image's files, in bytes.
    ///
    /// # Errors
    /// I/O; WasmEdge is no program of Linux; the first process cannot be built; what was
    /// written does not start.
    pub fn write(&self, folder: &Path, env: &Env, shell: &Shell) -> anyhow::Result<u64> {
        check_place(folder)?;
        let parent = folder.parent().filter(|dir| !dir.as_os_str().is_empty());
        let parent = parent.unwrap_or(".".as_ref());
        fs::create_dir_all(parent)?;
        // It is there when it is whole.
        let work = tempfile::Builder::new()
            .prefix(".image-")
            .tempdir_in(parent)
            .with_context(|| format!("cannot write {}", folder.display()))?;
        let root = work.path().join("root");
        self.fill(&root, env, shell)?;
        fs::write(work.path().join("Containerfile"), self.containerfile())?;
        let size = size_of(&root);
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        set_mode(work.path(), 0o755)?;
        fs::rename(work.keep(), folder)?;
        Ok(size)
    }

    fn containerfile(&self) -> String {
        let version = &self.wasmedge.version;
        let has_plugin = if self.plugin.is_some() {
            ", with the plugin"
        } else {
            ""
        };
        let start = Start {
            name: self.name,
            about: &format!("{}, WasmEdge {version}{has_plugin}", self.name),
            options: &arguments::mode(self.wasmedge, self.config, true),
            config: self.config,
        };
        start.containerfile()
    }

    /// The image's files.
    fn fill(&self, root: &Path, env: &Env, shell: &Shell) -> anyhow::Result<()> {
        // The last are for what the runtime mounts, also where the image is read-only.
        for folder in [
            APP,
            "/usr/bin",
            "/etc/ssl/certs",
            "/tmp",
            "/dev",
            "/proc",
            "/sys",
        ] {
            fs::create_dir_all(inside(root, folder))?;
        }
        for (folder, _) in opened(self.config) {
            fs::create_dir_all(inside(root, folder))?;
        }
        set_mode(&root.join("tmp"), 0o1777)?;
        fs::create_dir_all(root.join(PLUGINS))?;
        copy(self.compiled, &inside(root, APP).join(self.name))?;
        if let Some(plugin) = self.plugin {
            copy(plugin, &root.join(PLUGINS).join(LIBRARY))?;
        }
        if let Some(file) = openssl_probe::probe().cert_file {
            for name in [certificates::FILE, certificates::ALSO] {
                copy(&file, &inside(root, certificates::FOLDER).join(name))?;
            }
        }
        let init = root.join("init");
        init::build(&init, env).context("the image's first process cannot be built")?;

        let files = Files::find(self.wasmedge)?;
        let loader = inside(root, &files.interpreter);
        fs::create_dir_all(loader.parent().context("a loader in a folder")?)?;
        copy(&files.loader, &loader)?;
        copy(&files.program, &root.join("usr/bin/wasmedge"))?;
        match self.without_llvm(&files, root, env) {
            Ok(()) => Ok(()),
            Err(why) => {
                shell.note(format_args!(
                    "the image holds all of LLVM, as nothing else will do for it: {why:#}"
                ));
                self.with_libraries(&files, root, env, |_| Ok(()))
            }
        }
    }

    /// The libraries, but for LLVM: a program that was compiled needs no compiler.
    fn without_llvm(&self, files: &Files, root: &Path, env: &Env) -> anyhow::Result<()> {
        let folder = root.join(LIBRARIES);
        let mut stands_in = None;
        let done = self.with_libraries(files, root, env, |libwasmedge| {
            stands_in = stand_in(libwasmedge, &folder, env)?;
            Ok(())
        });
        if let (Err(_), Some(file)) = (&done, stands_in) {
            fs::remove_file(folder.join(file))?;
        }
        done
    }

    /// The libraries that WasmEdge, the plugin and the first process are started with.
    /// `prepare` is given WasmEdge's own before the others are looked for.
    fn with_libraries(
        &self,
        files: &Files,
        root: &Path,
        env: &Env,
        prepare: impl FnOnce(&Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let folder = root.join(LIBRARIES);
        let all = files.libraries(&files.program, None, env)?;
        if let Some((_, own)) = all.iter().find(|(name, _)| name.starts_with("libwasmedge")) {
            prepare(own)?;
        }
        let init = root.join("init");
        for program in [Some(&*files.program), self.plugin, Some(&init)] {
            let Some(program) = program else { continue };
            for (name, path) in files.libraries(program, Some(&folder), env)? {
                if !path.starts_with(&folder) {
                    copy(&path, &folder.join(name))?;
                }
            }
        }
        self.starts(files, root, env)
    }

    /// Whether what was written starts: WasmEdge with the plugin, and the first process.
    fn starts(&self, files: &Files, root: &Path, env: &Env) -> anyhow::Result<()> {
        let ask = |program: &str, argument: &str| {
            let mut command = env.command(inside(root, &files.interpreter));
            command.arg("--library-path").arg(root.join(LIBRARIES));
            command.arg(root.join(program)).arg(argument);
            command.env(PATH_VARIABLE, root.join(PLUGINS));
            process::ask(&mut command, START).with_context(|| program.to_owned())
        };
        let said = ask("usr/bin/wasmedge", "--version")?;
        if !said.success() {
            bail!("WasmEdge does not start in the image: {}", said.why());
        }
        if self.plugin.is_some() && !said.stdout.contains(MODULE) {
            bail!(
                "WasmEdge does not load the plugin in the image: {}",
                said.stdout.trim()
            );
        }
        let said = ask("init", "--version")?;
        match said.stderr.starts_with("init: ") {
            true => Ok(()),
            false => Err(anyhow!(
                "the first process does not start with WasmEdge's own C library, which is \
                 older than this machine's: {}",
                said.why()
            )),
        }
    }
}

/// Refuses to write over what is not ours.
fn check_place(folder: &Path) -> anyhow::Result<()> {
    let is_empty = || folder.read_dir().is_ok_and(|mut dir| dir.next().is_none());
    let is_ours = || {
        let text = fs::read_to_string(folder.join("Containerfile"));
        text.is_ok_and(|text| text.starts_with(WRITTEN_BY))
    };
    if !folder.exists() || is_empty() || is_ours() {
        return Ok(());
    }
    bail!(
        "{} is there, and was not written by `cargo wasmedge image`: name another folder with --output",
        folder.display()
    )
}

/// A path of the container, in the folder with its files.
fn inside(root: &Path, path: impl AsRef<Path>) -> PathBuf {
    let path = path.as_ref();
    root.join(path.strip_prefix("/").unwrap_or(path))
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::copy(from, to)
        .map(drop)
        .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    // The container's user is another one than ours.
    set_mode(to, 0o755)
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(mode))?)
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: u32) -> anyhow::Result<()> {
    Ok(())
}

fn size_of(folder: &Path) -> u64 {
    let files = walkdir::WalkDir::new(folder).into_iter().flatten();
    files
        .filter_map(|file| Some(file.metadata().ok()?.len()))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_folder_of_ours_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("image");
        check_place(&place).unwrap();
        fs::create_dir(&place).unwrap();
        check_place(&place).unwrap();
        fs::write(place.join("Containerfile"), "FROM scratch\n").unwrap();
        let error = check_place(&place).unwrap_err().to_string();
        assert!(
            error.contains("name another folder with --output"),
            "{error}"
        );
        fs::write(place.join("Containerfile"), format!("{WRITTEN_BY}: it\n")).unwrap();
        check_place(&place).unwrap();
    }
}
