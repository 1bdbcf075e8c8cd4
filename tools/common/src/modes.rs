//! Which modes are asked for: without WasmEdge's plugin, with it, or both.

use std::fmt;
use std::str::FromStr;

use tests_integration::Mode;

/// What `--mode` says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Modes {
    /// Both, one after the other.
    #[default]
    All,
    /// This one.
    Only(Mode),
}

impl Modes {
    /// The modes, less those that this system has not.
    pub fn here(self) -> Vec<Mode> {
        let asked = Mode::ALL.into_iter().filter(|mode| self.has(*mode));
        asked.filter(|mode| mode.is_here()).collect()
    }

    /// Whether this mode is asked for.
    pub fn has(self, mode: Mode) -> bool {
        match self {
            Modes::All => true,
            Modes::Only(only) => only == mode,
        }
    }
}

impl FromStr for Modes {
    type Err = String;

    fn from_str(text: &str) -> Result<Modes, String> {
        match text {
            "all" => Ok(Modes::All),
            "plain" => Ok(Modes::Only(Mode::Plain)),
            "plugin" => Ok(Modes::Only(Mode::Plugin)),
            _ => Err("there are `plain`, `plugin` and `all`".to_owned()),
        }
    }
}

impl fmt::Display for Modes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Modes::All => "all",
            Modes::Only(Mode::Plain) => "plain",
            Modes::Only(Mode::Plugin) => "plugin",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_named() {
        for name in ["all", "plain", "plugin"] {
            assert_eq!(name.parse::<Modes>().unwrap().to_string(), name);
        }
        assert!("plugged".parse::<Modes>().is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn all_are_plain_first() {
        assert_eq!(Modes::All.here(), [Mode::Plain, Mode::Plugin]);
        assert_eq!(Modes::Only(Mode::Plugin).here(), [Mode::Plugin]);
        assert!(!Modes::Only(Mode::Plugin).has(Mode::Plain));
    }
}
