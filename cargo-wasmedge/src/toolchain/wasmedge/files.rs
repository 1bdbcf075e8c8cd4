//! The files that a WasmEdge consists of where it runs: the program, the loader, the
//! libraries.
//!
//! The loader itself says which libraries it would load (`--list`), so that whatever
//! WasmEdge is installed by, the answer is the one that counts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use object::read::elf::{ElfFile64, ProgramHeader as _};

use super::WasmEdge;
use crate::toolchain::debian::prefix::Runtime;
use crate::toolchain::env::Env;
use crate::toolchain::process;

/// How long the loader may take. It reads the heads of some libraries.
const LIST: Duration = Duration::from_secs(30);

/// The files of one WasmEdge.
#[derive(Debug)]
pub struct Files {
    /// The program, and not a script that starts it.
    pub program: PathBuf,
    /// The loader.
    pub loader: PathBuf,
    /// Where the program says that its loader is.
    pub interpreter: PathBuf,
    /// Where the loader is told to look for libraries.
    folders: Vec<PathBuf>,
}

/// A library, by the name that the loader looks for.
pub type Library = (String, PathBuf);

impl Files {
    /// Those of `wasmedge`.
    ///
    /// # Errors
    /// It is no program of Linux, but a script, say.
    pub fn find(wasmedge: &WasmEdge) -> anyhow::Result<Files> {
        let started = &wasmedge.program;
        let started = started
            .canonicalize()
            .with_context(|| started.display().to_string())?;
        // Set-up's own are started by a script, with a loader of their own.
        let prefix = started.parent().and_then(Path::parent);
        let unpacked = prefix.map(|prefix| (prefix, prefix.join("usr/bin/wasmedge")));
        if let Some((prefix, program)) = unpacked.filter(|(_, program)| program.is_file())
            && let Ok(runtime) = Runtime::find(prefix)
        {
            return Ok(Files {
                interpreter: interpreter(&program)?,
                loader: prefix.join(runtime.loader()),
                folders: runtime.library_dirs().map(|dir| prefix.join(dir)).collect(),
                program,
            });
        }
        let interpreter = interpreter(&started)?;
        Ok(Files {
            program: started,
            loader: interpreter.clone(),
            interpreter,
            folders: Vec::new(),
        })
    }

    /// The libraries that `program` is started with, `folder` being looked through before
    /// all others.
    ///
    /// # Errors
    /// One of them is not there, or the loader says nothing.
    pub fn libraries(
        &self,
        program: &Path,
        folder: Option<&Path>,
        env: &Env,
    ) -> anyhow::Result<Vec<Library>> {
        let mut command = env.command(&self.loader);
        command.arg("--list");
        self.search(&mut command, folder)?;
        command.arg(program);
        let done = process::ask(&mut command, LIST)
            .with_context(|| format!("cannot start {}", self.loader.display()))?;
        if !done.success() {
            bail!("{}: {}", program.display(), done.why());
        }
        parse(&done.stdout)
    }

    fn search(&self, command: &mut Command, folder: Option<&Path>) -> anyhow::Result<()> {
        let folders = folder
            .into_iter()
            .chain(self.folders.iter().map(|dir| &**dir));
        let path = std::env::join_paths(folders)?;
        if !path.is_empty() {
            command.arg("--library-path").arg(path);
        }
        Ok(())
    }
}

/// `NAME => PATH (ADDRESS)`, one a line. The loader stands there by its path, and what the
/// kernel brings without one.
fn parse(listed: &str) -> anyhow::Result<Vec<Library>> {
    let mut libraries = Vec::new();
    for line in listed.lines() {
        let Some((name, found)) = line.trim().split_once(" => ") else {
            continue;
        };
        let path = found.rsplit_once(" (").map_or(found, |(path, _)| path);
        if path == "not found" {
            bail!("the library {name} is not there");
        }
        if !name.contains('/') {
            libraries.push((name.to_owned(), path.into()));
        }
    }
    Ok(libraries)
}

/// Where a program says that its loader is.
fn interpreter(program: &Path) -> anyhow::Result<PathBuf> {
    let shown = program.display();
    let content = fs::read(program).with_context(|| format!("cannot read {shown}"))?;
    let failed = || {
        format!(
            "{shown} is no program of Linux: name the program itself, and no script that \
             starts it, with the setting `wasmedge`"
        )
    };
    let elf = ElfFile64::<object::Endianness>::parse(&*content).with_context(failed)?;
    for header in elf.elf_program_headers() {
        if let Some(path) = header.interpreter(elf.endian(), &*content)? {
            return Ok(std::str::from_utf8(path)?.into());
        }
    }
    Err(anyhow!("{shown} names no loader"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_loader_lists() {
        let listed = "\
\tlinux-vdso.so.1 (0x00007f3ce93ea000)
\tlibwasmedge.so.0 => /a (b)/libwasmedge.so.0 (0x00007f3ce8e00000)
\tlibc.so.6 => /lib/libc.so.6 (0x00007f3ce8c0c000)
\t/lib64/ld-linux-x86-64.so.2 => /c/ld-linux-x86-64.so.2 (0x00007f3ce93ec000)
\t/lib64/ld-linux-x86-64.so.2 (0x00007f3ce93ec000)
";
        let of = |name: &str, path: &str| (name.to_owned(), PathBuf::from(path));
        assert_eq!(
            parse(listed).unwrap(),
            [
                of("libwasmedge.so.0", "/a (b)/libwasmedge.so.0"),
                of("libc.so.6", "/lib/libc.so.6")
            ]
        );
        let error = parse("\tlibLLVM.so.19.1 => not found\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the library libLLVM.so.19.1 is not there"
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_script_is_no_program_of_linux() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("wasmedge");
        fs::write(&script, "#!/bin/sh\n").unwrap();
        let error = interpreter(&script).unwrap_err().to_string();
        let why = "wasmedge is no program of Linux: name the program itself";
        assert!(error.contains(why), "{error}");
        // And this test is one.
        let loader = interpreter(&std::env::current_exe().unwrap()).unwrap();
        assert!(loader.is_file(), "{}", loader.display());
    }
}
