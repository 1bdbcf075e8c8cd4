//! The settings: this table is all there is to say of each.
//!
//! [`Config`] and [`Layer`] get their fields from it, manifests and variables are
//! read by it, messages, `cargo wasmedge help settings` and `docs/settings.md` are
//! written from it. A field's name is the setting's key, with `-` for `_`.

use std::path::Path;

use super::value::{self, Aot, Plugin, Resolver, Tmp, Value};

/// One setting.
#[derive(Debug)]
pub struct Setting {
    field: &'static str,
    doc: &'static str,
    /// What a value has to be, in words that read after "expected".
    pub value: &'static str,
    /// The default and what it means, in words.
    pub default: &'static str,
    /// A line for a manifest.
    pub example: &'static str,
    pub(super) read_toml: fn(&mut Layer, &toml::Value, &Path) -> Option<()>,
    pub(super) read_text: fn(&mut Layer, &str, &Path) -> Option<()>,
}

impl Setting {
    /// The key in a manifest, such as `wasmedge-args`.
    pub fn key(&self) -> String {
        self.field.replace('_', "-")
    }

    /// The variable, such as `CARGO_WASMEDGE_WASMEDGE_ARGS`.
    pub fn variable(&self) -> String {
        format!("CARGO_WASMEDGE_{}", self.field.to_uppercase())
    }

    /// What the setting is for.
    pub fn text(&self) -> &'static str {
        self.doc.trim()
    }
}

