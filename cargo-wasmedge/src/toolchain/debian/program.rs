//! The programs of unpacked packages, and the wrapper scripts that start them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::prefix::{self, Runtime, write_script};

/// Options in front of a program's arguments, from the folder in which it is
/// unpacked and the one in which it will be.
type Options = fn(unpacked: &Path, folder: &Path) -> anyhow::Result<Vec<String>>;

/// A program that is to be started from a prefix.
pub(super) struct Program {
    /// Its name in `usr/bin`, and that of its wrapper in `bin`.
    name: &'static str,
    in_place: bool,
    told_its_path: bool,
    own_call: Option<&'static str>,
    options: Option<Options>,
}

impl Program {
    /// A program that is told the name it has.
    pub const fn new(name: &'static str) -> Program {
        Program {
            name,
            in_place: false,
            told_its_path: false,
            own_call: None,
            options: None,
        }
    }

    /// Puts a wrapper in the place of the program too, for programs that start
    /// it where they know it to be.
    pub const fn in_place(mut self) -> Program {
        self.in_place = true;
        self
    }

    /// Tells it that it was started by its wrapper's absolute path.
    pub const fn told_its_path(mut self) -> Program {
        self.told_its_path = true;
        self
    }

    /// It starts itself, by the path that it was told, with `first` in front of the
    /// arguments.
    pub const fn starts_itself(mut self, first: &'static str) -> Program {
        self.own_call = Some(first);
        self.told_its_path()
    }

    pub const fn with(mut self, options: Options) -> Program {
        self.options = Some(options);
        self
    }

    fn wrap(&self, runtime: &Runtime, unpacked: &Path, folder: &Path) -> anyhow::Result<()> {
        let program = Path::new("usr/bin").join(self.name);
        let wrapper = Path::new("bin").join(self.name);
        let started_as = match self.told_its_path {
            true => folder.join(&wrapper).to_string_lossy().into_owned(),
            false => self.name.to_owned(),
        };
        let options = prefix::Options {
            options: match self.options {
                Some(options) => options(unpacked, folder)?,
                None => Vec::new(),
            },
            own_call: self.own_call,
        };
        let script = |real: &Path| runtime.wrapper(folder, real, &started_as, &options);
        let wrapper = unpacked.join(wrapper);
        if !self.in_place {
            return write_script(&wrapper, &script(&program)?);
        }
        let real = PathBuf::from(format!("usr/bin/{}.real", self.name));
        let program = unpacked.join(program);
        fs::rename(&program, unpacked.join(&real))
            .with_context(|| format!("no {}", program.display()))?;
        let script = script(&real)?;
        write_script(&program, &script)?;
        write_script(&wrapper, &script)
    }
}

/// Writes the wrappers of `programs` into unpacked packages, for the time when
/// they are in `folder`.
///
/// # Errors
/// The packages hold no loader, or lack a program that is wrapped in its place.
pub(super) fn wrap(programs: &[Program], unpacked: &Path, folder: &Path) -> anyhow::Result<()> {
    if programs.is_empty() {
        return Ok(());
    }
    let runtime = Runtime::find(unpacked)?;
    fs::create_dir_all(unpacked.join("bin"))?;
    for program in programs {
        program.wrap(&runtime, unpacked, folder)?;
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_wrapped_beside_or_in_its_place() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let lib = root.join("usr/lib/x");
        fs::create_dir_all(&lib).unwrap();
        fs::create_dir_all(root.join("usr/bin")).unwrap();
        for file in ["usr/lib/x/libc.so.6", "usr/lib/x/ld-linux-x.so.2"] {
            fs::write(root.join(file), "").unwrap();
        }
        fs::write(root.join("usr/bin/rustc"), "the real one").unwrap();
        let programs = [
            Program::new("rustc").in_place(),
            Program::new("cargo").told_its_path(),
            Program::new("wasm-ld").with(|_, folder| {
                let folder = folder.display().to_string();
                Ok(vec!["-L".to_owned(), folder])
            }),
            Program::new("clang")
                .starts_itself("-cc1")
                .with(|_, _| Ok(vec!["-x".to_owned()])),
        ];
        wrap(&programs, root, Path::new("/done")).unwrap();

        let read = |file: &str| fs::read_to_string(root.join(file)).unwrap();
        assert_eq!(read("usr/bin/rustc.real"), "the real one");
        assert_eq!(read("usr/bin/rustc"), read("bin/rustc"));
        let start = "exec /done/usr/lib/x/ld-linux-x.so.2 --library-path /done/usr/lib/x";
        for (program, before, rest) in [
            ("rustc", "", "rustc /done/usr/bin/rustc.real"),
            ("cargo", "", "/done/bin/cargo /done/usr/bin/cargo"),
            (
                "wasm-ld",
                "set -- -L /done \"$@\"\n",
                "wasm-ld /done/usr/bin/wasm-ld",
            ),
        ] {
            let expected = format!("#!/bin/sh\n{before}{start} --argv0 {rest} \"$@\"\n");
            assert_eq!(read(&format!("bin/{program}")), expected);
        }
        // It is told the path by which it starts itself.
        let clang = read("bin/clang");
        let end = format!("{start} --argv0 /done/bin/clang /done/usr/bin/clang \"$@\"\n");
        assert!(clang.ends_with(&end) && clang.contains("-cc1"), "{clang}");
        assert!(!root.join("usr/bin/cargo").exists());

        let again = wrap(&[Program::new("rustdoc").in_place()], root, root);
        let error = again.unwrap_err().to_string();
        assert!(
            error.starts_with("no ") && error.ends_with("usr/bin/rustdoc"),
            "{error}"
        );
    }
}
