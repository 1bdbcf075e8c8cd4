//! Where settings stand: flags, variables, manifests.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::table::{self, Layer, SETTINGS, Setting};
use super::value;
use crate::error::Result;

/// The table below `metadata` in a manifest.
pub const TABLE: &str = "wasmedge";

/// Where a setting can stand, the strongest first.
pub const PRECEDENCE: [&str; 5] = [
    "a flag of `cargo wasmedge`, in front of the command (so far `--wasmedge` and `--unwind`)",
    "the variable `CARGO_WASMEDGE_<KEY>`",
    "`[package.metadata.wasmedge]` in the package's `Cargo.toml`",
    "`[workspace.metadata.wasmedge]` in the workspace's `Cargo.toml`",
    "the default",
];

/// A key that no version of this program knows, with the place it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownKey {
    /// The manifest.
    pub file: PathBuf,
    /// The dotted key, such as `package.metadata.wasmedge.aott`.
    pub key: String,
    /// The known key that was probably meant.
    pub meant: Option<String>,
}

impl std::fmt::Display for UnknownKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "unused key `{}` in {}", self.key, self.file.display())?;
        match &self.meant {
            Some(meant) => write!(f, " (did you mean `{meant}`?)"),
            None => write!(f, " (known keys: {})", known_keys().join(", ")),
        }
    }
}

impl Layer {
    /// What flags say. A relative path starts at `base`.
    pub fn from_flags(wasmedge: Option<&str>, unwind: bool, base: &Path) -> Layer {
        Layer {
            unwind: unwind.then_some(true),
            wasmedge: wasmedge.and_then(|text| value::program(Some(text.to_owned()), base)),
            ..Layer::default()
        }
    }

    /// The `CARGO_WASMEDGE_*` variables. An empty one says nothing.
    ///
    /// # Errors
    /// A value of the wrong form.
    pub fn from_env(base: &Path, var: impl Fn(&str) -> Option<OsString>) -> Result<Layer> {
        let mut layer = Layer::default();
        for setting in SETTINGS {
            let name = setting.variable();
            let Some(text) = var(&name).filter(|text| !text.is_empty()) else {
                continue;
            };
            text.to_str()
                .and_then(|text| (setting.read_text)(&mut layer, text, base))
                .with_context(|| expected(setting, &text.to_string_lossy()))
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
        let settings = table
            .get(root)
            .and_then(|root| root.get("metadata"))
            .and_then(|metadata| metadata.get(TABLE));
        let Some(settings) = settings else {
            return Ok((Layer::default(), Vec::new()));
        };
        let place = format!("{root}.metadata.{TABLE}");
        let settings = settings
            .as_table()
            .with_context(|| format!("`{place}` in {} is not a table", file.display()))?;
        let base = file.parent().unwrap_or(Path::new("."));
        let mut layer = Layer::default();
        let mut unknown = Vec::new();
        for (key, value) in settings {
            let Some(setting) = table::find(key) else {
                unknown.push(UnknownKey {
                    file: file.to_owned(),
                    key: format!("{place}.{key}"),
                    meant: meant(key),
                });
                continue;
            };
            (setting.read_toml)(&mut layer, value, base)
                .with_context(|| format!("expected {}, found `{value}`", setting.value))
                .with_context(|| format!("bad value of `{place}.{key}` in {}", file.display()))?;
        }
        Ok((layer, unknown))
    }
}

/// What is wrong with a variable's text.
fn expected(setting: &Setting, found: &str) -> String {
    let mut message = format!("expected {}, found `{found}`", setting.value);
    // An array may not have been meant: a shell's word can begin like this, too.
    if found.trim_start().starts_with('[') {
        message += "\nA list in a variable that begins with `[` is one of TOML: [\"A\", \"B\"]";
    }
    message
}

fn known_keys() -> Vec<String> {
    SETTINGS.iter().map(table::Setting::key).collect()
}

/// The known key that differs from `key` in one letter at most, or in `_` for `-`.
fn meant(key: &str) -> Option<String> {
    let key = key.replace('_', "-").to_lowercase();
    known_keys()
        .into_iter()
        .find(|known| strsim::levenshtein(known, &key) <= 1)
}

#[cfg(test)]
mod tests {
    use super::super::table::Config;
    use super::super::value::{Aot, Tmp};
    use super::*;

    fn manifest(text: &str, root: &str) -> (Layer, Vec<UnknownKey>) {
        Layer::from_manifest(text, root, Path::new("/app/Cargo.toml")).unwrap()
    }

    fn variable(name: &str, text: &str) -> Result<Layer> {
        Layer::from_env(Path::new("/cwd"), |asked| {
            (asked == name).then(|| text.into())
        })
    }

