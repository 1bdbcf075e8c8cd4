//! Why a row does not work: a closed list, and a guess out of what was printed.

use serde::{Deserialize, Serialize};

/// Why a row does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Cause {
    /// OpenSSL is looked for on the machine, which has none for the target.
    Openssl,
    /// A C library of the machine's, or one whose build fails.
    CBuild,
    /// A C function that nothing defines.
    CSymbol,
    /// `cfg(target_arch = "wasm32")`, which takes wasm for a browser.
    BrowserGate,
    /// `cfg(unix)` or `cfg(target_os = "…")` without an arm for others.
    CfgUnix,
    /// A release that no port covers, in the place of which none is allowed.
    Release,
    /// `std::thread`.
    Thread,
    /// std's sockets or `temp_dir`, called by a crate that is not on the facade.
    StdFacade,
    /// The system's root certificates are not in an opened folder.
    Certificates,
    /// The host has no call for it.
    Host,
    /// A `usize` that is taken for 64 bits.
    #[serde(rename = "32-bit")]
    Bits,
    /// Fails natively, too, or needs a tool that the machine lacks.
    NotOurs,
    /// Not known yet.
    Unknown,
}

impl Cause {
    /// As in `row.toml` and on the page.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Cause::Openssl => "OpenSSL",
            Cause::CBuild => "C build",
            Cause::CSymbol => "C symbol",
            Cause::BrowserGate => "browser gate",
            Cause::CfgUnix => "cfg(unix)",
            Cause::Release => "release without a port",
            Cause::Thread => "thread",
            Cause::StdFacade => "std facade",
            Cause::Certificates => "certificates",
            Cause::Host => "the host lacks it",
            Cause::Bits => "32 bits",
            Cause::NotOurs => "not ours",
            Cause::Unknown => "not known",
        }
    }

    /// A guess out of all that cargo or the program printed. The first that fits counts:
    /// what is rarer and says more comes first.
    pub(crate) fn guess(printed: &str) -> Cause {
        let signs: &[(&str, Cause)] = &[
            ("build command for `openssl-sys", Cause::Openssl),
            ("Could not find `protoc`", Cause::NotOurs),
            ("failed to run custom build command", Cause::CBuild),
            ("unable to find library", Cause::CBuild),
            ("undefined symbol", Cause::CSymbol),
            ("unknown import", Cause::CSymbol),
            ("attempt to shift left by", Cause::Bits),
            ("attempt to shift right by", Cause::Bits),
            ("this arithmetic operation will overflow", Cause::Bits),
            ("expected `usize`, found `u64`", Cause::Bits),
            ("target_arch = \"wasm32\"", Cause::BrowserGate),
            ("target_family = \"wasm\"", Cause::BrowserGate),
            ("wasm_bindgen", Cause::BrowserGate),
            ("web_sys", Cause::BrowserGate),
            ("WASI architecture", Cause::BrowserGate),
            // What wasm-bindgen's functions do outside of a browser.
            ("not implemented on non-wasm32 targets", Cause::BrowserGate),
            ("(unix)]", Cause::CfgUnix),
            ("std::os::unix", Cause::CfgUnix),
            ("std::os::fd", Cause::CfgUnix),
            ("target_os = \"", Cause::CfgUnix),
            ("failed to spawn thread", Cause::Thread),
            ("timer has gone away", Cause::Thread),
            ("failed to spawn", Cause::Thread),
            ("no filesystem on wasm", Cause::StdFacade),
            ("native root certificates", Cause::Certificates),
            ("No CA certificates", Cause::Certificates),
            ("operation not supported on this platform", Cause::StdFacade),
            ("Unsupported", Cause::StdFacade),
        ];
        let fits = signs.iter().find(|(sign, _)| printed.contains(sign));
        fits.map_or(Cause::Unknown, |(_, cause)| *cause)
    }
}

/// The first line that says what is wrong: cargo's, or that of a panic.
pub(crate) fn first_error(printed: &str) -> String {
    let lines = || printed.lines().map(str::trim);
    let is_error = |line: &&str| line.starts_with("error");
    // Behind the line with the place comes what the panic says, perhaps after empty ones.
    let behind = lines().skip_while(|line| !line.contains("panicked at"));
    let panic = behind.skip(1).find(|line| !line.is_empty());
    let last = lines().rfind(|line| !line.is_empty());
    let line = panic.or(lines().find(is_error)).or(last);
    let line = line.unwrap_or("failed, and said nothing");
    let line: String = line.chars().take(200).collect();
    // rustc names no crate, and cargo does so at the end.
    let krate = lines().find_map(|line| line.strip_prefix("error: could not compile `"));
    match krate.and_then(|rest| rest.split('`').next()) {
        Some(krate) if line.starts_with("error") => format!("{krate}: {line}"),
        // Several crates: each has a line of its own.
        _ if line.ends_with("are not supported") => {
            let crates = lines().filter_map(|line| line.split_once(": the port covers"));
            let crates: Vec<&str> = crates.map(|(krate, _)| krate).collect();
            format!("{line}: {}", crates.join(", "))
        }
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_told_apart() {
        for (printed, cause) in [
            (
                "error: failed to run custom build command for `openssl-sys v0.9.117`",
                Cause::Openssl,
            ),
            (
                "error: failed to run custom build command for `liblzma-sys v0.4`",
                Cause::CBuild,
            ),
            (
                "error[E0599]: no method\n12 | #[cfg(not(target_arch = \"wasm32\"))]\n",
                Cause::BrowserGate,
            ),
            (
                "error[E0425]: cannot find\nnote: gated here\n9 | #[cfg(unix)]\n",
                Cause::CfgUnix,
            ),
            (
                "thread 'main' panicked at a.rs:1:\nfailed to spawn thread: Unsupported",
                Cause::Thread,
            ),
            (
                "error[E0080]: attempt to shift left by `32_i32`, which would overflow",
                Cause::Bits,
            ),
            ("Error: Custom { kind: Unsupported }", Cause::StdFacade),
            ("Error: no luck", Cause::Unknown),
        ] {
            assert_eq!(Cause::guess(printed), cause, "{printed}");
        }
    }

    #[test]
    fn the_line_that_says_what_is_wrong_is_found() {
        let cargo = "   Compiling a\nerror[E0432]: unresolved import `web_sys`\n\n\
                     error: could not compile `a` (lib) due to 1 previous error";
        assert_eq!(
            first_error(cargo),
            "a: error[E0432]: unresolved import `web_sys`"
        );
        let script = "error: failed to run custom build command for `b-sys v1`\n\nCaused by:";
        assert_eq!(
            first_error(script),
            "error: failed to run custom build command for `b-sys v1`"
        );
        let refused = "error: 2 crates are not supported\n  a 0.1.0: the port covers >=0.2\n    \
                       app -> a 0.1.0\n  b 1.0.0: the port covers >=2\n  help: do without";
        assert_eq!(
            first_error(refused),
            "error: 2 crates are not supported: a 0.1.0, b 1.0.0"
        );
        let panic = "thread 'main' panicked at src/a.rs:1:2:\n\nno threads here\nnote: run with";
        assert_eq!(first_error(panic), "no threads here");
        assert_eq!(first_error("one\nlast\n\n"), "last");
    }
}
