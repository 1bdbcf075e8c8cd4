//! `std` for a crate ported to WasmEdge.
//!
//! On `wasm32-wasip1`, std's sockets are stubs. A ported crate says
//!
//! ```ignore
//! extern crate wasmedge_std as std;
//! ```
//!
//! in its root, and every `std::…` path in it leads here: to the real std in
//! all but five places.
//!
//! * [`net`] holds the sockets of `wasmedge_host`.
//! * [`os`]`::unix` is there, with Unix sockets in `net`.
//! * [`env::temp_dir`] returns a path. Real std has none on this target, and
//!   panics.
//! * [`env::split_paths`] and [`env::join_paths`] work as on Unix. Real std's panics, and
//!   is an error.
//! * [`thread::park`] lets the runtime go on. Real std's returns at once, and
//!   whoever waits with it spins.
//!
//! The types are this crate's, so a public signature that names `std::net` types
//! changes with the facade. On every other target this is std, unchanged.

pub use std::*;

#[cfg(all(target_os = "wasi", target_env = "p1"))]
mod paths;

/// Networking; as [`std::net`], on WasmEdge's sockets.
#[cfg(all(target_os = "wasi", target_env = "p1"))]
pub mod net {
    pub use std::net::*;
    pub use wasmedge_host::net::{Incoming, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
}

/// What is special to operating systems; as [`std::os`].
#[cfg(all(target_os = "wasi", target_env = "p1"))]
pub mod os {
    pub use std::os::*;

    /// What of `std::os::unix` the sockets need.
    pub mod unix {
        /// As on Unix.
        pub mod ffi {
            pub use std::os::wasi::ffi::{OsStrExt, OsStringExt};
        }
        /// As on Unix.
        pub mod io {
            pub use std::os::fd::*;
        }
        /// Unix sockets, on WasmEdge's.
        pub mod net {
            pub use wasmedge_host::net::unix::*;
        }
    }
}

/// The process's environment; as [`std::env`].
#[cfg(all(target_os = "wasi", target_env = "p1"))]
pub mod env {
    pub use crate::paths::{join_paths, split_paths, JoinPathsError, SplitPaths};
    pub use std::env::*;
    use std::path::PathBuf;

    /// The directory named by `TMPDIR`, else `/tmp`, as std does on Unix.
    ///
    /// It need not exist: a WasmEdge program sees only the directories it was
    /// given (`--dir`), and only the variables (`--env`).
    pub fn temp_dir() -> PathBuf {
        var_os("TMPDIR").map_or_else(|| PathBuf::from("/tmp"), PathBuf::from)
    }
}

/// Threads; as [`std::thread`].
#[cfg(all(target_os = "wasi", target_env = "p1"))]
pub mod thread {
    pub use std::thread::*;
    pub use wasmedge_host::thread::{park, park_timeout};

    /// As [`std::thread::Thread`]; what [`park`] waits for.
    #[derive(Clone, Debug)]
    pub struct Thread(std::thread::Thread);

    impl Thread {
        /// As [`std::thread::Thread::unpark`].
        pub fn unpark(&self) {
            wasmedge_host::thread::unpark();
        }
    }

    impl std::ops::Deref for Thread {
        type Target = std::thread::Thread;

        fn deref(&self) -> &std::thread::Thread {
            &self.0
        }
    }

    /// As [`std::thread::current`].
    pub fn current() -> Thread {
        Thread(std::thread::current())
    }
}
