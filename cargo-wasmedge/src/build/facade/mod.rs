//! How packages get the std facade that are not ours to change: rustc is started
//! through a wrapper that names the facade `std` (`--extern std=…`).
//!
//! * [`Plan`]: which packages, and what is done for them before cargo starts;
//! * `script`: the wrapper that cargo is given, which lets all other packages pass;
//! * [`rustc`]: what the wrapper does for one of them;
//! * `instance`: has cargo build the facade first, where it would not by itself;
//! * `trial`: has cargo try whether packages compile with it;
//! * [`separate`]: keeps what was built with the facade apart from what was not.

mod instance;
pub mod rustc;
mod script;
mod separate;
mod trial;

use std::ffi::OsString;
use std::path::PathBuf;

pub use instance::{Place, Prebuild};
pub use separate::separate;
pub use trial::{Failure, Outcome};

use crate::error::Result;

/// Which packages get the facade.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The folders of their manifests, as cargo names them to rustc.
    pub folders: Vec<PathBuf>,
    /// Where the facade is built before all else; `None`: their dependencies lead
    /// to it, so that it is there when they are compiled.
    pub before: Option<Place>,
}

impl Plan {
    /// Makes it come true: writes the wrapper and builds the facade, as far as that is
    /// needed. Gives the variables for cargo; none when no package gets the facade.
    ///
    /// # Errors
    /// The wrapper cannot be written; cargo's own.
    pub fn carry_out(&self, prebuild: &mut Prebuild<'_>) -> Result<Vec<(String, OsString)>> {
        if self.folders.is_empty() {
            return Ok(Vec::new());
        }
        let wrapper = script::write(&self.folders, prebuild.state)?;
        let wrapper = (script::VARIABLE.to_owned(), wrapper.into_os_string());
        let mut variables = vec![wrapper];
        if let Some(place) = &self.before {
            let built = prebuild.run(place, &variables)?;
            variables.extend(built);
        }
        Ok(variables)
    }
}
