//! Which variables a program sees: the user's, as natively, less what
//! [`inherited`] leaves out; then what settings say.
//!
//! WasmEdge hands on nothing of its own environment. Each variable is an `--env`,
//! which takes any bytes: newlines, `=` and what is not Unicode arrive as they are.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;

use super::arguments::Arguments;
use crate::config::{Config, Fate, inherited};
use crate::error::Error;
use crate::random;

/// The variables of a program, and where each is from.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Environment {
    /// From settings, or set for programs by who starts them.
    told: BTreeMap<OsString, OsString>,
    /// The user's, taken over.
    taken: BTreeMap<OsString, OsString>,
}

impl Environment {
    /// What a program sees of `host`. `tmp` is its folder for temporary files.
    pub(super) fn new(
        config: &Config,
        host: impl IntoIterator<Item = (OsString, OsString)>,
        tmp: Option<&OsStr>,
    ) -> Environment {
        let host: BTreeMap<OsString, OsString> = host.into_iter().collect();
        let mut environment = Environment::default();
        for (name, value) in &host {
            let into = match inherited::fate(name) {
                Fate::Passed => &mut environment.told,
                Fate::Inherited if config.inherit_env => &mut environment.taken,
                Fate::Inherited | Fate::LeftOut => continue,
            };
            into.insert(name.clone(), value.clone());
        }
        if let Some(folder) = tmp {
            environment.tell("TMPDIR".as_ref(), folder);
        }
        if config.weak_random {
            environment.tell(random::WEAK_VARIABLE.as_ref(), "1".as_ref());
        }
        for entry in &config.env {
            match entry.split_once('=') {
                Some((name, value)) => environment.tell(name.as_ref(), value.as_ref()),
                None => {
                    let name = OsStr::new(entry);
                    if let Some(value) = host.get(name) {
                        environment.tell(name, value);
                    }
                }
            }
        }
        environment
    }

    /// Sets a variable, whatever the user's is.
    pub(super) fn tell(&mut self, name: &OsStr, value: &OsStr) {
        self.taken.remove(name);
        self.told.insert(name.to_owned(), value.to_owned());
    }

    /// What the program sees of a variable.
    pub(super) fn value(&self, name: &str) -> Option<&OsStr> {
        let name = OsStr::new(name);
        let value = self.told.get(name).or_else(|| self.taken.get(name));
        value.map(OsString::as_os_str)
    }

    /// What is printed with `-v` holds no value of the user's: it may be a secret,
    /// and the output may be kept in a log.
    pub(super) fn args(&self) -> Arguments {
        let entry = |(name, value): (&OsString, &OsString)| {
            let mut entry = name.clone();
            entry.push("=");
            entry.push(value);
            entry
        };
        let mut args = Arguments::default();
        for variable in &self.told {
            args.option("--env", entry(variable));
        }
        for variable in &self.taken {
            args.unprinted_option("--env", entry(variable));
        }
        args
    }

    /// The names of what was taken over, for `-v`.
    pub(super) fn taken(&self) -> impl Iterator<Item = &OsStr> {
        self.taken.keys().map(OsString::as_os_str)
    }
}

/// Says what helps where the variables, once in the environment and once as
/// arguments, are more than the system takes.
pub(super) fn explain_too_long(error: Error) -> Error {
    let Error::Other(error) = error else {
        return error;
    };
    let is_too_long = error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::ArgumentListTooLong);
    if !is_too_long {
        return Error::Other(error);
    }
    Error::Other(error.context(
        "the environment is too large to be handed to WasmEdge as arguments\n  \
         help: with the setting `inherit-env = false` a program gets only what the setting `env` names",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host<'a>(variables: &[(&'a str, &'a str)]) -> Vec<(OsString, OsString)> {
        let owned = |&(name, value): &(&str, &str)| (name.into(), value.into());
        variables.iter().map(owned).collect()
    }

    fn args(environment: &Environment) -> Vec<OsString> {
        environment.args().all().to_vec()
    }

    #[test]
    fn the_users_variables_less_the_machines_own() {
        let host = host(&[
            ("CARGO_PKG_NAME", "app"),
            ("CARGO_REGISTRY_TOKEN", "secret"),
            ("EMPTY", ""),
            ("FOO", "bar baz"),
            ("HOME", "/home/me"),
            ("LINES", "one\ntwo=2"),
        ]);
        let config = Config {
            env: vec!["HOME".into(), "FOO=b=c".into(), "ABSENT".into()],
            ..Config::default()
        };
        let environment = Environment::new(&config, host.clone(), Some("/tmp".as_ref()));
        assert_eq!(
            args(&environment).join(OsStr::new("|")),
            "--env|CARGO_PKG_NAME=app|--env|FOO=b=c|--env|HOME=/home/me|--env|TMPDIR=/tmp|\
             --env|EMPTY=|--env|LINES=one\ntwo=2"
        );
        let named_only = Config {
            inherit_env: false,
            ..config
        };
        let environment = Environment::new(&named_only, host, None);
        assert_eq!(
            args(&environment).join(OsStr::new("|")),
            "--env|CARGO_PKG_NAME=app|--env|FOO=b=c|--env|HOME=/home/me"
        );
    }

    /// WasmEdge would take the next argument for an option of its own.
    #[test]
    fn a_name_may_begin_with_a_dash() {
        let config = Config::default();
        let environment = Environment::new(&config, host(&[("--dir", "/")]), None);
        assert_eq!(args(&environment), ["--env=--dir=/"]);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_not_unicode_is_passed_as_it_is() {
        use std::os::unix::ffi::OsStringExt as _;

        let bytes = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
        let host = [(bytes(b"N\xff"), bytes(b"\xfe"))];
        let environment = Environment::new(&Config::default(), host, None);
        assert_eq!(args(&environment)[1], bytes(b"N\xff=\xfe"));
    }

    #[test]
    fn the_users_values_are_not_printed() {
        let host = host(&[("PASSWORD", "secret"), ("RUST_LOG", "debug")]);
        let environment = Environment::new(&Config::default(), host, None);
        assert_eq!(environment.args().printed(), ["--env", "RUST_LOG=debug"]);
        assert_eq!(environment.taken().collect::<Vec<_>>(), ["PASSWORD"]);
    }

    #[test]
    fn too_large_an_environment_is_explained() {
        let error = io::Error::from(io::ErrorKind::ArgumentListTooLong);
        let error = Error::Other(anyhow::Error::new(error).context("cannot start wasmedge"));
        let Error::Other(error) = explain_too_long(error) else {
            panic!("another error");
        };
        assert!(error.to_string().contains("inherit-env = false"), "{error}");
        let other = Error::Other(anyhow::anyhow!("cannot start wasmedge"));
        assert_eq!(explain_too_long(other).to_string(), "cannot start wasmedge");
    }
}
