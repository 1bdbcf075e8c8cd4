//! Settings: where they come from and which one wins.
//!
//! A setting is looked for in this order: a flag of `cargo wasmedge`, a
//! `CARGO_WASMEDGE_*` variable, `[package.metadata.wasmedge]`,
//! `[workspace.metadata.wasmedge]`, the default. The first that has it wins;
//! lists are not joined.
//!
//! | key | variable | value | default |
//! |---|---|---|---|
//! | `wasmedge` | `CARGO_WASMEDGE_WASMEDGE` | a version (`"0.17"`) or the program's path | the newest that is found |
//! | `aot` | `CARGO_WASMEDGE_AOT` | `auto`, `always`, `never` | `auto`: all but the `debug` profile folder |
//! | `dirs` | `CARGO_WASMEDGE_DIRS` | list of `PATH` or `GUEST:HOST[:readonly]` | none beside the working directory |
//! | `env` | `CARGO_WASMEDGE_ENV` | list of `NAME` (passed on) or `NAME=VALUE` | none beside `RUST_*` and what cargo sets |
//! | `wasmedge-args` | `CARGO_WASMEDGE_WASMEDGE_ARGS` | list of arguments for WasmEdge | none |
//! | `tmp` | `CARGO_WASMEDGE_TMP` | `true`, `false` or a folder | `true`: the host's temporary folder |
//! | `std-facade` | `CARGO_WASMEDGE_STD_FACADE` | list of crates that get our `std::net` and `env::temp_dir` | those with a port |
//! | `weak-random` | `CARGO_WASMEDGE_WEAK_RANDOM` | `true`, `false` | `false`: without a sound seed, getrandom is an error |
//! | `resolver` | `CARGO_WASMEDGE_RESOLVER` | `dns`, `host` | `dns`: programs ask the name servers themselves, and go on meanwhile |
//! | `allow-af-unix` | `CARGO_WASMEDGE_ALLOW_AF_UNIX` | `true`, `false` | `false`: opening a Unix socket is an error |
//!
//! A list in a variable is split as a shell splits words. Relative paths start
//! at the manifest's folder, those in variables at the working directory.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Serialize;

use crate::error::Result;

/// The table below `metadata` in a manifest.
pub const TABLE: &str = "wasmedge";

/// Every key, in the order of the documentation.
pub const KEYS: [&str; 10] = [
    "wasmedge",
    "aot",
    "dirs",
    "env",
    "wasmedge-args",
    "tmp",
    "std-facade",
    "weak-random",
    "resolver",
    "allow-af-unix",
];

/// The folder that relative paths in variables start at: the user's working
/// directory. cargo starts tests in the package's.
pub(crate) const BASE_VARIABLE: &str = "CARGO_WASMEDGE_BASE";

/// When a program is compiled ahead of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Aot {
    /// Unless cargo put it in a folder named `debug`.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never: WasmEdge interprets it.
    Never,
}

/// The folder for temporary files that the guest sees.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tmp {
    /// The host's temporary folder.
    #[default]
    Host,
    /// None, and `TMPDIR` is not set.
    None,
    /// This folder of the host.
    Dir(PathBuf),
}

/// Who looks names up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Resolver {
    /// The program, with copies of the host's `/etc/hosts` and `/etc/resolv.conf`.
    #[default]
    Dns,
    /// The host's own resolver, whose call stops the program until it answers.
    Host,
}

/// The settings that hold for one program.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Config {
    /// Version requirement or path of WasmEdge.
    pub wasmedge: Option<String>,
    /// Ahead-of-time compilation.
    pub aot: Aot,
    /// `--dir` arguments, host paths absolute.
    pub dirs: Vec<String>,
    /// `NAME` or `NAME=VALUE`.
    pub env: Vec<String>,
    /// Arguments for WasmEdge itself.
    pub wasmedge_args: Vec<String>,
    /// Folder for temporary files.
    pub tmp: Tmp,
    /// Crates that are put under the std facade.
    pub std_facade: Vec<String>,
    /// Whether getrandom may give weak random numbers where there is no sound seed.
    pub weak_random: bool,
    /// Who looks names up.
    pub resolver: Resolver,
    /// Whether programs may use the host's Unix sockets.
    pub allow_af_unix: bool,
}

