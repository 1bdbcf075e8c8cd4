//! The types of values, and how each is read from a manifest or a variable.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{DeserializeOwned, IntoDeserializer as _};

/// When a program is compiled ahead of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Aot {
    /// Unless cargo put it in a folder named `debug`.
    Auto,
    /// Always.
    Always,
    /// Never: WasmEdge interprets it.
    Never,
}

/// Whether programs run with the plugin.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum Plugin {
    /// Where it is set up.
    Auto,
    /// Never.
    Never,
    /// Not without it.
    Require,
    /// With this library, and not without it.
    Library(PathBuf),
}

impl From<String> for Plugin {
    fn from(written: String) -> Plugin {
        match &*written {
            "auto" | "" => Plugin::Auto,
            "never" => Plugin::Never,
            "require" => Plugin::Require,
            _ => Plugin::Library(written.into()),
        }
    }
}

/// The folder for temporary files that the guest sees.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "SwitchOrFolder")]
pub enum Tmp {
    /// The host's temporary folder.
    Host,
    /// None, and `TMPDIR` is not set.
    None,
    /// This folder of the host.
    Dir(PathBuf),
}

/// [`Tmp`] as it is written.
#[derive(Deserialize)]
#[serde(untagged)]
enum SwitchOrFolder {
    Switch(bool),
    Folder(PathBuf),
}

impl From<SwitchOrFolder> for Tmp {
    fn from(written: SwitchOrFolder) -> Tmp {
        match written {
            SwitchOrFolder::Switch(true) => Tmp::Host,
            SwitchOrFolder::Switch(false) => Tmp::None,
            SwitchOrFolder::Folder(folder) => Tmp::Dir(folder),
        }
    }
}

/// Who looks names up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resolver {
    /// The program, with copies of the host's `/etc/hosts` and `/etc/resolv.conf`.
    Dns,
    /// The host's own resolver, whose call stops the program until it answers.
    Host,
}

/// A type that a setting can have.
///
/// `None` is a value of the wrong form. What the right form is, the table says.
pub(super) trait Value: DeserializeOwned {
    /// A manifest's value.
    fn from_toml(value: &toml::Value) -> Option<Self> {
        Self::deserialize(value.clone()).ok()
    }

    /// A variable's text.
    fn from_text(text: &str) -> Option<Self>;
}

/// The names of an enum's variants, and nothing but a string.
macro_rules! choice {
    ($($type:ty),+) => {$(
        impl Value for $type {
            fn from_toml(value: &toml::Value) -> Option<Self> {
                Self::from_text(value.as_str()?)
            }

            fn from_text(text: &str) -> Option<Self> {
                let text = &*unquoted(text);
                let text: serde::de::value::StrDeserializer<'_, serde::de::value::Error> =
                    text.into_deserializer();
                Self::deserialize(text).ok()
            }
        }
    )+};
}

choice!(Aot, Resolver);

impl Value for Option<String> {
    fn from_text(text: &str) -> Option<Self> {
        Some(Some(unquoted(text).into_owned()))
    }
}

impl Value for bool {
    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Value for Tmp {
    fn from_text(text: &str) -> Option<Self> {
        let written = match text.parse() {
            Ok(switch) => SwitchOrFolder::Switch(switch),
            Err(_) => SwitchOrFolder::Folder(unquoted(text).as_ref().into()),
        };
        Some(written.into())
    }
}

impl Value for Plugin {
    fn from_text(text: &str) -> Option<Self> {
        Some(unquoted(text).into_owned().into())
    }
}

/// A list in a variable is split as a shell splits words. One that begins with `[` is
/// what a manifest would say, and nothing else.
impl Value for Vec<String> {
    fn from_text(text: &str) -> Option<Self> {
        if text.trim_start().starts_with('[') {
            return Self::from_toml(&text.trim().parse().ok()?);
        }
        shlex::split(text)
    }
}

/// A variable's text without the quotes that it would have in a manifest.
fn unquoted(text: &str) -> Cow<'_, str> {
    if text.starts_with(['"', '\''])
        && let Ok(toml::Value::String(inner)) = text.parse()
    {
        return Cow::Owned(inner);
    }
    Cow::Borrowed(text)
}

/// A version as it is; a program's path made absolute.
pub(super) fn program(wanted: Option<String>, base: &Path) -> Option<Option<String>> {
    // A word with a separator is a path; a bare one a version.
    let is_path = |text: &str| text.contains(std::path::MAIN_SEPARATOR) || text.contains('/');
    Some(wanted.map(|text| match is_path(&text) {
        true => base.join(&text).to_string_lossy().into_owned(),
        false => text,
    }))
}

/// A library's path made absolute.
pub(super) fn plugin(plugin: Plugin, base: &Path) -> Option<Plugin> {
    Some(match plugin {
        Plugin::Library(library) => Plugin::Library(base.join(library)),
        other => other,
    })
}

/// `HOST`, `GUEST:HOST` or `GUEST:HOST:readonly`, with `HOST` made absolute.
pub(super) fn dirs(dirs: Vec<String>, base: &Path) -> Option<Vec<String>> {
    let join = |host: &str| base.join(host).to_string_lossy().into_owned();
    let absolute = |dir: &String| match dir.split(':').collect::<Vec<_>>()[..] {
        [guest, host] => format!("{guest}:{}", join(host)),
        [guest, host, mode] => format!("{guest}:{}:{mode}", join(host)),
        // The guest sees a folder under the name that it is given by.
        _ => format!("{dir}:{}", join(dir)),
    };
    Some(dirs.iter().map(absolute).collect())
}

/// `NAME` or `NAME=VALUE`.
pub(super) fn env(entries: Vec<String>, _: &Path) -> Option<Vec<String>> {
    let is_named = |entry: &String| !entry.is_empty() && !entry.starts_with('=');
    entries.iter().all(is_named).then_some(entries)
}

/// A folder made absolute.
pub(super) fn tmp(tmp: Tmp, base: &Path) -> Option<Tmp> {
    Some(match tmp {
        Tmp::Dir(folder) => Tmp::Dir(base.join(folder)),
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_a_string_with_one_of_the_names() {
        assert_eq!(Aot::from_text("never"), Some(Aot::Never));
        assert_eq!(Aot::from_text("Never"), None);
        assert_eq!(Aot::from_toml(&true.into()), None);
        assert_eq!(Resolver::from_toml(&"host".into()), Some(Resolver::Host));
    }

    #[test]
    fn tmp_is_a_switch_or_a_folder() {
        assert_eq!(Tmp::from_toml(&false.into()), Some(Tmp::None));
        assert_eq!(Tmp::from_toml(&"t".into()), Some(Tmp::Dir("t".into())));
        assert_eq!(Tmp::from_toml(&7.into()), None);
        assert_eq!(Tmp::from_text("true"), Some(Tmp::Host));
    }

    #[test]
    fn a_list_in_a_variable_is_words_of_a_shell() {
        let words = Vec::from_text("a 'b c'").unwrap();
        assert_eq!(words, ["a", "b c"]);
        assert_eq!(Vec::from_text("'a"), None);
    }
}
