//! The port engine: an upstream crate and a port's rules give a ported crate.
//!
//! Contract:
//!
//! * Input is an upstream crate as cargo unpacked it ([`Upstream`]) and a
//!   [`Port`]: `port.toml` with files of ours beside it. Nothing else of
//!   upstream is stored anywhere.
//! * Every rule states how many places it must find. One that finds another
//!   number fails the whole port ([`Mismatch`]); nothing is written then.
//! * Matching is by tokens, editing by byte ranges: what no rule names stays as
//!   upstream wrote it, byte for byte. `Cargo.toml` is the exception: it is
//!   always given an empty `[workspace]`. So are lints: they are all allowed, there and
//!   on top of the root module.
//! * Output is a folder that appears in one step. Its name (or its stamp) has
//!   the hash of everything that it was made from, the engine included, so a
//!   second run changes nothing, and two runs at once agree.
//!
//! The engine knows no crate by name and no folder: a port is wherever a
//! `port.toml` is, a support crate wherever a manifest declares one. The reference
//! for authors of ports is `docs/ports.md`.
//!
//! One file per mechanism:
//!
//! * `discover`, `source`, `ports`: where ports are, and what they cover; `evidence`, `gates`, `twins`: ports that name no crate;
//! * `format`, `fields`: the text of `port.toml`; `rules`, `matches`, `library`: what it says;
//! * `apply`: a whole port; `work`, `tally`: one rule after the other, counted;
//! * `tokens`, `cfg`, `condition`, `items`, `edit`, `modules`: Rust; `manifest`: `Cargo.toml`; `lints`: what a crate asks for;
//! * `support`, `standalone`: our own crates that ported crates depend on;
//! * `upstream`: crates as cargo unpacked them; `checkout`: those that were not published; `tree`, `publish`: folders;
//! * `notice`, `diff`: for people to read.
//!
//! Inside, all paths begin with `super`: the sources are also compiled as a module
//! of `cargo-wasmedge`, which is published without this package.

mod apply;
mod cfg;
mod checkout;
mod condition;
mod diff;
mod discover;
mod edit;
mod error;
mod evidence;
mod fields;
mod format;
#[cfg(test)]
mod format_tests;
mod gates;
mod items;
mod library;
mod lints;
mod manifest;
mod matches;
mod modules;
mod notice;
mod ported;
mod ports;
mod publish;
mod rules;
mod source;
mod standalone;
mod support;
mod tally;
mod target;
mod tokens;
mod tree;
mod twins;
mod upstream;
mod work;

pub use apply::apply;
pub use diff::diff;
pub use error::{Error, Mismatch, Result};
pub use evidence::Evidence;
pub use format::SuiteHead;
pub use gates::{Gate, Gates};
pub use library::{JOBS, Library, OUT};
pub use notice::FILE as NOTICE_FILE;
pub use ported::{Layout, Place, Ported, RuleReport};
pub use ports::Ports;
pub use source::{PORT_FILE, Port, PortSource, SUITE_FILE};
pub use support::Support;
pub use target::{P1, TARGET};
pub use tokens::{Kind, Token, lex};
pub use upstream::{Upstream, checksum_in_lock};