    fn message<T: std::fmt::Debug>(result: Result<T>) -> String {
        match result {
            Err(crate::error::Error::Other(error)) => format!("{error:#}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_first_layer_that_has_a_setting_decides_it() {
        let text = "[package.metadata.wasmedge]\naot = 'always'\nenv = ['A=1']\n\
                    [workspace.metadata.wasmedge]\naot = 'never'\nenv = ['B=2']\nwasmedge = '0.14'\n";
        let (package, _) = manifest(text, "package");
        let (workspace, _) = manifest(text, "workspace");
        let env = variable("CARGO_WASMEDGE_ENV", "'C=3 4' D").unwrap();
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
        let env = variable("CARGO_WASMEDGE_DIRS", "data").unwrap();
        assert_eq!(Config::resolve([env]).dirs, ["data:/cwd/data"]);
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
                 (known keys: wasmedge, aot, dirs, env, inherit-env, wasmedge-args, tmp, std-facade, browser-gates, weak-random, resolver, allow-af-unix, unwind, plugin)",
                "unused key `workspace.metadata.wasmedge.wasmedge_args` in /app/Cargo.toml \
                 (did you mean `wasmedge-args`?)",
            ]
        );
    }

    #[test]
    fn a_wrong_value_names_manifest_key_and_what_was_expected() {
        let text = "[package.metadata.wasmedge]\naot = true\n";
        assert_eq!(
            message(Layer::from_manifest(
                text,
                "package",
                Path::new("/app/Cargo.toml")
            )),
            "bad value of `package.metadata.wasmedge.aot` in /app/Cargo.toml: \
             expected `auto`, `always` or `never`, found `true`"
        );
        assert_eq!(
            message(variable("CARGO_WASMEDGE_AOT", "sometimes")),
            "bad value of CARGO_WASMEDGE_AOT: \
             expected `auto`, `always` or `never`, found `sometimes`"
        );
        assert_eq!(
            message(variable("CARGO_WASMEDGE_ENV", "A =1")),
            "bad value of CARGO_WASMEDGE_ENV: \
             expected a list of `NAME` or `NAME=VALUE`, found `A =1`"
        );
    }

    /// What a manifest would say is taken for what it is, or refused.
    #[test]
    fn a_variable_may_be_written_as_in_a_manifest() {
        let config = |name: &str, text: &str| Config::resolve([variable(name, text).unwrap()]);
        for text in [
            "[\"A=1\", 'B=two words']",
            " [\n  'A=1',\n  'B=two words',\n] ",
        ] {
            let config = config("CARGO_WASMEDGE_ENV", text);
            assert_eq!(config.env, ["A=1", "B=two words"], "{text}");
        }
        assert_eq!(config("CARGO_WASMEDGE_ENV", "[]").env, [""; 0]);
        let program = config("CARGO_WASMEDGE_WASMEDGE", "\"0.14\"").wasmedge;
        assert_eq!(program.as_deref(), Some("0.14"));
        assert_eq!(config("CARGO_WASMEDGE_AOT", "'never'").aot, Aot::Never);
        let tmp = config("CARGO_WASMEDGE_TMP", "\"scratch\"").tmp;
        assert_eq!(tmp, Tmp::Dir("/cwd/scratch".into()));
        // And what only begins like that is refused.
        for text in ["[A=1]", "['A=1'", "[1]", "['A=1'] B=2"] {
            assert_eq!(
                message(variable("CARGO_WASMEDGE_ENV", text)),
                format!(
                    "bad value of CARGO_WASMEDGE_ENV: \
                     expected a list of `NAME` or `NAME=VALUE`, found `{text}`\n\
                     A list in a variable that begins with `[` is one of TOML: [\"A\", \"B\"]"
                )
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_variable_that_is_not_unicode_is_refused() {
        use std::os::unix::ffi::OsStringExt as _;

        let read = Layer::from_env(Path::new("/cwd"), |asked| {
            (asked == "CARGO_WASMEDGE_ENV").then(|| OsString::from_vec(b"A=\xff".to_vec()))
        });
        assert!(message(read).starts_with("bad value of CARGO_WASMEDGE_ENV"));
    }

    #[test]
    fn a_flag_wins_over_its_variable() {
        let flag = Layer::from_flags(Some("./edge"), false, Path::new("/cwd"));
        let variable = variable("CARGO_WASMEDGE_WASMEDGE", "0.14").unwrap();
        let config = Config::resolve([flag, variable.clone()]);
        assert_eq!(config.wasmedge.as_deref(), Some("/cwd/./edge"));
        let none = Layer::from_flags(None, false, Path::new("/cwd"));
        let config = Config::resolve([none, variable]);
        assert_eq!(config.wasmedge.as_deref(), Some("0.14"));
    }
}
