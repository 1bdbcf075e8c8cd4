//! The environment variables that are no settings.

/// A variable that the command or a program under it reads.
#[derive(Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub text: &'static str,
    /// Who sets it.
    pub set_by: SetBy,
}

/// Who sets a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetBy {
    /// The user, or what the user starts the command with.
    User,
    /// The command itself, for the processes that it starts. Nobody else needs to.
    Command,
    /// Whoever starts a program in WasmEdge: the variable is the guest's.
    Guest,
}

use SetBy::{Command, Guest, User};

const fn variable(name: &'static str, set_by: SetBy, text: &'static str) -> Variable {
    Variable { name, text, set_by }
}

/// Every variable, in the order of the documentation.
pub static VARIABLES: &[Variable] = &[
    variable(
        "CARGO_WASMEDGE_HOME",
        User,
        "The folder for what is installed and for ported crates. \
         Default: `cargo-wasmedge` in the user's cache folder.",
    ),
    variable(
        "CARGO_WASMEDGE_NO_RUSTUP",
        User,
        "If set to anything but `0`, `setup` leaves rustup's toolchains alone.",
    ),
    variable(
        "RUST_BACKTRACE",
        User,
        "std's: `1` or `full` for backtraces of programs, as docs/debugging.md says.",
    ),
    variable(
        "RUST_TEST_NOCAPTURE",
        User,
        "libtest's: `1` unless it is set, for the programs of `cargo wasmedge test`. \
         `0` keeps back what tests print; of one that panics it is lost then.",
    ),
    variable(
        "CARGO_TERM_COLOR",
        User,
        "cargo's: `auto`, `always` or `never`. The flag `--color` says the same.",
    ),
    variable(
        "NO_COLOR, CLICOLOR, CLICOLOR_FORCE",
        User,
        "With `CARGO_TERM_COLOR` at `auto`: whether output has colors.",
    ),
    variable(
        "CARGO_TERM_QUIET",
        User,
        "cargo's: `true` leaves out status lines, as `--quiet` does.",
    ),
    variable(
        "CARGO, RUSTC",
        User,
        "The cargo and the rustc to use. cargo sets the first for what it starts.",
    ),
    variable(
        "CARGO_HOME, RUSTUP_HOME",
        User,
        "The folders of cargo, where its subcommands are looked for, and of rustup.",
    ),
    variable(
        "RUSTUP_AUTO_INSTALL",
        User,
        "rustup's. Where it is not set, looking for a toolchain downloads none.",
    ),
    variable(
        "CARGO_TARGET_WASM32_WASIP1_LINKER",
        User,
        "The linker. Default: what the toolchain brings, else `wasm-ld` or `rust-lld` on `PATH`. \
         The command gives cargo a script that starts it and explains undefined symbols.",
    ),
    variable(
        "CC_wasm32_wasip1, CXX_wasm32_wasip1, AR_wasm32_wasip1, RANLIB_wasm32_wasip1",
        User,
        "The tools for C parts of crates. Of `CC_wasm32-wasip1`, `CC_wasm32_wasip1` and `TARGET_CC` \
         the first that is set counts. Where none is, the command takes the clang that it found, \
         also where `CC` names one for the machine itself.",
    ),
    variable(
        "CFLAGS_wasm32_wasip1, CXXFLAGS_wasm32_wasip1, BINDGEN_EXTRA_CLANG_ARGS_wasm32_wasip1",
        User,
        "Flags for them and for bindgen, in the same spellings. The command adds wasi-libc's headers \
         behind them, and macros for what it emulates, unless a compiler of yours finds \
         some by itself.",
    ),
    variable(
        "WASI_SDK_PATH, WASI_SYSROOT",
        User,
        "A wasi-sdk, of which the crate `cc` takes all tools and headers; a sysroot, of which it takes \
         the headers and the library of C++. Where neither is set, the command sets the second.",
    ),
    variable(
        "SSL_CERT_FILE, SSL_CERT_DIR",
        User,
        "OpenSSL's: certificates of authorities. Programs get copies of what they name, and \
         are told where those are.",
    ),
    variable(
        "CARGO_WASMEDGE_VERBOSE",
        Command,
        "`true`: commands are printed, as with `--verbose`.",
    ),
    variable(
        "CARGO_WASMEDGE_BASE",
        Command,
        "The folder that relative paths in flags and variables start at.",
    ),
    variable(
        "CARGO_WASMEDGE_FOUND",
        Command,
        "The WasmEdge that was found, so that it is looked for once.",
    ),
    variable(
        "CARGO_WASMEDGE_KEEPER",
        Command,
        "The process with which a program ends.",
    ),
    variable(
        "CARGO_WASMEDGE_STARTED",
        Command,
        "A file that is made when a built program starts.",
    ),
    variable(
        "CARGO_WASMEDGE_TESTS",
        Command,
        "The programs are those of `cargo test`.",
    ),
    variable(
        "CARGO_WASMEDGE_LINKS_WEAK_RANDOM",
        Command,
        "C code may be linked that takes the host's random numbers: the setting `weak-random`.",
    ),
    variable(
        "CARGO_WASMEDGE_LINKS_UNWINDING",
        Command,
        "Exception handling is removed from what is linked: the setting `unwind`.",
    ),
    variable(
        "TMPDIR",
        Guest,
        "The folder for temporary files. `cargo wasmedge` sets it by the setting `tmp`.",
    ),
    variable(
        "WASMEDGE_WEAK_RANDOM",
        Guest,
        "`1`: getrandom may give random numbers that can be guessed. \
         `cargo wasmedge` sets it by the setting `weak-random`.",
    ),
    variable(
        "DNS_SERVER",
        Guest,
        "Of `wasmedge_wasi_socket` 0.5: the name server that its lookup asks.",
    ),
];
