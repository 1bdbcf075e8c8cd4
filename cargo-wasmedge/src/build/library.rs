//! C libraries that crates bind to, built once for all apps.
//!
//! A port says how (`[library]` of its `port.toml`). The library is built in a folder of
//! its own and moved to the cache in one step, under a name with the hash of what it was
//! made from. Two builds at once wait for each other. The user's own library goes first.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, anyhow};
use semver::Version;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::fs::open_lock_file;
use crate::port::{JOBS, Library, OUT, Upstream};
use crate::shell::Shell;
use crate::toolchain::rust::TARGET;
use crate::toolchain::{Dirs, Env, c};

/// What such a folder says of itself.
const STAMP: &str = "library.json";

/// The start of the names of folders that are not finished.
const UNFINISHED: &str = ".unfinished-";

/// What of the user's environment is for the machine's own compiler, and would be taken
/// for ours.
const FOR_THE_MACHINE: [&str; 7] = [
    "CPPFLAGS",
    "CXXFLAGS",
    "LDFLAGS",
    "LDLIBS",
    "CROSS_COMPILE",
    "MAKEFLAGS",
    "MFLAGS",
];

/// So many of the last lines of a build that failed are shown.
const SHOWN: usize = 8;

/// The libraries in the cache, and a compiler for further ones.
#[derive(Debug)]
pub struct Libraries<'a> {
    folder: PathBuf,
    env: &'a Env,
    compiler: c::CToolchain,
    /// What the compiler says of itself.
    version: String,
}

#[derive(Serialize, Deserialize)]
struct Stamp {
    version: Version,
    /// The hash of the compiler and the port's words.
    input: String,
}

impl<'a> Libraries<'a> {
    /// Whether the user has told the crate of a library of their own.
    pub fn is_users_own(library: &Library, env: &Env) -> bool {
        library.users.iter().any(|name| env.var(name).is_some())
    }

    /// Looks for the compiler. `krate` is whose library is wanted.
    ///
    /// # Errors
    /// [`Error::NotSetUp`]: there is none, or none with headers.
    pub fn new(dirs: &Dirs, env: &'a Env, krate: &str, library: &Library) -> Result<Self> {
        let without = |why: String| Error::NotSetUp {
            what: format!(
                "{krate} needs {}, which is built with a C compiler for {TARGET}: {why}",
                library.name
            ),
            mend: c::MEND.to_owned(),
        };
        let compiler = c::find_in(dirs, env).map_err(|reasons| without(reasons.join("; ")))?;
        if compiler.headers.is_none() {
            return Err(without(format!(
                "{} has no headers for it",
                compiler.clang.display()
            )));
        }
        let version = compiler.version(env)?;
        Ok(Libraries {
            folder: dirs.libraries(),
            env,
            compiler,
            version,
        })
    }

    /// The newest one that was built; of `source`, if a release is asked for.
    pub fn find(&self, library: &Library, source: Option<&Version>) -> Option<PathBuf> {
        let input = self.input(library);
        let entries = self.folder.read_dir().into_iter().flatten().flatten();
        let found = entries.filter_map(|entry| {
            let folder = entry.path();
            let stamp = fs::read(folder.join(STAMP)).ok()?;
            let stamp: Stamp = serde_json::from_slice(&stamp).ok()?;
            let is_it = stamp.input == input
                && library.version.matches(&stamp.version)
                && source.is_none_or(|source| *source == stamp.version);
            is_it.then_some((stamp.version, folder))
        });
        let newest = found.max_by(|(one, _), (other, _)| one.cmp(other));
        newest.map(|(_, folder)| folder)
    }

