//! What `cargo wasmedge doctor` says of the plugin.

use super::library::{Library, chosen};
use crate::config::{self, Config};
use crate::error::Error;
use crate::toolchain::plugin::{self, GAIN, MEND};
use crate::toolchain::wasmedge::WasmEdge;
use crate::toolchain::{Check, Dirs, Status};

/// Whether the next program runs with the plugin, with which one, and what it gains. Not
/// for a given program: one may have no use for it.
pub fn check(config: &Config, dirs: &Dirs, wasmedge: Option<&WasmEdge>) -> Check {
    let (status, detail, mend) = say(config, dirs, wasmedge);
    Check {
        name: "plugin".to_owned(),
        status,
        detail,
        mend,
    }
}

fn say(
    config: &Config,
    dirs: &Dirs,
    wasmedge: Option<&WasmEdge>,
) -> (Status, String, Option<String>) {
    let setting = match &config.plugin {
        config::Plugin::Auto => "auto",
        config::Plugin::Never => "never",
        config::Plugin::Require => "require",
        config::Plugin::Library(_) => "a library",
    };
    let setting = format!("the setting `plugin`: {setting}");
    let must = !matches!(config.plugin, config::Plugin::Auto);
    let bad = match must {
        true => Status::Missing,
        false => Status::Warn,
    };
    let library = match chosen(config, dirs) {
        Ok(Some(library)) => library,
        Ok(None) if config.plugin == config::Plugin::Never => {
            return (
                Status::Ok,
                format!("programs run without it ({setting})"),
                None,
            );
        }
        Ok(None) => {
            let detail = format!(
                "not set up, so programs run without it ({setting})\nwith it they have {GAIN}"
            );
            return match cfg!(target_os = "linux") {
                true => (bad, detail, Some(MEND.to_owned())),
                false => (Status::Ok, format!("it is for Linux ({setting})"), None),
            };
        }
        Err(Error::NotSetUp { what, mend }) => return (bad, what, Some(mend)),
        Err(other) => return (bad, other.to_string(), None),
    };
    let read = match wasmedge {
        Some(wasmedge) => Library::read(&library, wasmedge),
        None => Library::open(&library),
    };
    let about = match read {
        Ok(read) => read.about,
        Err(unfit) => {
            let then = match must {
                true => "programs do not run",
                false => "programs run without it",
            };
            let detail = format!("{unfit}: {then} ({setting})");
            return (bad, detail, Some(unfit.help(config)));
        }
    };
    let is_ours = plugin::library(&dirs.plugin()).as_deref() == Some(&library);
    let is_current = !is_ours || plugin::has_our_sources(&dirs.plugin());
    let age = match (is_ours, is_current) {
        (true, true) => ", of this command's sources",
        (true, false) => ", of other sources than this command's",
        _ => "",
    };
    let detail = format!(
        "interface {}, for {} ({}{age})\nprograms run with it ({setting}): they have {GAIN}",
        about.interface,
        about.wasmedges(),
        library.display()
    );
    match is_current {
        true => (Status::Ok, detail, None),
        false => (Status::Warn, detail, Some(MEND.to_owned())),
    }
}
