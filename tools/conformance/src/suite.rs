//! The folders in which a crate's own tests are built.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use cargo_wasmedge::port::{self, Layout, Port, SuiteHead, Support};
use cargo_wasmedge::resolve::fetch::fetch;
use cargo_wasmedge::toolchain::Dirs;
use semver::{Version, VersionReq};

use tests_integration::Mode;
use tools_common::sources::copy_sources;
use tools_common::{Repo, Tools};

use crate::expectations::{Expectations, Reason};
use crate::unwinding::Unwinding;

/// The suite of one release of a crate.
#[derive(Debug)]
pub(crate) struct Suite {
    /// The crate.
    pub(crate) krate: String,
    /// Its release.
    pub(crate) version: Version,
    /// How its tests are run.
    pub(crate) head: SuiteHead,
    /// The port's folder in the checkout.
    pub(crate) port_dir: PathBuf,
    /// The ported crate, with its tests ported too.
    pub(crate) ported: PathBuf,
    /// The crate as published.
    pub(crate) upstream: PathBuf,
}

impl Suite {
    /// Fetches and ports one release.
    ///
    /// Both copies are where they were at the last run, and files that did not
    /// change keep their time: cargo builds only what is new.
    pub(crate) fn prepare(
        repo: &Repo,
        tools: &Tools,
        port_dir: PathBuf,
        (head, port): &(SuiteHead, Port),
        version: &Version,
    ) -> Result<Suite> {
        let exact = VersionReq::parse(&format!("={version}"))?;
        let fetched = fetch(
            &|| Command::new(&tools.rust.cargo),
            port.krate(),
            &exact,
            false,
        )?;
        let out = repo.target.join("conformance");
        let support = Support::from_dir(&repo.root)?;
        // In the cache of `cargo wasmedge`, which ports the crates that the tests use:
        // all of them must have the same support crates.
        let cache = Dirs::new()?.ported();
        let made = port::apply(port, &fetched, &support, &cache, Layout::Cache)?;
        let suite = Suite {
            krate: port.krate().to_owned(),
            version: version.clone(),
            head: head.clone(),
            ported: out.join(format!("{}-{version}", port.krate())),
            upstream: out.join(format!("{}-{version}-upstream", port.krate())),
            port_dir,
        };
        suite.copy(&made.dir, &suite.ported)?;
        suite.copy(&fetched.dir, &suite.upstream)?;
        Ok(suite)
    }