    /// Builds one from the sources in `upstream`, unless another process has meanwhile.
    ///
    /// # Errors
    /// [`Error::NotSetUp`] without the programs that this takes. [`Error::Other`] when a
    /// step fails; what it said is in the error and in a file.
    pub fn build(&self, library: &Library, upstream: &Upstream, shell: &Shell) -> Result<PathBuf> {
        self.check_programs(library)?;
        let _lock = self.lock(library, shell)?;
        if let Some(found) = self.find(library, Some(&upstream.version)) {
            return Ok(found);
        }
        self.sweep()?;
        let (name, version) = (&library.name, &upstream.version);
        shell.status(
            "Building",
            format_args!("{name} for {TARGET} ({} {version}, once)", upstream.name),
        );
        let started = Instant::now();
        let failed = || format!("cannot build {name} in {}", self.folder.display());
        let work = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .tempdir_in(&self.folder)
            .with_context(failed)?;
        let (sources, out) = (work.path().join("src"), work.path().join("out"));
        copy(&upstream.dir.join(&library.folder), &sources).with_context(failed)?;
        fs::create_dir(&out).with_context(failed)?;
        let log = self.folder.join(format!("{}.log", upstream.name));
        for step in &library.steps {
            self.step(step, &sources, &out, &log)
                .with_context(|| format!("{name} {version} cannot be built for {TARGET}"))?;
        }
        for file in &library.makes {
            if !out.join(file).is_file() {
                let log = log.display();
                return Err(anyhow!("the build of {name} made no {file}: see {log}").into());
            }
        }
        let input = self.input(library);
        let folder = self
            .folder
            .join(format!("{}-{version}-{}", upstream.name, &input[..12]));
        let stamp = Stamp {
            version: version.clone(),
            input,
        };
        let stamp = serde_json::to_vec(&stamp).map_err(anyhow::Error::from)?;
        fs::write(out.join(STAMP), stamp).with_context(failed)?;
        if folder.exists() {
            // Without a stamp that can be read.
            fs::remove_dir_all(&folder).with_context(failed)?;
        }
        fs::rename(&out, &folder).with_context(failed)?;
        let _ = fs::remove_file(&log);
        let seconds = started.elapsed().as_secs();
        shell.status("Built", format_args!("{name} in {seconds} s"));
        Ok(folder)
    }

    /// The hash of all that it is made from, but for the sources.
    fn input(&self, library: &Library) -> String {
        let words = (library, &self.version, self.compiler.for_make());
        format!("{:x}", Sha256::digest(format!("{words:?}")))
    }

    fn check_programs(&self, library: &Library) -> Result<()> {
        let programs = library.programs.iter();
        let missing: Vec<&str> = programs
            .filter(|program| self.env.which(program).is_none())
            .map(String::as_str)
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let one = library.users.first().map_or("", String::as_str);
        Err(Error::NotSetUp {
            what: format!(
                "{} cannot be built: not on PATH: {}",
                library.name,
                missing.join(", ")
            ),
            mend: format!(
                "install what is missing (on Debian and Ubuntu: sudo apt install {}), or name \
                 one that was built for {TARGET}: {one}=FOLDER",
                missing.join(" ")
            ),
        })
    }

    fn lock(&self, library: &Library, shell: &Shell) -> Result<File> {
        let file = open_lock_file(&self.folder.join(".lock"))?;
        if file.try_lock().is_err() {
            shell.status(
                "Waiting",
                format_args!("for another build of {}", library.name),
            );
            file.lock()
                .with_context(|| format!("cannot lock {}", self.folder.display()))?;
        }
        Ok(file)
    }

    /// Deletes what builds left that were interrupted. Whoever calls this has the lock.
    fn sweep(&self) -> Result<()> {
        for entry in self.folder.read_dir().into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                let path = entry.path();
                fs::remove_dir_all(&path)
                    .with_context(|| format!("cannot delete {}", path.display()))?;
            }
        }
        Ok(())
    }

    fn step(&self, step: &[String], sources: &Path, out: &Path, log: &Path) -> Result<()> {
        let said = || format!("cannot write {}", log.display());
        let output = File::create(log).with_context(said)?;
        let jobs = match self.env.var("CARGO_BUILD_JOBS") {
            Some(jobs) => jobs.to_string_lossy().into_owned(),
            None => std::thread::available_parallelism()
                .map_or(1, usize::from)
                .to_string(),
        };
        let out = out.to_string_lossy();
        let mut words = step
            .iter()
            .map(|word| word.replace(OUT, &out).replace(JOBS, &jobs));
        let program = words.next().context("a step without a program")?;
        let mut command = self.env.command(&program);
        for name in FOR_THE_MACHINE {
            command.env_remove(name);
        }
        command
            .args(words)
            .envs(self.compiler.for_make())
            .current_dir(sources)
            .stdin(Stdio::null())
            .stdout(output.try_clone().with_context(said)?)
            .stderr(output);
        succeed(&mut command, &program, log)
    }
}

