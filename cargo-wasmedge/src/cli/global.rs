//! What every command has at hand.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::flags::Flags;
use crate::build::{Cargo, CargoInvocation};
use crate::config::Config;
use crate::error::Result;
use crate::resolve::App;
use crate::shell::Shell;
use crate::toolchain::{Dirs, rust};

/// What every command has at hand.
#[derive(Debug)]
pub(super) struct Global {
    pub(super) shell: Shell,
    pub(super) dirs: Dirs,
    pub(super) flags: Flags,
    /// cargo's options that stood before the subcommand.
    pub(super) cargo_options: Vec<OsString>,
}

impl Global {
    /// The toolchain's cargo. What it starts finds the toolchain and our flags.
    ///
    /// # Errors
    /// [`crate::error::Error::NotSetUp`].
    pub(super) fn cargo(&self) -> Result<Cargo> {
        let toolchain = rust::find(&self.dirs)?;
        Ok(Cargo::new(toolchain, &self.flags.variables))
    }

    /// The settings for a program of the package in `folder`.
    ///
    /// # Errors
    /// As [`Config::for_package_with`].
    pub(super) fn config(&self, folder: Option<&Path>) -> Result<Config> {
        Config::for_package_with(self.flags.settings.clone(), folder)
    }

    /// What own commands look at an app with.
    pub(super) fn invocation(
        &self,
        subcommand: &str,
        manifest_path: Option<PathBuf>,
    ) -> CargoInvocation {
        let mut invocation = CargoInvocation::new(&self.cargo_options, subcommand, &[]);
        invocation.manifest_path = manifest_path;
        invocation
    }

    /// The app, with the settings before anything runs.
    ///
    /// # Errors
    /// As [`App::find`]; a setting of the wrong form.
    pub(super) fn app(&self, cargo: &Cargo, invocation: &CargoInvocation) -> Result<(App, Config)> {
        let app = App::find(cargo, invocation, &self.shell)?;
        let config = app.config(self.flags.settings.clone())?;
        Ok((app, config))
    }

    /// Starts the toolchain's cargo where there is one, else the user's: to fetch a
    /// crate no target is needed.
    ///
    /// # Errors
    /// The working directory no longer exists.
    pub(super) fn any_cargo(&self) -> Result<Box<dyn Fn() -> Command>> {
        match self.cargo() {
            Ok(cargo) => Ok(Box::new(move || cargo.command())),
            Err(_) => self.users_cargo(),
        }
    }

    /// Starts the user's cargo, which may have no target.
    ///
    /// # Errors
    /// The working directory no longer exists.
    pub(super) fn users_cargo(&self) -> Result<Box<dyn Fn() -> Command>> {
        let env = self.flags.env()?;
        let program = env.var("CARGO").unwrap_or("cargo".as_ref()).to_owned();
        let variables = self.flags.variables.clone();
        Ok(Box::new(move || {
            let mut command = Command::new(&program);
            command.envs(variables.iter().map(|(name, value)| (name, value)));
            command
        }))
    }
}