    /// `tokio 1.54.1`.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.krate, self.version)
    }

    fn copy(&self, from: &Path, to: &Path) -> Result<()> {
        // Put together beside, since the copy is compared file by file.
        let temp = tempfile::tempdir()?;
        copy_sources(from, temp.path())?;
        let manifest = temp.path().join("Cargo.toml");
        let mut document: toml::Table = fs::read_to_string(&manifest)?.parse()?;
        absolute_paths(&mut document, from);
        document
            .entry("workspace")
            .or_insert_with(|| toml::Table::new().into());
        if self.head.patch_self {
            let mut path = toml::Table::new();
            path.insert("path".into(), ".".into());
            let mut patches = toml::Table::new();
            patches.insert(self.krate.clone(), path.into());
            let mut patch = toml::Table::new();
            patch.insert("crates-io".into(), patches.into());
            document.insert("patch".into(), patch.into());
        }
        fs::write(&manifest, document.to_string())?;
        write_nextest(temp.path(), &self.expectations(Mode::Plain, false)?)?;
        copy_sources(temp.path(), to)?;
        let (lock, own) = (self.lock(), to.join("Cargo.lock"));
        if lock.is_file() {
            let text = fs::read(&lock)?;
            if !fs::read(&own).is_ok_and(|old| old == text) {
                fs::write(&own, text)?;
            }
        }
        Ok(())
    }

    /// Which tests cannot pass in this mode.
    fn expectations(&self, mode: Mode, unwinds: bool) -> Result<Expectations> {
        Expectations::load(
            &self.port_dir.join("expectations.toml"),
            &self.version,
            mode,
            unwinds,
        )
    }

    /// The tests that need unwinding.
    ///
    /// # Errors
    /// When the expectations cannot be read.
    pub(crate) fn unwinding(&self) -> Result<Unwinding> {
        let without = self.expectations(Mode::Plain, false)?;
        let tests = without.with_reason(Reason::Unwinding);
        Ok(Unwinding {
            tests: tests.cloned().collect(),
        })
    }

    /// Prepares a run in this mode, and gives which tests cannot pass in it.
    ///
    /// # Errors
    /// When the expectations cannot be read, or nextest's settings cannot be written.
    pub(crate) fn expect(&self, mode: Mode, unwinds: bool) -> Result<Expectations> {
        let expectations = self.expectations(mode, unwinds)?;
        write_nextest(&self.ported, &expectations)?;
        Ok(expectations)
    }

    /// The lockfile in the checkout: without it a new release of a crate that the
    /// tests use could change the result.
    fn lock(&self) -> PathBuf {
        self.port_dir.join(format!("locks/{}.lock", self.version))
    }

    /// Keeps the lockfile of a run for all later ones.
    pub(crate) fn keep_lock(&self) -> Result<()> {
        let lock = self.lock();
        if lock.is_file() {
            return Ok(());
        }
        // What cargo itself made; `cargo wasmedge` leaves none beside the manifest.
        let made = self.upstream.join("Cargo.lock");
        fs::create_dir_all(self.port_dir.join("locks"))?;
        fs::copy(&made, &lock).with_context(|| format!("cannot copy {}", made.display()))?;
        Ok(())
    }

    /// The programs that hold tests, by cargo's names for them, without the library's.
    pub(crate) fn programs(&self) -> Result<Vec<String>> {
        let folder = self.ported.join("tests");
        let mut names = Vec::new();
        if folder.is_dir() {
            for entry in folder.read_dir()? {
                let path = entry?.path();
                if path.extension().is_some_and(|extension| extension == "rs") {
                    names.extend(
                        path.file_stem()
                            .map(|name| name.to_string_lossy().into_owned()),
                    );
                }
            }
        }
        if names.is_empty() && !self.head.targets.iter().any(|target| target == "--lib") {
            bail!("{} has no tests in its package", self.name());
        }
        names.sort();
        Ok(names)
    }
}

/// Writes the settings of nextest. They end tests early that are known to hang.
fn write_nextest(folder: &Path, expectations: &Expectations) -> Result<()> {
    let mut text = NEXTEST.to_owned();
    for test in expectations.hanging() {
        let (program, name) = test.split_once("::").unwrap_or((test, "*"));
        let program = match program {
            "lib" => "kind(lib)".to_owned(),
            program => format!("binary(#{program})"),
        };
        text += &format!(
            "\n[[profile.default.overrides]]\nfilter = '{program} & test(#{name})'\n\
             platform = {{ target = 'cfg(target_os = \"wasi\")' }}\n\
             slow-timeout = {{ period = \"10s\", terminate-after = 1 }}\n"
        );
    }
    let file = folder.join(".config/nextest.toml");
    fs::create_dir_all(folder.join(".config"))?;
    fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
}

/// Makes the paths of dependencies independent of the manifest's place.
fn absolute_paths(table: &mut toml::Table, base: &Path) {
    for (key, value) in table {
        match value {
            toml::Value::Table(inner) if key.ends_with("dependencies") => {
                for (_, dependency) in inner {
                    if let Some(path) = dependency.get_mut("path")
                        && let Some(relative) = path.as_str()
                    {
                        *path = base.join(relative).to_string_lossy().into_owned().into();
                    }
                }
            }
            toml::Value::Table(inner) => absolute_paths(inner, base),
            _ => {}
        }
    }
}

/// Every test in a process of its own is what nextest does. The limit is for one
/// that hangs: the slowest take some minutes, interpreted, on a busy machine.
const NEXTEST: &str = r#"# Since 0.9.143 its report tells which tests are ignored.
nextest-version = "0.9.143"

[profile.default]
slow-timeout = { period = "60s", terminate-after = 10 }
fail-fast = false
retries = 0

[profile.default.junit]
path = "junit.xml"
store-success-output = true
report-skipped = "ignored"
"#;
