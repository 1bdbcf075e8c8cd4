//! A plugin of WasmEdge: sockets of every kind, epoll, signals and random numbers for the
//! program in it, by the system's own calls. docs/plugin.md is the reference of what the
//! guest sees.
//!
//! It is native code, so a fault here is a hole in the sandbox. What it promises:
//!
//! * It touches no memory but the guest's, whatever a guest passes: [`memory`].
//! * It uses no descriptor but its own: [`table`]. A number that was closed is refused.
//! * It makes the system calls that [`functions`] lists, with the options and flags that
//!   are listed there. No files, no processes.
//! * A panic ends the process, and never unwinds into WasmEdge: the functions that it
//!   calls are `extern "C"`, where Rust aborts. A panic is a fault of the plugin, and
//!   what its tables hold after one cannot be relied on; so it does not go on.
//!
//! | file | holds | `unsafe` |
//! |---|---|---|
//! | `capi.rs` | the edge to WasmEdge's C API | yes |
//! | `sys.rs` | system calls, and copies from and to the guest's memory | yes |
//! | `memory.rs` | what may be touched of the guest's memory | no |
//! | `table.rs` | the guest's numbers, and the descriptors behind them | no |
//! | `functions/` | the functions | no |

#![cfg(target_os = "linux")]
#![deny(unsafe_code)]

#[allow(unsafe_code)]
pub mod capi;
pub mod errno;
pub mod functions;
pub mod memory;
#[allow(unsafe_code)]
pub mod sys;
pub mod table;

pub use errno::Errno;

use memory::Memory;
use table::Table;

/// The number of the interface, which [`functions::version`] tells the guest. It grows
/// with each function that is added; none is ever changed or taken away.
pub const ABI: u32 = 1;

/// The variable of WasmEdge's environment that lets guests have Unix sockets: `1`.
pub const ALLOW_AF_UNIX: &str = "TOKIO_WASMEDGE_ALLOW_AF_UNIX";

/// The variable of WasmEdge's environment that has several programs listen at one address:
/// `1`.
pub const REUSEPORT: &str = "TOKIO_WASMEDGE_REUSEPORT";

/// What the functions of one module instance share. Several threads of the guest may use
/// it at once.
#[derive(Debug, Default)]
pub struct State {
    /// The descriptors.
    pub table: Table,
    /// Whether Unix sockets may be opened. They reach what the opened folders do not
    /// limit, so it is off unless the user asks for it.
    pub allow_unix: bool,
    /// Whether every socket that is bound has `SO_REUSEPORT`. Natively a server with a thread
    /// for each processor needs no such thing; here it is several processes, and the program
    /// is not to know.
    pub shares_ports: bool,
}

impl State {
    /// As the environment of the process says.
    pub fn from_environment() -> State {
        let is_on = |name| std::env::var_os(name).is_some_and(|value| value == "1");
        State {
            table: Table::default(),
            allow_unix: is_on(ALLOW_AF_UNIX),
            shares_ports: is_on(REUSEPORT),
        }
    }
}

/// What a function has to work with, for one call.
#[derive(Debug)]
pub struct Call<'a> {
    /// Of the instance.
    pub state: &'a State,
    /// The guest's memory as it is now: it may have grown since the call before.
    pub memory: Memory<'a>,
}

/// A value that is not negative, or what went wrong.
pub type Outcome = Result<i64, Errno>;