/// The settings of one source; `None` where it says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layer {
    wasmedge: Option<String>,
    aot: Option<Aot>,
    dirs: Option<Vec<String>>,
    env: Option<Vec<String>>,
    wasmedge_args: Option<Vec<String>>,
    tmp: Option<Tmp>,
    std_facade: Option<Vec<String>>,
    weak_random: Option<bool>,
    resolver: Option<Resolver>,
    allow_af_unix: Option<bool>,
}

/// A key that no version of this program knows, with the place it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownKey {
    /// The manifest.
    pub file: PathBuf,
    /// The dotted key, such as `package.metadata.wasmedge.aott`.
    pub key: String,
    /// The known key that was probably meant.
    pub meant: Option<&'static str>,
}

impl std::fmt::Display for UnknownKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "unused key `{}` in {}", self.key, self.file.display())?;
        match self.meant {
            Some(meant) => write!(f, " (did you mean `{meant}`?)"),
            None => write!(f, " (known keys: {})", KEYS.join(", ")),
        }
    }
}

impl Config {
    /// The first of `layers` that has a setting decides it.
    pub fn resolve(layers: impl IntoIterator<Item = Layer>) -> Config {
        let mut merged = Layer::default();
        for layer in layers {
            merged = merged.or(layer);
        }
        Config {
            wasmedge: merged.wasmedge,
            aot: merged.aot.unwrap_or_default(),
            dirs: merged.dirs.unwrap_or_default(),
            env: merged.env.unwrap_or_default(),
            wasmedge_args: merged.wasmedge_args.unwrap_or_default(),
            tmp: merged.tmp.unwrap_or_default(),
            std_facade: merged.std_facade.unwrap_or_default(),
            weak_random: merged.weak_random.unwrap_or_default(),
            resolver: merged.resolver.unwrap_or_default(),
            allow_af_unix: merged.allow_af_unix.unwrap_or_default(),
        }
    }

    /// The settings for a program of the package in `package_dir`, from the
    /// process's environment and the manifests as they are on disk.
    ///
    /// # Errors
    /// A value of the wrong form. The message names the variable, or manifest and key.
    pub fn for_package(package_dir: Option<&Path>) -> Result<Config> {
        Config::for_package_with(Layer::default(), package_dir)
    }

    /// The same with the command's own flags, which win over all else.
    ///
    /// # Errors
    /// As [`Config::for_package`].
    pub fn for_package_with(flags: Layer, package_dir: Option<&Path>) -> Result<Config> {
        let base = base()?;
        let mut layers = vec![
            flags,
            Layer::from_env(&base, |name| std::env::var(name).ok())?,
        ];
        if let Some(dir) = package_dir {
            for (manifest, root) in manifests(dir) {
                let text = std::fs::read_to_string(&manifest)
                    .with_context(|| format!("cannot read {}", manifest.display()))?;
                let (layer, _) = Layer::from_manifest(&text, root, &manifest)?;
                layers.push(layer);
            }
        }
        Ok(Config::resolve(layers))
    }
}

/// The folder that relative paths in flags and variables start at.
///
/// # Errors
/// The working directory is gone.
pub fn base() -> Result<PathBuf> {
    match std::env::var_os(BASE_VARIABLE) {
        Some(base) => Ok(base.into()),
        None => Ok(std::env::current_dir()?),
    }
}

/// The manifests that hold settings for a package, the strongest first, each
/// with the table that its metadata is in.
pub fn manifests(package_dir: &Path) -> Vec<(PathBuf, &'static str)> {
    let own = package_dir.join("Cargo.toml");
    let Some(table) = read(&own) else {
        return Vec::new();
    };
    let mut found = vec![(own.clone(), "package")];
    if table.contains_key("workspace") {
        found.push((own, "workspace"));
    } else if let Some(root) = workspace_of(package_dir, &table) {
        found.push((root, "workspace"));
    }
    found
}

/// `package.workspace`, or the nearest folder above whose manifest has a `[workspace]`.
fn workspace_of(package_dir: &Path, manifest: &toml::Table) -> Option<PathBuf> {
    let named = manifest
        .get("package")
        .and_then(|package| package.get("workspace"));
    if let Some(named) = named.and_then(toml::Value::as_str) {
        return Some(package_dir.join(named).join("Cargo.toml"));
    }
    package_dir
        .ancestors()
        .skip(1)
        .map(|dir| dir.join("Cargo.toml"))
        .find(|file| read(file).is_some_and(|table| table.contains_key("workspace")))
}