/// Runs a step, of which all output goes to `log`.
fn succeed(command: &mut Command, program: &str, log: &Path) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {program}"))?;
    if status.success() {
        return Ok(());
    }
    let said = fs::read(log).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().collect();
    let last = lines[lines.len().saturating_sub(SHOWN)..].join("\n  ");
    Err(anyhow!(
        "`{program}` ended with {status}:\n  {last}\n  all of it: {}",
        log.display()
    )
    .into())
}

/// The variables that tell the crate's build script of the library in `folder`.
pub fn variables(library: &Library, folder: &Path) -> Vec<(String, OsString)> {
    let folder = folder.to_string_lossy();
    let variables = library.variables.iter();
    variables
        .map(|(name, value)| (name.clone(), value.replace(OUT, &folder).into()))
        .collect()
}

/// Copies a folder with all below it.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry?;
        let path = to.join(entry.path().strip_prefix(from)?);
        if entry.file_type().is_dir() {
            fs::create_dir_all(&path)?;
        } else {
            fs::copy(entry.path(), &path)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A machine with a clang that is a script, and headers.
    struct Machine {
        temp: tempfile::TempDir,
        dirs: Dirs,
        env: Env,
    }

    impl Machine {
        fn new() -> Machine {
            let temp = tempfile::tempdir().unwrap();
            let at = |path: &str| temp.path().join(path);
            for folder in ["bin", "root/usr/include/wasm32-wasi", "crate/pond"] {
                fs::create_dir_all(at(folder)).unwrap();
            }
            for program in ["clang", "llvm-ar"] {
                let script = at("bin").join(program);
                fs::write(&script, "#!/bin/sh\necho clang 1\n").unwrap();
                fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
            }
            fs::write(at("crate/pond/pond.c"), "water").unwrap();
            let path = format!("{}:/usr/bin:/bin", at("bin").display());
            let env = Env::empty(temp.path())
                .with("PATH", path)
                .with("LDFLAGS", "-for-the-machine")
                .below(at("root"));
            let dirs = Dirs::at(at("cache"));
            Machine { temp, dirs, env }
        }

        fn libraries(&self) -> Libraries<'_> {
            Libraries::new(&self.dirs, &self.env, "pond-sys", &library(&[])).unwrap()
        }

        fn source(&self, version: &str) -> Upstream {
            Upstream {
                name: "pond-src".into(),
                version: version.parse().unwrap(),
                checksum: None,
                dir: self.temp.path().join("crate"),
            }
        }

        fn cached(&self) -> Vec<String> {
            let entries = fs::read_dir(self.dirs.libraries()).unwrap().flatten();
            let mut names: Vec<String> = entries
                .map(|entry| entry.file_name().to_string_lossy().into_owned())
                .filter(|name| name != ".lock")
                .collect();
            names.sort();
            names
        }
    }

    /// Copies the sources, with what it was told, after `more`.
    fn library(more: &[&str]) -> Library {
        let made = "cat pond.c > {out}/libpond.a; echo \"$CC|$LDFLAGS|$CFLAGS\" >> {out}/libpond.a";
        let steps = more.iter().chain([&made]);
        Library {
            name: "Pond".into(),
            why: "w".into(),
            source: "pond-src".into(),
            version: "3".parse().unwrap(),
            folder: "pond".into(),
            programs: vec!["sh".into()],
            steps: steps
                .map(|script| ["sh", "-c", script].map(str::to_owned).to_vec())
                .collect(),
            makes: vec!["libpond.a".into()],
            variables: [("POND_DIR".to_owned(), "{out}/x".to_owned())].into(),
            users: vec!["POND_DIR".into()],
        }
    }

    fn said(error: Error) -> String {
        match error {
            Error::Other(error) => format!("{error:#}"),
            error => error.to_string(),
        }
    }

    #[test]
    fn it_is_built_once_with_our_compiler_and_for_each_recipe() {
        let machine = Machine::new();
        let libraries = machine.libraries();
        let (shell, count) = (Shell::new(true, false), machine.temp.path().join("count"));
        let counted = format!("echo built >> {}", count.display());
        let library = library(&[&counted]);
        assert_eq!(libraries.find(&library, None), None);
        let source = machine.source("3.1.0");
        let folder = libraries.build(&library, &source, &shell).unwrap();
        let made = fs::read_to_string(folder.join("libpond.a")).unwrap();
        let clang = machine.temp.path().join("bin/clang");
        assert!(
            made.starts_with(&format!("water{}||--target", clang.display())),
            "{made}"
        );
        assert!(made.contains("-isystem"), "{made}");
        assert_eq!(libraries.build(&library, &source, &shell).unwrap(), folder);
        assert_eq!(libraries.find(&library, None), Some(folder.clone()));
        assert_eq!(fs::read_to_string(&count).unwrap(), "built\n");
        assert_eq!(
            variables(&library, &folder),
            [("POND_DIR".to_owned(), folder.join("x").into_os_string())]
        );
        assert_eq!(machine.cached().len(), 1, "nothing else is left");

        // The release that the app's lockfile has, and the newest.
        assert_eq!(libraries.find(&library, Some(&Version::new(3, 2, 0))), None);
        let newer = libraries
            .build(&library, &machine.source("3.2.0"), &shell)
            .unwrap();
        assert_eq!(libraries.find(&library, None), Some(newer));
        assert_eq!(
            libraries.find(&library, Some(&source.version)),
            Some(folder)
        );
        let mut other = library.clone();
        other
            .steps
            .push(["sh", "-c", "true"].map(str::to_owned).to_vec());
        assert_eq!(libraries.find(&other, None), None);
    }

    #[test]
    fn a_build_that_fails_says_what_it_said_and_leaves_nothing() {
        let machine = Machine::new();
        let libraries = machine.libraries();
        let shell = Shell::new(true, false);
        let source = machine.source("3.1.0");
        let fails = library(&["echo one; echo no such header >&2; exit 2"]);
        let text = said(libraries.build(&fails, &source, &shell).unwrap_err());
        for part in [
            "Pond 3.1.0 cannot be built",
            "`sh` ended",
            "one\n  no such header",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert_eq!(machine.cached(), ["pond-src.log"]);
        let mut lacks = library(&[]);
        lacks.makes.push("pond.h".into());
        let text = said(libraries.build(&lacks, &source, &shell).unwrap_err());
        assert!(text.contains("made no pond.h"), "{text}");
        // What an interrupted build left goes with the next one.
        fs::create_dir(machine.dirs.libraries().join(".unfinished-x")).unwrap();
        libraries.build(&library(&[]), &source, &shell).unwrap();
        assert_eq!(machine.cached().len(), 1);
    }

    #[test]
    fn what_is_missing_is_named_and_the_users_own_goes_first() {
        let machine = Machine::new();
        let mut library = library(&[]);
        library.programs.push("no-such-perl".into());
        let shell = Shell::new(true, false);
        let libraries = machine.libraries();
        let error = libraries.build(&library, &machine.source("3.1.0"), &shell);
        let text = said(error.unwrap_err());
        for part in [
            "not on PATH: no-such-perl",
            "apt install no-such-perl",
            "POND_DIR=",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!Libraries::is_users_own(&library, &machine.env));
        let env = machine.env.clone().with("POND_DIR", "/mine");
        assert!(Libraries::is_users_own(&library, &env));

        fs::remove_file(machine.temp.path().join("bin/clang")).unwrap();
        let env = machine.env.clone().with("PATH", "/nowhere");
        let error = Libraries::new(&machine.dirs, &env, "pond-sys 1.0", &library);
        let text = said(error.unwrap_err());
        assert!(text.starts_with("pond-sys 1.0 needs Pond"), "{text}");
        assert!(text.contains(c::MEND), "{text}");
    }
}
