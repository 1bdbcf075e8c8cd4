//! What everything here works on.

use sha2::{Digest as _, Sha256};

use super::app::App;
use super::stand_in::StandIn;
use crate::build::{Cargo, CargoInvocation, Lockfiles};
use crate::embedded;
use crate::error::Result;
use crate::port::Ports;
use crate::shell::Shell;
use crate::toolchain::Dirs;

/// Everything that is needed to resolve an app.
#[derive(Debug, Clone, Copy)]
pub struct Resolver<'a> {
    /// The real cargo.
    pub cargo: &'a Cargo,
    /// The user's arguments.
    pub invocation: &'a CargoInvocation,
    /// The workspace.
    pub app: &'a App,
    /// Our folders.
    pub dirs: &'a Dirs,
    /// The ports.
    pub ports: &'a Ports,
    /// The setting `std-facade`.
    pub std_facade: &'a [String],
    /// The setting `weak-random`.
    pub weak_random: bool,
    /// The setting `browser-gates`.
    pub browser_gates: &'a [String],
    /// Where the commands that are run are shown.
    pub shell: &'a Shell,
}

impl Resolver<'_> {
    /// Takes the app's private lockfiles.
    ///
    /// # Errors
    /// As [`Lockfiles::open`].
    pub fn lockfiles(&self) -> Result<Lockfiles> {
        let swap = (!self.cargo.toolchain().has_lockfile_path()).then(|| self.dirs.journals());
        Lockfiles::open(
            &self.app.root,
            &self.app.state_dir(),
            swap.as_deref(),
            &decided_by(),
            self.shell,
        )
    }
}

/// What the choice of versions depends on: this program, and the versions that its
/// ports cover.
fn decided_by() -> String {
    let mut hash = Sha256::new();
    for port in embedded::ports().iter().flat_map(Ports::iter) {
        hash.update(port.krate());
        for req in port.requirements() {
            hash.update(format!(" {req}\n"));
        }
    }
    if let Ok(stand_in) = StandIn::embedded() {
        hash.update(stand_in.version().to_string());
    }
    let hash = format!("{:x}", hash.finalize());
    format!("{} {}", env!("CARGO_PKG_VERSION"), &hash[..12])
}