fn read(manifest: &Path) -> Option<toml::Table> {
    std::fs::read_to_string(manifest).ok()?.parse().ok()
}

impl Layer {
    /// What flags say. A relative path starts at `base`.
    pub fn from_flags(wasmedge: Option<&str>, base: &Path) -> Layer {
        let mut layer = Layer::default();
        if let Some(text) = wasmedge.filter(|text| !text.is_empty()) {
            // The variable has the same form, which every text has.
            let _ = layer.set("wasmedge", &toml::Value::String(text.to_owned()), base);
        }
        layer
    }

    /// This layer where it says something, else `other`.
    fn or(self, other: Layer) -> Layer {
        Layer {
            wasmedge: self.wasmedge.or(other.wasmedge),
            aot: self.aot.or(other.aot),
            dirs: self.dirs.or(other.dirs),
            env: self.env.or(other.env),
            wasmedge_args: self.wasmedge_args.or(other.wasmedge_args),
            tmp: self.tmp.or(other.tmp),
            std_facade: self.std_facade.or(other.std_facade),
            weak_random: self.weak_random.or(other.weak_random),
            resolver: self.resolver.or(other.resolver),
            allow_af_unix: self.allow_af_unix.or(other.allow_af_unix),
        }
    }

    /// The `CARGO_WASMEDGE_*` variables.
    ///
    /// # Errors
    /// A value of the wrong form.
    pub fn from_env(cwd: &Path, var: impl Fn(&str) -> Option<String>) -> Result<Layer> {
        let mut layer = Layer::default();
        for key in KEYS {
            let name = variable(key);
            let Some(text) = var(&name).filter(|text| !text.is_empty()) else {
                continue;
            };
            let value = match key {
                "dirs" | "env" | "wasmedge-args" | "std-facade" => {
                    let words = shlex::split(&text)
                        .with_context(|| format!("{name}: a quote is not closed in `{text}`"))?;
                    toml::Value::Array(words.into_iter().map(toml::Value::String).collect())
                }
                "tmp" | "weak-random" | "allow-af-unix" if text == "true" || text == "false" => {
                    toml::Value::Boolean(text == "true")
                }
                _ => toml::Value::String(text),
            };
            layer
                .set(key, &value, cwd)
                .with_context(|| format!("bad value of {name}"))?;
        }
        Ok(layer)
    }

    /// `[ROOT.metadata.wasmedge]` of a manifest, `ROOT` being `package` or
    /// `workspace`, and the keys in it that are unknown.
    ///
    /// # Errors
    /// Not TOML, or a value of the wrong form.
    pub fn from_manifest(text: &str, root: &str, file: &Path) -> Result<(Layer, Vec<UnknownKey>)> {
        let table: toml::Table = text
            .parse()
            .with_context(|| format!("cannot parse {}", file.display()))?;
        let mut layer = Layer::default();
        let mut unknown = Vec::new();
        let settings = table
            .get(root)
            .and_then(|root| root.get("metadata"))
            .and_then(|metadata| metadata.get(TABLE));
        let Some(settings) = settings else {
            return Ok((layer, unknown));
        };
        let place = format!("{root}.metadata.{TABLE}");
        let Some(settings) = settings.as_table() else {
            return Err(anyhow::anyhow!("`{place}` in {} is not a table", file.display()).into());
        };
        let dir = file.parent().unwrap_or(Path::new("."));
        for (key, value) in settings {
            match KEYS.into_iter().find(|known| known == key) {
                Some(known) => layer.set(known, value, dir).with_context(|| {
                    format!("bad value of `{place}.{key}` in {}", file.display())
                })?,
                None => unknown.push(UnknownKey {
                    file: file.to_owned(),
                    key: format!("{place}.{key}"),
                    meant: meant(key),
                }),
            }
        }
        Ok((layer, unknown))
    }

