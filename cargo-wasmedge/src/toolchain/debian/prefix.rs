//! A private prefix: unpacked packages with a loader and libraries of their own.
//!
//! ```text
//! <folder>/usr/…            the packages' files
//! <folder>/bin/<program>    wrapper scripts with absolute paths
//! <folder>/installed.json   written last; a folder without it is not finished
//! ```
//! A wrapper starts the real program through the prefix's own dynamic loader
//! with `--library-path` (glibc 2.33 or newer for `--argv0`), so neither the
//! environment nor the programs that it starts in turn see those libraries.
//!
//! `/proc/self/exe` is then the loader. A program that starts itself by it fails:
//! it has to be told to take the path that it was started as, its wrapper's.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};

/// The loader and the library folders of unpacked packages, relative to them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Runtime {
    loader: PathBuf,
    library_dirs: Vec<PathBuf>,
}

impl Runtime {
    /// Looks for the loader (`ld-linux-x86-64.so.2`, `ld-linux-aarch64.so.1`,
    /// `ld64.so.2`, …) and for the folders with libraries: the one that holds
    /// libc, and LLVM's own.
    pub fn find(root: &Path) -> anyhow::Result<Runtime> {
        let mut folders: Vec<PathBuf> = ["usr/lib64", "lib64", "usr/lib", "lib"]
            .iter()
            .map(PathBuf::from)
            .collect();
        let mut library_dirs = Vec::new();
        for parent in ["usr/lib", "lib"] {
            for name in subfolders(&root.join(parent)) {
                let folder = Path::new(parent).join(&name);
                if root.join(&folder).join("libc.so.6").exists() {
                    folders.push(folder.clone());
                    library_dirs.push(folder);
                } else if name.starts_with("llvm-") && root.join(&folder).join("lib").is_dir() {
                    library_dirs.push(folder.join("lib"));
                }
            }
        }
        // The multiarch folder first: LLVM's holds only what is not in there.
        library_dirs.sort_by_key(|dir| dir.ends_with("lib"));
        let loader = folders
            .iter()
            .find_map(|folder| {
                let mut names: Vec<String> = files(&root.join(folder))
                    .into_iter()
                    .filter(|name| is_loader(name))
                    .collect();
                names.sort();
                // An absolute link would lead out of the prefix.
                let inside = |name: &String| {
                    let target = root.join(folder).join(name).canonicalize().ok();
                    let root = root.canonicalize().ok();
                    matches!((target, root), (Some(t), Some(r)) if t.starts_with(&r))
                };
                let name = names.into_iter().find(inside)?;
                Some(folder.join(name))
            })
            .ok_or_else(|| anyhow!("the packages in {} hold no loader", root.display()))?;
        if library_dirs.is_empty() {
            return Err(anyhow!("the packages in {} hold no libc", root.display()));
        }
        Ok(Runtime {
            loader,
            library_dirs,
        })
    }

    /// The loader, relative to the packages.
    pub fn loader(&self) -> &Path {
        &self.loader
    }

    /// The folders with libraries, relative to the packages.
    pub fn library_dirs(&self) -> impl Iterator<Item = &Path> {
        self.library_dirs.iter().map(|dir| &**dir)
    }

    /// The wrapper script for `program` (relative to `root`), which is told
    /// that it was started as `name` and given `options` in front of its arguments.
    ///
    /// # Errors
    /// A path that the loader, or a script, cannot hold.
    pub(super) fn wrapper(
        &self,
        root: &Path,
        program: &Path,
        name: &str,
        options: &Options,
    ) -> anyhow::Result<String> {
        let libraries: Vec<String> = self
            .library_dirs
            .iter()
            .map(|dir| text(&root.join(dir)))
            .collect::<Result<_, _>>()?;
        Ok(format!(
            "#!/bin/sh\n{}exec {} --library-path {} --argv0 {} {} \"$@\"\n",
            options.script()?,
            quoted(&text(&root.join(&self.loader))?)?,
            quoted(&libraries.join(":"))?,
            quoted(name)?,
            quoted(&text(&root.join(program))?)?,
        ))
    }
}

