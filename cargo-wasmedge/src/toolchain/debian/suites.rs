//! The suites that packages are taken from: the one place that names them.
//!
//! trixie is Debian 13, stable: what is in it hardly changes. forky is to be
//! Debian 14, testing: a package gets there after some days without a serious
//! bug. sid is unstable: everything is there first, and breaks there first.
//! Suites are named by code name, so that a release of Debian does not change
//! under our feet what is installed.

/// rustc, cargo and the target's standard library. Not trixie: its cargo, 1.85,
/// cannot use another lockfile than the app's. sid is for the days on which a
/// package is away from forky.
pub(crate) const RUST: &[&str] = &["forky", "sid"];

/// clang. Any suite's makes objects for the target. forky first, whose LLVM is
/// nearest to that of the rustc that is installed; then the one that is always
/// complete.
pub(crate) const C: &[&str] = &["forky", "trixie", "sid"];

/// WasmEdge, when any will do: the newest first.
pub(crate) const WASMEDGE: &[&str] = &["forky", "sid", "trixie"];

/// WasmEdge, when a version is wanted: the most settled suite first, since
/// mostly an older version is wanted.
pub(crate) const WASMEDGE_BY_AGE: &[&str] = &["trixie", "forky", "sid"];