    fn set(&mut self, key: &str, value: &toml::Value, base: &Path) -> anyhow::Result<()> {
        match key {
            "wasmedge" => {
                let text = string(value)?;
                // A word with a separator is a path; a bare one a version.
                let is_path = text.contains(std::path::MAIN_SEPARATOR) || text.contains('/');
                self.wasmedge = Some(if is_path {
                    base.join(&text).to_string_lossy().into_owned()
                } else {
                    text
                });
            }
            "aot" => {
                self.aot = Some(match string(value)?.as_str() {
                    "auto" => Aot::Auto,
                    "always" => Aot::Always,
                    "never" => Aot::Never,
                    other => bail!("expected auto, always or never, found `{other}`"),
                });
            }
            "dirs" => {
                let dirs = strings(value)?;
                self.dirs = Some(dirs.iter().map(|dir| absolute_dir(dir, base)).collect());
            }
            "env" => {
                let env = strings(value)?;
                if let Some(bad) = env
                    .iter()
                    .find(|entry| entry.is_empty() || entry.starts_with('='))
                {
                    bail!("expected NAME or NAME=VALUE, found `{bad}`");
                }
                self.env = Some(env);
            }
            "wasmedge-args" => self.wasmedge_args = Some(strings(value)?),
            "tmp" => {
                self.tmp = Some(match value {
                    toml::Value::Boolean(true) => Tmp::Host,
                    toml::Value::Boolean(false) => Tmp::None,
                    toml::Value::String(dir) => Tmp::Dir(base.join(dir)),
                    other => bail!("expected true, false or a folder, found {}", kind(other)),
                });
            }
            "std-facade" => self.std_facade = Some(strings(value)?),
            "weak-random" => self.weak_random = Some(boolean(value)?),
            "allow-af-unix" => self.allow_af_unix = Some(boolean(value)?),
            "resolver" => {
                self.resolver = Some(match string(value)?.as_str() {
                    "dns" => Resolver::Dns,
                    "host" => Resolver::Host,
                    other => bail!("expected dns or host, found `{other}`"),
                });
            }
            other => unreachable!("`{other}` is not in KEYS"),
        }
        Ok(())
    }
}

/// The variable for a key: `wasmedge-args` is `CARGO_WASMEDGE_WASMEDGE_ARGS`.
pub fn variable(key: &str) -> String {
    format!("CARGO_WASMEDGE_{}", key.to_uppercase().replace('-', "_"))
}

/// `HOST`, `GUEST:HOST` or `GUEST:HOST:readonly`, with `HOST` made absolute.
fn absolute_dir(dir: &str, base: &Path) -> String {
    let join = |host: &str| base.join(host).to_string_lossy().into_owned();
    match dir.split(':').collect::<Vec<_>>()[..] {
        [guest, host] => format!("{guest}:{}", join(host)),
        [guest, host, mode] => format!("{guest}:{}:{mode}", join(host)),
        // The guest sees a folder under the name that it is given by.
        _ => format!("{dir}:{}", join(dir)),
    }
}

fn string(value: &toml::Value) -> anyhow::Result<String> {
    match value.as_str() {
        Some(text) => Ok(text.to_owned()),
        None => bail!("expected a string, found {}", kind(value)),
    }
}

fn boolean(value: &toml::Value) -> anyhow::Result<bool> {
    let expected = || format!("expected true or false, found {}", kind(value));
    value.as_bool().with_context(expected)
}

fn strings(value: &toml::Value) -> anyhow::Result<Vec<String>> {
    match value.as_array() {
        Some(list) => list.iter().map(string).collect(),
        None => bail!("expected a list of strings, found {}", kind(value)),
    }
}

fn kind(value: &toml::Value) -> String {
    format!("a value of type {} (`{value}`)", value.type_str())
}

/// The known key that differs from `key` in one letter at most, or in `_` for `-`.
fn meant(key: &str) -> Option<&'static str> {
    let key = key.replace('_', "-").to_lowercase();
    KEYS.into_iter().find(|known| one_letter_apart(known, &key))
}

