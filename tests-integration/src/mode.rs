//! Whether a program has WasmEdge's plugin. Every suite runs in both modes.
//!
//! Nothing is left to what is set up on the machine: a program that is started is told to
//! go without the plugin, or with which one, and its tests are told what is right there.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The setting `plugin`, as a variable of the runner's.
pub const SETTING: &str = "CARGO_WASMEDGE_PLUGIN";

/// Says to tests inside of a guest which mode they are run in: `plain` or `plugin`.
pub const TEST_MODE: &str = "TOKIO_WASMEDGE_TEST_MODE";

/// The package of the plugin.
pub const PACKAGE: &str = "tokio_wasmedge_plugin";

/// Whether a program has WasmEdge's plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// WasmEdge's own functions.
    Plain,
    /// Those of the plugin, too.
    Plugin,
}

impl Mode {
    /// Both.
    pub const ALL: [Mode; 2] = [Mode::Plain, Mode::Plugin];

    /// What the name of a WasmEdge ends in.
    pub fn suffix(self) -> &'static str {
        match self {
            Mode::Plain => "",
            Mode::Plugin => "+plugin",
        }
    }

    /// Whether it can be had on this system: the plugin is for Linux.
    pub fn is_here(self) -> bool {
        self == Mode::Plain || cfg!(target_os = "linux")
    }

    /// Has what `command` runs in WasmEdge run in this mode. `library` gives the plugin's
    /// library, which [`built`] names.
    ///
    /// # Errors
    /// Those of `library`, which is asked only where it is needed.
    pub fn select<E>(
        self,
        command: &mut Command,
        library: impl FnOnce() -> Result<PathBuf, E>,
    ) -> Result<(), E> {
        match self {
            Mode::Plain => command.env(SETTING, "never").env(TEST_MODE, "plain"),
            Mode::Plugin => command.env(SETTING, library()?).env(TEST_MODE, "plugin"),
        };
        Ok(())
    }
}

/// Says which tests of apps also run with the plugin: `all` of them, those under the
/// `newest` WasmEdge that are interpreted, or `none`.
pub const WITH_PLUGIN: &str = "TOKIO_WASMEDGE_WITH_PLUGIN";

/// Which tests of apps also run with the plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithPlugin {
    /// Each that runs without it.
    All,
    /// Those under the newest WasmEdge that are interpreted: each once.
    Newest,
    /// None.
    None,
}

impl WithPlugin {
    /// As the variable [`WITH_PLUGIN`] says, and all of them without it.
    ///
    /// # Panics
    /// For another value: it would leave tests out silently.
    pub fn asked() -> WithPlugin {
        let asked = std::env::var(WITH_PLUGIN).ok();
        WithPlugin::parse(asked.as_deref())
    }

    fn parse(asked: Option<&str>) -> WithPlugin {
        match asked {
            _ if !Mode::Plugin.is_here() => WithPlugin::None,
            None | Some("all") => WithPlugin::All,
            Some("newest") => WithPlugin::Newest,
            Some("none") => WithPlugin::None,
            Some(other) => panic!("{WITH_PLUGIN} is {other}, not `all`, `newest` or `none`"),
        }
    }

    /// Whether a test runs; `is_quick` if it is one under the newest WasmEdge, interpreted.
    pub fn runs(self, is_quick: bool) -> bool {
        match self {
            WithPlugin::All => true,
            WithPlugin::Newest => is_quick,
            WithPlugin::None => false,
        }
    }
}

impl fmt::Display for WithPlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WithPlugin::All => "all",
            WithPlugin::Newest => "newest",
            WithPlugin::None => "none",
        })
    }
}

/// Where cargo puts the plugin's library when it is built into `target` in the profile
/// `dev`: with its checks of overflows.
pub fn built(target: &Path) -> PathBuf {
    target.join("debug").join(format!("lib{PACKAGE}.so"))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn a_mode_is_told_to_the_runner_and_to_the_tests() {
        let told = |mode: Mode| {
            let mut command = Command::new("x");
            let library = || Ok::<_, Infallible>(built(Path::new("/target")));
            let Ok(()) = mode.select(&mut command, library);
            let pairs = command.get_envs().map(|(name, value)| {
                let text = |text: &OsStr| text.to_str().unwrap().to_owned();
                (text(name), value.map(text).unwrap())
            });
            pairs.collect::<Vec<_>>()
        };
        let owned = |pairs: [(&str, &str); 2]| pairs.map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(
            told(Mode::Plain),
            owned([(SETTING, "never"), (TEST_MODE, "plain")])
        );
        let library = "/target/debug/libtokio_wasmedge_plugin.so";
        assert_eq!(
            told(Mode::Plugin),
            owned([(SETTING, library), (TEST_MODE, "plugin")])
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_also_runs_with_the_plugin_is_asked_for_by_name() {
        for with in [WithPlugin::All, WithPlugin::Newest, WithPlugin::None] {
            assert_eq!(WithPlugin::parse(Some(&with.to_string())), with);
        }
        assert_eq!(WithPlugin::parse(None), WithPlugin::All);
        assert!(std::panic::catch_unwind(|| WithPlugin::parse(Some("newst"))).is_err());
        let runs = |with: WithPlugin| [false, true].map(|is_quick| with.runs(is_quick));
        assert_eq!(runs(WithPlugin::All), [true, true]);
        assert_eq!(runs(WithPlugin::Newest), [false, true]);
        assert_eq!(runs(WithPlugin::None), [false, false]);
    }
}
