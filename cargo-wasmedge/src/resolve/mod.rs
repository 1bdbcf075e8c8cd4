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
//! * `stand_in`: the one published crate that ours takes the place of;
//! * [`fetch`]: upstream crates, and which releases there are;
//! * [`patch`]: the configuration that makes cargo use ported crates;
//! * [`std_calls`]: what the app's crates call of std that the target has not;
//! * [`facade`]: which packages are built on the std facade without a port.

mod app;
pub mod facade;
pub mod fetch;
mod graph;
mod metadata;
mod notices;
pub mod patch;
mod replace;
mod resolver;
mod selection;
mod stand_in;
pub mod std_calls;
pub mod versions;

pub use app::App;
pub use notices::Notice;
pub use resolver::Resolver;
pub use selection::Selection;
pub(crate) use stand_in::{STAND_IN, StandIn};