macro_rules! settings {
    ($(
        $(#[doc = $doc:literal])+
        $field:ident: $type:ty {
            value: $value:literal,
            $(then: $then:path,)?
            default: $default:expr, $meaning:literal,
            example: $example:literal,
        }
    )+) => {
        /// The settings that hold for one program.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Config {
            $($(#[doc = $doc])+ pub $field: $type,)+
        }

        impl Default for Config {
            fn default() -> Config {
                Config { $($field: $default,)+ }
            }
        }

        /// The settings of one source; `None` where it says nothing.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct Layer {
            $(pub(super) $field: Option<$type>,)+
        }

        impl Layer {
            /// This layer where it says something, else `other`.
            #[must_use]
            pub fn or(self, other: Layer) -> Layer {
                Layer { $($field: self.$field.or(other.$field),)+ }
            }
        }

        impl From<Layer> for Config {
            /// The defaults where `layer` says nothing.
            fn from(layer: Layer) -> Config {
                Config { $($field: layer.$field.unwrap_or_else(|| $default),)+ }
            }
        }

        /// Every setting, in the order of the documentation.
        pub static SETTINGS: &[Setting] = &[$(Setting {
            field: stringify!($field),
            doc: concat!($($doc, "\n"),+),
            value: $value,
            default: $meaning,
            example: $example,
            read_toml: |layer, value, base| {
                let _ = base;
                let value = <$type as Value>::from_toml(value)?;
                $(let value = $then(value, base)?;)?
                layer.$field = Some(value);
                Some(())
            },
            read_text: |layer, text, base| {
                let _ = base;
                let value = <$type as Value>::from_text(text)?;
                $(let value = $then(value, base)?;)?
                layer.$field = Some(value);
                Some(())
            },
        },)+];
    };
}

settings! {
    /// The WasmEdge that runs programs. The flag `--wasmedge` says the same.
    wasmedge: Option<String> {
        value: "a version such as `0.17`, or the program's path",
        then: value::program,
        default: None, "the newest WasmEdge that is found",
        example: "wasmedge = \"0.17\"",
    }

    /// When a program is compiled ahead of time before it runs.
    aot: Aot {
        value: "`auto`, `always` or `never`",
        default: Aot::Auto, "`auto`: all programs but doctests and those in cargo's folder `debug`",
        example: "aot = \"always\"",
    }

    /// Folders of the host that programs may open, beside the working directory and
    /// the folder for temporary files.
    dirs: Vec<String> {
        value: "a list of `PATH` or `GUEST:HOST[:readonly]`",
        then: value::dirs,
        default: Vec::new(), "none",
        example: "dirs = [\"data\", \"/www:htdocs:readonly\"]",
    }

    /// Variables that programs get, beside those of the user's environment. `NAME`
    /// alone takes the host's value, also of a variable that is the machine's own and
    /// left out otherwise, such as `HOME`; if the host has none, it is left out.
    env: Vec<String> {
        value: "a list of `NAME` or `NAME=VALUE`",
        then: value::env,
        default: Vec::new(), "none",
        example: "env = [\"HOME\", \"LOG_STYLE=never\"]",
    }

    /// Whether programs see the user's environment, less what is the machine's own
    /// (see `docs/environment.md`). With `false` they see `RUST_*`, what cargo and
    /// nextest set for programs, and what the setting `env` names.
    inherit_env: bool {
        value: "`true` or `false`",
        default: true, "`true`: programs see the user's variables",
        example: "inherit-env = false",
    }

    /// Arguments for WasmEdge itself, in front of the program.
    wasmedge_args: Vec<String> {
        value: "a list of arguments",
        default: Vec::new(), "none",
        example: "wasmedge-args = [\"--enable-all-statistics\"]",
    }

    /// The folder for temporary files that programs see, and that `TMPDIR` names. `true`
    /// is the host's own (`TMPDIR`, else `/tmp`). With `false` programs see none, and
    /// `TMPDIR` is not set.
    tmp: Tmp {
        value: "`true`, `false` or a folder",
        then: value::tmp,
        default: Tmp::Host, "`true`: the host's folder for temporary files",
        example: "tmp = \"scratch\"",
    }

    /// Crates that get a std whose sockets, names and `std::env::temp_dir` work. Members
    /// of the workspace and path dependencies that call them get it by themselves, as do
    /// crates from crates.io that compile with it; the build says which. `!NAME` keeps a
    /// crate from it. `cargo wasmedge doctor`, run in the app's folder, lists who calls what.
    std_facade: Vec<String> {
        value: "a list of crates, each as `NAME` or `!NAME`",
        default: Vec::new(), "none, beside those that call what only it has, and the crates with a port",
        example: "std-facade = [\"some-crate\", \"!some-member\"]",
    }

    /// Crates whose conditions on wasm (`target_arch = "wasm32"`, `target_family = "wasm"`)
    /// are for browsers, so that they get what other systems have. Crates of the registry
    /// that depend on a browser there are found without being named; the build says
    /// which. `!NAME` leaves a crate as published. `cargo wasmedge doctor`, run in the
    /// app's folder, lists them with the reason.
    browser_gates: Vec<String> {
        value: "a list of crates, each as `NAME` or `!NAME`",
        default: Vec::new(), "none, beside those that are found",
        example: "browser-gates = [\"some-crate\", \"!other-crate\"]",
    }

    /// Whether getrandom may give random numbers that can be guessed where there is
    /// no sound seed. See `docs/random-numbers.md`.
    weak_random: bool {
        value: "`true` or `false`",
        default: false, "`false`: without a sound seed, getrandom is an error",
        example: "weak-random = true",
    }

    /// Who looks names up. With `dns` programs ask the name servers themselves, in a
    /// task, and all else goes on. With `host` they ask the host's own resolver, and
    /// everything waits for the answer. See `docs/names.md`.
    resolver: Resolver {
        value: "`dns` or `host`",
        default: Resolver::Dns, "`dns`: the program asks the name servers",
        example: "resolver = \"host\"",
    }

    /// Whether programs may use Unix sockets: WasmEdge's `--allow-af-unix`. Their
    /// paths are the host's, whatever folders are opened.
    allow_af_unix: bool {
        value: "`true` or `false`",
        default: false, "`false`: opening a Unix socket is an error",
        example: "allow-af-unix = true",
    }

    /// Whether panics unwind: `catch_unwind` catches them, and one in a task ends the task
    /// and not the program. The flag `--unwind` says the same. See `docs/unwinding.md`.
    unwind: bool {
        value: "`true` or `false`",
        default: false, "`false`: a panic ends the program",
        example: "unwind = true",
    }

    /// Whether programs run with the plugin of WasmEdge that gives them the system's own
    /// sockets, or with which one. `cargo wasmedge setup` builds it. With `require`, or the
    /// path of another one, nothing runs without, and `cargo wasmedge compile` makes
    /// programs that start with the plugin only. See `docs/plugin.md`.
    plugin: Plugin {
        value: "`auto`, `never`, `require` or the library's path",
        then: value::plugin,
        default: Plugin::Auto, "`auto`: with the plugin where it is set up",
        example: "plugin = \"never\"",
    }
}

/// The setting with this key.
pub(super) fn find(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key() == key)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A default is stated twice: as a value, and in words that begin with it.
    #[test]
    fn the_words_for_a_default_begin_with_its_value() {
        for setting in SETTINGS {
            let Some(text) = setting.default.strip_prefix('`') else {
                assert!(
                    setting.default.starts_with("none") || setting.key() == "wasmedge",
                    "{setting:?}"
                );
                continue;
            };
            let (text, _) = text.split_once('`').unwrap();
            let mut layer = Layer::default();
            (setting.read_text)(&mut layer, text, Path::new("/")).unwrap();
            assert_eq!(Config::from(layer), Config::default(), "{setting:?}");
        }
    }

    #[test]
    fn examples_are_read_and_differ_from_the_default() {
        for setting in SETTINGS {
            let table: toml::Table = setting.example.parse().unwrap();
            let mut layer = Layer::default();
            (setting.read_toml)(&mut layer, &table[&setting.key()], Path::new("/")).unwrap();
            assert_ne!(Config::from(layer), Config::default(), "{setting:?}");
        }
    }
}