fn one_letter_apart(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let front = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let (rest_a, rest_b) = (&a[front..], &b[front..]);
    let back = rest_a
        .iter()
        .rev()
        .zip(rest_b.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    rest_a.len().max(rest_b.len()) - back <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(text: &str, root: &str) -> (Layer, Vec<UnknownKey>) {
        Layer::from_manifest(text, root, Path::new("/app/Cargo.toml")).unwrap()
    }

    #[test]
    fn the_first_layer_that_has_a_setting_decides_it() {
        let text = "[package.metadata.wasmedge]\naot = 'always'\nenv = ['A=1']\n\
                    [workspace.metadata.wasmedge]\naot = 'never'\nenv = ['B=2']\nwasmedge = '0.14'\n";
        let (package, _) = manifest(text, "package");
        let (workspace, _) = manifest(text, "workspace");
        let env = Layer::from_env(Path::new("/cwd"), |name| {
            (name == "CARGO_WASMEDGE_ENV").then(|| "'C=3 4' D".to_owned())
        })
        .unwrap();
        let config = Config::resolve([env, package, workspace]);
        assert_eq!(config.env, ["C=3 4", "D"]);
        assert_eq!(config.aot, Aot::Always);
        assert_eq!(config.wasmedge.as_deref(), Some("0.14"));
        assert_eq!(config.tmp, Tmp::Host);
    }

    #[test]
    fn relative_paths_start_at_the_manifest_or_the_working_directory() {
        let (layer, _) = manifest(
            "[package.metadata.wasmedge]\ndirs = ['data', '/www:htdocs:readonly', '/:/abs']\n\
             tmp = 'scratch'\nwasmedge = './bin/wasmedge'\n",
            "package",
        );
        let config = Config::resolve([layer]);
        assert_eq!(
            config.dirs,
            ["data:/app/data", "/www:/app/htdocs:readonly", "/:/abs"]
        );
        assert_eq!(config.tmp, Tmp::Dir("/app/scratch".into()));
        assert_eq!(config.wasmedge.as_deref(), Some("/app/./bin/wasmedge"));
        let env = Layer::from_env(Path::new("/cwd"), |name| {
            (name == "CARGO_WASMEDGE_DIRS").then(|| "data".to_owned())
        });
        assert_eq!(Config::resolve([env.unwrap()]).dirs, ["data:/cwd/data"]);
    }

    #[test]
    fn unknown_keys_are_named_with_their_file() {
        let (_, unknown) = manifest(
            "[workspace.metadata.wasmedge]\naott = 'auto'\nwasmedge_args = []\ncolour = 1\n",
            "workspace",
        );
        let mut said: Vec<String> = unknown.iter().map(ToString::to_string).collect();
        said.sort();
        assert_eq!(
            said,
            [
                "unused key `workspace.metadata.wasmedge.aott` in /app/Cargo.toml (did you mean `aot`?)",
                "unused key `workspace.metadata.wasmedge.colour` in /app/Cargo.toml \
                 (known keys: wasmedge, aot, dirs, env, wasmedge-args, tmp, std-facade, weak-random, resolver, allow-af-unix)",
                "unused key `workspace.metadata.wasmedge.wasmedge_args` in /app/Cargo.toml \
                 (did you mean `wasmedge-args`?)",
            ]
        );
    }

    #[test]
    fn a_wrong_value_names_manifest_key_and_what_was_expected() {
        let text = "[package.metadata.wasmedge]\naot = true\n";
        let error =
            Layer::from_manifest(text, "package", Path::new("/app/Cargo.toml")).unwrap_err();
        let crate::error::Error::Other(error) = error else {
            panic!("{error}");
        };
        assert_eq!(
            format!("{error:#}"),
            "bad value of `package.metadata.wasmedge.aot` in /app/Cargo.toml: \
             expected a string, found a value of type boolean (`true`)"
        );
        let error = Layer::from_env(Path::new("/"), |name| {
            (name == "CARGO_WASMEDGE_AOT").then(|| "sometimes".to_owned())
        });
        let Err(crate::error::Error::Other(error)) = error else {
            panic!("no error");
        };
        assert_eq!(
            format!("{error:#}"),
            "bad value of CARGO_WASMEDGE_AOT: expected auto, always or never, found `sometimes`"
        );
    }

    #[test]
    fn the_workspace_is_found_above_the_package() {
        let temp = tempfile::tempdir().unwrap();
        let member = temp.path().join("crates/member");
        std::fs::create_dir_all(&member).unwrap();
        std::fs::write(
            temp.path().join("Cargo.toml"),
            "[workspace]\nmembers = ['crates/*']\n",
        )
        .unwrap();
        std::fs::write(member.join("Cargo.toml"), "[package]\nname = 'member'\n").unwrap();
        assert_eq!(
            manifests(&member),
            [
                (member.join("Cargo.toml"), "package"),
                (temp.path().join("Cargo.toml"), "workspace"),
            ]
        );
    }
}
