//! Resolving: which crates of an app get a port, and in which versions.
//!
//! Everything here decides and gives back data. Telling the user is left to
//! [`Notice::tell`], writing to those who use what was decided.
//!
//! * [`Resolver`]: what is needed for it;
//! * [`App`]: the user's workspace, as cargo sees it;
//! * `metadata`: what cargo resolves for it, without ported crates;
//! * `graph`: who depends on whom;
//! * [`Selection`]: the packages that get a port; `replace`: other versions of
//!   those that no port covers, chosen with `versions`;
//! * `reached`: what the user's subcommand needs of the workspace;
//! * `unsupported`: what is said of versions that cannot be replaced, with `blame`
//!   (how they come into the app) and `remedy` (which release does without);
//! * `stand_in`: the one published crate that ours takes the place of;
//! * `libraries`: C libraries that have to be built before the app;
//! * [`evidence`]: crates without a port of their own that get one by evidence;
//! * `own`: copies of the user's own, which get no port;
//! * [`leftovers`]: what is left of the older forks for WasmEdge;
//! * [`fetch`]: upstream crates, and which releases there are;
//! * [`patch`]: the configuration that makes cargo use ported crates;
//! * [`std_calls`]: what the app's crates call of std that the target has not;
//!   `gated`: what of a source the target leaves out; `scans`: the calls, remembered;
//! * [`facade`]: which packages are built on the std facade without a port;
//! * [`by_itself`]: which crates of the registry get the facade by a look at their calls.

mod app;
mod blame;
pub mod by_itself;
pub mod evidence;
pub mod facade;
pub mod fetch;
mod gated;
mod graph;
pub mod leftovers;
mod libraries;
mod metadata;
mod notices;
mod own;
pub mod patch;
mod reached;
mod remedy;
mod replace;
mod resolver;
mod scans;
mod selection;
mod stand_in;
pub mod std_calls;
mod unsupported;
pub mod versions;

pub use app::App;
pub use libraries::LibraryOf;
pub use notices::Notice;
pub use own::OwnCopy;
pub use reached::Reached;
pub use resolver::Resolver;
pub use selection::{Selection, WithC};
pub(crate) use stand_in::{STAND_IN, StandIn};
