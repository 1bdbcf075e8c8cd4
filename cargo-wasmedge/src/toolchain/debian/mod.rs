//! Debian's packages, downloaded with apt into folders of our own and unpacked
//! into private prefixes.
//!
//! * [`suites`]: which suites packages are taken from, and why;
//! * [`recipe`]: what is installed, as data: packages, suites, programs;
//! * [`install`]: carries a recipe out;
//! * `machine`, `mirrors`: what this machine's own configuration says;
//! * `apt`, `suite`, `conf`: apt at work in our folders;
//! * `plan`, `archive`: the package files that it downloads;
//! * [`prefix`], `program`: how unpacked programs are started;
//! * [`installed`]: the stamp on a finished installation.
//!
//! apt gets its own lists, its own archive folder and its own status file, and
//! none of the machine's hooks; the machine's proxy and transport settings
//! stay. Index files are trusted by Debian's keyring alone, and each package
//! is compared with the index's hash again before it is unpacked.
//!
//! Nothing here knows how a rustc, a WasmEdge or a clang is told from a broken
//! one: whoever has a recipe carried out hands the check in.

mod apt;
mod archive;
mod conf;
pub(crate) mod install;
pub(crate) mod installed;
mod machine;
mod mirrors;
mod plan;
pub(crate) mod prefix;
mod program;
pub(crate) mod recipe;
mod suite;
pub(crate) mod suites;
