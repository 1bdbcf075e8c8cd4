//! Lockfiles of our own, so that the app's stays as it is.
//!
//! Two are kept in a folder of the workspace's own in the target folder:
//! `upstream/Cargo.lock` is the app's lockfile with what cargo has to add or replace,
//! still without ported crates; `ported/…/Cargo.lock` is made from it for one set of
//! ported crates. An app without a lockfile gets none: its versions are kept in ours.
//! Both are started over when the app's own lockfile changes.
//!
//! A cargo since 1.97 is told to use them with `resolver.lockfile-path`. For an
//! older one they have to be put in the place of the app's lockfile while cargo
//! runs: it takes no path, and a build that may not write the lockfile refuses one
//! that it would change. The app's own is kept in the cache folder meanwhile. It is
//! put back as soon as a built program starts or cargo ends, after SIGINT, SIGTERM and
//! SIGHUP, by [`guard()`] if this process is killed, and by any later `cargo wasmedge`
//! ([`recover`]) if all of it was.

mod files;
mod guard;
mod journal;
mod private;
mod swap;

pub use guard::{SUBCOMMAND as GUARD, guard};
pub use journal::recover;
pub use private::{Lockfile, Lockfiles};
