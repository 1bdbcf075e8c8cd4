//! The failures of cargo-wasmedge itself, each with a documented exit code.
//!
//! Everything else passes through: what the real cargo, the guest or another
//! program exits with is what `cargo wasmedge` exits with.

/// Something that the command needs is not set up (no toolchain, no WasmEdge, …).
pub const EXIT_NOT_SET_UP: i32 = 96;
/// A port's rule does not match the upstream crate.
pub const EXIT_PORT_DOES_NOT_APPLY: i32 = 97;
/// The app pins a version that no port supports.
pub const EXIT_UNSUPPORTED_VERSION: i32 = 98;

/// A failure of cargo-wasmedge itself.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Exit code 96. `what` is missing; `mend` is the command that mends it.
    #[error("{what}\n  help: {mend}")]
    NotSetUp {
        /// What is missing or unusable.
        what: String,
        /// The command (or step) that mends it.
        mend: String,
    },
    /// Exit code 97. A rule found another number of places than it states.
    #[error(transparent)]
    Port(Box<crate::port::Mismatch>),
    /// Exit code 98. The app asks for versions that no port supports.
    #[error("{}", unsupported(.crates, .mends))]
    Unsupported {
        /// All of them.
        crates: Vec<Unsupported>,
        /// What mends it, step by step, in the user's terms.
        mends: Vec<String>,
    },
    /// Exit code 1. Anything else.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

/// A crate in a version that its port does not support.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported {
    /// The crate.
    pub krate: String,
    /// The version that the app asks for.
    pub version: String,
    /// The versions that the port supports.
    pub supported: String,
    /// The ways on which it comes into the app, from the user's own packages on.
    pub ways: Vec<String>,
}

fn unsupported(crates: &[Unsupported], mends: &[String]) -> String {
    let mut lines = Vec::new();
    if crates.len() > 1 {
        lines.push(format!("{} crates are not supported", crates.len()));
    }
    for each in crates {
        let (krate, version, supported) = (&each.krate, &each.version, &each.supported);
        let (head, indent) = match crates.len() {
            1 => (format!("{krate} {version} is not supported"), "  "),
            _ => (format!("  {krate} {version}"), "    "),
        };
        lines.push(format!("{head}: the port covers {supported}"));
        lines.extend(each.ways.iter().map(|way| format!("{indent}{way}")));
    }
    lines.extend(mends.iter().map(|mend| format!("  help: {mend}")));
    lines.join("\n")
}

impl Error {
    /// The process exit code for this failure.
    pub fn exit_code(&self) -> i32 {
        match self {
            Error::NotSetUp { .. } => EXIT_NOT_SET_UP,
            Error::Port(_) => EXIT_PORT_DOES_NOT_APPLY,
            Error::Unsupported { .. } => EXIT_UNSUPPORTED_VERSION,
            Error::Other(_) => 1,
        }
    }
}

impl From<crate::port::Error> for Error {
    fn from(error: crate::port::Error) -> Self {
        match error {
            crate::port::Error::Mismatch(mismatch) => Error::Port(mismatch),
            crate::port::Error::Other(error) => Error::Other(error),
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Error::Other(error.into())
    }
}

/// Result with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
