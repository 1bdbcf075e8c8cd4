//! What a library says of itself, without being loaded.
//!
//! WasmEdge ignores what it cannot load, in silence; the program then fails with an unknown
//! import. So it is looked at before.

use std::fmt;

use semver::Version;

use super::MODULE;

/// What the plugin's own words begin with.
const MARK: &[u8] = b"tokio_wasmedge plugin:";

/// Major and minor version of WasmEdge.
type Minor = (u64, u64);

/// A library that is the plugin, for this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The number of its interface, which grows with each function.
    pub interface: u32,
    oldest: Minor,
    newest: Minor,
}

impl About {
    /// What the library with this content says.
    ///
    /// # Errors
    /// Why it is not the plugin, or not one for this machine, in words that read after its
    /// name.
    pub fn of(library: &[u8]) -> Result<About, String> {
        if let Some(other) = other_machine(library) {
            return Err(format!("is for another machine ({other})"));
        }
        About::said(library).ok_or_else(|| format!("is not the plugin `{MODULE}`"))
    }

    fn said(library: &[u8]) -> Option<About> {
        let start = memchr::memmem::find(library, MARK)? + MARK.len();
        let end = start + memchr::memchr(0, &library[start..])?;
        let said = std::str::from_utf8(&library[start..end]).ok()?;
        // Words that a later one adds are not for us.
        let value = |key: &str| {
            let mut words = said.split_whitespace();
            words.find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
        };
        let (oldest, newest) = value("wasmedge")?.split_once('-')?;
        Some(About {
            interface: value("interface")?.parse().ok()?,
            oldest: minor(oldest)?,
            newest: minor(newest)?,
        })
    }

    /// Whether this WasmEdge loads it.
    pub fn fits(&self, wasmedge: &Version) -> bool {
        self.fits_minor((wasmedge.major, wasmedge.minor))
    }

    /// Whether WasmEdges of this minor version load it.
    pub fn fits_minor(&self, wasmedge: (u64, u64)) -> bool {
        (self.oldest..=self.newest).contains(&wasmedge)
    }

    /// The versions of WasmEdge that load it.
    pub fn wasmedges(&self) -> impl fmt::Display {
        let ((a, b), (c, d)) = (self.oldest, self.newest);
        format!("WasmEdge {a}.{b} to {c}.{d}")
    }
}

fn minor(text: &str) -> Option<Minor> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// The machine that a library of Linux is for, where that is not this one. The numbers are
/// those of ELF.
fn other_machine(library: &[u8]) -> Option<String> {
    const MACHINES: [(&str, u16); 4] = [
        ("x86_64", 62),
        ("aarch64", 183),
        ("riscv64", 243),
        ("arm", 40),
    ];
    if !library.starts_with(b"\x7fELF") {
        return None;
    }
    let number = u16::from_le_bytes(library.get(18..20)?.try_into().ok()?);
    let name = MACHINES.iter().find(|(_, known)| *known == number);
    let name = name.map(|(name, _)| *name);
    match name == Some(std::env::consts::ARCH) {
        true => None,
        false => Some(name.map_or_else(|| format!("ELF {number}"), str::to_owned)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The head of a library for this machine, and then `said`.
    fn library(machine: u16, said: &str) -> Vec<u8> {
        let mut library = b"\x7fELF\x02\x01".to_vec();
        library.resize(18, 0);
        library.extend(machine.to_le_bytes());
        library.extend(b"....");
        library.extend(said.as_bytes());
        library
    }

    fn here() -> u16 {
        match std::env::consts::ARCH {
            "x86_64" => 62,
            "aarch64" => 183,
            other => panic!("which number has {other}?"),
        }
    }

    const SAID: &str = "tokio_wasmedge plugin: interface=7 of=later wasmedge=0.14-0.17\0more\0";

    #[test]
    fn a_library_says_what_it_is_and_whom_it_fits() {
        let about = About::of(&library(here(), SAID)).unwrap();
        assert_eq!(about.interface, 7);
        let fits = |version: &str| about.fits(&version.parse().unwrap());
        assert!(fits("0.14.1") && fits("0.16.4") && fits("0.17.9"));
        assert!(!fits("0.13.5") && !fits("0.18.0") && !fits("1.15.0"));
        assert_eq!(about.wasmedges().to_string(), "WasmEdge 0.14 to 0.17");
    }

    #[test]
    fn what_is_not_the_plugin_is_refused() {
        for said in [
            "",
            "tokio_wasmedge plugin: interface=7 wasmedge=0.14-0.17",
            "tokio_wasmedge plugin: interface=7\0",
            "tokio_wasmedge plugin: interface=x wasmedge=0.14-0.17\0",
            "tokio_wasmedge plugin: interface=7 wasmedge=0.14\0",
            "tokio_wasmedge plugin: interface=7 wasmedge=a.b-0.17\0",
        ] {
            let why = About::of(&library(here(), said)).unwrap_err();
            assert_eq!(why, "is not the plugin `tokio_wasmedge`", "{said}");
        }
        assert!(About::of(b"").is_err() && About::of(b"\x7fELF").is_err());
    }

    #[test]
    fn a_library_for_another_machine_is_told_by_its_name() {
        let why = About::of(&library(243, SAID)).unwrap_err();
        assert_eq!(why, "is for another machine (riscv64)");
        let why = About::of(&library(9999, SAID)).unwrap_err();
        assert_eq!(why, "is for another machine (ELF 9999)");
    }
}