/// What a wrapper puts in front of a program's arguments.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub options: Vec<String>,
    /// With this in front of the arguments, or of a file of arguments (`@file`), the
    /// program has started itself. Such a call is complete: it gets no options.
    pub own_call: Option<&'static str>,
}

impl Options {
    /// The lines that put them there.
    fn script(&self) -> anyhow::Result<String> {
        let words: Vec<String> = self
            .options
            .iter()
            .map(|option| quoted(option))
            .collect::<Result<_, _>>()?;
        let set = match words.as_slice() {
            [] => return Ok(String::new()),
            words => format!("set -- {} \"$@\"", words.join(" ")),
        };
        Ok(match self.own_call {
            None => format!("{set}\n"),
            Some(own) => format!(
                "first=${{1-}}\n\
                 case $first in @*) IFS= read -r first 2>/dev/null < \"${{first#@}}\";; esac\n\
                 case $first in {own}*|'\"{own}'*) ;; *) {set};; esac\n"
            ),
        })
    }
}

/// Writes an executable script.
pub(crate) fn write_script(path: &Path, script: &str) -> anyhow::Result<()> {
    fs::write(path, script).with_context(|| format!("cannot write {}", path.display()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

fn is_loader(name: &str) -> bool {
    (name.starts_with("ld-linux") || name.starts_with("ld64.so")) && name.contains(".so.")
}

fn text(path: &Path) -> anyhow::Result<String> {
    match path.to_str() {
        // The loader splits its library path at colons.
        Some(text) if !text.contains(':') => Ok(text.to_owned()),
        _ => Err(anyhow!(
            "{} cannot hold an installation: its name is not UTF-8 or has a colon; \
             set CARGO_WASMEDGE_HOME to another folder",
            path.display()
        )),
    }
}

fn quoted(text: &str) -> anyhow::Result<String> {
    Ok(shlex::try_quote(text)?.into_owned())
}

fn names(folder: &Path, wanted: impl Fn(&fs::DirEntry) -> bool) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .flatten()
        .filter(wanted)
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

fn subfolders(folder: &Path) -> Vec<String> {
    names(folder, |entry| entry.path().is_dir())
}

fn files(folder: &Path) -> Vec<String> {
    names(folder, |entry| !entry.path().is_dir())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::toolchain::process::{self, VERSION_LIMIT};

    fn touch(path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }

    #[test]
    fn loader_and_libraries_per_architecture() {
        for (loader_dir, loader, multiarch) in [
            ("usr/lib64", "ld-linux-x86-64.so.2", "x86_64-linux-gnu"),
            ("usr/lib", "ld-linux-aarch64.so.1", "aarch64-linux-gnu"),
            ("usr/lib64", "ld64.so.2", "powerpc64le-linux-gnu"),
        ] {
            let root = tempfile::tempdir().unwrap();
            let real = root.path().join("usr/lib").join(multiarch).join(loader);
            touch(&real);
            touch(&real.with_file_name("libc.so.6"));
            touch(&root.path().join("usr/lib/llvm-21/lib/libLLVM.so.1"));
            fs::create_dir_all(root.path().join("usr/lib/gcc")).unwrap();
            fs::create_dir_all(root.path().join(loader_dir)).unwrap();
            let link = root.path().join(loader_dir).join(loader);
            std::os::unix::fs::symlink(&real, link).unwrap();
            assert_eq!(
                Runtime::find(root.path()).unwrap(),
                Runtime {
                    loader: Path::new(loader_dir).join(loader),
                    library_dirs: vec![
                        Path::new("usr/lib").join(multiarch),
                        PathBuf::from("usr/lib/llvm-21/lib"),
                    ],
                }
            );
        }
    }

    #[test]
    fn a_link_out_of_the_prefix_is_no_loader() {
        let root = tempfile::tempdir().unwrap();
        let multiarch = root.path().join("usr/lib/x86_64-linux-gnu");
        touch(&multiarch.join("libc.so.6"));
        touch(&multiarch.join("ld-linux-x86-64.so.2"));
        let lib64 = root.path().join("usr/lib64");
        fs::create_dir_all(&lib64).unwrap();
        std::os::unix::fs::symlink("/bin/sh", lib64.join("ld-linux-x86-64.so.2")).unwrap();
        assert_eq!(
            Runtime::find(root.path()).unwrap().loader,
            Path::new("usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2")
        );
    }

    #[test]
    fn no_loader_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let error = Runtime::find(root.path()).unwrap_err().to_string();
        assert!(error.contains("no loader"), "{error}");
    }

    #[test]
    fn a_wrapper_passes_arguments_on_and_survives_odd_paths() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().join("with space & 'quote'");
        touch(&root.join("usr/lib/x/libc.so.6"));
        // A loader that shows how it was called.
        let loader = root.join("usr/lib/x/ld-linux-x.so.2");
        touch(&loader);
        write_script(&loader, "#!/bin/sh\nprintf '%s\\n' \"$@\"\n").unwrap();
        let runtime = Runtime::find(&root).unwrap();
        let wrapper = root.join("run");
        let script = runtime
            .wrapper(
                &root,
                Path::new("usr/bin/tool"),
                "tool",
                &Options::default(),
            )
            .unwrap();
        write_script(&wrapper, &script).unwrap();
        let mut command = std::process::Command::new(&wrapper);
        command.args(["a b", "$HOME"]);
        let output = process::ask(&mut command, VERSION_LIMIT).unwrap();
        let expected = format!(
            "--library-path\n{0}/usr/lib/x\n--argv0\ntool\n{0}/usr/bin/tool\na b\n$HOME\n",
            root.display()
        );
        assert_eq!(output.stdout, expected);
    }

    /// As clang does: for each job in front of its arguments, or of a file of them when
    /// they are long.
    #[test]
    fn a_program_that_starts_itself_is_given_its_options_once() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        touch(&root.join("usr/lib/x/libc.so.6"));
        let loader = root.join("usr/lib/x/ld-linux-x.so.2");
        touch(&loader);
        write_script(&loader, "#!/bin/sh\nshift 5\nprintf '%s|' \"$@\"\n").unwrap();
        let wrapper = root.join("run");
        let options = Options {
            options: vec!["-option".to_owned(), "a value".to_owned()],
            own_call: Some("-cc1"),
        };
        let runtime = Runtime::find(root).unwrap();
        let script = runtime.wrapper(root, Path::new("usr/bin/tool"), "tool", &options);
        write_script(&wrapper, &script.unwrap()).unwrap();
        let given = |args: &[&str]| {
            let mut command = std::process::Command::new(&wrapper);
            command.args(args);
            let output = process::ask(&mut command, VERSION_LIMIT).unwrap();
            assert_eq!(output.stderr, "");
            output.stdout
        };
        let file = |name: &str, content: &str| {
            let path = root.join(name);
            fs::write(&path, content).unwrap();
            format!("@{}", path.display())
        };
        assert_eq!(given(&["-c", "a b.c"]), "-option|a value|-c|a b.c|");
        assert_eq!(given(&["-cc1as", "-o"]), "-cc1as|-o|");
        // Not by itself: it is an argument like others.
        assert_eq!(given(&["-c", "-cc1"]), "-option|a value|-c|-cc1|");
        let users = file("users", "-c a.c\n-O2");
        assert_eq!(given(&[&users]), format!("-option|a value|{users}|"));
        for content in ["\"-cc1\" \"-O2\"\n", "-cc1 -O2"] {
            let own = file("own file", content);
            assert_eq!(given(&[&own]), format!("{own}|"));
        }
        assert_eq!(given(&["@missing"]), "-option|a value|@missing|");
        assert_eq!(given(&[]), "-option|a value|");
    }

    #[test]
    fn a_colon_in_the_path_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().join("a:b");
        touch(&root.join("usr/lib/x/libc.so.6"));
        touch(&root.join("usr/lib/x/ld-linux-x.so.2"));
        let error = Runtime::find(&root)
            .unwrap()
            .wrapper(
                &root,
                Path::new("usr/bin/tool"),
                "tool",
                &Options::default(),
            )
            .unwrap_err();
        assert!(error.to_string().contains("colon"), "{error}");
    }
}
