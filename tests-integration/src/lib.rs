//! Runs apps natively and under WasmEdge, and looks at them from outside.
//!
//! * [`host`]: where a program can run, and which places are missing here;
//! * [`mode`]: whether it has WasmEdge's plugin there;
//! * [`build`]: apps become programs, through cargo and `cargo wasmedge`;
//! * [`guard`]: a running program, which always ends with its test;
//! * [`container`]: containers, each of which always ends too;
//! * [`images`]: what buildah makes for them;
//! * [`load`]: clients while an instance is killed;
//! * [`newcomer`]: a home folder that begins empty;
//! * [`peers`]: real servers, which always end too;
//! * [`suite`]: one test per place.

pub mod build;
pub mod container;
pub mod guard;
pub mod host;
pub mod images;
mod limits;
pub mod load;
pub mod mode;
mod net;
pub mod newcomer;
pub mod peers;
pub mod suite;

pub use build::{App, Workbench};
pub use guard::Guard;
pub use host::Host;
pub use limits::{LIMIT, wait_until};
pub use mode::Mode;
pub use net::{connect, echo, free_port};
pub use suite::Suite;
