//! Lockfiles of our own, so that the app's stays as it is.
//!
//! Two are kept in the app's target folder: `upstream/Cargo.lock` is the app's
//! lockfile with what cargo has to add or replace, still without ported crates;
//! `Cargo.lock` is made from it and has the ported crates. Both are started
//! over when the app's own lockfile changes.
//!
//! A cargo since 1.97 is told to use them with `resolver.lockfile-path`. For an
//! older one they have to be put in the place of the app's lockfile while cargo
//! runs. The app's own is kept in the cache folder meanwhile and is
//! put back as soon as a built program starts or cargo ends, after SIGINT,
//! SIGTERM and SIGHUP, and at the next start if this process was killed.

mod files;
mod private;
mod swap;

pub use private::{Lockfile, Lockfiles};
